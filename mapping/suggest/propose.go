package suggest

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"dropline/mapping"
	"dropline/schema"
)

// propose drafts what a file feeds.
func (p *proposer) propose(f *file) {
	if f.main == nil {
		return
	}
	tables := []*schema.Table{f.main}
	first := p.output(f, f.main, f.share, f.why)
	p.match(f, first)
	if f.key == nil {
		p.joinedKey(f, first)
	}
	p.embedded(f, first)
	if parent, ref := p.parent(f, first); parent != nil {
		o := p.output(f, parent, min(f.share, 0.93), "its other columns are the "+parent.Name+"'s that a "+f.main.Name+" needs")
		p.match(f, o)
		p.line(first, ref, f.key.header, min(f.key.sure, 0.93), "the "+parent.Name+" is made of the same row", "")
		f.outputs = append([]*output{o}, f.outputs[:len(f.outputs)-1]...) // before what refers to it
		tables = append(tables, parent)
	}
	p.children(f, tables)
	for _, o := range f.outputs {
		p.derive(f, o)
		p.missing(f, o)
		sort.SliceStable(o.lines, func(i, j int) bool {
			return o.table.Column(o.lines[i].Column).Index < o.table.Column(o.lines[j].Column).Index
		})
	}
	p.left(f)
}

func (p *proposer) output(f *file, t *schema.Table, share float64, why string) *output {
	o := &output{table: t, share: share, why: why}
	f.outputs = append(f.outputs, o)
	if f.key != nil {
		f.key.used = true
		p.line(o, t.Key, f.key.header, f.key.sure, "it tells the rows apart", "")
	}
	return o
}

// line adds a line for a column, unless there is one.
func (p *proposer) line(o *output, c *schema.Column, from string, sure float64, why, yaml string) {
	if o.has(c) {
		return
	}
	if yaml == "" {
		yaml = quote(from)
	}
	o.lines = append(o.lines, Line{Table: o.table.Name, Column: c.Name, From: from, Confidence: round(sure), Reason: why, yaml: yaml})
}

func (o *output) has(c *schema.Column) bool {
	return slices.ContainsFunc(o.lines, func(l Line) bool { return l.Column == c.Name })
}

func round(x float64) float64 { return float64(int(x*100+0.5)) / 100 }

// candidate is a header for a column.
type candidate struct {
	c     *column
	to    *schema.Column
	score float64
	why   string
}

// match finds the headers for an output's columns: the best pairs first.
func (p *proposer) match(f *file, o *output) {
	var all []candidate
	for _, c := range f.columns {
		if c == f.key || c == o.key || o.distinct && c.used && !p.refers(o, c) {
			continue
		}
		for _, to := range o.table.Columns {
			if to == o.table.Key || to.Extra || to.Deletes != "" {
				continue
			}
			if s, why := p.pair(f, o.table, c, to); s >= floor {
				all = append(all, candidate{c, to, s, why})
			}
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].score > all[j].score })
	taken := map[*column]bool{}
	for i, a := range all {
		if taken[a.c] || o.has(a.to) {
			continue
		}
		for _, b := range all[i+1:] { // a rival that is nearly as good
			if (b.c == a.c) != (b.to == a.to) && !taken[b.c] && !o.has(b.to) && a.score-b.score < 0.03 {
				a.score, a.why = min(a.score, 0.85), a.why+"; "+b.c.header+" and "+b.to.Name+" are nearly as near"
				break
			}
		}
		taken[a.c], a.c.used = true, true
		yaml := ""
		if a.to.Kind == schema.Boolean {
			if yaml = switched(a.c); yaml != "" {
				a.why += ", and its values say whether"
			}
		}
		p.line(o, a.to, a.c.header, a.score, a.why, yaml)
	}
}

// refers reports whether a header names what a table refers to: that, several tables may use.
func (p *proposer) refers(o *output, c *column) bool {
	return slices.ContainsFunc(o.table.Columns, func(to *schema.Column) bool {
		score, _ := p.names.columnScore(&file{}, c, o.table, to)
		return to.References != nil && score >= Confident
	})
}

// pair says how far a header is a column's, by its name and its values.
func (p *proposer) pair(f *file, t *schema.Table, c *column, to *schema.Column) (float64, string) {
	score, why := p.names.columnScore(f, c, t, to)
	if to.References != nil {
		if s, w := p.reference(f, c, to); s > score {
			score, why = s, w
		}
	}
	if score < floor {
		return 0, ""
	}
	fit := p.fit(t, to, c)
	if to.Kind == schema.Boolean && switched(c) != "" {
		fit = 1
	}
	switch {
	case fit < 0:
		return min(score, 0.88), why + "; the sample has no values of it"
	case fit < 0.5:
		return score * 0.4, why + ", but its values are none of that kind"
	case fit < 0.98:
		return min(score, 0.85), fmt.Sprintf("%s; %.0f %% of its values fit", why, fit*100)
	}
	if to.Kind == schema.Date || to.Kind == schema.Timestamp || to.Kind == schema.Enumerate {
		why += ", and its values fit"
	}
	return score, why
}

