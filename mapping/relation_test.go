package mapping_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"dropline/ingest"
	"dropline/mapping"
	"dropline/schema"
)

const relationMapping = `
version: 1
files:
  - pattern: "Auftrag*.csv"
    table: Order
    delimiter: ";"
    encoding: utf-16le
    skip_lines: 3
    null: ["-"]
    columns:
      ImportId: {from: [A, a, "Order No"], prefix: x}
      CustomerId: {from: [B, C], join: "-"}
      Quantity: {product: [C, D]}
      State: {constant: Open}
  - {pattern: lines.csv, table: OrderLine, header: false, columns: {ImportId: 1, OrderId: 2, Total: 3}}
database:
  - view: dbo.vOrders
    table: Order
    only: true
    columns: {ImportId: A, CustomerId: {from: B, default: C1}, Price: {product: [C, D]}, Note: {from: [Note, a], join: " "}}
  - query: SELECT A, B FROM x
    name: everyone
    table: Customer
    columns: {Name: {from: [B, C, Name]}, ImportId: {from: A}, IsActive: {constant: true}}
  - query: SELECT 1 AS one
    name: nothing
    table: Customer
    columns: {Name: {constant: X}, ImportId: {constant: Y}}
  - {view: dbo.parts, table: OrderLine, key: ImportId, modified: "Changed On"}
`

// TestColumns checks on headers made up at random that a relation whose columns Columns accepts is read when it has only those
// that are needed, as it is read with all of them.
func TestColumns(t *testing.T) {
	t.Parallel()
	s := testSchema(t)
	m := newMapper(t, s, relationMapping, mapping.Options{})
	relations := []struct{ name, table string }{
		{"dbo.Auftraege", "Order"},
		{"dbo.vOrders", "Order"},
		{"everyone", "Customer"},
		{"nothing", "Customer"},
		{"dbo.lines", "OrderLine"},
		{"dbo.Order", "Order"},
		{"dbo.[Client List]", "Customer"},
		{"dbo.vOrders", "Customer"},
	}
	words := []string{
		"A", "a", "B", "C", "D", "Note", "ImportId", "import_id", "Import Id ", "CustomerId", "Name", "Order No", "Total", "OrderId", "State",
		"", " ", "BZh", "PK\x03\x04", "%PDF-", "\xef\xbb\xbfA", `q"uote`, "new\nline", "com,ma", "NUL\x00", "bad\xff", "sep=;", "Roles", "Counter", "Nothing",
	}
	random := rand.New(rand.NewPCG(11, 3))
	accepted, refused := 0, 0
	for range 10_000 {
		r := relations[random.IntN(len(relations))]
		table := s.Table(r.table)
		header := make([]string, 1+random.IntN(9))
		for i := range header {
			header[i] = words[random.IntN(len(words))]
		}
		use, ignored, err := m.Columns(r.name, table, header)
		whole, wholeErr := m.OpenRelation(r.name, table, csvOf(t, header, nil))
		if err != nil {
			refused++
			checkRefusal(t, err)
			if wholeErr == nil && len(whole.Ignored()) < len(header) {
				t.Fatalf("%q %q: Columns refuses what OpenRelation does not: %v", r.name, header, err)
			}
			continue
		}
		accepted++
		if wholeErr != nil || len(whole.Ignored()) != count(use, false) {
			t.Fatalf("%q %q: of the whole, %v, not all but %v is ignored", r.name, header, wholeErr, use)
		}
		needed, err := m.OpenRelation(r.name, table, iotest.OneByteReader(csvOf(t, header, use)))
		if err != nil {
			t.Fatalf("%q %q, of which are needed %v: %v", r.name, header, use, err)
		}
		if len(needed.Ignored()) > 0 || len(ignored) != count(use, false) {
			t.Fatalf("%q %q: %q is ignored of what is needed, and %q of the whole with %v", r.name, header, needed.Ignored(), ignored, use)
		}
		if diff := cmp.Diff(whole.Explain().Columns, needed.Explain().Columns); diff != "" {
			t.Fatalf("%q %q, of which are needed %v:\n%s", r.name, header, use, diff)
		}
		if diff := cmp.Diff(valuesOf(t, whole), valuesOf(t, needed)); diff != "" {
			t.Fatalf("%q %q (-all +needed %v):\n%s", r.name, header, use, diff)
		}
	}
	if accepted < 500 || refused < 500 {
		t.Errorf("%d headers were accepted and %d refused", accepted, refused)
	}
}

