package main

import (
	"io"
	"strconv"
	"strings"

	"dropline/api"
)

// showDatabase writes what an import reads of a database, in its receipt.
func showDatabase(w io.Writer, d *api.ImportDatabase) {
	if d == nil {
		return
	}
	showServer(w, d)
	if d.IncrementalOf != "" {
		put(w, "  only rows changed since %s, of tables that tell\n", d.IncrementalOf)
	}
	if d.Snapshots > 1 {
		put(w, "  read under %d snapshots, as the connection was lost: the rows are not of one moment\n", d.Snapshots)
	}
	var left []string
	for i := range d.Relations {
		if r := &d.Relations[i]; !r.Done {
			left = append(left, r.Name)
		}
	}
	showNames(w, "not read to the end yet", left)
	showAbsent(w, d)
}

// showServer writes which database it is and how it is read.
func showServer(w io.Writer, d *api.ImportDatabase) {
	put(w, "  database %s on %s", printable(d.Database, maxCell), printable(d.Server, maxCell))
	if d.Version != "" {
		put(w, " (%s)", printable(d.Version, maxCell))
	}
	put(w, "\n")
	if d.Isolation != "" {
		put(w, "  read under %s", printable(d.Isolation, maxCell))
		if d.IsolationNote != "" {
			put(w, ": %s", printable(d.IsolationNote, maxText))
		}
		put(w, "\n")
	}
}

// showAbsent writes what the database and the schema do not have in common.
func showAbsent(w io.Writer, d *api.ImportDatabase) {
	showNames(w, "tables of the schema that it does not have", d.Missing)
	showNames(w, "no tables of the schema, and ignored", d.Ignored)
	for _, note := range d.Notes {
		put(w, "  note: %s\n", printable(note, maxText))
	}
}

func showNames(w io.Writer, what string, names []string) {
	if len(names) > 0 {
		put(w, "  %s: %s\n", what, printable(strings.Join(names, ", "), maxText))
	}
}

// showDryRun writes what an import would find, for people.
func showDryRun(w io.Writer, d *api.DryRun) {
	showServer(w, &d.ImportDatabase)
	rows := make([][]string, 0, len(d.Relations))
	for i := range d.Relations {
		r := &d.Relations[i]
		count := "?"
		if r.RowsExpected != nil {
			count = thousands(*r.RowsExpected)
		}
		rows = append(rows, []string{"  " + r.Name, r.Table, count, strconv.Itoa(len(r.Columns)), strings.Join(r.IgnoredColumns, ", ")})
	}
	if len(rows) > 0 {
		put(w, "\n")
		table(w, []string{"  RELATION", "TABLE", "ROWS", "COLUMNS", "IGNORED COLUMNS"}, rows)
	}
	put(w, "\n")
	showAbsent(w, &d.ImportDatabase)
	for _, r := range d.Refused {
		put(w, "  refused: %s: %s (%s)\n", printable(r.Name, maxCell), printable(r.Message, maxText), r.Code)
	}
	for i := range d.Samples {
		s := &d.Samples[i]
		showRejects(w, s.FirstErrors, s.RowsRejected, "refused among the first "+plural(s.RowsRead, "row", "rows")+" of "+printable(s.Name, maxCell))
	}
	if d.Loads {
		put(w, "\nan import would load this; only the first rows of each table were tried\n")
	} else {
		put(w, "\nan import would be rejected\n")
	}
}
