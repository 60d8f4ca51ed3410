package mapping

import (
	"bytes"

	"dropline/ingest"
	"dropline/schema"
)

// maxItems is how many references one value may list: a class has a few terms, a user a few organisations. They are compared with
// each other, to leave out what is there twice.
const maxItems = 500

// form says how a text is more than a text: a key, a value of an open enumeration, a list.
func (g *target) form() {
	c := g.column
	switch {
	case c.Kind == schema.List && c.Enum == nil:
		g.formed = true
		if c.References != nil && c.References.Key != nil {
			g.length = c.References.Key.Length
		}
	case c.Kind == schema.Text && c.Enum != nil:
		g.formed, g.names = true, make(map[string][]byte, 2*len(c.Enum.Values))
		for _, v := range c.Enum.Values {
			g.names[schema.NormalizeName(v.Name)] = []byte(v.Name)
		}
		for _, v := range c.Enum.Values {
			g.names[v.Name] = []byte(v.Name)
		}
	default:
		g.formed = g.isKey
	}
}

// formed converts a text that is more than a text.
func (c *converter) formed(g *target, text []byte, v *ingest.Value) string {
	switch {
	case g.isKey:
		return c.key(g, text, v)
	case g.names != nil:
		return c.openMember(g, text, v)
	case g.column.References != nil:
		return c.references(g, text, v)
	}
	return c.list(g, text, v)
}

// openMember takes a name of an open enumeration, whatever its case, and what begins as further values do, as it is.
func (c *converter) openMember(g *target, text []byte, v *ingest.Value) string {
	n, ok := textLength(text)
	if !ok {
		return ingest.CodeInvalidText
	}
	name, ok := g.names[string(text)]
	if !ok {
		start := len(c.arena)
		c.arena = foldInto(c.arena, text)
		name, ok = g.names[string(c.arena[start:])]
		c.arena = c.arena[:start]
	}
	if ok {
		v.Text = name
		return ""
	}
	open := g.column.Enum.Open
	if len(text) <= len(open) || string(text[:len(open)]) != open {
		return ingest.CodeNotMember
	}
	if n > g.length {
		return ingest.CodeTooLong
	}
	v.Text = text
	return ""
}

// list takes texts set apart by commas: white space around them and empty ones are left out. One that has quotes is left as it
// is, as commas between them are its own.
func (c *converter) list(g *target, text []byte, v *ingest.Value) string {
	if bytes.IndexByte(text, '"') < 0 {
		start := len(c.arena)
		for item, rest := nextItem(text); item != nil; item, rest = nextItem(rest) {
			c.addItem(start, item)
		}
		text = c.arena[start:]
	}
	n, ok := textLength(text)
	switch {
	case !ok:
		return ingest.CodeInvalidText
	case n > g.length:
		return ingest.CodeTooLong
	}
	v.Text, v.Null = text, len(text) == 0
	return c.given(g, v)
}

// references takes keys or production ids set apart by commas, each once.
func (c *converter) references(g *target, text []byte, v *ingest.Value) string {
	var id ingest.Value
	start, items := len(c.arena), 0
	for item, rest := nextItem(text); item != nil; item, rest = nextItem(rest) {
		before := len(c.arena)
		c.addItem(start, item)
		end := len(c.arena)
		own := c.arena[end-len(item) : end]
		if code := c.reference(g, own, &id); code != "" {
			return code
		}
		copy(c.arena[end-len(item):], id.Text) // a production id with capital letters comes back in small ones
		c.arena = c.arena[:end]
		if contains(c.arena[start:before], c.arena[end-len(item):]) {
			c.arena = c.arena[:before]
			continue
		}
		if items++; items > maxItems {
			return ingest.CodeTooLong
		}
	}
	v.Text, v.Null = c.arena[start:], len(c.arena) == start
	return c.given(g, v)
}

// given refuses a list in which there is nothing, where something is required.
func (c *converter) given(g *target, v *ingest.Value) string {
	if v.Null && g.column.Required {
		return ingest.CodeRequired
	}
	return ""
}

// addItem appends an item to the list in the arena.
func (c *converter) addItem(start int, item []byte) {
	if len(c.arena) > start {
		c.arena = append(c.arena, ',')
	}
	c.arena = append(c.arena, item...)
}

// dressItems changes the case of a list's references and puts the prefix before each.
func (r *Reader) dressItems(in *input, text []byte) []byte {
	c, rule := r.convert, in.rule
	start := len(c.arena)
	for item, rest := nextItem(text); item != nil; item, rest = nextItem(rest) {
		if len(c.arena) > start {
			c.arena = append(c.arena, ',')
		}
		if _, is := c.productionID(item); is {
			c.arena = append(c.arena, item...)
			continue
		}
		c.arena = append(c.arena, rule.prefix...)
		switch rule.letters {
		case caseLower:
			c.arena = lowerInto(c.arena, item)
		case caseUpper:
			c.arena = upperInto(c.arena, item)
		case caseKept:
			c.arena = append(c.arena, item...)
		}
	}
	return c.arena[start:]
}

// nextItem splits the first item that is not empty off a list. It is nil at the end.
func nextItem(list []byte) (item, rest []byte) {
	for len(list) > 0 {
		item, rest, _ = bytes.Cut(list, []byte{','})
		if item = trimSpace(item); len(item) > 0 {
			return item, rest
		}
		list = rest
	}
	return nil, nil
}

// contains reports whether an item is in a list without spaces.
func contains(list, item []byte) bool {
	for len(list) > 0 {
		var first []byte
		if first, list, _ = bytes.Cut(list, []byte{','}); bytes.Equal(first, item) {
			return true
		}
	}
	return false
}

// sameAs gives the columns that take another's value where a file has none for them what feeds the other.
func (p *planner) sameAs() {
	for i := range p.plan.inputs {
		in := &p.plan.inputs[i]
		if in.column.SameAs == nil || in.rule != nil || len(in.fields) > 0 {
			continue
		}
		own := in.target
		*in = p.plan.inputs[in.column.SameAs.Index]
		in.target = own
	}
}
