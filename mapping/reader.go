package mapping

import (
	"bytes"
	"fmt"
	"math"
	"slices"

	"dropline/ingest"
	"dropline/schema"
)

// Reader yields a file's records as typed rows and rejects. It implements ingest.Rows. The Raw of a value is in UTF-8,
// whatever the file's encoding.
type Reader struct {
	mapper  *Mapper
	table   *schema.Table
	bytes   *counter
	scan    *scanner
	charset *charset          // of a single-byte encoding other than UTF-8
	escape  byte              // that the fields' texts may have; 0: none
	notes   []string          // on how the file is written
	late    []string          // the same, found further down
	head    []byte            // the beginning of its text, for the survey
	whole   bool              // head is all of it
	open    []*input          // columns of dates of which it is open whether the day or the month comes first
	before  *Known            // by which it was opened
	names   func([]byte) bool // of columns, where there is no table
	header  []string
	plan    *plan
	convert *converter
	row     ingest.Row
	blank   []ingest.Value // the row before a record: with what does not come from the file
	filled  []int          // the inputs that do
	parts   [][]byte       // of a joined value
	pending bool           // the first record of a file without a header was read to count its fields
	done    bool

	asides   asides
	ragged   ragged
	levelled levelled
	lookups  *lookupTables
	division division
	refused  bool
	reject   ingest.Reject
	others   []string // what else is wrong with the record
}

var _ ingest.Rows = (*Reader)(nil)

// Table is the table to which the file belongs.
func (r *Reader) Table() *schema.Table { return r.table }

// Ignored names the headers that belong to no column.
func (r *Reader) Ignored() []string { return r.plan.ignored }

// Notes are remarks about the file that refuse nothing, for people. They are complete once Next has returned false.
func (r *Reader) Notes() []string {
	notes := slices.Concat(r.plan.notes, r.late, r.asides.told(), r.levelled.told(), r.division.told(r.row.Record))
	if r.done && r.row.Record == 0 && r.Err() == nil {
		empty := "the file has a header and no records"
		if r.plan.from != ofFile {
			empty = "the relation has no rows"
		}
		return append(notes, empty)
	}
	return notes
}

// BytesRead is how much of the file has been read so far, for progress.
func (r *Reader) BytesRead() int64 { return r.bytes.n }

// Row returns the present record.
func (r *Reader) Row() *ingest.Row { return &r.row }

// Refused returns why the present record is refused, or nil.
func (r *Reader) Refused() *ingest.Reject {
	if !r.refused {
		return nil
	}
	return &r.reject
}

// Err returns the error of the underlying reader that ended the reading early, or nil.
func (r *Reader) Err() error { return r.scan.err }

// readHeader reads the names of the fields. Those of a file without a header are numbers.
func (r *Reader) readHeader(d *dialect) ([]string, error) {
	o := r.scan.next()
	for d.header && o == scannedRecord && r.isBlank() {
		o = r.scan.next()
	}
	switch {
	case r.scan.err != nil:
		return nil, r.scan.err
	case o == scannedEnd:
		return nil, &ingest.FileRefusal{Code: ingest.CodeEmptyFile, Message: "the file is empty: it has not even a header"}
	case o == scannedTooLong:
		return nil, unreadable("the header, in line %d, is longer than %d bytes: is this a CSV file?", r.scan.line, r.scan.limit)
	case o != scannedRecord:
		return nil, unreadable("the header, in line %d, has a quote in the wrong place: is this a CSV file?", r.scan.line)
	case r.scan.count > maxColumns:
		return nil, unreadable("the header has %d columns, more than %d", r.scan.count, maxColumns)
	}
	names := make([]string, r.scan.count)
	text := r.scan.bytes()
	for i := range names {
		if !d.header {
			names[i] = fmt.Sprintf("column %d", i+1)
			continue
		}
		name := r.text(text, &r.scan.fields[i], nil)
		names[i] = printable(trimSpace(name), math.MaxInt)
	}
	r.pending = !d.header
	r.asides.keep, r.ragged = d.keep, d.ragged
	if d.header && !r.scan.exact {
		r.asides.header = bytes.Clone(withoutEnds(text))
	}
	return names, nil
}

// begin makes ready for the first record.
func (r *Reader) begin(header []string, p *plan) {
	r.header, r.plan = header, p
	if r.pending {
		p.width = r.scan.count // without a header, the first record says how many fields there are
	}
	r.convert = newConverter(r.mapper.schema, r.mapper.options.Location)
	r.blank, r.row.Values = make([]ingest.Value, len(p.inputs)), make([]ingest.Value, len(p.inputs))
	for i := range p.inputs {
		in := &p.inputs[i]
		switch {
		case in.rule != nil && in.rule.combine == fixed:
			r.blank[i] = in.fixed
		case in.rule != nil && in.rule.combine == computed:
			r.filled = append(r.filled, i)
			r.blank[i].Null = true
		case len(in.fields) > 0:
			r.filled = append(r.filled, i)
			r.blank[i].Null = true
		case in.fallback != nil:
			r.blank[i] = *in.fallback
		default:
			r.blank[i].Null = true // and not required, or the file would have been refused
		}
	}
	r.clear()
	r.scan.limit = r.mapper.options.MaxRecordBytes
	if p.shapes() {
		r.beginShape()
	}
}

