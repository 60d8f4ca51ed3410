package ledger_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/ingest/ledger"
)

func TestLoadingIsRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.drop("/inbox/Matters.csv", "A")
	w.drop("/inbox/Contacts.csv", "BB")
	imp := w.take(w.close().ID)
	started := w.clock.Now()
	if imp.State != ingest.Loading || imp.Attempt != 1 || !imp.StartedAt.Equal(started) || imp.BytesTotal != 3 {
		t.Fatalf("taken: %+v", imp)
	}
	files := imp.Files
	files[0].State, files[0].Table, files[0].Bytes, files[0].Read, files[0].Staged, files[0].Rejected = ingest.FileLoading,
		"Matter", 1, 10, 9, 1
	files[0].Ignored, files[0].Notes = []string{"Colour", "a\x00b"}, []string{"odd"}
	w.must(w.SaveProgress(t.Context(), imp.ID, 1, ingest.Progress{
		BytesRead: 1, Read: 10, Staged: 9, Rejected: 1, Files: files[:1],
	}))
	files[0].Ignored = []string{"Colour", "a\uFFFDb"}
	got := w.imp(imp.ID)
	same(t, "files", got.Files, files)
	same(t, "counters", []int64{got.BytesRead, got.Read, got.Staged, got.Rejected}, []int64{1, 10, 9, 1})

	w.clock.advance(time.Second)
	w.must(w.NoteTrouble(t.Context(), imp.ID, 1, "S3 is away"))
	again := w.take(imp.ID) // the first worker was lost
	if again.Attempt != 2 || again.Error != "" || again.Read != 0 || !again.StartedAt.Equal(started) ||
		again.Files[0].State != ingest.FileWaiting || again.Files[0].Read != 0 || again.Files[0].Ignored != nil {
		t.Errorf("taken again: %+v", again)
	}
	for what, err := range map[string]error{
		"SaveProgress":    w.SaveProgress(t.Context(), imp.ID, 1, ingest.Progress{Read: 99}),
		"StartValidating": w.StartValidating(t.Context(), imp.ID, 1),
		"Fail":            w.Fail(t.Context(), imp.ID, 1, "x", ""),
		"Release":         w.Release(t.Context(), imp.ID, 1),
		"NoteTrouble":     w.NoteTrouble(t.Context(), imp.ID, 1, "x"),
	} {
		if ingest.KindOf(err) != ingest.Conflict {
			t.Errorf("%s by the worker before: %v, want a Conflict", what, err)
		}
	}
	_, err := w.Finish(t.Context(), imp.ID, 1, ledger.Outcome{State: ingest.Rejected})
	w.want(err, ingest.Conflict)
	same(t, "after them", w.imp(imp.ID), again)
}

// What an import's times meant when it was loaded does not change with the tenant: its rows may have to be read again.
func TestAnImportKeepsItsTimeZone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.drop("/inbox/Matters.csv", "A")
	imp := w.take(w.close().ID)
	zone := "Australia/Sydney"
	_, err := w.ChangeTenant(t.Context(), acme, ingest.TenantChange{TimeZone: &zone})
	w.must(err)
	if got := w.imp(imp.ID).TimeZone; imp.TimeZone != "UTC" || got != "UTC" {
		t.Errorf("the zone was %q and is %q", imp.TimeZone, got)
	}
	if again := w.take(imp.ID); again.TimeZone != zone {
		t.Errorf("a new attempt reads times in %q", again.TimeZone)
	}
}

func TestOutcomeIsRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	earlier := w.reach(ingest.Staged)
	id := w.reach(ingest.Validating).ID
	files := w.imp(id).Files
	files[0].State, files[0].Code, files[0].Error = ingest.FileRefused, ingest.CodeMissingColumn, "no Number"
	w.clock.advance(time.Second)
	reject := ingest.Reject{
		File: "/inbox/A.csv", FileNumber: 1, Table: "Matter", Record: 2, Line: 3, Column: "Number", Header: "No.", Code: "required",
		Message: "it is absent", Value: "a\x00\xff", ImportID: "matter_1", Offset: 10, Length: 20,
	}
	o := ledger.Outcome{
		State: ingest.Rejected, Files: files, Prerequisites: []ingest.ImportID{earlier.ID},
		Tables:    []ingest.ImportTable{{Name: "Matter", Read: 5, Staged: 4, Rejected: 1}},
		BytesRead: 7, Read: 5, Staged: 4, Rejected: 1, WarningCount: 2, Error: "a file was refused", Hint: "correct it",
	}
	for i := range ingest.MaxSampleReject + 5 { // handed over in another order than they are shown in
		r := reject
		r.Record = int64(ingest.MaxSampleReject + 5 - i)
		o.Rejects = append(o.Rejects, r)
	}
	o.Warnings = []ingest.Reject{reject}
	done, err := w.Finish(t.Context(), id, 1, o)
	w.must(err)
	same(t, "what Finish returns", done, w.imp(id))
	same(t, "files", done.Files, files)
	same(t, "tables", done.Tables, o.Tables)
	same(t, "prerequisites", done.Prerequisites, o.Prerequisites)
	same(t, "counters", []int64{done.BytesRead, done.Read, done.Staged, done.Rejected, done.Warnings}, []int64{7, 5, 4, 1, 2})
	if done.Error != o.Error || done.Hint != o.Hint || !done.FinishedAt.Equal(w.clock.Now()) || done.LoadedAt == nil {
		t.Errorf("finished: %+v", done)
	}
	rejects, warnings, err := w.SampleRejects(t.Context(), id, 2)
	w.must(err)
	same(t, "warnings", warnings, o.Warnings)
	reject.Record = 6 // the first five were over the limit
	second := reject
	second.Record = 7
	same(t, "rejects", rejects, []ingest.Reject{reject, second})
	same(t, "kept", w.query(`SELECT count(*) FROM dropline.import_rejects WHERE NOT warning`), int64(ingest.MaxSampleReject))
	_, _, err = w.SampleRejects(t.Context(), ingest.NewImportID(), 2)
	w.want(err, ingest.NotFound)
}

func TestEarlierStaged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	staged, promoting := w.reach(ingest.Staged), w.reach(ingest.Queued)
	w.reach(ingest.Rejected)
	last := w.reach(ingest.Staged)
	_, err := w.RequestPromotion(t.Context(), acme, staged.ID, "me", "")
	w.must(err)
	w.finish(promoting.ID, ingest.Staged)
	list, err := w.EarlierStaged(t.Context(), acme, last.Seq)
	w.must(err)
	var ids []ingest.ImportID
	for _, i := range list {
		ids = append(ids, i.ID)
		if len(i.Files) != 1 {
			t.Errorf("files of %s: %+v", i.ID, i.Files)
		}
	}
	same(t, "earlier", ids, []ingest.ImportID{staged.ID, promoting.ID})
}

func TestBlocked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := w.reach(ingest.Queued), w.reach(ingest.Queued)
	is := func(want bool) {
		t.Helper()
		got, err := w.Blocked(t.Context(), second.ID)
		w.must(err)
		same(t, "blocked", got, want)
	}
	is(true)
	imp := w.take(first.ID)
	is(true)
	w.must(w.StartValidating(t.Context(), first.ID, imp.Attempt))
	is(true)
	w.must(w.Fail(t.Context(), first.ID, imp.Attempt, "x", ""))
	is(false)
	off := false
	_, err := w.ChangeTenant(t.Context(), acme, ingest.TenantChange{Enabled: &off})
	w.must(err)
	is(true)
}

