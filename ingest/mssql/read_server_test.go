package mssql_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/ingest/mssql"
	"dropline/internal/tdstest"
)

var (
	morning = time.Date(2024, 2, 29, 8, 9, 10, 0, time.UTC)
	guid    = "00112233-4455-6677-8899-AABBCCDDEEFF"
)

// everyType lists each type of T-SQL with two values and the texts they must have.
var everyType = []struct {
	kind         string
	first, other any
	want, second string
}{
	{"bit", true, false, "1", "0"},
	{"tinyint", 255, 0, "255", "0"},
	{"smallint", -32768, 32767, "-32768", "32767"},
	{"int", math.MinInt32, math.MaxInt32, "-2147483648", "2147483647"},
	{"bigint", int64(math.MinInt64), int64(math.MaxInt64), "-9223372036854775808", "9223372036854775807"},
	{"decimal(38,10)", "-1234567890123456789012345678.0123456789", "0.0000000001", "-1234567890123456789012345678.0123456789", "0.0000000001"},
	{"numeric(5,0)", "99999", "-1", "99999", "-1"},
	{"decimal(19,4)", "12.5000", "-0.0001", "12.5000", "-0.0001"},
	{"money", "922337203685477.5807", "-922337203685477.5808", "922337203685477.5807", "-922337203685477.5808"},
	{"smallmoney", "214748.3647", "-0.0001", "214748.3647", "-0.0001"},
	{"float", 0.1, -1.7976931348623157e308, "0.1", "-1.7976931348623157E+308"},
	{"real", float64(float32(0.1)), float64(float32(-3.4e38)), "0.1", "-3.4E+38"},
	{"date", time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), "0001-01-01", "9999-12-31"},
	{"time", time.Date(1, 1, 1, 23, 59, 59, 999_999_900, time.UTC), time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), "23:59:59.9999999", "00:00:00"},
	{"time(0)", time.Date(1, 1, 1, 7, 8, 9, 0, time.UTC), time.Date(1, 1, 1, 23, 0, 0, 0, time.UTC), "07:08:09", "23:00:00"},
	{"datetime", morning.Add(997 * time.Millisecond), time.Date(1753, 1, 1, 0, 0, 0, 0, time.UTC), "2024-02-29 08:09:10.997", "1753-01-01 00:00:00"},
	{"datetime2", morning.Add(1234567 * 100), time.Date(9999, 12, 31, 23, 59, 59, 999_999_900, time.UTC), "2024-02-29 08:09:10.1234567", "9999-12-31 23:59:59.9999999"},
	{"datetime2(3)", morning.Add(120 * time.Millisecond), morning, "2024-02-29 08:09:10.12", "2024-02-29 08:09:10"},
	{"smalldatetime", morning.Truncate(time.Minute), time.Date(2079, 6, 6, 0, 0, 0, 0, time.UTC), "2024-02-29 08:09:00", "2079-06-06 00:00:00"},
	{"datetimeoffset", morning.In(time.FixedZone("", 2*3600)), morning.In(time.FixedZone("", -3*3600-30*60)), "2024-02-29 10:09:10+02:00", "2024-02-29 04:39:10-03:30"},
	{"char(5)", "ab", "abcde", `"ab   "`, "abcde"},
	{"varchar(50)", "café €", "a,b", "café €", `"a,b"`},
	{"varchar(50) COLLATE Cyrillic_General_CI_AS", "Жук", "plain", "Жук", "plain"},
	{"varchar(50) COLLATE Latin1_General_100_CI_AS_SC_UTF8", "漢字 Жук é", "plain", "漢字 Жук é", "plain"},
	{"varchar(max)", strings.Repeat("x", 20_000), "", strings.Repeat("x", 20_000), `""`},
	{"nchar(3)", "ü", "漢字语", `"ü  "`, "漢字语"},
	{"nvarchar(50)", "say \"x\"\r\n🙂", " ", "\"say \"\"x\"\"\r\n🙂\"", `" "`},
	{"nvarchar(max)", strings.Repeat("ü", 20_000), "y", strings.Repeat("ü", 20_000), "y"},
	{"text", "old café", "x", "old café", "x"},
	{"ntext", "old 漢字", "x", "old 漢字", "x"},
	{"xml", "<a>1</a>", "<b/>", "<a>1</a>", "<b/>"},
	{"binary(3)", []byte{1, 0xAB, 0}, []byte{0, 0, 0}, "0x01AB00", "0x000000"},
	{"varbinary(10)", []byte{0xFF}, []byte{}, "0xFF", "0x"},
	{"varbinary(max)", []byte(strings.Repeat("\x01", 10_000)), []byte{2}, "0x" + strings.Repeat("01", 10_000), "0x02"},
	{"image", []byte{1, 2}, []byte{3}, "0x0102", "0x03"},
	{"uniqueidentifier", guid, "FFFFFFFF-0000-0000-0000-000000000001", guid, "FFFFFFFF-0000-0000-0000-000000000001"},
	{"sql_variant", tdstest.Variant{Type: "int", Value: 5}, tdstest.Variant{Type: "nvarchar(20)", Value: "a,b"}, "5", `"a,b"`},
	{"sql_variant", tdstest.Variant{Type: "decimal(9,2)", Value: "12.50"}, tdstest.Variant{Type: "money", Value: "1.2500"}, "12.50", "1.2500"},
	{"sql_variant", tdstest.Variant{Type: "uniqueidentifier", Value: guid}, tdstest.Variant{Type: "varbinary(2)", Value: []byte("12")}, guid, "0x3132"},
	{"sql_variant", tdstest.Variant{Type: "date", Value: time.Date(2020, 2, 3, 0, 0, 0, 0, time.UTC)}, tdstest.Variant{Type: "datetime", Value: morning}, "2020-02-03", "2024-02-29 08:09:10"},
	{"sql_variant", tdstest.Variant{Type: "bit", Value: true}, tdstest.Variant{Type: "real", Value: float64(float32(0.1))}, "1", "0.1"},
}

