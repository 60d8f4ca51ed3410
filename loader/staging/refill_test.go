package staging_test

import (
	"fmt"
	"testing"

	"dropline/ingest"
	"dropline/loader/staging"
	"dropline/schema"
)

// crash empties an import's unlogged tables, as PostgreSQL does after a crash.
func (w *world) crash(o outcome) {
	w.t.Helper()
	w.exec(fmt.Sprintf("truncate staging_acme._referred_%d", o.target.Seq))
	for name := range o.expected() {
		w.exec(fmt.Sprintf("truncate staging_acme.%s_%d_rows", w.def.Table(name).SQLName, o.target.Seq))
	}
}

// refill fills them again from files of which nothing was refused.
func (w *world) refill(o outcome, files ...csvFile) error {
	return w.store.Refill(w.t.Context(), o.target, func(copyFile func(*schema.Table, staging.File, ingest.Rows) error) error {
		for i, f := range files {
			if err := copyFile(w.def.Table(f.table), staging.File{Number: i + 1, Path: fmt.Sprintf("/inbox/%d.csv", i+1)}, newRows(w.def, f)); err != nil {
				return err
			}
		}
		return nil
	})
}

// The lists of what rows refer to go with the rows, and come back with them: without, a promotion would find nothing to verify.
func TestRefilledReferencesAreVerified(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, probe(t))
	base := w.load(nil, csvFile{"Node", "ImportId", []string{"A"}})
	w.promote(base)
	file := csvFile{"Node", "ImportId|NextId", []string{"B|A", "C|B"}}
	child := w.load(nil, file)
	w.crash(child)
	if err := w.refill(child, file); err != nil {
		t.Fatal(err)
	}
	if err := w.rollback(base); err != nil {
		t.Fatal(err)
	}
	if _, err := w.tryPromote(child); ingest.KindOf(err) != ingest.Conflict {
		t.Errorf("a promotion without what it refers to ended with %v", err)
	}
	w.promote(base)
	if got := w.promote(child)["Node"]; got.Inserted != 2 {
		t.Errorf("%+v", got)
	}
}

// Somebody may have dropped a table. Its import cannot be had back; that is said as what it is, so that others are.
func TestRefillOfATableThatIsGone(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, probe(t))
	file := csvFile{"Node", "ImportId", []string{"A"}}
	o := w.load(nil, file)
	w.exec(fmt.Sprintf("drop table staging_acme.node_%d_rows cascade", o.target.Seq))
	if lost, err := w.store.Lost(t.Context(), o.target); err != nil || !lost {
		t.Errorf("lost: %v, %v", lost, err)
	}
	if err := w.refill(o, file); ingest.KindOf(err) != ingest.Conflict {
		t.Errorf("ended with %v", err)
	}
}
