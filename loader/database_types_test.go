package loader_test

import (
	"strings"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/internal/sample"
	"dropline/internal/tdstest"
)

// A server may declare a column otherwise than its catalogue does: what it sends is what counts.
func TestAColumnOfAnotherTypeThanDeclared(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		column, kind string
		want         ingest.State
	}{
		"numbers as texts":       {"dbo.TaskType.DefaultRate", "nvarchar(40)", ingest.Staged},
		"texts as numbers fails": {"dbo.TaskType.Name", "int", ingest.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tables := sampleTables(t, sample.Config{Seed: 3})
			task, _ := column(t, tables, "TaskType", "Name")
			p := newPractice(t, 1, tdstest.Options{
				Tables: []tdstest.Table{*task}, Faults: tdstest.Faults{DeclareWrongType: map[string]string{test.column: test.kind}},
			})
			p.work()
			imp := p.until(p.post(ingest.DatabaseOptions{}), "ended", func(i ingest.Import) bool { return !i.State.Running() })
			if imp.State != test.want || imp.Read != imp.Staged+imp.Rejected {
				t.Fatalf("%s: %s; read %d, staged %d, rejected %d", imp.State, imp.Error, imp.Read, imp.Staged, imp.Rejected)
			}
			if test.want == ingest.Failed && (!strings.Contains(imp.Error, "dbo.TaskType") || imp.Hint == "") {
				t.Errorf("%s; hint: %s", imp.Error, imp.Hint)
			}
			if test.want == ingest.Staged && imp.Read != int64(len(task.Rows)) {
				t.Errorf("read %d of %d rows", imp.Read, len(task.Rows))
			}
		})
	}
}

// Without a snapshot one table that is slow does not keep the others waiting.
func TestSeveralTablesAreReadAtOnce(t *testing.T) {
	t.Parallel()
	tables := sampleTables(t, sample.Config{Seed: 3})
	p := newPractice(t, 1, tdstest.Options{Tables: tables, Faults: tdstest.Faults{
		StallAfterRows: 1, StallTimes: 1, StallFor: time.Minute, StallTable: "Currency",
	}})
	p.work()
	id := p.post(ingest.DatabaseOptions{})
	p.until(id, "past the slow table", func(i ingest.Import) bool {
		done := map[string]bool{}
		for _, f := range i.Files {
			done[f.Table] = f.State == ingest.FileLoaded
		}
		return !done["Currency"] && done["Matter"] && done["Invoice"]
	})
	if n := p.server.MaxConnections(); n < 2 {
		t.Errorf("%d connections at most", n)
	}
	_, err := p.ledger.Cancel(t.Context(), acme, id, "test")
	p.must(err)
	p.untilState(id, ingest.Cancelled)
}
