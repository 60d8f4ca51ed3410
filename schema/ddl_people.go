package schema

import (
	"io"
	"strings"
)

// WritePostgresDDL writes, for people to read and try, what the loader makes by itself: each table in production and in
// staging, with comments. It can be run again without harm.
func (s *Schema) WritePostgresDDL(w io.Writer, stagingSchema, productionSchema string) error {
	var b strings.Builder
	b.WriteString("-- " + oneLine(s.Title) + " (" + s.FileStem() + ") for PostgreSQL 15 and later.\n")
	statements := []string{
		"create schema if not exists " + QuoteIdent(productionSchema),
		"create schema if not exists " + QuoteIdent(stagingSchema),
	}
	for _, t := range s.Tables {
		statements = append(statements, t.ProductionDDL(productionSchema)...)
		statements = append(statements, t.CommentDDL(productionSchema)...)
		statements = append(
			statements,
			"create unlogged table if not exists "+createTableBody(stagingSchema, t.SQLName, t.StagingColumns()),
		)
	}
	for _, statement := range statements {
		b.WriteString("\n" + statement + ";\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// CommentDDL are the statements that put the definition's descriptions on the table's production table.
func (t *Table) CommentDDL(schemaName string) []string {
	name := qualified(schemaName, t.SQLName)
	statements := []string{"comment on table " + name + " is " + quoteLiteral(t.Description)}
	for _, c := range t.ProductionColumns() {
		if text := c.comment(); text != "" {
			statements = append(statements, "comment on column "+name+"."+QuoteIdent(c.Name)+" is "+quoteLiteral(text))
		}
	}
	return statements
}

func (c DBColumn) comment() string {
	switch c.Name {
	case "id":
		return "Production id, computed from tenant, table and key."
	case "_import":
		return "The import that wrote the row last."
	case "_created_at":
		return "When the row was first promoted."
	case "_updated_at":
		return "When a promotion changed the row last."
	case DigestColumn:
		return "A hash of the row as it was staged, by which the next promotion sees whether it changed."
	case WrittenColumn:
		return "The transaction that wrote the row; where it is not xmin, the hash is out of date."
	}
	text := c.Column.Description
	switch c.Column.Kind {
	case Enumerate:
		text += " " + c.Column.Enum.Name + ": " + c.Column.Enum.members() + "."
	case Text:
		if c.Column.Enum != nil {
			text += " " + c.Column.Enum.Name + ": " + c.Column.Enum.members() + "."
		}
	case List:
		if c.Column.References != nil {
			text += " References " + c.Column.References.SQLName + ".id, several."
		}
	case Reference:
		text += " References " + c.Column.References.SQLName + ".id."
	default:
	}
	return oneLine(text)
}

func quoteLiteral(s string) string {
	quoted := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(quoted, `\`) { // safe whatever standard_conforming_strings says
		quoted = "E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}
