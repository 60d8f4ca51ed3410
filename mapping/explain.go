package mapping

import (
	"strconv"

	"dropline/ingest"
	"dropline/schema"
)

// Explanation says how a file, or a relation of a database, is read: its table, and which header feeds which column.
type Explanation struct {
	Table   string         `json:"table"`
	Rule    int            `json:"rule,omitempty"` // line of the mapping file where the rule for it begins; 0 is none
	Columns []ColumnSource `json:"columns"`        // all of the table's, in order
	Ignored []string       `json:"ignored"`        // headers that belong to no column
	Notes   []string       `json:"notes"`
}

// How says where a column's values come from.
type How string

// The ways in which a column gets its values.
const (
	HowHeader   How = "header"   // a header has one of the column's names
	HowMapping  How = "mapping"  // the mapping names the header
	HowJoin     How = "join"     // the mapping joins several
	HowProduct  How = "product"  // the mapping multiplies several
	HowComputed How = "computed" // an expression of the mapping computes it
	HowHash     How = "hash"     // a digest of several
	HowConstant How = "constant" // the mapping says the value itself
	HowDefault  How = "default"  // the file has nothing for it, and the mapping says what to take instead
	HowAbsent   How = "absent"   // the file has nothing for it
)

// ColumnSource says where one column's values come from.
type ColumnSource struct {
	Column   string   `json:"column"`
	Required bool     `json:"required"`
	How      How      `json:"how"`
	Headers  []string `json:"headers,omitempty"` // as the file calls them
	Value    string   `json:"value,omitempty"`   // of HowConstant and HowDefault, as the mapping has it
}

// Explain says how a file of that path with that header would be read, or why it would be refused. A header of a file
// without one are the numbers of its fields. The refusal is nil, not an error that is nil.
func (m *Mapper) Explain(file string, header []string) (*Explanation, *ingest.FileRefusal) {
	rule := m.mapping.ruleFor(file).output(0)
	table, refusal := m.tableFor(file, rule)
	if refusal != nil {
		return nil, refusal
	}
	plan, refusal := m.plan(table, rule, header, rule == nil || rule.dialect.header, ofFile)
	if refusal != nil {
		return nil, refusal
	}
	return plan.explain(table, header), nil
}

// Explain says how the file is read.
func (r *Reader) Explain() *Explanation { return r.plan.explain(r.table, r.header) }

func (p *plan) explain(t *schema.Table, header []string) *Explanation {
	e := &Explanation{Table: t.Name, Rule: p.rule, Ignored: append([]string{}, p.ignored...), Notes: append([]string{}, p.notes...)}
	for i := range p.inputs {
		e.Columns = append(e.Columns, p.inputs[i].explain(header))
	}
	return e
}

func (in *input) explain(header []string) ColumnSource {
	s := ColumnSource{Column: in.column.Name, Required: in.column.Required, How: HowAbsent}
	for _, f := range in.fields {
		if f < 0 {
			s.Headers = append(s.Headers, pseudoHeader(f))
			continue
		}
		name := header[f]
		if name == "" {
			name = strconv.Itoa(f + 1)
		}
		s.Headers = append(s.Headers, name)
	}
	switch {
	case in.rule != nil && in.rule.combine == fixed:
		s.How, s.Value = HowConstant, in.rule.constant.text
	case in.rule != nil && in.rule.combine == computed:
		s.How, s.Headers, s.Value = HowComputed, in.rule.expr.fields, in.rule.expr.text
	case len(in.fields) == 0 && in.fallback != nil:
		s.How, s.Value = HowDefault, in.rule.fallback.text
	case len(in.fields) == 0:
	case in.rule == nil || len(in.rule.headers) == 0:
		s.How = HowHeader
	case in.rule.combine == joined:
		s.How = HowJoin
	case in.rule.combine == hashed:
		s.How = HowHash
	case in.rule.combine == multiplied:
		s.How = HowProduct
	default:
		s.How = HowMapping
	}
	return s
}
