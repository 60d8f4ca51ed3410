// Package preview maps files and stores nothing: the first rows as they would be staged, what would be refused, and counts.
package preview

import (
	"context"
	"errors"
	"io"

	"dropline/ingest"
	"dropline/mapping"
)

// Defaults of Options.
const (
	DefaultRows    = 10
	DefaultRejects = 20
	// MinBytes is the least that is read of a file: what is detected about it is looked for in its first megabyte.
	MinBytes = 2 << 20
)

// rowsPerLook is how many rows are read between two looks at whether to go on.
const rowsPerLook = 1000

// File is a file, or a member of an archive.
type File struct {
	Path  string // below the inbox
	Open  func(ctx context.Context) (io.ReadCloser, error)
	Exact bool // see unpack.Text
}

// Options bound a preview.
type Options struct {
	Rows    int   // shown of each table; 0: DefaultRows
	Rejects int   // shown of each file; 0: DefaultRejects
	Bytes   int64 // of text read of each file, at least MinBytes; 0: all of it
}

func (o Options) withDefaults() Options {
	if o.Rows == 0 {
		o.Rows = DefaultRows
	}
	if o.Rejects == 0 {
		o.Rejects = DefaultRejects
	}
	if o.Bytes > 0 {
		o.Bytes = max(o.Bytes, MinBytes)
	}
	return o
}

// Table is what a file gives one table.
type Table struct {
	File    string          `json:"file"`
	Output  int             `json:"output,omitempty"` // which of the tables that the mapping makes of the file, from 1; 0 where it is one
	Table   string          `json:"table,omitempty"`
	Columns []string        `json:"columns,omitempty"` // that the rows show: those that have values
	Rows    [][]*string     `json:"rows,omitempty"`    // as they would be staged, as text; null: no value
	Read    int64           `json:"rowsRead"`
	Refused int64           `json:"rowsRejected"` // by mapping: what a row refers to is not looked for
	Whole   bool            `json:"whole"`        // the file was read to its end
	Rejects []ingest.Reject `json:"rejects,omitempty"`
	Ignored []string        `json:"ignoredColumns,omitempty"`
	Notes   []string        `json:"notes,omitempty"`
	Code    string          `json:"code,omitempty"` // why the file is refused as a whole
	Error   string          `json:"error,omitempty"`
	// Explanation says where each column's values come from; nil for a file refused as a whole.
	Explanation *mapping.Explanation `json:"explanation,omitempty"`
}

// Run maps the files, one after the other, each once for each of the tables that the mapping makes of it. A file that is refused as
// a whole is a Table with Code and Error. The error is that of a file's Open or of its reading, or the context's.
func Run(ctx context.Context, m *mapping.Mapper, files []File, o Options) ([]Table, error) {
	o = o.withDefaults()
	var tables []Table
	for _, f := range files {
		outputs := m.Outputs(f.Path)
		for i := range outputs {
			p := look{mapper: m, file: f, options: o, out: Table{File: f.Path}}
			if outputs > 1 {
				p.out.Output = i + 1
			}
			if err := p.run(ctx); err != nil {
				return nil, err
			}
			tables = append(tables, p.out)
		}
	}
	return tables, nil
}

// look is one look at a file for one table.
type look struct {
	mapper  *mapping.Mapper
	file    File
	options Options
	out     Table
	rows    *Rows // nil before the file is open
}

func (l *look) run(ctx context.Context) error {
	err := l.read(ctx)
	var refusal *ingest.FileRefusal
	switch {
	case err == nil:
		l.out.Whole = true
	case errors.Is(err, errCut) && l.out.Table == "":
		l.out.Code, l.out.Error = ingest.CodeUnreadable, "the file has no end of a header in the part of it that a preview reads"
	case errors.Is(err, errCut):
	case errors.As(err, &refusal):
		l.out.Code, l.out.Error = refusal.Code, refusal.Message
		l.out.Rejects, l.out.Explanation = nil, nil
		return nil // what was read of it before is given up
	default:
		return err
	}
	if l.rows != nil {
		l.out.Columns, l.out.Rows = l.rows.Shown()
	}
	return nil
}

func (l *look) read(ctx context.Context) error {
	what := mapping.File{Path: l.file.Path, Output: l.out.Output, Exact: l.file.Exact}
	rows, err := l.mapper.OpenSettled(ctx, what, func() (io.ReadCloser, error) {
		text, err := l.file.Open(ctx)
		if err == nil && l.options.Bytes > 0 {
			text = &cut{ReadCloser: text, left: l.options.Bytes}
		}
		return text, err
	})
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // only read: nothing depends on it
	l.out.Table, l.out.Ignored, l.out.Explanation = rows.Table().Name, rows.Ignored(), rows.Explain()
	l.rows = NewRows(rows.Table(), l.options.Rows)
	for rows.Next() {
		l.out.Read++
		if l.out.Read%rowsPerLook == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		reject := rows.Refused()
		if reject == nil {
			l.rows.Add(rows.Row())
			continue
		}
		l.out.Refused++
		if len(l.out.Rejects) < l.options.Rejects {
			told := *reject
			told.File, told.Output = l.file.Path, l.out.Output
			l.out.Rejects = append(l.out.Rejects, told)
		}
	}
	l.out.Notes = rows.Notes()
	return rows.Err()
}

// errCut ends what is read of a file that is longer. It is no end of the file: the record that it falls into is none.
var errCut = errors.New("only the beginning of the file is read")

// cut is the beginning of a text.
type cut struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (c *cut) Read(b []byte) (int, error) {
	if c.left == 0 {
		// Whether there is more decides between a file of just that size and a longer one.
		n, err := c.ReadCloser.Read(b[:min(1, len(b))])
		if n > 0 {
			err = errCut
		}
		return 0, err
	}
	n, err := c.ReadCloser.Read(b[:min(int64(len(b)), c.left)])
	c.left -= int64(n)
	return n, err
}
