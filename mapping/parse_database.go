package mapping

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// entry is what a mapping says about one relation of a database.
type entry struct {
	relation Relation
	rule     *rule
}

// skipped is a relation that a mapping says is not to be read.
type skipped struct {
	schemaName, name string
	line             int
}

// sameName compares [schema.]names as most servers do, by whom case is not told apart.
func sameName(schemaA, a, schemaB, b string) bool {
	return strings.EqualFold(schemaA, schemaB) && strings.EqualFold(a, b)
}

// maxEntries bounds what a mapping says about databases: more than a schema has tables many times over.
const maxEntries = 1000

// database reads the entries of a mapping's database.
func (p *parser) database(n *yaml.Node, m *Mapping) {
	if n == nil {
		return
	}
	items := p.items(n, "database", maxEntries)
	if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		p.fault(n, "database must list at least one view or query with the table it is read into")
	}
	for _, item := range items {
		if hasKey(item, "skip") {
			p.skip(item, m)
			continue
		}
		if e := p.entry(item); e != nil {
			p.clash(item, m, e)
			m.entries = append(m.entries, e)
		}
	}
	for _, s := range m.skips {
		for _, e := range m.entries {
			if r := &e.relation; r.View != "" && sameName(r.Schema, r.View, s.schemaName, s.name) {
				p.fault(&yaml.Node{Line: s.line}, "%s is read by the entry in line %d: it cannot be skipped as well", shown(sqlName(s.schemaName, s.name)), r.Line)
			}
		}
	}
}

func hasKey(n *yaml.Node, key string) bool {
	if n.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return true
		}
	}
	return false
}

// skip reads an entry that says what not to read.
func (p *parser) skip(n *yaml.Node, m *Mapping) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i]; key.Value != "skip" {
			p.fault(key, "%s beside skip has no effect: what is skipped is not read", brief(key.Value))
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != "skip" {
			continue
		}
		schemaName, name, ok := p.sqlName(n.Content[i+1], "skip")
		if !ok {
			continue
		}
		for _, s := range m.skips {
			if sameName(s.schemaName, s.name, schemaName, name) {
				p.fault(n.Content[i+1], "%s is skipped twice, first in line %d", shown(sqlName(schemaName, name)), s.line)
			}
		}
		m.skips = append(m.skips, skipped{schemaName: schemaName, name: name, line: n.Content[i].Line})
	}
}

// sqlName reads the name of a table or view.
func (p *parser) sqlName(n *yaml.Node, what string) (schemaName, name string, ok bool) {
	faults := len(p.faults)
	text := p.text(n, what)
	if len(p.faults) > faults || p.more {
		return "", "", false
	}
	if strings.TrimSpace(text) == "" {
		p.fault(n, "%s is empty: name a table or view, such as dbo.vMatters", what)
		return "", "", false
	}
	schemaName, name, err := parseSQLName(text)
	if err != nil {
		p.fault(n, "%s %q %s", what, shown(text), err)
		return "", "", false
	}
	return schemaName, name, true
}

// dialectKeys are keys of files that say how a file is written.
const dialectKeys = " pattern delimiter encoding quote escape header skip_lines leave_out ragged "

// withoutDialect takes what only files have out of an entry, with a fault for each.
func (p *parser) withoutDialect(n *yaml.Node) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return n
	}
	out := *n
	out.Content = nil
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Value != "" && strings.Contains(dialectKeys, " "+key.Value+" ") {
			p.fault(key, "%s is of files: a database has none", key.Value)
			continue
		}
		out.Content = append(out.Content, key, n.Content[i+1])
	}
	return &out
}

