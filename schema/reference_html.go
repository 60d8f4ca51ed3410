package schema

import (
	"bytes"
	_ "embed"
	"html/template"
	"io"
	"sync"
)

//go:embed reference.html.tmpl
var referenceTemplate string

var parseReference = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("reference").Parse(referenceTemplate))
})

// referencePage is what the template is given.
type referencePage struct {
	Schema *Schema
	Title  string
	Groups []tableGroup // of the list of tables
	Tables []*Table     // those described in full
	Enums  []*Enum      // those listed in full
	single bool         // all tables are in one page
}

type tableGroup struct {
	Name   string
	Tables []*Table
}

// WriteReferenceHTML writes the whole reference as one page that needs nothing but itself: contents, every table, every
// enumeration. A table is at the anchor of its name, "#WorkItem".
func (s *Schema) WriteReferenceHTML(w io.Writer) error {
	return writePage(w, &referencePage{
		Schema: s, Title: s.Title, Groups: s.groups(), Tables: s.Tables, Enums: s.Enums, single: true,
	})
}

// WriteIndexHTML writes the list of tables alone. It links to the pages that Table.WriteReferenceHTML writes, as
// "WorkItem.html" beside it.
func (s *Schema) WriteIndexHTML(w io.Writer) error {
	return writePage(w, &referencePage{Schema: s, Title: s.Title, Groups: s.groups()})
}

// WriteReferenceHTML writes the table's own page. It links to the other tables' as "Matter.html" beside it, and to the
// index as "index.html".
func (t *Table) WriteReferenceHTML(w io.Writer) error {
	return writePage(w, &referencePage{
		Schema: t.schema, Title: t.Name + " – " + t.schema.Title, Tables: []*Table{t}, Enums: t.enums(),
	})
}

func writePage(w io.Writer, page *referencePage) error {
	var b bytes.Buffer // so that a fault leaves no half page
	if err := parseReference().Execute(&b, page); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// Link is the address of a table's description as seen from this page.
func (p *referencePage) Link(t *Table) string {
	if p.single {
		return "#" + t.Name
	}
	return t.Name + ".html"
}

// Index is the address of the list of tables, if it is not on this page.
func (p *referencePage) Index() string {
	if p.single || len(p.Tables) == 0 {
		return ""
	}
	return "index.html"
}

// Sample is the table's template with one row of examples in it.
func (p *referencePage) Sample(t *Table) (string, error) {
	var b bytes.Buffer
	err := writeCSV(&b, t.sample()...)
	return b.String(), err
}

// SeedColumns are the columns in which the table's seeds have values.
func (p *referencePage) SeedColumns(t *Table) []*Column { return t.seedColumns() }

func (t *Table) seedColumns() []*Column {
	var out []*Column
	for _, c := range t.Columns {
		for _, seed := range t.Seeds {
			if seed[c.Index] != nil {
				out = append(out, c)
				break
			}
		}
	}
	return out
}

// referrer is a column that refers to a table.
type referrer struct {
	Table  *Table
	Column *Column
}

// ReferredToBy are the columns of the schema that refer to the table.
func (p *referencePage) ReferredToBy(t *Table) []referrer { return t.referrers() }

func (t *Table) referrers() []referrer {
	var out []referrer
	for _, other := range t.schema.Tables {
		for _, c := range other.Columns {
			if c.References == t {
				out = append(out, referrer{other, c})
			}
		}
	}
	return out
}

// groups are the tables by heading, in the order in which headings first appear.
func (s *Schema) groups() []tableGroup {
	var groups []tableGroup
	index := map[string]int{}
	for _, t := range s.Tables {
		i, seen := index[t.Group]
		if !seen {
			i = len(groups)
			index[t.Group] = i
			groups = append(groups, tableGroup{Name: t.Group})
		}
		groups[i].Tables = append(groups[i].Tables, t)
	}
	return groups
}

// enums are the enumerations that the table's columns use.
func (t *Table) enums() []*Enum {
	var out []*Enum
	seen := map[*Enum]bool{}
	for _, c := range t.Columns {
		if c.Enum != nil && !seen[c.Enum] {
			seen[c.Enum] = true
			out = append(out, c.Enum)
		}
	}
	return out
}