// reference says how far a header names rows of the table that a column refers to: by its name, and by whether its values are among
// that table's keys.
func (p *proposer) reference(f *file, c *column, to *schema.Column) (float64, string) {
	words := expand(c.words)
	for len(words) > 1 && slices.Contains([]string{"id", "number", "code", "key", "sis", "guid"}, words[len(words)-1]) {
		words = words[:len(words)-1]
	}
	name := strings.Join(words, "")
	meant := slices.ContainsFunc(p.names.tables[to.References], func(n string) bool { return singular(n) == name })
	among := false
	for _, other := range p.files {
		if other == f {
			continue
		}
		feeds := other.main == to.References || slices.ContainsFunc(other.outputs, func(o *output) bool { return o.table == to.References })
		if feeds && other.key != nil && c.filled > 0 && included(c, other.key) {
			among = true
			meant = meant || strings.Join(expand(other.stem), "") == name || other.key.folded == c.folded
		}
	}
	rivals := 0 // other columns that refer to the same table
	for _, t := range p.schema.Tables {
		if !slices.Contains(t.Columns, to) {
			continue
		}
		for _, col := range t.Columns {
			if col.References == to.References && col != to {
				rivals++
			}
		}
	}
	switch {
	case meant && among && rivals == 0:
		return 0.95, "it names a " + to.References.Name + ", and its values are among their keys"
	case meant && rivals == 0:
		return 0.86, "it names a " + to.References.Name
	case meant && among:
		return 0.8, "it names a " + to.References.Name + ", and its values are among their keys"
	case among && rivals == 0 && len(words) > 0 && slices.Contains([]string{"id", "number", "code"}, expand(c.words)[len(c.words)-1]):
		return 0.65, "its values are among the keys of " + to.References.Name
	}
	return 0, ""
}

func included(c, key *column) bool {
	n := 0
	for v := range c.set {
		if key.set[v] {
			n++
		}
	}
	return n*100 >= len(c.set)*98 && n > 1
}

// joinedKey makes the key of a file of pairs, such as members of a class: no column tells its rows apart, and two together do.
func (p *proposer) joinedKey(f *file, o *output) {
	for i, a := range f.columns {
		for _, b := range f.columns[i+1:] {
			seen := map[string]bool{}
			for row := range a.values {
				pair := a.values[row] + "\x00" + b.values[row]
				if a.values[row] == "" || b.values[row] == "" || seen[pair] {
					seen = nil
					break
				}
				seen[pair] = true
			}
			if len(seen) == 0 || !isID(a) || !isID(b) {
				continue
			}
			p.line(o, o.table.Key, a.header+", "+b.header, 0.9, "the two together tell the rows apart", fmt.Sprintf("{from: [%s, %s], join: \"-\"}", quote(a.header), quote(b.header)))
			return
		}
	}
	p.ask(Question{File: f.path, Table: o.table.Name, Column: o.table.Key.Name, Text: "no column tells the rows apart: say with hash or join what makes their key"})
}

func isID(c *column) bool {
	words := expand(c.words)
	return slices.Contains([]string{"id", "number", "code", "key", "guid"}, words[len(words)-1])
}

// embedded finds tables of which the rows name one each, with some of its columns beside: the course of a section.
func (p *proposer) embedded(f *file, o *output) {
	for _, l := range slices.Clone(o.lines) {
		to := o.table.Column(l.Column)
		if to.References == nil || to.References == o.table || strings.Contains(l.yaml, "{") ||
			slices.ContainsFunc(p.files, func(other *file) bool { return other.main == to.References }) {
			continue
		}
		var key *column
		for _, c := range f.columns {
			if c.header == l.From {
				key = c
			}
		}
		if key == nil || p.unused(f, to.References, nil) < 1 {
			continue
		}
		e := &output{table: to.References, share: 0.9, why: "columns beside " + key.header + " are a " + to.References.Name + "'s", distinct: true, key: key}
		p.line(e, e.table.Key, key.header, 0.93, "the rows name it by that", "")
		p.match(f, e)
		f.outputs = append([]*output{e}, f.outputs...)
	}
}

// parent finds the table that the main one needs, of which the file has the columns too: the contact of a client.
func (p *proposer) parent(f *file, o *output) (*schema.Table, *schema.Column) {
	if f.key == nil {
		return nil, nil
	}
	for _, ref := range o.table.Columns {
		if ref.References == nil || !ref.Required || ref.References == o.table || o.has(ref) {
			continue
		}
		if slices.ContainsFunc(p.files, func(other *file) bool { return other.main == ref.References }) {
			continue // a file of its own
		}
		if p.leftover(f, ref.References, ref) >= 2 {
			return ref.References, ref
		}
	}
	return nil, nil
}

