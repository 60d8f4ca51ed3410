package mapping

import (
	"bytes"
	"time"

	"dropline/ingest"
	"dropline/schema"
)

// converter turns text into the values of one file's columns. What it appends to its arena lives until the next record.
type converter struct {
	tables map[string]*schema.Table // by prefix, to know production ids
	zone   zone
	arena  []byte
	// settled is a column of which the last value read settled whether the day or the month comes first in its dates: order.
	settled *target
	order   dayOrder
}

func newConverter(s *schema.Schema, location *time.Location) *converter {
	c := &converter{tables: make(map[string]*schema.Table, len(s.Tables)), zone: zone{location: location}}
	for _, t := range s.Tables {
		c.tables[t.Prefix] = t
	}
	return c
}

// target is a column as values are converted for it.
type target struct {
	column  *schema.Column
	isKey   bool
	length  int               // of Text, List and of an import id, in characters; 0 is unbounded
	whole   int               // digits before the point, of a Decimal
	members map[string]int64  // of an enumeration, by normalised name
	exact   map[string]int64  // the same by the name as published: what most files have
	formed  bool              // of Text and List: it is more than a text
	names   map[string][]byte // of an open enumeration: the names as published, by themselves and normalised
	number  *numberSyntax
	layouts []*layout // none: the default forms
	others  []*layout // the same with the month first, where order is open
	order   dayOrder  // of layouts that were found
	found   bool      // layouts were found in the file, not set by the mapping

	relation bool // the values are a database's, not a file's
	exported bool // layouts are of an export of the relation: its own values come in the default forms
}

func newTarget(t *schema.Table, c *schema.Column) target {
	g := target{column: c, isKey: c == t.Key, length: c.Length, whole: c.Precision - c.Scale, number: &defaultNumber}
	if c.Kind == schema.Reference && c.References.Key != nil && c.References.Key.Length > 0 {
		g.length = c.References.Key.Length
	}
	g.form()
	if c.Kind == schema.Enumerate {
		g.members, g.exact = make(map[string]int64, len(c.Enum.Values)), make(map[string]int64, len(c.Enum.Values))
		for _, v := range c.Enum.Values {
			g.members[schema.NormalizeName(v.Name)] = int64(v.Number)
			g.exact[v.Name] = int64(v.Number)
		}
	}
	return g
}

// convert sets v from text that is present: trimmed, and not empty. It returns the code of what is wrong.
func (c *converter) convert(g *target, text []byte, v *ingest.Value) string {
	switch g.column.Kind {
	case schema.Text, schema.List:
		if g.formed {
			return c.formed(g, text, v)
		}
		n, ok := textLength(text)
		switch {
		case !ok:
			return ingest.CodeInvalidText
		case g.length > 0 && n > g.length:
			return ingest.CodeTooLong
		}
		v.Text = text
		return ""
	case schema.Reference:
		return c.reference(g, text, v)
	case schema.Integer, schema.BigInt:
		return c.integer(g, text, v)
	case schema.Decimal:
		if g.number == &defaultNumber && isPlainDecimal(text, g.whole, g.column.Scale) {
			v.Text = text
			return ""
		}
		return c.decimal(g, text, v)
	case schema.Boolean:
		if code := boolean(text, v); code == "" || !g.relation {
			return code
		}
		return boolean(withoutZeros(text), v)
	case schema.Date:
		return c.date(g, text, v)
	case schema.Timestamp:
		return c.timestamp(g, text, v)
	case schema.Enumerate:
		return c.member(g, text, v)
	}
	return ingest.CodeInvalidText // no such kind
}

const idHexDigits = 32

// productionID splits what has the form of some table's production id. The digits may be upper case.
func (c *converter) productionID(text []byte) (*schema.Table, bool) {
	n := len(text) - idHexDigits - 1
	if n <= 0 || text[n] != '_' {
		return nil, false
	}
	for _, d := range text[n+1:] {
		if d-'0' > 9 && (d|0x20 < 'a' || d|0x20 > 'f') {
			return nil, false
		}
	}
	t := c.tables[string(text[:n])]
	return t, t != nil
}

// importID checks what identifies a row in the system that the file comes from.
func importID(text []byte, most int) string {
	n, ok := textLength(text)
	switch {
	case !ok:
		return ingest.CodeInvalidText
	case hasControl(text):
		return ingest.CodeInvalidRef
	case most > 0 && n > most:
		return ingest.CodeTooLong
	}
	return ""
}

