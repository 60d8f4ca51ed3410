package mssql

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	mssql "github.com/microsoft/go-mssqldb"
)

const rowversionBytes = 8

// bracketed quotes a name as SQL Server's own tools do.
func bracketed(name string) string { return "[" + strings.ReplaceAll(name, "]", "]]") + "]" }

// doubled quotes a name as the SQL standard has it.
func doubled(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// isPlainName tells whether a name needs no quotes: ASCII letters, digits and underscores, and not a digit first.
func isPlainName(name string) bool {
	for i, r := range name {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r == '_'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// textLiteral quotes a text; prefix is "N" for one that is not ASCII.
func textLiteral(text string) string {
	prefix := ""
	if !isASCII(text) {
		prefix = "N"
	}
	return prefix + "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

const mostShown = 128 // characters of a name or a message from outside

// shown is a text from outside as it may be shown: one line, no control characters, not long.
func shown(text string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	n := 0
	for i := range clean {
		if n++; n > mostShown {
			return clean[:i] + "…"
		}
	}
	return clean
}

// key is the value of a key column. Its text form begins with the column's type, so that the next part's parameter can have
// that type too: compared with another, an index would be scanned and not sought in.
type key struct {
	base string
	text string
}

func (k key) String() string { return k.base + ":" + k.text }

// parseKey reads what String wrote.
func parseKey(encoded string) (key, error) {
	base, text, ok := strings.Cut(encoded, ":")
	k := key{base: base, text: text}
	if !ok || !k.valid() {
		return key{}, fmt.Errorf("%q is no encoded key", shown(encoded))
	}
	return k, nil
}

func (k key) valid() bool {
	switch k.base {
	case "bigint", "int", "smallint", "tinyint":
		_, err := strconv.ParseInt(k.text, 10, 64)
		return err == nil
	case "uniqueidentifier":
		return isGUID(k.text)
	}
	return isText(k.base)
}

func isText(base string) bool {
	return base == "varchar" || base == "char" || base == "nvarchar" || base == "nchar"
}

// isKeyType tells whether a column of a type can be read in parts: its order is the server's, and the value can be handed
// back as it came.
func isKeyType(c *column) bool {
	return isInteger(c.base) || c.base == "uniqueidentifier" || isText(c.base) && !strings.HasSuffix(c.Type, "(max)")
}

// parameter returns the place holder for the first parameter, and its value.
func (k key) parameter() (placeholder string, value any) {
	switch k.base {
	case "uniqueidentifier":
		return "CAST(@p1 AS uniqueidentifier)", k.text // as text, its bytes can be in no wrong order
	case "varchar", "char":
		if isASCII(k.text) {
			return "@p1", mssql.VarChar(k.text)
		}
		return "CAST(@p1 AS varchar(8000))", k.text // the server knows its code page
	case "nvarchar", "nchar":
		return "@p1", k.text
	}
	n, _ := strconv.ParseInt(k.text, 10, 64)
	switch k.base {
	case "int":
		return "@p1", int32(n)
	case "smallint":
		return "@p1", int16(n)
	case "tinyint":
		return "@p1", byte(n)
	}
	return "@p1", n
}

// literal is for servers that take no parameters.
func (k key) literal() string {
	switch {
	case k.base == "uniqueidentifier":
		return "'" + k.text + "'"
	case (k.base == "varchar" || k.base == "char") && !isASCII(k.text):
		return "CAST(" + textLiteral(k.text) + " AS varchar(8000))"
	case k.base == "nvarchar" || k.base == "nchar":
		return "N'" + strings.ReplaceAll(k.text, "'", "''") + "'"
	case isText(k.base):
		return textLiteral(k.text)
	}
	return k.text
}

// isGUID tells whether a text is 8-4-4-4-12 hex digits.
func isGUID(text string) bool {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return false
	}
	b, err := hex.DecodeString(text[:8] + text[9:13] + text[14:18] + text[19:23] + text[24:])
	return err == nil && len(b) == 16
}

// sinceLiteral checks a bound of incremental reading and returns it as SQL for a column of a type.
func sinceLiteral(base, text string) (string, error) {
	layout := ""
	switch {
	case base == "rowversion" || base == "timestamp" || base == "binary" || base == "varbinary":
		digits, ok := strings.CutPrefix(text, "0x")
		if _, err := hex.DecodeString(digits); !ok || err != nil || len(digits) != 2*rowversionBytes {
			return "", fmt.Errorf("%q is no rowversion: it is 0x and 16 hex digits", shown(text))
		}
		return text, nil
	case isInteger(base):
		if _, err := strconv.ParseInt(text, 10, 64); err != nil {
			return "", fmt.Errorf("%q is no integer", shown(text))
		}
		return text, nil
	case base == "date":
		layout = "2006-01-02"
	case base == "datetime" || base == "smalldatetime" || base == "datetime2":
		layout = "2006-01-02T15:04:05"
	case base == "datetimeoffset":
		layout = "2006-01-02T15:04:05-07:00"
	default:
		return "", checkSinceType(base)
	}
	t, err := parseTime(layout, text)
	if err != nil {
		return "", fmt.Errorf("%q is no time of the form %s", shown(text), layout)
	}
	// Written anew in the form that no language setting of the server turns around, and no longer than its type takes.
	switch base {
	case "datetime", "smalldatetime":
		return "'" + t.Format("2006-01-02T15:04:05.000") + "'", nil
	case "datetime2":
		return "'" + t.Format("2006-01-02T15:04:05.0000000") + "'", nil
	case "datetimeoffset":
		return "'" + t.Format("2006-01-02T15:04:05.0000000-07:00") + "'", nil
	}
	return "'" + t.Format(layout) + "'", nil
}

// beforeAll tells whether a time is before all that a column of a type can hold. Such a bound excludes nothing, and the server
// would refuse to compare with it: a mark that was the type's first time and is taken back by a little is one.
func beforeAll(base, text string) bool {
	first := 1
	switch base {
	case "datetime":
		first = 1753
	case "smalldatetime":
		first = 1900
	case "date", "datetime2", "datetimeoffset":
	default:
		return false
	}
	t, err := parseTime("2006-01-02T15:04:05", text)
	return err == nil && t.UTC().Year() < first
}

// checkSinceType tells whether values of a type tell what is new.
func checkSinceType(base string) error {
	switch base {
	case "rowversion", "timestamp", "binary", "varbinary", "date", "datetime", "smalldatetime", "datetime2", "datetimeoffset",
		"int", "bigint", "smallint", "tinyint":
		return nil
	}
	return fmt.Errorf("a column of type %q does not tell what is new: a rowversion, a date, a time or an integer does", shown(base))
}

// parseTime reads a time by its layout; a T may be a space, and a date may stand for its midnight.
func parseTime(layout, text string) (time.Time, error) {
	if len(text) > len("2006-01-02") && text[10] == ' ' {
		text = text[:10] + "T" + text[11:]
	}
	t, err := time.Parse(layout, text)
	if err != nil {
		for _, other := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04:05Z07:00", "2006-01-02"} {
			if t, e := time.Parse(other, text); e == nil {
				return t, nil
			}
		}
	}
	return t, err
}

// below is the rowversion before b.
func below(b []byte) string {
	v := make([]byte, rowversionBytes)
	copy(v, b)
	for i := len(v) - 1; i >= 0; i-- {
		v[i]--
		if v[i] != 0xFF {
			break
		}
	}
	return "0x" + strings.ToUpper(hex.EncodeToString(v))
}
