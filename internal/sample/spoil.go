package sample

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"dropline/schema"
)

// gentleShare is the part of a table that is spoiled before the others have had as much: errors are spread over many
// tables, and the largest takes what is left.
const gentleShare = 10

// placeErrors shares n errors out among the tables with rows that can be spoiled.
func (e *Export) placeErrors(n int64) error {
	if n < 0 {
		return fmt.Errorf("the number of errors is negative")
	}
	if n == 0 {
		return nil
	}
	type room struct {
		t    table
		rows int64
	}
	var rooms []room
	var total int64
	for t := range tableCount {
		if rows := e.spare(t); rows > 0 {
			rooms = append(rooms, room{t, rows})
			total += rows
		}
	}
	if n > total {
		return fmt.Errorf("%d rows at most can be spoiled without harm to others: ask for more rows or fewer errors", total)
	}
	slices.SortStableFunc(rooms, func(a, b room) int { return cmp.Compare(a.rows, b.rows) })
	for _, share := range []int64{gentleShare, 1} {
		for i, r := range rooms {
			limit := (r.rows+share-1)/share - e.errors[r.t]
			fair := (n + int64(len(rooms)-i) - 1) / int64(len(rooms)-i)
			take := min(limit, fair, n)
			e.errors[r.t] += take
			n -= take
		}
	}
	return nil
}

// spare counts the rows of a table that can be spoiled.
func (e *Export) spare(t table) (rows int64) {
	p, spec := e.plan, &specs[t]
	if spec.spare == nil || !p.written[t] {
		return 0
	}
	for i := range p.n[t] {
		if spec.spare(p, i) {
			rows++
		}
	}
	return rows
}

// The codes of rejects, as package ingest has them; this package imports the schema only, and a test compares them.
const (
	codeRequired     = "required"
	codeNotNumber    = "not_a_number"
	codeOutOfRange   = "out_of_range"
	codePrecision    = "precision"
	codeNotDate      = "not_a_date"
	codeNotTimestamp = "not_a_timestamp"
	codeNotBoolean   = "not_a_boolean"
	codeNotMember    = "not_a_member"
	codeTooLong      = "too_long"
	codeInvalidText  = "invalid_text"
	codeInvalidRef   = "invalid_id"
	codeFieldCount   = "field_count"
	codeQuote        = "quote"
	codeDuplicateKey = "duplicate_key"
	codeMissingRef   = "reference"
)

// fault is one way to spoil a row.
type fault struct {
	column int // -1: the record as a whole
	code   string
	value  func(ordinal int64, r *record) string
	raw    bool // the value is written without quotes
}

// spoiler spoils as many rows of a table as were placed in it, evenly over its length and always the same ones.
type spoiler struct {
	p       *plan
	t       table
	left    int64 // still to be spoiled
	pool    int64 // spare rows still to come
	ordinal int64
	dice    dice
	faults  []fault
	twin    string // the key that the next spoiled row must repeat
}

func newSpoiler(e *Export, t table) *spoiler {
	s := &spoiler{p: e.plan, t: t, left: e.errors[t], dice: e.plan.roll(t, -7)}
	if s.left == 0 {
		return s
	}
	s.pool = e.spare(t)
	s.faults = faultsOf(e.plan.schema.Table(specs[t].name), t)
	for other := range t {
		s.ordinal += e.errors[other]
	}
	return s
}

// spoil spoils the record if row i is one of those chosen, and tells how.
func (s *spoiler) spoil(i, line int64, r *record) *Spoiled {
	spec := &specs[s.t]
	if s.left == 0 || !spec.spare(s.p, i) {
		return nil
	}
	chosen := s.dice.below(s.pool) < s.left
	s.pool--
	if !chosen {
		return nil
	}
	s.left--
	s.ordinal++
	found := &Spoiled{
		File: s.p.files[s.t], Table: spec.name, Record: i + 1, Line: line, ImportID: string(r.value(0)),
	}
	if s.twin != "" {
		r.replace(0, s.twin)
		found.ImportID, found.Column, found.Code = s.twin, spec.columns[0], codeDuplicateKey
		s.twin = ""
		return found
	}
	f := s.faults[s.ordinal%int64(len(s.faults))]
	if f.code == codeDuplicateKey {
		if s.left > 0 { // this row stays as it is, the next one takes its key: both are refused
			s.twin = found.ImportID
			found.Column, found.Code = spec.columns[0], f.code
			return found
		}
		f = s.faults[(s.ordinal+1)%int64(len(s.faults))]
	}
	found.Code = f.code
	switch {
	case f.column < 0:
		r.extra = f.value(s.ordinal, r)
	default:
		found.Column = spec.columns[f.column]
		r.replace(f.column, f.value(s.ordinal, r))
		if f.raw {
			r.raw = f.column
			found.Column = ""
		}
	}
	return found
}

