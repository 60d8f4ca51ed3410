package schema

import (
	"encoding/csv"
	"io"
)

// WriteTemplate writes the table's empty CSV template: the header line alone, comma-separated, ended by a line feed.
func (t *Table) WriteTemplate(w io.Writer) error {
	return writeCSV(w, columnNames(t.Columns))
}

// TemplateName is the name under which the template is downloaded, and which names the table when it comes back filled.
func (t *Table) TemplateName() string { return t.Name + ".csv" }

// sample is the header and the example row as CSV records.
func (t *Table) sample() [][]string {
	row := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		row[i] = c.Example
	}
	return [][]string{columnNames(t.Columns), row}
}

func writeCSV(w io.Writer, records ...[]string) error {
	out := csv.NewWriter(w)
	if err := out.WriteAll(records); err != nil {
		return err
	}
	return out.Error()
}
