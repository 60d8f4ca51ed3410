package ledger

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"dropline/ingest"
)

// AddPGPKey stores a key. Conflict if the tenant has it, or MaxPGPKeys.
func (l *Ledger) AddPGPKey(ctx context.Context, k ingest.PGPKey) (ingest.PGPKey, error) {
	const op = "ledger.AddPGPKey"
	if !ingest.ValidFingerprint(k.Fingerprint) || len(k.Public) == 0 || k.Sender == (len(k.Sealed) > 0) {
		return ingest.PGPKey{}, ingest.Errorf(ingest.Internal, op, "a key needs a fingerprint, its public part, and unless it is a sender's its sealed private one")
	}
	k.CreatedAt = l.now()
	err := l.inTx(ctx, op, func(tx pgx.Tx) error {
		if err := lockInbox(ctx, tx, k.Tenant); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM dropline.pgp_keys WHERE tenant = $1`, k.Tenant).Scan(&n); err != nil {
			return err
		}
		if n >= ingest.MaxPGPKeys {
			return ingest.Errorf(ingest.Conflict, "", "the tenant has %d keys, the most it may have", n)
		}
		_, err := tx.Exec(ctx, `INSERT INTO dropline.pgp_keys (tenant, fingerprint, user_name, sender, public, sealed, created_at, created_by)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, k.Tenant, k.Fingerprint, text(k.User), k.Sender, k.Public, k.Sealed, k.CreatedAt, text(k.CreatedBy))
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.Code == "23505" {
			return ingest.Errorf(ingest.Conflict, "", "the tenant has the key %s already", k.Fingerprint)
		}
		return err
	})
	return k, err
}

// ListPGPKeys returns the tenant's keys, oldest first, revoked ones included.
func (l *Ledger) ListPGPKeys(ctx context.Context, tenant ingest.TenantID) ([]ingest.PGPKey, error) {
	rows, err := l.pool.Query(ctx, `SELECT tenant, fingerprint, user_name, sender, public, sealed, created_at, created_by, revoked_at
		FROM dropline.pgp_keys WHERE tenant = $1 ORDER BY created_at, fingerprint`, tenant)
	list, err := collect(rows, err, func(row pgx.Row) (ingest.PGPKey, error) {
		var k ingest.PGPKey
		err := row.Scan(&k.Tenant, &k.Fingerprint, &k.User, &k.Sender, &k.Public, &k.Sealed, &k.CreatedAt, &k.CreatedBy, &k.RevokedAt)
		utc(&k.CreatedAt, k.RevokedAt)
		return k, err
	})
	return list, fault("ledger.ListPGPKeys", err)
}

// RevokePGPKey ends a key, and forgets the private part of one of the tenant's own.
func (l *Ledger) RevokePGPKey(ctx context.Context, tenant ingest.TenantID, fingerprint string) error {
	const op = "ledger.RevokePGPKey"
	tag, err := l.pool.Exec(ctx, `UPDATE dropline.pgp_keys SET revoked_at = coalesce(revoked_at, $3), sealed = NULL
		WHERE tenant = $1 AND fingerprint = $2`, tenant, fingerprint, l.now())
	if err == nil && tag.RowsAffected() == 0 {
		err = missing(pgx.ErrNoRows, "key")
	}
	return fault(op, err)
}
