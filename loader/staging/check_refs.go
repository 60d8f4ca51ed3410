package staging

import (
	"context"
	"fmt"

	"dropline/ingest"
	"dropline/schema"
)

// referencesOf are a table's reference columns.
func referencesOf(t *schema.Table) []*schema.Column {
	var refs []*schema.Column
	for _, col := range t.Columns {
		if col.References != nil {
			refs = append(refs, col)
		}
	}
	return refs
}

// references refuses rows that refer to nothing in the import, in production or in an earlier staged import. Rows of the
// import that are refused themselves still count here: consequences deals with them.
func (c *checker) references(ctx context.Context) error {
	for _, t := range c.tables {
		for _, ref := range c.suspect[t].refs {
			r := refusal{table: t, where: c.dangling(t, ref), code: literal(ingest.CodeMissingRef), column: ref.Name}
			id := "t." + schema.QuoteIdent(ref.SQLName)
			if ref.Kind == schema.List {
				c.inList(&r, ref, c.missing(ref, itemRef))
				id = r.detail
			}
			if c.rejected {
				r.code = fmt.Sprintf("case when exists (select from %s r where r.col is null and r.id = right(%s, 32)::uuid) then %s else %s end",
					c.names.rejected(c.seq), id, literal(ingest.CodeParentRejected), r.code)
			}
			if err := c.add(ctx, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// dangling is a condition on a row t of the import's own table: its reference is given, or one of those that it lists, and is in no
// table.
func (o *overlay) dangling(t *schema.Table, ref *schema.Column) string {
	if ref.Kind == schema.List {
		return fmt.Sprintf("t.ctid in (select item.ctid from %s item where %s)", o.items(t, ref), o.missing(ref, itemRef))
	}
	id := "t." + schema.QuoteIdent(ref.SQLName)
	return id + " is not null and " + kept(t, "t") + " and " + o.missing(ref, id)
}

// missing is a condition on an id (an SQL expression) to which a column refers: it is in no table.
func (o *overlay) missing(ref *schema.Column, id string) string {
	where := o.absent(ref.References, id)
	if o.own[ref.References] {
		where += fmt.Sprintf(" and not exists (select from %s mine where mine.id = %s and %s)", o.names.staged(ref.References, o.seq), id,
			kept(ref.References, "mine"))
	}
	return where
}

// scans is for how many generations consequences are looked for by going through the tables that may have them. Most
// refused rows have none or one; from then on all references between rows of the import are written down once, so that
// a chain of ten thousand does not take ten thousand scans.
const scans = 3

// consequences refuses the rows that need a refused row, those that need them, and so on.
func (c *checker) consequences(ctx context.Context) error {
	for generation := 0; c.reached < c.step; generation++ {
		if generation == scans {
			if err := c.closure(ctx); err != nil {
				return err
			}
		}
		from, to := c.reached, c.step
		c.reached = to
		for _, t := range c.tables {
			for _, ref := range referencesOf(t) {
				if c.refused[ref.References] == 0 {
					continue
				}
				r := refusal{table: t, code: literal(ingest.CodeParentRejected), column: ref.Name}
				c.refersTo(&r, ref, func(id string) string {
					return fmt.Sprintf("%s in (select gone.id from refused gone where gone.tbl = %d and gone.step > %d and gone.step <= %d) and %s",
						id, c.number[ref.References], from, to, c.absent(ref.References, id))
				})
				if err := c.add(ctx, r); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// closure finds all that follows from the refused rows at once, over a table of the references between rows that are left.
// It marks the rows that fall with the step of their cause, so that the next scan refuses them all.
func (c *checker) closure(ctx context.Context) error {
	edges := ""
	for _, t := range c.tables {
		for _, ref := range referencesOf(t) {
			if !c.own[ref.References] {
				continue
			}
			if edges != "" {
				edges += "\nunion all\n"
			}
			id, items := "t."+schema.QuoteIdent(ref.SQLName), ""
			if ref.Kind == schema.List {
				id, items = itemRef, fmt.Sprintf(" join %s item on item.ctid = t.ctid", c.items(t, ref))
			}
			edges += fmt.Sprintf("select %d::smallint as tbl, t.id, %s as parent from %s t%s where %s is not null and %s and %s",
				c.number[t], id, c.staged(t, c.seq), items, id, c.alive(t, "t"), c.absent(ref.References, id))
		}
	}
	if edges == "" {
		return nil
	}
	for _, sql := range []string{
		"drop table if exists pg_temp.edge, pg_temp.doomed",
		"create temporary table edge on commit drop as " + edges,
		"create index on edge (parent)",
		"analyze edge",
		"set local enable_nestloop = on", // each step of the fall is a few look-ups in the index
		fmt.Sprintf(`create temporary table doomed on commit drop as
with recursive fall (id) as (
    select e.id from edge e join refused gone on gone.id = e.parent and gone.step > %d
    union
    select e.id from fall f join edge e on e.parent = f.id
) select id from fall`, c.reached),
		"set local enable_nestloop = " + map[bool]string{true: "off", false: "on"}[c.large],
		"create index on doomed (id)",
		"analyze doomed",
	} {
		if _, err := c.tx.Exec(ctx, sql); err != nil {
			return err
		}
	}
	for _, t := range c.tables {
		for _, ref := range referencesOf(t) {
			if !c.own[ref.References] {
				continue
			}
			r := refusal{table: t, code: literal(ingest.CodeParentRejected), column: ref.Name}
			c.refersTo(&r, ref, func(id string) string {
				return fmt.Sprintf("(%[1]s in (select id from doomed) or %[1]s in (select gone.id from refused gone)) and %[2]s", id, c.absent(ref.References, id))
			})
			r.where += " and t.id in (select id from doomed)"
			if err := c.add(ctx, r); err != nil {
				return err
			}
		}
	}
	return nil
}
