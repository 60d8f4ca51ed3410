package staging

import (
	"fmt"

	"dropline/schema"
)

// itemRef is what one item of a list refers to, where the items of a column are named item.
const itemRef = "item.ref"

// items renders the references that the import's rows list in a column, each with the place of its row and its number in the list.
// A set of them is compared with other tables as the values of a single reference are; going into each row's list by itself would
// take a look-up for each.
func (o *overlay) items(t *schema.Table, ref *schema.Column) string {
	return fmt.Sprintf("(select x.ctid, x.n, %s as ref from (select r.ctid, generate_subscripts(r.%[2]s, 1) as n, unnest(r.%[2]s) as digits from %[3]s r where %[4]s) x)",
		schema.StagedID(ref.References.Prefix, "x.digits"), schema.QuoteIdent(ref.SQLName), o.names.packed(t, o.seq), kept(t, "r"))
}

// inList makes a refusal one of the rows of which an item of a list fulfils a condition. Its detail is the first of them.
func (c *checker) inList(r *refusal, ref *schema.Column, condition string) {
	r.from = fmt.Sprintf("(select s.*, found._first from %s s join (select item.ctid, (array_agg(%[2]s order by item.n))[1] as _first from %[3]s item where %[4]s group by item.ctid) found on found.ctid = s.ctid)",
		c.staged(r.table, c.seq), itemRef, c.items(r.table, ref), condition)
	r.where, r.detail = "true", "t._first"
}

// refersTo makes a refusal one of the rows whose reference, or one of those that they list, fulfils a condition.
func (c *checker) refersTo(r *refusal, ref *schema.Column, condition func(id string) string) {
	if ref.Kind == schema.List {
		c.inList(r, ref, condition(itemRef))
		return
	}
	r.where = condition("t." + schema.QuoteIdent(ref.SQLName))
}
