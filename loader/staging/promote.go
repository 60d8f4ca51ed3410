package staging

import (
	"context"
	"fmt"
	"strings"
	"time"

	"dropline/ingest"
	"dropline/schema"

	"github.com/jackc/pgx/v5"
)

// Promote moves an import's staged rows to production in one transaction, or does nothing. expected has how many rows each
// table must hold, by published name; rows that have gone missing since are a Conflict. record is called with the counts
// before the transaction commits, to write down the import's new state with it.
//
// Only rows that differ from production's are written, and those deleted that are said to go, or are missing where the import has
// all that a table should have (see SetWhole). What they replace is kept for Rollback. Under a lock that admits one
// promotion or rollback of the tenant at a time, references are verified again, and if production has changed since the
// import was checked, unique columns and the declared checks on wholes too: the first row that fails is named in an error
// of kind Conflict.
func (s *Store) Promote(
	ctx context.Context, t Target, expected map[string]int64,
	record func(ctx context.Context, tx pgx.Tx, counts map[string]ingest.PromotionCounts) error,
) error {
	const op = "staging.Promote"
	if err := t.validate(op); err != nil {
		return err
	}
	return s.inTx(ctx, op, func(tx pgx.Tx) error {
		p, err := s.openPromotion(ctx, tx, op, t)
		if err != nil {
			return err
		}
		if err := p.verify(ctx, expected); err != nil {
			return err
		}
		for _, table := range p.tables {
			if err := p.compare(ctx, table); err != nil {
				return err
			}
		}
		if err := p.recheck(ctx); err != nil {
			return err
		}
		for _, table := range p.tables {
			if err := p.write(ctx, table); err != nil {
				return err
			}
		}
		if err := p.remove(ctx); err != nil {
			return err
		}
		if err := p.nextVersion(ctx, true); err != nil {
			return err
		}
		return record(ctx, tx, p.counts)
	})
}

// promotion is one promotion or rollback under way.
type promotion struct {
	overlay
	tx     pgx.Tx
	target Target
	record importRecord
	tables []*schema.Table
	rows   map[string]int64
	counts map[string]ingest.PromotionCounts
	now    time.Time
	large  bool // no nested loops
}

// openPromotion takes the tenant's lock. Whoever waits for it finds the world as the one before left it.
func (s *Store) openPromotion(ctx context.Context, tx pgx.Tx, op string, t Target) (*promotion, error) {
	if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock($1)", lockKey("promote", t.Tenant, 0)); err != nil {
		return nil, err
	}
	p := &promotion{
		tx: tx, target: t, counts: map[string]ingest.PromotionCounts{}, now: s.cfg.Clock().UTC(),
		overlay: overlay{
			names: namesOf(t.Tenant), seq: t.Seq, own: map[*schema.Table]bool{}, refused: map[*schema.Table]int64{},
			number: map[*schema.Table]int{},
		},
	}
	var err error
	if p.record, err = lockImport(ctx, tx, op, t); err != nil {
		return nil, err
	}
	if p.tables, p.rows, err = stagedTables(ctx, tx, t); err != nil {
		return nil, err
	}
	for _, table := range p.tables {
		p.own[table] = true
	}
	var rows int64
	for i, table := range t.Schema.Tables {
		p.number[table] = i
		rows += p.rows[table.Name]
	}
	if p.large = rows >= largeImport; p.large {
		if err := nestedLoops(ctx, tx, false); err != nil {
			return nil, err
		}
	}
	return p, p.readReferred(ctx, tx, false)
}

// verify sees that the import may be promoted, and that it is all there.
func (p *promotion) verify(ctx context.Context, expected map[string]int64) error {
	const op = "staging.Promote"
	switch {
	case p.record.promoted != nil:
		return ingest.Errorf(ingest.Conflict, op, "import %s is in production already", p.target.Import)
	case p.record.checked == nil:
		return ingest.Errorf(ingest.Conflict, op, "import %s has not been checked", p.target.Import)
	}
	for name, want := range expected {
		if want != p.rows[name] {
			return lost(name, p.rows[name], want)
		}
	}
	for _, t := range p.tables {
		want, ok := expected[t.Name]
		if !ok {
			return ingest.Errorf(ingest.Internal, op, "table %s has %d staged rows that nobody knows of", t.Name, p.rows[t.Name])
		}
		got, err := p.countStaged(ctx, t)
		if err != nil {
			return err
		}
		if got != want {
			return lost(t.Name, got, want)
		}
	}
	return nil
}

