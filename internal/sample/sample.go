// Package sample owns the export of a law firm that does not exist: every table of Efimis-1.0, of any size, from a seed.
//
// Every row is computed from the seed, its table and its number alone, so nothing is kept in memory and a row can be
// asked for wherever another refers to it: an invoice's total is summed from lines that are written to another file much
// later. References resolve within the export, ledger entries balance, invoices add up, receipts cover their allocations
// and no matter's trust ledger falls below zero. A given number of rows can be spoiled, each so that it alone is refused.
package sample

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dropline/schema"
)

// MaxRows bounds one table: ids stay short and products of two tables' sizes fit in 64 bits.
const MaxRows = 1_000_000_000

// flushAt is how many bytes are gathered before they are written: one system call per quarter of a megabyte.
const flushAt = 256 << 10

// Config says what export is wanted. The zero value is the small one of Scale 1.
type Config struct {
	Seed uint64
	// Scale is the size of the firm: 1 is a hundred matters and some five thousand rows. 0 is 1.
	Scale float64
	// Total, unless 0, is the number of rows in all, in place of Scale.
	Total int64
	// Rows sets the number of rows of single tables by published name, whatever the scale.
	Rows map[string]int64
	// Tables, unless empty, are the tables that are written. Their rows still refer to those of the others, which the
	// same Seed and sizes write another time.
	Tables []string
	// Errors is the number of rows to spoil.
	Errors int64
}

// Table is one table of an export.
type Table struct {
	Name   string `json:"table"`
	File   string `json:"file"` // name within the export's directory
	Rows   int64  `json:"rows"`
	Errors int64  `json:"errors"`
}

// Spoiled is one row that was spoiled and why it will be refused.
type Spoiled struct {
	File     string `json:"file"`
	Table    string `json:"table"`
	Record   int64  `json:"record"` // from 1, the header not counted
	Line     int64  `json:"line"`   // of the file, where the record begins
	Column   string `json:"column"` // published name; empty where the record as a whole is refused
	Code     string `json:"code"`
	ImportID string `json:"importId"`
}

// Export is an export that can be written, any number of times, always the same.
type Export struct {
	plan   *plan
	tables []Table
	errors [tableCount]int64
}

// New plans an export. It fails on an unknown table, a size that leaves a reference without a target, or more errors
// than there are rows that can be spoiled without harm to another.
func New(cfg Config) (*Export, error) {
	p, err := newPlan(cfg)
	if err != nil {
		return nil, err
	}
	e := &Export{plan: p}
	for t := range tableCount {
		if !p.written[t] {
			continue
		}
		if p.n[t] < 0 || p.n[t] > MaxRows {
			return nil, fmt.Errorf("%s: the number of rows must be between 0 and %d", specs[t].name, int64(MaxRows))
		}
	}
	if err := e.placeErrors(cfg.Errors); err != nil {
		return nil, err
	}
	for t := range tableCount {
		if p.written[t] && p.n[t] > 0 {
			e.tables = append(e.tables, Table{specs[t].name, p.files[t], p.n[t], e.errors[t]})
		}
	}
	return e, nil
}

// Tables lists what is written, parents before children.
func (e *Export) Tables() []Table { return slices.Clone(e.tables) }

