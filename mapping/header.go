package mapping

import (
	"fmt"
	"strconv"
	"strings"

	"dropline/ingest"
	"dropline/schema"
)

// input is how one column gets its values from a file.
type input struct {
	target
	plain  bool        // one field, trimmed and converted, and nothing else
	first  int         // of fields
	fields []int       // positions in the file's records; none where the file has nothing for the column
	header string      // of those fields, as the file calls them
	rule   *columnRule // nil: found by its header

	fixed     ingest.Value            // of a constant
	fallback  *ingest.Value           // default
	values    map[string]ingest.Value // map
	otherwise *ingest.Value           // else
	nulls     []string
}

// plan is how a file's records become rows.
type plan struct {
	inputs   []input // one per column of the table
	width    int     // fields of the header; 0 without a header: the first record's then
	named    int     // the same without those at the end that have no name
	rule     int     // line of the mapping
	from     origin
	used     []bool // headers that feed something
	ignored  []string
	notes    []string
	where    *expression
	distinct bool // each row once
	split    *splitRule
}

// planner matches a file's header with the columns of its table.
type planner struct {
	table   *schema.Table
	rule    *rule
	from    origin
	header  []string
	folded  []string // header, normalised
	used    []bool
	convert *converter
	plan    plan
	missing []string
	refusal *ingest.FileRefusal
}

// plan matches the header with the table's columns. Without a header, fields have numbers, and only a mapping can say
// which is which.
func (m *Mapper) plan(t *schema.Table, r *rule, header []string, hasHeader bool, from origin) (*plan, *ingest.FileRefusal) {
	if r == nil {
		r = &rule{}
	}
	p := &planner{table: t, rule: r, from: from, header: header, convert: newConverter(m.schema, m.options.Location)}
	p.plan.rule, p.plan.from = r.line, from
	p.plan.where, p.plan.split, p.plan.distinct = r.where, r.split, r.distinct
	if hasHeader {
		p.plan.width = len(header)
	}
	p.used = make([]bool, len(header))
	for i, h := range header {
		p.folded = append(p.folded, schema.NormalizeName(h))
		if h != "" && hasHeader {
			p.plan.named = i + 1
		}
	}
	for _, c := range t.Columns {
		p.plan.inputs = append(p.plan.inputs, p.input(c))
	}
	p.sameAs()
	if p.refusal != nil {
		return nil, p.refusal
	}
	if r.where != nil {
		p.expressionFields(r.where, "where")
	}
	if r.split != nil {
		for _, h := range r.split.headers {
			for _, f := range p.find(h) {
				p.used[f] = true
			}
		}
	}
	if len(p.missing) > 0 {
		return nil, p.missingColumns()
	}
	for i, h := range header {
		if p.used[i] {
			continue
		}
		if strings.TrimSpace(h) == "" {
			h = fmt.Sprintf("(column %d, without a name)", i+1)
		}
		p.plan.ignored = append(p.plan.ignored, h)
	}
	p.plan.used = p.used
	return &p.plan, nil
}

// input decides where a column's values come from.
func (p *planner) input(c *schema.Column) input {
	in := input{target: newTarget(p.table, c), rule: p.rule.columns[c]}
	in.nulls, in.relation = p.rule.nulls, p.from != ofFile
	switch {
	case in.rule != nil && in.rule.combine == fixed:
		in.fixed = p.value(&in.target, in.rule.constant)
		return in
	case in.rule != nil && in.rule.combine == computed:
		p.expressionFields(in.rule.expr, c.Name)
		p.options(&in)
		return in
	case in.rule != nil && len(in.rule.headers) > 0:
		p.named(&in)
	case p.plan.width > 0 && (!p.rule.only || in.rule != nil):
		p.matched(&in)
	}
	p.options(&in)
	if len(in.fields) == 0 && in.fallback == nil && c.Required {
		p.missing = append(p.missing, c.Name)
	}
	if c.Kind == schema.List && c.Enum != nil && len(in.fields) > 0 {
		p.note("%s is a list of values, which is stored as text and not yet used", c.Name)
	}
	if len(in.fields) > 0 {
		in.first = in.fields[0]
	}
	in.plain = in.rule == nil && len(in.fields) == 1 && len(in.nulls) == 0
	return in
}

