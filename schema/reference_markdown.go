package schema

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// WriteReferenceMarkdown writes the whole reference as one Markdown document: contents, every table, every enumeration.
func (s *Schema) WriteReferenceMarkdown(w io.Writer) error {
	m := &markdown{link: func(t *Table) string { return "#" + lowerAnchor(t.Name) }}
	m.line("# %s\n", escape(s.Title))
	m.line("%s\n", escape(s.Description))
	m.index(s)
	for _, t := range s.Tables {
		m.table(t, "##")
	}
	m.line("## Enumerations\n")
	for _, e := range s.Enums {
		m.enum(e)
	}
	return m.writeTo(w)
}

// WriteIndexMarkdown writes the list of tables alone. It links to the pages that Table.WriteReferenceMarkdown writes, as
// "WorkItem.md" beside it.
func (s *Schema) WriteIndexMarkdown(w io.Writer) error {
	m := &markdown{link: func(t *Table) string { return t.Name + ".md" }}
	m.line("# %s\n", escape(s.Title))
	m.line("%s\n", escape(s.Description))
	m.index(s)
	return m.writeTo(w)
}

// WriteReferenceMarkdown writes the table's own page. It links to the other tables' as "Matter.md" beside it, and to the
// index as "index.md".
func (t *Table) WriteReferenceMarkdown(w io.Writer) error {
	m := &markdown{link: func(t *Table) string { return t.Name + ".md" }}
	m.line("[%s](index.md)\n", escape(t.schema.Title))
	m.table(t, "#")
	if enums := t.enums(); len(enums) > 0 {
		m.line("## Enumerations\n")
		for _, e := range enums {
			m.enum(e)
		}
	}
	return m.writeTo(w)
}

type markdown struct {
	b    bytes.Buffer
	link func(*Table) string
}

func (m *markdown) line(format string, args ...any) { fmt.Fprintf(&m.b, format+"\n", args...) }

func (m *markdown) writeTo(w io.Writer) error {
	_, err := w.Write(append(bytes.TrimRight(m.b.Bytes(), "\n"), '\n'))
	return err
}

// row writes a row of a table; its cells are escaped already.
func (m *markdown) row(cells ...string) { m.line("| %s |", strings.Join(cells, " | ")) }

func (m *markdown) head(cells ...string) {
	m.row(cells...)
	m.line("|%s", strings.Repeat("---|", len(cells)))
}

func (m *markdown) index(s *Schema) {
	for _, group := range s.groups() {
		if group.Name != "" {
			m.line("**%s**\n", escape(group.Name))
		}
		for _, t := range group.Tables {
			m.line("- [%s](%s): %s", t.Name, m.link(t), escape(t.Description))
		}
		m.line("")
	}
}

func (m *markdown) table(t *Table, heading string) {
	m.line("%s %s\n", heading, t.Name)
	m.line("%s\n", escape(t.Description))
	names := t.MatchNames()
	for i, name := range names {
		names[i] = code(name)
	}
	m.line("Files named %s, or any of %s. Production ids begin with %s.\n", code(t.TemplateName()), strings.Join(names, ", "), code(t.Prefix+"_"))
	m.head("Column", "Required", "Values", "Meaning", "Example")
	for _, c := range t.Columns {
		m.column(c)
	}
	m.line("")
	m.referrers(t)
	for _, set := range t.Unique {
		m.line("Unique where given: %s.\n", strings.Join(columnNames(set), ", "))
	}
	if len(t.Checks) > 0 {
		m.head("Check", "Severity", "If it fails", "Rule, broken only where it is false")
		for _, c := range t.Checks {
			m.row(code(c.Name), c.Severity.String(), escape(c.Message), code(c.Rule()))
		}
		m.line("")
	}
	m.line("```csv")
	_ = writeCSV(&m.b, t.sample()...) // a buffer takes everything
	m.line("```\n")
	m.seeds(t)
}

func (m *markdown) column(c *Column) {
	required, example := "", ""
	if c.Required {
		required = "yes"
	}
	if c.Example != "" {
		example = code(c.Example)
	}
	accepts, meaning := escape(c.Accepts()), escape(c.Description)
	switch {
	case c.References != nil:
		accepts = "[" + accepts + "](" + m.link(c.References) + ")"
	case c.Enum != nil:
		accepts = "[" + accepts + "](#" + lowerAnchor(c.Enum.Name) + ")"
	}
	if len(c.Aliases) > 0 {
		meaning += " Header also: " + escape(strings.Join(c.Aliases, ", ")) + "."
	}
	m.row(code(c.Name), required, accepts, meaning, example)
}

func (m *markdown) referrers(t *Table) {
	var links []string
	for _, r := range t.referrers() {
		links = append(links, fmt.Sprintf("[%s.%s](%s)", r.Table.Name, r.Column.Name, m.link(r.Table)))
	}
	if len(links) > 0 {
		m.line("Referred to by %s.\n", strings.Join(links, ", "))
	}
}

func (m *markdown) seeds(t *Table) {
	if len(t.Seeds) == 0 {
		return
	}
	m.line("There from the start:\n")
	columns := t.seedColumns()
	m.head(columnNames(columns)...)
	for _, seed := range t.Seeds {
		cells := make([]string, len(columns))
		for i, c := range columns {
			if value := seed[c.Index]; value != nil {
				cells[i] = escape(*value)
			}
		}
		m.row(cells...)
	}
	m.line("")
}

func (m *markdown) enum(e *Enum) {
	m.line("### %s\n", e.Name)
	m.line("%s\n", escape(e.Description))
	if e.Open != "" {
		m.line("One of these names, or a value of your own that begins with %s.\n", code(e.Open))
		m.head("Name", "Meaning")
		for _, v := range e.Values {
			m.row(code(v.Name), escape(v.Description))
		}
		m.line("")
		return
	}
	m.head("Number", "Name", "Meaning")
	for _, v := range e.Values {
		m.row(fmt.Sprint(v.Number), code(v.Name), escape(v.Description))
	}
	m.line("")
}

var markdownEscaper = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "<", "&lt;", "&", "&amp;", "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, "#", `\#`,
)

// escape makes a text harmless in a paragraph or a cell.
func escape(s string) string { return markdownEscaper.Replace(oneLine(s)) }

// code sets a text as code. Only a bar and the backtick itself mean anything there.
func code(s string) string {
	s = strings.ReplaceAll(oneLine(s), "|", `\|`)
	if strings.Contains(s, "`") {
		return "`` " + s + " ``"
	}
	return "`" + s + "`"
}

// lowerAnchor is the anchor that Markdown renderers give a heading.
func lowerAnchor(name string) string { return strings.ToLower(name) }