// entry reads one item of database, or nil if not even its table can be told.
func (p *parser) entry(n *yaml.Node) *entry {
	f := p.fields(p.withoutDialect(n), "an item of database", "view", "query", "name", "table", "key", "modified",
		"columns", "null", "only", "skip")
	if n.Kind != yaml.MappingNode {
		return nil
	}
	r := &rule{line: n.Line, dialect: defaultDialect(), only: p.boolean(f["only"], "only", false), nulls: p.nulls(f["null"])}
	e := &entry{relation: Relation{Line: n.Line}, rule: r}
	p.source(n, f, &e.relation)
	p.ruleTable(f["table"], r)
	if f["table"] == nil {
		p.fault(n, "a table is missing: say which table of %s the rows are of", p.schema.ID())
	}
	e.relation.Table = r.table
	e.relation.Key, e.relation.Modified = p.sourceColumn(f["key"], "key"), p.sourceColumn(f["modified"], "modified")
	if columns := f["columns"]; columns != nil && r.table != nil {
		r.columns = p.columns(columns, r)
	}
	return e
}

// source reads what an entry's rows come from, and what it is called.
func (p *parser) source(n *yaml.Node, f map[string]*yaml.Node, r *Relation) {
	switch {
	case f["view"] != nil && f["query"] != nil:
		p.fault(n, "an item of database has either view or query, not both")
	case f["view"] == nil && f["query"] == nil:
		p.fault(n, "a view or a query is missing, such as view: dbo.vMatters")
	}
	if v := f["view"]; v != nil {
		var ok bool
		if r.Schema, r.View, ok = p.sqlName(v, "view"); ok {
			r.Name = sqlName(r.Schema, r.View)
		}
	}
	if q := f["query"]; q != nil {
		faults := len(p.faults)
		query, err := checkQuery(p.text(q, "query"))
		if err != nil && len(p.faults) == faults {
			p.fault(q, "%s", err)
		}
		r.Query = query
		if f["name"] == nil {
			p.fault(q, "a query needs a name, by which receipts call it")
		}
	}
	if name := f["name"]; name != nil {
		r.Name = strings.TrimSpace(p.text(name, "name"))
		if !isEntryName(r.Name) {
			p.fault(name, "name %q must have 1 to 100 letters, digits, spaces, _ or -", shown(r.Name))
		}
	}
}

const maxEntryName = 100

// isEntryName reports whether an entry may be called so. Without a point it can never be the name of a table that was found.
func isEntryName(s string) bool {
	allowed := func(r rune) bool {
		return r == ' ' || r == '_' || r == '-' || r < 0x80 && isRegular(r) && !strings.ContainsRune("@#$", r)
	}
	return s != "" && len(s) <= maxEntryName && strings.IndexFunc(s, func(r rune) bool { return !allowed(r) }) < 0
}

// sourceColumn reads the name of a column of a relation.
func (p *parser) sourceColumn(n *yaml.Node, what string) string {
	if n == nil {
		return ""
	}
	faults := len(p.faults)
	name := strings.TrimSpace(p.text(n, what))
	if len(p.faults) > faults {
		return ""
	}
	if !isIdentifier(name) {
		p.fault(n, "%s must name a column of the view or query, in at most %d characters", what, maxIdentifier)
		return ""
	}
	return name
}

// clash finds what is wrong between an entry and those before it.
func (p *parser) clash(n *yaml.Node, m *Mapping, e *entry) {
	r := &e.relation
	same := func(o *entry) bool {
		return r.View != "" && r.Table != nil && o.relation.Table == r.Table && sameName(r.Schema, r.View, o.relation.Schema, o.relation.View)
	}
	if i := slices.IndexFunc(m.entries, same); i >= 0 {
		p.fault(n, "%s is read into %s twice, first in line %d", shown(sqlName(r.Schema, r.View)), r.Table.Name, m.entries[i].relation.Line)
		return
	}
	named := func(o *entry) bool { return r.Name != "" && strings.EqualFold(r.Name, o.relation.Name) }
	if i := slices.IndexFunc(m.entries, named); i >= 0 {
		p.fault(n, "the name %s is that of the entry in line %d too: give one of them another with name", shown(r.Name), m.entries[i].relation.Line)
	}
}
