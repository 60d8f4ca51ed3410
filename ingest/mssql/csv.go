package mssql

import (
	"database/sql/driver"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// encoder writes rows as CSV: commas, LF, UTF-8, quotes where needed. NULL is an empty field, and an empty text a pair of
// quotes. It writes each value canonically:
//
//	bit                             1, 0
//	integers                        digits
//	decimal, numeric, money         all digits of the scale
//	float, real                     the shortest text that reads back to the same, with an exponent where it would be long
//	date                            2006-01-02
//	time                            15:04:05.999
//	datetime, datetime2, and small  2006-01-02 15:04:05.999, midnight too; which a mapping takes for a date as well
//	datetimeoffset                  2006-01-02 15:04:05.999+02:00
//	texts, xml                      as they are, in UTF-8; what is no character is U+FFFD
//	uniqueidentifier                00112233-4455-6677-8899-AABBCCDDEEFF
//	binary, rowversion, CLR types   0x and upper-case hex digits
//	sql_variant                     as its base type
//
// A value of any length is written whole: the mapping refuses the record if it is too long, and not the file.
type encoder struct {
	buf   []byte
	kinds []valueKind
	bases []int // where the name of a variant's base type stands in the row; -1: nowhere
	alone bool  // one column: a line of nothing would be no record
}

func newEncoder(columns []column) *encoder {
	e := &encoder{kinds: make([]valueKind, len(columns)), bases: make([]int, len(columns)), alone: len(columns) == 1}
	for i := range columns {
		e.kinds[i], e.bases[i] = columns[i].kind, -1
	}
	return e
}

// header appends the line of names.
func (e *encoder) header(columns []column) {
	for i := range columns {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		e.buf = appendText(e.buf, columns[i].Name)
	}
	e.buf = append(e.buf, '\n')
}

// row appends a record.
func (e *encoder) row(values []driver.Value) {
	buf := e.buf
	for i, k := range e.kinds {
		if i > 0 {
			buf = append(buf, ',')
		}
		v := values[i]
		if k == kindVariant && v != nil {
			k = variantKind(v, e.bases[i], values)
		}
		switch v := v.(type) {
		case nil:
			if e.alone {
				buf = append(buf, `""`...)
			}
		case string:
			buf = appendText(buf, v)
		case int64:
			buf = strconv.AppendInt(buf, v, 10)
		case []byte:
			buf = appendBytes(buf, v, k)
		case time.Time:
			buf = appendTime(buf, v, k, ' ')
		case bool:
			if v {
				buf = append(buf, '1')
			} else {
				buf = append(buf, '0')
			}
		case float64:
			buf = appendFloat(buf, v, k)
		default: // no value of the driver's is of another type
		}
	}
	e.buf = append(buf, '\n')
}

// Classes of bytes in a text.
const (
	isSpecial = 1 << iota // needs quotes
	isQuote
	isHigh
)

var classes = func() (t [256]byte) {
	for c := range t {
		switch {
		case c == ',' || c == '\n' || c == '\r':
			t[c] = isSpecial
		case c == '"':
			t[c] = isSpecial | isQuote
		case c >= utf8.RuneSelf:
			t[c] = isHigh
		}
	}
	return t
}()

// appendText appends a text, between quotes where CSV needs them.
func appendText(buf []byte, s string) []byte {
	if len(s) == 0 {
		return append(buf, `""`...)
	}
	var class byte
	for i := range len(s) {
		class |= classes[s[i]]
	}
	if class&isHigh != 0 && !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if class&isSpecial == 0 && s[0] > ' ' && s[len(s)-1] > ' ' {
		return append(buf, s...)
	}
	buf = append(buf, '"')
	for class&isQuote != 0 {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			break
		}
		buf = append(buf, s[:i+1]...)
		buf = append(buf, '"')
		s = s[i+1:]
	}
	buf = append(buf, s...)
	return append(buf, '"')
}

const upperHex = "0123456789ABCDEF"

// appendBytes appends what the driver has as bytes.
func appendBytes(buf, v []byte, k valueKind) []byte {
	switch {
	case k == kindDigits:
		return append(buf, v...)
	case k == kindGUID && len(v) == 16:
		return appendGUID(buf, v)
	}
	buf = append(buf, '0', 'x')
	for _, b := range v {
		buf = append(buf, upperHex[b>>4], upperHex[b&15])
	}
	return buf
}

// storedAt is where the bytes of a uniqueidentifier's text are stored: its first three groups have their last byte first, and
// the driver leaves them so unless it is told otherwise.
const storedAt = "\x03\x02\x01\x00\x05\x04\x07\x06\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"

// appendGUID appends a uniqueidentifier of sixteen bytes.
func appendGUID(buf, v []byte) []byte {
	for i := range len(storedAt) {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			buf = append(buf, '-')
		}
		b := v[storedAt[i]]
		buf = append(buf, upperHex[b>>4], upperHex[b&15])
	}
	return buf
}

// Between these a float is written without an exponent.
const (
	plainFrom = 1e-15
	plainTo   = 1e21
)

func appendFloat(buf []byte, v float64, k valueKind) []byte {
	bits := 64
	if k == kindReal {
		bits = 32
	}
	if a := math.Abs(v); a == 0 || a >= plainFrom && a < plainTo {
		return strconv.AppendFloat(buf, v, 'f', -1, bits)
	}
	return strconv.AppendFloat(buf, v, 'E', -1, bits)
}

// variantKind is the kind of a value in a sql_variant: by the name of its base type where the query has it, and by its looks
// where not. A decimal is told from a binary by being one to the letter.
func variantKind(v driver.Value, base int, values []driver.Value) valueKind {
	if base >= 0 && base < len(values) {
		if name, ok := values[base].(string); ok {
			return valueKindOf(strings.ToLower(name))
		}
	}
	switch v := v.(type) {
	case []byte:
		switch {
		case isDigits(v):
			return kindDigits
		case len(v) == 16:
			return kindGUID
		}
		return kindBinary
	case time.Time:
		switch {
		case v.Location() != time.UTC:
			return kindOffset
		case v.Year() == 1 && v.YearDay() == 1:
			return kindTime
		}
		return kindDateTime
	}
	return kindOther
}

func isDigits(v []byte) bool {
	points := 0
	for i, b := range v {
		switch {
		case b == '-' && i == 0 && len(v) > 1:
		case b == '.':
			points++
		case b < '0' || b > '9':
			return false
		}
	}
	return len(v) > 0 && points <= 1
}
