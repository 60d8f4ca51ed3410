package ledger_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dropline/ingest"
)

func TestSecretsAreWiped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	s := w.source("one", "of the source")
	for _, state := range []ingest.State{ingest.Staged, ingest.Rejected} {
		imp := w.all(w.requestPosted("sealed").ID)
		w.must(w.WipeSecrets(ctx, w.clock.Now().Add(time.Hour)))
		w.wantSealed(imp.ID, "sealed", string(imp.ID)) // it is being loaded
		w.end(imp, state, nil)
		w.wantSealed(imp.ID, "", "")
	}
	queued := w.requestPosted("sealed")
	validating := w.all(w.requestPosted("sealed").ID)
	w.must(w.StartValidating(ctx, validating.ID, validating.Attempt))
	cancelled := w.requestPosted("sealed")
	_, err := w.Cancel(ctx, acme, cancelled.ID, "me")
	w.must(err)
	failed := w.half(w.requestPosted("sealed").ID)
	w.must(w.Fail(ctx, failed.ID, failed.Attempt, "x", ""))
	ofSource := w.half(w.requestFrom(s.ID).ID)
	w.must(w.Fail(ctx, ofSource.ID, ofSource.Attempt, "x", ""))
	at := w.clock.Now()
	w.must(w.WipeSecrets(ctx, at)) // not yet
	w.wantSealed(cancelled.ID, "sealed", string(cancelled.ID))
	w.wantSealed(failed.ID, "sealed", string(failed.ID))
	w.must(w.WipeSecrets(ctx, at.Add(time.Microsecond)))
	w.wantSealed(cancelled.ID, "", "")
	w.wantSealed(failed.ID, "", "")
	w.wantSealed(queued.ID, "sealed", string(queued.ID))
	w.wantSealed(validating.ID, "sealed", string(validating.ID))
	w.wantSealed(ofSource.ID, "of the source", string(s.ID))
	same(t, "connection strings kept", w.query(`SELECT count(*) FROM dropline.import_databases WHERE sealed IS NOT NULL`), int64(2))
	_, err = w.Retry(ctx, acme, failed.ID, "me")
	w.want(err, ingest.Conflict)
	if !strings.Contains(ingest.MessageOf(err), "no longer kept") || ingest.HintOf(err) != "post it again" {
		t.Errorf("a retry without a connection string: %v, %q", err, ingest.HintOf(err))
	}
	_, err = w.Retry(ctx, acme, ofSource.ID, "me")
	w.must(err)
}

// TestWipeWaitsForARetry has an import retried while its connection string is about to be wiped: it keeps it.
func TestWipeWaitsForARetry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	id := w.requestPosted("sealed").ID
	_, err := w.Cancel(ctx, acme, id, "me")
	w.must(err)
	tx, err := w.pool.Begin(ctx)
	w.must(err)
	_, err = tx.Exec(ctx, `UPDATE dropline.imports SET state = 'queued' WHERE id = $1`, id) // as Retry does
	w.must(err)
	wiped := make(chan error, 1)
	go func() { wiped <- w.WipeSecrets(ctx, w.clock.Now().Add(time.Hour)) }()
	select {
	case err := <-wiped:
		t.Errorf("it did not wait: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	w.must(tx.Commit(ctx))
	w.must(<-wiped)
	w.wantSealed(id, "sealed", string(id))
}

func TestRetryOfADatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	retry := func(id ingest.ImportID) ingest.Import {
		t.Helper()
		imp, err := w.Retry(ctx, acme, id, "me")
		w.must(err)
		same(t, "what Retry returns", imp, w.imp(id))
		return imp
	}
	half := w.half(w.requestPosted("sealed").ID)
	w.must(w.Fail(ctx, half.ID, half.Attempt, "the connection broke", ""))
	imp := retry(half.ID)
	if imp.State != ingest.Queued || len(imp.Files) != 0 || imp.Database.Plan != nil || imp.BytesTotal != 0 || imp.RowsTotal != 0 {
		t.Errorf("half read, it did not start over: %+v", imp)
	}
	same(t, "its part", w.dropNow(half.Files[0].Drop).State, ingest.DropWithdrawn)
	again := w.all(half.ID)
	if again.Files[0].Key == half.Files[0].Key {
		t.Error("the parts of two attempts have one key")
	}
	w.must(w.Fail(ctx, again.ID, again.Attempt, "the mapping", ""))
	imp = retry(half.ID)
	if len(imp.Files) != 3 || !imp.Database.Plan.Complete() {
		t.Errorf("all read, it did not keep that: %+v", imp)
	}
	w.wantSealed(half.ID, "sealed", string(half.ID))
	w.end(w.take(half.ID), ingest.Staged, nil)
	w.wantSealed(half.ID, "", "")
	_, err := w.Cancel(ctx, acme, half.ID, "me")
	w.must(err)
	imp = retry(half.ID) // without a connection string, which it does not need
	same(t, "files", len(imp.Files), 3)
	w.end(w.take(half.ID), ingest.Staged, nil)
	w.promote(half.ID)

	// A database in which nothing was found may have something in it now.
	none := w.take(w.requestPosted("sealed").ID)
	none.Database.Plan = &ingest.DatabasePlan{Ignored: []string{"dbo.Other"}}
	w.must(w.SavePlan(ctx, none.ID, none.Attempt, none.Database))
	w.must(w.Fail(ctx, none.ID, none.Attempt, "nothing found", ""))
	if imp := retry(none.ID); imp.Database.Plan != nil {
		t.Errorf("a plan of nothing is kept: %+v", imp.Database.Plan)
	}
	// And one that was never connected to.
	never := w.requestPosted("sealed")
	w.must(w.Fail(ctx, never.ID, w.take(never.ID).Attempt, "refused", ""))
	retry(never.ID)
}

