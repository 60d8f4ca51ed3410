package mapping

import (
	"bytes"
	"fmt"
	"io"

	"dropline/mapping/detect"
	"dropline/schema"
)

// What a column's values have in common is found out from the beginning of the file, before rows flow, and only for columns whose
// values are not in the default forms: those cost a look at the first values and nothing after.

const (
	surveyRows  = 20_000 // records that are looked at, at most
	plainEnough = 100    // values in the default form after which a column is not looked at any longer
	maxFormats  = 12     // of one column
)

// Known is what an earlier reading of a file found out about it that its beginning does not tell: by column, how its dates are.
type Known struct {
	Orders map[string]dayOrder
	Lines  map[string]int64 // of the values that settle it
}

// observed is what has been seen of one column's values.
type observed struct {
	in      *input
	plain   int // in the default form
	strange int // in none that is known
	// Of dates: the formats, with the day and with the month first, and where the order is settled.
	days, months []*layout
	first        map[dayOrder]evidence
	ambiguous    int
	serials      int
	example      string // of a value that may be either
	// Of numbers.
	points, commas evidence // a decimal point, a decimal comma is evident
	threes         int      // numbers with one point, before three digits
	groups         map[rune]int
	pairs          bool // groups of two, as in India
	done           bool
}

// evidence is a value that settles something.
type evidence struct {
	count int
	line  int64
	value string
}

func (e *evidence) add(line int64, value []byte) {
	if e.count++; e.count == 1 {
		e.line, e.value = line, printable(value, 40)
	}
}

// survey looks at the values of the columns that may have to be read in another than the default form.
func (r *Reader) survey(d *dialect, known *Known) {
	head, whole := r.head, r.whole
	r.head, r.before = nil, known
	var columns []*observed
	for i := range r.plan.inputs {
		if in := &r.plan.inputs[i]; in.surveyed() {
			columns = append(columns, &observed{in: in, first: map[dayOrder]evidence{}, groups: map[rune]int{}})
		}
	}
	if len(columns) == 0 {
		return
	}
	sample := r.sample(head, d)
	scan := r.scan
	r.scan = sample
	defer func() { r.scan = scan }()
	for row := 0; row < surveyRows; row++ {
		o := sample.next()
		if o == scannedEnd || !whole && sample.eof && sample.start+sample.length == sample.end {
			break // the last record may be cut off
		}
		if o != scannedRecord || r.isBlank() || row == 0 && d.header {
			continue
		}
		r.convert.arena = r.convert.arena[:0]
		if !r.observe(columns, sample) {
			break
		}
	}
	r.settleNumbers(columns)
	r.settleDates(columns, known)
	r.clear()
}

// surveyed reports whether a column's values are looked at: those of one field whose form the mapping does not say.
func (in *input) surveyed() bool {
	if len(in.fields) == 0 || in.relation || in.fields[0] < 0 {
		return false
	}
	if in.rule != nil && (in.rule.combine == joined || in.rule.combine == computed || in.rule.combine == hashed || in.rule.combine == fixed) {
		return false
	}
	switch in.column.Kind {
	case schema.Date, schema.Timestamp:
		return len(in.layouts) == 0
	case schema.Decimal, schema.Integer, schema.BigInt:
		return in.number == &defaultNumber
	case schema.Text, schema.Boolean, schema.Enumerate, schema.Reference, schema.List:
	}
	return false
}

// sample splits the beginning of the file as the file will be.
func (r *Reader) sample(head []byte, d *dialect) *scanner {
	var source io.Reader = bytes.NewReader(head)
	if len(d.delimiter) > 1 || d.escape != 0 {
		source = &translator{source: source, delimiter: []byte(d.delimiter), quote: d.quote, escape: d.escape}
	}
	s := newScanner(source, r.scan.delimiter, d.quote, min(r.mapper.options.MaxRecordBytes, detect.HeadBytes), maxColumns+1)
	for range d.skipLines {
		s.skipLine()
	}
	return s
}

// observe takes in the present record. False when there is nothing more to find out.
func (r *Reader) observe(columns []*observed, s *scanner) bool {
	open := false
	record := s.bytes()
	for _, c := range columns {
		if c.done {
			continue
		}
		open = true
		for _, field := range c.in.fields {
			if field >= s.count || field >= len(s.fields) {
				continue
			}
			text := trimSpace(r.text(record, &s.fields[field], &r.convert.arena))
			if len(text) == 0 || c.in.isNull(text) {
				continue
			}
			if isNumeric(c.in.column.Kind) {
				c.number(text, s.line)
			} else {
				c.date(r, text, s.line)
			}
		}
		c.done = c.plain >= plainEnough && c.strange+c.ambiguous+c.serials+len(c.days)+c.commas.count+len(c.groups) == 0
	}
	return open
}

func (r *Reader) tell(format string, args ...any) {
	r.plan.notes = append(r.plan.notes, fmt.Sprintf(format, args...))
}