// faultsOf lists the ways to spoil a row of the table: by turns one of each kind, each kind with its columns by turns.
func faultsOf(def *schema.Table, t table) []fault {
	kinds := faultKinds(def, t)
	var out []fault
	for round := 0; ; round++ {
		added := false
		for _, kind := range kinds {
			if round < len(kind) {
				out = append(out, kind[round])
				added = true
			}
		}
		if !added {
			return out
		}
	}
}

func faultKinds(def *schema.Table, t table) [][]fault {
	var kinds [][]fault
	fixed := func(s string) func(int64, *record) string { return func(int64, *record) string { return s } }
	add := func(code string, value func(int64, *record) string, fits func(*schema.Column) bool) {
		var kind []fault
		for i, name := range specs[t].columns {
			if c := def.Column(name); c != def.Key && fits(c) {
				kind = append(kind, fault{column: i, code: code, value: value})
			}
		}
		kinds = append(kinds, kind)
	}
	ofKind := func(k schema.Kind) func(*schema.Column) bool {
		return func(c *schema.Column) bool { return c.Kind == k }
	}
	text := func(c *schema.Column) bool { return c.Kind == schema.Text && c.Length > 0 && c.Length <= maxTooLong }
	add(codeNotDate, fixed("2026-02-30"), ofKind(schema.Date))
	add(codeMissingRef, func(n int64, _ *record) string { return fmt.Sprintf("GONE-%d", n) },
		func(c *schema.Column) bool { return c.References != nil })
	add(codeNotNumber, fixed("n/a"), ofKind(schema.Decimal))
	add(codeNotMember, fixed("Miscellaneous"), ofKind(schema.Enumerate))
	add(codeRequired, fixed(""), func(c *schema.Column) bool { return c.Required })
	kinds = append(kinds, []fault{{column: 0, code: codeDuplicateKey}})
	add(codeOutOfRange, fixed("12345678901234567890.00"), func(c *schema.Column) bool { return c.Kind == schema.Decimal && c.Precision == 19 })
	add(codeNotBoolean, fixed("perhaps"), ofKind(schema.Boolean))
	add(codeInvalidText, fixed("a NUL\x00character"), text)
	add(codeNotTimestamp, fixed("2026-13-01T09:00:00Z"), ofKind(schema.Timestamp))
	kinds = append(kinds, checkFaults(t))
	add(codePrecision, fixed("1.23456"), func(c *schema.Column) bool { return c.Kind == schema.Decimal && c.Scale == 4 })
	add(codeInvalidRef, fixed(wrongReference), func(c *schema.Column) bool { return c.References != nil })
	kinds = append(kinds, tooLong(def, t))
	kinds = append(kinds, []fault{{column: -1, code: codeFieldCount, value: fixed("one too many")}})
	if t == workItem { // whose records are of one line, so that reading goes on right after
		at := slices.Index(specs[t].columns, "Title")
		kinds = append(kinds, []fault{{column: at, code: codeQuote, value: fixed(`Perusing the "plan`), raw: true}})
	}
	return kinds
}

// maxTooLong keeps the values that are too long for their column short enough to look at.
const maxTooLong = 1000

func tooLong(def *schema.Table, t table) (kind []fault) {
	for i, name := range specs[t].columns {
		c := def.Column(name)
		if c != def.Key && c.Kind == schema.Text && c.Length > 0 && c.Length <= maxTooLong {
			value := strings.Repeat("é", c.Length+1)
			kind = append(kind, fault{column: i, code: codeTooLong, value: func(int64, *record) string { return value }})
		}
	}
	return kind
}

func checkFaults(t table) (kind []fault) {
	for _, v := range specs[t].breaks {
		kind = append(kind, fault{
			column: slices.Index(specs[t].columns, v.column), code: v.code,
			value: func(int64, *record) string { return v.value },
		})
	}
	return kind
}

// wrongReference is a production id of a table to which no column of any table refers.
const wrongReference = "ledger_line_22635a10c993592cb52c083f346aa950"
