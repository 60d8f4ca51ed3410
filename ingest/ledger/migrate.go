package ledger

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"dropline/ingest"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrateLock is the advisory lock under which one process at a time migrates: the ASCII codes of "dropline".
const migrateLock int64 = 0x64726f706c696e65

// Migrate brings the ledger's tables and River's to the version this program expects, creating them where there are none.
// Several processes may call it at once. A database that is newer than the program is refused (Invalid) and left alone.
func (l *Ledger) Migrate(ctx context.Context) error {
	const op = "ledger.Migrate"
	// River's migrations have no lock of their own, and neither has CREATE SCHEMA; this one covers all of it.
	s, err := l.openSession(ctx)
	if err != nil {
		return fault(op, err)
	}
	defer s.close()
	if _, err := s.conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, migrateLock); err != nil {
		return fault(op, err)
	}
	if _, err := l.version(ctx); err != nil {
		return fault(op, err)
	}
	if _, err := s.conn.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS dropline`); err != nil {
		return fault(op, err)
	}
	if err := l.migrateRiver(ctx); err != nil {
		return fault(op, err)
	}
	return fault(op, l.migrateTables(ctx))
}

func (l *Ledger) migrateRiver(ctx context.Context) error {
	migrator, err := rivermigrate.New(riverpgxv5.New(l.pool), &rivermigrate.Config{Schema: Schema, Logger: l.log})
	if err != nil {
		return err
	}
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

func (l *Ledger) migrateTables(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return err
	}
	db := stdlib.OpenDBFromPool(l.pool)
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker),
		goose.WithTableName(Schema+".goose_db_version"), goose.WithDisableGlobalRegistry(true), goose.WithSlog(l.log))
	if err != nil {
		return errors.Join(err, db.Close())
	}
	_, err = provider.Up(ctx)
	return errors.Join(err, provider.Close())
}

// version returns the version of the ledger's tables, 0 if there are none. It refuses one that is newer than the program.
func (l *Ledger) version(ctx context.Context) (int64, error) {
	var ours bool
	err := l.pool.QueryRow(ctx, `SELECT to_regclass('dropline.goose_db_version') IS NOT NULL`).Scan(&ours)
	if err != nil || !ours {
		return 0, err
	}
	// River's tables were there first, so they are whole now. Before, they may be half made by another process.
	if err := l.refuseNewerRiver(ctx); err != nil {
		return 0, err
	}
	var version int64
	err = l.pool.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM dropline.goose_db_version WHERE is_applied`).
		Scan(&version)
	if err != nil {
		return 0, err
	}
	if version > latestVersion() {
		return 0, newer("the ledger's tables are", version, latestVersion())
	}
	return version, nil
}

func (l *Ledger) refuseNewerRiver(ctx context.Context) error {
	migrator, err := rivermigrate.New(riverpgxv5.New(l.pool), &rivermigrate.Config{Schema: Schema, Logger: l.log})
	if err != nil {
		return err
	}
	known := 0
	for _, m := range migrator.AllVersions() {
		known = max(known, m.Version)
	}
	var version int
	err = l.pool.QueryRow(ctx, `SELECT coalesce(max(version), 0) FROM dropline.river_migration WHERE line = 'main'`).
		Scan(&version)
	if err == nil && version > known {
		err = newer("the job queue's tables are", int64(version), int64(known))
	}
	return err
}

func newer(what string, version, known int64) error {
	return ingest.WithHint(ingest.Errorf(ingest.Invalid, "",
		"%s of version %d, newer than this program, which knows version %d", what, version, known),
		"start the newer program that migrated this database, or restore a backup from before")
}

// latestVersion is the number of the last migration embedded in the program.
func latestVersion() int64 {
	latest := int64(0)
	names, _ := fs.Glob(migrations, "migrations/*.sql") // the pattern is well-formed, which is all that can fail
	for _, name := range names {
		number, _, _ := strings.Cut(path.Base(name), "_")
		if n, err := strconv.ParseInt(number, 10, 64); err == nil {
			latest = max(latest, n)
		}
	}
	return latest
}
