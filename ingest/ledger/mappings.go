package ledger

import (
	"bytes"
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
)

// PutMapping stores a new version of a tenant's mapping file. The same bytes as the latest version's store nothing new. Imports that
// waited for a mapping are queued under the new version.
func (l *Ledger) PutMapping(ctx context.Context, tenant ingest.TenantID, yaml []byte, by string,
) (ingest.MappingVersion, error) {
	var m ingest.MappingVersion
	err := l.inTx(ctx, "ledger.PutMapping", func(tx pgx.Tx) error {
		// Under the inbox's lock, so that no drop is judged by the old version once the new one is there.
		if err := lockInbox(ctx, tx, tenant); err != nil {
			return err
		}
		var err error
		m, err = latestMapping(ctx, tx, tenant)
		if err != nil || m.Version > 0 && bytes.Equal(m.YAML, yaml) {
			return err
		}
		if m, err = l.addMapping(ctx, tx, m, yaml, by); err != nil {
			return err
		}
		return l.queueUnmapped(ctx, tx, tenant, m.Version)
	})
	if err != nil {
		return ingest.MappingVersion{}, err
	}
	return m, nil
}

// addMapping stores the version after the latest. The caller holds the inbox's lock.
func (l *Ledger) addMapping(ctx context.Context, tx pgx.Tx, latest ingest.MappingVersion, yaml []byte, by string,
) (ingest.MappingVersion, error) {
	m := ingest.MappingVersion{
		Tenant: latest.Tenant, Version: latest.Version + 1, YAML: bytes.Clone(yaml), CreatedAt: l.now(), CreatedBy: text(by),
	}
	if m.YAML == nil {
		m.YAML = []byte{}
	}
	_, err := tx.Exec(ctx, `INSERT INTO dropline.mappings (tenant, version, yaml, created_at, created_by)
		VALUES ($1, $2, $3, $4, $5)`, m.Tenant, m.Version, m.YAML, m.CreatedAt, m.CreatedBy)
	if err != nil {
		return m, err
	}
	_, err = tx.Exec(ctx, `UPDATE dropline.tenants SET mapping_version = $2 WHERE id = $1`, m.Tenant, m.Version)
	return m, err
}

// Mapping returns a version; version -1 is the latest. Version 0 is always there, with no YAML.
func (l *Ledger) Mapping(ctx context.Context, tenant ingest.TenantID, version int) (ingest.MappingVersion, error) {
	const op = "ledger.Mapping"
	if _, err := l.Tenant(ctx, tenant); err != nil {
		return ingest.MappingVersion{}, fault(op, err)
	}
	switch version {
	case -1:
		m, err := latestMapping(ctx, l.pool, tenant)
		return m, fault(op, err)
	case 0:
		return ingest.MappingVersion{Tenant: tenant}, nil
	}
	m, err := scanMapping(l.pool.QueryRow(ctx, `SELECT tenant, version, yaml, created_at, created_by
		FROM dropline.mappings WHERE tenant = $1 AND version = $2`, tenant, version))
	return m, fault(op, missing(err, "version of the mapping"))
}

// ListMappings returns the stored versions without their YAML, newest first.
func (l *Ledger) ListMappings(ctx context.Context, tenant ingest.TenantID) ([]ingest.MappingVersion, error) {
	const op = "ledger.ListMappings"
	if _, err := l.Tenant(ctx, tenant); err != nil {
		return nil, fault(op, err)
	}
	rows, err := l.pool.Query(ctx, `SELECT tenant, version, NULL::bytea, created_at, created_by FROM dropline.mappings
		WHERE tenant = $1 ORDER BY version DESC`, tenant)
	list, err := collect(rows, err, scanMapping)
	return list, fault(op, err)
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func latestMapping(ctx context.Context, q querier, tenant ingest.TenantID) (ingest.MappingVersion, error) {
	m, err := scanMapping(q.QueryRow(ctx, `SELECT tenant, version, yaml, created_at, created_by FROM dropline.mappings
		WHERE tenant = $1 ORDER BY version DESC LIMIT 1`, tenant))
	if errors.Is(err, pgx.ErrNoRows) {
		return ingest.MappingVersion{Tenant: tenant}, nil
	}
	return m, err
}

func scanMapping(row pgx.Row) (ingest.MappingVersion, error) {
	var m ingest.MappingVersion
	err := row.Scan(&m.Tenant, &m.Version, &m.YAML, &m.CreatedAt, &m.CreatedBy)
	m.CreatedAt = m.CreatedAt.UTC()
	return m, err
}