func checkRefusal(t *testing.T, err error) {
	t.Helper()
	var refusal *ingest.FileRefusal
	if !errors.As(err, &refusal) || refusal.Message == "" || strings.ContainsAny(refusal.Message, "\x00\n") {
		t.Fatalf("no refusal for people: %q", err)
	}
}

func count(list []bool, what bool) int {
	n := 0
	for _, b := range list {
		if b == what {
			n++
		}
	}
	return n
}

// csvOf is a relation of three rows, or of the columns in use only.
func csvOf(t *testing.T, header []string, use []bool) io.Reader {
	t.Helper()
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	for row := range 4 {
		var record []string
		for i, h := range header {
			if use != nil && !use[i] {
				continue
			}
			if row > 0 {
				h = fmt.Sprint(row*len(header) + i)
			}
			record = append(record, h)
		}
		if err := w.Write(record); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()
	return &b
}

func valuesOf(t *testing.T, r *mapping.Reader) [][]string {
	t.Helper()
	var out [][]string
	for r.Next() {
		row := []string{}
		if j := r.Refused(); j != nil {
			row = append(row, j.Code, j.Column, j.Value)
		}
		for i, c := range r.Table().Columns {
			row = append(row, show(c, &r.Row().Values[i]))
		}
		out = append(out, row)
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return out
}

// TestColumnsOfEntry holds what an entry says of its key to the relation's columns.
func TestColumnsOfEntry(t *testing.T) {
	t.Parallel()
	s := testSchema(t)
	m := newMapper(t, s, relationMapping, mapping.Options{})
	lines := s.Table("OrderLine")
	use, ignored, err := m.Columns("dbo.parts", lines, []string{"changed on", "blob\x00", "ImportId", "OrderId", "Total"})
	if err != nil || fmt.Sprint(use) != "[false false true true true]" || fmt.Sprintf("%q", ignored) != `["changed on" "blob␀"]` {
		t.Errorf("%v %q %v", use, ignored, err)
	}
	for want, header := range map[string][]string{
		"lacks the column Changed On, which is its modified in line 29 of the mapping": {"ImportId", "OrderId", "Total"},
		"has 5001 columns, more than 5000":                                             slices.Repeat([]string{"x"}, 5001),
		"the relation has none":                                                        {},
		"are longer than 1048576 bytes":                                                {"ImportId", "OrderId", "Total", "Changed On", strings.Repeat("!", 1<<20) + "Quantity"},
		`the headers "Import_ID" (column 1) and "importid" (column 2) all stand for`:   {"Import_ID", "importid", "OrderId", "Total"},
	} {
		table := lines
		if strings.HasPrefix(want, "are longer") {
			header[2], header[3] = "CustomerId", "State"
			table = s.Table("Order")
		}
		_, _, err := m.Columns("dbo.parts", table, header)
		if err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 3000 {
			t.Errorf("%.3000q is %.200v, not %s", header[:min(len(header), 3)], err, want)
			continue
		}
		checkRefusal(t, err)
	}
}

// TestOpenRelation holds what only relations have: names of columns that begin like no text, and errors of the source.
func TestOpenRelation(t *testing.T) {
	t.Parallel()
	s := testSchema(t)
	m := newMapper(t, s, "", mapping.Options{})
	for _, first := range []string{"BZh", "PK\x03\x04", "%PDF-", "\xef\xbb\xbfx", "\"sep=;\""} {
		r, err := m.OpenRelation("dbo.Customer", s.Table("Customer"), strings.NewReader(first+",ImportId,Name\nx,1,A\n"))
		if err != nil || !r.Next() || r.Refused() != nil || len(r.Ignored()) != 1 {
			t.Errorf("%q: %v", first, err)
		}
	}
	lost := errors.New("the connection was lost")
	_, err := m.OpenRelation("dbo.Customer", s.Table("Customer"), iotest.ErrReader(lost))
	if !errors.Is(err, lost) {
		t.Errorf("%v", err)
	}
	r, err := m.OpenRelation("dbo.Customer", s.Table("Customer"), io.MultiReader(strings.NewReader("ImportId,Name\n1,A\n2,B"), iotest.ErrReader(lost)))
	if err != nil || !r.Next() || r.Next() || !errors.Is(r.Err(), lost) {
		t.Errorf("%v %v", err, r.Err())
	}
	_, err = m.OpenRelation("dbo.Customer", s.Table("Customer"), strings.NewReader(""))
	var refusal *ingest.FileRefusal
	if !errors.As(err, &refusal) || refusal.Code != ingest.CodeEmptyFile {
		t.Errorf("%v", err)
	}
}

func TestDatabaseEntries(t *testing.T) {
	t.Parallel()
	s := testSchema(t)
	if got := newMapper(t, s, "", mapping.Options{}).DatabaseEntries(); len(got) != 0 {
		t.Errorf("without a mapping there are %v", got)
	}
	m := newMapper(t, s, `
version: 1
database:
  - {view: ' "my schema" . [a.b]]c] ', table: orders, key: " Matter No ", modified: ChangedOn}
  - {view: Änderung_2, table: client list, name: Open-Matters 2}
  - query: |
      -- what is open
      WITH o AS (SELECT * FROM [a;b] /* ; /* ; */ */ WHERE x = 'a;''b')
      SELECT "c;d" FROM o; -- done
      ;
    name: open_matters
    table: OrderLine
`, mapping.Options{})
	customers, orders, lines := s.Table("Customer"), s.Table("Order"), s.Table("OrderLine")
	want := []mapping.Relation{
		{Name: "[my schema].[a.b]]c]", Schema: "my schema", View: "a.b]c", Table: orders, Key: "Matter No", Modified: "ChangedOn", Line: 4},
		{Name: "Open-Matters 2", View: "Änderung_2", Table: customers, Line: 5},
		{Name: "open_matters", Query: "WITH o AS (SELECT * FROM [a;b] /* ; /* ; */ */ WHERE x = 'a;''b')\nSELECT \"c;d\" FROM o", Table: lines, Line: 6},
	}
	got := m.DatabaseEntries()
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b *schema.Table) bool { return a == b })); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestDatabaseBounds has the faults that need no example, or too long a one for testdata.
func TestDatabaseBounds(t *testing.T) {
	t.Parallel()
	s := testSchema(t)
	for text, want := range map[string]string{
		"database: []":            "m.yaml:2: database must list at least one view or query",
		"database: {view: dbo.x}": "m.yaml:2: database must be a list",
		"database:":               "m.yaml:2: database must be a list",
		"other: 1":                "m.yaml:2: unknown key",
		"files: []\ndatabase:\n- {view: x, table: Order}":                                                                       "m.yaml:2: files must list at least one pattern",
		"database:\n- {name: q, table: Order, query: SELECT " + strings.Repeat("x", 16<<10) + "}":                               "m.yaml:3: query is larger than 16 KiB",
		"database:\n- {table: Order, view: " + strings.Repeat("x", 129) + "}":                                                   "m.yaml:3: view \"" + strings.Repeat("x", 60) + "…\" is not [schema.]name",
		"database:\n- {table: Order, view: a.b.c.d.e}":                                                                          "m.yaml:3: view \"a.b.c.d.e\" is not [schema.]name: what is in another database",
		"database:\n- {table: Order, view: x, name: " + strings.Repeat("x", 101) + "}":                                          "m.yaml:3: name \"" + strings.Repeat("x", 60) + "…\" must have 1 to 100",
		"database:\n- {table: Order, view: x, key: " + strings.Repeat("x", 129) + "}":                                           "m.yaml:3: key must name a column",
		"database:\n" + strings.Repeat("- {table: Order, view: x}\n", 1001):                                                     "m.yaml:3: database has 1001 items, more than 1000",
		"database:\n- {table: Order, view: x, only: true}\n- {skip: x, skip: y}":                                                "m.yaml:4: x is read by the entry in line 3",
		"database:\n- {table: Order, name: q, query: !!binary c2VsZWN0}":                                                        "m.yaml:3: tags such as",
		"database:\n- {table: Order, name: q, query: 'WITHOUT x'}":                                                              "m.yaml:3: query must begin with SELECT or WITH",
		"database:\n- {table: Order, view: x, view: y}":                                                                         "m.yaml:3: \"view\" is given twice",
		"database:\n- {table: Order, view: x, columns: {ImportId: {from: A, number: {round: true}}}}\n- {view: y, table: Nope}": "m.yaml:3: column ImportId is not a number",
	} {
		m, err := mapping.Parse("m.yaml", []byte("version: 1\n"+text), s)
		if err == nil || !strings.Contains(err.Error(), want) || m != nil {
			t.Errorf("%.200s\n\tis refused for %v, not %s", text, err, want)
		}
	}
	if _, err := mapping.Parse("m.yaml", []byte("version: 1\ndatabase:\n- {name: q, table: Order, query: SELECT "+strings.Repeat("x", 16<<10-7)+"}"), s); err != nil {
		t.Errorf("a query of 16 KiB is refused: %v", err)
	}
}