func typesTable() table {
	b := table{
		name:       "Every Type",
		columns:    []tdstest.Column{{Name: "Id", Type: "int", NotNull: true}},
		rows:       [][]any{{1}, {2}, {3}},
		primaryKey: []string{"Id"},
		computed:   map[string]string{"double": "([Id] * 2)"},
	}
	for i, c := range everyType {
		b.columns = append(b.columns, tdstest.Column{Name: fmt.Sprintf("c%02d", i), Type: c.kind})
		b.rows[0], b.rows[1], b.rows[2] = append(b.rows[0], c.first), append(b.rows[1], c.other), append(b.rows[2], nil)
	}
	b.columns = append(b.columns, tdstest.Column{Name: "double", Type: "int", Computed: true}, tdstest.Column{Name: "stamp", Type: "rowversion"})
	for i := range b.rows {
		b.rows[i] = append(b.rows[i], 2*(i+1), nil)
	}
	return b
}

func TestServerEveryType(t *testing.T) {
	onEachServer(t, []table{typesTable()}, func(t *testing.T, at site) {
		c := at.open(t, mssql.Options{})
		for _, known := range []bool{false, true} {
			if known {
				if _, err := c.Survey(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			for i, e := range everyType {
				p := mssql.Part{Schema: at.schema, Name: "Every Type", Columns: []string{"Id", fmt.Sprintf("c%02d", i)}}
				got, res := read(t, c, p)
				want := fmt.Sprintf("Id,c%02d\n1,%s\n2,%s\n3,\n", i, e.want, e.second)
				if got != want {
					t.Errorf("%s: %.200q, want %.200q", e.kind, got, want)
				}
				kind, _, _ := strings.Cut(e.kind, " ")
				kind, _, _ = strings.Cut(kind, "(")
				if base, _, _ := strings.Cut(res.Columns[1].Type, "("); base != kind && (base != "decimal" || kind != "numeric") {
					t.Errorf("%s is described as %s", e.kind, res.Columns[1].Type)
				}
				if len(res.Notes) > 0 {
					t.Errorf("%s: %q", e.kind, res.Notes)
				}
			}
		}
		whole, res := read(t, c, mssql.Part{Schema: at.schema, Name: "Every Type"})
		if n := len(everyType) + 3; res.Rows != 3 || len(res.Columns) != n || !strings.HasPrefix(whole, "Id,c00,") {
			t.Errorf("the whole has %d rows, %d columns, and begins %.20q", res.Rows, len(res.Columns), whole)
		}
		if last := res.Columns[len(res.Columns)-1]; !last.Rowversion || last.Type != "rowversion" {
			t.Errorf("the rowversion is %+v", last)
		}
		if double := res.Columns[len(res.Columns)-2]; !double.Computed {
			t.Errorf("the computed column is %+v", double)
		}
		stamps, _ := read(t, c, mssql.Part{Schema: at.schema, Name: "Every Type", Columns: []string{"double", "stamp"}})
		for i, line := range strings.Split(strings.TrimSpace(stamps), "\n")[1:] {
			double, stamp, _ := strings.Cut(line, ",")
			if double != fmt.Sprint(2*(i+1)) || len(stamp) != 18 || !strings.HasPrefix(stamp, "0x") {
				t.Errorf("row %d: %q", i, line)
			}
		}
	})
}

// keyed is a table of n rows with a key of a type.
func keyed(name, kind string, n int, value func(i int) any) table {
	b := table{
		name: name, primaryKey: []string{"k"},
		columns: []tdstest.Column{{Name: "v", Type: "int"}, {Name: "k", Type: kind, NotNull: true}},
	}
	for i := range n {
		b.rows = append(b.rows, []any{i, value(i)})
	}
	return b
}

func TestServerPartsMakeUpTheWhole(t *testing.T) {
	const rows = 53
	tables := []table{
		keyed("int", "int", rows, func(i int) any { return i*3 - 50 }),
		keyed("bigint", "bigint", rows, func(i int) any { return int64(i) << 40 }),
		keyed("tinyint", "tinyint", rows, func(i int) any { return i * 4 }),
		keyed("varchar", "varchar(20)", rows, func(i int) any { return fmt.Sprintf("k'%02d", i) }),
		keyed("accents", "varchar(20)", rows, func(i int) any { return fmt.Sprintf("é%02d", i) }),
		keyed("nvarchar", "nvarchar(20)", rows, func(i int) any { return fmt.Sprintf("漢'%02d", i) }),
		keyed("guid", "uniqueidentifier", rows, func(i int) any { return fmt.Sprintf("%08X-4455-6677-8899-AABBCCDDEEFF", i*0x10003) }),
		keyed("decimal", "decimal(9,0)", rows, func(i int) any { return fmt.Sprint(i) }),
	}
	onEachServer(t, tables, func(t *testing.T, at site) {
		c := at.open(t, mssql.Options{})
		survey, err := c.Survey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range tables {
			r := find(t, survey, at.schema, b.name)
			if r.Rows != rows || r.Kind != "table" {
				t.Errorf("%s has %d rows, and is a %s", b.name, r.Rows, r.Kind)
			}
			if (r.Key == "k") != (b.name != "decimal") {
				t.Errorf("the key of %s is %q", b.name, r.Key)
			}
			whole, _ := read(t, c, mssql.Part{Schema: at.schema, Name: b.name, Columns: []string{"v"}})
			var parts strings.Builder
			p := mssql.Part{Schema: at.schema, Name: b.name, Columns: []string{"v"}, Key: r.Key, Limit: 7}
			for n := 1; ; n++ {
				if r.Key == "" {
					p.Limit = 0
				}
				text, res := read(t, c, p)
				if n > 1 {
					_, text, _ = strings.Cut(text, "\n")
				}
				parts.WriteString(text)
				if len(res.Notes) > 0 {
					t.Errorf("%s: %q", b.name, res.Notes)
				}
				if !res.More {
					break
				}
				if res.Rows != 7 || n > rows {
					t.Fatalf("%s: part %d has %d rows", b.name, n, res.Rows)
				}
				p.After = res.Last
			}
			if sortLines(parts.String()) != sortLines(whole) {
				t.Errorf("%s in parts is\n%s\nand whole\n%s", b.name, parts.String(), whole)
			}
		}
	})
}

func sortLines(s string) string {
	lines := strings.Split(s, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestServerHostileNames(t *testing.T) {
	names := []string{"a]b", "x]]; DROP TABLE y; --", "quote \" and '", "Größe 漢字", "line\nbreak", "select", "a.b", "[x]", "%"}
	var tables []table
	for _, n := range names {
		b := table{name: n, primaryKey: []string{n}, columns: []tdstest.Column{{Name: n, Type: "int", NotNull: true}, {Name: n + "]2", Type: "int"}}}
		for i := range 5 {
			b.rows = append(b.rows, []any{i, i})
		}
		tables = append(tables, b)
	}
	onEachServer(t, tables, func(t *testing.T, at site) {
		c := at.open(t, mssql.Options{})
		survey, err := c.Survey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			r := find(t, survey, at.schema, n)
			if r.Key != n || len(r.Columns) != 2 || r.Rows != 5 {
				t.Errorf("%q: %+v", n, r)
			}
			if s := r.String(); strings.ContainsAny(s, "\n\r\x00") {
				t.Errorf("%q is shown as %q", n, s)
			}
			p := mssql.Part{Schema: at.schema, Name: n, Columns: []string{n + "]2"}, Key: n, Limit: 3}
			_, res := read(t, c, p)
			p.After = res.Last
			text, res := read(t, c, p)
			if res.Rows != 2 || res.More || !strings.HasSuffix(text, "\n3\n4\n") {
				t.Errorf("%q: %q", n, text)
			}
			if found, ok, err := c.Find(t.Context(), at.schema, n); err != nil || !ok || len(found.Columns) != 2 || found.Rows != 5 {
				t.Errorf("%q is found as %+v, %v, %v", n, found, ok, err)
			}
		}
		if _, ok, err := c.Find(t.Context(), at.schema, "not ] there"); ok || err != nil {
			t.Errorf("what is not there is found: %v", err)
		}
	})
}

func TestServerIncremental(t *testing.T) {
	b := table{
		name: "Changing", primaryKey: []string{"Id"},
		columns: []tdstest.Column{
			{Name: "Id", Type: "int", NotNull: true}, {Name: "at", Type: "datetime"}, {Name: "at2", Type: "datetime2(7)"}, {Name: "stamp", Type: "rowversion"},
		},
	}
	for i := range 10 {
		at := morning.Add(time.Duration(i) * time.Hour)
		b.rows = append(b.rows, []any{i, at, at.Add(100), nil})
	}
	onEachServer(t, []table{b}, func(t *testing.T, at site) {
		c := at.open(t, mssql.Options{})
		mark, err := c.HighMark(t.Context())
		if err != nil || len(mark) != 18 {
			t.Fatalf("the bound is %q, %v", mark, err)
		}
		for _, column := range []string{"at", "at2", "Id", "stamp"} {
			p := mssql.Part{Schema: at.schema, Name: "Changing", Columns: []string{"Id"}, SinceColumn: column, Key: "Id", Limit: 4}
			if column == "stamp" {
				p.Until = mark
			}
			_, res := read(t, c, p)
			if res.Rows != 4 || res.MaxSince == "" {
				t.Fatalf("%s: %+v", column, res)
			}
			p = mssql.Part{Schema: at.schema, Name: "Changing", Columns: []string{"Id"}, SinceColumn: column, Since: res.MaxSince}
			rest, res := read(t, c, p)
			if want := "Id\n4\n5\n6\n7\n8\n9\n"; rest != want {
				t.Errorf("%s: %q after the fourth", column, rest)
			}
			p.Since, p.Until = "", res.MaxSince
			if _, res = read(t, c, p); res.Rows != 10 {
				t.Errorf("%s: %d rows up to the last", column, res.Rows)
			}
			p.Since, p.Until = res.MaxSince, ""
			if text, res := read(t, c, p); res.Rows != 0 || res.MaxSince != "" || text != "Id\n" {
				t.Errorf("%s: after the last: %q, %+v", column, text, res)
			}
		}
		p := mssql.Part{Schema: at.schema, Name: "Changing", SinceColumn: "stamp", Since: "0x1' OR 1=1"}
		if _, err := c.Read(t.Context(), p, &strings.Builder{}, nil); ingest.KindOf(err) != ingest.Invalid {
			t.Errorf("a bound that is none: %v", err)
		}
	})
}

func TestServerQueries(t *testing.T) {
	b := keyed("Source", "int", 20, func(i int) any { return i })
	wide := table{
		name: "Wide", columns: []tdstest.Column{{Name: "t", Type: "varchar(50) COLLATE Latin1_General_100_CI_AS_SC_UTF8"}},
		rows: [][]any{{"漢字 é"}, {"plain"}},
	}
	onEachServer(t, []table{b, wide}, func(t *testing.T, at site) {
		c := at.open(t, mssql.Options{})
		from := mssql.Bracketed(at.schema) + ".[Source]"
		for _, query := range []string{
			"SELECT [k], [v] FROM " + from,
			"SELECT [k], [v] FROM " + from + " ORDER BY [k] DESC",
		} {
			columns, err := c.Describe(t.Context(), query)
			if err != nil || len(columns) != 2 || columns[0].Name != "k" || columns[0].Type != "int" {
				t.Errorf("%s: %+v, %v", query, columns, err)
			}
			text, res := read(t, c, mssql.Part{Query: query})
			if res.Rows != 20 || !strings.HasPrefix(text, "k,v\n") {
				t.Errorf("%s: %q", query, text)
			}
		}
		for _, query := range []string{"SELECT x FROM " + mssql.Bracketed(at.schema) + ".[Nowhere]", "SELEC 1"} {
			if _, err := c.Describe(t.Context(), query); err == nil || mssql.IsLost(err) {
				t.Errorf("%s: %v", query, err)
			}
			if _, err := c.Read(t.Context(), mssql.Part{Query: query}, &strings.Builder{}, nil); err == nil || mssql.IsLost(err) {
				t.Errorf("%s: %v", query, err)
			}
		}
		if text, _ := read(t, c, mssql.Part{Query: "SELECT CAST(0x00D84100 AS nvarchar(2)) AS t FROM " + from + " WHERE [k] = 1"}); text != "t\n\uFFFDA\n" {
			t.Errorf("half a character: %q", text)
		}
		wide := "SELECT [t] FROM " + mssql.Bracketed(at.schema) + ".[Wide]"
		if text, _ := read(t, c, mssql.Part{Query: wide}); text != "t\n漢字 é\nplain\n" {
			t.Errorf("texts in UTF-8: %q", text)
		}
		if text, _ := read(t, c, mssql.Part{Query: "SELECT [v] FROM " + from + " WHERE [k] = 3"}); text != "v\n3\n" {
			t.Errorf("after the errors: %q", text)
		}
	})
}

func TestServerAWriterThatFails(t *testing.T) {
	b := keyed("Source", "int", 200, func(i int) any { return i })
	onEachServer(t, []table{b}, func(t *testing.T, at site) {
		c := at.open(t, mssql.Options{})
		p := mssql.Part{Schema: at.schema, Name: "Source"}
		full := errors.New("the disk is full")
		if _, err := c.Read(t.Context(), p, failing{full}, nil); !errors.Is(err, full) || mssql.IsLost(err) {
			t.Errorf("%v", err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.Read(ended, p, &strings.Builder{}, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if _, res := read(t, c, p); res.Rows != 200 {
			t.Errorf("%d rows", res.Rows)
		}
	})
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
