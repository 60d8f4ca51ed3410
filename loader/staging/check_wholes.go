package staging

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dropline/schema"
)

// ruled is a check on a whole: a sum or running check, with the table that declares it.
type ruled struct {
	table *schema.Table
	check *schema.Check
}

// parts is the table whose rows make up the whole.
func (r ruled) parts() *schema.Table { return r.table.PartsOf(r.check) }

// wholeChecks are the checks on wholes of that severity which the import's rows can change.
func (o *overlay) wholeChecks(s *schema.Schema, severity schema.Severity) []ruled {
	var found []ruled
	for _, t := range s.Tables {
		for _, check := range t.Checks {
			r := ruled{t, check}
			if check.Kind != schema.RowCheck && check.Severity == severity && (o.own[t] || o.own[r.parts()]) {
				found = append(found, r)
			}
		}
	}
	return found
}

// affected renders the ids of the wholes that the import has to do with: those it brings, those its parts belong to, and
// those that parts which it replaces belonged to.
func (o *overlay) affected(r ruled) string {
	var sets []string
	if r.check.Kind == schema.SumCheck && o.own[r.table] {
		sets = append(sets, fmt.Sprintf("select x.id from %s x where %s", o.names.staged(r.table, o.seq), o.alive(r.table, "x")))
	}
	if parts := r.parts(); o.own[parts] {
		by := schema.QuoteIdent(r.check.By.SQLName)
		sets = append(
			sets,
			fmt.Sprintf("select x.%s from %s x where x.%s is not null and %s", by, o.names.staged(parts, o.seq), by, o.alive(parts, "x")),
			fmt.Sprintf("select old.%s from (%s) old where old.%s is not null", by, o.before(parts, o.replaced(parts)), by),
		)
	}
	return strings.Join(sets, "\nunion\n")
}

// failing renders the ids of the affected wholes for which the check is false once the import is in production, with what
// was found. The ids are in the table affected.
func (o *overlay) failing(r ruled) string {
	check, parts := r.check, r.parts()
	by := "x." + schema.QuoteIdent(check.By.SQLName)
	counted := "true"
	if check.Where != nil {
		counted = "(" + check.Where.Postgres("x") + ")"
	}
	rows := o.all(parts, by+" in (select id from affected)")
	if check.Kind == schema.RunningCheck {
		order := ""
		for _, col := range check.OrderBy {
			order += "x." + schema.QuoteIdent(col.SQLName) + ", "
		}
		return fmt.Sprintf(
			"select id, 'falls to ' || min(running)::text as detail from (select %s as id, sum(coalesce(%s, 0)) over "+
				"(partition by %s order by %sx.id collate \"C\" rows unbounded preceding) as running from %s x where %s) r "+
				"where running < 0 group by id", by, check.Sum.Postgres("x"), by, order, rows, counted,
		)
	}
	sums := fmt.Sprintf("select %s as id, sum(%s) as total from %s x where %s group by %s", by, check.Sum.Postgres("x"), rows, counted, by)
	empty := ""
	if check.SkipEmpty {
		empty = " and (s.id is not null" + o.hadParts(r) + ")"
	}
	return fmt.Sprintf(
		"select w.id, 'the sum is ' || coalesce(s.total, 0)::text || ', to compare with ' || (%[1]s)::text as detail from %[2]s w "+
			"left join (%[3]s) s on s.id = w.id where (coalesce(s.total, 0) %[4]s (%[1]s)) is false%[5]s",
		check.Expr.Postgres("w"), o.all(r.table, "x.id in (select id from affected)"), sums, check.Op, empty,
	)
}

// hadParts adds the wholes whose parts were all refused, by mapping or by a check: they are not empty, they have lost
// something.
func (o *overlay) hadParts(r ruled) string {
	parts, or := r.parts(), ""
	if o.refused[parts] > 0 {
		or += fmt.Sprintf(" or w.id in (select x.%s from %s x join refused gone on gone.tbl = %d and gone.spot = x.ctid)",
			schema.QuoteIdent(r.check.By.SQLName), o.names.staged(parts, o.seq), o.number[parts])
	}
	if o.rejected {
		or += fmt.Sprintf(" or w.id in (select %s from %s lost where lost.tbl = %d and lost.col = %d)",
			schema.StagedID(r.table.Prefix, "lost.id"), o.names.rejected(o.seq), o.number[parts], r.check.By.Index)
	}
	return or
}

// keepLost notes of which wholes a table's refused rows were parts, as Copy did for those that mapping refused: the warnings,
// which come when the rows are gone, shall not take those wholes for empty.
func (c *checker) keepLost(ctx context.Context, t *schema.Table) error {
	for _, by := range partOf(c.target.Schema, t) {
		if !c.rejected {
			if _, err := c.tx.Exec(ctx, createRejected(c.names, c.seq)); err != nil {
				return err
			}
			c.rejected = true
		}
		column := "p." + schema.QuoteIdent(by.SQLName)
		_, err := c.tx.Exec(ctx, fmt.Sprintf("insert into %s select %d, %d, %s, p.%s from %s p join refused gone on gone.tbl = %[2]d and gone.spot = p.ctid where %[4]s is not null",
			c.names.rejected(c.seq), c.number[t], by.Index, column, sourceColumn, c.names.packed(t, c.seq)))
		if err != nil {
			return err
		}
	}
	return nil
}