// Next goes to the next record.
func (r *Reader) Next() bool {
	for {
		r.refused = false
		if r.division.pending() && r.shape(false) {
			return true
		}
		o := scannedRecord
		if r.pending {
			r.pending = false
		} else if !r.done {
			o = r.scan.next()
		}
		if r.done || o == scannedEnd {
			r.done = true
			return false
		}
		if o == scannedRecord && (r.isBlank() || r.isAside()) {
			continue
		}
		s := r.scan
		r.row.Record++
		r.row.Line, r.row.Offset, r.row.Length = s.line, s.offset, int32(min(s.size, math.MaxInt32))
		r.convert.arena = r.convert.arena[:0]
		switch {
		case o != scannedRecord:
			r.refuseRecord(o)
		case s.count != r.plan.width && !r.fits() && !r.level():
			r.refuseCount()
		case r.plan.shapes():
			if !r.shape(true) {
				continue
			}
		default:
			r.values()
		}
		return true
	}
}

// fits reports whether a record differs from the header only in fields that mean nothing: it has more, but they are empty,
// or fewer, but those that it lacks have no name.
func (r *Reader) fits() bool {
	s := r.scan
	if s.count < r.plan.width {
		return r.plan.named > 0 && s.count >= r.plan.named
	}
	if s.surplus {
		return false
	}
	text := s.bytes()
	for _, f := range s.fields[min(r.plan.width, len(s.fields)):min(s.count, len(s.fields))] {
		if len(trimSpace(text[f.start:f.end])) > 0 {
			return false
		}
	}
	return true
}

// endOfFile is the control character with which old programs end a text file.
const endOfFile = "\x1a"

// isBlank reports whether the record is a line of nothing but white space in a file of several columns.
func (r *Reader) isBlank() bool {
	if r.scan.count != 1 || r.scan.fields[0].quoted || r.plan != nil && r.plan.width == 1 {
		return false
	}
	text := trimSpace(r.scan.bytes())
	return len(text) == 0 || string(text) == endOfFile
}

// text is a field's text as received: without its enclosing quotes, doubled quotes single, in UTF-8 where the encoding is
// another. Doubled quotes are resolved in place, once.
func (r *Reader) text(record []byte, f *span, arena *[]byte) []byte {
	b := record[f.start:f.end]
	if f.doubled {
		b = undouble(b, r.scan.quote)
		f.end, f.doubled = f.start+int32(len(b)), false
	}
	if r.escape != 0 && !f.resolved {
		b = unescape(b, r.escape)
		f.end, f.resolved = f.start+int32(len(b)), true
	}
	if r.charset == nil || isASCII(b) {
		return b
	}
	if arena == nil {
		return r.charset.decode(nil, b)
	}
	start := len(*arena)
	*arena = r.charset.decode(*arena, b)
	return (*arena)[start:]
}

// undouble makes every two quotes one.
func undouble(b []byte, quote byte) []byte {
	n := bytes.IndexByte(b, quote)
	for i := n; i < len(b); i++ {
		b[n] = b[i]
		n++
		if b[i] == quote {
			i++
		}
	}
	return b[:n]
}

// values converts the record's fields.
func (r *Reader) values() {
	record := r.scan.bytes()
	inputs, values, fields, written := r.plan.inputs, r.row.Values, r.scan.fields, r.charset != nil || r.escape != 0
	for _, i := range r.filled {
		in, v := &inputs[i], &values[i]
		if !in.plain {
			r.mapped(in, record, v)
			continue
		}
		f := &fields[in.first]
		raw := record[f.start:f.end]
		if f.doubled || written {
			raw = r.text(record, f, &r.convert.arena)
		}
		text := raw
		if n := len(raw); n == 0 || raw[0]-'!' >= 0x7F-'!' || raw[n-1]-'!' >= 0x7F-'!' { // as in trimSpace, once for each field
			text = trimSpace(raw)
		}
		v.Raw = raw
		if len(text) == 0 {
			v.Null = true
			if in.column.Required {
				r.fault(in, ingest.CodeRequired, raw, text)
			}
			continue
		}
		v.Null = false
		if code := r.convert.convert(&in.target, text, v); code != "" {
			v.Null = true
			r.fault(in, code, raw, text)
		}
	}
	if r.refused {
		r.finishReject()
	}
}
