package ledger_test

import (
	"strings"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/ingest/ledger"
)

func TestFixedFolders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list, err := w.List(t.Context(), acme, "/", "", 10)
	w.must(err)
	var names []string
	for _, e := range list {
		names = append(names, e.Path+" "+string(e.Kind))
	}
	same(t, "root", names, []string{"/archive dir", "/inbox dir", "/reports dir"})
	for _, path := range []string{"/", "/inbox", "/archive", "/reports"} {
		if e, err := w.Stat(t.Context(), acme, path); err != nil || e.Kind != ingest.EntryDir {
			t.Errorf("Stat(%s): %+v, %v", path, e, err)
		}
		if err := w.Remove(t.Context(), acme, path); ingest.KindOf(err) != ingest.Denied {
			t.Errorf("Remove(%s): %v", path, err)
		}
		if err := w.Rmdir(t.Context(), acme, path); ingest.KindOf(err) != ingest.Denied {
			t.Errorf("Rmdir(%s): %v", path, err)
		}
		if err := w.Mkdir(t.Context(), acme, path); ingest.KindOf(err) != ingest.Conflict {
			t.Errorf("Mkdir(%s): %v", path, err)
		}
	}
	w.want(w.Mkdir(t.Context(), acme, "/archive/mine"), ingest.Denied)
	_, err = w.Stat(t.Context(), "nobody", "/inbox")
	w.want(err, ingest.NotFound)
}

func TestFolders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want(w.Mkdir(t.Context(), acme, "/inbox/a/b"), ingest.NotFound)
	w.must(w.Mkdir(t.Context(), acme, "/inbox/a"))
	w.want(w.Mkdir(t.Context(), acme, "/inbox/a"), ingest.Conflict)
	w.must(w.Mkdir(t.Context(), acme, "/inbox/a/b"))
	w.want(w.Rmdir(t.Context(), acme, "/inbox/a"), ingest.Conflict)
	w.drop("/inbox/a/b/X.csv", "X")
	w.want(w.Rmdir(t.Context(), acme, "/inbox/a/b"), ingest.Conflict)
	w.want(w.Rmdir(t.Context(), acme, "/inbox/a/b/X.csv"), ingest.Conflict)
	w.want(w.Rmdir(t.Context(), acme, "/inbox/none"), ingest.NotFound)
	w.want(w.Remove(t.Context(), acme, "/inbox/a"), ingest.Conflict)
	w.must(w.Remove(t.Context(), acme, "/inbox/a/b/X.csv"))
	w.park(ingest.EntryPartial, "/inbox/a/b/Half.csv", "half") // hidden, so the folder looks empty
	w.must(w.Rmdir(t.Context(), acme, "/inbox/a/b"))
	_, err := w.Lookup(t.Context(), acme, "/inbox/a/b/Half.csv")
	w.want(err, ingest.NotFound)
	w.must(w.Rmdir(t.Context(), acme, "/inbox/a"))
	same(t, "inbox", w.names("/inbox"), []string{})

	w.drop("/inbox/x/y/Z.csv", "Z") // straight into the bucket or over HTTP, nobody makes the folders first
	same(t, "made on the way", w.names("/inbox/x"), []string{"y"})
	_, err = w.Register(t.Context(), w.registration(acme, "/inbox/x", "Z"))
	w.want(err, ingest.Conflict)
	_, err = w.Register(t.Context(), w.registration(acme, "/inbox/x/y/Z.csv/W.csv", "Z"))
	w.want(err, ingest.Conflict)
}

func TestListInPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want := []string{"A.csv", "Z.csv", "_.csv", "a.csv", "é.csv"} // byte by byte, whatever the locale
	for _, name := range []string{"a.csv", "é.csv", "_.csv", "Z.csv", "A.csv"} {
		w.drop("/inbox/"+name, name)
	}
	var got []string
	for after := ""; ; {
		page, err := w.List(t.Context(), acme, "/inbox", after, 2)
		w.must(err)
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			got = append(got, strings.TrimPrefix(e.Path, "/inbox/"))
		}
		after = got[len(got)-1]
	}
	same(t, "names", got, want)
	_, err := w.List(t.Context(), acme, "/inbox/a.csv", "", 2)
	w.want(err, ingest.NotFound)
	_, err = w.List(t.Context(), acme, "/inbox/none", "", 2)
	w.want(err, ingest.NotFound)
}

