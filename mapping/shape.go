package mapping

import (
	"bytes"
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"dropline/ingest"
)

// splitRule says how one record becomes several rows: one for each part of a column, or for each of several columns that has a value.
type splitRule struct {
	headers   []string
	separator string // "" where each column is one part
}

// Pseudo-headers that stand for a part of a record that is split, its number from 1, and the header that it is of.
const (
	partHeader   = "$part"
	indexHeader  = "$index"
	originHeader = "$header"
)

// Fields of those, beside the file's own.
const (
	partField   = -1
	indexField  = -2
	originField = -3
)

const maxParts = 10_000 // of one record: what is longer is no list but a broken line

// division is of the present record into parts, of which each makes a row.
type division struct {
	view     *rowView
	where    *expression
	split    *splitRule
	fields   []int // of the columns that are split
	texts    [][]byte
	headers  []string
	at       int
	digits   []byte
	omitted  int64     // records that where leaves out
	distinct *distinct // nil where rows may come again
}

func (p *division) pending() bool  { return p.at < len(p.texts) }
func (p *division) text() string   { return string(p.texts[p.at-1]) }
func (p *division) header() string { return p.headers[p.at-1] }
func (p *division) number() int    { return p.at }

// field is the text of a pseudo-header.
func (p *division) field(field int) []byte {
	switch field {
	case partField:
		return p.texts[p.at-1]
	case originField:
		return []byte(p.header())
	}
	p.digits = fmt.Appendf(p.digits[:0], "%d", p.at)
	return p.digits
}

// shapes reports whether rows are more or fewer than the file's records.
func (p *plan) shapes() bool { return p.where != nil || p.split != nil || p.distinct }

// beginShape makes ready for splitting and leaving out.
func (r *Reader) beginShape() {
	r.division.where, r.division.split = r.plan.where, r.plan.split
	if r.plan.distinct {
		r.division.distinct = newDistinct()
	}
	if s := r.plan.split; s != nil {
		view := r.rowView()
		for _, h := range s.headers {
			if field, ok := view.find(h); ok {
				r.division.fields = append(r.division.fields, field)
			} else {
				r.plan.notes = append(r.plan.notes, fmt.Sprintf("the mapping splits %q, which the file does not have", h))
			}
		}
	}
}

// rowView is how expressions see the present record.
func (r *Reader) rowView() *rowView {
	if r.division.view == nil {
		r.division.view = newRowView(r)
	}
	return r.division.view
}

// shape makes the next row of the present record; first tells that the record was just read. False where there is none.
func (r *Reader) shape(first bool) bool {
	p := &r.division
	if first && p.split != nil {
		if message := r.divide(); message != "" {
			r.clear()
			r.start(ingest.CodeComputed, message)
			r.finishReject()
			return true
		}
	}
	for p.split == nil || p.pending() {
		if p.split != nil {
			if p.at++; !first {
				r.row.Record++
				r.convert.arena = r.convert.arena[:0]
			}
		}
		holds, err := r.isWanted()
		switch {
		case err != nil:
			r.clear()
			r.start(ingest.CodeComputed, fmt.Sprintf("where, in line %d of the mapping, cannot be computed: %s", p.where.line, computedFault(err)))
			r.finishReject()
			return true
		case holds:
			if r.values(); !r.isRepeated() {
				return true
			}
		default:
			p.omitted++
		}
		if p.split == nil {
			return false
		}
		first = false
	}
	return false
}

func (r *Reader) isWanted() (bool, error) {
	if r.division.where == nil {
		return true, nil
	}
	view := r.rowView()
	view.err = nil
	return r.division.where.holds(view)
}

// divide finds the parts of the present record.
func (r *Reader) divide() string {
	p := &r.division
	p.texts, p.headers, p.at = p.texts[:0], p.headers[:0], 0
	record := r.scan.bytes()
	add := func(text []byte, field int) {
		if text = trimSpace(text); len(text) > 0 {
			p.texts, p.headers = append(p.texts, bytes.Clone(text)), append(p.headers, r.header[field])
		}
	}
	for _, field := range p.fields {
		if field >= r.scan.count {
			continue
		}
		text := r.text(record, &r.scan.fields[field], &r.convert.arena)
		if p.split.separator == "" {
			add(text, field)
			continue
		}
		for part := range bytes.SplitSeq(text, []byte(p.split.separator)) {
			add(part, field)
			if len(p.texts) > maxParts {
				return fmt.Sprintf("%q has more than %d parts", r.header[field], maxParts)
			}
		}
	}
	return ""
}

// computedFault is why an expression could not be computed, for people.
func computedFault(err error) string {
	message := err.Error()
	if strings.Contains(message, "cost limit exceeded") {
		return "it takes too long for this row"
	}
	return ingest.CutText(strings.Join(strings.Fields(message), " "), 300)
}

// computed sets a value that an expression gives.
func (r *Reader) computed(in *input, v *ingest.Value) {
	view := r.rowView()
	view.err = nil
	text, present, err := in.rule.expr.evaluate(view)
	if err != nil {
		*v = ingest.Value{Null: true}
		r.faultWith(in, ingest.CodeComputed, "it cannot be computed: "+computedFault(err), nil)
		return
	}
	start := len(r.convert.arena)
	r.convert.arena = append(r.convert.arena, text...)
	if !present {
		text = ""
	}
	r.dressed(in, r.convert.arena[start:start+len(text)], nil, v)
}

// split reads how records become several rows.
func (p *parser) split(n *yaml.Node, r *rule) *splitRule {
	if n == nil {
		return nil
	}
	f := p.fields(n, "split", "column", "columns", "separator")
	s := &splitRule{separator: p.text(f["separator"], "separator")}
	switch {
	case (f["column"] == nil) == (f["columns"] == nil):
		p.fault(n, "split needs either column, with separator, or columns")
	case f["column"] != nil:
		s.headers = []string{p.text(f["column"], "column")}
		if s.separator == "" {
			p.fault(n, "split of a column needs a separator, such as \";\"")
		}
	default:
		s.headers = p.texts(f["columns"], "columns")
	}
	if !r.dialect.header {
		p.fault(n, "split needs a file with a header")
	}
	return s
}

// condition reads where.
func (p *parser) condition(n *yaml.Node, split bool) *expression {
	if n == nil {
		return nil
	}
	e, err := p.expression(p.text(n, "where"), n.Line, split, isBool, "true or false")
	if err != nil {
		p.fault(n, "where: %s", err)
	}
	return e
}

// told says how many records where has left out.
func (p *division) told(read int64) []string {
	if p.omitted == 0 {
		return p.distinct.told(read)
	}
	return append(p.distinct.told(read), fmt.Sprintf("%d of %d rows are left out by where, in line %d of the mapping", p.omitted, read, p.where.line))
}