// leftover counts the columns of a table for which the file has headers by name.
func (p *proposer) leftover(f *file, t *schema.Table, but *schema.Column) int {
	n := 0
	for _, to := range t.Columns {
		if to == t.Key || to == but || to.References != nil {
			continue
		}
		for _, c := range f.columns {
			if s, _ := p.names.columnScore(f, c, t, to); c != f.key && s >= Confident && p.fit(t, to, c) != 0 {
				n++
				break
			}
		}
	}
	return n
}

// children finds tables of things that the rows have several of: addresses, phone numbers.
func (p *proposer) children(f *file, parents []*schema.Table) {
	if f.key == nil {
		return
	}
	for _, t := range p.schema.Tables {
		if slices.Contains(parents, t) || slices.ContainsFunc(p.files, func(other *file) bool { return other.main == t }) {
			continue
		}
		for _, ref := range t.Columns {
			if ref.References == nil || !ref.Required || !slices.Contains(parents, ref.References) || otherRequired(t, ref) {
				continue
			}
			if !p.kinds(f, t, ref) && p.unused(f, t, ref) >= 3 {
				p.child(f, t, ref)
			}
			break
		}
	}
}

// otherRequired reports whether a table needs other rows than those of ref.
func otherRequired(t *schema.Table, ref *schema.Column) bool {
	return slices.ContainsFunc(t.Columns, func(c *schema.Column) bool { return c != ref && c.Required && c.References != nil })
}

// unused counts the table's columns for which the file has headers that nothing else uses.
func (p *proposer) unused(f *file, t *schema.Table, ref *schema.Column) int {
	n := 0
	for _, c := range f.columns {
		if c.used {
			continue
		}
		for _, to := range t.Columns {
			if s, _ := p.names.columnScore(f, c, t, to); to != ref && to.References == nil && s >= Confident && p.fit(t, to, c) > 0.9 {
				n++
				break
			}
		}
	}
	return n
}

func (p *proposer) child(f *file, t *schema.Table, ref *schema.Column) {
	o := &output{table: t, share: 0.91, why: "columns that nothing else uses are a " + t.Name + "'s"}
	f.outputs = append(f.outputs, o)
	prefix := strings.ToLower(t.Name) + "-"
	p.line(o, t.Key, f.key.header, 0.91, "one for each row", fmt.Sprintf("{from: %s, prefix: %q}", quote(f.key.header), prefix))
	p.line(o, ref, f.key.header, 0.92, "the row that it is of", "")
	p.match(f, o)
	var some []string
	for _, l := range o.lines {
		if l.Column != t.Key.Name && l.Column != ref.Name {
			some = append(some, fmt.Sprintf("row[%s] != \"\"", fmt.Sprintf("%q", l.From)))
		}
	}
	if len(some) > 3 {
		some = some[:3]
	}
	o.where = strings.Join(some, " || ")
}

// kinds finds a table of values of several kinds, of which the file has a column each: phone, fax and e-mail.
func (p *proposer) kinds(f *file, t *schema.Table, ref *schema.Column) bool {
	var kind, value *schema.Column
	for _, c := range t.Columns {
		switch {
		case c == t.Key || c == ref || !c.Required:
		case c.Kind == schema.Enumerate && kind == nil:
			kind = c
		case c.Kind == schema.Text && value == nil:
			value = c
		default:
			return false
		}
	}
	if kind == nil || value == nil || kind.Enum == nil {
		return false
	}
	var headers, pairs []string
	for _, c := range f.columns {
		for _, m := range kind.Enum.Values {
			words := expand(c.words)
			member := strings.Join(expand(mapping.NameWords(m.Name)), "")
			if c.filled > 0 && c != f.key && (strings.Join(words, "") == member || len(words) > 1 && words[0] == member) && !slices.Contains(headers, c.header) {
				headers = append(headers, c.header)
				pairs = append(pairs, quote(c.header)+": "+quote(m.Name))
				c.used = true
			}
		}
	}
	if len(headers) == 0 {
		return true // it can be nothing else either
	}
	o := &output{table: t, share: 0.92, why: "columns named for kinds of " + t.Name, split: headers}
	f.outputs = append(f.outputs, o)
	all := strings.Join(headers, ", ")
	p.line(o, t.Key, f.key.header+", $header", 0.92, "one for each row and kind", fmt.Sprintf("{from: [%s, $header], join: \"-\"}", quote(f.key.header)))
	p.line(o, ref, f.key.header, 0.92, "the row that it is of", "")
	p.line(o, kind, "$header", 0.93, "the headers "+all+" are kinds", "{from: $header, map: {"+strings.Join(pairs, ", ")+"}}")
	p.line(o, value, "$part", 0.93, "the values of "+all, "$part")
	return true
}
