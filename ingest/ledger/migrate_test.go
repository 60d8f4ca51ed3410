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
