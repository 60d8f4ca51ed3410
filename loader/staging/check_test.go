package staging_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"dropline/ingest"
	"dropline/loader/staging"

	"github.com/google/go-cmp/cmp"
)

// One case per rule. Files are loaded into a production that has first been filled with before.
func TestCheckRules(t *testing.T) {
	t.Parallel()
	node, line, entry := "ImportId|NextId|OwnerId|Weight", "ImportId|EntryId|Amount", "ImportId|Number|Total"
	cases := []struct {
		name   string
		before []csvFile
		files  []csvFile
		want   []string
	}{
		{
			name:  "a key twice refuses both, within a file and across files",
			files: []csvFile{{"Node", "ImportId", []string{"A", "B", "A"}}, {"Node", "ImportId", []string{"C", "B"}}},
			want:  []string{"1:1 duplicate_key ImportId", "1:2 duplicate_key ImportId", "1:3 duplicate_key ImportId", "2:2 duplicate_key ImportId"},
		},
		{
			name:  "a key that a refused record has too is not guessed either",
			files: []csvFile{{"Node", "ImportId", []string{"A", "!A", "B"}}},
			want:  []string{"1:1 duplicate_key ImportId"},
		},
		{
			name:  "the same key in two tables is no duplicate",
			files: []csvFile{{"Node", "ImportId", []string{"A"}}, {"Owner", "ImportId", []string{"A"}}},
		},
		{
			name:  "a unique value twice in the import",
			files: []csvFile{{"Entry", entry, []string{"A|1|", "B|1|", "C|2|", "D||", "E||"}}},
			want:  []string{"1:1 duplicate_value Number", "1:2 duplicate_value Number"},
		},
		{
			name:   "a unique value that production has on a row that stays",
			before: []csvFile{{"Entry", entry, []string{"A|1|", "B|2|"}}},
			files:  []csvFile{{"Entry", entry, []string{"C|1|", "B|3|", "D|2|"}}},
			want:   []string{"1:1 duplicate_value Number"},
		},
		{
			name:   "unique values may be swapped",
			before: []csvFile{{"Entry", entry, []string{"A|1|", "B|2|"}}},
			files:  []csvFile{{"Entry", entry, []string{"A|2|", "B|1|"}}},
		},
		{
			name:   "a row that is refused does not give up its unique value",
			before: []csvFile{{"Entry", entry, []string{"A|1|", "B|2|"}}},
			files:  []csvFile{{"Entry", entry, []string{"A|3|5", "B|1|"}}}, // A does not balance, so A keeps 1
			want:   []string{"1:1 entry_balances Total", "1:2 duplicate_value Number"},
		},
		{
			name:  "a reference to nothing; one to a refused record",
			files: []csvFile{{"Node", node, []string{"A|Z||", "B|R||", "!R|||", "C|||"}}},
			want:  []string{"1:1 reference NextId", "1:2 parent_rejected NextId"},
		},
		{
			name:   "references to the batch, to production by import id and by production id",
			before: []csvFile{{"Node", node, []string{"P|||"}}},
			files:  []csvFile{{"Node", node, []string{"A|P|O|", "B|A||", "C|" + "PRODUCTION_P" + "||"}}, {"Owner", "ImportId", []string{"O"}}},
		},
		{
			name:   "a refused row that production has does not take its children along",
			before: []csvFile{{"Node", node, []string{"P|||"}}},
			files:  []csvFile{{"Node", node, []string{"P|||-1", "A|P||", "B|A||"}}},
			want:   []string{"1:1 node_weight Weight"},
		},
		{
			name:  "self references and circles of sound rows are fine",
			files: []csvFile{{"Node", node, []string{"A|A||", "B|C||", "C|B||", "D||O|"}}, {"Owner", "ImportId|BossId", []string{"O|D"}}},
		},
		{
			name:  "a circle falls with one of its rows, across tables",
			files: []csvFile{{"Node", node, []string{"A||O|", "B|A||", "C|B||-1", "D|||"}}, {"Owner", "ImportId|BossId", []string{"O|C"}}},
			want:  []string{"1:1 parent_rejected OwnerId", "1:2 parent_rejected NextId", "1:3 node_weight Weight", "2:1 parent_rejected BossId"},
		},
		{
			name:  "the first reason counts",
			files: []csvFile{{"Node", node, []string{"A|Z||-1", "B|Z|Y|", "C|A||-1", "C|Z||"}}},
			want:  []string{"1:1 reference NextId", "1:2 reference NextId", "1:3 duplicate_key ImportId", "1:4 duplicate_key ImportId"},
		},
		{
			name:  "an entry that does not balance is refused whole",
			files: []csvFile{{"Entry", entry, []string{"E||", "F||"}}, {"Line", line, []string{"1|E|5", "2|E|-4", "3|F|1.5", "4|F|-1.5"}}},
			want:  []string{"1:1 entry_balances Total", "2:1 entry_balances EntryId", "2:2 entry_balances EntryId"},
		},
		{
			name:  "a refused line unbalances its entry",
			files: []csvFile{{"Entry", entry, []string{"E||"}}, {"Line", "ImportId|EntryId|Amount|NodeId", []string{"1|E|5|Z", "2|E|-5|"}}},
			want:  []string{"1:1 entry_balances Total", "2:1 reference NodeId", "2:2 entry_balances EntryId"},
		},
		{
			name:  "a line refused while reading unbalances its entry",
			files: []csvFile{{"Entry", entry, []string{"E||"}}, {"Line", line, []string{"!1|E|5", "2|E|-5"}}},
			want:  []string{"1:1 entry_balances Total", "2:2 entry_balances EntryId"},
		},
		{
			name:   "lines of the import and of production are added up, those it replaces once",
			before: []csvFile{{"Entry", entry, []string{"E||", "F||"}}, {"Line", line, []string{"1|E|5", "2|E|-5", "3|F|7", "4|F|-7"}}},
			files:  []csvFile{{"Line", line, []string{"1|E|6", "2|E|-6", "3|F|8"}}},
			want:   []string{"1:3 entry_balances EntryId"},
		},
		{
			name:   "a line taken from an entry that needs it",
			before: []csvFile{{"Entry", entry, []string{"E||", "F||"}}, {"Line", line, []string{"1|E|5", "2|E|-5", "3|E|0"}}},
			files:  []csvFile{{"Line", line, []string{"3|F|0", "1|F|0"}}},
			want:   []string{"1:1 entry_balances EntryId", "1:2 entry_balances EntryId"},
		},
		{
			name:   "a whole changed without its parts",
			before: []csvFile{{"Bill", "ImportId|Total", []string{"B|5"}}, {"Item", "ImportId|BillId|Amount", []string{"1|B|5"}}},
			files:  []csvFile{{"Bill", "ImportId|Total", []string{"B|6", "C|9"}}},
			want:   []string{"1:1 bill_adds_up Total"},
		},
		{
			name:  "a whole that has lost its only part is not empty",
			files: []csvFile{{"Bill", "ImportId|Total", []string{"B|5", "C|5"}}, {"Item", "ImportId|BillId|Amount|NodeId", []string{"1|B|5|Z"}}},
			want:  []string{"1:1 bill_adds_up Total", "2:1 reference NodeId"},
		},
		{
			name: "nor is one that has lost it to mapping",
			files: []csvFile{
				{"Bill", "ImportId|Total", []string{"B|5", "C|5", "D|0"}},
				{"Item", "ImportId|BillId|Amount|NodeId", []string{"!1|B|5|", "!2|B|5|", "!3|D||", "!|D||"}},
			},
			want: []string{"1:1 bill_adds_up Total"},
		},
		{
			name: "but parts of one kind are not missed for those of another that were lost",
			files: []csvFile{
				{"Bill", "ImportId|Total", []string{"B|5"}},
				{"Refund", "ImportId|BillId|Amount", []string{"!1|B|5"}},
			},
		},
		{
			name:   "a running balance below zero refuses the value's rows, production counted",
			before: []csvFile{{"Node", node, []string{"N|||", "M|||"}}, {"Move", "ImportId|NodeId|MovedOn|Amount", []string{"1|N|2026-01-01|10", "2|M|2026-01-05|10"}}},
			files:  []csvFile{{"Move", "ImportId|NodeId|MovedOn|Amount", []string{"3|N|2026-01-02|-10", "4|M|2026-01-02|-10", "5|M|2026-01-07|1", "2|M|2026-01-05|10"}}},
			want:   []string{"1:2 move_not_negative Amount", "1:3 move_not_negative Amount", "1:4 move_not_negative Amount"},
		},
	}
	w := newWorldOf(t, probe(t))
	for _, c := range cases { // one after the other: they share the tenant's production
		w.clear()
		if len(c.before) > 0 {
			o := w.load(nil, c.before...)
			if len(o.rejects) > 0 {
				t.Fatalf("%s: before: %v", c.name, o.codes())
			}
			w.promote(o)
		}
		for i := range c.files {
			for j := range c.files[i].rows {
				c.files[i].rows[j] = strings.ReplaceAll(c.files[i].rows[j], "PRODUCTION_P", id(w.def.Table("Node"), "P"))
			}
		}
		o := w.load(nil, c.files...)
		if diff := cmp.Diff(c.want, o.codes()); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		w.addsUp(o, c.files)
		w.promote(o)
	}
}

