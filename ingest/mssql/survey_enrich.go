package mssql

import (
	"cmp"
	"maps"
	"slices"
)

// enrich adds to the columns of a result what a catalogue says of them. Where it says nothing the result's own word stands.
func (cat *catalogue) enrich(l *listed, columns []column) {
	facts := cat.columns[l.id]
	if l.id == 0 || facts == nil {
		facts = cat.named[fullName(l.Schema, l.Name)]
	}
	for i := range columns {
		c := &columns[i]
		f, ok := facts[c.Name]
		if !ok {
			continue
		}
		c.Nullable, c.Computed = f.nullable, c.Computed || f.computed
		if f.rowversion && !c.Rowversion {
			c.Rowversion, c.base, c.Type, c.kind = true, "rowversion", "rowversion", kindBinary
		}
	}
}

// rows returns the number of rows that the catalogue has for a table, or 0.
func (cat *catalogue) rows(l *listed) int64 {
	if l.id == 0 || l.Kind == "view" {
		return 0
	}
	return cat.counts[l.id]
}

// key returns the column by which a table can be read in parts, or "". A text key must be of the database's own code page: the
// value is handed back in it.
func (cat *catalogue) key(l *listed, columns []column) string {
	name := cat.keys[l.id]
	if l.id == 0 || name == "" {
		return ""
	}
	for i := range columns {
		c := &columns[i]
		if c.Name != name || !isKeyType(c) {
			continue
		}
		own := cat.columns[l.id][name].collation
		if (c.base == "varchar" || c.base == "char") && (c.utf8 || own != "" && cat.collation != "" && own != cat.collation) {
			return ""
		}
		return name
	}
	return ""
}

// names lists a relation's columns as the catalogue has them, in their order.
func (cat *catalogue) names(l *listed) []string {
	facts := cat.columns[l.id]
	if l.id == 0 || facts == nil {
		facts = cat.named[fullName(l.Schema, l.Name)]
	}
	names := slices.SortedFunc(maps.Keys(facts), func(a, b string) int {
		return cmp.Or(cmp.Compare(facts[a].id, facts[b].id), cmp.Compare(a, b))
	})
	return names[:min(len(names), mostColumns)]
}

// known is what was found out of a relation.
type known struct {
	columns []column
	chosen  bool // the relation has more, which the login may not read
}

// remember keeps a relation's columns for the Reads to come.
func (c *Client) remember(schema, name string, k known) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) < 2*mostRelations {
		c.known[fullName(schema, name)] = k
	}
}

func (c *Client) remembered(schema, name string) (known, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.known[fullName(schema, name)]
	return k, ok
}

// forget makes the next Read look anew.
func (c *Client) forget(schema, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.known, fullName(schema, name))
}
