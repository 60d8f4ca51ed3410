package staging_test

import (
	"fmt"
	"strings"
	"testing"

	"dropline/ingest"

	"github.com/google/go-cmp/cmp"
)

// What a column of many different references refers to is not listed; it is found out all the same, when the import is checked
// and when it is promoted.
func TestMoreReferencesThanAListHolds(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, probe(t))
	base := w.load(nil, csvFile{"Node", "ImportId", []string{"BASE"}})
	w.promote(base)
	const n = 70_000
	nodes := csvFile{table: "Node", header: "ImportId|NextId"}
	for i := range n {
		nodes.rows = append(nodes.rows, fmt.Sprintf("N%d|N%d", i, i))
	}
	nodes.rows[500], nodes.rows[600] = "N500|GONE", "N600|BASE"
	o := w.load(nil, nodes)
	if diff := cmp.Diff([]string{"1:501 reference NextId"}, o.codes()[:1]); diff != "" {
		t.Error(diff)
	}
	if got := one[int](w, fmt.Sprintf("select count(*) from staging_acme._referred_%d where id is null", o.target.Seq)); got != 1 {
		t.Errorf("%d columns have no list", got)
	}
	few := csvFile{table: "Node", header: "ImportId|NextId"}
	for i := range n {
		few.rows = append(few.rows, fmt.Sprintf("M%d|M%d", i, i))
	}
	few.rows[n-1] = fmt.Sprintf("M%d|BASE", n-1)
	sound := w.load(nil, few)
	if err := w.rollback(base); err != nil {
		t.Fatal(err)
	}
	if _, err := w.tryPromote(sound); ingest.KindOf(err) != ingest.Conflict || !strings.Contains(err.Error(), "NextId") {
		t.Errorf("promoted without what it refers to: %v", err)
	}
	w.promote(base)
	w.promote(sound)
}
