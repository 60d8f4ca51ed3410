package mapping

import (
	"io"
	"slices"
	"strings"

	"dropline/schema"
)

// Relation is what is read of a client's database as if it were a file: a table, a view, or a query of the mapping.
type Relation struct {
	// Name is what receipts call it, and what the Mapper's methods know it by: an entry's own name, or the SQL name such as
	// "dbo.Matter", with brackets around what needs them. No two relations of a Choice have the same.
	Name string
	// Schema and View name a table or view, unquoted, and exactly as the server has them once chosen. Before that Schema is
	// empty where an entry leaves it out. Both are empty for a query.
	Schema, View string
	// Query is one SELECT, or WITH and SELECT, without a semicolon or comment at its end; empty for a table or view.
	Query string
	Table *schema.Table // the table of the ETL schema that its rows are of
	// Key and Modified are columns of the relation as the mapping writes them, or empty.
	Key, Modified string
	Line          int // of the mapping, where the entry begins; 0 for a relation that was found by its name
}

// origin says where records come from, and with it what is known of their values.
type origin uint8

const (
	ofFile  origin = iota
	ofEntry        // a relation that the mapping's database names: it speaks of the relation's own values
	ofFound        // a relation found by its name: a rule of files speaks of exports of it
)

// noun is what messages call where records come from.
func (o origin) noun() string {
	if o == ofFile {
		return "file"
	}
	return "relation"
}

// DatabaseEntries returns what the mapping says is to be read of a database, in its order; none without a mapping. Which
// table or view of the server an entry means, Choose says.
func (m *Mapper) DatabaseEntries() []Relation {
	if m.mapping == nil {
		return nil
	}
	out := make([]Relation, len(m.mapping.entries))
	for i, e := range m.mapping.entries {
		out[i] = e.relation
	}
	return out
}

// ruleForRelation returns what the mapping says about a relation that is read into a table. For one found by its name that is
// the columns of the rule for files of that name, if that rule is of the same table.
func (m *Mapping) ruleForRelation(relation string, t *schema.Table) (*rule, origin) {
	if m == nil {
		return nil, ofFound
	}
	if e := m.entryOf(relation, t); e != nil {
		return e.rule, ofEntry
	}
	name := relation
	if _, n, err := parseSQLName(relation); err == nil {
		name = n
	}
	r := m.ruleForName(name)
	if r == nil || r.table != t || !r.dialect.header {
		return nil, ofFound // fields by number are those of the export, whatever order the relation has
	}
	return r, ofFound
}

// ruleForName returns the rule for an export of the relation of that name, if it has a table.
func (m *Mapping) ruleForName(name string) *rule {
	r := m.ruleFor(strings.ReplaceAll(name, "/", "_") + ".csv")
	if r == nil || r.table == nil {
		return nil
	}
	return r
}

// entryOf returns the entry by which a relation is read, or nil.
func (m *Mapping) entryOf(relation string, t *schema.Table) *entry {
	if m == nil {
		return nil
	}
	i := slices.IndexFunc(m.entries, func(e *entry) bool { return e.relation.Name == relation && e.relation.Table == t })
	if i < 0 {
		return nil
	}
	return m.entries[i]
}

// OpenRelation begins to read a relation's rows into the table. They are CSV in the default dialect, UTF-8 with a header,
// whatever the mapping says about files; values are in the forms of docs/mapping.md, "Databases". The error is a
// *ingest.FileRefusal if the relation as a whole is refused, and otherwise r's own. The reader must not be used by anybody else
// until the Reader is done.
func (m *Mapper) OpenRelation(relation string, table *schema.Table, r io.Reader) (*Reader, error) {
	d := defaultDialect()
	reader := &Reader{mapper: m, table: table, bytes: &counter{source: r}}
	// A column's name may begin like a ZIP file or with a byte order mark: what it is, is known.
	reader.scan = newScanner(reader.bytes, d.delimiter[0], d.quote, maxHeaderBytes, maxColumns+1)
	if m.mapping != nil && len(m.mapping.lookups) > 0 {
		var err error
		if reader.lookups, err = m.lookups(); err != nil {
			return nil, err
		}
	}
	reader.scan.exact = true // it is we who wrote it: what a long text has in its lines are no records
	header, err := reader.readHeader(&d)
	if err != nil {
		return nil, err
	}
	plan, refusal := m.relationPlan(relation, table, header)
	if refusal != nil {
		return nil, refusal
	}
	reader.begin(header, plan)
	return reader, nil
}
