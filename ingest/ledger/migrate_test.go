package ledger_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"dropline/ingest"
	"dropline/ingest/ledger"
	"dropline/internal/devstack/devtest"
)

func TestMigrateTwiceAtOnceAndAgain(t *testing.T) {
	t.Parallel()
	dsn := devtest.Postgres(t)
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			pool, err := pgxpool.New(context.Background(), dsn)
			if err != nil {
				t.Error(err)
				return
			}
			defer pool.Close()
			l, err := ledger.Open(t.Context(), ledger.Config{Pool: pool})
			if err != nil {
				t.Error(err)
				return
			}
			for range 2 {
				if err := l.Migrate(t.Context()); err != nil {
					t.Error(err)
				}
			}
			if err := l.Healthy(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestHealthyBeforeMigration(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(context.Background(), devtest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	l, err := ledger.Open(t.Context(), ledger.Config{Pool: pool})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Healthy(t.Context()); ingest.KindOf(err) != ingest.Unavailable {
		t.Errorf("Healthy on an empty database: %v, want Unavailable", err)
	}
	if _, err := l.Tenant(t.Context(), acme); ingest.KindOf(err) != ingest.Unavailable {
		t.Errorf("Tenant on an empty database: %v, want Unavailable", err)
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		`INSERT INTO dropline.goose_db_version (version_id, is_applied) VALUES (99999, true)`,
		`INSERT INTO dropline.river_migration (line, version) VALUES ('main', 999)`,
	} {
		w := newWorld(t)
		if _, err := w.pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
		w.want(w.Migrate(t.Context()), ingest.Invalid)
		w.want(w.Healthy(t.Context()), ingest.Invalid)
		_, err := ledger.Open(t.Context(), ledger.Config{Pool: w.pool})
		w.want(err, ingest.Invalid)
		if !strings.Contains(err.Error(), "newer than this program") || ingest.HintOf(err) == "" {
			t.Errorf("the refusal does not say what is wrong and what to do: %v", err)
		}
	}
}

// TestMigrateWithImports brings a database of version 3, from before imports from databases, up to date: its imports stay as they
// are, and can be worked on.
func TestMigrateWithImports(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	staged, failed, queued := w.reach(ingest.Staged), w.reach(ingest.Failed), w.reach(ingest.Queued)
	before := []ingest.Import{w.imp(staged.ID), w.imp(failed.ID), w.imp(queued.ID)}
	for _, sql := range []string{
		`DROP TABLE dropline.import_databases, dropline.sources`,
		`ALTER TABLE dropline.imports DROP COLUMN rows_total, DROP COLUMN rerun_of`,
		`ALTER TABLE dropline.tenants DROP COLUMN auto_map`,
		`DROP TABLE dropline.pgp_keys`,
		`ALTER TABLE dropline.import_files DROP COLUMN relation, DROP COLUMN container, DROP COLUMN member, DROP COLUMN output`,
		`ALTER TABLE dropline.import_files ALTER COLUMN drop_id SET NOT NULL`,
		`DELETE FROM dropline.goose_db_version WHERE version_id > 3`,
	} {
		if _, err := w.pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	w.want(w.Healthy(t.Context()), ingest.Unavailable)
	w.must(w.Migrate(t.Context()))
	w.must(w.Healthy(t.Context()))
	l, pool := w.open() // with no statement prepared for the tables as they were
	w.Ledger, w.pool = l, pool
	same(t, "imports", []ingest.Import{w.imp(staged.ID), w.imp(failed.ID), w.imp(queued.ID)}, before)
	w.must(w.WipeSecrets(t.Context(), w.clock.Now().AddDate(1, 0, 0)))
	_, err := w.Retry(t.Context(), acme, failed.ID, "me")
	w.must(err)
	w.finish(failed.ID, ingest.Staged)
	w.promote(staged.ID)
	w.finish(queued.ID, ingest.Rejected)
	w.end(w.all(w.requestFrom(w.source("one", "x").ID).ID), ingest.Staged, nil)
}
