package mapping

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"dropline/ingest"
	"dropline/schema"
)

// Columns says which columns of a relation are needed, one for each of the header's, so that the others need not be read: they
// are ignored, and named as they may be shown. Those of an entry's Key and Modified are needed only if they feed something. The
// error is a *ingest.FileRefusal where a required column, or that of Key or Modified, is missing, or one is there twice. What it
// accepts, OpenRelation accepts under a header of the needed columns alone, in the same order.
func (m *Mapper) Columns(relation string, table *schema.Table, header []string) (use []bool, ignored []string, err error) {
	header = cleanHeader(header)
	p, refusal := m.relationPlan(relation, table, header)
	if refusal == nil {
		refusal = m.lacksKey(relation, table, header)
	}
	if refusal == nil {
		refusal = checkWidth(header, p.used)
	}
	if refusal != nil {
		return nil, nil, refusal
	}
	for _, name := range p.ignored {
		ignored = append(ignored, shown(name))
	}
	return p.used, ignored, nil
}

// cleanHeader is the header as a reader will have it.
func cleanHeader(header []string) []string {
	out := make([]string, len(header))
	for i, h := range header {
		out[i] = printable(trimSpace([]byte(h)), math.MaxInt)
	}
	return out
}

// relationPlan matches a relation's columns with those of its table.
func (m *Mapper) relationPlan(relation string, table *schema.Table, header []string) (*plan, *ingest.FileRefusal) {
	if len(header) > maxColumns {
		return nil, unreadable("the relation has %d columns, more than %d: name a view or a query of those that matter in the mapping's database",
			len(header), maxColumns)
	}
	rule, from := m.mapping.ruleForRelation(relation, table)
	return m.plan(table, rule, header, true, from)
}

// lacksKey refuses a relation without the columns by which an entry says it is read in parts or incrementally.
func (m *Mapper) lacksKey(relation string, table *schema.Table, header []string) *ingest.FileRefusal {
	e := m.mapping.entryOf(relation, table)
	if e == nil {
		return nil
	}
	for _, o := range []struct{ what, name string }{{"key", e.relation.Key}, {"modified", e.relation.Modified}} {
		has := func(h string) bool { return strings.EqualFold(h, o.name) }
		if o.name == "" || slices.ContainsFunc(header, has) {
			continue
		}
		return &ingest.FileRefusal{
			Code: ingest.CodeMissingColumn, Columns: []string{o.name},
			Message: fmt.Sprintf("the relation lacks the column %s, which is its %s in line %d of the mapping: correct it there; the relation has %s",
				shown(o.name), o.what, e.relation.Line, relationSays(header)),
		}
	}
	return nil
}

// checkWidth refuses a relation of which nothing would be read, or whose names are too long for a header.
func checkWidth(header []string, used []bool) *ingest.FileRefusal {
	const around = 3 // two quotes and a comma
	size, feeds := 0, false
	for i, h := range header {
		if used[i] {
			feeds = true
			size += len(h) + strings.Count(h, `"`) + around
		}
	}
	switch {
	case !feeds:
		return unreadable("the relation feeds no column: say in the mapping's database which of its columns to take")
	case size > maxHeaderBytes:
		return unreadable("the names of the relation's columns are longer than %d bytes", maxHeaderBytes)
	}
	return nil
}

// export makes of what a rule says about an export of a relation what holds for the relation itself. Its dates are read in the
// default forms first. The export's way to write numbers does not apply: "1.234" would be one number in a column of numbers and
// another in one of texts.
func (p *planner) export(in *input) {
	in.exported = len(in.layouts) > 0
	if n := in.number; n.round {
		in.number = &numberSyntax{decimal: defaultNumber.decimal, group: defaultNumber.group, round: true}
	} else {
		in.number = &defaultNumber
	}
}
