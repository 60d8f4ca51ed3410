package mapping_test

import (
	"encoding/json"
	"strings"
	"testing"

	"dropline/mapping"
)

// readEntries finds and reads what a mapping says is to be read of a database.
func readEntries(t *testing.T, m *mapping.Mapper) {
	t.Helper()
	found := []mapping.Candidate{{Schema: "dbo", Name: "Order"}}
	for _, e := range m.DatabaseEntries() {
		if (e.View == "") == (e.Query == "") || e.Name == "" || e.Table == nil || e.Line < 2 {
			t.Fatalf("an entry is %+v", e)
		}
		if e.View != "" {
			found = append(found, mapping.Candidate{Schema: e.Schema, Name: e.View})
		}
	}
	names := map[string]bool{}
	for _, r := range m.Choose(found).Read {
		if names[r.Name] {
			t.Fatalf("two are called %q", r.Name)
		}
		names[r.Name] = true
		reader, err := m.OpenRelation(r.Name, r.Table, strings.NewReader("ImportId,CustomerId,A,B,C\n1,2,3,4,5\n\"x\",,,,\n"))
		if err == nil {
			readAll(t, reader)
			continue
		}
		checkRefusal(t, err)
	}
}

// FuzzRelationNames checks that what a relation is called in receipts names it in a mapping.
func FuzzRelationNames(f *testing.F) {
	f.Add("dbo", "Order")
	f.Add("my schema", "a.b]c \"Orders\"")
	f.Add("", "ORDER;--\x00")
	f.Add("[x].[y]", "' order")
	s := testSchema(f)
	plain := newMapper(f, s, "", mapping.Options{})
	f.Fuzz(func(t *testing.T, schemaName, name string) {
		c := plain.Choose([]mapping.Candidate{{Schema: schemaName, Name: name}})
		if len(c.Read)+len(c.Ignored) != 1 || len(c.Refused) > 0 {
			t.Fatalf("%q.%q is %+v", schemaName, name, c)
		}
		if len(c.Read) == 0 {
			return
		}
		r := c.Read[0]
		view, err := json.Marshal(r.Name)
		if err != nil {
			t.Fatal(err)
		}
		m := newMapper(t, s, "{version: 1, database: [{view: "+string(view)+", table: "+r.Table.Name+"}]}", mapping.Options{})
		again := m.Choose([]mapping.Candidate{{Schema: schemaName, Name: name}}).Read
		if len(again) != 1 || again[0].Schema != schemaName || again[0].View != name || again[0].Name != r.Name {
			t.Fatalf("%q.%q is called %q, and that is %+v", schemaName, name, r.Name, again)
		}
	})
}

// FuzzQuery checks that a query that is accepted ends where it says: what is put behind it is not part of it.
func FuzzQuery(f *testing.F) {
	for _, q := range []string{
		"SELECT 1", "with a as (select ';') select [;] from \"a;\" ;; -- x", "select '' /* /* */ ; */ x", "SELECT 'a''", "select 1; select 2", "select (1", "select ]", "/*", "--\nselect 1--", "select 1 --\r; select 2\n",
	} {
		f.Add(q)
	}
	s := testSchema(f)
	parse := func(q string) (string, bool) {
		text, err := json.Marshal(q)
		if err != nil || strings.Contains(string(text), "\\ufffd") {
			return "", false
		}
		m, err := mapping.Parse("m.yaml", []byte("{version: 1, database: [{name: q, table: Order, query: "+string(text)+"}]}"), s)
		if err != nil {
			return "", false
		}
		mapper, err := mapping.New(s, m, mapping.Options{})
		if err != nil {
			return "", false
		}
		return mapper.DatabaseEntries()[0].Query, true
	}
	f.Fuzz(func(t *testing.T, q string) {
		query, ok := parse(q)
		if !ok {
			return
		}
		if !strings.Contains(q, query) || strings.HasSuffix(query, ";") {
			t.Fatalf("%q is read as %q", q, query)
		}
		if again, ok := parse(query); !ok || again != query {
			t.Fatalf("%q is read as %q, %v", query, again, ok)
		}
		if _, ok := parse(query + "\n; SELECT 2"); ok {
			t.Fatalf("%q takes another statement for part of it", query)
		}
		if again, ok := parse("SELECT * FROM (" + query + "\n) AS q -- x"); !ok || again != "SELECT * FROM ("+query+"\n) AS q" {
			t.Fatalf("%q is %q between parentheses", query, again)
		}
	})
}
