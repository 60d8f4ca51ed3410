package schema

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// MSSQLType is the column's type in SQL Server 2016 and later.
func (c *Column) MSSQLType() string {
	switch c.Kind {
	case Integer:
		return "int"
	case BigInt:
		return "bigint"
	case Decimal:
		return fmt.Sprintf("decimal(%d, %d)", c.Precision, c.Scale)
	case Boolean:
		return "bit"
	case Date:
		return "date"
	case Timestamp:
		return "datetime2(6)"
	case Enumerate:
		return "smallint"
	case Text, List, Reference:
		if c.Length > 0 && !c.IsReferenceList() { // whose length is that of one
			return fmt.Sprintf("nvarchar(%d)", c.Length)
		}
	}
	return "nvarchar(max)"
}

// maxMSSQLName is how long a name may be in SQL Server.
const maxMSSQLName = 128

// WriteTSQL writes the script that makes the schema's tables in a SQL Server database. It is a single batch without GO, so
// that any client can run it, and its only semicolons end its statements, so that even one that cuts a script there can. It
// leaves alone whatever is there, so that it can be run again, and says so of an object that is in the way. References are
// comments, not foreign keys: one may name an object that is only in production.
func (s *Schema) WriteTSQL(w io.Writer) error {
	t := &tsqlWriter{schema: s}
	t.comment("", "%s (%s)", s.Title, s.FileStem())
	if s.Description != "" {
		t.comment("", "%s", s.Description)
	}
	t.line("--")
	t.comment("", "For SQL Server 2016 and later. Makes the tables that are not there yet. Running it again changes nothing.")
	t.comment("", "A reference holds the key of the row it refers to, or the production id of an object that is in the system already.")
	t.comment("", "Dates and times in datetime2 columns are in UTC.")
	t.line("SET NOCOUNT ON;")
	for _, table := range s.Tables {
		t.table(table)
	}
	_, err := io.WriteString(w, t.b.String())
	return err
}

type tsqlWriter struct {
	b      strings.Builder
	schema *Schema
}

func (t *tsqlWriter) line(format string, args ...any) { fmt.Fprintf(&t.b, format+"\n", args...) }

// inComment keeps a text harmless in a comment: sqlcmd looks for its variables even there, and some clients for the ends
// of statements.
var inComment = strings.NewReplacer("$(", "$ (", ";", ",")

// comment writes one line, whatever line breaks the text has: a text must not escape from its comment.
func (t *tsqlWriter) comment(indent, format string, args ...any) {
	t.line("%s-- %s", indent, inComment.Replace(oneLine(fmt.Sprintf(format, args...))))
}

// oneLine joins a text's lines, those too that only Unicode knows.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func (t *tsqlWriter) table(table *Table) {
	t.line("")
	t.comment("", "%s: %s", table.Name, table.Description)
	for _, set := range table.Unique {
		t.comment("", "Unique where given: %s.", strings.Join(columnNames(set), ", "))
	}
	for _, check := range table.Checks {
		t.comment("", "Check %s (%s): %s", check.Name, check.Severity, check.Message)
		if check.Kind == RowCheck {
			t.comment("", "  Holds: %s", check.Expr.TSQL())
		}
	}
	if len(table.Seeds) > 0 {
		keys := make([]string, len(table.Seeds))
		for i, seed := range table.Seeds {
			keys[i] = *seed[table.Key.Index]
		}
		t.comment("", "The system starts with these, to which rows may refer: %s.", strings.Join(keys, ", "))
	}
	name := bracket("dbo") + "." + bracket(table.Name)
	t.line("IF OBJECT_ID(N'%s') IS NULL", name)
	t.line("    CREATE TABLE %s (", name)
	for _, c := range table.Columns {
		t.column(c)
	}
	for _, c := range table.Columns {
		switch {
		case c.Kind == Enumerate:
			t.line("        CONSTRAINT %s CHECK (%s BETWEEN 0 AND %d),", t.constraint("CK", table.Name, c.Name), bracket(c.Name), len(c.Enum.Values)-1)
		case c.Kind == Text && c.Enum != nil:
			t.line("        CONSTRAINT %s CHECK (%s),", t.constraint("CK", table.Name, c.Name), c.tsqlMembers())
		}
	}
	t.line("        CONSTRAINT %s PRIMARY KEY (%s)", t.constraint("PK", table.Name), bracket(table.Key.Name))
	t.line("    )")
	t.inTheWay(table, name)
}

