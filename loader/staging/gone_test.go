package staging_test

import (
	"strings"
	"testing"

	"dropline/ingest"

	"github.com/google/go-cmp/cmp"
)

// whole loads an import that has all rows of some tables.
func (w *world) whole(tables []string, files ...csvFile) outcome {
	w.t.Helper()
	o := w.load(nil, files...)
	if err := w.store.SetWhole(w.t.Context(), o.target, tables); err != nil {
		w.t.Fatal(err)
	}
	return o
}

func (w *world) keys(table string) string {
	return one[string](w, "select coalesce(string_agg(import_id, ' ' order by import_id), '') from production_acme."+table)
}

func terms(rows ...string) csvFile { return csvFile{"Term", "key|upper", rows} }
func rooms(rows ...string) csvFile { return csvFile{"Room", "key|terms|next|term", rows} }

func TestRowsThatAreSaidToGo(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, roster(t))
	w.promote(w.load(nil, terms("A|", "B|", "C|A"), rooms("1|A,B||", "2||1|", "3|||C")))
	before := w.production()
	delta := w.load(nil, csvFile{"Term", "key|status|upper", []string{"B|gone|", "D|active|", "E|gone|NONE"}}, csvFile{"Room", "key|status|terms", []string{"1|active|A"}})
	if len(delta.rejects) > 0 {
		t.Fatal(delta.named())
	}
	want := map[string]ingest.PromotionCounts{"Term": {Inserted: 1, Unchanged: 1, Deleted: 1}, "Room": {Updated: 1}}
	if diff := cmp.Diff(want, w.promote(delta)); diff != "" {
		t.Error(diff)
	}
	if got := w.keys("term"); got != "A C D" {
		t.Errorf("left: %s", got)
	}
	if err := w.rollback(delta); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, w.production()); diff != "" {
		t.Errorf("a rollback does not bring all back: %s", diff)
	}
	if n := one[int](w, "select count(*) from pg_class where relname like '%\\_gone'"); n != 0 {
		t.Errorf("%d tables are left", n)
	}
	w.promote(delta)
	same := w.load(nil, csvFile{"Term", "key|status|upper", []string{"B|gone|", "A||", "C||A", "D|active|"}})
	if diff := cmp.Diff(map[string]ingest.PromotionCounts{"Term": {Unchanged: 4}}, w.promote(same)); diff != "" {
		t.Error(diff)
	}
}

func TestWhatStaysRefersToNothingThatGoes(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, roster(t))
	w.promote(w.load(nil, terms("A|", "B|", "C|A"), rooms("1|A,B||", "3|||C")))
	before := w.production()
	for name, c := range map[string]struct {
		files []csvFile
		want  string
	}{
		"in a list":   {[]csvFile{{"Term", "key|status", []string{"B|gone"}}}, "Term B is to be deleted, and terms of Room 1 refers to it"},
		"a reference": {[]csvFile{{"Term", "key|status", []string{"C|gone"}}}, "Term C is to be deleted, and term of Room 3 refers to it"},
		"to its own":  {[]csvFile{{"Term", "key|status", []string{"A|gone"}}, {"Room", "key|terms", []string{"1|B"}}}, "Term A is to be deleted, and upper of Term C refers to it"},
	} {
		o := w.load(nil, c.files...)
		_, err := w.tryPromote(o)
		if ingest.KindOf(err) != ingest.Conflict || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if w.production() != before {
			t.Errorf("%s: production has changed", name)
		}
	}
	// A row of the import that refers to one that goes with it is refused when it is checked.
	o := w.load(nil, csvFile{"Term", "key|status|upper", []string{"B|gone|", "X|active|B", "N|gone|", "Y|active|N"}}, rooms("1|A||", "5|A,B||"))
	if diff := cmp.Diff([]string{"1:2 reference upper", "1:4 reference upper", "2:2 reference terms"}, o.codes()); diff != "" {
		t.Error(diff)
	}
	w.promote(o)
	if got := w.keys("term"); got != "A C" {
		t.Errorf("left: %s", got)
	}
}

func TestWholeTables(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, roster(t))
	w.promote(w.load(nil, terms("A|", "B|", "C|A", "D|C", "E|"), rooms("1|A||", "2|B,D||", "3||2|")))
	before := w.production()
	// B and D are missing, but room 2, which is not of a whole table, refers to them, and D to C, and C to A. Only E goes.
	o := w.whole([]string{"Term"}, terms("X|"))
	if diff := cmp.Diff(map[string]ingest.PromotionCounts{"Term": {Inserted: 1, Deleted: 1}}, w.promote(o)); diff != "" {
		t.Error(diff)
	}
	if got := w.keys("term"); got != "A B C D X" {
		t.Errorf("left: %s", got)
	}
	if err := w.rollback(o); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, w.production()); diff != "" {
		t.Errorf("a rollback does not bring all back: %s", diff)
	}
	// With the rooms whole too, all that is missing goes.
	o = w.whole([]string{"Term", "Room"}, terms("A|"), rooms("1|A||", "4|||"))
	want := map[string]ingest.PromotionCounts{"Term": {Unchanged: 1, Deleted: 4}, "Room": {Inserted: 1, Unchanged: 1, Deleted: 2}}
	if diff := cmp.Diff(want, w.promote(o)); diff != "" {
		t.Error(diff)
	}
	if got := w.keys("term") + " / " + w.keys("room"); got != "A / 1 4" {
		t.Errorf("left: %s", got)
	}
	if err := w.rollback(o); err != nil {
		t.Fatal(err)
	}
	// Where rows were refused, in reading or by a check, none is deleted for being missing.
	for _, file := range []csvFile{terms("A|", "!B|"), terms("A|", "Q|NONE")} {
		o = w.whole([]string{"Term"}, file)
		if counts := w.promote(o)["Term"]; counts.Deleted != 0 {
			t.Errorf("%d rows were deleted", counts.Deleted)
		}
		if err := w.rollback(o); err != nil {
			t.Fatal(err)
		}
	}
	// What was said for an attempt does not hold for the next.
	o = w.whole([]string{"Term"}, terms("A|"))
	if o, _ = w.tryLoad(o.target, nil, terms("A|")); w.promote(o)["Term"].Deleted != 0 {
		t.Error("an earlier attempt's word counted")
	}
	if got := one[int](w, "select count(*) from staging_acme._whole where seq = $1", o.target.Seq); got != 0 {
		t.Errorf("%d tables are still noted", got)
	}
}

func TestRollbackOfDeletedRowsMadeAgain(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, roster(t))
	w.promote(w.load(nil, terms("A|", "B|")))
	o := w.load(nil, csvFile{"Term", "key|status", []string{"B|gone"}})
	w.promote(o)
	if _, err := w.pool.Exec(t.Context(), "insert into production_acme.term (id, import_id, _import, _created_at, _updated_at) values ($1, 'B', 'me', now(), now())",
		id(w.def.Table("Term"), "B")); err != nil {
		t.Fatal(err)
	}
	if err := w.rollback(o); ingest.KindOf(err) != ingest.Conflict || !strings.Contains(err.Error(), "made again") {
		t.Errorf("rolled back over somebody else's row: %v", err)
	}
}

func TestTenantsOfBeforeWholeTables(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, roster(t))
	if _, err := w.pool.Exec(t.Context(), "drop table staging_acme._whole"); err != nil {
		t.Fatal(err)
	}
	w.promote(w.load(nil, terms("A|", "B|")))
	o := w.whole([]string{"Term"}, terms("A|"))
	if counts := w.promote(o)["Term"]; counts.Deleted != 1 {
		t.Errorf("%+v", counts)
	}
}
