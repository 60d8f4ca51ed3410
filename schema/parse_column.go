package schema

import (
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// typeForm is how a column's type is written: a word, and arguments in parentheses: "decimal(19,4)", "reference(Matter)".
var typeForm = regexp.MustCompile(`^([a-z]+)(?:\(\s*([A-Za-z0-9]+)\s*(?:,\s*([0-9]+)\s*)?\))?$`)

const typeHelp = "text, text(n), integer, bigint, decimal(p,s), boolean, date, timestamp, enum(Name), reference(Table), references(Table), list(n) or list(Enum,n)"

// reservedSQL are PostgreSQL's system columns, which no table may declare, and the production id.
var reservedSQL = []string{"id", "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", "oid"}

func (p *reader) column(t *Table, n *yaml.Node) {
	f := p.mapping(n, "a column", "name", "sql", "type", "required", "description", "example", "aliases", "synonyms", "modified", "same_as", "extra", "deletes")
	c := &Column{
		Name: p.text(f["name"], "name"), SQLName: p.text(f["sql"], "sql"), Required: p.boolean(f["required"], "required"),
		Description: p.text(f["description"], "description"), Example: p.text(f["example"], "example"),
		Aliases: p.texts(f["aliases"], "aliases", maxAliases), Synonyms: p.texts(f["synonyms"], "synonyms", maxAliases), Modified: p.boolean(f["modified"], "modified"), Extra: p.boolean(f["extra"], "extra"), Index: len(t.Columns),
	}
	if !isPublished(c.Name) || len(c.Name) > maxName {
		p.fault(or(f["name"], n), "table %s: a column needs a name in PascalCase or camelCase, not %q", t.Name, brief(c.Name))
		return
	}
	if t.Column(c.Name) != nil {
		p.fault(n, "column %s of table %s is declared twice", c.Name, t.Name)
		return
	}
	if c.SQLName == "" {
		c.SQLName = snakeCase(c.Name)
	}
	switch {
	case contains(reservedSQL, c.SQLName) || strings.HasPrefix(c.SQLName, "_"):
		p.fault(or(f["sql"], n), "column %s of table %s: the SQL name %q is the system's own: give it another with sql", c.Name, t.Name, c.SQLName)
	case !isSnakeCase(c.SQLName) || len(c.SQLName) > maxColumnSQL:
		p.fault(or(f["sql"], n), "column %s of table %s: the SQL name %q must be lower case with underscores, at most %d bytes",
			c.Name, t.Name, brief(c.SQLName), maxColumnSQL)
	}
	p.nodes[c] = n
	p.columnType(t, c, or(f["type"], n), p.text(f["type"], "type"))
	if c.Modified && c.Kind != Timestamp {
		p.fault(f["modified"], "column %s of table %s: only a timestamp can say when a row was changed", c.Name, t.Name)
	}
	if c.Modified && t.Modified() != nil {
		p.fault(f["modified"], "column %s of table %s: %s says already when a row was changed", c.Name, t.Name, t.Modified().Name)
	}
	p.deletes(t, c, f["deletes"])
	t.Columns = append(t.Columns, c)
}

// deletes reads the value with which a row says that it is to be deleted.
func (p *reader) deletes(t *Table, c *Column, n *yaml.Node) {
	if n == nil {
		return
	}
	c.Deletes = p.text(n, "deletes")
	switch {
	case c.Kind != Text || c.Enum == nil || refusesMember(c.Enum, c.Deletes) != "":
		p.fault(n, "column %s of table %s: deletes must be a value of the open enumeration that the column is of", c.Name, t.Name)
	case t.DeletedBy() != nil:
		p.fault(n, "column %s of table %s: %s says already when a row is to be deleted", c.Name, t.Name, t.DeletedBy().Name)
	}
}

// sameAs resolves whose value a column takes where a file has none for it.
func (p *reader) sameAs(t *Table) {
	for _, c := range t.Columns {
		n := field(p.nodes[c], "same_as")
		if n == nil {
			continue
		}
		c.SameAs = t.Column(p.text(n, "same_as"))
		if c.SameAs == nil || c.SameAs == c || field(p.nodes[c.SameAs], "same_as") != nil {
			p.fault(n, "column %s of table %s: same_as must name another column, which has values of its own", c.Name, t.Name)
		}
	}
}

// columnType reads a column's type. References wait until every table is known.
func (p *reader) columnType(t *Table, c *Column, n *yaml.Node, text string) {
	m := typeForm.FindStringSubmatch(text)
	if m == nil {
		p.fault(n, "column %s of table %s: unknown type %q: it may be %s", c.Name, t.Name, brief(text), typeHelp)
		return
	}
	word, first, second := m[1], m[2], m[3]
	simple := map[string]Kind{"integer": Integer, "bigint": BigInt, "boolean": Boolean, "date": Date, "timestamp": Timestamp}
	kind, isSimple := simple[word]
	switch {
	case isSimple && first == "":
		c.Kind = kind
	case word == "text" && second == "":
		c.Kind = Text
		if first != "" {
			c.Length = p.within(n, c, "length", first, 1, maxTextLength)
		}
	case word == "decimal" && second != "":
		c.Kind = Decimal
		c.Precision = p.within(n, c, "precision", first, 1, 38)
		c.Scale = p.within(n, c, "scale", second, 0, c.Precision)
	case word == "enum" && first != "" && second == "":
		c.Kind, c.Enum = Enumerate, p.enumNamed(n, c, first)
		if c.Enum != nil && c.Enum.Open != "" { // the names are stored, as those of others are
			c.Kind, c.Length = Text, maxOpenValue
		}
	case word == "list" && first != "" && second == "":
		c.Kind, c.Separator = List, ","
		c.Length = p.within(n, c, "length", first, 1, maxTextLength)
	case word == "references" && first != "" && second == "":
		c.Kind, c.Separator = List, ","
		p.later = append(p.later, func() { p.reference(t, c, n, first) })
	case word == "list" && second != "":
		c.Kind, c.Separator, c.Enum = List, ";", p.enumNamed(n, c, first)
		c.Length = p.within(n, c, "length", second, 1, maxTextLength)
	case word == "reference" && first != "" && second == "":
		c.Kind = Reference
		p.later = append(p.later, func() { p.reference(t, c, n, first) })
	default:
		p.fault(n, "column %s of table %s: unknown type %q: it may be %s", c.Name, t.Name, brief(text), typeHelp)
	}
}

func (p *reader) within(n *yaml.Node, c *Column, what, text string, least, most int) int {
	v, err := strconv.Atoi(text)
	if err != nil || v < least || v > most {
		p.fault(n, "column %s: the %s %s is not between %d and %d", c.Name, what, brief(text), least, most)
		return least
	}
	return v
}

func (p *reader) enumNamed(n *yaml.Node, c *Column, name string) *Enum {
	e := p.enums[name]
	if e == nil {
		p.fault(n, "column %s: there is no enumeration %s", c.Name, brief(name))
	}
	return e
}

// idDigits is what follows a prefix in a production id: an underscore and 32 hex digits.
const idDigits = 1 + 32

func (p *reader) reference(t *Table, c *Column, n *yaml.Node, name string) {
	c.References = p.tables[name]
	if c.References == nil {
		p.fault(n, "column %s of table %s refers to table %s, which does not exist", c.Name, t.Name, brief(name))
		return
	}
	c.Length = len(c.References.Prefix) + idDigits
	if key := c.References.Key; key != nil && key.Length > c.Length {
		c.Length = key.Length
	}
}

// distinctColumns refuses names that meet once they are folded: a header could belong to either.
func (p *reader) distinctColumns(t *Table) {
	sql, headers := map[string]*Column{}, map[string]*Column{}
	for _, c := range t.Columns {
		if other := sql[c.SQLName]; other != nil {
			p.fault(p.nodes[c], "columns %s and %s of table %s have the same SQL name %s", other.Name, c.Name, t.Name, c.SQLName)
		}
		sql[c.SQLName] = c
		for _, name := range c.MatchNames() {
			if other := headers[name]; other != nil {
				p.fault(p.nodes[c], "columns %s and %s of table %s would both match the header %q", other.Name, c.Name, t.Name, name)
			}
			headers[name] = c
		}
	}
}

// distinctTables does the same for tables, by the names of files, in SQL and in production ids.
func (p *reader) distinctTables() {
	sql, prefixes, files := map[string]*Table{}, map[string]*Table{}, map[string]*Table{}
	for _, t := range p.schema.Tables {
		if p.enums[t.Name] != nil {
			p.fault(p.nodes[t], "%s is both a table and an enumeration: the reference could not tell them apart", t.Name)
		}
		if other := sql[t.SQLName]; other != nil {
			p.fault(p.nodes[t], "tables %s and %s have the same SQL name %s", other.Name, t.Name, t.SQLName)
		}
		if other := prefixes[t.Prefix]; other != nil {
			p.fault(p.nodes[t], "tables %s and %s have the same prefix %s", other.Name, t.Name, t.Prefix)
		}
		sql[t.SQLName], prefixes[t.Prefix] = t, t
		for _, name := range t.MatchNames() {
			if other := files[name]; other != nil {
				p.fault(p.nodes[t], "tables %s and %s would both match a file named %q", other.Name, t.Name, name)
			}
			files[name] = t
		}
	}
}
