package ledger_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
	"dropline/ingest/ledger"
)

// reach returns a new import of acme's in that state.
func (w *world) reach(state ingest.State) ingest.Import {
	w.t.Helper()
	w.drop(fmt.Sprintf("/inbox/%d.csv", w.sent.Add(1)), "A")
	id := w.close().ID
	switch state {
	case ingest.Queued:
	case ingest.Loading:
		w.take(id)
	case ingest.Validating:
		w.must(w.StartValidating(w.t.Context(), id, w.take(id).Attempt))
	case ingest.Unmapped:
		w.unmapped(id, nil)
	case ingest.Failed:
		w.must(w.Fail(w.t.Context(), id, w.take(id).Attempt, "broken", "mend it"))
	case ingest.Cancelled:
		_, err := w.Cancel(w.t.Context(), acme, id, "me")
		w.must(err)
	case ingest.Rejected:
		w.finish(id, ingest.Rejected)
	default:
		w.finish(id, ingest.Staged)
		w.beyondStaged(id, state)
	}
	imp := w.imp(id)
	if imp.State != state {
		w.t.Fatalf("the import is %s, want %s", imp.State, state)
	}
	return imp
}

func (w *world) beyondStaged(id ingest.ImportID, state ingest.State) {
	w.t.Helper()
	if state == ingest.Staged {
		return
	}
	_, err := w.RequestPromotion(w.t.Context(), acme, id, "me", "")
	w.must(err)
	if state == ingest.Promoting {
		return
	}
	w.promoted(id)
	if state == ingest.Promoted {
		return
	}
	_, err = w.RequestRollback(w.t.Context(), acme, id, "me")
	w.must(err)
	if state == ingest.RolledBack {
		w.rolledBack(id)
	}
}

