package schema

import (
	"fmt"
	"strings"
)

// DBColumn is a column of a PostgreSQL table: one of the definition's, or one of the system's.
type DBColumn struct {
	Name    string
	Type    string
	NotNull bool
	Column  *Column // nil for the system's
}

// PostgresType is the column's type in production.
func (c *Column) PostgresType() string {
	switch c.Kind {
	case Integer:
		return "integer"
	case BigInt:
		return "bigint"
	case Decimal:
		return fmt.Sprintf("numeric(%d,%d)", c.Precision, c.Scale)
	case Boolean:
		return "boolean"
	case Date:
		return "date"
	case Timestamp:
		return "timestamp with time zone"
	case Enumerate:
		return "smallint"
	case Text, List:
		if c.IsReferenceList() {
			return "text[]"
		}
		if c.Length > 0 {
			return fmt.Sprintf("varchar(%d)", c.Length)
		}
	case Reference: // a production id, whatever length was received
	}
	return "text"
}

// DigestColumn and WrittenColumn let a promotion tell unchanged rows without looking at their values. The first holds a hash
// of the row as it was staged, the second the transaction that wrote it: where that is not the row's xmin, somebody else has
// written to it since, and the hash says nothing.
const (
	DigestColumn  = "_digest"
	WrittenColumn = "_written"
)

// ProductionColumns are the columns of the table's production table: the production id, the definition's columns, the
// import that wrote the row last, when it was made and changed, and what its next promotion is compared by.
func (t *Table) ProductionColumns() []DBColumn {
	columns := []DBColumn{{Name: "id", Type: "text", NotNull: true}}
	for _, c := range t.Columns {
		columns = append(columns, DBColumn{Name: c.SQLName, Type: c.PostgresType(), NotNull: c.Required, Column: c})
	}
	return append(
		columns,
		DBColumn{Name: "_import", Type: "text", NotNull: true},
		DBColumn{Name: "_created_at", Type: "timestamp with time zone", NotNull: true},
		DBColumn{Name: "_updated_at", Type: "timestamp with time zone", NotNull: true},
		DBColumn{Name: DigestColumn, Type: "uuid"},
		DBColumn{Name: WrittenColumn, Type: "xid"},
	)
}

// CreateTable is the statement that makes a table of those columns. It fails if the table exists.
func CreateTable(schemaName, tableName string, cols []DBColumn, unlogged bool) string {
	verb := "create table "
	if unlogged {
		verb = "create unlogged table "
	}
	return verb + createTableBody(schemaName, tableName, cols)
}

func createTableBody(schemaName, tableName string, cols []DBColumn, constraints ...string) string {
	var b strings.Builder
	b.WriteString(qualified(schemaName, tableName) + " (")
	separator := "\n    "
	for _, c := range cols {
		b.WriteString(separator + QuoteIdent(c.Name) + " " + c.Type)
		if c.NotNull {
			b.WriteString(" not null")
		}
		separator = ",\n    "
	}
	for _, constraint := range constraints {
		b.WriteString(separator + constraint)
	}
	b.WriteString("\n)")
	return b.String()
}

// ProductionDDL are the statements that make the table's production table and its indexes in a schema, each without harm
// if they are there. Sets of unique columns get plain indexes: rows that swap numbers in one promotion would trip over a
// constraint half way, so uniqueness is verified before, in SQL. So are references: there are no foreign keys.
func (t *Table) ProductionDDL(schemaName string) []string {
	statements := []string{"create table if not exists " + createTableBody(
		schemaName, t.SQLName, t.ProductionColumns(),
		"primary key ("+QuoteIdent("id")+")",
		"unique ("+QuoteIdent(t.Key.SQLName)+")",
	)}
	for _, columns := range t.indexes() {
		names, quoted := make([]string, len(columns)), make([]string, len(columns))
		for i, c := range columns {
			names[i], quoted[i] = c.SQLName, QuoteIdent(c.SQLName)
		}
		statements = append(statements, fmt.Sprintf(
			"create index if not exists %s on %s (%s)",
			QuoteIdent(indexName(t.SQLName, names)), qualified(schemaName, t.SQLName), strings.Join(quoted, ", "),
		))
	}
	return statements
}

// indexes are the sets of columns by which the checks look rows of the table up in production.
func (t *Table) indexes() [][]*Column {
	sets := append([][]*Column(nil), t.Unique...)
	add := func(c *Column) {
		for _, set := range sets {
			if set[0] == c {
				return
			}
		}
		sets = append(sets, []*Column{c})
	}
	for _, whole := range t.schema.Tables {
		for _, check := range whole.Checks {
			if check.Kind != RowCheck && whole.PartsOf(check) == t {
				add(check.By)
			}
		}
	}
	return sets
}

// maxIdent is the length at which PostgreSQL cuts a name off.
const maxIdent = 63

func indexName(table string, columns []string) string {
	const suffix = "_idx"
	name := table + "_" + strings.Join(columns, "_")
	if len(name) > maxIdent-len(suffix) {
		// Cut names could be equal, so the hash of the whole one tells them apart.
		name = name[:maxIdent-len(suffix)-9] + "_" + ObjectID("", "", name)[1:9]
	}
	return name + suffix
}

func qualified(schemaName, name string) string {
	if schemaName == "" {
		return QuoteIdent(name)
	}
	return QuoteIdent(schemaName) + "." + QuoteIdent(name)
}

// QuoteIdent quotes a PostgreSQL identifier. A NUL byte, which none can hold, is dropped.
func QuoteIdent(s string) string {
	return `"` + strings.ReplaceAll(strings.ReplaceAll(s, "\x00", ""), `"`, `""`) + `"`
}
