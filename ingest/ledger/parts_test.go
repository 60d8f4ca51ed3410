package ledger_test

import (
	"slices"
	"strings"
	"testing"

	"dropline/ingest"
	"dropline/ingest/ledger"
)

func TestPlanAndPartsAreRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	imp := w.take(w.requestPosted("sealed").ID)
	before := w.usage()
	d := imp.Database
	d.Plan, d.Snapshots, d.BaseID = plan(), 2, ingest.NewImportID()
	rel := &d.Plan.Relations[0]
	rel.After, rel.Name, d.Plan.Notes = "a\x00b", "dbo.\x00Matter\\u0000", []string{`"`, "\u2028é"} // as a hostile database has it
	w.must(w.SavePlan(t.Context(), imp.ID, imp.Attempt, d))
	got := w.imp(imp.ID)
	same(t, "planned", got.Database, d)
	same(t, "rows expected", got.RowsTotal, int64(35))

	rel.Name = "dbo.Matter"
	first := w.record(&imp, 0, false)
	d.Plan.Relations[1].Rows = -1
	second := w.record(&imp, 1, true)
	got = w.imp(imp.ID)
	same(t, "plan", got.Database, d)
	same(t, "files", got.Files, []ingest.ImportFile{first, second})
	same(t, "rows expected", got.RowsTotal, int64(-1))
	same(t, "bytes", got.BytesTotal, first.Size+second.Size)
	same(t, "usage", w.usage(), ingest.Usage{Bytes: before.Bytes + first.Size + second.Size, Files: before.Files + 2})
	same(t, "drop", w.dropNow(first.Drop), ingest.Drop{
		ID: first.Drop, Tenant: acme, Path: first.Path, Key: first.Key, Size: first.Size, SHA256: first.SHA256, Via: ingest.ViaSQLServer,
		By: "me", State: ingest.DropImported, Import: imp.ID, ReceivedAt: w.clock.Now(),
	})
	known, err := w.Known(t.Context(), []string{first.Key, first.Key + "x"})
	w.must(err)
	same(t, "known", known, []bool{true, false})
}

// TestPartsOfAnotherAttempt has plans and parts come from workers that no longer hold the import: nothing of them stays.
func TestPartsOfAnotherAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stale := w.half(w.requestPosted("sealed").ID)
	refused := func(what string) {
		t.Helper()
		before, usage := w.imp(stale.ID), w.usage()
		drops := w.query(`SELECT count(*) FROM dropline.drops`)
		late := stale
		copied := *stale.Database
		copied.Plan = plan()
		late.Database, late.Files = &copied, slices.Clone(stale.Files)
		f := w.part(&late, 1, true)
		w.want(w.RecordPart(t.Context(), late, f), ingest.Conflict)
		w.want(w.SavePlan(t.Context(), late.ID, late.Attempt, late.Database), ingest.Conflict)
		same(t, what, w.imp(stale.ID), before)
		same(t, what+": usage", w.usage(), usage)
		same(t, what+": drops", w.query(`SELECT count(*) FROM dropline.drops`), drops)
	}
	now := w.take(stale.ID)
	refused("taken over")
	stale.Attempt = now.Attempt
	w.must(w.StartValidating(t.Context(), now.ID, now.Attempt))
	refused("validating")
	w.must(w.Release(t.Context(), now.ID, now.Attempt))
	refused("queued")
	_, err := w.Cancel(t.Context(), acme, now.ID, "me")
	w.must(err)
	refused("cancelled")
	stale.ID = ingest.NewImportID()
	w.want(w.SavePlan(t.Context(), stale.ID, 1, stale.Database), ingest.NotFound)
}

