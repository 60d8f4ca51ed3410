package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"dropline/ingest"
)

const sourceColumns = `s.id, s.tenant, s.name, s.server, s.database_name, s.sealed, s.isolation, s.created_at, s.created_by, s.changed_at,
	coalesce((SELECT d.import_id FROM dropline.import_databases d WHERE d.source_id = s.id AND d.source_id <> ''
		ORDER BY d.seq DESC LIMIT 1), '')`

// AddSource records a source. Conflict if the tenant has one of that name, or MaxSources; Invalid if its name is not 1 to
// MaxSourceName characters in one line.
func (l *Ledger) AddSource(ctx context.Context, s ingest.Source) (ingest.Source, error) {
	const op = "ledger.AddSource"
	if err := checkSource(s.Name, s.Isolation); err != nil {
		return ingest.Source{}, fault(op, err)
	}
	if !s.ID.Valid() || len(s.Sealed) == 0 {
		return ingest.Source{}, ingest.Errorf(ingest.Internal, op, "a source needs an id and a sealed connection string")
	}
	s.Server, s.Database, s.CreatedBy, s.LastID = shown(s.Server), shown(s.Database), text(s.CreatedBy), ""
	s.CreatedAt = l.now()
	s.ChangedAt = s.CreatedAt
	err := l.inTx(ctx, op, func(tx pgx.Tx) error {
		if err := lockInbox(ctx, tx, s.Tenant); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM dropline.sources WHERE tenant = $1`, s.Tenant).Scan(&n); err != nil {
			return err
		}
		if n >= ingest.MaxSources {
			return ingest.WithHint(ingest.Errorf(ingest.Conflict, "", "the tenant has %d sources, the most it may have", n),
				"remove one that is no longer imported from")
		}
		_, err := tx.Exec(ctx, `INSERT INTO dropline.sources (id, tenant, name, server, database_name, sealed, isolation, created_at,
			created_by, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $8)`,
			s.ID, s.Tenant, s.Name, s.Server, s.Database, s.Sealed, s.Isolation, s.CreatedAt, s.CreatedBy)
		return nameTaken(err, s.Name)
	})
	if err != nil {
		return ingest.Source{}, err
	}
	return s, nil
}

// nameTaken says what PostgreSQL means by a second source of a name.
func nameTaken(err error, name string) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "23505" && pg.ConstraintName == "sources_tenant_name_key" {
		return ingest.WithHint(ingest.Errorf(ingest.Conflict, "", "the tenant has a source %q already", name),
			"change that one, or give this one another name")
	}
	return err
}

// checkSource checks what a source is called and how it is to be read.
func checkSource(name, isolation string) error {
	if strings.TrimSpace(name) != name || name == "" || utf8.RuneCountInString(name) > ingest.MaxSourceName || !utf8.ValidString(name) ||
		strings.ContainsFunc(name, unicode.IsControl) {
		return ingest.WithHint(ingest.Errorf(ingest.Invalid, "", "%q cannot be a source's name", ingest.CutText(name, ingest.MaxSourceName)),
			fmt.Sprintf("use 1 to %d characters in one line, without white space at the ends", ingest.MaxSourceName))
	}
	return checkIsolation(isolation)
}

func checkIsolation(isolation string) error {
	switch isolation {
	case "", "auto", "snapshot", "read_committed":
		return nil
	}
	return ingest.WithHint(ingest.Errorf(ingest.Invalid, "", "there is no isolation %q", ingest.CutText(isolation, ingest.MaxSourceName)),
		"use auto, snapshot or read_committed")
}

// shown is the name of a server or a database as it is kept for people.
func shown(name string) string {
	return ingest.CutText(text(name), ingest.MaxServerName)
}

// Source returns one of the tenant's sources.
func (l *Ledger) Source(ctx context.Context, tenant ingest.TenantID, id ingest.SourceID) (ingest.Source, error) {
	s, err := scanSource(l.pool.QueryRow(ctx, `SELECT `+sourceColumns+` FROM dropline.sources s WHERE s.id = $1 AND s.tenant = $2`,
		id, tenant))
	return s, fault("ledger.Source", missing(err, "source"))
}

// ListSources returns the tenant's sources in the order of their names.
func (l *Ledger) ListSources(ctx context.Context, tenant ingest.TenantID) ([]ingest.Source, error) {
	rows, err := l.pool.Query(ctx, `SELECT `+sourceColumns+` FROM dropline.sources s WHERE s.tenant = $1 ORDER BY s.name`, tenant)
	list, err := collect(rows, err, scanSource)
	return list, fault("ledger.ListSources", err)
}

// ChangeSource changes what is given. Conflict if the new name is another's. An import of the source that was requested before and
// has still to be read fails if the source names another database by then.
func (l *Ledger) ChangeSource(ctx context.Context, tenant ingest.TenantID, id ingest.SourceID, c ingest.SourceChange,
) (ingest.Source, error) {
	const op = "ledger.ChangeSource"
	var s ingest.Source
	err := l.inTx(ctx, op, func(tx pgx.Tx) error {
		var err error
		s, err = scanSource(tx.QueryRow(ctx, `SELECT `+sourceColumns+` FROM dropline.sources s
			WHERE s.id = $1 AND s.tenant = $2 FOR UPDATE`, id, tenant))
		if err != nil {
			return missing(err, "source")
		}
		if c.Name != nil {
			s.Name = *c.Name
		}
		if c.Isolation != nil {
			s.Isolation = *c.Isolation
		}
		if err := checkSource(s.Name, s.Isolation); err != nil {
			return err
		}
		if c.Sealed != nil {
			s.Sealed, s.Server, s.Database = c.Sealed, shown(c.Server), shown(c.Database)
		}
		s.ChangedAt = l.now()
		_, err = tx.Exec(ctx, `UPDATE dropline.sources SET name = $2, isolation = $3, sealed = $4, server = $5, database_name = $6,
			changed_at = $7 WHERE id = $1`, id, s.Name, s.Isolation, s.Sealed, s.Server, s.Database, s.ChangedAt)
		return nameTaken(err, s.Name)
	})
	if err != nil {
		return ingest.Source{}, err
	}
	return s, nil
}

// RemoveSource forgets a source and its connection string. Imports made from it stay on record; those that have still to be read
// fail.
func (l *Ledger) RemoveSource(ctx context.Context, tenant ingest.TenantID, id ingest.SourceID) error {
	const op = "ledger.RemoveSource"
	tag, err := l.pool.Exec(ctx, `DELETE FROM dropline.sources WHERE id = $1 AND tenant = $2`, id, tenant)
	if err == nil && tag.RowsAffected() == 0 {
		err = missing(pgx.ErrNoRows, "source")
	}
	return fault(op, err)
}

func scanSource(row pgx.Row) (ingest.Source, error) {
	var s ingest.Source
	err := row.Scan(&s.ID, &s.Tenant, &s.Name, &s.Server, &s.Database, &s.Sealed, &s.Isolation, &s.CreatedAt, &s.CreatedBy,
		&s.ChangedAt, &s.LastID)
	utc(&s.CreatedAt, &s.ChangedAt)
	return s, err
}
