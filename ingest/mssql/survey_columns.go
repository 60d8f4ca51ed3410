package mssql

import (
	"database/sql/driver"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// valueKind is how the values of a column are written.
type valueKind uint8

const (
	kindOther valueKind = iota // the value's own type says it
	kindReal
	kindDate
	kindTime
	kindDateTime
	kindOffset
	kindDigits // a number that the driver has as text
	kindGUID
	kindBinary
	kindVariant
)

// column is a column with what reading it takes.
type column struct {
	Column
	kind valueKind
	base string // the type without its length, in lower case
	utf8 bool   // varchar under a collation of SQL Server's UTF-8, which the driver takes for a code page
}

// columnsOf returns the columns of a result, as its metadata has them. Their number must be bounded before.
func columnsOf(rows driver.Rows) []column {
	names := rows.Columns()
	columns := make([]column, len(names))
	for i, name := range names {
		c := &columns[i]
		c.Name, c.Nullable = name, true
		w, known := wireOf(rows, i)
		c.base = baseType(rows, i)
		if known {
			c.wire(w)
		}
		c.kind = valueKindOf(c.base)
		c.Type = c.base + typeSuffix(rows, i, c.base)
	}
	return columns
}

// baseType asks the driver. It panics over types that it does not know in this place, though it reads them.
func baseType(rows driver.Rows, i int) (name string) {
	defer func() {
		if recover() != nil {
			name = ""
		}
	}()
	if r, ok := rows.(driver.RowsColumnTypeDatabaseTypeName); ok {
		return strings.ToLower(shown(r.ColumnTypeDatabaseTypeName(i)))
	}
	return ""
}

const longest = math.MaxInt32/2 - 1 // characters of nvarchar(max), as the driver has it

// typeSuffix is the length, or precision and scale, of a type, in parentheses.
func typeSuffix(rows driver.Rows, i int, base string) (suffix string) {
	defer func() {
		if recover() != nil {
			suffix = ""
		}
	}()
	switch base {
	case "char", "varchar", "nchar", "nvarchar", "binary", "varbinary":
		r, ok := rows.(driver.RowsColumnTypeLength)
		if !ok {
			return ""
		}
		switch n, ok := r.ColumnTypeLength(i); {
		case !ok || n <= 0:
			return ""
		case n >= longest:
			return "(max)"
		default:
			return "(" + strconv.FormatInt(n, 10) + ")"
		}
	case "decimal", "numeric", "time", "datetime2", "datetimeoffset":
		r, ok := rows.(driver.RowsColumnTypePrecisionScale)
		if !ok {
			return ""
		}
		precision, scale, ok := r.ColumnTypePrecisionScale(i)
		switch {
		case !ok:
			return ""
		case base == "decimal" || base == "numeric":
			return fmt.Sprintf("(%d,%d)", precision, scale)
		}
		return fmt.Sprintf("(%d)", scale)
	}
	return ""
}

// valueKindOf is the kind of a type by its name.
func valueKindOf(base string) valueKind {
	switch base {
	case "real":
		return kindReal
	case "date":
		return kindDate
	case "time":
		return kindTime
	case "datetime", "smalldatetime", "datetime2":
		return kindDateTime
	case "datetimeoffset":
		return kindOffset
	case "decimal", "numeric", "money", "smallmoney":
		return kindDigits
	case "uniqueidentifier":
		return kindGUID
	case "sql_variant":
		return kindVariant
	case "bit", "tinyint", "smallint", "int", "bigint", "float", "char", "varchar", "nchar", "nvarchar", "text", "ntext", "xml":
		return kindOther
	}
	return kindBinary
}

// wire is what the protocol says of a column and the driver's interfaces do not.
type wire struct {
	user, flags, collation uint64
	kind                   uint64
	udt                    string
}

// Of the protocol's COLMETADATA.
const (
	userRowversion      = 80
	flagNullable        = 0x0001
	flagComputed        = 0x0020
	flagNullableUnknown = 0x8000
	collationUTF8       = 0x0400_0000
)

// wireOf reads fields of the driver's rows that it does not export: there is no other way to know a rowversion from a
// binary(8), or a varchar in UTF-8, without asking a catalogue that may not be there. Where a driver has them no more, less is
// known, and a test fails.
func wireOf(rows driver.Rows, i int) (w wire, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	c := reflect.ValueOf(rows).Elem().FieldByName("cols").Index(i)
	t := c.FieldByName("ti")
	return wire{
		user:      c.FieldByName("UserType").Uint(),
		flags:     c.FieldByName("Flags").Uint(),
		kind:      t.FieldByName("TypeId").Uint(),
		collation: t.FieldByName("Collation").FieldByName("LcidAndFlags").Uint(),
		udt:       t.FieldByName("UdtInfo").FieldByName("TypeName").String(),
	}, true
}

// Types whose name the driver does not say, by the protocol's number.
const (
	wireNull       = 0x1f
	wireVarBinary  = 0x25
	wireVarChar    = 0x27
	wireBinary     = 0x2d
	wireChar       = 0x2f
	wireDecimal    = 0x37
	wireNumeric    = 0x3f
	wireNumericN   = 0x6c
	wireBigVarChar = 0xa7
	wireBigChar    = 0xaf
	wireText       = 0x23
	wireUDT        = 0xf0
)

// wire takes in what the protocol says.
func (c *column) wire(w wire) {
	switch w.kind {
	case wireNull:
		c.base = "int" // of NULL, and of no matter
	case wireVarBinary:
		c.base = "varbinary"
	case wireBinary:
		c.base = "binary"
	case wireVarChar:
		c.base = "varchar"
	case wireChar:
		c.base = "char"
	case wireDecimal:
		c.base = "decimal"
	case wireNumeric, wireNumericN:
		c.base = "numeric"
	case wireUDT:
		c.base = strings.ToLower(shown(w.udt))
		if valueKindOf(c.base) != kindBinary {
			c.base = "udt" // named like a type that it is not
		}
	case wireBigVarChar, wireBigChar, wireText:
		c.utf8 = w.collation&collationUTF8 != 0
	}
	if w.user == userRowversion && c.base == "binary" {
		c.Rowversion, c.base = true, "rowversion"
	}
	c.Computed = w.flags&flagComputed != 0
	// A server that sets no flag at all says nothing of NULL either.
	c.Nullable = w.flags == 0 || w.flags&(flagNullable|flagNullableUnknown) != 0
}

// isInteger tells whether a type is one of whole numbers.
func isInteger(base string) bool {
	return base == "int" || base == "bigint" || base == "smallint" || base == "tinyint"
}

// exported drops what is only for reading.
func exported(columns []column) []Column {
	out := make([]Column, len(columns))
	for i := range columns {
		out[i] = columns[i].Column
	}
	return out
}
