package mapping

import (
	"fmt"
	"io"
	"path"
	"strings"
	"sync"
	"time"

	"dropline/ingest"
	"dropline/schema"
)

// Limits of a file's shape.
const (
	// DefaultMaxRecordBytes is the longest record unless Options say otherwise. It bounds the memory of a reader, and how
	// far it looks for a closing quote.
	DefaultMaxRecordBytes = 16 << 20
	// mostRecordBytes is what Options may raise it to: positions within a record are 32 bits wide.
	mostRecordBytes = 1 << 30
	// maxHeaderBytes is the longest header: 5,000 names of 200 characters.
	maxHeaderBytes = 1 << 20
	// maxColumns is the most fields of a header. PostgreSQL's tables have 1,600 columns; an export may have unused ones.
	maxColumns = 5000
)

// Options are what a Mapper needs to know beside the mapping.
type Options struct {
	Location       *time.Location // of times without a zone; nil is UTC
	MaxRecordBytes int            // 0 is DefaultMaxRecordBytes; at most 1 GiB
	// Lookup opens the file of that pattern below the inbox, of which the mapping takes a lookup table. An error of it that is a
	// *ingest.FileRefusal refuses the files that need the table. nil: there are none.
	Lookup func(pattern string) (io.ReadCloser, error)
}

func (o Options) validate() (Options, error) {
	if o.Location == nil {
		o.Location = time.UTC
	}
	if o.MaxRecordBytes == 0 {
		o.MaxRecordBytes = DefaultMaxRecordBytes
	}
	if o.MaxRecordBytes < 0 || o.MaxRecordBytes > mostRecordBytes {
		return o, fmt.Errorf("MaxRecordBytes is %d: it must be from 1 to %d", o.MaxRecordBytes, mostRecordBytes)
	}
	return o, nil
}

// Mapper opens delivered files under one schema and one mapping. It is immutable and safe for concurrent use.
type Mapper struct {
	schema  *schema.Schema
	mapping *Mapping
	options Options
	lookups func() (*lookupTables, error) // reads them, once
}

// New returns a mapper. The mapping may be nil: then files' names and headers alone say what they are.
func New(s *schema.Schema, m *Mapping, o Options) (*Mapper, error) {
	const op = "mapping.New"
	o, err := o.validate()
	if err != nil {
		return nil, &ingest.Error{Kind: ingest.Invalid, Op: op, Err: err}
	}
	if m != nil && m.schema != s {
		err := fmt.Errorf("the mapping is for %s, not %s", m.schema.ID(), s.ID())
		return nil, &ingest.Error{Kind: ingest.Invalid, Op: op, Err: err, Hint: "read the mapping again under this schema"}
	}
	return &Mapper{schema: s, mapping: m, options: o, lookups: sync.OnceValues(func() (*lookupTables, error) { return readLookups(m, o) })}, nil
}

// TableFor returns the table to which a file of that path belongs, or a refusal of CodeUnknownTable.
func (m *Mapper) TableFor(file string) (*schema.Table, *ingest.FileRefusal) {
	return m.tableFor(file, m.mapping.ruleFor(file))
}

// TableOf is TableFor for one of the tables that are made of a file.
func (m *Mapper) TableOf(f File) (*schema.Table, *ingest.FileRefusal) {
	return m.tableFor(f.Path, m.mapping.ruleFor(f.Path).output(f.Output))
}

func (m *Mapper) tableFor(file string, r *rule) (*schema.Table, *ingest.FileRefusal) {
	if r != nil && r.table != nil {
		return r.table, nil
	}
	base := path.Base(file)
	tables := tablesFor(m.schema, file)
	if len(tables) == 1 {
		return tables[0], nil
	}
	refusal := &ingest.FileRefusal{Code: ingest.CodeUnknownTable}
	if len(tables) > 1 {
		names := make([]string, len(tables))
		for i, t := range tables {
			names[i] = t.Name
		}
		refusal.Message = fmt.Sprintf("%q could be a file of %s: name it for one table only, or say in the mapping which it is",
			brief(base), strings.Join(names, " or of "))
		return nil, refusal
	}
	refusal.Message = fmt.Sprintf("%q names no table of %s%s Name the file for its table, such as Matters.csv, or say in the mapping which it is",
		brief(base), m.schema.ID(), didYouMean(nearTables(m.schema, file)))
	return nil, refusal
}

// File says what of a delivered file is to be read, and how.
type File struct {
	Path   string // below the inbox; a member's is below its archive's
	Output int    // which of the tables that the mapping makes of it, from 1; 0 is the first
	Exact  bool   // CSV that Dropline has written itself: nothing about it is in question but its header
	Known  *Known // what an earlier reading has told; see OpenSettled
}

// Outputs is how many tables the mapping makes of a file: 1, unless it says more.
func (m *Mapper) Outputs(file string) int {
	if r := m.mapping.ruleFor(file); r != nil {
		return max(len(r.outputs), 1)
	}
	return 1
}

// Open begins to read a file: it picks the table and reads the header. The error is a *ingest.FileRefusal if the file as a
// whole is refused, and otherwise r's own. The reader must not be used by anybody else until the Reader is done.
func (m *Mapper) Open(file string, r io.Reader) (*Reader, error) {
	return m.OpenFile(File{Path: file}, r)
}

// OpenFile is Open for one of the tables that are made of a file, or for what is not known by its path alone.
func (m *Mapper) OpenFile(f File, r io.Reader) (*Reader, error) {
	file := f.Path
	rule := m.mapping.ruleFor(file).output(f.Output)
	table, refusal := m.tableFor(file, rule)
	if refusal != nil {
		return nil, refusal
	}
	reader := &Reader{mapper: m, table: table, bytes: &counter{source: r}}
	if m.mapping != nil && len(m.mapping.lookups) > 0 {
		var err error
		if reader.lookups, err = m.lookups(); err != nil {
			return nil, err
		}
	}
	d, err := reader.look(rule, f.Exact)
	if err != nil {
		return nil, err
	}
	header, err := reader.readHeader(d)
	if err != nil {
		return nil, err
	}
	if !d.header && !d.given.header {
		return nil, noHeader()
	}
	plan, refusal := m.plan(table, rule, header, d.header, ofFile)
	if refusal != nil {
		return nil, refusal
	}
	plan.notes = append(reader.notes, plan.notes...)
	reader.begin(header, plan)
	reader.survey(d, f.Known)
	return reader, nil
}

func unreadable(format string, args ...any) *ingest.FileRefusal {
	return &ingest.FileRefusal{Code: ingest.CodeUnreadable, Message: fmt.Sprintf(format, args...)}
}