func (c *converter) key(g *target, text []byte, v *ingest.Value) string {
	if _, is := c.productionID(text); is {
		return ingest.CodeInvalidRef // it would be taken for the id of another row wherever it is referred to
	}
	if code := importID(text, g.length); code != "" {
		return code
	}
	v.Text = text
	return ""
}

func (c *converter) reference(g *target, text []byte, v *ingest.Value) string {
	t, is := c.productionID(text)
	if !is {
		if code := importID(text, g.length); code != "" {
			return code
		}
		v.Text = text
		return ""
	}
	if t != g.column.References {
		return ingest.CodeInvalidRef
	}
	v.Text = text
	if !schema.IsObjectID(t.Prefix, text) { // upper-case digits
		start := len(c.arena)
		c.arena = append(c.arena, text...)
		v.Text = c.arena[start:]
		for i, d := range v.Text[len(t.Prefix):] {
			if 'A' <= d && d <= 'F' {
				v.Text[len(t.Prefix)+i] = d + 'a' - 'A'
			}
		}
	}
	return ""
}

const (
	maxInt32 = 1<<31 - 1
	minInt32 = -1 << 31
	bigWhole = 19 // digits of a 64-bit integer
)

func (c *converter) integer(g *target, text []byte, v *ingest.Value) string {
	i, ok := plainInteger(text)
	if !ok {
		n, arena, ok := parseNumber(text, g.number, c.arena)
		c.arena = arena
		if !ok {
			return ingest.CodeNotNumber
		}
		return c.setInteger(g, &n, v)
	}
	if g.column.Kind == schema.Integer && (i > maxInt32 || i < minInt32) {
		return ingest.CodeOutOfRange
	}
	v.Int = i
	return ""
}

func (c *converter) setInteger(g *target, n *number, v *ingest.Value) string {
	if code := n.fit(bigWhole, 0, g.number.round); code != "" {
		return code
	}
	i, ok := n.integer()
	if !ok || g.column.Kind == schema.Integer && (i > maxInt32 || i < minInt32) {
		return ingest.CodeOutOfRange
	}
	v.Int = i
	return ""
}

func (c *converter) decimal(g *target, text []byte, v *ingest.Value) string {
	n, arena, ok := parseNumber(text, g.number, c.arena)
	c.arena = arena
	if !ok {
		return ingest.CodeNotNumber
	}
	return c.setDecimal(g, &n, v)
}

func (c *converter) setDecimal(g *target, n *number, v *ingest.Value) string {
	if code := n.fit(g.whole, g.column.Scale, g.number.round); code != "" {
		return code
	}
	start := len(c.arena)
	c.arena = n.appendTo(c.arena)
	v.Text = c.arena[start:]
	return ""
}

// boolean reads true, false, yes, no, their first letters, on, off, 1 and 0, whatever the case.
func boolean(text []byte, v *ingest.Value) string {
	is := func(word string) bool { return len(text) == len(word) && hasFold(text, word) }
	switch {
	case is("true"), is("1"), is("yes"), is("y"), is("t"), is("on"):
		v.Int = 1
	case is("false"), is("0"), is("no"), is("n"), is("f"), is("off"):
		v.Int = 0
	default:
		return ingest.CodeNotBoolean
	}
	return ""
}

func (c *converter) member(g *target, text []byte, v *ingest.Value) string {
	if n, ok := g.exact[string(text)]; ok {
		v.Int = n
		return ""
	}
	digits := text
	if g.relation {
		digits = withoutZeros(text)
	}
	if n, ok := plainInteger(digits); ok {
		if n < 0 || n >= int64(len(g.column.Enum.Values)) {
			return ingest.CodeNotMember
		}
		v.Int = n
		return ""
	}
	if _, ok := textLength(text); !ok {
		return ingest.CodeInvalidText // which folding would overlook
	}
	start := len(c.arena)
	c.arena = foldInto(c.arena, text)
	n, ok := g.members[string(c.arena[start:])]
	c.arena = c.arena[:start]
	if !ok {
		return ingest.CodeNotMember
	}
	v.Int = n
	return ""
}

// withoutZeros takes a point and the zeros after it off a number: a whole one in a database's column of decimals or money.
func withoutZeros(text []byte) []byte {
	whole, zeros, ok := bytes.Cut(text, []byte("."))
	if !ok || len(whole) == 0 || len(zeros) == 0 || len(bytes.Trim(zeros, "0")) > 0 {
		return text
	}
	return whole
}