func TestWithdraw(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.drop(file, "A")
	w.must(w.Remove(t.Context(), acme, file))
	if s := w.dropNow(a.ID).State; s != ingest.DropWithdrawn {
		t.Errorf("pending, then removed: %s", s)
	}
	w.want(w.Remove(t.Context(), acme, file), ingest.NotFound)

	b, c := w.drop(file, "B"), w.drop("/inbox/Contacts.csv", "C")
	imp := w.close()
	w.must(w.Remove(t.Context(), acme, file))
	if s := w.dropNow(b.ID).State; s != ingest.DropWithdrawn {
		t.Errorf("queued, then removed: %s", s)
	}
	imp = w.imp(imp.ID)
	if imp.State != ingest.Queued || len(imp.Files) != 1 || imp.Files[0].Drop != c.ID || imp.BytesTotal != 1 {
		t.Errorf("the import is %s with %+v", imp.State, imp.Files)
	}
	w.must(w.Remove(t.Context(), acme, "/inbox/Contacts.csv"))
	if s := w.state(imp.ID); s != ingest.Cancelled {
		t.Errorf("left without files, the import is %s", s)
	}
	_, err := w.Retry(t.Context(), acme, imp.ID, "me")
	w.want(err, ingest.Conflict)

	w.drop(file, "D")
	imp = w.close()
	taken := w.take(imp.ID)
	w.want(w.Remove(t.Context(), acme, file), ingest.Denied)
	w.want(w.Rename(t.Context(), acme, file, "/inbox/Other.csv", true), ingest.Denied)
	w.must(w.Fail(t.Context(), imp.ID, taken.Attempt, "broken", ""))
	w.must(w.Remove(t.Context(), acme, file)) // out of sight
	_, err = w.Retry(t.Context(), acme, imp.ID, "me")
	w.must(err) // and still there to be loaded
	if imp := w.finish(imp.ID, ingest.Staged); len(imp.Files) != 1 {
		t.Errorf("the retried import has %+v", imp.Files)
	}
}

func TestRenameTemporary(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	parked := w.park(ingest.EntryTemporary, file+".filepart", "A")
	same(t, "inbox", w.names("/inbox"), []string{"Matters.csv.filepart"})
	_, next, err := w.CloseBatches(t.Context())
	if err != nil || !next.IsZero() {
		t.Errorf("a temporary file is pending: %v, %v", next, err)
	}
	w.must(w.Rename(t.Context(), acme, file+".filepart", "/inbox/y.tmp", false))
	w.must(w.Rename(t.Context(), acme, "/inbox/y.tmp", file, false))
	entry, err := w.Stat(t.Context(), acme, file)
	w.must(err)
	d := w.dropNow(entry.Drop)
	if d.State != ingest.DropPending || d.Key != parked.Key || d.SHA256 != parked.SHA256 || d.Via != ingest.ViaSFTP ||
		d.By != "key of acme" || string(entry.HashState) != "state of A" {
		t.Errorf("the drop: %+v", d)
	}
	// The same bytes again, by the same way: a duplicate, and the temporary name is gone.
	w.park(ingest.EntryTemporary, file+".filepart", "A")
	w.want(w.Rename(t.Context(), acme, file+".filepart", file, false), ingest.Conflict)
	w.must(w.Rename(t.Context(), acme, file+".filepart", file, true))
	same(t, "inbox", w.names("/inbox"), []string{"Matters.csv"})
	latest, err := w.LatestDrop(t.Context(), acme, file)
	w.must(err)
	if latest.State != ingest.DropDuplicate || latest.DuplicateOf != d.ID {
		t.Errorf("renamed again: %+v", latest)
	}
	usage, err := w.Usage(t.Context(), acme)
	w.must(err)
	same(t, "usage", usage, ingest.Usage{Bytes: 2, Files: 2})
}

func TestRenameTemporaryWithoutQuietPeriod(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	zero := time.Duration(0)
	_, err := w.ChangeTenant(t.Context(), acme, ingest.TenantChange{QuietPeriod: &zero})
	w.must(err)
	w.park(ingest.EntryTemporary, "/inbox/.in.Matters.csv.", "A")
	w.must(w.Rename(t.Context(), acme, "/inbox/.in.Matters.csv.", file, false))
	d, err := w.LatestDrop(t.Context(), acme, file)
	w.must(err)
	if d.State != ingest.DropImported {
		t.Fatalf("the drop is %s", d.State)
	}
	same(t, "jobs", w.query(`SELECT count(*) FROM dropline.river_job WHERE args->>'import' = $1`, d.Import), int64(1))
}