// constraint names a constraint after the schema too: names are shared by all tables of a database's schema, and those of
// the client's own may be PK_Client already.
func (t *tsqlWriter) constraint(kind string, names ...string) string {
	tail := strings.Join(names, "_")
	name := kind + "_" + t.schema.Name + "_" + tail
	if len(name) > maxMSSQLName {
		name = kind + "_" + tail
	}
	return bracket(name)
}

// inTheWay ends a table's statement with what is said if an object of its name is there that cannot stand for it: a client
// could otherwise not tell that the table was not made.
func (t *tsqlWriter) inTheWay(table *Table, name string) {
	columns := make([]string, len(table.Columns))
	for i, c := range table.Columns {
		columns[i] = "N'" + c.Name + "'"
	}
	t.line("ELSE IF (SELECT COUNT(*) FROM sys.columns WHERE object_id = OBJECT_ID(N'%s') AND name IN (", name)
	t.line("        %s", strings.Join(columns, ", "))
	t.line("    )) < %d", len(columns))
	t.line("    PRINT N'%s was there before and was left as it is, but it lacks columns of %s.';", name, t.schema.FileStem())
}

func (t *tsqlWriter) column(c *Column) {
	const indent = "        "
	if c.Description != "" {
		t.comment(indent, "%s", c.Description)
	}
	switch c.Kind {
	case Enumerate:
		t.comment(indent, "%s: %s", c.Enum.Name, c.Enum.members())
	case List:
		switch {
		case c.References != nil:
			t.comment(indent, "References %s.%s, several separated by commas", c.References.Name, c.References.Key.Name)
		case c.Enum == nil:
			t.comment(indent, "Several, separated by commas")
		default:
			t.comment(indent, "Several of %s, separated by semicolons: %s", c.Enum.Name, c.Enum.members())
		}
	case Reference:
		t.comment(indent, "References %s.%s", c.References.Name, c.References.Key.Name)
	case Text:
		if c.Enum != nil {
			t.comment(indent, "%s: %s", c.Enum.Name, c.Enum.members())
		}
	case Integer, BigInt, Decimal, Boolean, Date, Timestamp:
	}
	null := "NULL"
	if c.Required {
		null = "NOT NULL"
	}
	t.line("%s%s %s %s,", indent, bracket(c.Name), c.MSSQLType(), null)
}

// members lists an enumeration's values: "0 Asset, 1 Liability".
func (e *Enum) members() string {
	parts := make([]string, len(e.Values))
	for i, v := range e.Values {
		parts[i] = fmt.Sprintf("%d %s", v.Number, v.Name)
	}
	if e.Open != "" {
		for i, v := range e.Values {
			parts[i] = v.Name
		}
		parts = append(parts, "or what begins with "+e.Open)
	}
	return strings.Join(parts, ", ")
}

func tsqlText(s string) string { return "N'" + strings.ReplaceAll(s, "'", "''") + "'" }

// tsqlMembers is the condition that a column of an open enumeration has one of its values.
func (c *Column) tsqlMembers() string {
	names := make([]string, len(c.Enum.Values))
	for i, v := range c.Enum.Values {
		names[i] = tsqlText(v.Name)
	}
	return fmt.Sprintf("%[1]s IN (%[2]s) OR LEFT(%[1]s, %[3]d) = %[4]s", bracket(c.Name), strings.Join(names, ", "), utf8.RuneCountInString(c.Enum.Open),
		tsqlText(c.Enum.Open))
}

func columnNames(columns []*Column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return names
}
