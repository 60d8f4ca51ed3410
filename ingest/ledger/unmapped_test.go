package ledger_test

import (
	"slices"
	"strings"
	"testing"

	"dropline/ingest"
	"dropline/ingest/ledger"
)

// unmapped takes a queued import to unmapped, with a proposal that is adopted if it is given.
func (w *world) unmapped(id ingest.ImportID, adopt []byte) ingest.Import {
	w.t.Helper()
	imp := w.take(id)
	imp.Files[0].State, imp.Files[0].Code, imp.Files[0].Error = ingest.FileRefused, ingest.CodeUnknownTable, "names no table"
	imp, err := w.RecordUnmapped(w.t.Context(), id, imp.Attempt, ledger.Unmapped{
		Files: imp.Files, Error: "1 file waits for a mapping", Hint: "store one", Adopt: adopt,
		Reports: []ledger.Report{{Name: ledger.ProposalReport, Key: "reports/" + string(id) + "/proposal.yaml", Size: 7}},
	})
	w.must(err)
	return imp
}

// jobs counts the load jobs of an import that are still to be done.
func (w *world) jobs(id ingest.ImportID) any {
	w.t.Helper()
	return w.query(`SELECT count(*) FROM dropline.river_job WHERE kind = 'load' AND args->>'import' = '` + string(id) + `'`)
}

func TestUnmappedWaitsForAMapping(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.drop("/inbox/Kunden.csv", "A")
	imp := w.unmapped(w.close().ID, nil)
	if imp.State != ingest.Unmapped || imp.Error != "1 file waits for a mapping" || imp.Hint != "store one" || imp.FinishedAt == nil {
		t.Fatalf("unmapped: %+v", imp)
	}
	same(t, "reports", w.names(ingest.Reports), []string{ingest.StemOf(imp) + ".proposal.yaml"})
	same(t, "the inbox", w.names(ingest.Inbox), []string{"Kunden.csv"})
	if d := w.drop("/inbox/Kunden.csv", "A"); d.State != ingest.DropDuplicate || d.DuplicateOf != first.ID {
		t.Errorf("the same bytes again are %s", d.State)
	}
	if n, err := w.Reclaim(t.Context()); err != nil || n != 0 {
		t.Errorf("%d unmapped imports were given a job, %v", n, err)
	}
	w.clock.advance(365 * 24 * 3600e9)
	if keys, err := w.Expire(t.Context(), 100); err != nil || len(keys) != 0 {
		t.Errorf("its objects expire: %v, %v", keys, err)
	}

	// A second one waits behind it, and a newer one that needs no mapping is kept back by neither.
	w.drop("/inbox/Kunden2.csv", "B")
	second := w.unmapped(w.close().ID, nil)
	w.drop(file, "C")
	third := w.finish(w.close().ID, ingest.Staged)
	if blocked, err := w.Blocked(t.Context(), third.ID); err != nil || blocked {
		t.Errorf("blocked: %v, %v", blocked, err)
	}
	_, err := w.RequestPromotion(t.Context(), acme, third.ID, "me", "") // the older rows must not come after these
	w.want(err, ingest.Conflict)
	if !strings.Contains(ingest.MessageOf(err), string(imp.ID)+" is in the way: it is unmapped") {
		t.Errorf("the refusal: %v", err)
	}

	before := []any{w.jobs(imp.ID), w.jobs(second.ID)}
	m, err := w.PutMapping(t.Context(), acme, []byte("files: []"), "me")
	w.must(err)
	for i, id := range []ingest.ImportID{imp.ID, second.ID} {
		now := w.imp(id)
		if now.State != ingest.Queued || now.MappingVersion != m.Version || now.Error != "" || now.FinishedAt != nil {
			t.Errorf("once there is a mapping: %+v", now)
		}
		if w.jobs(id) == before[i] {
			t.Errorf("import %d was given no job", i+1)
		}
	}
	if blocked, err := w.Blocked(t.Context(), second.ID); err != nil || !blocked {
		t.Errorf("the second does not wait for the first: %v, %v", blocked, err)
	}
	same(t, "the third", w.state(third.ID), ingest.Staged)
	w.finish(imp.ID, ingest.Staged)
	same(t, "the inbox afterwards", w.names(ingest.Inbox), []string{"Kunden2.csv"})
	_, err = w.Cancel(t.Context(), acme, second.ID, "me")
	w.must(err)
	w.promote(imp.ID)
	w.promote(third.ID)
}

