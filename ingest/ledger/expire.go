package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
)

const (
	// handAgain is when an object that was returned for deletion is returned once more: whoever got it may have died.
	handAgain = time.Hour
	// handings is how often an object is returned for deletion.
	handings = 2
	// discardMemory is how long an object that was returned for the last time stays known.
	discardMemory = 30 * 24 * time.Hour
)

// Expire forgets partials older than PartialLifetime, and returns the keys of up to limit objects that nothing refers to any
// longer, for the caller to delete. A key is returned twice, an hour apart, as the first caller may not get to it.
func (l *Ledger) Expire(ctx context.Context, limit int) ([]string, error) {
	const op = "ledger.Expire"
	now := l.now()
	tenants, err := l.expiring(ctx, now, max(limit, 0))
	if err != nil {
		return nil, fault(op, err)
	}
	for _, tenant := range tenants {
		err := l.inTx(ctx, op, func(tx pgx.Tx) error { return l.expireTenant(ctx, tx, tenant, now, limit) })
		if err != nil {
			return nil, err
		}
	}
	var keys []string
	err = l.inTx(ctx, op, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM dropline.discarded WHERE key IN (SELECT key FROM dropline.discarded
			WHERE due_at <= $1 AND handed >= $2 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)`, now, handings, max(limit, 0))
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `UPDATE dropline.discarded g SET handed = handed + 1,
			due_at = CASE WHEN handed + 1 < $2 THEN $4::timestamptz ELSE $5::timestamptz END
			WHERE key IN (SELECT key FROM dropline.discarded WHERE due_at <= $1 AND handed < $2 ORDER BY due_at LIMIT $3
				FOR UPDATE SKIP LOCKED) RETURNING key`,
			now, handings, max(limit, 0), now.Add(handAgain), now.Add(discardMemory))
		if err != nil {
			return err
		}
		keys, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return nil, err
	}
	return keys, nil
}

// expiring returns the tenants that have something to expire.
func (l *Ledger) expiring(ctx context.Context, now time.Time, limit int) ([]ingest.TenantID, error) {
	rows, err := l.pool.Query(ctx, `SELECT tenant FROM (SELECT tenant FROM dropline.partials WHERE parked_at <= $1
			ORDER BY parked_at LIMIT $3) p
		UNION SELECT tenant FROM (SELECT tenant FROM dropline.drops WHERE ended_at <= $2 AND released_at IS NULL
			ORDER BY ended_at LIMIT $3) d`,
		now.Add(-ingest.PartialLifetime), now.Add(-l.cfg.DiscardRetention), limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[ingest.TenantID])
}

func (l *Ledger) expireTenant(ctx context.Context, tx pgx.Tx, tenant ingest.TenantID, now time.Time, limit int) error {
	if err := lockInbox(ctx, tx, tenant); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `WITH gone AS (DELETE FROM dropline.partials WHERE tenant = $1 AND parked_at <= $2
			RETURNING key, size),
		given AS (INSERT INTO dropline.discarded (key, tenant, due_at) SELECT key, $1, $3 FROM gone ON CONFLICT DO NOTHING)
		SELECT dropline.stored($1, -count(*), -coalesce(sum(size), 0)::bigint, NULL) FROM gone HAVING count(*) > 0`,
		tenant, now.Add(-ingest.PartialLifetime), now)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `WITH gone AS (UPDATE dropline.drops SET released_at = $3 WHERE id IN (SELECT id FROM dropline.drops
			WHERE tenant = $1 AND ended_at <= $2 AND released_at IS NULL ORDER BY ended_at LIMIT $4) RETURNING key, size),
		given AS (INSERT INTO dropline.discarded (key, tenant, due_at) SELECT key, $1, $3 FROM gone ON CONFLICT DO NOTHING)
		SELECT dropline.stored($1, -count(*), -coalesce(sum(size), 0)::bigint, NULL) FROM gone HAVING count(*) > 0`,
		tenant, now.Add(-l.cfg.DiscardRetention), now, limit)
	return err
}