// Write writes each table to its file in dir, which is made if it does not exist. A file that is there already is
// replaced. spoiled, unless nil, hears of each spoiled row.
func (e *Export) Write(ctx context.Context, dir string, spoiled func(Spoiled) error) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, t := range e.tables {
		f, err := os.Create(filepath.Join(dir, t.File))
		if err != nil {
			return err
		}
		if err := errors.Join(e.WriteTable(ctx, t.Name, f, spoiled), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// WriteTable writes one table as CSV with a header.
func (e *Export) WriteTable(ctx context.Context, table string, w io.Writer, spoiled func(Spoiled) error) error {
	t, ok := tableNamed(table)
	if !ok {
		return fmt.Errorf("there is no table %q", table)
	}
	p, spec := e.plan, &specs[t]
	out := make([]byte, 0, flushAt+4096)
	for i, c := range spec.columns {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, c...)
	}
	out = append(out, '\n')
	r := newRecord(len(spec.columns))
	s := newSpoiler(e, t)
	line := int64(2)
	for i := range p.n[t] {
		r.begin()
		spec.row(p, i, r)
		if len(r.ends) != len(spec.columns) {
			return fmt.Errorf("sample: %s has %d columns and %d values", spec.name, len(spec.columns), len(r.ends))
		}
		if found := s.spoil(i, line, r); found != nil && spoiled != nil {
			if err := spoiled(*found); err != nil {
				return err
			}
		}
		out = r.appendCSV(out)
		line += 1 + r.newlines
		if len(out) >= flushAt {
			if _, err := w.Write(out); err != nil {
				return err
			}
			out = out[:0]
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
	_, err := w.Write(out)
	return err
}

// plan holds the sizes from which every row follows.
type plan struct {
	seed    uint64
	schema  *schema.Schema
	n       [tableCount]int64
	seeds   [tableCount][]schema.Seed // in the order of the spec's columns
	written [tableCount]bool
	files   [tableCount]string
	shuffle shuffle // of matters among work items, disbursements and invoices
}

func newPlan(cfg Config) (*plan, error) {
	p := &plan{seed: cfg.Seed, schema: schema.Efimis10()}
	for t := range tableCount {
		if err := p.bind(t); err != nil {
			return nil, err
		}
	}
	if err := p.size(cfg); err != nil {
		return nil, err
	}
	if err := p.choose(cfg.Tables); err != nil {
		return nil, err
	}
	p.shuffle = newShuffle(p.n[matter])
	return p, nil
}

// bind checks a table's spec against the schema and takes over its seed rows.
func (p *plan) bind(t table) error {
	spec := &specs[t]
	def := p.schema.Table(spec.name)
	if def == nil {
		return fmt.Errorf("sample: schema %s has no table %s", p.schema.ID(), spec.name)
	}
	p.files[t] = def.Plural + ".csv"
	indexes := make([]int, len(spec.columns))
	for i, name := range spec.columns {
		c := def.Column(name)
		if c == nil {
			return fmt.Errorf("sample: table %s has no column %s", spec.name, name)
		}
		indexes[i] = c.Index
	}
	for _, full := range def.Seeds {
		seed := make(schema.Seed, len(indexes))
		for i, at := range indexes {
			seed[i] = full[at]
		}
		p.seeds[t] = append(p.seeds[t], seed)
	}
	return nil
}

// size settles the number of rows of each table.
func (p *plan) size(cfg Config) error {
	for name, n := range cfg.Rows {
		t, ok := tableNamed(name)
		if !ok {
			return unknownTable(name)
		}
		if n < int64(len(p.seeds[t])) {
			return fmt.Errorf("%s has at least %d rows: the default ones, to which others refer", specs[t].name, len(p.seeds[t]))
		}
		if n > MaxRows {
			return fmt.Errorf("%s: at most %d rows", specs[t].name, int64(MaxRows))
		}
	}
	scale := cfg.Scale
	if scale == 0 {
		scale = 1
	}
	if !(scale > 0) || scale > 1e6 {
		return errors.New("the scale must be above 0 and at most 1000000")
	}
	if cfg.Total > 0 {
		return p.sizeTotal(cfg)
	}
	p.sizeAt(scale, cfg.Rows)
	return p.checkSizes()
}

func (p *plan) sizeAt(scale float64, fixed map[string]int64) {
	given := func(t table) (int64, bool) { n, ok := fixedRows(fixed, t); return n, ok }
	for t := range tableCount {
		spec := &specs[t]
		n := int64(spec.base)
		if spec.grows {
			n = max(1, int64(math.Round(float64(spec.base)*scale)))
		}
		n += int64(len(p.seeds[t]))
		if fixed, ok := given(t); ok {
			n = fixed
		}
		p.n[t] = n
	}
	// Lines follow the whole they belong to, and the other way round, unless both are given.
	for _, pair := range []struct {
		whole, part table
		ratio       float64
	}{{invoice, invoiceLine, 4}, {receipt, receiptAllocation, 1}, {ledgerEntry, ledgerLine, 2.5}} {
		whole, wholeGiven := given(pair.whole)
		part, partGiven := given(pair.part)
		switch {
		case wholeGiven && !partGiven:
			p.n[pair.part] = int64(math.Round(float64(whole) * pair.ratio))
		case partGiven && !wholeGiven:
			p.n[pair.whole] = int64(math.Ceil(float64(part) / pair.ratio))
		case pair.part == ledgerLine && !partGiven: // of a firm so small that rounding leaves an entry one line
			p.n[ledgerLine] = max(p.n[ledgerLine], 2*p.n[ledgerEntry])
		}
	}
}

// sizeTotal finds the scale at which there are Total rows and lets the work items take up the difference.
func (p *plan) sizeTotal(cfg Config) error {
	sum := func() (n int64) {
		for t := range tableCount {
			n += p.n[t]
		}
		return n
	}
	low, high := 0.0, 1e6
	for range 60 {
		scale := (low + high) / 2
		p.sizeAt(scale, cfg.Rows)
		if sum() <= cfg.Total {
			low = scale
		} else {
			high = scale
		}
	}
	p.sizeAt(low, cfg.Rows)
	rest := cfg.Total - sum()
	if _, given := fixedRows(cfg.Rows, workItem); given || rest < 0 || p.n[workItem]+rest > MaxRows {
		return fmt.Errorf("%d rows cannot be shared out among the tables: the fewest are %d", cfg.Total, sum())
	}
	p.n[workItem] += rest
	return p.checkSizes()
}

// checkSizes refuses sizes with which a row could not be sound.
func (p *plan) checkSizes() error {
	for t := range tableCount {
		if p.n[t] == 0 {
			continue
		}
		for _, c := range p.schema.Table(specs[t].name).Columns {
			if c.References == nil || !c.Required {
				continue
			}
			if parent, _ := tableNamed(c.References.Name); p.n[parent] == 0 {
				return fmt.Errorf("%s rows need rows of %s", specs[t].name, c.References.Name)
			}
		}
	}
	if p.n[ledgerLine] < 2*p.n[ledgerEntry] {
		return errors.New("a ledger entry needs two lines at least: ask for more LedgerLine or fewer LedgerEntry rows")
	}
	if p.n[receiptAllocation] > maxAllocations*p.n[invoice] {
		return fmt.Errorf("at most %d ReceiptAllocation rows for each Invoice row", maxAllocations)
	}
	return nil
}

func (p *plan) choose(names []string) error {
	for t := range tableCount {
		p.written[t] = len(names) == 0
	}
	for _, name := range names {
		t, ok := tableNamed(name)
		if !ok {
			return unknownTable(name)
		}
		p.written[t] = true
	}
	return nil
}

func fixedRows(fixed map[string]int64, t table) (int64, bool) {
	for name, n := range fixed {
		if found, ok := tableNamed(name); ok && found == t {
			return n, true
		}
	}
	return 0, false
}

func tableNamed(name string) (table, bool) {
	for t := range tableCount {
		if strings.EqualFold(specs[t].name, name) {
			return t, true
		}
	}
	return 0, false
}

func unknownTable(name string) error {
	return fmt.Errorf("there is no table %q: `dropline schema list` names them", name)
}