func TestProposalIsAdopted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.drop("/inbox/Kunden.csv", "A")
	waiting := w.unmapped(w.close().ID, nil)
	w.drop("/inbox/Kunden2.csv", "B")
	imp := w.unmapped(w.close().ID, []byte("files: []"))
	if imp.State != ingest.Queued || imp.MappingVersion != 1 {
		t.Fatalf("adopted: %s under version %d", imp.State, imp.MappingVersion)
	}
	same(t, "the one that waited", w.state(waiting.ID), ingest.Queued)
	m, err := w.Mapping(t.Context(), acme, ingest.LatestVersion)
	w.must(err)
	if m.Version != 1 || string(m.YAML) != "files: []" || m.CreatedBy != "proposal for "+string(imp.ID) {
		t.Errorf("the mapping: %+v", m)
	}
}

// TestMappingStoredMeanwhile: a mapping that was stored while the proposal was made has precedence.
func TestMappingStoredMeanwhile(t *testing.T) {
	t.Parallel()
	for _, adopt := range [][]byte{nil, []byte("files: [proposed]")} {
		w := newWorld(t)
		w.drop("/inbox/Kunden.csv", "A")
		queued := w.close()
		_, err := w.PutMapping(t.Context(), acme, []byte("files: []"), "me")
		w.must(err)
		imp := w.unmapped(queued.ID, adopt)
		if imp.State != ingest.Queued || imp.MappingVersion != 1 {
			t.Errorf("%s under version %d", imp.State, imp.MappingVersion)
		}
		list, err := w.ListMappings(t.Context(), acme)
		w.must(err)
		same(t, "mappings", len(list), 1)
	}
}

func TestFileOfAnUnmappedImportIsRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.drop("/inbox/README.csv", "A")
	w.drop("/inbox/Kunden.csv", "B")
	imp := w.unmapped(w.close().ID, nil)
	w.must(w.Remove(t.Context(), acme, "/inbox/README.csv"))
	now := w.imp(imp.ID)
	if now.State != ingest.Unmapped || len(now.Files) != 1 || now.BytesTotal != 1 {
		t.Errorf("one removed: %+v", now)
	}
	// Under a name that says what it is, it can be taken up again; other bytes at its path are an import of their own.
	w.must(w.Rename(t.Context(), acme, "/inbox/Kunden.csv", "/inbox/Contacts.csv", false))
	if d := w.drop("/inbox/Contacts.csv", "CC"); d.State != ingest.DropPending {
		t.Errorf("other bytes are %s", d.State)
	}
	w.must(w.Remove(t.Context(), acme, "/inbox/Contacts.csv"))
	_, err := w.Retry(t.Context(), acme, imp.ID, "me")
	w.must(err)
	if now = w.unmapped(imp.ID, nil); now.Files[0].Path != "/inbox/Contacts.csv" {
		t.Errorf("renamed: %+v", now.Files)
	}

	w.drop("/inbox/Last.csv", "D")
	last := w.unmapped(w.close().ID, nil)
	w.must(w.Remove(t.Context(), acme, "/inbox/Last.csv"))
	same(t, "state", w.state(last.ID), ingest.Cancelled)
}

