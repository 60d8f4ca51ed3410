package schema

import (
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

var versionForm = regexp.MustCompile(`^[0-9]{1,4}(\.[0-9]{1,4}){0,3}$`)

// definition reads the whole file: names first, then what refers to them, then the order of the tables, then checks and
// seeds, which need all the others.
func (p *reader) definition(root *yaml.Node) {
	f := p.mapping(root, "the definition", "schema", "version", "title", "description", "manifest", "enums", "shared", "tables")
	s := p.schema
	s.Name, s.Version = p.text(f["schema"], "schema"), p.text(f["version"], "version")
	s.Title, s.Description = p.text(f["title"], "title"), p.text(f["description"], "description")
	if !isPascalCase(s.Name) || len(s.Name) > maxName {
		p.fault(or(f["schema"], root), "schema must name it in PascalCase, such as Efimis")
	}
	if !versionForm.MatchString(s.Version) {
		p.fault(or(f["version"], root), "version must be numbers with points, such as 1.0")
	}
	if s.Title == "" {
		s.Title = s.Name + " " + s.Version
	}
	for _, n := range p.items(f["enums"], "enums", maxEnums) {
		p.enum(n)
	}
	shared := p.mapping(f["shared"], "shared", "first", "last")
	tables := p.items(f["tables"], "tables", maxTables)
	if len(tables) == 0 {
		p.fault(or(f["tables"], root), "a definition needs at least one table")
	}
	for _, n := range tables {
		p.table(n, p.items(shared["first"], "shared.first", maxColumns), p.items(shared["last"], "shared.last", maxColumns))
	}
	for _, resolve := range p.later {
		resolve()
	}
	p.distinctTables()
	p.manifest(f["manifest"])
	if len(p.faults) > 0 {
		return // what follows would report the same faults over again
	}
	s.Tables = parentsFirst(s.Tables)
	p.checks()
	p.seeds()
	p.examples()
}

func (p *reader) enum(n *yaml.Node) {
	f := p.mapping(n, "an enumeration", "name", "description", "open", "values")
	e := &Enum{Name: p.text(f["name"], "name"), Description: p.text(f["description"], "description"), Open: p.text(f["open"], "open")}
	switch {
	case !isPascalCase(e.Name) || len(e.Name) > maxName:
		p.fault(or(f["name"], n), "an enumeration needs a name in PascalCase, not %q", brief(e.Name))
		return
	case p.enums[e.Name] != nil:
		p.fault(n, "enumeration %s is declared twice, first in line %d", e.Name, p.nodes[p.enums[e.Name]].Line)
		return
	}
	seen := map[string]bool{}
	for i, item := range p.items(f["values"], "values", maxEnumValues) {
		v := p.mapping(item, "a value of "+e.Name, "number", "name", "description")
		value := EnumValue{Name: p.text(v["name"], "name"), Description: p.text(v["description"], "description")}
		number, err := strconv.ParseInt(p.text(v["number"], "number"), 10, 16)
		if err != nil || number != int64(i) {
			p.fault(or(v["number"], item), "value %q of %s must have the number %d: numbers ascend from 0 without gaps", brief(value.Name), e.Name, i)
		}
		value.Number = int16(i)
		folded := NormalizeName(value.Name)
		switch {
		case e.Open != "" && (!isOpenName(value.Name) || strings.HasPrefix(value.Name, e.Open)):
			p.fault(or(v["name"], item), "a value of %s needs a name of at most %d printable characters that does not begin with %s", e.Name, maxName, brief(e.Open))
		case e.Open == "" && (!isPascalCase(value.Name) || len(value.Name) > maxName):
			p.fault(or(v["name"], item), "a value of %s needs a name in PascalCase, not %q", e.Name, brief(value.Name))
		case seen[folded]:
			p.fault(item, "value %s of %s is declared twice", value.Name, e.Name)
		}
		seen[folded] = true
		e.Values = append(e.Values, value)
	}
	if e.Open != "" && !isOpenName(e.Open) {
		p.fault(f["open"], "enumeration %s: open must be what further values begin with, such as ext:", e.Name)
	}
	if len(e.Values) == 0 {
		p.fault(n, "enumeration %s has no values", e.Name)
	}
	p.enums[e.Name], p.nodes[e] = e, n
	p.schema.Enums = append(p.schema.Enums, e)
}

func (p *reader) table(n *yaml.Node, first, last []*yaml.Node) {
	f := p.mapping(n, "a table", "name", "plural", "file", "sql", "prefix", "group", "description", "key", "aliases", "synonyms", "unique", "columns", "checks", "seeds")
	t := &Table{
		Name: p.text(f["name"], "name"), Plural: p.text(f["plural"], "plural"), SQLName: p.text(f["sql"], "sql"),
		Prefix: p.text(f["prefix"], "prefix"), Group: p.text(f["group"], "group"), Description: p.text(f["description"], "description"),
		File:    p.text(f["file"], "file"),
		Aliases: p.texts(f["aliases"], "aliases", maxAliases), Synonyms: p.texts(f["synonyms"], "synonyms", maxAliases), schema: p.schema,
	}
	switch {
	case !isPascalCase(t.Name) || len(t.Name) > maxName:
		p.fault(or(f["name"], n), "a table needs a name in PascalCase, not %q", brief(t.Name))
		return
	case p.tables[t.Name] != nil:
		p.fault(n, "table %s is declared twice, first in line %d", t.Name, p.nodes[p.tables[t.Name]].Line)
		return
	}
	if t.File != "" && (!isPublished(t.File) || len(t.File) > maxName) {
		p.fault(f["file"], "table %s: the name of its file %q must be letters and digits, beginning with a letter", t.Name, brief(t.File))
	}
	if t.Plural == "" {
		t.Plural = plural(t.Name)
	}
	if t.SQLName == "" {
		t.SQLName = snakeCase(t.Name)
	}
	if t.Prefix == "" {
		t.Prefix = t.SQLName
	}
	if !isSnakeCase(t.SQLName) || len(t.SQLName) > maxTableSQL {
		p.fault(or(f["sql"], n), "table %s: the SQL name %q must be lower case with underscores, at most %d bytes", t.Name, brief(t.SQLName), maxTableSQL)
	}
	if !isSnakeCase(t.Prefix) || len(t.Prefix) > maxTableSQL {
		p.fault(or(f["prefix"], n), "table %s: the prefix %q must be lower case with underscores, at most %d bytes", t.Name, brief(t.Prefix), maxTableSQL)
	}
	p.tables[t.Name], p.nodes[t] = t, n
	p.schema.Tables = append(p.schema.Tables, t)

	own := p.items(f["columns"], "columns", maxColumns)
	if len(first)+len(own)+len(last) > maxColumns {
		p.fault(n, "table %s has more than %d columns", t.Name, maxColumns)
		return
	}
	for _, list := range [][]*yaml.Node{first, own, last} {
		for _, c := range list {
			p.column(t, c)
		}
	}
	p.distinctColumns(t)
	p.sameAs(t)
	p.key(t, f["key"], n)
	p.unique(t, f["unique"])
}

// key finds the table's key and puts it first.
func (p *reader) key(t *Table, n, table *yaml.Node) {
	name := p.text(n, "key")
	key := t.Column(name)
	switch {
	case name == "":
		p.fault(table, "table %s has no key: name the column that identifies a row, such as ImportId", t.Name)
		return
	case key == nil:
		p.fault(n, "table %s has no column %q to be its key", t.Name, brief(name))
		return
	case key.Kind != Text || key.Length == 0 || key.Length > maxKeyLength || !key.Required:
		p.fault(n, "the key %s of table %s must be required and text(n) with n at most %d", name, t.Name, maxKeyLength)
	}
	t.Key = key
	columns := []*Column{key}
	for _, c := range t.Columns {
		if c != key {
			columns = append(columns, c)
		}
	}
	for i, c := range columns {
		c.Index = i
	}
	t.Columns = columns
}

func (p *reader) unique(t *Table, n *yaml.Node) {
	for _, set := range p.items(n, "unique", maxUniqueSets) {
		var columns []*Column
		for _, name := range p.texts(set, "a set of unique columns", maxUniqueWidth) {
			c := t.Column(name)
			switch {
			case c == nil:
				p.fault(set, "table %s has no column %q to be unique", t.Name, brief(name))
				return
			case c == t.Key || c.Kind == List || c.Kind == Text && c.Length == 0:
				p.fault(set, "column %s of table %s cannot be in a set of unique columns: it is the key, or unbounded", c.Name, t.Name)
				return
			case containsColumn(columns, c):
				p.fault(set, "column %s is twice in a set of unique columns", c.Name)
				return
			}
			columns = append(columns, c)
		}
		if len(columns) == 0 {
			p.fault(set, "table %s: a set of unique columns is empty", t.Name)
			continue
		}
		t.Unique = append(t.Unique, columns)
	}
}

func containsColumn(list []*Column, c *Column) bool {
	for _, v := range list {
		if v == c {
			return true
		}
	}
	return false
}

// or is the node to blame: the one that is wrong, or if it is missing, the one that should have it.
func or(n, parent *yaml.Node) *yaml.Node {
	if n != nil {
		return n
	}
	return parent
}
