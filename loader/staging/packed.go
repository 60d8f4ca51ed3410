package staging

import (
	"strings"

	"dropline/schema"
)

// unpacked renders the columns of packed rows as production has them: id, then the definition's columns in their order.
func unpacked(t *schema.Table, alias string) string {
	var b strings.Builder
	b.WriteString(schema.StagedID(t.Prefix, alias+".id") + " as id")
	for _, c := range t.Columns {
		b.WriteString(", " + unpackedColumn(c, alias))
		if c.References != nil {
			b.WriteString(" as " + schema.QuoteIdent(c.SQLName))
		}
	}
	return b.String()
}

// unpackedColumn renders one column of packed rows as production has it.
func unpackedColumn(c *schema.Column, alias string) string {
	name := alias + "." + schema.QuoteIdent(c.SQLName)
	if c.Kind == schema.Reference {
		return schema.StagedID(c.References.Prefix, name)
	}
	if c.IsReferenceList() {
		return "(select array_agg(" + schema.StagedID(c.References.Prefix, "u.digits") + " order by u.n) from unnest(" + name + ") with ordinality u(digits, n))"
	}
	return name
}

// createPacked are the statements that make an import's table of packed rows and its view. The table is unlogged: see
// refill.go. Autovacuum is kept from tables that are written once and dropped: it would go through each of them right after
// the load, and write a good part of it anew.
func createPacked(n names, t *schema.Table, seq int64) string {
	return schema.CreateTable(n.staging, packedName(t, seq), t.StagingColumns(), true) + noVacuum + ";\n" +
		"create view " + n.view(t, seq) + " as select " + unpacked(t, "r") + ", " +
		fileIn("r."+sourceColumn) + " as _file, " + recordIn("r."+sourceColumn) + " as _record from " + n.packed(t, seq) + " r"
}
