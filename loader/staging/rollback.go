package staging

import (
	"context"
	"fmt"
	"strings"

	"dropline/ingest"
	"dropline/schema"

	"github.com/jackc/pgx/v5"
)

// Rollback undoes the tenant's last promotion: production is exactly as it was before, down to who last wrote each row and
// when. record is called before the transaction commits, to write down the import's new state with it. It is a Conflict if
// the import is not the last one promoted, or if one of the rows that it wrote is gone since, or bears another's name in
// _import. What somebody else has written to them without saying so there is lost with it.
func (s *Store) Rollback(ctx context.Context, t Target, record func(ctx context.Context, tx pgx.Tx) error) error {
	const op = "staging.Rollback"
	if err := t.validate(op); err != nil {
		return err
	}
	return s.inTx(ctx, op, func(tx pgx.Tx) error {
		p, err := s.openPromotion(ctx, tx, op, t)
		if err != nil {
			return err
		}
		if err := p.verifyLast(ctx); err != nil {
			return err
		}
		for _, table := range p.tables {
			if err := p.restore(ctx, table); err != nil {
				return err
			}
			if err := p.bringBack(ctx, table); err != nil {
				return err
			}
		}
		if err := p.nextVersion(ctx, false); err != nil {
			return err
		}
		return record(ctx, tx)
	})
}

func (p *promotion) verifyLast(ctx context.Context) error {
	const op = "staging.Rollback"
	if p.record.promoted == nil {
		return ingest.Errorf(ingest.Conflict, op, "import %s is not in production", p.target.Import)
	}
	if p.record.lapsed {
		return ingest.WithHint(ingest.Errorf(ingest.Conflict, op, "what the promotion of import %s replaced is no longer kept", p.target.Import),
			"send the files as they were before")
	}
	var later *string
	err := p.tx.QueryRow(ctx, "select min(import) from "+p.names.own("_imports")+" where promoted_version > $1", *p.record.promoted).Scan(&later)
	if err == nil && later != nil {
		err = ingest.WithHint(ingest.Errorf(ingest.Conflict, op, "import %s was promoted later", *later), "roll that one back first")
	}
	return err
}

// restore puts back what a promotion replaced in one table.
func (p *promotion) restore(ctx context.Context, t *schema.Table) error {
	before, live := p.names.before(t, p.seq), p.names.live(t)
	if there, err := tableExists(ctx, p.tx, p.names, beforeName(t, p.seq)); err != nil || !there {
		return err // the promotion changed nothing in this table
	}
	var inserted, updated, untouched int64
	err := p.tx.QueryRow(ctx, fmt.Sprintf(
		"select count(*) filter (where b._inserted), count(*) filter (where not b._inserted), count(p.id) "+
			"from %s b left join %s p on p.id = b.id and p._import = $1", before, live), p.target.Import).Scan(&inserted, &updated, &untouched)
	if err != nil {
		return err
	}
	if untouched != inserted+updated {
		return ingest.Errorf(ingest.Conflict, "staging.Rollback", "%d rows of table %s have been changed or removed since the promotion",
			inserted+updated-untouched, t.Name)
	}
	tag, err := p.tx.Exec(ctx, fmt.Sprintf("delete from %s p using %s b where b._inserted and p.id = b.id", live, before))
	if err := wrote(tag.RowsAffected(), inserted, t, err); err != nil {
		return err
	}
	var set []string
	for _, c := range t.ProductionColumns()[1:] {
		name := schema.QuoteIdent(c.Name)
		set = append(set, name+" = b."+name)
	}
	tag, err = p.tx.Exec(ctx, fmt.Sprintf("update %s p set %s from %s b where not b._inserted and p.id = b.id", live, strings.Join(set, ", "), before))
	if err := wrote(tag.RowsAffected(), updated, t, err); err != nil {
		return err
	}
	_, err = p.tx.Exec(ctx, "drop table "+before)
	return err
}