// clear empties production, as no test may do with a tenant's.
func (w *world) clear() {
	w.t.Helper()
	for _, t := range w.def.Tables {
		w.exec("truncate production_acme." + t.SQLName)
	}
}

// addsUp sees that every record read is either staged or told of.
func (w *world) addsUp(o outcome, files []csvFile) {
	w.t.Helper()
	byFile := map[int]int64{}
	for _, r := range o.rejects {
		byFile[r.FileNumber]++
	}
	var staged int64
	for i := range files {
		s := o.stats[i+1]
		if s.Read != int64(len(files[i].rows)) || s.Read != s.Staged+s.Rejected || o.result.RejectedByFile[i+1] != byFile[i+1] {
			w.t.Errorf("file %d: %+v, of which %d were refused by the checks, %d told", i+1, s, o.result.RejectedByFile[i+1], byFile[i+1])
		}
		staged += s.Staged - byFile[i+1]
	}
	var there, counted int64
	for name, count := range o.result.Tables {
		counted += count.Staged
		if count.Staged > 0 {
			there += one[int64](w, fmt.Sprintf("select count(*) from staging_acme.%s_%d", w.def.Table(name).SQLName, o.target.Seq))
		}
	}
	if there != staged || counted != staged {
		w.t.Errorf("%d rows are in staging, %d are said to be, %d should be", there, counted, staged)
	}
}