// TestPartThatCannotBe has what a caller must never hand over.
func TestPartThatCannotBe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	imp := w.planned(w.requestPosted("sealed").ID)
	f := w.part(&imp, 0, false)
	for name, spoil := range map[string]func(*ingest.ImportFile){
		"no path":       func(f *ingest.ImportFile) { f.Path = "" },
		"the inbox":     func(f *ingest.ImportFile) { f.Path = "/inbox/Matter.csv" },
		"the root":      func(f *ingest.ImportFile) { f.Path = "/database" },
		"no name":       func(f *ingest.ImportFile) { f.Path = "/database/" },
		"a way out":     func(f *ingest.ImportFile) { f.Path = "/database/.." },
		"a folder":      func(f *ingest.ImportFile) { f.Path = "/database/a/b.csv" },
		"a control":     func(f *ingest.ImportFile) { f.Path = "/database/a\x1bb.csv" },
		"NUL":           func(f *ingest.ImportFile) { f.Path = "/database/a\x00b.csv" },
		"not UTF-8":     func(f *ingest.ImportFile) { f.Path = "/database/a\xffb.csv" },
		"too long":      func(f *ingest.ImportFile) { f.Path = "/database/" + strings.Repeat("x", 300) },
		"no key":        func(f *ingest.ImportFile) { f.Key = "" },
		"no drop":       func(f *ingest.ImportFile) { f.Drop = "" },
		"negative size": func(f *ingest.ImportFile) { f.Size = -1 },
		"no relation":   func(f *ingest.ImportFile) { f.Relation = "" },
	} {
		bad := f
		spoil(&bad)
		if err := w.RecordPart(t.Context(), imp, bad); err == nil || ingest.KindOf(err) == ingest.Conflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	same(t, "drops", w.query(`SELECT count(*) FROM dropline.drops`), int64(0))
	w.must(w.RecordPart(t.Context(), imp, f))
}

// TestANewAttemptKeepsParts has the worker lost after a part, and later after the import ended with a refused relation.
func TestANewAttemptKeepsParts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	imp := w.half(w.requestPosted("sealed").ID)
	f := imp.Files[0]
	f.State, f.Bytes, f.Read, f.Staged, f.Rejected, f.Notes = ingest.FileLoaded, f.Size, 10, 9, 1, []string{"odd"}
	w.must(w.SaveProgress(ctx, imp.ID, imp.Attempt, ingest.Progress{Read: 10, Files: []ingest.ImportFile{f}}))
	same(t, "progress", w.imp(imp.ID).Files, []ingest.ImportFile{f})

	again := w.take(imp.ID)
	kept := imp.Files[0]
	kept.State = ingest.FileWaiting // but of which table it is, and what of it was not read, only the record says
	same(t, "kept", again.Files, []ingest.ImportFile{kept})
	same(t, "plan", again.Database, imp.Database)
	if again.BytesTotal != f.Size || again.RowsTotal != 35 || again.Read != 0 {
		t.Errorf("taken again: %+v", again)
	}
	w.record(&again, 0, true)
	w.record(&again, 1, true)
	done := again
	done.Files = append(done.Files, ingest.ImportFile{
		Number: 9, Relation: "dbo.Odd/\x00Name", State: ingest.FileRefused, Code: ingest.CodeUnknownTable, Error: "no such table",
	})
	w.end(done, ingest.Staged, nil)
	files := w.imp(imp.ID).Files
	same(t, "files", len(files), 4)
	same(t, "refused", files[3], ingest.ImportFile{
		Number: 9, Path: "/database/dbo.Odd/\uFFFDName", ReceivedAt: imp.CreatedAt, Relation: "dbo.Odd/\uFFFDName", State: ingest.FileLoaded,
		Code: ingest.CodeUnknownTable, Error: "no such table",
	})
	_, err := w.Cancel(ctx, acme, imp.ID, "me")
	w.must(err)
	_, err = w.Retry(ctx, acme, imp.ID, "me")
	w.must(err)
	third := w.take(imp.ID)
	same(t, "files once more", len(third.Files), 3) // the refused one is told of anew
	for _, f := range third.Files {
		if f.Drop == "" || f.Table == "" || f.State != ingest.FileWaiting {
			t.Errorf("%+v", f)
		}
	}
}

