package staging_test

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"

	"dropline/ingest"

	"github.com/google/go-cmp/cmp"
)

// modelRow is a row of the model: of Owner, Node, Entry or Line.
type modelRow struct {
	table, key string
	refs       map[string]string // column to key; absent ones are missing
	amount     int               // of a Line
	weight     int               // of a Node
	unreadable bool              // refused while copying
	file, at   int
	code       string // why the model refuses it
}

var modelTargets = map[string]map[string]string{
	"Owner": {"BossId": "Node"}, "Node": {"NextId": "Node", "OwnerId": "Owner"}, "Entry": {}, "Line": {"EntryId": "Entry", "NodeId": "Node"},
}

var modelTables = []string{"Owner", "Node", "Entry", "Line"}

// randomRows makes a few rows of each table that refer to each other at random, rarely to nothing.
func randomRows(rng *rand.Rand, sound bool) []*modelRow {
	var rows []*modelRow
	key := func(table string, from int) string { return fmt.Sprintf("%s%d", table[:1], from+rng.IntN(8)) }
	for _, table := range modelTables {
		for i := range rng.IntN(8) {
			r := &modelRow{table: table, key: fmt.Sprintf("%s%d", table[:1], i), refs: map[string]string{}}
			if !sound && rng.IntN(10) == 0 {
				r.key = key(table, 0)
			}
			for column, target := range modelTargets[table] {
				if rng.IntN(3) > 0 || column == "EntryId" {
					r.refs[column] = key(target, 0)
				}
			}
			r.amount = rng.IntN(3) - 1
			if !sound {
				r.unreadable = rng.IntN(15) == 0
				if rng.IntN(15) == 0 {
					r.weight = -1
				}
			}
			rows = append(rows, r)
		}
	}
	return rows
}

// model is the naive reading of the rules, over the import's rows and production's.
type model struct {
	rows       []*modelRow
	production map[string]*modelRow // by key; keys of different tables differ
}

func (m *model) alive() []*modelRow {
	var out []*modelRow
	for _, r := range m.rows {
		if !r.unreadable && r.code == "" {
			out = append(out, r)
		}
	}
	return out
}

func (m *model) refuse(r *modelRow, code string) bool {
	if r.code != "" || r.unreadable {
		return false
	}
	r.code = code
	return true
}

func (m *model) run() {
	count := map[string]int{}
	staged, unreadable := map[string]bool{}, map[string]bool{}
	for _, r := range m.rows {
		count[r.key]++
		if r.unreadable {
			unreadable[r.key] = true
		} else {
			staged[r.key] = true
		}
	}
	for _, r := range m.rows {
		if count[r.key] > 1 {
			m.refuse(r, ingest.CodeDuplicateKey)
		}
	}
	for _, r := range m.alive() {
		for _, column := range []string{"EntryId", "NextId", "OwnerId", "BossId", "NodeId"} {
			target := r.refs[column]
			switch {
			case target == "" || staged[target] || m.production[target] != nil:
			case unreadable[target]:
				m.refuse(r, ingest.CodeParentRejected)
			default:
				m.refuse(r, ingest.CodeMissingRef)
			}
		}
	}
	m.fall()
	for _, r := range m.alive() {
		if r.table == "Node" && r.weight < 0 {
			m.refuse(r, "node_weight")
		}
	}
	m.fall()
	for m.balance() {
		m.fall()
	}
}

// fall refuses what needs a refused row, until nothing more does.
func (m *model) fall() {
	for changed := true; changed; {
		changed = false
		there := map[string]bool{}
		for _, r := range m.alive() {
			there[r.key] = true
		}
		for _, r := range m.alive() {
			for _, target := range r.refs {
				if !there[target] && m.production[target] == nil {
					changed = m.refuse(r, ingest.CodeParentRejected) || changed
				}
			}
		}
	}
}

