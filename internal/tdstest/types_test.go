package tdstest_test

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"dropline/internal/tdstest"
)

func utc(y int, m time.Month, d, h, mi, s, ns int) time.Time {
	return time.Date(y, m, d, h, mi, s, ns, time.UTC)
}

// typeCase is a type with a value as the table has it, and as the driver gives it (nil: the same).
type typeCase struct {
	typ  string
	give any
	want any
}

func typeCases() []typeCase {
	long := strings.Repeat("Ünï😀", 5000)
	blob := bytes.Repeat([]byte{0, 1, 0xff}, 30_000)
	zone := time.FixedZone("", -(5*3600 + 30*60))
	return []typeCase{
		{"bit", true, nil},
		{"bit", false, nil},
		{"tinyint", 0, int64(0)},
		{"tinyint", 255, int64(255)},
		{"smallint", math.MinInt16, int64(math.MinInt16)},
		{"smallint", math.MaxInt16, int64(math.MaxInt16)},
		{"int", math.MinInt32, int64(math.MinInt32)},
		{"int", math.MaxInt32, int64(math.MaxInt32)},
		{"bigint", int64(math.MinInt64), nil},
		{"bigint", int64(math.MaxInt64), nil},
		{"decimal(5,2)", "-999.99", []byte("-999.99")},
		{"decimal(9,0)", "999999999", []byte("999999999")},
		{"decimal(19,4)", "922337203685477.5807", []byte("922337203685477.5807")},
		{"numeric(28,10)", "-123456789012345678.0123456789", []byte("-123456789012345678.0123456789")},
		{"decimal(38,0)", strings.Repeat("9", 38), []byte(strings.Repeat("9", 38))},
		{"decimal(38,38)", "0." + strings.Repeat("9", 38), []byte("0." + strings.Repeat("9", 38))},
		{"decimal(10,2)", "0", []byte("0.00")},
		{"money", "922337203685477.5807", []byte("922337203685477.5807")},
		{"money", "-922337203685477.5808", []byte("-922337203685477.5808")},
		{"smallmoney", "214748.3647", []byte("214748.3647")},
		{"smallmoney", "-214748.3648", []byte("-214748.3648")},
		{"float", math.MaxFloat64, nil},
		{"float", -math.SmallestNonzeroFloat64, nil},
		{"float(24)", 0.5, nil},
		{"real", float64(float32(3.4e38)), nil},
		{"date", utc(1, 1, 1, 0, 0, 0, 0), nil},
		{"date", utc(9999, 12, 31, 0, 0, 0, 0), nil},
		{"date", utc(2024, 2, 29, 0, 0, 0, 0), nil},
		{"time(0)", utc(1, 1, 1, 23, 59, 59, 0), nil},
		{"time(7)", utc(1, 1, 1, 23, 59, 59, 999_999_900), nil},
		{"time(3)", "12:34:56.789", utc(1, 1, 1, 12, 34, 56, 789_000_000)},
		{"datetime", utc(1753, 1, 1, 0, 0, 0, 0), nil},
		{"datetime", utc(9999, 12, 31, 23, 59, 59, 997_000_000), nil},
		{"datetime", utc(1899, 12, 31, 12, 0, 0, 3_000_000), nil},
		{"datetime2(0)", utc(1, 1, 1, 0, 0, 0, 0), nil},
		{"datetime2(3)", utc(2024, 2, 29, 1, 2, 3, 456_000_000), nil},
		{"datetime2(7)", utc(9999, 12, 31, 23, 59, 59, 999_999_900), nil},
		{"smalldatetime", utc(1900, 1, 1, 0, 0, 0, 0), nil},
		{"smalldatetime", utc(2079, 6, 6, 23, 59, 0, 0), nil},
		{"datetimeoffset(0)", time.Date(2024, 2, 29, 23, 0, 0, 0, zone), nil},
		{"datetimeoffset(7)", time.Date(2024, 12, 31, 23, 59, 59, 999_999_900, time.FixedZone("", 14*3600)), nil},
		{"char(5)", "ab", "ab   "},
		{"nchar(3)", "ü", "ü  "},
		{"varchar(10)", "", nil},
		{"varchar(20)", "naïve €5", nil},
		{"varchar(max)", strings.Repeat("x", 20_000), nil},
		{"varchar(20) COLLATE Cyrillic_General_CI_AS", "Привет", nil},
		{"varchar(20) COLLATE Czech_CI_AS", "Škoda", nil},
		{"nvarchar(10)", "😀", nil},
		{"nvarchar(max)", long, nil},
		{"nvarchar(max)", "", nil},
		{"text", "naïve", nil},
		{"ntext", long, nil},
		{"image", blob, nil},
		{"xml", "<a b=\"ü\"/>", nil},
		{"binary(4)", []byte{1, 2}, []byte{1, 2, 0, 0}},
		{"varbinary(10)", []byte{}, nil},
		{"varbinary(max)", blob, nil},
		{
			"uniqueidentifier", "6F9619FF-8B86-D011-B42D-00C04FC964FF",
			[]byte{0xff, 0x19, 0x96, 0x6f, 0x86, 0x8b, 0x11, 0xd0, 0xb4, 0x2d, 0, 0xc0, 0x4f, 0xc9, 0x64, 0xff},
		},
		{"sql_variant", tdstest.Variant{Type: "int", Value: -5}, int64(-5)},
		{"sql_variant", tdstest.Variant{Type: "tinyint", Value: 200}, int64(200)},
		{"sql_variant", tdstest.Variant{Type: "bigint", Value: int64(math.MinInt64)}, int64(math.MinInt64)},
		{"sql_variant", tdstest.Variant{Type: "bit", Value: true}, true},
		{"sql_variant", tdstest.Variant{Type: "float", Value: 1.5}, 1.5},
		{"sql_variant", tdstest.Variant{Type: "real", Value: 1.5}, 1.5},
		{"sql_variant", tdstest.Variant{Type: "decimal(10,3)", Value: "-1.5"}, []byte("-1.500")},
		{"sql_variant", tdstest.Variant{Type: "money", Value: "1.5"}, []byte("1.5000")},
		{"sql_variant", tdstest.Variant{Type: "nvarchar(20)", Value: "ü😀"}, "ü😀"},
		{"sql_variant", tdstest.Variant{Type: "varchar(20)", Value: "é"}, "é"},
		{"sql_variant", tdstest.Variant{Type: "varbinary(8)", Value: []byte{1, 2}}, []byte{1, 2}},
		{"sql_variant", tdstest.Variant{Type: "date", Value: "2024-02-29"}, utc(2024, 2, 29, 0, 0, 0, 0)},
		{"sql_variant", tdstest.Variant{Type: "time(2)", Value: "01:02:03.04"}, utc(1, 1, 1, 1, 2, 3, 40_000_000)},
		{"sql_variant", tdstest.Variant{Type: "datetime", Value: "2024-02-29 10:00"}, utc(2024, 2, 29, 10, 0, 0, 0)},
		{"sql_variant", tdstest.Variant{Type: "datetime2(3)", Value: "2024-02-29 10:00:00.123"}, utc(2024, 2, 29, 10, 0, 0, 123_000_000)},
		{
			"sql_variant",
			tdstest.Variant{Type: "uniqueidentifier", Value: "00000000-0000-0000-0000-0000000000FF"},
			append(make([]byte, 15), 0xff),
		},
	}
}

