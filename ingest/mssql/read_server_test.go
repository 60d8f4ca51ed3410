package mssql_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/ingest/mssql"
	"dropline/internal/tdstest"
)

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
				if at.lacks[fmt.Sprintf("c%02d", i)] {
					continue
				}
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
		if len(at.lacks) > 0 {
			t.Logf("the server lacks %d of %d columns: what needs them all is left out", len(at.lacks), len(everyType)+3)
			return
		}
		whole, res := read(t, c, mssql.Part{Schema: at.schema, Name: "Every Type"})
		if n := len(everyType) + 3; res.Rows != 3 || len(res.Columns) != n || !strings.HasPrefix(whole, "Id,c00,") {
			t.Errorf("the whole has %d rows, %d columns, and begins %.20q", res.Rows, len(res.Columns), whole)
		}
		if last := res.Columns[len(res.Columns)-1]; !last.Rowversion || last.Type != "rowversion" {
			t.Errorf("the rowversion is %+v", last)
		}
		if double := res.Columns[len(res.Columns)-2]; !double.Computed && !at.real {
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
			r := at.relation(t, c, survey, b.name)
			if r.Rows != rows && !at.real || r.Kind != "table" {
				t.Errorf("%s has %d rows, and is a %s", b.name, r.Rows, r.Kind)
			}
			if at.real && r.Key == "" && b.name != "decimal" {
				r.Key = "k" // nobody says so, and it is one
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
			r := at.relation(t, c, survey, n)
			if r.Key != n && !at.real || len(r.Columns) != 2 || r.Rows != 5 && !at.real {
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
			if found, ok, err := c.Find(t.Context(), at.schema, n); err != nil || !ok || len(found.Columns) != 2 || found.Rows != 5 && !at.real {
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
		name: "Changing", optional: true, primaryKey: []string{"Id"},
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
		if err != nil || len(mark) != 18 && !at.real {
			t.Fatalf("the bound is %q, %v", mark, err)
		}
		for _, column := range []string{"at", "at2", "Id", "stamp"} {
			if at.lacks[column] {
				continue
			}
			p := mssql.Part{Schema: at.schema, Name: "Changing", Columns: []string{"Id"}, SinceColumn: column, Key: "Id", Limit: 4}
			_, res := read(t, c, p)
			if res.Rows != 4 || res.MaxSince == "" {
				t.Fatalf("%s: %+v", column, res)
			}
			p = mssql.Part{Schema: at.schema, Name: "Changing", Columns: []string{"Id"}, SinceColumn: column, Since: res.MaxSince}
			rest, res := read(t, c, p)
			if want := "Id\n4\n5\n6\n7\n8\n9\n"; rest != want {
				t.Errorf("%s: %q after the fourth", column, rest)
			}
			p.Since = res.MaxSince
			if text, res := read(t, c, p); res.Rows != 0 || res.MaxSince != "" || text != "Id\n" {
				t.Errorf("%s: after the last: %q, %+v", column, text, res)
			}
		}
		if at.lacks["stamp"] {
			return
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
		name: "Wide", optional: true, columns: []tdstest.Column{{Name: "t", Type: "varchar(50) COLLATE Latin1_General_100_CI_AS_SC_UTF8"}},
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
		cast := func(units string) string {
			text, _ := read(t, c, mssql.Part{Query: "SELECT CAST(" + units + " AS nvarchar(2)) AS t FROM " + from + " WHERE [k] = 1"})
			return text
		}
		if knows := cast("0x42004100") == "t\nBA\n"; knows || !at.real {
			if text := cast("0x00D84100"); text != "t\n\uFFFDA\n" {
				t.Errorf("half a character: %q", text)
			}
		}
		wide := "SELECT [t] FROM " + mssql.Bracketed(at.schema) + ".[Wide]"
		if !at.lacks["t"] {
			if text, _ := read(t, c, mssql.Part{Query: wide}); text != "t\n漢字 é\nplain\n" {
				t.Errorf("texts in UTF-8: %q", text)
			}
		}
		if text, _ := read(t, c, mssql.Part{Query: "SELECT [v] FROM " + from + " WHERE [k] = 3"}); text != "v\n3\n" {
			t.Errorf("after the errors: %q", text)
		}
	})
}
