package schema

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// seeds reads the seed rows of every table, then sees that what they refer to is among them: a new tenant's production
// has nothing else.
func (p *reader) seeds() {
	keys := map[*Table]map[string]bool{}
	for _, t := range p.schema.Tables {
		keys[t] = map[string]bool{}
		n := field(p.nodes[t], "seeds")
		f := p.mapping(n, "seeds", "columns", "rows")
		columns := p.seedColumns(t, n, f["columns"])
		for _, row := range p.items(f["rows"], "rows", maxSeeds) {
			if seed := p.seed(t, columns, row); seed != nil {
				key := *seed[t.Key.Index]
				if IsObjectID(t.Prefix, []byte(key)) {
					p.fault(row, "seed %s of table %s: its key has the form of a production id, which a row could not refer to", brief(key), t.Name)
				}
				if keys[t][key] {
					p.fault(row, "seed %s of table %s is there twice", brief(key), t.Name)
				}
				keys[t][key] = true
				t.Seeds = append(t.Seeds, seed)
				p.nodes[&t.Seeds[len(t.Seeds)-1][0]] = row
			}
		}
	}
	for _, t := range p.schema.Tables {
		p.distinctSeeds(t)
		for _, seed := range t.Seeds {
			for _, c := range t.Columns {
				if c.Kind == Reference && seed[c.Index] != nil && !keys[c.References][*seed[c.Index]] {
					p.fault(
						p.nodes[&seed[0]], "seed %s of table %s: %s refers to %s %s, which is not among the seeds",
						brief(*seed[t.Key.Index]), t.Name, c.Name, c.References.Name, brief(*seed[c.Index]),
					)
				}
			}
		}
	}
}

// distinctSeeds holds the seeds to the table's sets of unique columns, as imported rows are held to them.
func (p *reader) distinctSeeds(t *Table) {
	for _, set := range t.Unique {
		seen := map[string]bool{}
		for _, seed := range t.Seeds {
			var values strings.Builder
			complete := true
			for _, c := range set {
				if seed[c.Index] == nil {
					complete = false
					break
				}
				values.WriteString(*seed[c.Index] + "\x00")
			}
			if complete && seen[values.String()] {
				p.fault(p.nodes[&seed[0]], "seed %s of table %s has the same %s as another, which must be unique",
					brief(*seed[t.Key.Index]), t.Name, strings.Join(columnNames(set), ", "))
			}
			seen[values.String()] = seen[values.String()] || complete
		}
	}
}

func (p *reader) seedColumns(t *Table, seeds, n *yaml.Node) []*Column {
	var columns []*Column
	for _, name := range p.texts(n, "columns", maxColumns) {
		c := t.Column(name)
		switch {
		case c == nil:
			p.fault(n, "the seeds of table %s name a column %q, which it does not have", t.Name, brief(name))
		case containsColumn(columns, c):
			p.fault(n, "the seeds of table %s name column %s twice", t.Name, name)
		}
		columns = append(columns, c)
	}
	if seeds == nil {
		return nil
	}
	for _, c := range t.Columns {
		if c.Required && !containsColumn(columns, c) {
			p.fault(or(n, seeds), "the seeds of table %s lack the required column %s", t.Name, c.Name)
		}
	}
	return columns
}

// seed reads one row. Nothing is returned of a faulty one.
func (p *reader) seed(t *Table, columns []*Column, n *yaml.Node) Seed {
	if n.Kind != yaml.SequenceNode || len(n.Content) != len(columns) {
		p.fault(n, "a seed of table %s must be a list of %d values, as its columns are", t.Name, len(columns))
		return nil
	}
	seed := make(Seed, len(t.Columns))
	before := len(p.faults)
	for i, item := range n.Content {
		c := columns[i]
		if c == nil || item.Tag == "!!null" {
			continue
		}
		text := p.text(item, c.Name)
		if c.IsReferenceList() {
			p.fault(item, "a seed of table %s: %s is a list of references, which seeds cannot have", t.Name, c.Name)
		}
		if reason := c.refuses(text); reason != "" {
			p.fault(item, "a seed of table %s: %s: %s", t.Name, c.Name, reason)
		}
		seed[c.Index] = &text
	}
	for _, c := range t.Columns {
		if c.Required && seed[c.Index] == nil && containsColumn(columns, c) {
			p.fault(n, "a seed of table %s has no %s, which is required", t.Name, c.Name)
		}
	}
	if len(p.faults) > before || seed[t.Key.Index] == nil { // the columns may lack the key, which has been said
		return nil
	}
	return seed
}

// examples sees that the examples are values their columns would take: people copy them.
func (p *reader) examples() {
	for _, t := range p.schema.Tables {
		for _, c := range t.Columns {
			if c.Example == "" {
				continue
			}
			if reason := c.refuses(c.Example); reason != "" {
				p.fault(p.nodes[c], "the example of column %s of table %s: %s", c.Name, t.Name, reason)
			}
		}
	}
}