// TestTypes reads every type with values at its edges, in a column that may be NULL and in one that may not, through rows
// short and long.
func TestTypes(t *testing.T) {
	t.Parallel()
	for _, notNull := range []bool{false, true} {
		cases := typeCases()
		table := tdstest.Table{Name: "everything"}
		var row, none []any
		for i, c := range cases {
			if c.want == nil {
				cases[i].want = c.give
			}
			table.Columns = append(table.Columns, tdstest.Column{Name: fmt.Sprintf("c%d", i), Type: c.typ, NotNull: notNull})
			row, none = append(row, c.give), append(none, nil)
		}
		table.Rows = [][]any{row, row}
		if !notNull {
			table.Rows = append(table.Rows, none, row)
		}
		s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{table}})
		db := open(t, s.URL())
		rows, err := db.QueryContext(within(t), "SELECT * FROM everything")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		types, err := rows.ColumnTypes()
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for ; rows.Next(); n++ {
			got, refs := make([]any, len(cases)), make([]any, len(cases))
			for i := range refs {
				refs[i] = &got[i]
			}
			if err := rows.Scan(refs...); err != nil {
				t.Fatal(err)
			}
			for i, c := range cases {
				want := c.want
				if n == 2 {
					want = nil
				}
				if !same(got[i], want) {
					t.Errorf("%s row %d: got %.60q (%T), want %.60q (%T)", c.typ, n, got[i], got[i], want, want)
				}
				if nullable, _ := types[i].Nullable(); nullable == notNull {
					t.Errorf("%s: nullable is %v", c.typ, nullable)
				}
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		if n != len(table.Rows) {
			t.Errorf("%d rows", n)
		}
	}
}