// TestEveryOperationInEveryState tries each operation on an import in each state: the states in which it goes through, and to
// which, are these and no others; in all others it is a Conflict and changes nothing.
func TestEveryOperationInEveryState(t *testing.T) {
	t.Parallel()
	inTx := func(w *world, fn func(tx pgx.Tx) error) error { return pgx.BeginFunc(w.t.Context(), w.pool, fn) }
	loading := []ingest.State{ingest.Loading, ingest.Validating}
	operations := []struct {
		name string
		from []ingest.State
		to   ingest.State // empty: stays
		do   func(w *world, i ingest.Import) error
	}{
		{
			"Take",
			[]ingest.State{ingest.Queued, ingest.Loading, ingest.Validating},
			ingest.Loading,
			func(w *world, i ingest.Import) error { _, err := w.Take(w.t.Context(), i.ID); return err },
		},
		{"SaveProgress", loading, "", func(w *world, i ingest.Import) error {
			return w.SaveProgress(w.t.Context(), i.ID, i.Attempt, ingest.Progress{})
		}},
		{"StartValidating", []ingest.State{ingest.Loading}, ingest.Validating, func(w *world, i ingest.Import) error {
			return w.StartValidating(w.t.Context(), i.ID, i.Attempt)
		}},
		{"Finish staged", []ingest.State{ingest.Validating}, ingest.Staged, func(w *world, i ingest.Import) error {
			_, err := w.Finish(w.t.Context(), i.ID, i.Attempt, ledger.Outcome{State: ingest.Staged})
			return err
		}},
		{"Finish rejected", loading, ingest.Rejected, func(w *world, i ingest.Import) error {
			_, err := w.Finish(w.t.Context(), i.ID, i.Attempt, ledger.Outcome{State: ingest.Rejected})
			return err
		}},
		{
			"Fail",
			[]ingest.State{ingest.Queued, ingest.Loading, ingest.Validating},
			ingest.Failed,
			func(w *world, i ingest.Import) error { return w.Fail(w.t.Context(), i.ID, i.Attempt, "x", "") },
		},
		{
			"NoteTrouble",
			[]ingest.State{ingest.Queued, ingest.Loading, ingest.Validating},
			"",
			func(w *world, i ingest.Import) error { return w.NoteTrouble(w.t.Context(), i.ID, i.Attempt, "x") },
		},
		{"Release", loading, ingest.Queued, func(w *world, i ingest.Import) error {
			return w.Release(w.t.Context(), i.ID, i.Attempt)
		}},
		{
			"Cancel",
			[]ingest.State{ingest.Queued, ingest.Loading, ingest.Unmapped, ingest.Validating, ingest.Staged},
			ingest.Cancelled,
			func(w *world, i ingest.Import) error { _, err := w.Cancel(w.t.Context(), acme, i.ID, "me"); return err },
		},
		{"RecordUnmapped", []ingest.State{ingest.Loading}, ingest.Unmapped, func(w *world, i ingest.Import) error {
			_, err := w.RecordUnmapped(w.t.Context(), i.ID, i.Attempt, ledger.Unmapped{})
			return err
		}},
		{"Retry", []ingest.State{ingest.Failed, ingest.Cancelled, ingest.Unmapped}, ingest.Queued, func(w *world, i ingest.Import) error {
			_, err := w.Retry(w.t.Context(), acme, i.ID, "me")
			return err
		}},
		{"RequestPromotion", []ingest.State{ingest.Staged}, ingest.Promoting, func(w *world, i ingest.Import) error {
			_, err := w.RequestPromotion(w.t.Context(), acme, i.ID, "me", " ")
			return err
		}},
		{
			"RequestPromotion with override",
			[]ingest.State{ingest.Staged, ingest.Rejected},
			ingest.Promoting,
			func(w *world, i ingest.Import) error {
				_, err := w.RequestPromotion(w.t.Context(), acme, i.ID, "me", "the client agreed")
				return err
			},
		},
		{"TakePromotion", []ingest.State{ingest.Promoting}, "", func(w *world, i ingest.Import) error {
			_, err := w.TakePromotion(w.t.Context(), i.ID)
			return err
		}},
		{"RecordPromoted", []ingest.State{ingest.Promoting}, ingest.Promoted, func(w *world, i ingest.Import) error {
			return inTx(w, func(tx pgx.Tx) error { return w.RecordPromoted(w.t.Context(), tx, i.ID, nil) })
		}},
		{"RecordPromotionFailed", []ingest.State{ingest.Promoting}, ingest.Staged, func(w *world, i ingest.Import) error {
			return w.RecordPromotionFailed(w.t.Context(), i.ID, "x", "")
		}},
		{"RequestRollback", []ingest.State{ingest.Promoted}, ingest.RollingBack, func(w *world, i ingest.Import) error {
			_, err := w.RequestRollback(w.t.Context(), acme, i.ID, "me")
			return err
		}},
		{"TakeRollback", []ingest.State{ingest.RollingBack}, "", func(w *world, i ingest.Import) error {
			_, err := w.TakeRollback(w.t.Context(), i.ID)
			return err
		}},
		{"RecordRolledBack", []ingest.State{ingest.RollingBack}, ingest.RolledBack, func(w *world, i ingest.Import) error {
			return inTx(w, func(tx pgx.Tx) error { return w.RecordRolledBack(w.t.Context(), tx, i.ID) })
		}},
		{"RecordRollbackFailed", []ingest.State{ingest.RollingBack}, ingest.Promoted, func(w *world, i ingest.Import) error {
			return w.RecordRollbackFailed(w.t.Context(), i.ID, "x", "")
		}},
		{"RecordLapsed", []ingest.State{
			ingest.Rejected, ingest.Promoted, ingest.RolledBack, ingest.Failed, ingest.Cancelled, ingest.Unmapped,
		}, "", func(w *world, i ingest.Import) error { return w.RecordLapsed(w.t.Context(), i.ID) }},
	}
	for _, state := range ingest.States() {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for _, op := range operations {
				imp := w.reach(state)
				want := state
				err := op.do(w, imp)
				switch {
				case !slices.Contains(op.from, state):
					if ingest.KindOf(err) != ingest.Conflict {
						t.Errorf("%s: %v, want a Conflict", op.name, err)
					}
				case err != nil:
					t.Errorf("%s: %v", op.name, err)
				case op.to != "":
					want = op.to
				}
				if got := w.state(imp.ID); got != want {
					t.Errorf("%s: the import is %s, want %s", op.name, got, want)
				}
				_, err = w.pool.Exec(t.Context(), `UPDATE dropline.imports SET state = 'failed' WHERE tenant = 'acme'`)
				w.must(err) // out of the way of the next
			}
		})
	}
}

func TestPromotionOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := w.reach(ingest.Queued), w.reach(ingest.Queued)
	w.finish(second.ID, ingest.Staged)
	refused := func(id, by ingest.ImportID) {
		t.Helper()
		_, err := w.RequestPromotion(t.Context(), acme, id, "me", "because")
		w.want(err, ingest.Conflict)
		if !strings.Contains(ingest.MessageOf(err), string(by)) {
			t.Errorf("the message does not name %s: %v", by, err)
		}
	}
	refused(second.ID, first.ID) // queued
	w.take(first.ID)
	refused(second.ID, first.ID) // loading
	w.finish(first.ID, ingest.Staged)
	refused(second.ID, first.ID) // staged
	_, err := w.RequestPromotion(t.Context(), acme, first.ID, "me", "")
	w.must(err)
	refused(second.ID, first.ID) // promoting
	w.promoted(first.ID)
	w.promote(second.ID)

	rejected, third := w.reach(ingest.Rejected), w.reach(ingest.Staged)
	_, err = w.RequestRollback(t.Context(), acme, second.ID, "me")
	w.must(err)
	refused(third.ID, second.ID) // rollback is last in, first out
	w.rolledBack(second.ID)
	_, err = w.RequestPromotion(t.Context(), acme, third.ID, "me", "") // rejected and rolled back are not in the way
	w.must(err)
	refused(rejected.ID, third.ID) // a younger one under way is
	w.promoted(third.ID)
	_, err = w.RequestPromotion(t.Context(), acme, rejected.ID, "me", "the client agreed")
	w.must(err)
}

func TestPromoteTwiceAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	imp := w.reach(ingest.Staged)
	errs := make([]error, 4)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { _, errs[i] = w.RequestPromotion(t.Context(), acme, imp.ID, "me", "") })
	}
	all.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			w.want(err, ingest.Conflict)
		}
	}
	same(t, "requests that went through", won, 1)
	same(t, "jobs", w.query(`SELECT count(*) FROM dropline.river_job WHERE kind = 'promote' AND queue = 'promote'`), int64(1))
}

func TestPromotionIsRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.reach(ingest.Validating).ID
	_, err := w.Finish(t.Context(), id, 1, ledger.Outcome{State: ingest.Rejected, Tables: []ingest.ImportTable{
		{Name: "Matter", Read: 3, Staged: 2, Rejected: 1}, {Name: "Contact", Read: 1, Staged: 1},
	}})
	w.must(err)
	asked := w.clock.Now()
	_, err = w.RequestPromotion(t.Context(), acme, id, "first", "the client agreed")
	w.must(err)
	w.must(w.RecordPromotionFailed(t.Context(), id, "a reference is gone", "send it again"))
	imp := w.imp(id)
	if imp.State != ingest.Rejected || imp.Error != "a reference is gone" || imp.Hint != "send it again" {
		t.Errorf("after a failure: %s, %q, %q", imp.State, imp.Error, imp.Hint)
	}
	w.clock.advance(time.Minute)
	_, err = w.RequestPromotion(t.Context(), acme, id, "second", "the client agreed")
	w.must(err)
	_, err = w.TakePromotion(t.Context(), id)
	w.must(err)
	w.clock.advance(time.Second)
	_, err = w.TakePromotion(t.Context(), id) // taken over
	w.must(err)
	counts := map[string]ingest.PromotionCounts{"Matter": {Inserted: 1, Updated: 1}, "Contact": {Unchanged: 1}}
	w.must(pgx.BeginFunc(t.Context(), w.pool, func(tx pgx.Tx) error { return w.RecordPromoted(t.Context(), tx, id, counts) }))
	started, finished := asked.Add(time.Minute), asked.Add(time.Minute+time.Second)
	imp = w.imp(id)
	same(t, "promotion", imp.Promotion, &ingest.Promotion{
		RequestedAt: started, RequestedBy: "second", StartedAt: &started, FinishedAt: &finished,
		Override: "the client agreed", Counts: ingest.PromotionCounts{Inserted: 1, Updated: 1, Unchanged: 1},
	})
	matter, contact := counts["Matter"], counts["Contact"]
	same(t, "tables", imp.Tables, []ingest.ImportTable{
		{Name: "Matter", Read: 3, Staged: 2, Rejected: 1, Promoted: &matter},
		{Name: "Contact", Read: 1, Staged: 1, Promoted: &contact},
	})
	if imp.State != ingest.Promoted || imp.Error != "" || !imp.PromotedAt.Equal(finished) {
		t.Errorf("promoted: %+v", imp)
	}
	list, err := w.ListImports(t.Context(), ingest.ImportFilter{})
	w.must(err)
	same(t, "listed promotion", list[0].Promotion, imp.Promotion)
}