func TestListImports(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var all []ingest.ImportID
	for range 3 {
		all = append([]ingest.ImportID{w.reach(ingest.Staged).ID}, all...)
	}
	queued := w.reach(ingest.Queued)
	_, err := w.Register(t.Context(), w.registration(globex, file, "G"))
	w.must(err)
	foreign := w.close()
	for _, c := range []struct {
		states []ingest.State
		want   []ingest.TenantID
	}{
		{[]ingest.State{ingest.Staged}, []ingest.TenantID{acme}},
		{[]ingest.State{ingest.Staged, ingest.Queued}, []ingest.TenantID{acme, globex}},
		{[]ingest.State{ingest.Promoted}, nil},
	} {
		got, err := w.TenantsWith(t.Context(), c.states)
		w.must(err)
		if !slices.Equal(got, c.want) {
			t.Errorf("tenants with %v: %v", c.states, got)
		}
	}
	for _, c := range []struct {
		name   string
		filter ingest.ImportFilter
		want   []ingest.ImportID
	}{
		{"all", ingest.ImportFilter{}, append([]ingest.ImportID{foreign.ID, queued.ID}, all...)},
		{"tenant", ingest.ImportFilter{Tenant: acme}, append([]ingest.ImportID{queued.ID}, all...)},
		{"state", ingest.ImportFilter{States: []ingest.State{ingest.Staged}}, all},
		{
			"tenant and states",
			ingest.ImportFilter{Tenant: globex, States: []ingest.State{ingest.Staged, ingest.Queued}},
			[]ingest.ImportID{foreign.ID},
		},
		{"page", ingest.ImportFilter{Tenant: acme, Before: queued.Seq, Limit: 2}, all[:2]},
	} {
		list, err := w.ListImports(t.Context(), c.filter)
		w.must(err)
		var got []ingest.ImportID
		for _, i := range list {
			got = append(got, i.ID)
		}
		same(t, c.name, got, c.want)
	}
}

// TestUsageIsExact does a little of everything, and compares what is kept count of with what is there.
func TestUsageIsExact(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	for i := range 60 {
		path := fmt.Sprintf("/inbox/%d.csv", i%4)
		content := fmt.Sprintf("%0*d", i%7+1, i%3)
		switch i % 6 {
		case 0, 1:
			w.drop(path, content)
		case 2:
			w.park(ingest.EntryTemporary, path+".part", content)
		case 3:
			w.park(ingest.EntryPartial, path, content)
		case 4:
			_ = w.Rename(ctx, acme, path+".part", path, true)     // where there is one
			_ = w.Rename(ctx, acme, path, path+".part", i%5 == 0) // and the other way
		case 5:
			_ = w.Remove(ctx, acme, path)
			w.drop("/inbox/always.csv", fmt.Sprint(i))
			if i%4 == 1 {
				w.clock.advance(10 * time.Second)
				made, _, err := w.CloseBatches(ctx)
				w.must(err)
				for _, id := range made {
					w.finish(id, ingest.Staged)
				}
			}
		}
		if i%20 == 19 {
			w.clock.advance(25 * time.Hour)
			_, err := w.Expire(ctx, 3)
			w.must(err)
		}
		got, err := w.Usage(ctx, acme)
		w.must(err)
		want := ingest.Usage{
			Files: w.query(`SELECT (SELECT count(*) FROM dropline.drops WHERE released_at IS NULL)
				+ (SELECT count(*) FROM dropline.entries WHERE kind = 'temporary') + (SELECT count(*) FROM dropline.partials)`),
			Bytes: w.query(`SELECT ((SELECT coalesce(sum(size), 0) FROM dropline.drops WHERE released_at IS NULL)
				+ (SELECT coalesce(sum(size), 0) FROM dropline.entries WHERE kind = 'temporary')
				+ (SELECT coalesce(sum(size), 0) FROM dropline.partials))::bigint`),
		}
		if got != want {
			t.Fatalf("after step %d: %+v, want %+v", i, got, want)
		}
	}
	if w.query(`SELECT count(*) FROM dropline.drops WHERE state = 'imported'`) == 0 ||
		w.query(`SELECT count(*) FROM dropline.drops WHERE released_at IS NOT NULL`) == 0 {
		t.Error("the steps do not cover what they should")
	}
}
