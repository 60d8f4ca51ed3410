package staging

import (
	"fmt"
	"strings"

	"dropline/ingest"
	"dropline/schema"
)

// overlay renders a tenant's tables as they will be once an import is promoted: its own rows that are not refused, over
// those of earlier staged imports, the newest first, over production.
type overlay struct {
	names   names
	seq     int64
	own     map[*schema.Table]bool      // tables the import has rows for
	earlier map[*schema.Table][]earlier // newest first
	refused map[*schema.Table]int64     // how many of the import's rows are refused so far
	number  map[*schema.Table]int       // of a table in its schema, by which the lists and the refused rows know it
	// listed says that there are lists of what rows refer to, for all columns but those unlisted, by number of table and column.
	listed   bool
	unlisted map[[2]int]bool
	// rejected says that there is a table of refused records: of their ids, and of the wholes that miss them.
	rejected bool
}

// earlier is an earlier staged import that has rows for a table.
type earlier struct {
	id  ingest.ImportID
	seq int64
}

// columns are id and the definition's columns, qualified.
func columns(t *schema.Table, alias string) string {
	var b strings.Builder
	b.WriteString(alias + ".id")
	for _, c := range t.Columns {
		b.WriteString(", " + alias + "." + schema.QuoteIdent(c.SQLName))
	}
	return b.String()
}

// alive is a condition on a row of the import's own table: it is not refused.
func (o *overlay) alive(t *schema.Table, alias string) string {
	if o.refused[t] == 0 {
		return "true"
	}
	return fmt.Sprintf("not exists (select from refused gone where gone.tbl = %d and gone.spot = %s.ctid)", o.number[t], alias)
}

// replaced is a condition on a row x outside the import: a row of the import takes its place.
func (o *overlay) replaced(t *schema.Table) string {
	if !o.own[t] {
		return "false"
	}
	return fmt.Sprintf("exists (select from %s mine where mine.id = x.id and %s)", o.names.staged(t, o.seq), o.alive(t, "mine"))
}

// before renders the rows of a table as they are without the import. filter is a condition on alias x; it is put into every
// branch, so that production's indexes serve it.
func (o *overlay) before(t *schema.Table, filter string) string {
	var branches []string
	var newer []string
	add := func(from string) {
		branch := "select " + columns(t, "x") + " from " + from + " x where " + filter
		for _, n := range newer {
			branch += " and not exists (select from " + n + " newer where newer.id = x.id)"
		}
		branches = append(branches, branch)
		newer = append(newer, from)
	}
	for _, e := range o.earlier[t] {
		add(o.names.staged(t, e.seq))
	}
	add(o.names.live(t))
	return strings.Join(branches, "\nunion all\n")
}

// all renders the rows of a table after promotion that satisfy filter, a condition on alias x.
func (o *overlay) all(t *schema.Table, filter string) string {
	out := o.before(t, filter+" and not "+o.replaced(t))
	if o.own[t] {
		out = "select " + columns(t, "x") + " from " + o.names.staged(t, o.seq) + " x where " + filter + " and " + o.alive(t, "x") +
			"\nunion all\n" + out
	}
	return "(" + out + ")"
}

// absent is a condition that an id (an SQL expression) is in no earlier import nor in production, or to be deleted from there.
func (o *overlay) absent(t *schema.Table, id string) string {
	condition := fmt.Sprintf("not exists (select from %s live where live.id = %s)", o.names.live(t), id)
	if o.deletes(t) {
		condition = fmt.Sprintf("not exists (select from %[1]s live where live.id = %[2]s and not exists (select from %[3]s gone where gone.id = live.id and not (%[4]s)))",
			o.names.live(t), id, o.names.staged(t, o.seq), kept(t, "gone"))
	}
	for _, e := range o.earlier[t] {
		condition += fmt.Sprintf(" and not exists (select from %s prior where prior.id = %s)", o.names.staged(t, e.seq), id)
	}
	return condition
}

func (o *overlay) staged(t *schema.Table, seq int64) string { return o.names.staged(t, seq) }
