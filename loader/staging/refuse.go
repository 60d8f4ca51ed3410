package staging

import (
	"context"
	"fmt"
	"strings"

	"dropline/schema"
)

// refusal describes rows of one table that are to be refused. Its SQL speaks of the table's rows as t.
type refusal struct {
	table  *schema.Table
	where  string
	code   string // SQL
	column string // published name, or ""
	detail string // SQL, for the message; empty is null
	value  string // SQL, the value as staged; empty is null, as of a reference, which is looked up in the file
	other  string // SQL, the source of another row that the message names; empty is null
	from   string // in place of the staging table: must offer ctid, id, _source and the key
}

const createRefused = `create temporary table refused (
    tbl smallint not null, spot tid not null, id text not null, step integer not null, source bytea not null, key text,
    code text not null, col text not null, detail text, value text, other bytea, unique (tbl, spot)
) on commit drop`

// add refuses rows that are not refused yet, if there are any. As long as nothing is refused it looks first: that can be done
// by several backends in parallel, which writing cannot, and in an import without faults there is nothing to write nor a
// table to make for it.
func (c *checker) add(ctx context.Context, r refusal) error {
	t := r.table
	if r.from == "" {
		r.from = c.staged(t, c.seq)
	}
	where := fmt.Sprintf(" from %s t where %s and %s", r.from, r.where, c.alive(t, "t"))
	if !c.made {
		if any, err := c.any(ctx, "select 1"+where); err != nil || !any {
			return err
		}
		if err := c.makeRefused(ctx); err != nil {
			return err
		}
	}
	tag, err := c.tx.Exec(ctx, fmt.Sprintf(
		"insert into refused (tbl, spot, id, step, source, key, code, col, detail, value, other) "+
			"select %d, t.ctid, t.id, %d, t.%s, t.%s, %s, %s, %s, %s, %s%s on conflict do nothing",
		c.number[t], c.step+1, sourceColumn, schema.QuoteIdent(t.Key.SQLName), r.code, literal(r.column), orNull(r.detail),
		orNull(r.value), orNull(r.other), where,
	))
	if err != nil {
		return err
	}
	if tag.RowsAffected() > 0 {
		c.step++
		c.refused[t] += tag.RowsAffected()
	}
	return nil
}

// any reports whether a query has rows. It counts them: with a limit, the planner would bet on finding one soon, and goes
// through two million rows in the way that is best for ten.
func (c *checker) any(ctx context.Context, query string) (bool, error) {
	var n int64
	err := c.tx.QueryRow(ctx, "select count(*) from ("+query+") found").Scan(&n)
	return n > 0, err
}

// makeRefused makes the table of refused rows. What follows has more to plan than a scan, so large tables are analyzed.
func (c *checker) makeRefused(ctx context.Context) error {
	if _, err := c.tx.Exec(ctx, createRefused); err != nil {
		return err
	}
	c.made = true
	for _, t := range c.tables {
		if c.copied[t] >= analyzeFrom {
			if _, err := c.tx.Exec(ctx, "analyze "+c.names.packed(t, c.seq)); err != nil {
				return err
			}
		}
	}
	return nil
}

func orNull(sql string) string {
	if sql == "" {
		return "null"
	}
	return sql
}

// literal quotes a text for SQL. The texts are the definition's.
func literal(s string) string {
	return "E'" + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "'", "''") + "'"
}

// total is how many rows are refused so far.
func (c *checker) total() int64 {
	var n int64
	for _, count := range c.refused {
		n += count
	}
	return n
}
