// Package preview maps files and stores nothing: the first rows as they would be staged, what would be refused, and counts.
package preview

import (
	"context"
	"io"

	"dropline/ingest"
	"dropline/mapping"
)

// File is a file, or a member of an archive.
type File struct {
	Path  string // below the inbox
	Open  func(ctx context.Context) (io.ReadCloser, error)
	Exact bool // see unpack.Text
}

// Options bound a preview.
type Options struct {
	Rows    int   // shown of each table; 0: 10
	Rejects int   // shown of each file; 0: 20
	Bytes   int64 // read of each file; 0: all of it
}

// Table is what a file gives one table.
type Table struct {
	File    string          `json:"file"`
	Table   string          `json:"table,omitempty"`
	Columns []string        `json:"columns,omitempty"` // that the rows show: those that have values
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

// Run maps the files.
func Run(_ context.Context, _ *mapping.Mapper, _ []File, _ Options) ([]Table, error) {
	return nil, nil
}
