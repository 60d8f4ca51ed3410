package staging

import (
	"context"
	"fmt"
	"strings"

	"dropline/ingest"
	"dropline/schema"
)

// compare finds the rows that differ from production's, once, and keeps what is there now: it is all that a rollback needs.
// _spot and _live are where the two rows are, so that writing need not look for them again. Rows are matched by their key
// and told apart by their digests, which spares both the reading of their values. Where the digest in production is none of
// its row's, as somebody else wrote to it or a copy of the database was restored, the values decide after all.
func (p *promotion) compare(ctx context.Context, t *schema.Table) error {
	var columns strings.Builder
	for _, c := range t.ProductionColumns()[1:] {
		columns.WriteString(", p." + schema.QuoteIdent(c.Name))
	}
	key, before := schema.QuoteIdent(t.Key.SQLName), p.names.before(t, p.seq)
	_, err := p.tx.Exec(ctx, fmt.Sprintf(
		"create table %s%s as select coalesce(p.id, %s) as id%s, p.id is null as _inserted, s.ctid as _spot, p.ctid as _live, "+
			"p.id is not null and (p._digest is null or p._written is distinct from p.xmin) as _doubtful "+
			"from %s s left join %s p on p.%[7]s = s.%[7]s where (p._digest is distinct from s._digest or p._written is distinct from p.xmin) and %[8]s",
		before, noVacuum, schema.StagedID(t.Prefix, "s.id"), columns.String(), p.names.packed(t, p.seq), p.names.live(t), key, kept(t, "s"),
	))
	if err != nil {
		return err
	}
	var counts ingest.PromotionCounts
	var doubts int64
	err = p.tx.QueryRow(ctx, "select count(*) filter (where _inserted), count(*) filter (where not _inserted), count(*) filter (where _doubtful) from "+before).
		Scan(&counts.Inserted, &counts.Updated, &doubts)
	if err != nil {
		return err
	}
	if doubts > 0 {
		settled, err := p.settleDoubts(ctx, t)
		if err != nil {
			return err
		}
		counts.Updated -= settled
	}
	counts.Unchanged = p.rows[t.Name] - counts.Inserted - counts.Updated
	p.counts[t.Name] = counts
	if counts.Inserted+counts.Updated == 0 {
		_, err = p.tx.Exec(ctx, "drop table "+before)
	}
	return err
}

// settleDoubts takes those rows out of the differing ones of which it turns out that no value differs, and counts them.
func (p *promotion) settleDoubts(ctx context.Context, t *schema.Table) (int64, error) {
	var mine, theirs []string
	for _, c := range t.Columns {
		mine, theirs = append(mine, unpackedColumn(c, "s")), append(theirs, "b."+schema.QuoteIdent(c.SQLName))
	}
	tag, err := p.tx.Exec(ctx, fmt.Sprintf("delete from %s b using %s s where b._doubtful and s.ctid = b._spot and (%s) is not distinct from (%s)",
		p.names.before(t, p.seq), p.names.packed(t, p.seq), strings.Join(theirs, ", "), strings.Join(mine, ", ")))
	return tag.RowsAffected(), err
}