// countStaged counts a table's staged rows; a table that is gone has none.
func (p *promotion) countStaged(ctx context.Context, t *schema.Table) (int64, error) {
	if there, err := tableExists(ctx, p.tx, p.names, packedName(t, p.seq)); err != nil || !there {
		return 0, err
	}
	var n int64
	err := p.tx.QueryRow(ctx, "select count(*) from "+p.names.packed(t, p.seq)).Scan(&n)
	return n, err
}

func lost(table string, got, want int64) error {
	return ingest.WithHint(
		ingest.Errorf(ingest.Conflict, "staging.Promote", "table %s has %d staged rows where %d were staged: rows were lost", table, got, want),
		"production is untouched; send the files again")
}

// write puts the differing rows into production.
func (p *promotion) write(ctx context.Context, t *schema.Table) error {
	counts := p.counts[t.Name]
	before, packed, live := p.names.before(t, p.seq), p.names.packed(t, p.seq), p.names.live(t)
	var set, names, values []string
	for _, c := range t.Columns {
		name, value := schema.QuoteIdent(c.SQLName), unpackedColumn(c, "s")
		set = append(set, name+" = "+value)
		names, values = append(names, name), append(values, value)
	}
	if counts.Updated > 0 {
		// A few rows are fetched by their places. The planner, which knows nothing yet of the table of differences, would
		// rather go through both of the others.
		few := counts.Updated < p.rows[t.Name]/fewUpdates
		if err := p.byPlace(ctx, few); err != nil {
			return err
		}
		tag, err := p.tx.Exec(ctx, fmt.Sprintf(
			"update %s p set %s, _import = $1, _updated_at = $2, _digest = s._digest, _written = pg_current_xact_id()::xid "+
				"from %s b join %s s on s.ctid = b._spot where not b._inserted and p.ctid = b._live",
			live, strings.Join(set, ", "), before, packed,
		), p.target.Import, p.now)
		if err := wrote(tag.RowsAffected(), counts.Updated, t, err); err != nil {
			return err
		}
		if err := p.byPlace(ctx, false); err != nil {
			return err
		}
	}
	if counts.Inserted > 0 {
		from := fmt.Sprintf("%s b join %s s on s.ctid = b._spot where b._inserted", before, packed)
		if counts.Inserted == p.rows[t.Name] {
			from = packed + " s"
		}
		tag, err := p.tx.Exec(ctx, fmt.Sprintf(
			"insert into %s (id, %s, _import, _created_at, _updated_at, _digest, _written) "+
				"select %s, %s, $1, $2, $2, s._digest, pg_current_xact_id()::xid from %s",
			live, strings.Join(names, ", "), schema.StagedID(t.Prefix, "s.id"), strings.Join(values, ", "), from,
		), p.target.Import, p.now)
		return wrote(tag.RowsAffected(), counts.Inserted, t, err)
	}
	return nil
}

// fewUpdates is the part of a table, one in so many rows, below which its updates are fetched row by row.
const fewUpdates = 20

// byPlace makes the planner join by the places of rows, or leaves it its choice again.
func (p *promotion) byPlace(ctx context.Context, only bool) error {
	choice := "on"
	if only {
		choice = "off"
	}
	if err := nestedLoops(ctx, p.tx, only || !p.large); err != nil {
		return err
	}
	_, err := p.tx.Exec(ctx, "set local enable_hashjoin = "+choice+"; set local enable_mergejoin = "+choice)
	return err
}

// wrote sees that as many rows were written as were found to differ: somebody else may have written to production.
func wrote(got, want int64, t *schema.Table, err error) error {
	if err == nil && got != want {
		err = ingest.Errorf(ingest.Conflict, "staging", "production's table %s was changed from outside: %d rows were written, not %d", t.Name, got, want)
	}
	return err
}

// nextVersion counts a change of production, and notes on the import whether it is in it.
func (p *promotion) nextVersion(ctx context.Context, promoted bool) error {
	var version int64
	err := p.tx.QueryRow(ctx, "update "+p.names.own("_tenant")+" set version = version + 1 returning version").Scan(&version)
	if err != nil {
		return err
	}
	_, err = p.tx.Exec(ctx, "update "+p.names.own("_imports")+" set promoted_version = case when $2 then $3::bigint end where seq = $1",
		p.seq, promoted, version)
	return err
}