func TestRejectsTellWhereAndWhat(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, probe(t))
	o := w.load(nil,
		csvFile{"Node", "ImportId|NextId|Weight", []string{"A|| 1", "B|Z|"}[1:]},
		csvFile{"Node", "ImportId|NextId|Weight", []string{"C||-5", "D||200", "D2||", "D2||"}},
	)
	want := []ingest.Reject{
		{
			File: "/inbox/1.csv", FileNumber: 1, Table: "Node", Record: 1, Line: 2, Column: "NextId", Code: "reference",
			Message:  "NextId names a Node that is neither in this import nor loaded before: send it too, or correct the reference.",
			ImportID: "B", Offset: 100, Length: 4,
		},
		{
			File: "/inbox/2.csv", FileNumber: 2, Table: "Node", Record: 1, Line: 2, Column: "Weight", Code: "node_weight",
			Message: "Weight must not be negative.", Value: "-5", ImportID: "C", Offset: 100, Length: 5,
		},
		{
			File: "/inbox/2.csv", FileNumber: 2, Table: "Node", Record: 3, Line: 4, Column: "ImportId", Code: "duplicate_key",
			Message: "ImportId D2 occurs more than once, also in line 5 of the same file: all of these records are refused. Send it once.",
			Value:   "D2", ImportID: "D2", Offset: 300, Length: 4,
		},
		{
			File: "/inbox/2.csv", FileNumber: 2, Table: "Node", Record: 4, Line: 5, Column: "ImportId", Code: "duplicate_key",
			Message: "ImportId D2 occurs more than once, also in line 4 of the same file: all of these records are refused. Send it once.",
			Value:   "D2", ImportID: "D2", Offset: 400, Length: 4,
		},
	}
	if diff := cmp.Diff(want, o.rejects); diff != "" {
		t.Error(diff)
	}
	warning := []ingest.Reject{{
		File: "/inbox/2.csv", FileNumber: 2, Table: "Node", Record: 2, Line: 3, Column: "Weight", Code: "node_heavy",
		Message: "That is heavy.", Value: "200", ImportID: "D", Offset: 200, Length: 6,
	}}
	if diff := cmp.Diff(warning, o.warnings); diff != "" || o.result.Warnings != 1 {
		t.Errorf("%d warnings: %s", o.result.Warnings, diff)
	}
}