// options takes over from the rule what is done to a value.
func (p *planner) options(in *input) {
	r := in.rule
	if r == nil {
		return
	}
	in.layouts = r.layouts
	if r.number != nil {
		in.number = r.number
	}
	if p.from == ofFound {
		p.export(in)
	}
	if r.nulls != nil {
		in.nulls = r.nulls
	}
	final := newTarget(p.table, in.column) // what the mapping writes itself is in the default forms
	if r.fallback != nil {
		v := p.value(&final, r.fallback)
		if !v.Null {
			in.fallback = &v
		}
	}
	if r.otherwise != nil {
		v := p.value(&final, r.otherwise)
		in.otherwise = &v
	}
	if r.values != nil {
		in.values = make(map[string]ingest.Value, len(r.values))
		for key, l := range r.values {
			in.values[key] = p.value(&final, l)
		}
	}
}

// value converts what the mapping writes itself. That it can be converted was checked when the mapping was read.
func (p *planner) value(g *target, l *literal) ingest.Value {
	var v ingest.Value
	if l.absent || p.convert.convert(g, []byte(l.text), &v) != "" {
		return ingest.Value{Null: true}
	}
	return v
}

// matched finds the header that has one of the column's names.
func (p *planner) matched(in *input) {
	for _, name := range in.column.MatchNames() {
		for i, h := range p.folded {
			if h == name {
				p.take(in, i)
			}
		}
	}
	if len(in.fields) > 1 {
		p.duplicate(in.column, in.fields)
	}
}

// take makes a field one of the column's.
func (p *planner) take(in *input, field int) {
	in.fields = append(in.fields, field)
	if field < 0 {
		in.header = pseudoHeader(field)
		return
	}
	p.used[field] = true
	h := p.header[field]
	if in.header != "" {
		h = in.header + ", " + h
	}
	in.header = h
}

func (p *planner) duplicate(c *schema.Column, fields []int) {
	if p.refusal != nil {
		return
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		h := p.header[f]
		if p.from != ofFile {
			h = shown(h)
		}
		names[i] = fmt.Sprintf("%q (column %d)", h, f+1)
	}
	p.refusal = &ingest.FileRefusal{
		Code: ingest.CodeDuplicateColumn, Columns: []string{c.Name},
		Message: fmt.Sprintf("the headers %s all stand for %s: rename one, or say in the mapping which to take", strings.Join(names, " and "), c.Name),
	}
}

// named finds the headers that the mapping names for the column.
func (p *planner) named(in *input) {
	var absent []string
	for _, name := range in.rule.headers {
		fields := p.find(name)
		switch {
		case len(fields) > 1:
			p.duplicate(in.column, fields)
			return
		case len(fields) == 0:
			absent = append(absent, name)
		default:
			p.take(in, fields[0])
			if in.rule.combine == firstPresent {
				return
			}
		}
	}
	if len(absent) == 0 {
		return
	}
	if in.rule.combine == multiplied {
		in.fields = nil // a product of some of its factors is not what was meant
	}
	p.note("the mapping takes %s from %s, which the %s does not have", in.column.Name, strings.Join(absent, ", "), p.from.noun())
}

// find returns the fields with a header: those that have it exactly if there are any, and else those that have it but for
// case, spacing and punctuation.
func (p *planner) find(name string) []int {
	if p.rule.split != nil {
		switch name {
		case partHeader:
			return []int{partField}
		case indexHeader:
			return []int{indexField}
		case originHeader:
			return []int{originField}
		}
	}
	if !p.rule.dialect.header {
		n, _ := strconv.Atoi(name)
		if n > len(p.header) {
			return nil
		}
		return []int{n - 1}
	}
	var exact, alike []int
	folded := schema.NormalizeName(name)
	for i, h := range p.header {
		switch {
		case strings.TrimSpace(h) == name:
			exact = append(exact, i)
		case folded != "" && p.folded[i] == folded:
			alike = append(alike, i)
		}
	}
	if len(exact) > 0 {
		return exact
	}
	return alike
}

// expressionFields takes note of which headers an expression reads, and which of them the file does not have.
func (p *planner) expressionFields(e *expression, of string) {
	var absent []string
	for _, name := range e.fields {
		fields := p.find(name)
		for _, f := range fields[:min(len(fields), 1)] {
			if f >= 0 {
				p.used[f] = true
			}
		}
		if len(fields) == 0 {
			absent = append(absent, name)
		}
	}
	if len(absent) > 0 {
		p.note("the mapping computes %s from %s, which the %s does not have: it is taken for empty", of, strings.Join(absent, ", "), p.from.noun())
	}
}

// pseudoHeader names what stands for a part of a record.
func pseudoHeader(field int) string {
	switch field {
	case partField:
		return partHeader
	case indexField:
		return indexHeader
	}
	return originHeader
}

func (p *planner) note(format string, args ...any) {
	p.plan.notes = append(p.plan.notes, fmt.Sprintf(format, args...))
}