func TestRenameDrop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.drop("/inbox/A.csv", "A"), w.drop("/inbox/B.csv", "B")
	w.want(w.Rename(t.Context(), acme, "/inbox/A.csv", "/inbox/B.csv", false), ingest.Conflict)
	w.want(w.Rename(t.Context(), acme, "/inbox/A.csv", "/inbox/none/A.csv", false), ingest.NotFound)
	w.want(w.Rename(t.Context(), acme, "/inbox/none", "/inbox/C.csv", false), ingest.NotFound)
	w.want(w.Rename(t.Context(), acme, "/inbox/A.csv", "/archive/A.csv", false), ingest.Denied)
	w.must(w.Rename(t.Context(), acme, "/inbox/A.csv", "/inbox/A.csv", false))
	w.must(w.Rename(t.Context(), acme, "/inbox/A.csv", "/inbox/B.csv", true))
	same(t, "inbox", w.names("/inbox"), []string{"B.csv"})
	if s := w.dropNow(b.ID).State; s != ingest.DropSuperseded {
		t.Errorf("the one replaced is %s", s)
	}
	same(t, "path", w.dropNow(a.ID).Path, "/inbox/B.csv")

	// A queued one is renamed in its import; given a temporary name, it no longer counts.
	imp := w.close()
	w.must(w.Rename(t.Context(), acme, "/inbox/B.csv", "/inbox/C.csv", false))
	same(t, "file", w.imp(imp.ID).Files[0].Path, "/inbox/C.csv")
	before, err := w.Usage(t.Context(), acme)
	w.must(err)
	w.must(w.Rename(t.Context(), acme, "/inbox/C.csv", "/inbox/C.csv.part", false))
	if s := w.state(imp.ID); s != ingest.Cancelled {
		t.Errorf("the import is %s", s)
	}
	w.clock.advance(48 * time.Hour)
	keys, err := w.Expire(t.Context(), 10)
	w.must(err)
	same(t, "keys to delete", keys, []string{b.Key})
	w.must(w.Rename(t.Context(), acme, "/inbox/C.csv.part", "/inbox/D.csv", false))
	after, err := w.Usage(t.Context(), acme)
	w.must(err)
	same(t, "usage", after, ingest.Usage{Bytes: before.Bytes - b.Size, Files: before.Files - 1})
	if imp := w.close(); imp.Files[0].Path != "/inbox/D.csv" || imp.Files[0].Key != a.Key {
		t.Errorf("loaded: %+v", imp.Files)
	}
}

func TestRenamePartialIsDenied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.park(ingest.EntryPartial, file+".part", "half")
	w.want(w.Rename(t.Context(), acme, file+".part", file, true), ingest.Denied)
	w.must(w.Remove(t.Context(), acme, file+".part"))
	_, err := w.Stat(t.Context(), acme, file+".part")
	w.want(err, ingest.NotFound)
}

func TestRenameFolder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.drop("/inbox/day/A.csv", "A"), w.drop("/inbox/day/deep/B.csv", "B")
	w.drop("/inbox/day0/C.csv", "C") // shares the name's beginning, and is elsewhere
	w.park(ingest.EntryPartial, "/inbox/day/deep/half.csv", "half")
	w.want(w.Rename(t.Context(), acme, "/inbox/day", "/inbox/day/deep/x", false), ingest.Invalid)
	w.want(w.Rename(t.Context(), acme, "/inbox/day", "/inbox/day0", true), ingest.Conflict)
	w.want(w.Rename(t.Context(), acme, "/inbox/day", "/inbox/"+strings.Repeat("n", 255)+"/x", false), ingest.NotFound)
	w.must(w.Rename(t.Context(), acme, "/inbox/day", "/inbox/monday", false))
	same(t, "inbox", w.names("/inbox"), []string{"day0", "monday"})
	same(t, "day0", w.names("/inbox/day0"), []string{"C.csv"})
	same(t, "paths", []string{w.dropNow(a.ID).Path, w.dropNow(b.ID).Path},
		[]string{"/inbox/monday/A.csv", "/inbox/monday/deep/B.csv"})
	_, err := w.Lookup(t.Context(), acme, "/inbox/monday/deep/half.csv")
	w.must(err)
	w.take(w.close().ID)
	w.want(w.Rename(t.Context(), acme, "/inbox/monday", "/inbox/tuesday", false), ingest.Denied)
}

// TestRetriedImportLeavesTheArchive: a staged import that was given up is to be loaded again, and a newer file may take the place
// of its own until then. The archive then has that one, not one whose object has gone.
func TestRetriedImportLeavesTheArchive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	imp := w.reach(ingest.Staged)
	path := imp.Files[0].Path
	folder := "/archive/" + ingest.StemOf(imp)
	same(t, "archived", len(w.names(folder)), 1)
	_, err := w.Cancel(t.Context(), acme, imp.ID, "me")
	w.must(err)
	same(t, "given up", len(w.names(folder)), 1)
	_, err = w.Retry(t.Context(), acme, imp.ID, "me")
	w.must(err)
	same(t, "to be loaded again", len(w.names(folder)), 0)
	newer := w.drop(path, "newer")
	same(t, "the import of the newer", newer.Import, imp.ID)
	w.take(imp.ID)
	w.finish(imp.ID, ingest.Staged)
	e, err := w.Stat(t.Context(), acme, folder+path[len("/inbox"):])
	w.must(err)
	same(t, "archived again", e.Drop, newer.ID)
}

