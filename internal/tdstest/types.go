package tdstest

import (
	"fmt"
	"strconv"
	"strings"
)

type kind uint8

const (
	kindBit kind = iota
	kindTinyInt
	kindSmallInt
	kindInt
	kindBigInt
	kindDecimal
	kindNumeric
	kindMoney
	kindSmallMoney
	kindFloat
	kindReal
	kindDate
	kindTime
	kindDateTime
	kindDateTime2
	kindSmallDateTime
	kindDateTimeOffset
	kindChar
	kindVarChar
	kindNChar
	kindNVarChar
	kindText
	kindNText
	kindImage
	kindXML
	kindBinary
	kindVarBinary
	kindGUID
	kindVariant
	kindRowversion
)

// sqlType is a T-SQL type. The length is in characters for nchar and nvarchar, else in bytes; -1 is max.
type sqlType struct {
	kind        kind
	length      int
	prec, scale uint8
	collation   *collation
	sysname     bool
	// wireFixed is a parameter's type that has no length before the value, nullOnly one that has no value but NULL.
	wireFixed, nullOnly bool
}

// typeFacts is what sys.types and the parser know of a kind.
type typeFacts struct {
	name             string
	id               int64 // sys.types.system_type_id
	bytes            int   // max_length of those of fixed length
	prec, scale      uint8
	hasLength, hasPS bool
	hasScale         bool
}

var facts = [...]typeFacts{
	kindBit:            {name: "bit", id: 104, bytes: 1, prec: 1},
	kindTinyInt:        {name: "tinyint", id: 48, bytes: 1, prec: 3},
	kindSmallInt:       {name: "smallint", id: 52, bytes: 2, prec: 5},
	kindInt:            {name: "int", id: 56, bytes: 4, prec: 10},
	kindBigInt:         {name: "bigint", id: 127, bytes: 8, prec: 19},
	kindDecimal:        {name: "decimal", id: 106, bytes: 17, prec: 18, hasPS: true},
	kindNumeric:        {name: "numeric", id: 108, bytes: 17, prec: 18, hasPS: true},
	kindMoney:          {name: "money", id: 60, bytes: 8, prec: 19, scale: 4},
	kindSmallMoney:     {name: "smallmoney", id: 122, bytes: 4, prec: 10, scale: 4},
	kindFloat:          {name: "float", id: 62, bytes: 8, prec: 53},
	kindReal:           {name: "real", id: 59, bytes: 4, prec: 24},
	kindDate:           {name: "date", id: 40, bytes: 3, prec: 10},
	kindTime:           {name: "time", id: 41, scale: 7, hasScale: true},
	kindDateTime:       {name: "datetime", id: 61, bytes: 8, prec: 23, scale: 3},
	kindDateTime2:      {name: "datetime2", id: 42, scale: 7, hasScale: true},
	kindSmallDateTime:  {name: "smalldatetime", id: 58, bytes: 4, prec: 16},
	kindDateTimeOffset: {name: "datetimeoffset", id: 43, scale: 7, hasScale: true},
	kindChar:           {name: "char", id: 175, hasLength: true},
	kindVarChar:        {name: "varchar", id: 167, hasLength: true},
	kindNChar:          {name: "nchar", id: 239, hasLength: true},
	kindNVarChar:       {name: "nvarchar", id: 231, hasLength: true},
	kindText:           {name: "text", id: 35, bytes: 16},
	kindNText:          {name: "ntext", id: 99, bytes: 16},
	kindImage:          {name: "image", id: 34, bytes: 16},
	kindXML:            {name: "xml", id: 241, bytes: -1},
	kindBinary:         {name: "binary", id: 173, hasLength: true},
	kindVarBinary:      {name: "varbinary", id: 165, hasLength: true},
	kindGUID:           {name: "uniqueidentifier", id: 36, bytes: 16},
	kindVariant:        {name: "sql_variant", id: 98, bytes: 8016},
	kindRowversion:     {name: "timestamp", id: 189, bytes: 8},
}

// typeAliases are the other names T-SQL has for types.
var typeAliases = map[string]kind{
	"integer": kindInt, "dec": kindDecimal, "rowversion": kindRowversion, "character": kindChar,
	"varcharacter": kindVarChar, "sysname": kindNVarChar,
}

func kindNamed(name string) (kind, bool) {
	name = strings.ToLower(name)
	if k, ok := typeAliases[name]; ok {
		return k, true
	}
	for k := range facts {
		if facts[k].name == name {
			return kind(k), true
		}
	}
	return 0, false
}