// TestPartsAreFreed follows the objects and the usage of imports that came to nothing.
func TestPartsAreFreed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	file := w.reach(ingest.Failed)
	before := w.usage()
	give := func(half bool, end func(imp ingest.Import) error) ingest.Import {
		t.Helper()
		read := w.all
		if half {
			read = w.half
		}
		imp := read(w.requestPosted("sealed").ID)
		w.must(end(imp))
		return imp
	}
	cancel := func(imp ingest.Import) error { return only(w.Cancel(ctx, acme, imp.ID, "me")) }
	fail := func(imp ingest.Import) error { return w.Fail(ctx, imp.ID, imp.Attempt, "x", "") }
	failed, cancelled, complete := give(true, fail), give(true, cancel), give(false, fail)
	retried := give(true, fail)
	_, err := w.Retry(ctx, acme, retried.ID, "me")
	w.must(err)
	loading := w.half(retried.ID)
	keys := func(imp ingest.Import) (keys []string) {
		for _, f := range imp.Files {
			keys = append(keys, f.Key)
		}
		return keys
	}
	w.clock.advance(time.Hour)
	w.must(w.WipeSecrets(ctx, w.clock.Now().Add(-2*time.Hour)))
	same(t, "parts before their time", len(w.imp(failed.ID).Files), 1)
	w.must(w.WipeSecrets(ctx, w.clock.Now()))
	for _, imp := range []ingest.Import{failed, cancelled} {
		now := w.imp(imp.ID)
		if len(now.Files) != 0 || now.Database.Plan != nil || now.BytesTotal != 0 {
			t.Errorf("its parts are still there: %+v", now)
		}
		same(t, "drop", w.dropNow(imp.Files[0].Drop).State, ingest.DropWithdrawn)
	}
	same(t, "read to its end", len(w.imp(complete.ID).Files), 3)
	same(t, "being loaded", len(w.imp(loading.ID).Files), 1)
	same(t, "of files", len(w.imp(file.ID).Files), 1)
	w.must(w.WipeSecrets(ctx, w.clock.Now()))

	w.clock.advance(25 * time.Hour)
	gone, err := w.Expire(ctx, 100)
	w.must(err)
	want := slices.Concat(keys(failed), keys(cancelled), keys(retried))
	slices.Sort(gone)
	slices.Sort(want)
	same(t, "objects to delete", gone, want)
	kept := int64(0)
	for _, f := range slices.Concat(complete.Files, loading.Files) {
		kept += f.Size
	}
	same(t, "usage", w.usage(), ingest.Usage{Bytes: before.Bytes + kept, Files: before.Files + 4})
	known, err := w.Known(ctx, want)
	w.must(err)
	same(t, "still known, so that no sweep is in the way", known, []bool{true, true, true})
	_, err = w.Retry(ctx, acme, complete.ID, "me") // long after its connection string is gone
	w.must(err)
	w.end(loading, ingest.Rejected, nil)
	w.end(w.take(complete.ID), ingest.Staged, nil)
}
