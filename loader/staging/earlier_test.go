package staging_test

import (
	"strings"
	"testing"

	"dropline/ingest"
	"dropline/loader/staging"

	"github.com/google/go-cmp/cmp"
)

// An earlier import that is staged but not promoted counts, and becomes a prerequisite only where it is needed.
func TestEarlierStagedImports(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, probe(t))
	first := w.load(nil, csvFile{"Node", "ImportId|Weight", []string{"A|", "B|-1"}}, csvFile{"Entry", "ImportId|Number", []string{"E|1"}})
	second := w.load([]staging.Target{first.target}, csvFile{"Node", "ImportId|NextId", []string{"C|A", "D|B"}})
	if diff := cmp.Diff([]string{"1:2 reference NextId"}, second.codes()); diff != "" {
		t.Error(diff)
	}
	both := []staging.Target{first.target, second.target}
	third := w.load(both, csvFile{"Node", "ImportId|NextId", []string{"F|C"}})
	fourth := w.load(both, csvFile{"Node", "ImportId|NextId", []string{"G|", "H|G"}})
	fifth := w.load(both, csvFile{"Entry", "ImportId|Number", []string{"X|1"}}, csvFile{"Line", "ImportId|EntryId|Amount", []string{"1|E|5", "2|E|-5"}})
	if diff := cmp.Diff([]string{"1:1 duplicate_value Number"}, fifth.codes()); diff != "" {
		t.Error(diff)
	}
	got := [][]ingest.ImportID{first.result.Prerequisites, second.result.Prerequisites, third.result.Prerequisites, fourth.result.Prerequisites, fifth.result.Prerequisites}
	want := [][]ingest.ImportID{nil, {first.target.Import}, {second.target.Import}, nil, {first.target.Import}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// Without it in production, the second cannot be promoted; production is untouched.
	before := w.production()
	_, err := w.tryPromote(second)
	if ingest.KindOf(err) != ingest.Conflict || !strings.Contains(err.Error(), "Node C (line 2 of /inbox/1.csv)") {
		t.Errorf("a promotion without its prerequisite ended with %v", err)
	}
	if w.production() != before {
		t.Error("production has changed")
	}
	w.promote(first)
	w.promote(second)
	// Once promoted it is production, and no longer a prerequisite.
	sixth := w.load(both, csvFile{"Node", "ImportId|NextId", []string{"I|C"}})
	if len(sixth.rejects) != 0 || len(sixth.result.Prerequisites) != 0 {
		t.Errorf("%v %v", sixth.codes(), sixth.result.Prerequisites)
	}
}

// What an earlier import changes is what a later one is checked against.
func TestEarlierImportsOverlayProduction(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, probe(t))
	move := "ImportId|NodeId|MovedOn|Amount"
	w.promote(w.load(nil, csvFile{"Node", "ImportId", []string{"N"}}, csvFile{"Move", move, []string{"1|N|2026-01-01|10"}}))
	more := w.load(nil, csvFile{"Move", move, []string{"1|N|2026-01-01|30"}})
	spend := []csvFile{{"Move", move, []string{"2|N|2026-01-02|-30"}}}
	if o := w.load(nil, spend...); len(o.rejects) != 1 {
		t.Errorf("without the earlier import: %v", o.codes())
	}
	o := w.load([]staging.Target{more.target}, spend...)
	if len(o.rejects) != 0 || len(o.result.Prerequisites) != 1 {
		t.Errorf("with the earlier import: %v, resting on %v", o.codes(), o.result.Prerequisites)
	}
	// Production is what it was when the import was checked, but the money it rests on is not there.
	if _, err := w.tryPromote(o); ingest.KindOf(err) != ingest.Conflict {
		t.Errorf("promoting the later one first ended with %v", err)
	}
}
