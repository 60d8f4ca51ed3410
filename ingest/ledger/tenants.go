package ledger

import (
	"context"
	"crypto/rand"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
)

const (
	maxLabel       = 200                 // characters of a tenant's name or a credential's label: it is shown in one line
	maxQuietPeriod = ingest.MaxBatchWait // a longer one would never come to an end by itself
)

const tenantColumns = `id, name, schema_id, time_zone, enabled, quiet_period, reject_limit, quota_bytes, auto_map, created_at`

// CreateTenant records a tenant. Conflict if the slug is taken, Invalid if a setting is out of bounds.
func (l *Ledger) CreateTenant(ctx context.Context, t ingest.Tenant) (ingest.Tenant, error) {
	const op = "ledger.CreateTenant"
	if !t.ID.Valid() {
		return ingest.Tenant{}, ingest.WithHint(ingest.Errorf(ingest.Invalid, op, "%q is not a tenant's slug", t.ID),
			"use a lower-case letter, then up to 30 lower-case letters, digits or underscores")
	}
	if t.Schema == "" {
		return ingest.Tenant{}, ingest.Errorf(ingest.Invalid, op, "a tenant needs an ETL schema")
	}
	if err := checkTenant(t); err != nil {
		return ingest.Tenant{}, fault(op, err)
	}
	var salt [passwordSalt]byte
	_, _ = rand.Read(salt[:]) // never fails
	t.CreatedAt = l.now()
	err := l.inTx(ctx, op, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `INSERT INTO dropline.tenants (`+tenantColumns+`, password_salt)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING`,
			t.ID, t.Name, t.Schema, t.TimeZone, t.Enabled, t.QuietPeriod.Nanoseconds(), t.RejectLimit, t.QuotaBytes,
			t.AutoMap, t.CreatedAt, salt[:])
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return ingest.Errorf(ingest.Conflict, "", "there is a tenant %s already", t.ID)
		}
		_, err = tx.Exec(ctx, `INSERT INTO dropline.inboxes (tenant, arrived_at) VALUES ($1, $2)`, t.ID, t.CreatedAt)
		return err
	})
	if err != nil {
		return ingest.Tenant{}, err
	}
	return t, nil
}

// Tenant returns one tenant.
func (l *Ledger) Tenant(ctx context.Context, id ingest.TenantID) (ingest.Tenant, error) {
	t, err := scanTenant(l.pool.QueryRow(ctx, `SELECT `+tenantColumns+` FROM dropline.tenants WHERE id = $1`, id))
	return t, fault("ledger.Tenant", missing(err, "tenant"))
}

// ListTenants returns up to limit tenants in the order of their slugs, from the first after the given one.
func (l *Ledger) ListTenants(ctx context.Context, after ingest.TenantID, limit int) ([]ingest.Tenant, error) {
	rows, err := l.pool.Query(ctx, `SELECT `+tenantColumns+` FROM dropline.tenants WHERE id > $1 ORDER BY id LIMIT $2`,
		after, max(limit, 0))
	list, err := collect(rows, err, scanTenant)
	return list, fault("ledger.ListTenants", err)
}