// TestRerunFromEveryState: the new import has the files, the old one stays, and only one that would be in the way is cancelled.
func TestRerunFromEveryState(t *testing.T) {
	t.Parallel()
	end := map[ingest.State]ingest.State{
		ingest.Unmapped: ingest.Cancelled, ingest.Staged: ingest.Cancelled, ingest.Rejected: ingest.Rejected, ingest.Promoted: ingest.Promoted,
		ingest.RolledBack: ingest.RolledBack, ingest.Failed: ingest.Failed, ingest.Cancelled: ingest.Cancelled,
	}
	for _, state := range ingest.States() {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			old := w.reach(state)
			next, err := w.Rerun(t.Context(), acme, old.ID, ingest.LatestVersion, "me")
			if _, may := end[state]; !may {
				w.want(err, ingest.Conflict)
				same(t, "the import", w.state(old.ID), state)
				return
			}
			w.must(err)
			if next.State != ingest.Queued || next.RerunOf != old.ID || next.Seq <= old.Seq || next.BytesTotal != 1 || len(next.Files) != 1 ||
				next.Files[0].Drop != old.Files[0].Drop || next.Files[0].State != ingest.FileWaiting {
				t.Errorf("the new import: %+v", next)
			}
			now := w.imp(old.ID)
			if now.State != end[state] || now.RerunAs != next.ID || len(now.Files) != 1 {
				t.Errorf("the old import: %+v", now)
			}
			same(t, "jobs", w.jobs(next.ID), any(int64(1)))
			_, err = w.Rerun(t.Context(), acme, old.ID, ingest.LatestVersion, "me")
			w.want(err, ingest.Conflict)
			if state == ingest.Failed || state == ingest.Cancelled {
				_, err = w.Retry(t.Context(), acme, old.ID, "me")
				w.want(err, ingest.Conflict)
			}
		})
	}
}

func TestRerunUnderAMapping(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.drop(file, "A")
	old := w.finish(w.close().ID, ingest.Rejected)
	_, err := w.PutMapping(t.Context(), acme, []byte("files: []"), "me")
	w.must(err)
	_, err = w.PutMapping(t.Context(), acme, []byte("files: [] #"), "me")
	w.must(err)
	_, err = w.Rerun(t.Context(), acme, old.ID, 3, "me")
	w.want(err, ingest.NotFound)
	_, err = w.Rerun(t.Context(), globex, old.ID, ingest.LatestVersion, "me")
	w.want(err, ingest.NotFound)
	first, err := w.Rerun(t.Context(), acme, old.ID, 1, "me")
	w.must(err)
	same(t, "version", first.MappingVersion, 1)
	w.finish(first.ID, ingest.Rejected)
	if d := w.drop(file, "A"); d.State != ingest.DropPending {
		t.Errorf("the same bytes under a newer mapping are %s", d.State)
	}
	w.must(w.Remove(t.Context(), acme, file))
	second, err := w.Rerun(t.Context(), acme, first.ID, ingest.LatestVersion, "me")
	w.must(err)
	same(t, "version", second.MappingVersion, 2)
}

// TestRerunKeepsTheArchive: the old import's files stay where they are, whatever becomes of the new one.
func TestRerunKeepsTheArchive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.drop(file, "A")
	old := w.finish(w.close().ID, ingest.Staged)
	w.promote(old.ID)
	next, err := w.Rerun(t.Context(), acme, old.ID, ingest.LatestVersion, "me")
	w.must(err)
	if d := w.drop(file, "A"); d.State != ingest.DropDuplicate || d.DuplicateOf != first.ID {
		t.Errorf("the same bytes again are %s", d.State)
	}
	newer := w.drop(file, "BB") // does not take the place of what is the old import's as well
	same(t, "the newer drop", newer.State, ingest.DropPending)
	same(t, "the first drop", w.dropNow(first.ID).State, ingest.DropImported)
	same(t, "its import", w.dropNow(first.ID).Import, next.ID)

	name := "/Matters.csv"
	in := func(imp ingest.Import) bool {
		e, err := w.Stat(t.Context(), acme, ingest.Archive+"/"+ingest.StemOf(imp)+name)
		return err == nil && e.Key == first.Key
	}
	w.clock.advance(1e9)
	next = w.finish(next.ID, ingest.Staged)
	if !in(old) || !in(next) {
		t.Errorf("in the archive: under the old stem %v, under the new %v", in(old), in(next))
	}
	if _, err := w.Stat(t.Context(), acme, file); err != nil {
		t.Errorf("the newer file is gone from the inbox: %v", err)
	}
	_, err = w.Cancel(t.Context(), acme, next.ID, "me")
	w.must(err)
	_, err = w.Retry(t.Context(), acme, next.ID, "me")
	w.must(err)
	if !in(old) || in(next) {
		t.Errorf("retried: under the old stem %v, under the new %v", in(old), in(next))
	}
	w.drop(file, "CCC")
	w.clock.advance(365 * 24 * 3600e9)
	keys, err := w.Expire(t.Context(), 100)
	w.must(err)
	if slices.Contains(keys, first.Key) {
		t.Error("an object in the archive expires")
	}
}
