package staging_test

import (
	"fmt"
	"strings"
	"testing"

	"dropline/ingest"
	"dropline/loader/staging"
	"dropline/schema"

	"github.com/google/go-cmp/cmp"
)

// rosterYAML is a definition with lists of references and rows that say that they are to be deleted.
const rosterYAML = `
schema: Roster
version: "1.0"
enums:
  - name: Status
    open: "ext:"
    values:
      - {number: 0, name: active}
      - {number: 1, name: gone}
shared:
  first:
    - {name: key, sql: import_id, type: text(100), required: true}
    - {name: status, type: enum(Status), deletes: gone}
tables:
  - name: Term
    key: key
    columns:
      - {name: upper, type: reference(Term)}
  - name: Room
    key: key
    columns:
      - {name: terms, type: references(Term)}
      - {name: next, type: references(Room)}
      - {name: term, type: reference(Term)}
      - {name: tags, type: list(100)}
`

func roster(t testing.TB) *schema.Schema {
	t.Helper()
	def, err := schema.Parse("roster.yaml", strings.NewReader(rosterYAML))
	if err != nil {
		t.Fatal(err)
	}
	return def
}

// messages are the first words of what each reject names.
func (o outcome) named() []string {
	var out []string
	for _, r := range o.rejects {
		out = append(out, fmt.Sprintf("%d:%d %s %s", r.FileNumber, r.Record, r.Code, strings.SplitN(r.Message, " that ", 2)[0]))
	}
	return out
}

func TestListsOfReferences(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, roster(t))
	term, room := w.def.Table("Term"), w.def.Table("Room")
	w.promote(w.load(nil, csvFile{"Term", "key", []string{"P"}}))
	staged := w.load(nil, csvFile{"Term", "key", []string{"S"}})
	o := w.load(
		[]staging.Target{staged.target},
		csvFile{"Term", "key|upper", []string{"A|", "!R|", "B|NONE"}},
		csvFile{"Room", "key|terms|next|tags", []string{
			"1|A,P,S,A|2,1|x,y", // all there: in the import, in production, in an earlier import
			"2|" + id(term, "P") + "|1|",
			"3|A,X,Y||",
			"4|P,R,X||",
			"5|A,B||",
			"6||5,1|",
			"7||1,6|",
			"8|||",
			"9||1,Z|",
		}},
	)
	want := []string{
		"1:3 reference upper names a Term",
		"2:3 reference terms names a Term (" + id(term, "X") + ")",
		"2:4 parent_rejected terms names a Term (" + id(term, "R") + ")",
		"2:5 parent_rejected terms names a Term (" + id(term, "B") + ")",
		"2:6 parent_rejected next names a Room (" + id(room, "5") + ")",
		"2:7 parent_rejected next names a Room (" + id(room, "6") + ")",
		"2:9 reference next names a Room (" + id(room, "Z") + ")",
	}
	if diff := cmp.Diff(want, o.named()); diff != "" {
		t.Fatal(diff)
	}
	if diff := cmp.Diff([]ingest.ImportID{staged.target.Import}, o.result.Prerequisites); diff != "" {
		t.Error(diff)
	}
	if _, err := w.tryPromote(o); ingest.KindOf(err) != ingest.Conflict || !strings.Contains(err.Error(), "terms names a Term") {
		t.Errorf("promoted without what it refers to: %v", err)
	}
	w.promote(staged)
	w.promote(o)
	got := one[string](w, "select string_agg(coalesce(array_to_string(terms, ' '), '-') || ' / ' || coalesce(array_to_string(next, ' '), '-') || ' / ' || coalesce(tags, '-'), '; ' order by import_id) from production_acme.room")
	ids := func(t *schema.Table, keys ...string) string {
		for i, key := range keys {
			keys[i] = id(t, key)
		}
		return strings.Join(keys, " ")
	}
	rows := ids(term, "A", "P", "S", "A") + " / " + ids(room, "2", "1") + " / x,y; " + ids(term, "P") + " / " + ids(room, "1") + " / -; - / - / -"
	if diff := cmp.Diff(rows, got); diff != "" {
		t.Error(diff)
	}
	if counts := w.promote(w.load(nil, csvFile{"Room", "key|terms|next|tags", []string{"1|A,P,S,A|2,1|x,y", "8|P||"}})); counts["Room"] != (ingest.PromotionCounts{Updated: 1, Unchanged: 1}) {
		t.Errorf("%+v", counts)
	}
}

// A chain longer than is gone through link by link falls as a whole, over lists as over single references.
func TestAChainOfLists(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, roster(t))
	f := csvFile{table: "Room", header: "key|next"}
	for i := range 40 {
		f.rows = append(f.rows, fmt.Sprintf("%d|OK,%d", i, i+1))
	}
	f.rows = append(f.rows, "OK|", "40|GONE,OK")
	o := w.load(nil, f)
	if len(o.rejects) != 41 || o.rejects[40].Code != ingest.CodeMissingRef || o.rejects[0].Code != ingest.CodeParentRejected {
		t.Errorf("%d rejects: %v", len(o.rejects), o.codes())
	}
	if !strings.Contains(o.rejects[3].Message, id(w.def.Table("Room"), "4")) {
		t.Errorf("the message names another: %s", o.rejects[3].Message)
	}
}

// What a column of many different references refers to is not listed, and is looked for among the rows.
func TestMoreReferencesInListsThanAListHolds(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, roster(t))
	const n = 70_000
	f := csvFile{table: "Room", header: "key|next"}
	for i := range n {
		f.rows = append(f.rows, fmt.Sprintf("%d|%d,%d", i, i, (i+1)%n))
	}
	f.rows[500] = "500|7,GONE"
	f.rows[600] = "600|!"
	o := w.load(nil, f)
	want := []string{"1:500 parent_rejected next", "1:501 reference next", "1:600 parent_rejected next", "1:601 reference next"}
	got := map[string]bool{}
	for _, code := range o.codes() {
		got[code] = true
	}
	for _, code := range want {
		if !got[code] {
			t.Errorf("not refused: %s", code)
		}
	}
}
