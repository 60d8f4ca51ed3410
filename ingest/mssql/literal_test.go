package mssql_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	driver "github.com/microsoft/go-mssqldb"

	"dropline/ingest/mssql"
)

func TestNamesAndTextsAreQuoted(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Matter":                  "[Matter]",
		"]; DROP TABLE x; --":     "[]]; DROP TABLE x; --]",
		"a]]b":                    "[a]]]]b]",
		"Größe \u202e reversed '": "[Größe \u202e reversed ']",
	} {
		if got := mssql.Bracketed(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{"O'Brien": "'O''Brien'", "": "''", "ü'": "N'ü'''"} {
		if got := mssql.TextLiteral(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestWhatIsShownIsOneCleanLine(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"dbo":                "dbo",
		"a\nb\tc\x00\x1b[2J": "a b c[2J",
		"\u202eevil\u200b":   "evil",
		"bad \xff":           "bad \uFFFD",
	} {
		if got := mssql.Shown(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if n := utf8.RuneCountInString(mssql.Shown(strings.Repeat("ü", 10_000))); n != 129 {
		t.Errorf("%d characters of a long name are shown", n)
	}
}

func TestKeysAreHandedBackAsTheirType(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		encoded, placeholder string
		value                any
		literal              string
	}{
		{"int:-5", "@p1", int32(-5), "-5"},
		{"bigint:9223372036854775807", "@p1", int64(9223372036854775807), "9223372036854775807"},
		{"smallint:7", "@p1", int16(7), "7"},
		{"tinyint:255", "@p1", byte(255), "255"},
		{"varchar:a:'b", "@p1", driver.VarChar("a:'b"), "'a:''b'"},
		{"varchar:", "@p1", driver.VarChar(""), "''"},
		{"char:Жук", "CAST(@p1 AS varchar(8000))", "Жук", "CAST(N'Жук' AS varchar(8000))"},
		{"nvarchar:x'", "@p1", "x'", "N'x'''"},
		{"uniqueidentifier:00112233-4455-6677-8899-AABBCCDDEEFF", "CAST(@p1 AS uniqueidentifier)", "00112233-4455-6677-8899-AABBCCDDEEFF", "'00112233-4455-6677-8899-AABBCCDDEEFF'"},
	} {
		placeholder, value, literal, err := mssql.KeySQL(c.encoded)
		if err != nil || placeholder != c.placeholder || fmt.Sprintf("%T %v", value, value) != fmt.Sprintf("%T %v", c.value, c.value) || literal != c.literal {
			t.Errorf("%s: %s %T %v %s %v", c.encoded, placeholder, value, value, literal, err)
		}
	}
	for _, bad := range []string{"", "5", "int:", "int:5; DROP TABLE x", "uniqueidentifier:x'", "float:1", "uniqueidentifier:00112233-4455-6677-8899-AABBCCDDEEF'"} {
		if _, _, _, err := mssql.KeySQL(bad); err == nil {
			t.Errorf("%q is taken for a key", bad)
		}
	}
}

func TestBoundsAreCheckedBeforeTheyAreSQL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ base, text, want string }{
		{"rowversion", "0x00000000000007D1", "0x00000000000007D1"},
		{"rowversion", "0x7D1", ""},
		{"rowversion", "0x00000000000007D1 OR 1=1", ""},
		{"datetime", "2024-01-02T03:04:05.997", "'2024-01-02T03:04:05.997'"},
		{"datetime", "2024-01-02 03:04:05", "'2024-01-02T03:04:05.000'"},
		{"datetime2", "2024-01-02T03:04:05.1234567", "'2024-01-02T03:04:05.1234567'"},
		{"datetimeoffset", "2024-01-02T03:04:05+02:00", "'2024-01-02T03:04:05.0000000+02:00'"},
		{"date", "2024-01-02", "'2024-01-02'"},
		{"datetime2", "2024-01-02", "'2024-01-02T00:00:00.0000000'"},
		{"datetime2", "2024-01-02' OR '1'='1", ""},
		{"int", "12", "12"},
		{"int", "12;", ""},
		{"nvarchar", "12", ""},
		{"", "12", ""},
	} {
		got, err := mssql.SinceLiteral(c.base, c.text)
		if got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%s %q: %q, %v, want %q", c.base, c.text, got, err, c.want)
		}
	}
	if got := mssql.Below([]byte{0, 0, 0, 0, 0, 1, 0, 0}); got != "0x000000000000FFFF" {
		t.Errorf("below 0x10000 is %s", got)
	}
}
