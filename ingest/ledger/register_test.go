package ledger_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"dropline/ingest"
)

const file = "/inbox/Matters.csv"

func TestSameBytesTwiceInOneBatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second, third := w.drop(file, "A"), w.drop(file, "A"), w.drop(file, "A")
	for _, d := range []ingest.Drop{second, third} {
		if d.State != ingest.DropDuplicate || d.DuplicateOf != first.ID {
			t.Fatalf("a drop sent again is %s of %q, want a duplicate of %s", d.State, d.DuplicateOf, first.ID)
		}
	}
	imp := w.close()
	type line struct {
		Number int
		Drop   ingest.DropID
		State  ingest.FileState
	}
	var got []line
	for _, f := range imp.Files {
		got = append(got, line{f.Number, f.Drop, f.State})
	}
	same(t, "files", got, []line{
		{1, first.ID, ingest.FileWaiting}, {0, second.ID, ingest.FileDuplicate}, {0, third.ID, ingest.FileDuplicate},
	})
	if taken := w.take(imp.ID); len(taken.Files) != 1 {
		t.Errorf("a worker is given %d files to load, want 1", len(taken.Files))
	}
}

func TestSameBytesAgainInEachState(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		reach func(w *world, id ingest.ImportID)
		want  ingest.DropState
	}{
		{"queued", func(*world, ingest.ImportID) {}, ingest.DropDuplicate},
		{"loading", func(w *world, id ingest.ImportID) { w.take(id) }, ingest.DropDuplicate},
		{"staged", func(w *world, id ingest.ImportID) { w.finish(id, ingest.Staged) }, ingest.DropDuplicate},
		{"promoted", func(w *world, id ingest.ImportID) { w.finish(id, ingest.Staged); w.promote(id) }, ingest.DropDuplicate},
		{"rejected", func(w *world, id ingest.ImportID) { w.finish(id, ingest.Rejected) }, ingest.DropPending},
		{"failed", func(w *world, id ingest.ImportID) {
			w.must(w.Fail(w.t.Context(), id, w.take(id).Attempt, "broken", ""))
		}, ingest.DropPending},
		{"cancelled", func(w *world, id ingest.ImportID) {
			_, err := w.Cancel(w.t.Context(), acme, id, "me")
			w.must(err)
		}, ingest.DropPending},
		{"rolled back", func(w *world, id ingest.ImportID) {
			w.finish(id, ingest.Staged)
			w.promote(id)
			w.rollBack(id)
		}, ingest.DropPending},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.drop(file, "A")
			imp := w.close()
			c.reach(w, imp.ID)
			again := w.drop(file, "A")
			if again.State != c.want {
				t.Fatalf("the same bytes again are %s, want %s", again.State, c.want)
			}
			files := w.imp(imp.ID).Files
			if c.want == ingest.DropDuplicate {
				if len(files) != 2 || files[1].State != ingest.FileDuplicate || files[1].Drop != again.ID {
					t.Errorf("the import does not list the duplicate: %+v", files)
				}
				return
			}
			if next := w.close(); next.ID == imp.ID || len(next.Files) != 1 || next.Files[0].Drop != again.ID {
				t.Errorf("the next import is %s with %+v", next.ID, next.Files)
			}
		})
	}
}

func TestThereAndBackIsThreeImports(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	seen := map[ingest.ImportID]bool{}
	for _, content := range []string{"A", "B", "A"} {
		if d := w.drop(file, content); d.State != ingest.DropPending {
			t.Fatalf("drop of %s is %s", content, d.State)
		}
		imp := w.close()
		seen[imp.ID] = true
		w.finish(imp.ID, ingest.Staged)
	}
	if len(seen) != 3 {
		t.Errorf("%d imports, want 3", len(seen))
	}
}

func TestOtherNameOrMappingIsNoDuplicate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.drop(file, "A")
	if d := w.drop("/inbox/Contacts.csv", "A"); d.State != ingest.DropPending {
		t.Errorf("the same bytes under another name are %s", d.State)
	}
	imp := w.close()
	w.finish(imp.ID, ingest.Staged)
	m, err := w.PutMapping(t.Context(), acme, []byte("files: []"), "me")
	w.must(err)
	again := w.drop(file, "A")
	if again.State != ingest.DropPending {
		t.Fatalf("the same bytes under another mapping are %s", again.State)
	}
	if next := w.close(); next.MappingVersion != m.Version || imp.MappingVersion != 0 {
		t.Errorf("mapping versions %d and %d, want 0 and %d", imp.MappingVersion, next.MappingVersion, m.Version)
	}
	if d := w.drop(file, "A"); d.State != ingest.DropDuplicate {
		t.Errorf("the same bytes under the same mapping are %s", d.State)
	}
}

