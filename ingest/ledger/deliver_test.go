package ledger_test

import (
	"strings"
	"testing"

	"dropline/ingest"
)

const nightly ingest.BatchID = "nightly_1"

// hold has a file of acme's wait for a batch.
func (w *world) hold(batch ingest.BatchID, path, content string) {
	w.t.Helper()
	w.park(ingest.EntryTemporary, batch.Held(path), content)
}

func (w *world) heldNames(tenant ingest.TenantID, batch ingest.BatchID) []string {
	w.t.Helper()
	held, err := w.ListHeld(w.t.Context(), tenant, batch)
	w.must(err)
	out := []string{}
	for _, e := range held {
		final, ok := batch.Final(e.Path)
		if !ok {
			w.t.Errorf("%s does not wait for the batch", e.Path)
		}
		out = append(out, final)
	}
	return out
}

// TestDeliverMakesOneImport: of all that waits for the batch and of nothing else, whatever the tenant's quiet period, which is
// the same after as before.
func TestDeliverMakesOneImport(t *testing.T) {
	t.Parallel()
	for _, quiet := range []int64{0, 10_000_000_000} {
		w := newWorld(t)
		if _, err := w.pool.Exec(t.Context(), `UPDATE dropline.tenants SET quiet_period = $1`, quiet); err != nil {
			t.Fatal(err)
		}
		w.hold(nightly, "/inbox/b/Matters.csv", "M")
		w.hold(nightly, "/inbox/a/Contacts.csv", "C")
		w.hold("nightly_11", "/inbox/a/Others.csv", "O")
		w.hold("tly_1", "/inbox/a/Suffix.csv", "S")
		same(t, "held", w.heldNames(acme, nightly), []string{"/inbox/a/Contacts.csv", "/inbox/b/Matters.csv"})
		same(t, "held of another tenant", w.heldNames(globex, nightly), []string{})

		done, err := w.Deliver(t.Context(), acme, nightly, 2)
		w.must(err)
		imp, err := w.Import(t.Context(), acme, done.Import)
		w.must(err)
		same(t, "files", len(imp.Files), 2)
		same(t, "state", imp.State, ingest.Queued)
		same(t, "bytes", imp.BytesTotal, int64(2))
		for _, d := range done.Drops {
			same(t, "drop", d.State, ingest.DropImported)
			same(t, "its import", d.Import, done.Import)
			if ingest.TemporaryName(d.Path) {
				t.Errorf("a drop is called %s", d.Path)
			}
		}
		same(t, "imports", w.query(`SELECT count(*) FROM dropline.imports`), int64(1))
		same(t, "jobs", w.query(`SELECT count(*) FROM river_job WHERE kind = $1`, ingest.LoadArgs{}.Kind()), int64(1))
		same(t, "quiet period", w.query(`SELECT quiet_period FROM dropline.tenants WHERE id = 'acme'`), quiet)
		same(t, "held after", w.heldNames(acme, nightly), []string{})
		same(t, "held of others", w.heldNames(acme, "nightly_11"), []string{"/inbox/a/Others.csv"})
		made, _, err := w.CloseBatches(t.Context())
		w.must(err)
		same(t, "imports made by the quiet period", len(made), 0)

		// The same bytes again are nothing new, and of two files of which one is, that one is imported.
		w.hold(nightly, "/inbox/b/Matters.csv", "M")
		again, err := w.Deliver(t.Context(), acme, nightly, 1)
		w.must(err)
		same(t, "import of a duplicate", again.Import, "")
		same(t, "state of a duplicate", again.Drops[0].State, ingest.DropDuplicate)
	}
}

// TestDeliverRefuses: what is not as the sender believes is left as it is.
func TestDeliverRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want(only(w.Deliver(t.Context(), acme, nightly, 0)), ingest.Conflict)
	w.hold(nightly, "/inbox/Matters.csv", "M")
	w.hold(nightly, "/inbox/Contacts.csv", "C")
	for _, files := range []int{0, 1, 3, -1} {
		w.want(only(w.Deliver(t.Context(), acme, nightly, files)), ingest.Conflict)
	}
	w.want(only(w.Deliver(t.Context(), globex, nightly, 2)), ingest.Conflict)
	for _, bad := range []ingest.BatchID{"", "a/b", "%", "a.b", ingest.BatchID(strings.Repeat("x", 65))} {
		w.want(only(w.Deliver(t.Context(), acme, bad, 1)), ingest.Invalid)
		w.want(only(w.ListHeld(t.Context(), acme, bad)), ingest.Invalid)
		w.want(only(w.Discard(t.Context(), acme, bad)), ingest.Invalid)
	}
	enabled := false
	if _, err := w.ChangeTenant(t.Context(), acme, ingest.TenantChange{Enabled: &enabled}); err != nil {
		t.Fatal(err)
	}
	w.want(only(w.Deliver(t.Context(), acme, nightly, 2)), ingest.Denied)
	same(t, "held", len(w.heldNames(acme, nightly)), 2)
	same(t, "imports", w.query(`SELECT count(*) FROM dropline.imports`), int64(0))
	same(t, "quiet period", w.query(`SELECT quiet_period FROM dropline.tenants WHERE id = 'acme'`), int64(10_000_000_000))
}

// TestDeliverTakesThePlaceOfWhatWaits: a file that is sent again before its import has begun takes its place, in that import.
func TestDeliverTakesThePlaceOfWhatWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hold(nightly, "/inbox/Matters.csv", "old")
	first, err := w.Deliver(t.Context(), acme, nightly, 1)
	w.must(err)
	w.hold(nightly, "/inbox/Matters.csv", "new")
	second, err := w.Deliver(t.Context(), acme, nightly, 1)
	w.must(err)
	if second.Import == "" {
		t.Fatalf("what was sent again is in no import: %+v", second)
	}
	imp, err := w.Import(t.Context(), acme, second.Import)
	w.must(err)
	if len(imp.Files) != 1 || imp.Files[0].Drop != second.Drops[0].ID {
		t.Errorf("the import has %+v", imp.Files)
	}
	old, err := w.Drop(t.Context(), acme, first.Drops[0].ID)
	w.must(err)
	same(t, "the old one", old.State, ingest.DropSuperseded)
}

// TestDiscard removes what waits for a batch, and gives its room back.
func TestDiscard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before, err := w.Usage(t.Context(), acme)
	w.must(err)
	w.hold(nightly, "/inbox/Matters.csv", "M")
	w.hold("other", "/inbox/Contacts.csv", "C")
	n, err := w.Discard(t.Context(), acme, nightly)
	w.must(err)
	same(t, "discarded", n, 1)
	same(t, "held", w.heldNames(acme, nightly), []string{})
	same(t, "held of another batch", w.heldNames(acme, "other"), []string{"/inbox/Contacts.csv"})
	n, err = w.Discard(t.Context(), acme, nightly)
	w.must(err)
	same(t, "discarded again", n, 0)
	_, err = w.Discard(t.Context(), acme, "other")
	w.must(err)
	after, err := w.Usage(t.Context(), acme)
	w.must(err)
	same(t, "bytes", after.Bytes, before.Bytes)
}
