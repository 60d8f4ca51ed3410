package mapping

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dropline/ingest"
	"dropline/schema"
)

// Candidate is a table or view that a database has, as its catalog names it.
type Candidate struct {
	Schema, Name string
	View         bool
}

// name is what a relation is called that is found by its name.
func (c Candidate) name() string { return sqlName(c.Schema, c.Name) }

// RefusedRelation is why something of a database is not read although it might have been meant to be. Name may name several
// relations, which are in each other's way.
type RefusedRelation struct {
	Name, Code, Message string // for people
}

// Choice says which relations of a database are read, and what becomes of the others. All but Read is for people: names in it
// are shortened, and without what cannot be seen.
type Choice struct {
	Read    []Relation        // the mapping's entries in its order, then those found by their names in the order of the schema's tables
	Refused []RefusedRelation // what is wrong or ambiguous
	Ignored []string          // relations that are of no table of the schema, at most MaxIgnored and a last one that counts the rest
	Notes   []string          // remarks that refuse nothing
	Missing []string          // tables of the schema that the database has not
}

// Limits of a choice.
const (
	MaxIgnored = 1000 // names of Choice.Ignored
	maxNamed   = 10   // relations named in one message
	maxMisses  = 20   // entries not found for which a like name is looked for
	maxNear    = 2000 // relations that are looked at for it: a comparison takes microseconds
)

// chooser makes a choice.
type chooser struct {
	mapper  *Mapper
	names   *tableNames
	titles  map[string]*schema.Table // by each of their names, normalised
	found   []Candidate
	taken   []bool                 // of those found: the mapping's database speaks of it
	claimed map[*schema.Table]bool // the mapping's database says what they are read from
	misses  int
	several []string // relations that could be of several tables
	choice  Choice
}

// Choose decides which relations of a database are read. What the mapping's database says comes first. A table of the schema of
// which it says nothing is read from the relation whose name means it: by a rule for files that would match an export of that
// name, by one of the table's names, or by words as a file's name is read. Of several the first kind counts first, then tables
// before views, the table's own name before its plural and aliases, the SQL schema dbo before others, and what is written just so. Where that does not
// decide, the table is refused; nothing is guessed. The order of found does not matter.
func (m *Mapper) Choose(found []Candidate) Choice {
	c := &chooser{mapper: m, names: newTableNames(m.schema), titles: map[string]*schema.Table{}, claimed: map[*schema.Table]bool{}}
	for _, t := range m.schema.Tables {
		c.titles[schema.NormalizeName(t.SQLName)] = t
	}
	maps.Copy(c.titles, c.names.tables)
	for _, f := range found {
		if isIdentifier(f.Name) && (f.Schema == "" || isIdentifier(f.Schema)) {
			c.found = append(c.found, f)
		} else {
			c.choice.Ignored = append(c.choice.Ignored, shown(f.name()))
		}
	}
	slices.SortFunc(c.found, func(a, b Candidate) int {
		return cmp.Or(strings.Compare(a.Schema, b.Schema), strings.Compare(a.Name, b.Name), compareBool(a.View, b.View))
	})
	c.found = slices.CompactFunc(c.found, func(a, b Candidate) bool { return a.Schema == b.Schema && a.Name == b.Name })
	c.taken = make([]bool, len(c.found))
	if m.mapping != nil {
		for _, e := range m.mapping.entries {
			c.entry(&e.relation)
		}
		for _, s := range m.mapping.skips {
			c.skip(s)
		}
	}
	c.byName()
	if n := len(c.choice.Ignored); n > MaxIgnored {
		c.choice.Ignored = append(c.choice.Ignored[:MaxIgnored:MaxIgnored], fmt.Sprintf("and %d more", n-MaxIgnored))
	}
	return c.choice
}

// compareBool puts false first.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func (c *chooser) note(format string, args ...any) {
	c.choice.Notes = append(c.choice.Notes, fmt.Sprintf(format, args...))
}

