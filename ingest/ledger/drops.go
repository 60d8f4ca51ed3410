package ledger

import (
	"context"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
)

const dropColumns = `d.id, d.tenant, d.path, d.key, d.size, d.sha256, d.via, d.delivered_by, d.state,
	coalesce(d.import_id, ''), coalesce(d.duplicate_of, ''), d.received_at`

// Drop returns one drop.
func (l *Ledger) Drop(ctx context.Context, tenant ingest.TenantID, id ingest.DropID) (ingest.Drop, error) {
	d, err := scanDrop(l.pool.QueryRow(ctx, `SELECT `+dropColumns+` FROM dropline.drops d WHERE d.id = $1 AND d.tenant = $2`,
		id, tenant))
	return d, fault("ledger.Drop", missing(err, "drop"))
}

// LatestDrop returns the tenant's latest drop of that path, whatever has become of it.
func (l *Ledger) LatestDrop(ctx context.Context, tenant ingest.TenantID, path string) (ingest.Drop, error) {
	d, err := scanDrop(l.pool.QueryRow(ctx, `SELECT `+dropColumns+` FROM dropline.drops d
		WHERE d.tenant = $1 AND d.path = $2 ORDER BY d.seq DESC LIMIT 1`, tenant, path))
	return d, fault("ledger.LatestDrop", missing(err, "drop"))
}

// ListDrops returns up to limit of the tenant's drops, newest first, received before the given drop (empty: from the newest).
func (l *Ledger) ListDrops(ctx context.Context, tenant ingest.TenantID, before ingest.DropID, limit int,
) ([]ingest.Drop, error) {
	const op = "ledger.ListDrops"
	seq := int64(1<<63 - 1)
	if before != "" {
		err := l.pool.QueryRow(ctx, `SELECT seq FROM dropline.drops WHERE id = $1 AND tenant = $2`, before, tenant).Scan(&seq)
		if err != nil {
			return nil, fault(op, missing(err, "drop"))
		}
	} else if _, err := l.Tenant(ctx, tenant); err != nil {
		return nil, fault(op, err)
	}
	rows, err := l.pool.Query(ctx, `SELECT `+dropColumns+` FROM dropline.drops d WHERE d.tenant = $1 AND d.seq < $2
		ORDER BY d.seq DESC LIMIT $3`, tenant, seq, max(limit, 0))
	list, err := collect(rows, err, scanDrop)
	return list, fault(op, err)
}

// Known reports, for each key, whether the ledger refers to the object: a drop's, a temporary file's, a partial's or a
// report's. One that was given up for deletion counts as known until its deletion is long past, so that a sweep does not
// take it for one that a crash left.
func (l *Ledger) Known(ctx context.Context, keys []string) ([]bool, error) {
	rows, err := l.pool.Query(ctx, `SELECT EXISTS (SELECT FROM dropline.drops d WHERE d.key = k.key)
		OR EXISTS (SELECT FROM dropline.entries e WHERE e.key = k.key AND e.kind IN ('temporary', 'report'))
		OR EXISTS (SELECT FROM dropline.partials p WHERE p.key = k.key)
		OR EXISTS (SELECT FROM dropline.discarded g WHERE g.key = k.key)
		FROM unnest($1::text[]) WITH ORDINALITY AS k(key, n) ORDER BY k.n`, texts(keys))
	list, err := collect(rows, err, func(row pgx.Row) (bool, error) {
		var known bool
		err := row.Scan(&known)
		return known, err
	})
	return list, fault("ledger.Known", err)
}

// KnownOrigin reports whether a foreign object has been registered.
func (l *Ledger) KnownOrigin(ctx context.Context, origin string) (bool, error) {
	var known bool
	err := l.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM dropline.origins WHERE hash = $1)`, originHash(origin)).
		Scan(&known)
	return known, fault("ledger.KnownOrigin", err)
}

func scanDrop(row pgx.Row) (ingest.Drop, error) {
	var d ingest.Drop
	var sum []byte
	err := row.Scan(&d.ID, &d.Tenant, &d.Path, &d.Key, &d.Size, &sum, &d.Via, &d.By, &d.State, &d.Import, &d.DuplicateOf,
		&d.ReceivedAt)
	copy(d.SHA256[:], sum)
	d.ReceivedAt = d.ReceivedAt.UTC()
	return d, err
}