func TestArchiveAndReports(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.drop("/inbox/daily/Matters.csv", "A")
	stamp := time.Date(2020, 2, 29, 1, 2, 3, 0, time.UTC)
	w.must(w.SetModTime(t.Context(), acme, "/inbox/daily/Matters.csv", stamp))
	imp := w.take(w.close().ID)
	newer := w.drop("/inbox/daily/Matters.csv", "B") // while it is being loaded
	w.must(w.StartValidating(t.Context(), imp.ID, imp.Attempt))
	_, err := w.Finish(t.Context(), imp.ID, imp.Attempt, ledger.Outcome{
		State: ingest.Rejected, Rejected: 1,
		Reports: []ledger.Report{
			{Name: ledger.RejectsReport, Key: "reports/1", Size: 10}, {Name: ledger.ReceiptReport, Key: "reports/2", Size: 20},
		},
	})
	w.must(err)
	stem := ingest.StemOf(imp)
	same(t, "archive", w.names("/archive/"+stem), []string{"daily"})
	same(t, "archived", w.names("/archive/"+stem+"/daily"), []string{"Matters.csv"})
	same(t, "reports", w.names("/reports"), []string{stem + ".receipt.json", stem + ".rejects.csv"})
	e, err := w.Stat(t.Context(), acme, "/archive/"+stem+"/daily/Matters.csv")
	w.must(err)
	if e.Kind != ingest.EntryDrop || e.Drop != imp.Files[0].Drop || !e.ModTime.Equal(stamp) || e.SHA256 != imp.Files[0].SHA256 {
		t.Errorf("archived: %+v", e)
	}
	e, err = w.Stat(t.Context(), acme, "/inbox/daily/Matters.csv")
	w.must(err)
	same(t, "the newer drop stays in the inbox", e.Drop, newer.ID)
	for _, path := range []string{"/archive/" + stem + "/daily/Matters.csv", "/reports/" + stem + ".rejects.csv"} {
		w.want(w.Remove(t.Context(), acme, path), ingest.Denied)
		w.want(w.Rename(t.Context(), acme, path, "/inbox/again.csv", true), ingest.Denied)
	}

	// Without rejects there is no rejects file.
	clean := w.take(w.close().ID)
	w.must(w.StartValidating(t.Context(), clean.ID, clean.Attempt))
	_, err = w.Finish(t.Context(), clean.ID, clean.Attempt, ledger.Outcome{
		State: ingest.Staged, Reports: []ledger.Report{{Name: ledger.RejectsReport, Key: "reports/3"}},
	})
	w.must(err)
	if names := w.names("/reports"); len(names) != 2 {
		t.Errorf("reports: %v", names)
	}
}

func TestArchivedFileIsStillFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.drop(file, "A")
	imp := w.finish(w.close().ID, ingest.Staged)
	same(t, "inbox", w.names("/inbox"), []string{})
	e, err := w.Stat(t.Context(), acme, file)
	w.must(err)
	if e.Path != file || e.Kind != ingest.EntryDrop || e.Drop != d.ID || e.Key != d.Key || e.Size != d.Size {
		t.Errorf("just archived: %+v", e)
	}
	stamp := time.Date(2020, 2, 29, 1, 2, 3, 0, time.UTC)
	w.must(w.SetModTime(t.Context(), acme, file, stamp)) // as rclone does after it has closed the file
	for _, path := range []string{file, "/archive/" + ingest.StemOf(imp) + "/Matters.csv"} {
		e, err := w.Stat(t.Context(), acme, path)
		w.must(err)
		if !e.ModTime.Equal(stamp) {
			t.Errorf("%s has time %v", path, e.ModTime)
		}
	}
	w.want(w.Remove(t.Context(), acme, file), ingest.NotFound) // as lftp does before it sends the file again

	w.clock.advance(9 * time.Minute)
	dup := w.drop(file, "A") // and one that is recognised is found as well
	same(t, "inbox", w.names("/inbox"), []string{})
	e, err = w.Stat(t.Context(), acme, file)
	w.must(err)
	same(t, "the duplicate", e.Drop, dup.ID)
	w.clock.advance(11 * time.Minute)
	_, err = w.Stat(t.Context(), acme, file)
	w.want(err, ingest.NotFound)
	w.want(w.SetModTime(t.Context(), acme, file, stamp), ingest.NotFound)
	w.must(w.Mkdir(t.Context(), acme, file))
}