func same(a, b any) bool {
	x, okX := a.(time.Time)
	y, okY := b.(time.Time)
	if okX && okY {
		_, zoneX := x.Zone()
		_, zoneY := y.Zone()
		return x.Equal(y) && zoneX == zoneY
	}
	return reflect.DeepEqual(a, b)
}

// TestDeclared looks at how results are declared: the names of types, their lengths and scales.
func TestDeclared(t *testing.T) {
	t.Parallel()
	table := tdstest.Table{Name: "t"}
	want := map[string]string{
		"decimal(19,4)": "DECIMAL 19 4", "numeric(5,0)": "DECIMAL 5 0", "nvarchar(100)": "NVARCHAR 100", "varchar(max)": "VARCHAR max",
		"char(3)": "CHAR 3", "rowversion": "BINARY", "datetime2(3)": "DATETIME2", "date": "DATE", "time(2)": "TIME", "money": "MONEY",
		"smallmoney": "SMALLMONEY", "uniqueidentifier": "UNIQUEIDENTIFIER", "xml": "XML max", "sql_variant": "SQL_VARIANT", "real": "REAL",
		"float": "FLOAT", "text": "TEXT max", "ntext": "NTEXT max", "image": "IMAGE max", "smalldatetime": "SMALLDATETIME",
		"datetimeoffset(7)": "DATETIMEOFFSET", "bit": "BIT", "tinyint": "TINYINT", "bigint": "BIGINT", "varbinary(16)": "VARBINARY 16",
		"sysname": "NVARCHAR 128",
	}
	var order []string
	for typ := range want {
		order = append(order, typ)
		table.Columns = append(table.Columns, tdstest.Column{Name: "[" + typ + "]", Type: typ})
	}
	s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{table}})
	rows, err := open(t, s.URL()).QueryContext(within(t), "SELECT TOP (0) * FROM t")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	for i, typ := range order {
		got := types[i].DatabaseTypeName()
		if p, s, ok := types[i].DecimalSize(); ok && strings.HasPrefix(got, "DEC") {
			got = fmt.Sprint(got, " ", p, " ", s)
		}
		if n, ok := types[i].Length(); ok && typ != "rowversion" && typ != "sql_variant" {
			size := fmt.Sprint(n)
			if n > 1<<28 {
				size = "max"
			}
			got += " " + size
		}
		if got != want[typ] {
			t.Errorf("%s is declared %s, want %s", typ, got, want[typ])
		}
	}
	if rows.Next() || rows.Err() != nil {
		t.Error("rows, or an error:", rows.Err())
	}
}

// TestBadTables are tables that New refuses.
func TestBadTables(t *testing.T) {
	t.Parallel()
	for name, table := range map[string]tdstest.Table{
		"a type that is not there": {Name: "t", Columns: []tdstest.Column{{Name: "a", Type: "varchar2(5)"}}},
		"a precision too large":    {Name: "t", Columns: []tdstest.Column{{Name: "a", Type: "decimal(39,1)"}}},
		"a value too large":        {Name: "t", Columns: []tdstest.Column{{Name: "a", Type: "tinyint"}}, Rows: [][]any{{256}}},
		"NULL where none may be":   {Name: "t", Columns: []tdstest.Column{{Name: "a", Type: "int", NotNull: true}}, Rows: [][]any{{nil}}},
		"a row too short":          {Name: "t", Columns: []tdstest.Column{{Name: "a", Type: "int"}}, Rows: [][]any{{}}},
		"a key that is no column":  {Name: "t", Columns: []tdstest.Column{{Name: "a", Type: "int"}}, PrimaryKey: []string{"b"}},
	} {
		s, err := tdstest.New(tdstest.Options{Tables: []tdstest.Table{table}})
		if err == nil {
			s.Close()
			t.Errorf("%s was taken", name)
		}
	}
}
