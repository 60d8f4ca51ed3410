package mapping_test

import (
	"bytes"
	"encoding/csv"
	"testing"

	"dropline/mapping"
	"dropline/schema"
)

// TestExamplesOfEfimis reads, for each table of Efimis, a file of the examples that its reference page shows, under headers
// written in several ways.
func TestExamplesOfEfimis(t *testing.T) {
	t.Parallel()
	s := schema.Efimis10()
	m := newMapper(t, s, "", mapping.Options{})
	for _, table := range s.Tables {
		for form := range 3 {
			var header, record []string
			for i, c := range table.Columns {
				name := []string{c.Name, c.SQLName, c.Name}[form]
				if form == 2 && len(c.Aliases) > 0 {
					name = c.Aliases[i%len(c.Aliases)]
				}
				header, record = append(header, name), append(record, c.Example)
			}
			var file bytes.Buffer
			w := csv.NewWriter(&file)
			if err := w.WriteAll([][]string{header, record}); err != nil {
				t.Fatal(err)
			}
			r := open(t, m, table.Plural+".csv", file.Bytes())
			if !r.Next() {
				t.Fatalf("%s: no record: %v", table.Name, r.Err())
			}
			if j := r.Refused(); j != nil {
				t.Errorf("%s.%s: %s", table.Name, j.Column, j.Message)
				continue
			}
			if len(r.Ignored()) > 0 {
				t.Errorf("%s: the headers %q are ignored", table.Name, r.Ignored())
			}
			for i, c := range table.Columns {
				if c.Example != "" && r.Row().Values[i].Null {
					t.Errorf("%s.%s: the example %q is absent", table.Name, c.Name, c.Example)
				}
			}
		}
	}
}
