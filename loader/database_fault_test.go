package loader_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/ingest/mssql"
	"dropline/internal/sample"
	"dropline/internal/sampledb"
	"dropline/internal/tdstest"
)

// notes is a database of one large table without references that hold.
func notes(t *testing.T, rows int, keyed bool) []tdstest.Table {
	t.Helper()
	s, _ := newCatalogue().Lookup(ingest.DefaultSchema)
	table := sampledb.Table(s.Table("TaskType"))
	index := func(name string) int {
		return slices.IndexFunc(table.Columns, func(c tdstest.Column) bool { return c.Name == name })
	}
	id, name := index("ImportId"), index("Name")
	table.Columns[id].Type = "int"
	table.Count, table.Cached = rows, false
	table.Generate = func(i int, dst []any) {
		clear(dst)
		dst[id], dst[name] = int64(i+1), fmt.Sprintf("Task type %d", i+1)
	}
	if !keyed {
		table.PrimaryKey = nil
	}
	return []tdstest.Table{table}
}

// each checks that every row of notes is staged once.
func (p *practice) each(imp ingest.Import, rows int64) {
	p.Helper()
	if imp.State != ingest.Staged || imp.Staged != rows || imp.Read != rows || imp.Rejected != 0 {
		p.Errorf("%s: read %d, staged %d, rejected %d of %d rows: %s", imp.State, imp.Read, imp.Staged, imp.Rejected, rows, imp.Error)
	}
	var n, distinct int64
	p.must(p.pool.QueryRow(p.Context(), fmt.Sprintf("select count(*), count(distinct name) from staging_acme.task_type_%d", imp.Seq)).
		Scan(&n, &distinct))
	if n != rows || distinct != rows {
		p.Errorf("%d rows are staged, of which %d are different; want %d", n, distinct, rows)
	}
}

func TestALostConnectionIsGoneOnWith(t *testing.T) {
	t.Parallel()
	for name, keyed := range map[string]bool{"in parts": true, "as a whole": false} {
		for _, snapshot := range []bool{true, false} {
			t.Run(fmt.Sprint(name, ", snapshot ", snapshot), func(t *testing.T) {
				t.Parallel()
				const rows = 30_000
				p := newPractice(t, 0, tdstest.Options{Tables: notes(t, rows, keyed), Snapshot: snapshot})
				p.databases.PartRows = 8_000
				p.server.SetFaults(tdstest.Faults{DropAfterRows: 11_000, DropTimes: 2, DropTable: "TaskType"})
				p.work()
				imp := p.until(p.post(ingest.DatabaseOptions{}), "ended", func(i ingest.Import) bool { return !i.State.Running() })
				p.each(imp, rows)
				if keyed == (len(imp.Files) == 1) {
					t.Errorf("%d files", len(imp.Files))
				}
				if snapshot && imp.Database.Snapshots < 2 {
					t.Errorf("it says that %d snapshots were used", imp.Database.Snapshots)
				}
			})
		}
	}
}

// What was refused before a connection broke is not refused twice.
func TestALostConnectionTellsRejectsOnce(t *testing.T) {
	t.Parallel()
	const rows = 20_000
	tables := notes(t, rows, false)
	generate := tables[0].Generate
	name := slices.IndexFunc(tables[0].Columns, func(c tdstest.Column) bool { return c.Name == "Name" })
	tables[0].Columns[name].NotNull = false
	tables[0].Generate = func(i int, dst []any) {
		generate(i, dst)
		if i%1000 == 7 {
			dst[name] = nil
		}
	}
	p := newPractice(t, 1, tdstest.Options{Tables: tables})
	p.server.SetFaults(tdstest.Faults{DropAfterRows: 15_000, DropTable: "TaskType"})
	p.work()
	imp := p.untilState(p.post(ingest.DatabaseOptions{}), ingest.Staged)
	rejects, _, err := p.ledger.SampleRejects(t.Context(), imp.ID, 1000)
	p.must(err)
	if len(rejects) != rows/1000 || imp.Rejected != rows/1000 {
		t.Errorf("%d rejects, counted %d", len(rejects), imp.Rejected)
	}
}

func TestADatabaseThatStaysAwayEndsTheImport(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		faults tdstest.Faults
		change func(*practice)
		want   string
	}{
		"wrong password": {faults: tdstest.Faults{RefuseLogin: &tdstest.Error{Number: 18456, State: 1, Class: 14, Message: "Login failed for user 'reader'."}}, want: "sign"},
		"not allowed":    {change: func(p *practice) { p.databases.Connections.Policy = mssql.Policy{} }, want: "loopback"},
		"no key":         {change: func(p *practice) { p.databases.Unseal = nil }, want: "key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPractice(t, 0, tdstest.Options{Tables: notes(t, 10, true)})
			p.server.SetFaults(test.faults)
			if test.change != nil {
				test.change(p)
			}
			p.work()
			imp := p.untilState(p.post(ingest.DatabaseOptions{}), ingest.Failed)
			if !strings.Contains(imp.Error, test.want) || imp.Hint == "" || strings.Contains(imp.Error+imp.Hint, "secret-of-test") {
				t.Errorf("%s; hint: %s", imp.Error, imp.Hint)
			}
		})
	}
}