// partOf are the columns by which rows of a table are parts of wholes that may also be empty.
func partOf(s *schema.Schema, t *schema.Table) []*schema.Column {
	var found []*schema.Column
	for _, whole := range s.Tables {
		for _, check := range whole.Checks {
			if check.Kind == schema.SumCheck && check.SkipEmpty && check.Child == t && !slices.Contains(found, check.By) {
				found = append(found, check.By)
			}
		}
	}
	return found
}

// members are the import's rows that belong to failing wholes, as conditions on t: the whole itself, its parts, and rows
// that took a part away from it. The ids of the wholes are in the table failing.
func (o *overlay) members(r ruled) []refusal {
	var found []refusal
	add := func(t *schema.Table, column, where string) {
		found = append(found, refusal{
			table: t, column: column, where: where, code: literal(r.check.Name), value: valueOf(t, column),
			detail: "(select min(f.detail) from failing f where f.id = %s)",
		})
	}
	if r.check.Kind == schema.SumCheck && o.own[r.table] {
		add(r.table, r.check.Column, "t.id in (select id from failing)")
		found[0].detail = fmt.Sprintf(found[0].detail, "t.id")
	}
	if parts := r.parts(); o.own[parts] {
		column := r.check.By.Name
		if r.check.Kind == schema.RunningCheck {
			column = r.check.Column
		}
		by := schema.QuoteIdent(r.check.By.SQLName)
		add(parts, column, "t."+by+" in (select id from failing)")
		found[len(found)-1].detail = fmt.Sprintf(found[len(found)-1].detail, "t."+by)
		add(parts, column, fmt.Sprintf(
			"t.id in (select old.id from (%s) old where old.%[2]s in (select id from failing)) and (t.%[2]s is null or t.%[2]s not in (select id from failing))",
			o.before(parts, o.replaced(parts)), by,
		))
		found[len(found)-1].detail = "'the row is taken from a whole that needs it'"
	}
	return found
}

// findFailing fills the tables affected and failing for a check, and reports whether any whole fails.
func (o *overlay) findFailing(ctx context.Context, run func(ctx context.Context, sql string) (int64, error), r ruled) (bool, error) {
	for _, sql := range []string{
		"create temporary table if not exists affected (id text not null) on commit drop",
		"create temporary table if not exists failing (id text not null, detail text) on commit drop",
		"truncate affected, failing",
		"insert into affected " + o.affected(r),
		"analyze affected",
	} {
		if _, err := run(ctx, sql); err != nil {
			return false, err
		}
	}
	n, err := run(ctx, "insert into failing "+o.failing(r))
	return n > 0, err
}

func (c *checker) run(ctx context.Context, sql string) (int64, error) {
	tag, err := c.tx.Exec(ctx, sql)
	return tag.RowsAffected(), err
}

// wholes refuses the rows of wholes that a declared check finds false.
func (c *checker) wholes(ctx context.Context) error {
	for _, r := range c.wholeChecks(c.target.Schema, schema.Error) {
		found, err := c.findFailing(ctx, c.run, r)
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		for _, member := range c.members(r) {
			if err := c.add(ctx, member); err != nil {
				return err
			}
		}
	}
	return nil
}

// dependsOn notes the earlier imports whose rows were counted in checks on wholes.
func (c *checker) dependsOn(ctx context.Context) error {
	for _, r := range c.wholeChecks(c.target.Schema, schema.Error) {
		sources := map[*schema.Table]string{r.parts(): schema.QuoteIdent(r.check.By.SQLName)}
		for t, column := range sources {
			if len(c.earlier[t]) == 0 && len(c.earlier[r.table]) == 0 {
				continue
			}
			if _, err := c.findFailing(ctx, c.run, r); err != nil {
				return err
			}
			if err := c.needs(ctx, t, "x."+column+" in (select id from affected)"); err != nil {
				return err
			}
			if r.check.Kind == schema.SumCheck {
				if err := c.needs(ctx, r.table, "x.id in (select id from affected)"); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// needs notes the earlier imports that have rows of a table satisfying a condition on x.
func (c *checker) needs(ctx context.Context, t *schema.Table, where string) error {
	for _, e := range c.earlier[t] {
		if c.needed[e.id] {
			continue
		}
		any, err := c.any(ctx, "select 1 from "+c.staged(t, e.seq)+" x where "+where)
		if err != nil {
			return err
		}
		if any {
			c.needed[e.id] = true
		}
	}
	return nil
}
