package staging

import (
	"context"
	"fmt"
	"strings"

	"dropline/ingest"
	"dropline/schema"
)

// keys refuses every row of a key that several records have, those that were refused while copying among them: which of
// them is meant, only the client can say.
func (c *checker) keys(ctx context.Context) error {
	for _, t := range c.tables {
		packed, key := c.names.packed(t, c.seq), schema.QuoteIdent(t.Key.SQLName)
		ids := "select id from " + packed
		places := fmt.Sprintf("select ctid, id, %s, %s from %s", sourceColumn, key, packed)
		if c.rejected {
			own := fmt.Sprintf(" from %s where tbl = %d and col is null", c.names.rejected(c.seq), c.number[t])
			ids += " union all select id" + own
			places += " union all select null, id, " + sourceColumn + ", null" + own
		}
		twice := "select id from (" + ids + ") k group by id having count(*) > 1"
		from := fmt.Sprintf(
			"(select p.ctid, %[4]s as id, p.%[1]s, p.%[5]s, coalesce(lag(p.%[1]s) over w, lead(p.%[1]s) over w) as other from (%[2]s) p where p.id in (%[3]s) "+
				"window w as (partition by p.id order by p.%[1]s))", sourceColumn, places, twice, schema.StagedID(t.Prefix, "p.id"), key,
		)
		// To sort hashes costs less than grouping by the ids does, and finds nearly always that none is there twice.
		var suspicious bool
		err := c.tx.QueryRow(ctx, "select count(*) > count(distinct uuid_hash_extended(id, 0)) from ("+ids+") k").Scan(&suspicious)
		if err != nil {
			return err
		}
		if !suspicious {
			continue
		}
		err = c.add(ctx, refusal{
			table: t, from: from, where: "t.ctid is not null", code: literal(ingest.CodeDuplicateKey), column: t.Key.Name,
			other: "t.other",
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// uniques refuses rows that share the values of a set of unique columns, within the import or with a row that it does not
// replace.
func (c *checker) uniques(ctx context.Context) error {
	for _, t := range c.tables {
		for _, set := range t.Unique {
			for _, where := range c.uniqueConditions(t, set) {
				err := c.add(ctx, refusal{
					table: t, where: where, code: literal(ingest.CodeDuplicateValue), column: set[0].Name,
					detail: literal(columnList(set)), value: "t." + schema.QuoteIdent(set[0].SQLName) + "::text",
				})
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// uniqueConditions are conditions on a row t of the import's table: first against the import itself, then against
// everything else. An absent value equals nothing.
func (o *overlay) uniqueConditions(t *schema.Table, set []*schema.Column) []string {
	var mine, given, equal []string
	for _, col := range set {
		name := schema.QuoteIdent(col.SQLName)
		mine = append(mine, "t."+name)
		given = append(given, "x."+name+" is not null")
		equal = append(equal, "x."+name+" = t."+name)
	}
	list := strings.Join(mine, ", ")
	conditions := []string{fmt.Sprintf(
		"(%s) in (select %s from %s x where %s and %s group by %s having count(*) > 1)", list,
		strings.ReplaceAll(list, "t.", "x."), o.names.staged(t, o.seq), strings.Join(given, " and "), o.alive(t, "x"),
		strings.ReplaceAll(list, "t.", "x."),
	)}
	newer := ""
	others := append([]earlier(nil), o.earlier[t]...)
	for i := 0; i <= len(others); i++ {
		from := o.names.live(t)
		if i < len(others) {
			from = o.names.staged(t, others[i].seq)
		}
		conditions = append(conditions, fmt.Sprintf(
			"exists (select from %s x where %s and not %s%s)", from, strings.Join(equal, " and "), o.replaced(t), newer,
		))
		newer += " and not exists (select from " + from + " newer where newer.id = x.id)"
	}
	return conditions
}

func columnList(set []*schema.Column) string {
	list := make([]string, len(set))
	for i, col := range set {
		list[i] = col.Name
	}
	return strings.Join(list, ", ")
}

// rowChecks refuses rows that a declared check on a row by itself finds false, with the first such check.
func (c *checker) rowChecks(ctx context.Context) error {
	for _, t := range c.tables {
		for _, check := range t.Checks {
			if !c.suspect[t].checks || check.Kind != schema.RowCheck || check.Severity != schema.Error {
				continue
			}
			err := c.add(ctx, refusal{
				table: t, where: "(" + check.Expr.Postgres("t") + ") is false", code: literal(check.Name), column: check.Column,
				value: valueOf(t, check.Column),
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// valueOf is a column's value as text, in SQL; a reference's is in the file.
func valueOf(t *schema.Table, column string) string {
	col := t.Column(column)
	if col == nil || col.Kind == schema.Reference {
		return ""
	}
	return "t." + schema.QuoteIdent(col.SQLName) + "::text"
}