// TestPartsInTheTree follows parts through it: they are nowhere before they are archived, and no client's file ever meets them.
func TestPartsInTheTree(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	imp := w.half(w.requestPosted("sealed").ID)
	part := imp.Files[0]
	same(t, "inbox while it is read", w.names("/inbox"), []string{})
	same(t, "archive while it is read", w.names("/archive"), []string{})

	// The same path, from a client, by whatever name: it is a file of the inbox, and knows nothing of the part.
	clean, err := ingest.CleanPath(part.Path)
	w.must(err)
	same(t, "what a client means by that path", clean, "/inbox"+part.Path)
	r := w.registration(acme, clean, "x")
	r.Size, r.SHA256 = part.Size, part.SHA256 // and the same bytes
	d, err := w.Register(ctx, r)
	w.must(err)
	same(t, "it is no duplicate", d.State, ingest.DropPending)
	_, err = w.LatestDrop(ctx, acme, clean)
	w.must(err)
	w.must(w.Rename(ctx, acme, "/inbox/database", "/inbox/elsewhere", true))
	w.must(w.Rename(ctx, acme, "/inbox/elsewhere", "/inbox/database", true))
	for what, err := range map[string]error{
		"Register": only(w.Register(ctx, w.registration(acme, part.Path, "x"))),
		"Park":     only(w.Park(ctx, ingest.EntryPartial, w.registration(acme, part.Path, "x"))),
		"Remove":   w.Remove(ctx, acme, part.Path),
		"Rename":   w.Rename(ctx, acme, part.Path, "/inbox/mine", true),
		"onto it":  w.Rename(ctx, acme, clean, part.Path, true),
		"Mkdir":    w.Mkdir(ctx, acme, "/database"),
	} {
		if err == nil {
			t.Errorf("%s of %s went through", what, part.Path)
		}
	}
	w.record(&imp, 0, true)
	w.record(&imp, 1, true)
	w.end(imp, ingest.Staged, nil)

	stem := "/archive/" + ingest.StemOf(imp)
	same(t, "archived", w.names(stem+"/database"), []string{"dbo.Contact.1.csv.gz", "dbo.Matter.1.csv.gz", "dbo.Matter.2.csv.gz"})
	at := stem + "/database/dbo.Matter.1.csv.gz"
	e, err := w.Stat(ctx, acme, at)
	w.must(err)
	same(t, "entry", e, ingest.Entry{
		Path: at, Kind: ingest.EntryDrop, Size: part.Size, ModTime: part.ReceivedAt, Key: part.Key, Drop: part.Drop, SHA256: part.SHA256,
	})
	same(t, "the client's file is where it was", w.names("/inbox/database"), []string{"dbo.Matter.1.csv.gz"})
	w.want(w.Remove(ctx, acme, at), ingest.Denied)
	w.want(w.Rename(ctx, acme, at, "/inbox/mine", true), ingest.Denied)
	_, err = w.Stat(ctx, globex, at)
	w.want(err, ingest.NotFound)

	second := w.close() // the client's file is imported, into another folder
	w.finish(second.ID, ingest.Staged)
	same(t, "archived", w.names("/archive/"+ingest.StemOf(second)+"/database"), []string{"dbo.Matter.1.csv.gz"})
	same(t, "and the part is still its own", w.dropNow(part.Drop).Import, imp.ID)

	_, err = w.Cancel(ctx, acme, second.ID, "me")
	w.must(err)
	_, err = w.Cancel(ctx, acme, imp.ID, "me")
	w.must(err)
	_, err = w.Retry(ctx, acme, imp.ID, "me")
	w.must(err)
	same(t, "archive while it is loaded again", w.names(stem+"/database"), []string{})
	w.end(w.take(imp.ID), ingest.Staged, nil)
	same(t, "archived again", len(w.names(stem+"/database")), 3)
	w.promote(imp.ID)
}

// TestOutcomeOfARefusedPart has the numbers of refused relations between those of parts.
func TestOutcomeOfARefusedPart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	imp := w.half(w.requestPosted("sealed").ID)
	files := imp.Files
	files[0].State = ingest.FileRefused
	files[0].Code, files[0].Error = ingest.CodeMissingColumn, "no Number"
	files = append(files, ingest.ImportFile{Number: 3, Relation: "dbo.Contact", Table: "Contact", State: ingest.FileRefused, Code: "x", Error: "y"})
	done, err := w.Finish(t.Context(), imp.ID, imp.Attempt, ledger.Outcome{State: ingest.Rejected, Files: files})
	w.must(err)
	same(t, "numbers", []int{done.Files[0].Number, done.Files[1].Number}, []int{1, 3})
	same(t, "tables", []string{done.Files[0].Table, done.Files[1].Table}, []string{"Matter", "Contact"})
	same(t, "marks", w.query(`SELECT count(*) FROM dropline.import_databases WHERE marks IS NOT NULL`), int64(0))
}