func TestMappingChangedWhileQueued(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.drop(file, "A")
	imp := w.close()
	_, err := w.PutMapping(t.Context(), acme, []byte("files: []"), "me")
	w.must(err)
	if d := w.drop(file, "A"); d.State != ingest.DropPending {
		t.Fatalf("the same bytes under a newer mapping are %s", d.State)
	}
	if s := w.dropNow(first.ID).State; s != ingest.DropSuperseded {
		t.Errorf("the drop of the queued import is %s", s)
	}
	if s := w.state(imp.ID); s != ingest.Cancelled {
		t.Errorf("the import left without files is %s", s)
	}
	if next := w.close(); next.MappingVersion != 1 {
		t.Errorf("loaded under mapping version %d", next.MappingVersion)
	}
}

func TestSupersedeBeforeStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := w.drop(file, "A"), w.drop(file, "BB")
	if s := w.dropNow(first.ID).State; s != ingest.DropSuperseded {
		t.Fatalf("while pending: the first is %s", s)
	}
	other := w.drop("/inbox/Contacts.csv", "C")
	imp := w.close()
	third := w.drop(file, "DDDD")
	if third.State != ingest.DropImported || third.Import != imp.ID {
		t.Fatalf("while queued: the new drop is %s in %q", third.State, third.Import)
	}
	if d := w.dropNow(second.ID); d.State != ingest.DropSuperseded || d.Import != "" {
		t.Errorf("while queued: the second is %s in %q", d.State, d.Import)
	}
	imp = w.take(imp.ID)
	if len(imp.Files) != 2 || imp.Files[0].Drop != third.ID || imp.Files[0].Number != 1 || imp.Files[1].Drop != other.ID {
		t.Errorf("files: %+v", imp.Files)
	}
	same(t, "bytes", imp.BytesTotal, int64(5))

	late := w.drop(file, "EE")
	if late.State != ingest.DropPending {
		t.Errorf("while loading: the new drop is %s", late.State)
	}
	if s := w.dropNow(third.ID).State; s != ingest.DropImported {
		t.Errorf("while loading: the third is %s", s)
	}
	if next := w.close(); next.ID == imp.ID || next.Files[0].Drop != late.ID {
		t.Errorf("the late drop came into %+v", next)
	}
	if blocked, err := w.Blocked(t.Context(), w.dropNow(late.ID).Import); err != nil || !blocked {
		t.Errorf("the next import is blocked: %v, %v", blocked, err)
	}
}

func TestRegisterAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.registration(acme, file, "A")
	first, err := w.Register(t.Context(), r)
	w.must(err)
	w.must(w.Remove(t.Context(), acme, file))
	again, err := w.Register(t.Context(), r)
	w.must(err)
	first.State = ingest.DropWithdrawn
	same(t, "the same id again", again, first)
	r.Tenant = globex
	_, err = w.Register(t.Context(), r)
	w.want(err, ingest.Conflict)
	r = w.registration(acme, "/inbox/../outside", "A")
	_, err = w.Register(t.Context(), r)
	w.want(err, ingest.Invalid)
	_, err = w.Register(t.Context(), w.registration("nobody", file, "A"))
	w.want(err, ingest.NotFound)
}

func TestRegisterAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other, _ := w.open()
	const each = 25
	var all sync.WaitGroup
	for n, l := range []interface {
		Register(ctx ctx, r ingest.Registration) (ingest.Drop, error)
	}{w, other} {
		all.Go(func() {
			for i := range each {
				if _, err := l.Register(t.Context(), w.registration(acme, file, fmt.Sprint(n, i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	same(t, "pending", w.query(`SELECT count(*) FROM dropline.drops WHERE state = 'pending'`), int64(1))
	same(t, "superseded", w.query(`SELECT count(*) FROM dropline.drops WHERE state = 'superseded'`), int64(2*each-1))
	latest, err := w.LatestDrop(t.Context(), acme, file)
	w.must(err)
	entry, err := w.Stat(t.Context(), acme, file)
	w.must(err)
	if latest.State != ingest.DropPending || entry.Drop != latest.ID {
		t.Errorf("the latest is %s, the tree shows %s, and the latest is %s", latest.State, entry.Drop, latest.ID)
	}
}

func TestQuietPeriodZero(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	zero := time.Duration(0)
	_, err := w.ChangeTenant(t.Context(), acme, ingest.TenantChange{QuietPeriod: &zero})
	w.must(err)
	a, b := w.drop(file, "A"), w.drop("/inbox/Contacts.csv", "B")
	if a.State != ingest.DropImported || b.State != ingest.DropImported || a.Import == b.Import {
		t.Fatalf("drops: %+v %+v", a, b)
	}
	same(t, "jobs", w.query(`SELECT count(*) FROM dropline.river_job j JOIN dropline.imports i ON i.job_id = j.id
		WHERE j.kind = 'load' AND j.queue = 'load' AND j.max_attempts = 25 AND j.args->>'import' = i.id`), int64(2))
	made, next, err := w.CloseBatches(t.Context())
	if err != nil || len(made) != 0 || !next.IsZero() {
		t.Errorf("CloseBatches found %v, %v, %v", made, next, err)
	}
	// A disabled tenant's files wait, and nothing of them is lost.
	off, on := false, true
	_, err = w.ChangeTenant(t.Context(), acme, ingest.TenantChange{Enabled: &off})
	w.must(err)
	if d := w.drop("/inbox/Rates.csv", "C"); d.State != ingest.DropPending {
		t.Errorf("a disabled tenant's drop is %s", d.State)
	}
	made, next, err = w.CloseBatches(t.Context())
	if err != nil || len(made) != 0 || !next.IsZero() {
		t.Errorf("for a disabled tenant, CloseBatches made %v, next %v, %v", made, next, err)
	}
	_, err = w.ChangeTenant(t.Context(), acme, ingest.TenantChange{Enabled: &on})
	w.must(err)
	made, _, err = w.CloseBatches(t.Context())
	if err != nil || len(made) != 1 {
		t.Errorf("enabled again, CloseBatches made %v, %v", made, err)
	}
}

func TestParkAndLookup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	partial := w.park(ingest.EntryPartial, file, "half")
	got, err := w.Lookup(t.Context(), acme, file)
	w.must(err)
	same(t, "Lookup of a partial", got, partial)
	if names := w.names("/inbox"); len(names) != 0 {
		t.Errorf("a partial is listed: %v", names)
	}
	got, err = w.Stat(t.Context(), acme, file)
	w.must(err)
	same(t, "Stat of a partial", got, partial)

	second := w.park(ingest.EntryPartial, file, "half and more")
	got, err = w.Lookup(t.Context(), acme, file)
	w.must(err)
	same(t, "Lookup of a later partial", got, second)

	d := w.drop(file, "whole")
	got, err = w.Lookup(t.Context(), acme, file)
	w.must(err)
	if got.Kind != ingest.EntryDrop || got.Drop != d.ID || string(got.HashState) != "state of whole" {
		t.Errorf("after the drop, Lookup found %+v", got)
	}
	keys, err := w.Expire(t.Context(), 10)
	w.must(err)
	same(t, "keys to delete", set(keys), set([]string{partial.Key, second.Key}))
	known, err := w.Known(t.Context(), []string{d.Key, partial.Key, "drops/acme/unheard of"})
	w.must(err)
	same(t, "known", known, []bool{true, true, false})
}

func TestAPartialThatWasOvertakenIsRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{file, file + ".part"} {
		w := newWorld(t)
		hanging := w.registration(acme, name, "half")
		hanging.BeganAt = w.clock.Now()
		w.clock.advance(time.Second)
		whole := w.registration(acme, name, "whole")
		if ingest.TemporaryName(name) {
			_, err := w.Park(t.Context(), ingest.EntryTemporary, whole)
			w.must(err)
		} else {
			_, err := w.Register(t.Context(), whole)
			w.must(err)
		}
		_, err := w.Park(t.Context(), ingest.EntryPartial, hanging)
		w.want(err, ingest.Conflict)
		got, err := w.Lookup(t.Context(), acme, name)
		w.must(err)
		if got.Key != whole.Key {
			t.Errorf("%s: found %+v, want what came whole", name, got)
		}
		w.clock.advance(time.Second)
		next := w.registration(acme, name, "the next day's, broken off")
		next.BeganAt = w.clock.Now()
		_, err = w.Park(t.Context(), ingest.EntryPartial, next)
		w.must(err)
	}
}

func set(list []string) map[string]bool {
	m := map[string]bool{}
	for _, s := range list {
		m[s] = true
	}
	return m
}

func TestExpire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	partial := w.park(ingest.EntryPartial, "/inbox/half.csv", "half")
	old := w.park(ingest.EntryTemporary, "/inbox/x.tmp", "one")
	w.park(ingest.EntryTemporary, "/inbox/x.tmp", "two")
	first := w.drop(file, "A")
	w.drop(file, "B")
	gone := w.drop("/inbox/Gone.csv", "C")
	w.must(w.Remove(t.Context(), acme, "/inbox/Gone.csv"))

	expire := func() map[string]bool {
		keys, err := w.Expire(t.Context(), 100)
		w.must(err)
		return set(keys)
	}
	same(t, "at once", expire(), set([]string{old.Key}))
	same(t, "a second time", expire(), set(nil))
	w.clock.advance(2 * time.Hour)
	same(t, "again, in case the first caller died", expire(), set([]string{old.Key}))
	w.clock.advance(ingest.PartialLifetime)
	same(t, "after a day", expire(), set([]string{partial.Key, first.Key, gone.Key}))
	_, err := w.Stat(t.Context(), acme, "/inbox/half.csv")
	w.want(err, ingest.NotFound)
	usage, err := w.Usage(t.Context(), acme)
	w.must(err)
	same(t, "usage", usage, ingest.Usage{Bytes: int64(len("two") + len("B")), Files: 2})

	r := w.registration(acme, "/inbox/late.csv", "half")
	r.Key = partial.Key // a sweep that looked before
	_, err = w.Register(t.Context(), r)
	w.want(err, ingest.Conflict)
}

func TestOrigin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.registration(acme, file, "A")
	r.Origin = "inbox/acme/Matters.csv etag 2026"
	known, err := w.KnownOrigin(t.Context(), r.Origin)
	if err != nil || known {
		t.Fatalf("before: %v, %v", known, err)
	}
	_, err = w.Register(t.Context(), r)
	w.must(err)
	known, err = w.KnownOrigin(t.Context(), r.Origin)
	if err != nil || !known {
		t.Fatalf("after: %v, %v", known, err)
	}
}

func TestListDrops(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var want []ingest.Drop
	for i := range 5 {
		want = append([]ingest.Drop{w.drop(fmt.Sprintf("/inbox/%d.csv", i), "A")}, want...)
	}
	var got []ingest.Drop
	for before := ingest.DropID(""); ; {
		page, err := w.ListDrops(t.Context(), acme, before, 2)
		w.must(err)
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
		before = page[len(page)-1].ID
	}
	same(t, "drops", got, want)
}

// BenchmarkRegister is what each of thousands of small files waits for before its CLOSE is answered.
func BenchmarkRegister(b *testing.B) {
	w := newWorld(b)
	for i := 0; b.Loop(); i++ {
		if _, err := w.Register(b.Context(), w.registration(acme, fmt.Sprintf("/inbox/%d.csv", i), "A")); err != nil {
			b.Fatal(err)
		}
	}
}

// TestPushedAgainAfterRefusal: rows may have been refused for want of what has come since, so a file that dropline push sends
// again is loaded again. Others', and those of which all rows were staged, are duplicates.
func TestPushedAgainAfterRefusal(t *testing.T) {
	t.Parallel()
	const pushed = ingest.Inbox + "/" + ingest.PushFolder + "/Matter/dbo.Matter.1.csv.zst"
	for _, c := range []struct {
		path     string
		rejected int64
		want     ingest.DropState
	}{
		{pushed, 0, ingest.DropDuplicate},
		{pushed, 1, ingest.DropPending},
		{file, 1, ingest.DropDuplicate},
	} {
		w := newWorld(t)
		w.drop(c.path, "A")
		imp := w.close()
		w.finish(imp.ID, ingest.Staged)
		if _, err := w.pool.Exec(t.Context(), `UPDATE dropline.import_files SET rejected = $1`, c.rejected); err != nil {
			t.Fatal(err)
		}
		if d := w.drop(c.path, "A"); d.State != c.want {
			t.Errorf("%s with %d refused rows, sent again, is %s, want %s", c.path, c.rejected, d.State, c.want)
		}
		if d := w.drop(c.path, "A"); d.State != ingest.DropDuplicate {
			t.Errorf("%s, sent twice more, is %s", c.path, d.State)
		}
	}
}
