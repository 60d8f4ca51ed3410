package ledger_test

import (
	"context"
	"testing"
	"time"

	"dropline/ingest"
)

// setJob does to an import's job what River would.
func (w *world) setJob(id ingest.ImportID, set string) {
	w.t.Helper()
	tag, err := w.pool.Exec(w.t.Context(), `UPDATE dropline.river_job SET `+set+`
		WHERE id = (SELECT job_id FROM dropline.imports WHERE id = $1)`, id)
	w.must(err)
	if tag.RowsAffected() != 1 {
		w.t.Fatal("the import has no job")
	}
}

const (
	running  = `state = 'running', attempt = 1, attempted_at = now() - interval '1 hour'`
	justRun  = `state = 'running', attempt = 1, attempted_at = now()`
	finished = `state = 'completed', finalized_at = now()`
)

func TestReclaim(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state ingest.State
		kind  string
	}{
		{ingest.Queued, "load"},
		{ingest.Loading, "load"},
		{ingest.Validating, "load"},
		{ingest.Promoting, "promote"},
		{ingest.RollingBack, "rollback"},
	} {
		t.Run(string(c.state), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.reach(c.state).ID
			is := func(what string, want int) {
				t.Helper()
				n, err := w.Reclaim(t.Context())
				w.must(err)
				if n != want {
					t.Fatalf("%s: reclaimed %d, want %d", what, n, want)
				}
			}
			is("with a job", 0)
			w.setJob(id, justRun)
			is("a worker that has just fetched it", 0)
			w.setJob(id, running)
			held, err := w.WithTenantLock(t.Context(), acme, func(context.Context) error {
				is("a worker at work", 0)
				return nil
			})
			if !held || err != nil {
				t.Fatalf("lock: %v, %v", held, err)
			}
			is("a worker that is gone", 1)
			is("again", 0)
			same(t, "jobs that River would still run", w.query(`SELECT count(*) FROM dropline.river_job WHERE kind = $1
				AND state IN ('available', 'scheduled', 'retryable', 'pending', 'running')`, c.kind), int64(1))
			same(t, "and it is the import's", w.query(`SELECT count(*) FROM dropline.river_job j JOIN dropline.imports i ON i.job_id = j.id
				WHERE j.kind = $1 AND j.state = 'available'`, c.kind), int64(1))
			w.setJob(id, finished)
			is("a job that ended without it", 1)
			_, err = w.pool.Exec(t.Context(), `DELETE FROM dropline.river_job`)
			w.must(err)
			is("no job at all", 1)
			for _, set := range []string{`state = 'scheduled'`, `state = 'retryable'`} {
				w.setJob(id, set)
				is(set, 0)
			}
		})
	}
}

func TestReclaimLeavesTheRestAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, state := range []ingest.State{
		ingest.Promoted, ingest.RolledBack, ingest.Rejected, ingest.Failed, ingest.Cancelled, ingest.Staged,
	} {
		w.reach(state)
	}
	_, err := w.pool.Exec(t.Context(), `DELETE FROM dropline.river_job`)
	w.must(err)
	if n, err := w.Reclaim(t.Context()); err != nil || n != 0 {
		t.Errorf("reclaimed %d, %v", n, err)
	}
}

func TestNextJob(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := w.reach(ingest.Queued), w.reach(ingest.Queued)
	for _, id := range []ingest.ImportID{first.ID, second.ID} {
		w.setJob(id, `state = 'scheduled', scheduled_at = now() + interval '1 hour'`)
	}
	due := func() int64 {
		return w.query(`SELECT count(*) FROM dropline.river_job WHERE state = 'available' AND scheduled_at <= now()`)
	}
	w.must(w.NextJob(t.Context(), globex))
	same(t, "of another tenant", due(), int64(0))
	w.must(w.NextJob(t.Context(), acme))
	same(t, "jobs now available", due(), int64(1))
	same(t, "the older's", w.query(`SELECT count(*) FROM dropline.river_job WHERE state = 'available' AND args->>'import' = $1`,
		first.ID), int64(1))
	w.setJob(first.ID, `scheduled_at = now() + interval '3 seconds'`) // a short snooze, as River keeps it
	w.must(w.NextJob(t.Context(), acme))
	same(t, "after a short snooze", due(), int64(1))
	w.finish(first.ID, ingest.Staged)
	w.must(w.NextJob(t.Context(), acme))
	same(t, "then the younger's", due(), int64(2))
	w.must(w.NextJob(t.Context(), "nobody"))
}

func TestReclaimQuickly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// Years of imports that are over must not be looked at: 500 tenants' worth stands in for them.
	_, err := w.pool.Exec(t.Context(), `INSERT INTO dropline.imports (id, tenant, schema_id, mapping_version, state, created_at,
			lapsed_at) SELECT 'import_' || md5(n::text), 'acme', 'x', 0, 'promoted', now(), now() FROM generate_series(1, 50000) n`)
	w.must(err)
	_, err = w.pool.Exec(t.Context(), `ANALYZE dropline.imports`)
	w.must(err)
	start := time.Now()
	_, err = w.Reclaim(t.Context())
	w.must(err)
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("Reclaim took %v", took)
	}
}
