package schema

import (
	"encoding/csv"
	"io"
)

// WriteTemplate writes the table's empty CSV template: the header line alone, comma-separated, ended by a line feed.
func (t *Table) WriteTemplate(w io.Writer) error {
	return writeCSV(w, columnNames(t.given()))
}

// TemplateName is the name under which the template is downloaded, and which names the table when it comes back filled.
func (t *Table) TemplateName() string {
	if t.File != "" {
		return t.File + ".csv"
	}
	return t.Name + ".csv"
}

// given are the columns of the template: not those that take another's value, nor what only some have.
func (t *Table) given() []*Column {
	columns := make([]*Column, 0, len(t.Columns))
	for _, c := range t.Columns {
		if c.SameAs == nil && !c.Extra {
			columns = append(columns, c)
		}
	}
	return columns
}

// sample is the header and the example row as CSV records.
func (t *Table) sample() [][]string {
	columns := t.given()
	row := make([]string, len(columns))
	for i, c := range columns {
		row[i] = c.Example
	}
	return [][]string{columnNames(columns), row}
}

func writeCSV(w io.Writer, records ...[]string) error {
	out := csv.NewWriter(w)
	if err := out.WriteAll(records); err != nil {
		return err
	}
	return out.Error()
}
