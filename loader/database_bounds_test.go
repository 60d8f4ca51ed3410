package loader_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/internal/tdstest"
	"dropline/loader"
)

func TestAServerThatBreaksOffAgainAndAgainIsNotReadForEver(t *testing.T) {
	t.Parallel()
	p := newPractice(t, 0, tdstest.Options{Tables: notes(t, 1000, true)})
	p.databases.PartRows, p.databases.MaxParts = 10, 20
	p.work()
	imp := p.until(p.post(ingest.DatabaseOptions{}), "ended", func(i ingest.Import) bool { return !i.State.Running() })
	if imp.State != ingest.Failed || !strings.Contains(imp.Error, "20 parts") || imp.Hint == "" || len(imp.Files) > 20 {
		t.Errorf("%s with %d files: %s (%s)", imp.State, len(imp.Files), imp.Error, imp.Hint)
	}
}

// What was read of a database can be loaded from its object, however well it compresses.
func TestAPartThatCompressesWellComesBack(t *testing.T) {
	t.Parallel()
	rows := loader.FreeExpansion>>20 + 20
	tables := notes(t, rows, false)
	generate, long := tables[0].Generate, strings.Repeat("x", 1<<20)
	name := slices.IndexFunc(tables[0].Columns, func(c tdstest.Column) bool { return c.Name == "Name" })
	tables[0].Columns[name].Type = "varchar(max)"
	tables[0].Generate = func(i int, dst []any) {
		if generate(i, dst); i > 0 {
			dst[name] = long
		}
	}
	p := newPractice(t, 1, tdstest.Options{Tables: tables})
	p.work()
	ended := func(i ingest.Import) bool { return !i.State.Running() }
	id := p.post(ingest.DatabaseOptions{})
	first := p.until(id, "ended", ended)
	_, err := p.ledger.Cancel(t.Context(), acme, id, "test")
	p.must(err)
	_, err = p.ledger.Retry(t.Context(), acme, id, "test")
	p.must(err)
	again := p.until(id, "ended", ended)
	for _, imp := range []ingest.Import{first, again} {
		if imp.State != ingest.Staged || imp.Staged != 1 || imp.Rejected != int64(rows-1) {
			t.Errorf("%s: staged %d, rejected %d of %d rows: %s", imp.State, imp.Staged, imp.Rejected, rows, imp.Error)
		}
	}
}

// A tenant's quota bounds what it may fill staging with, and not its objects alone.
func TestRowsThatCompressWellAreBoundedByTheQuota(t *testing.T) {
	t.Parallel()
	rows := loader.FreeExpansion>>20 + 220
	tables := notes(t, rows, false)
	generate, long := tables[0].Generate, strings.Repeat("x", 1<<20)
	name := slices.IndexFunc(tables[0].Columns, func(c tdstest.Column) bool { return c.Name == "Name" })
	tables[0].Columns[name].Type = "varchar(max)"
	tables[0].Generate = func(i int, dst []any) {
		generate(i, dst)
		dst[name] = long
	}
	p := newPractice(t, 1, tdstest.Options{Tables: tables})
	quota := int64(1 << 20)
	_, err := p.ledger.ChangeTenant(t.Context(), acme, ingest.TenantChange{QuotaBytes: &quota})
	p.must(err)
	p.work()
	imp := p.until(p.post(ingest.DatabaseOptions{}), "ended", func(i ingest.Import) bool { return !i.State.Running() })
	if imp.State != ingest.Failed || !strings.Contains(imp.Error, "quota") {
		t.Errorf("%s: %s", imp.State, imp.Error)
	}
}

// A tenant's imports that wait do not keep the workers busy with looking whether it is their turn, and are taken up at once when
// it is.
func TestImportsThatWaitLongLookSeldom(t *testing.T) {
	t.Parallel()
	p := newPractice(t, 0, tdstest.Options{Tables: notes(t, 1000, true)})
	p.server.SetFaults(tdstest.Faults{StallAfterRows: 500, StallFor: time.Hour, StallTable: "TaskType"})
	p.work()
	first := p.post(ingest.DatabaseOptions{})
	p.untilState(first, ingest.Loading)
	second := p.post(ingest.DatabaseOptions{})
	_, err := p.pool.Exec(t.Context(), `UPDATE dropline.river_job SET created_at = created_at - interval '1 hour'
		WHERE id = (SELECT job_id FROM dropline.imports WHERE id = $1)`, second)
	p.must(err)
	p.until(second, "to look seldom", func(ingest.Import) bool {
		var wait float64
		p.must(p.pool.QueryRow(t.Context(), `SELECT extract(epoch FROM scheduled_at - clock_timestamp())::float8 FROM dropline.river_job
			WHERE id = (SELECT job_id FROM dropline.imports WHERE id = $1)`, second).Scan(&wait))
		return wait > 15
	})
	p.server.SetFaults(tdstest.Faults{})
	_, err = p.ledger.Cancel(t.Context(), acme, first, "test")
	p.must(err)
	began := time.Now()
	p.until(second, "ended", func(i ingest.Import) bool { return !i.State.Running() })
	if took := time.Since(began); took > 12*time.Second {
		t.Errorf("the import after the one that was cancelled took %s", took)
	}
}