// A failed import is retried from the beginning, and its connection string is there until then.
func TestAFailedDatabaseImportIsRetried(t *testing.T) {
	t.Parallel()
	const rows = 5_000
	tables := notes(t, rows, true)
	kinds, _ := column(t, sampleTables(t, sample.Config{Seed: 3}), "MatterType", "Name")
	p := newPractice(t, 0, tdstest.Options{Tables: append(tables, *kinds)})
	p.databases.Sessions = 1
	p.server.SetFaults(tdstest.Faults{
		ErrorAfterRows: 1, ErrorTimes: 1000, ErrorTable: "MatterType",
		RowError: &tdstest.Error{Number: 8115, Class: 16, Message: "Arithmetic overflow error."},
	})
	p.work()
	imp := p.untilState(p.post(ingest.DatabaseOptions{}), ingest.Failed)
	if !strings.Contains(imp.Error, "dbo.MatterType: ") || !strings.Contains(imp.Error, "overflow") {
		t.Errorf("it failed for %s", imp.Error)
	}
	p.server.SetFaults(tdstest.Faults{})
	_, err := p.ledger.Retry(t.Context(), acme, imp.ID, "test")
	p.must(err)
	imp = p.untilState(imp.ID, ingest.Staged)
	if want := rows + int64(len(kinds.Rows)); imp.Staged != want || len(imp.Files) != 2 {
		t.Errorf("staged %d of %d rows in %d files", imp.Staged, want, len(imp.Files))
	}
}

func TestCancellingReachesTheDatabase(t *testing.T) {
	t.Parallel()
	p := newPractice(t, 0, tdstest.Options{Tables: notes(t, 50_000, true)})
	p.server.SetFaults(tdstest.Faults{StallAfterRows: 20_000, StallFor: time.Minute, StallTable: "TaskType"})
	p.work()
	id := p.post(ingest.DatabaseOptions{})
	p.until(id, "loading", func(i ingest.Import) bool { return i.State == ingest.Loading && i.Database.Plan != nil })
	_, err := p.ledger.Cancel(t.Context(), acme, id, "test")
	p.must(err)
	deadline := time.Now().Add(20 * time.Second)
	for p.server.Attentions() == 0 {
		if time.Now().After(deadline) {
			t.Fatal("the server was never told to stop")
		}
		time.Sleep(20 * time.Millisecond)
	}
	p.untilState(id, ingest.Cancelled)
}

// A worker that is stopped leaves what it has read to the next.
func TestAnotherWorkerGoesOn(t *testing.T) {
	t.Parallel()
	const rows = 20_000
	stalled := make(chan struct{}, 10)
	p := newPractice(t, 0, tdstest.Options{Tables: notes(t, rows, true), Log: func(e tdstest.Event) {
		if e.Kind == "fault" {
			stalled <- struct{}{}
		}
	}})
	p.databases.PartRows = 4_000
	p.server.SetFaults(tdstest.Faults{StallAfterRows: 13_000, StallTimes: 1, StallFor: time.Minute, StallTable: "TaskType"})
	stop := p.work()
	id := p.post(ingest.DatabaseOptions{})
	select {
	case <-stalled:
	case <-time.After(time.Minute):
		t.Fatal("the reading never came to where the server stalls")
	}
	stop()
	before := len(p.server.Queries())
	p.work()
	imp := p.untilState(id, ingest.Staged)
	p.each(imp, rows)
	parts := 0
	for _, q := range p.server.Queries()[before:] {
		if strings.Contains(q, "ORDER BY") {
			parts++
		}
	}
	if imp.Attempt != 2 || parts > 3 {
		t.Errorf("attempt %d read %d parts of 5, of which 3 were there", imp.Attempt, parts)
	}
}

// Rows of a database come back after a crash of PostgreSQL as those of files do, from what was stored of them, whatever has
// become of the database.
func TestRowsOfADatabaseComeBack(t *testing.T) {
	t.Parallel()
	tables := sampleTables(t, sample.Config{Seed: 3})
	matter, reference := column(t, tables, "Matter", "ClientId")
	matter.Rows[4][reference] = "nobody"
	p := newPractice(t, 1, tdstest.Options{Tables: tables})
	p.work()
	imp := p.untilState(p.post(ingest.DatabaseOptions{}), ingest.Staged)
	before := p.rows(imp.ID, "Matter")
	p.server.Close()
	p.crash()
	deadline := time.Now().Add(time.Minute)
	for {
		rows, err := p.tryRows(imp.ID, "Matter")
		if err == nil && slices.Equal(rows, before) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("of %d rows %d came back: %v", len(before), len(rows), err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func TestAQuotaEndsTheReading(t *testing.T) {
	t.Parallel()
	p := newPractice(t, 0, tdstest.Options{Tables: notes(t, 200_000, true)})
	quota := int64(100_000)
	_, err := p.ledger.ChangeTenant(t.Context(), acme, ingest.TenantChange{QuotaBytes: &quota})
	p.must(err)
	p.work()
	imp := p.untilState(p.post(ingest.DatabaseOptions{}), ingest.Failed)
	if !strings.Contains(imp.Error, "quota") {
		t.Errorf("it failed for %s", imp.Error)
	}
}
