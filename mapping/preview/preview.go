// Package preview maps files and stores nothing: the first rows as they would be staged, what would be refused, and counts.
package preview

import (
	"context"
	"errors"
	"io"
	"strconv"
	"time"

	"dropline/ingest"
	"dropline/mapping"
	"dropline/schema"
)

// File is a file, or a member of an archive.
type File struct {
	Path  string // below the inbox
	Open  func(ctx context.Context) (io.ReadCloser, error)
	Exact bool // see unpack.Package.Exact
}

// Defaults of Options.
const (
	DefaultRows    = 10
	DefaultRejects = 20
)

// Options bound a preview.
type Options struct {
	Rows    int   // shown of each table; 0: DefaultRows
	Rejects int   // shown of each table; 0: DefaultRejects
	Bytes   int64 // read of each file; 0: all of it
}

// Table is what a file gives one table.
type Table struct {
	File    string          `json:"file"`
	Output  int             `json:"output,omitempty"` // which of the tables that the mapping makes of the file, from 1; absent where it is one
	Table   string          `json:"table,omitempty"`
	Columns []string        `json:"columns,omitempty"` // those that have values in the rows shown
	Rows    [][]*string     `json:"rows,omitempty"`    // as they would be staged, as text; null: no value
	Read    int64           `json:"rowsRead"`
	Refused int64           `json:"rowsRejected"`
	Whole   bool            `json:"whole"` // the file was read to its end
	Rejects []ingest.Reject `json:"rejects,omitempty"`
	Ignored []string        `json:"ignoredColumns,omitempty"`
	Notes   []string        `json:"notes,omitempty"`
	Code    string          `json:"code,omitempty"` // why the file is refused as a whole
	Error   string          `json:"error,omitempty"`
	// Explanation says where each column's values come from; nil for a file refused as a whole.
	Explanation *mapping.Explanation `json:"explanation,omitempty"`
}

// Run maps the files. A file that is refused is no error.
func Run(ctx context.Context, m *mapping.Mapper, files []File, o Options) ([]Table, error) {
	if o.Rows == 0 {
		o.Rows = DefaultRows
	}
	if o.Rejects == 0 {
		o.Rejects = DefaultRejects
	}
	var out []Table
	for _, f := range files {
		outputs := m.Outputs(f.Path)
		for n := range outputs {
			t := Table{File: f.Path}
			if outputs > 1 {
				t.Output = n + 1
			}
			if err := t.read(ctx, m, f, o); err != nil {
				var refusal *ingest.FileRefusal
				if !errors.As(err, &refusal) {
					return nil, err
				}
				t.Code, t.Error = refusal.Code, refusal.Message
			}
			out = append(out, t)
		}
	}
	return out, nil
}

// read maps one file into one table.
func (t *Table) read(ctx context.Context, m *mapping.Mapper, f File, o Options) error {
	var end *bounded
	r, err := m.OpenSettled(ctx, mapping.File{Path: f.Path, Output: t.Output, Exact: f.Exact}, func() (io.ReadCloser, error) {
		text, err := f.Open(ctx)
		if err != nil {
			return nil, err
		}
		end = &bounded{ReadCloser: text, left: o.Bytes, all: o.Bytes <= 0}
		return end, nil
	})
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // it was only read
	t.Table, t.Explanation = r.Table().Name, r.Explain()
	rows := NewRows(r.Table(), o.Rows)
	for r.Next() {
		t.Read++
		if reject := r.Refused(); reject != nil {
			t.Refused++
			if len(t.Rejects) < o.Rejects {
				reject.File, reject.Output = t.File, t.Output
				t.Rejects = append(t.Rejects, *reject)
			}
		} else {
			rows.Add(r.Row())
		}
		if t.Read%1000 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	t.Columns, t.Rows = rows.Shown()
	t.Ignored, t.Notes, t.Whole = r.Ignored(), r.Notes(), !end.cut
	return r.Err()
}

// bounded reads the beginning of a text, up to the last line end that it has room for.
type bounded struct {
	io.ReadCloser
	left     int64
	all, cut bool
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	if b.all {
		return b.ReadCloser.Read(p)
	}
	if b.left == 0 {
		b.cut = true
		return 0, io.EOF
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// Rows are the first rows of a table as they would be staged, as text.
type Rows struct {
	table *schema.Table
	most  int
	rows  [][]*string
	used  []bool
}

// NewRows returns none, of which there may be so many.
func NewRows(t *schema.Table, most int) *Rows {
	return &Rows{table: t, most: most, used: make([]bool, len(t.Columns))}
}

// Add takes in a row that was not refused, if there is room.
func (r *Rows) Add(row *ingest.Row) {
	if len(r.rows) >= r.most {
		return
	}
	out := make([]*string, len(r.table.Columns))
	for i, c := range r.table.Columns {
		if v := &row.Values[i]; !v.Null {
			text := Text(c, v)
			out[i], r.used[i] = &text, true
		}
	}
	r.rows = append(r.rows, out)
}

// Shown returns the columns that have values, and the rows with those.
func (r *Rows) Shown() (columns []string, rows [][]*string) {
	for i, c := range r.table.Columns {
		if r.used[i] {
			columns = append(columns, c.Name)
		}
	}
	for _, row := range r.rows {
		var short []*string
		for i, v := range row {
			if r.used[i] {
				short = append(short, v)
			}
		}
		rows = append(rows, short)
	}
	return columns, rows
}

const secondsPerDay = 86_400

// Text is a value as it would be staged, for people: dates and times in ISO 8601, members of enumerations by name.
func Text(c *schema.Column, v *ingest.Value) string {
	switch c.Kind {
	case schema.Date:
		return time.Unix(v.Int*secondsPerDay, 0).UTC().Format(time.DateOnly)
	case schema.Timestamp:
		return time.UnixMicro(v.Int).UTC().Format(time.RFC3339Nano)
	case schema.Boolean:
		return strconv.FormatBool(v.Int != 0)
	case schema.Integer, schema.BigInt:
		return strconv.FormatInt(v.Int, 10)
	case schema.Enumerate:
		if c.Enum != nil {
			for _, m := range c.Enum.Values {
				if int64(m.Number) == v.Int {
					return m.Name
				}
			}
		}
		return strconv.FormatInt(v.Int, 10)
	case schema.Text, schema.Decimal, schema.Reference, schema.List:
	}
	return string(v.Text)
}
