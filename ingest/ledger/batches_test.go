package ledger_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/ingest/ledger"
)

func TestQuietPeriod(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	look := func(after time.Duration, wantMade int, wantNext time.Duration) {
		t.Helper()
		w.clock.advance(after)
		made, next, err := w.CloseBatches(t.Context())
		w.must(err)
		if len(made) != wantMade {
			t.Fatalf("made %d imports, want %d", len(made), wantMade)
		}
		if wantNext == 0 && !next.IsZero() || wantNext != 0 && !next.Equal(w.clock.Now().Add(wantNext)) {
			t.Fatalf("next look %v, want in %v", next, wantNext)
		}
	}
	look(0, 0, 0)
	w.drop(file, "A")
	look(0, 0, 10*time.Second)
	look(9*time.Second, 0, time.Second)
	w.drop("/inbox/Contacts.csv", "B") // extends it
	look(time.Second, 0, 9*time.Second)
	look(8*time.Second, 0, time.Second)
	w.must(w.Receiving(t.Context(), acme)) // so does a file on its way
	look(5*time.Second, 0, 5*time.Second)
	w.must(w.Receiving(t.Context(), globex)) // but not another tenant's
	look(5*time.Second, 1, 0)
	same(t, "drops", w.query(`SELECT count(*) FROM dropline.drops WHERE state = 'imported'`), int64(2))
	look(time.Hour, 0, 0)
}

func TestMaxBatchWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.drop(file, "A")
	for elapsed := time.Duration(0); elapsed < ingest.MaxBatchWait-5*time.Second; elapsed += 5 * time.Second {
		w.must(w.Receiving(t.Context(), acme))
		w.clock.advance(5 * time.Second)
	}
	made, next, err := w.CloseBatches(t.Context())
	w.must(err)
	if len(made) != 0 || !next.Equal(w.clock.Now().Add(5*time.Second)) {
		t.Fatalf("shortly before: %v, %v", made, next)
	}
	w.clock.advance(5 * time.Second)
	made, _, err = w.CloseBatches(t.Context())
	w.must(err)
	if len(made) != 1 {
		t.Fatalf("at the longest wait: %v", made)
	}
}

func TestCloseBatchesAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other, _ := w.open()
	for round := range 5 {
		for i := range 3 {
			w.drop(fmt.Sprintf("/inbox/%d-%d.csv", round, i), "A")
		}
		w.clock.advance(10 * time.Second)
		var mu sync.Mutex
		var all sync.WaitGroup
		var made []ingest.ImportID
		for _, l := range []interface {
			CloseBatches(ctx ctx) ([]ingest.ImportID, time.Time, error)
		}{w, other, w, other} {
			all.Go(func() {
				ids, _, err := l.CloseBatches(t.Context())
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				made = append(made, ids...)
			})
		}
		all.Wait()
		if len(made) != 1 {
			t.Fatalf("made %v, want one import", made)
		}
		if imp := w.imp(made[0]); len(imp.Files) != 3 || imp.Schema != ingest.DefaultSchema || imp.State != ingest.Queued {
			t.Errorf("import: %+v", imp)
		}
		same(t, "jobs", w.query(`SELECT count(*) FROM dropline.river_job`), int64(round+1))
	}
}

func TestDisabledTenantIsNotBatched(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.drop(file, "A")
	queued := w.close()
	w.drop(file, "B") // takes the place in the queued import
	w.drop("/inbox/Contacts.csv", "C")
	off := false
	_, err := w.ChangeTenant(t.Context(), acme, ingest.TenantChange{Enabled: &off})
	w.must(err)
	w.clock.advance(2 * time.Hour)
	made, next, err := w.CloseBatches(t.Context())
	if err != nil || len(made) != 0 || !next.IsZero() {
		t.Errorf("made %v, next %v, %v", made, next, err)
	}
	if blocked, err := w.Blocked(t.Context(), queued.ID); err != nil || !blocked {
		t.Errorf("blocked: %v, %v", blocked, err)
	}
}

func TestArrivals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other, pool := w.open() // polls only once an hour
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	arrivals := other.Arrivals(ctx)
	hear := func(what string, poke func()) {
		t.Helper()
		deadline := time.After(20 * time.Second)
		for {
			poke()
			select {
			case _, open := <-arrivals:
				if !open {
					t.Fatalf("%s: closed", what)
				}
				return
			case <-time.After(150 * time.Millisecond):
			case <-deadline:
				t.Fatalf("%s: nothing was heard", what)
			}
		}
	}
	hear("on listening", func() {})
	n := 0
	arrive := func() { n++; w.drop(file, fmt.Sprint(n)) }
	hear("of another process", arrive)
	var ended bool
	w.must(pool.QueryRow(t.Context(), `SELECT bool_or(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE application_name = 'dropline session' AND datname = current_database()`).Scan(&ended))
	if !ended {
		t.Fatal("no listening connection was found")
	}
	hear("after the connection was lost", arrive)
	hear("and again", arrive)
	cancel()
	for range arrivals { // ends once it is closed
	}
}

func TestArrivalsPoll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	polling, _ := w.open(func(c *ledger.Config) { c.PollInterval = 20 * time.Millisecond })
	arrivals := polling.Arrivals(t.Context())
	for range 5 {
		select {
		case <-arrivals:
		case <-time.After(20 * time.Second):
			t.Fatal("nothing was heard, though it polls")
		}
	}
}
