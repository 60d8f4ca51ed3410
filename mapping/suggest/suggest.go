// Package suggest proposes a mapping for files that nobody has mapped: it matches files with tables and columns with columns by
// their names, by the synonyms that the schema declares, and by the values themselves, and gives a reason and a confidence for each.
package suggest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sort"

	"dropline/ingest"
	"dropline/mapping"
	"dropline/schema"
)

// Confident is the confidence from which on a line is right as far as can be told: what is wrong above it is a fault of this package.
const Confident = 0.9

const (
	floor      = 0.45 // below it a line is not proposed
	sampleRows = 500  // of each file
	maxFiles   = 200
)

// File is a file, or a member of an archive, that is looked at.
type File struct {
	Path string // below the inbox
	Open func(ctx context.Context) (io.ReadCloser, error)
	// Exact tells that the text is Dropline's own CSV: see unpack.Package.Exact.
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
	yaml       string  // what stands for the column in the mapping
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
	YAML  []byte // the mapping file, each line's confidence and reason in a comment; empty where there is nothing to propose
	Lines []Line
	Open  []Question
	// Clear tells that every file and every required column has a line above Confident and nothing is left open: such a mapping may
	// be used without anybody being asked.
	Clear bool
}

// Propose looks at the files and drafts a mapping for them. Files that are no tables of text are among what is left open.
func Propose(ctx context.Context, s *schema.Schema, files []File) (*Proposal, error) {
	m, err := mapping.New(s, nil, mapping.Options{})
	if err != nil {
		return nil, err
	}
	p := &proposer{schema: s, mapper: m, names: newNames(s), out: &Proposal{Lines: []Line{}, Open: []Question{}}}
	if len(files) > maxFiles {
		p.ask(Question{File: files[maxFiles].Path, Text: fmt.Sprintf("more than %d files are not looked at at once: this one and those after it were not", maxFiles)})
		files = files[:maxFiles]
	}
	for _, f := range files {
		if err := p.look(ctx, f); err != nil {
			return nil, err
		}
	}
	p.assign()
	for _, f := range p.files {
		p.propose(f)
	}
	p.finish()
	return p.out, nil
}

// proposer is one proposal in the making.
type proposer struct {
	schema *schema.Schema
	mapper *mapping.Mapper
	names  *names
	files  []*file
	out    *Proposal
}

// file is a file that was looked at.
type file struct {
	path    string
	stem    []string // words of its name
	columns []*column
	rows    int
	main    *schema.Table
	share   float64 // confidence that it is main's
	why     string
	key     *column
	outputs []*output
}

// column is a column of a file.
type column struct {
	header string
	words  []string
	folded string
	values []string
	filled int
	unique bool // no value comes twice, and none is missing
	used   bool
	set    map[string]bool
	sure   float64 // that it is the key
}

// output is a table that a file feeds.
type output struct {
	table *schema.Table
	share float64
	why   string
	lines []Line
	split []string
	where string
	// distinct tells that several rows of the file are one of the table's, whose key is then not the file's.
	distinct bool
	key      *column
}

// look reads the beginning of a file.
func (p *proposer) look(ctx context.Context, f File) error {
	text, err := f.Open(ctx)
	if err == nil {
		defer text.Close() //nolint:errcheck // it was only read
		var sample *mapping.Sample
		if sample, err = p.mapper.ReadSample(mapping.File{Path: f.Path, Exact: f.Exact}, text, sampleRows); err == nil {
			p.take(f.Path, sample)
			return nil
		}
	}
	var refusal *ingest.FileRefusal
	if !errors.As(err, &refusal) {
		return err
	}
	p.ask(Question{File: f.Path, Text: refusal.Message})
	return nil
}

func (p *proposer) ask(q Question) { p.out.Open = append(p.out.Open, q) }

func (p *proposer) take(path string, sample *mapping.Sample) {
	if sample.Header == nil {
		p.ask(Question{File: path, Text: "the file has no header: send it with one, or map its fields by their numbers"})
		return
	}
	f := &file{path: path, stem: mapping.NameWords(mapping.Stem(path)), rows: len(sample.Rows)}
	for i, h := range sample.Header {
		if h == "" {
			continue
		}
		c := &column{header: h, words: mapping.NameWords(h), folded: schema.NormalizeName(h), set: map[string]bool{}, unique: true}
		for _, row := range sample.Rows {
			v := row[i]
			if c.values = append(c.values, v); v == "" {
				c.unique = false
				continue
			}
			c.filled++
			c.unique = c.unique && !c.set[v]
			c.set[v] = true
		}
		f.columns = append(f.columns, c)
	}
	p.files = append(p.files, f)
}

// assign finds the main table of each file.
func (p *proposer) assign() {
	for _, f := range p.files {
		type scored struct {
			t       *schema.Table
			name    float64
			covered float64
			total   float64
		}
		var all []scored
		for _, t := range p.schema.Tables {
			name := p.names.tableScore(f, t)
			covered := p.coverage(f, t)
			all = append(all, scored{t, name, covered, 0.6*name + 0.4*covered})
		}
		sort.SliceStable(all, func(i, j int) bool { return all[i].total > all[j].total })
		if len(all) == 0 || all[0].total < 0.3 {
			p.ask(Question{File: f.path, Text: "no table of the schema is like this file"})
			continue
		}
		best := all[0]
		f.main, f.share = best.t, 0.5+best.total/2
		next := 0.0
		if len(all) > 1 {
			next = all[1].total
		}
		switch {
		case best.name >= 0.95 && best.covered >= 0.2 && best.total-next >= 0.1:
			f.share, f.why = 0.97, "the file has the table's name, and its columns"
		case best.name >= 0.9:
			f.share, f.why = min(0.89, f.share), "the file's name means the table"
		default:
			f.share, f.why = min(0.85, f.share), "its columns are most like the table's"
		}
		f.key = keyOf(f, p.names)
	}
}

// coverage is the share of the file's columns that have one of the table's by name.
func (p *proposer) coverage(f *file, t *schema.Table) float64 {
	if len(f.columns) == 0 {
		return 0
	}
	n := 0.0
	for _, c := range f.columns {
		best := 0.0
		for _, target := range t.Columns {
			if s, _ := p.names.columnScore(f, c, t, target); s > best && !(s < 0.95 && p.fit(t, target, c) == 0) {
				best = s
			}
		}
		if best >= 0.7 {
			n += best
		}
	}
	return n / float64(len(f.columns))
}

func (p *proposer) fit(t *schema.Table, target *schema.Column, c *column) float64 {
	return p.mapper.Fit(t, target, c.values[:min(len(c.values), 100)])
}