// balance refuses entries that do not balance, with their lines. It reports whether there were any.
func (m *model) balance() bool {
	affected, sum := map[string]bool{}, map[string]int{}
	replaced := map[string]bool{}
	for _, r := range m.alive() {
		replaced[r.key] = true
		switch r.table {
		case "Entry":
			affected[r.key] = true
		case "Line":
			affected[r.refs["EntryId"]] = true
			sum[r.refs["EntryId"]] += r.amount
			if old := m.production[r.key]; old != nil {
				affected[old.refs["EntryId"]] = true
			}
		}
	}
	for key, p := range m.production {
		if p.table == "Line" && !replaced[key] {
			sum[p.refs["EntryId"]] += p.amount
		}
	}
	any := false
	for _, r := range m.alive() {
		bad := func(entry string) bool { return affected[entry] && sum[entry] != 0 }
		old := m.production[r.key]
		if r.table == "Entry" && bad(r.key) || r.table == "Line" && (bad(r.refs["EntryId"]) || old != nil && bad(old.refs["EntryId"])) {
			any = m.refuse(r, "entry_balances") || any
		}
	}
	return any
}

// files spreads rows over two files per table at random.
func (m *model) files(rng *rand.Rand) []csvFile {
	headers := map[string]string{
		"Owner": "ImportId|BossId", "Node": "ImportId|NextId|OwnerId|Weight", "Entry": "ImportId", "Line": "ImportId|EntryId|NodeId|Amount",
	}
	var files []csvFile
	for _, table := range modelTables {
		pair := []csvFile{{table, headers[table], nil}, {table, headers[table], nil}}
		for _, r := range m.rows {
			if r.table != table {
				continue
			}
			text := map[string]string{
				"Owner": r.key + "|" + r.refs["BossId"],
				"Node":  fmt.Sprintf("%s|%s|%s|%d", r.key, r.refs["NextId"], r.refs["OwnerId"], r.weight),
				"Entry": r.key,
				"Line":  fmt.Sprintf("%s|%s|%s|%d", r.key, r.refs["EntryId"], r.refs["NodeId"], r.amount),
			}[table]
			if r.unreadable {
				text = "!" + text
			}
			i := rng.IntN(2)
			pair[i].rows = append(pair[i].rows, text)
			r.file, r.at = len(files)+i+1, len(pair[i].rows)
		}
		files = append(files, pair...)
	}
	return files
}

func (m *model) refused() []string {
	var rows []*modelRow
	for _, r := range m.rows {
		if r.code != "" {
			rows = append(rows, r)
		}
	}
	sort.Slice(rows, func(i, j int) bool {
		return rows[i].file < rows[j].file || rows[i].file == rows[j].file && rows[i].at < rows[j].at
	})
	var out []string
	for _, r := range rows {
		out = append(out, fmt.Sprintf("%d:%d %s", r.file, r.at, r.code))
	}
	return out
}

// The checks refuse what a naive program over small random imports refuses, for the same reasons and in the same order.
// Each import is promoted, so the next one meets a production that grew by chance.
func TestChecksAgreeWithTheModel(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, probe(t))
	rng := rand.New(rand.NewPCG(20261122, 7))
	production := map[string]*modelRow{}
	refused, staged := 0, 0
	for round := range 150 {
		if round%5 == 0 {
			w.clear()
			production = map[string]*modelRow{}
		}
		m := &model{rows: randomRows(rng, round%5 == 0), production: production}
		files := m.files(rng)
		o := w.load(nil, files...)
		m.run()
		var got []string
		for _, r := range o.rejects {
			got = append(got, fmt.Sprintf("%d:%d %s", r.FileNumber, r.Record, r.Code))
		}
		if diff := cmp.Diff(m.refused(), got); diff != "" {
			var text strings.Builder
			for i, f := range files {
				fmt.Fprintf(&text, "%d: %s %q\n", i+1, f.table, f.rows)
			}
			t.Fatalf("round %d: %s\n%s", round, diff, text.String())
		}
		w.addsUp(o, files)
		before := w.production()
		w.promote(o)
		if round%3 == 0 { // and back, and forth again
			if err := w.rollback(o); err != nil {
				t.Fatal(err)
			}
			if w.production() != before {
				t.Fatalf("round %d: the rollback did not restore production", round)
			}
			w.promote(o)
		}
		for _, r := range m.alive() {
			production[r.key] = r
			staged++
		}
		refused += len(m.refused())
	}
	if refused < 200 || staged < 200 {
		t.Errorf("only %d rows were refused and %d staged: the test tests little", refused, staged)
	}
}