func TestPromotionGivenUpWithItsTransaction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.reach(ingest.Promoting).ID
	tx, err := w.pool.Begin(t.Context())
	w.must(err)
	w.must(w.RecordPromoted(t.Context(), tx, id, nil))
	w.must(tx.Rollback(t.Context()))
	same(t, "state", w.state(id), ingest.Promoting)
}

func TestRollbackIsLastInFirstOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, rejected, third := w.reach(ingest.Promoted), w.reach(ingest.Rejected), w.reach(ingest.Promoted)
	_, err := w.RequestPromotion(t.Context(), acme, rejected.ID, "me", "late, but agreed") // the last in
	w.must(err)
	refused := func(id, by ingest.ImportID) {
		t.Helper()
		_, err := w.RequestRollback(t.Context(), acme, id, "me")
		w.want(err, ingest.Conflict)
		if !strings.Contains(ingest.MessageOf(err), string(by)) {
			t.Errorf("the message does not name %s: %v", by, err)
		}
	}
	refused(third.ID, rejected.ID) // being promoted
	w.promoted(rejected.ID)
	refused(third.ID, rejected.ID)
	_, err = w.RequestRollback(t.Context(), acme, rejected.ID, "me")
	w.must(err)
	refused(third.ID, rejected.ID) // being rolled back
	w.must(w.RecordRollbackFailed(t.Context(), rejected.ID, "disk full", "make room"))
	if imp := w.imp(rejected.ID); imp.State != ingest.Promoted || imp.Error != "disk full" {
		t.Errorf("after a failure: %s, %q", imp.State, imp.Error)
	}
	w.rollBack(rejected.ID)
	w.rollBack(third.ID)
	w.rollBack(first.ID)
	if imp := w.imp(first.ID); imp.RolledBackAt == nil {
		t.Error("the time of the rollback is not recorded")
	}
}

func TestLapse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	promoted, rejected, failed := w.reach(ingest.Promoted), w.reach(ingest.Rejected), w.reach(ingest.Failed)
	w.reach(ingest.Staged)
	lapsed := func(olderThan time.Time) (ids []ingest.ImportID) {
		t.Helper()
		list, err := w.LapsedImports(t.Context(), olderThan, 10)
		w.must(err)
		for _, imp := range list {
			ids = append(ids, imp.ID)
		}
		return ids
	}
	same(t, "at once", lapsed(w.clock.Now().Add(-time.Hour)), []ingest.ImportID{failed.ID})
	w.clock.advance(2 * time.Hour)
	late := w.clock.Now().Add(-time.Hour)
	same(t, "later", lapsed(late), []ingest.ImportID{promoted.ID, rejected.ID, failed.ID})
	for _, id := range []ingest.ImportID{promoted.ID, rejected.ID, failed.ID} {
		w.must(w.RecordLapsed(t.Context(), id))
	}
	same(t, "recorded", lapsed(late), nil)
	_, err := w.RequestRollback(t.Context(), acme, promoted.ID, "me")
	w.want(err, ingest.Conflict)
	_, err = w.RequestPromotion(t.Context(), acme, rejected.ID, "me", "after all")
	w.want(err, ingest.Conflict)
	_, err = w.Retry(t.Context(), acme, failed.ID, "me") // is loaded anew, and lapses again when it fails again
	w.must(err)
	w.must(w.Fail(t.Context(), failed.ID, w.take(failed.ID).Attempt, "x", ""))
	same(t, "failed again", lapsed(late), []ingest.ImportID{failed.ID})
}
