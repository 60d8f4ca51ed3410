package staging

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dropline/ingest"
	"dropline/schema"
)

// suspicion is what one look at a table leaves to be looked into.
type suspicion struct {
	refs     []*schema.Column // that do not all resolve in the one table looked at
	checks   bool             // a check on a row by itself finds a row false
	warnings bool             // and so does one that only warns
}

// survey looks at the lists of what each table refers to, and goes through the table once, over the references of which there
// is no list and its checks on rows, and sees that every row copied is there. A large import without faults is nearly done
// with that: a look for each rule would take several times as long.
func (c *checker) survey(ctx context.Context) error {
	for _, t := range c.tables {
		s := suspicion{}
		var refs []*schema.Column // of which there is no list
		for _, ref := range referencesOf(t) {
			switch may, listed, err := c.mayDangle(ctx, c.tx, t, ref); {
			case err != nil:
				return err
			case !listed:
				refs = append(refs, ref)
			case may:
				s.refs = append(s.refs, ref)
			}
		}
		got := make([]int64, 3+len(refs))
		targets := make([]any, len(got))
		for i := range got {
			targets[i] = &got[i]
		}
		if err := c.tx.QueryRow(ctx, c.surveyOf(t, refs)).Scan(targets...); err != nil {
			return err
		}
		if got[0] != c.copied[t] {
			return ingest.WithHint(
				ingest.Errorf(ingest.Unavailable, "staging.Check", "table %s has %d staged rows where %d were copied", t.Name, got[0], c.copied[t]),
				"the import has to be loaded again")
		}
		s.checks, s.warnings = got[1] > 0, got[2] > 0
		for i, ref := range refs {
			if got[3+i] > 0 {
				s.refs = append(s.refs, ref)
			}
		}
		slices.SortFunc(s.refs, func(a, b *schema.Column) int { return a.Index - b.Index }) // the first reason counts
		c.suspect[t] = s
	}
	return nil
}

// surveyOf renders the look at a table: how many rows it has, how many that a check finds false, how many that a warning
// does, and for each reference how many that are not found where it most likely is: in the import's own table of that name
// if it brings one, else in production.
func (c *checker) surveyOf(t *schema.Table, refs []*schema.Column) string {
	var counts, joins strings.Builder
	for _, severity := range []schema.Severity{schema.Error, schema.Warning} {
		condition := "false"
		for _, check := range t.Checks {
			if check.Kind == schema.RowCheck && check.Severity == severity {
				condition += " or (" + check.Expr.Postgres("t") + ") is false"
			}
		}
		counts.WriteString(", count(*) filter (where " + condition + ")")
	}
	for i, ref := range refs {
		id := "t." + schema.QuoteIdent(ref.SQLName)
		from := c.names.live(ref.References)
		switch {
		case c.refused[ref.References] > 0:
			// Keys that occur twice would count rows twice: leave it to the exact search.
			counts.WriteString(", count(" + id + ")")
			continue
		case ref.Kind == schema.List:
			fmt.Fprintf(&counts, ", (select count(*) from %s item where %s)", c.items(t, ref), c.missing(ref, itemRef))
			continue
		case c.own[ref.References]:
			from = c.staged(ref.References, c.seq)
			if c.deletes(ref.References) {
				from = fmt.Sprintf("(select m.id from %s m where %s)", from, kept(ref.References, "m"))
			}
		}
		fmt.Fprintf(&counts, ", count(*) filter (where %s is not null and r%d.id is null)", id, i)
		fmt.Fprintf(&joins, " left join %s r%d on r%d.id = %s", from, i, i, id)
	}
	return "select count(*)" + counts.String() + " from " + c.staged(t, c.seq) + " t" + joins.String()
}