// A whole that has lost its parts to a check is no empty one for warnings either.
func TestWarningsOnWholesThatLostTheirParts(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, probe(t))
	o := w.load(nil, csvFile{"Bill", "ImportId|Total", []string{"B|0", "C|0", "D|0"}},
		csvFile{"Item", "ImportId|BillId|Amount|NodeId", []string{"1|B|0|Z", "!2|C|0|"}})
	var warned []string
	for _, warning := range o.warnings {
		warned = append(warned, warning.Code+" "+warning.ImportID)
	}
	if diff := cmp.Diff([]string{"bill_of_something B", "bill_of_something C"}, warned); diff != "" {
		t.Errorf("%s, rejects %v", diff, o.codes())
	}
}

// A warning on a whole is told of the whole if the import has it, else of its parts, and refuses nothing.
func TestWarningsOnWholes(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, probe(t))
	o := w.load(nil, csvFile{"Bill", "ImportId|Total", []string{"B|2000"}}, csvFile{"Item", "ImportId|BillId|Amount", []string{"1|B|1500", "2|B|500"}})
	if len(o.rejects) != 0 || len(o.warnings) != 1 || o.warnings[0].Table != "Bill" || o.warnings[0].Code != "bill_small" {
		t.Fatalf("rejects %v, warnings %+v", o.codes(), o.warnings)
	}
	w.promote(o)
	o = w.load(nil, csvFile{"Item", "ImportId|BillId|Amount", []string{"2|B|500"}})
	if len(o.rejects) != 0 || len(o.warnings) != 1 || o.warnings[0].Table != "Item" {
		t.Errorf("rejects %v, warnings %+v", o.codes(), o.warnings)
	}
}

func TestLongChainsFall(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, probe(t))
	rows := []string{"N0||-1"}
	for i := 1; i < 5000; i++ {
		rows = append(rows, fmt.Sprintf("N%d|N%d|", i, i-1))
	}
	o := w.load(nil, csvFile{"Node", "ImportId|NextId|Weight", rows})
	if len(o.rejects) != len(rows) || o.rejects[4999].Code != ingest.CodeParentRejected {
		t.Errorf("%d of %d rows fell", len(o.rejects), len(rows))
	}
}

func TestCheckChangesNothingWhenItFails(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, probe(t))
	target := w.next()
	full := errors.New("the rejects file is full")
	if err := w.store.Begin(t.Context(), target); err != nil {
		t.Fatal(err)
	}
	rows := newRows(w.def, csvFile{"Node", "ImportId|Weight", []string{"A|-1", "B|1"}})
	if _, err := w.store.Copy(t.Context(), target, w.def.Table("Node"), staging.File{Number: 1, Path: "x"}, rows, nil, nil); err != nil {
		t.Fatal(err)
	}
	_, err := w.store.Check(t.Context(), target, nil, func(ingest.Reject) error { return full }, nil)
	if !errors.Is(err, full) {
		t.Errorf("ended with %v", err)
	}
	if got := one[int](w, "select count(*) from staging_acme.node_1"); got != 2 {
		t.Errorf("%d rows are left", got)
	}
	if err := w.store.Seal(t.Context(), target, sealed); ingest.KindOf(err) != ingest.Conflict {
		t.Errorf("an unchecked import was sealed: %v", err)
	}
	w.exec("delete from staging_acme.node_1 where import_id = 'B'")
	_, err = w.store.Check(t.Context(), target, nil, func(ingest.Reject) error { return nil }, nil)
	if ingest.KindOf(err) != ingest.Unavailable {
		t.Errorf("a lost row went unnoticed: %v", err)
	}
}