func (c *chooser) refuse(name, format string, args ...any) {
	c.choice.Refused = append(c.choice.Refused, RefusedRelation{
		Name: name, Code: ingest.CodeUnknownTable, Message: fmt.Sprintf(format, args...),
	})
}

// entry takes in what the mapping says is to be read.
func (c *chooser) entry(r *Relation) {
	c.claimed[r.Table] = true
	if r.View == "" {
		c.choice.Read = append(c.choice.Read, *r)
		return
	}
	wanted := shown(sqlName(r.Schema, r.View))
	at := c.resolve(r.Schema, r.View)
	switch {
	case len(at) == 0:
		c.refuse(shown(r.Name), "the database has no table or view %s that the login may see, which line %d of the mapping reads into %s%s",
			wanted, r.Line, r.Table.Name, didYouMean(c.near(r.View)))
		return
	case len(at) > 1:
		c.refuse(shown(r.Name), "%s, which line %d of the mapping reads into %s, could be %s: say which with its schema",
			wanted, r.Line, r.Table.Name, c.list(at, " or "))
		return
	}
	f := c.found[at[0]]
	c.taken[at[0]] = true
	read := *r
	read.Schema, read.View = f.Schema, f.Name
	for _, o := range c.choice.Read {
		if o.View == f.Name && o.Schema == f.Schema && o.Table == r.Table {
			c.refuse(shown(r.Name), "%s is read into %s twice, by lines %d and %d of the mapping: take one of them out",
				shown(f.name()), r.Table.Name, o.Line, r.Line)
			return
		}
	}
	c.choice.Read = append(c.choice.Read, read)
}

// resolve finds the relations that a mapping means by [schema.]name: those written exactly so if there are any, and else those
// that differ in case. Without a schema it is dbo's, or any other's.
func (c *chooser) resolve(schemaName, name string) []int {
	matching := func(same func(a, b string) bool) (out []int) {
		for i, f := range c.found {
			if same(f.Name, name) && (schemaName == "" || same(f.Schema, schemaName)) {
				out = append(out, i)
			}
		}
		return out
	}
	at := matching(func(a, b string) bool { return a == b })
	if len(at) == 0 {
		at = matching(strings.EqualFold)
	}
	if schemaName == "" && len(at) > 1 {
		var own []int
		for _, i := range at {
			if isDefaultSchema(c.found[i].Schema) {
				own = append(own, i)
			}
		}
		if len(own) > 0 {
			return own
		}
	}
	return at
}

func isDefaultSchema(name string) bool { return strings.EqualFold(name, "dbo") }

// near names relations that are called nearly so.
func (c *chooser) near(name string) []string {
	if c.misses++; c.misses > maxMisses {
		return nil
	}
	return nearest(schema.NormalizeName(name), func(yield func(published, name string)) {
		for _, f := range c.found[:min(len(c.found), maxNear)] {
			yield(shown(f.name()), schema.NormalizeName(f.Name))
		}
	})
}

// list names some of those found.
func (c *chooser) list(at []int, between string) string {
	var names []string
	for _, i := range at[:min(len(at), maxNamed)] {
		names = append(names, shown(c.found[i].name()))
	}
	if n := len(at) - maxNamed; n > 0 {
		names = append(names, fmt.Sprintf("%d more", n))
	}
	return strings.Join(names, between)
}

// skip takes out what the mapping says is not to be read: without a schema, all of that name.
func (c *chooser) skip(s skipped) {
	has := false
	for i, f := range c.found {
		if strings.EqualFold(f.Name, s.name) && (s.schemaName == "" || strings.EqualFold(f.Schema, s.schemaName)) {
			c.taken[i], has = true, true
		}
	}
	if !has {
		c.note("the database has no %s, which line %d of the mapping skips", shown(sqlName(s.schemaName, s.name)), s.line)
	}
}
