package manifest

import (
	"fmt"
	"strings"

	"dropline/ingest"
	"dropline/schema"
)

// NoneDeleted says what becomes of a file of which no manifest says anything.
const NoneDeleted = "its rows are added or change others, and none is deleted but those that say so"

// Rows are the rows of a file, held to what its manifest says of it.
type Rows struct {
	ingest.Rows
	table  *schema.Table
	mode   Mode
	marks  []*schema.Column // that a delta must have, and a bulk file should not
	filled int64            // rows of a bulk file that have them
	reject *ingest.Reject   // of the present record
	err    error
}

// NewRows holds the rows of a file to its mode.
func NewRows(s *schema.Schema, t *schema.Table, mode Mode, rows ingest.Rows) *Rows {
	r := &Rows{Rows: rows, table: t, mode: mode}
	if s.Manifest != nil {
		for _, name := range s.Manifest.Delta {
			if c := t.Column(name); c != nil {
				r.marks = append(r.marks, c)
			}
		}
	}
	return r
}

// Next implements ingest.Rows.
func (r *Rows) Next() bool {
	r.reject = nil
	if r.err != nil || !r.Rows.Next() {
		return false
	}
	switch r.mode {
	case Absent:
		r.err = &ingest.FileRefusal{
			Code:    ingest.CodeManifest,
			Message: "the manifest says that the file is absent, and it has rows: say bulk or delta in the manifest, or leave the file out",
		}
		return false
	case Delta:
		r.delta()
	case Bulk:
		for _, c := range r.marks {
			if r.Rows.Refused() == nil && !r.Row().Values[c.Index].Null {
				r.filled++
				break
			}
		}
	case Unsaid:
	}
	return true
}

// delta refuses a row of a delta that lacks what such a row must have.
func (r *Rows) delta() {
	if r.Rows.Refused() != nil {
		return
	}
	row := r.Row()
	var missing []string
	for _, c := range r.marks {
		if row.Values[c.Index].Null {
			missing = append(missing, c.Name)
		}
	}
	if len(missing) == 0 {
		return
	}
	r.reject = &ingest.Reject{
		Table: r.table.Name, Record: row.Record, Line: row.Line, Column: missing[0], Code: ingest.CodeRequired, Offset: row.Offset, Length: int64(row.Length),
		Message: strings.Join(missing, ", ") + " must be given, as the manifest says that the file is a delta",
	}
	if key := &row.Values[r.table.Key.Index]; !key.Null {
		r.reject.ImportID = string(key.Text)
	}
}

// Refused implements ingest.Rows.
func (r *Rows) Refused() *ingest.Reject {
	if r.reject != nil {
		return r.reject
	}
	return r.Rows.Refused()
}

// Err implements ingest.Rows.
func (r *Rows) Err() error {
	if r.err != nil {
		return r.err
	}
	return r.Rows.Err()
}

// Notes are remarks for people. They are complete once Next has returned false.
func (r *Rows) Notes() []string {
	switch r.mode {
	case Bulk:
		notes := []string{"the manifest says bulk: with a promotion, rows of " + r.table.Name + " that are not in it are deleted, unless others refer to them or rows of it were refused"}
		if r.filled > 0 {
			names := make([]string, len(r.marks))
			for i, c := range r.marks {
				names[i] = c.Name
			}
			notes = append(notes, fmt.Sprintf("%d rows have %s, which a bulk file should not", r.filled, strings.Join(names, " or ")))
		}
		return notes
	case Delta:
		return []string{"the manifest says delta: what it does not have is left as it is"}
	case Absent:
		return []string{"the manifest says that the file is absent"}
	case Unsaid:
	}
	return nil
}