// parseType reads a type as T-SQL writes it, with its collation if it has one.
func parseType(text string, db *collation) (sqlType, error) {
	tokens, err := lex(text)
	if err != nil {
		return sqlType{}, fmt.Errorf("the type %q: %w", text, err)
	}
	p := &parser{tokens: tokens, db: db}
	t, perr := p.typeName()
	if perr == nil && p.peek().kind != tokEnd {
		perr = p.unexpected()
	}
	if perr != nil {
		return sqlType{}, fmt.Errorf("the type %q: %w", text, perr)
	}
	return t, nil
}

// makeType builds a type from its name and the numbers in parentheses.
func makeType(name string, args []string, db *collation) (sqlType, *Error) {
	bad := &Error{Number: 2715, State: 3, Class: 16, Message: "Cannot find data type " + name + "."}
	k, ok := kindNamed(name)
	if !ok || len(args) > 2 {
		return sqlType{}, bad
	}
	f := facts[k]
	t := sqlType{kind: k, length: f.bytes, prec: f.prec, scale: f.scale}
	numbers := make([]int, len(args))
	for i, a := range args {
		n, err := strconv.Atoi(a)
		if strings.EqualFold(a, "max") && f.hasLength {
			n, err = -1, nil
		}
		if err != nil || n < -1 {
			return sqlType{}, bad
		}
		numbers[i] = n
	}
	first := func(without int) int {
		if len(numbers) == 0 {
			return without
		}
		return numbers[0]
	}
	switch {
	case strings.EqualFold(name, "sysname"):
		t.length, t.sysname = 128, true
	case f.hasLength:
		t.length = first(1)
	case f.hasPS:
		t.prec = uint8(first(18))
		if len(numbers) == 2 {
			t.scale = uint8(numbers[1])
		}
		if t.prec < 1 || t.prec > 38 || t.scale > t.prec {
			return sqlType{}, bad
		}
	case f.hasScale:
		if n := first(7); n >= 0 && n <= 7 {
			t.scale = uint8(n)
		} else {
			return sqlType{}, bad
		}
	case k == kindFloat && first(53) <= 24:
		t = sqlType{kind: kindReal, length: 4, prec: 24}
	}
	if t.isNarrow() || t.isWide() {
		t.collation = db
	}
	return t, nil
}

func (t sqlType) isWide() bool {
	return t.kind == kindNChar || t.kind == kindNVarChar || t.kind == kindNText
}

func (t sqlType) isNarrow() bool {
	return t.kind == kindChar || t.kind == kindVarChar || t.kind == kindText
}
func (t sqlType) isText() bool { return t.isWide() || t.isNarrow() || t.kind == kindXML }
func (t sqlType) isLOB() bool {
	return t.kind == kindText || t.kind == kindNText || t.kind == kindImage
}

func (t sqlType) isInteger() bool { return t.kind >= kindTinyInt && t.kind <= kindBigInt }

func (t sqlType) isDecimal() bool { return t.kind >= kindDecimal && t.kind <= kindSmallMoney }

func (t sqlType) isBinary() bool {
	return t.kind == kindBinary || t.kind == kindVarBinary || t.kind == kindImage || t.kind == kindRowversion
}

// maxLength is sys.columns.max_length: in bytes, -1 for max.
func (t sqlType) maxLength() int64 {
	switch {
	case t.length < 0:
		return -1
	case t.kind == kindNChar || t.kind == kindNVarChar:
		return int64(2 * t.length)
	case t.kind == kindDecimal || t.kind == kindNumeric:
		return int64(decimalSize(t.prec))
	case t.kind == kindTime:
		return int64(timeSize(t.scale))
	case t.kind == kindDateTime2:
		return int64(timeSize(t.scale)) + 3
	case t.kind == kindDateTimeOffset:
		return int64(timeSize(t.scale)) + 5
	default:
		return int64(t.length)
	}
}

// precision is sys.columns.precision.
func (t sqlType) precision() int64 {
	var base int64
	switch t.kind {
	case kindTime:
		base = 8
	case kindDateTime2:
		base = 19
	case kindDateTimeOffset:
		base = 26
	default:
		return int64(t.prec)
	}
	if t.scale > 0 {
		base += int64(t.scale) + 1
	}
	return base
}

func (t sqlType) name() string { return facts[t.kind].name }

// userType is USERTYPE in COLMETADATA, which is 0 but for timestamp and aliases.
func (t sqlType) userType() uint32 {
	switch {
	case t.kind == kindRowversion:
		return 0x50
	case t.sysname:
		return 0x100
	default:
		return 0
	}
}