// ChangeTenant changes the settings that are not nil.
func (l *Ledger) ChangeTenant(ctx context.Context, id ingest.TenantID, change ingest.TenantChange) (ingest.Tenant, error) {
	var t ingest.Tenant
	err := l.inTx(ctx, "ledger.ChangeTenant", func(tx pgx.Tx) error {
		var err error
		t, err = scanTenant(tx.QueryRow(ctx, `SELECT `+tenantColumns+` FROM dropline.tenants WHERE id = $1
			FOR NO KEY UPDATE`, id))
		if err != nil {
			return missing(err, "tenant")
		}
		set(&t.Name, change.Name)
		set(&t.TimeZone, change.TimeZone)
		set(&t.Enabled, change.Enabled)
		set(&t.QuietPeriod, change.QuietPeriod)
		set(&t.RejectLimit, change.RejectLimit)
		set(&t.QuotaBytes, change.QuotaBytes)
		set(&t.AutoMap, change.AutoMap)
		if err := checkTenant(t); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE dropline.tenants SET name = $2, time_zone = $3, enabled = $4, quiet_period = $5,
			reject_limit = $6, quota_bytes = $7, auto_map = $8 WHERE id = $1`, id, t.Name, t.TimeZone, t.Enabled,
			t.QuietPeriod.Nanoseconds(), t.RejectLimit, t.QuotaBytes, t.AutoMap)
		return err
	})
	if err != nil {
		return ingest.Tenant{}, err
	}
	return t, nil
}

// Usage returns what the tenant has stored: each object of a drop, archived ones included, a temporary file or a partial.
func (l *Ledger) Usage(ctx context.Context, id ingest.TenantID) (ingest.Usage, error) {
	var u ingest.Usage
	err := l.pool.QueryRow(ctx, `SELECT i.stored_bytes, t.quota_bytes, i.stored_files
		FROM dropline.tenants t JOIN dropline.inboxes i ON i.tenant = t.id WHERE t.id = $1`, id).
		Scan(&u.Bytes, &u.Quota, &u.Files)
	return u, fault("ledger.Usage", missing(err, "tenant"))
}

// Provisioned reports whether the tenant's staging and production schemas have been made.
func (l *Ledger) Provisioned(ctx context.Context, tenant ingest.TenantID) (bool, error) {
	var version string
	err := l.pool.QueryRow(ctx, `SELECT provisioned FROM dropline.tenants WHERE id = $1`, tenant).Scan(&version)
	return version != "", fault("ledger.Provisioned", missing(err, "tenant"))
}

// SetProvisioned records that the tenant's schemas have been made, and in which version.
func (l *Ledger) SetProvisioned(ctx context.Context, tenant ingest.TenantID, version string) error {
	tag, err := l.pool.Exec(ctx, `UPDATE dropline.tenants SET provisioned = $2 WHERE id = $1`, tenant, version)
	if err == nil && tag.RowsAffected() == 0 {
		err = missing(pgx.ErrNoRows, "tenant")
	}
	return fault("ledger.SetProvisioned", err)
}

func checkTenant(t ingest.Tenant) error {
	if err := checkLabel("name", t.Name); err != nil {
		return err
	}
	zone, err := time.LoadLocation(t.TimeZone)
	if err != nil || t.TimeZone == "" || zone == time.Local {
		return ingest.WithHint(ingest.Errorf(ingest.Invalid, "", "%q is not a time zone", t.TimeZone),
			`use an IANA name such as "Europe/London", or "UTC"`)
	}
	if t.QuietPeriod < 0 || t.QuietPeriod > maxQuietPeriod {
		return ingest.Errorf(ingest.Invalid, "", "the quiet period must be from 0 to %s", maxQuietPeriod)
	}
	if !(t.RejectLimit >= 0 && t.RejectLimit <= 1) { // NaN is neither
		return ingest.Errorf(ingest.Invalid, "", "the reject limit must be from 0 to 1")
	}
	if t.QuotaBytes < 0 {
		return ingest.Errorf(ingest.Invalid, "", "the quota must not be negative; 0 is unlimited")
	}
	return nil
}

// checkLabel refuses what cannot be shown in one line.
func checkLabel(what, label string) error {
	if strings.TrimSpace(label) == "" || !utf8.ValidString(label) || utf8.RuneCountInString(label) > maxLabel ||
		strings.ContainsFunc(label, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return ingest.Errorf(ingest.Invalid, "", "the %s must be 1 to %d characters in one line", what, maxLabel)
	}
	return nil
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

func scanTenant(row pgx.Row) (ingest.Tenant, error) {
	var t ingest.Tenant
	var quiet int64
	err := row.Scan(&t.ID, &t.Name, &t.Schema, &t.TimeZone, &t.Enabled, &quiet, &t.RejectLimit, &t.QuotaBytes,
		&t.AutoMap, &t.CreatedAt)
	t.QuietPeriod = time.Duration(quiet)
	t.CreatedAt = t.CreatedAt.UTC()
	return t, err
}
