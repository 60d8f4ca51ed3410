package mapping

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"dropline/schema"
)

// meaning says how a relation's name means a table. A lower one counts more.
type meaning uint8

const (
	byRule  meaning = iota // a rule of files matches an export of that name
	byTitle                // it is one of the table's names
	byWords                // the table's name is in it
)

// likeness says how near a relation's name is to that of its table. A lower one is nearer.
type likeness uint8

const (
	exactly   likeness = iota // the published or SQL name, letter for letter
	published                 // the same but for case and punctuation
	otherwise                 // a plural, an alias, or other words besides
)

// claim is that a relation is of a table.
type claim struct {
	at       int // of those found
	meaning  meaning
	likeness likeness
}

// byName finds for the tables of which the mapping's database says nothing the relation that they are read from.
func (c *chooser) byName() {
	claims := map[*schema.Table][]claim{}
	for i := range c.found {
		if c.taken[i] {
			continue
		}
		t, how := c.meaningOf(i)
		if t == nil {
			c.choice.Ignored = append(c.choice.Ignored, shown(c.found[i].name()))
			continue
		}
		claims[t] = append(claims[t], claim{at: i, meaning: how, likeness: likenessOf(c.found[i].Name, t)})
	}
	if n := len(c.several) - maxNamed; n > 0 {
		c.several = append(c.several[:maxNamed], fmt.Sprintf("and %d more", n))
	}
	if len(c.several) > 0 {
		c.note("not read, as each could be of several tables, unless the mapping's database says of which: %s", strings.Join(c.several, ", "))
	}
	for _, t := range c.mapper.schema.Tables {
		switch {
		case c.claimed[t]:
			if len(claims[t]) > 0 {
				c.note("not read: %s. The mapping's database says where %s comes from", c.list(places(claims[t]), ", "), t.Name)
			}
		case len(claims[t]) == 0:
			c.choice.Missing = append(c.choice.Missing, t.Name)
		default:
			c.pick(t, claims[t])
		}
	}
}

func places(claims []claim) []int {
	at := make([]int, len(claims))
	for i, o := range claims {
		at[i] = o.at
	}
	return at
}

// meaningOf returns the table that a relation's name means, or nil.
func (c *chooser) meaningOf(i int) (*schema.Table, meaning) {
	name := c.found[i].Name
	if m := c.mapper.mapping; m != nil {
		if r := m.ruleForName(name); r != nil {
			return r.table, byRule
		}
	}
	if t := c.titles[schema.NormalizeName(name)]; t != nil {
		return t, byTitle
	}
	tables := c.names.find(name)
	switch {
	case len(tables) == 1:
		return tables[0], byWords
	case len(tables) > 1:
		c.several = append(c.several, shown(c.found[i].name())+" ("+tableList(tables)+")")
	}
	return nil, byWords
}

func tableList(tables []*schema.Table) string {
	var names []string
	for _, t := range tables[:min(len(tables), maxNamed)] {
		names = append(names, t.Name)
	}
	return strings.Join(names, " or ")
}

func likenessOf(name string, t *schema.Table) likeness {
	if name == t.Name || name == t.SQLName {
		return exactly
	}
	folded := schema.NormalizeName(name)
	if folded == schema.NormalizeName(t.Name) || folded == schema.NormalizeName(t.SQLName) {
		return published
	}
	return otherwise
}

// pick chooses one of several relations for a table.
func (c *chooser) pick(t *schema.Table, claims []claim) {
	compare := func(a, b claim) int {
		x, y := c.found[a.at], c.found[b.at]
		return cmp.Or(cmp.Compare(a.meaning, b.meaning), compareBool(x.View, y.View), compareBool(a.likeness == otherwise, b.likeness == otherwise),
			compareBool(!isDefaultSchema(x.Schema), !isDefaultSchema(y.Schema)), cmp.Compare(a.likeness, b.likeness))
	}
	slices.SortStableFunc(claims, compare)
	equal := 1
	for equal < len(claims) && compare(claims[0], claims[equal]) == 0 {
		equal++
	}
	if equal > 1 {
		names := c.list(places(claims[:equal]), ", ")
		c.refuse(names, "the database has several relations that could be %s: %s. Name one in the mapping's database, or skip the others there",
			t.Name, names)
		return
	}
	f := c.found[claims[0].at]
	for _, o := range c.choice.Read {
		if o.Name == f.name() { // of a server that tells no SQL schema
			c.refuse(shown(f.name()), "%s has the name of the entry in line %d of the mapping: give that another with name", shown(f.name()), o.Line)
			return
		}
	}
	c.choice.Read = append(c.choice.Read, Relation{Name: f.name(), Schema: f.Schema, View: f.Name, Table: t})
	if len(claims) > 1 {
		c.note("%s is read from %s, not from %s: if that is wrong, name one in the mapping's database", t.Name, shown(f.name()), c.list(places(claims[1:]), ", "))
	}
}
