package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"dropline/ingest"
)

// marked imports from a source what its marks are, on top of what Marks says, as the loader does.
func (w *world) marked(source ingest.SourceID, value string, state ingest.State) ingest.ImportID {
	w.t.Helper()
	id := w.requestFrom(source).ID
	w.marks(id, source, value, state)
	return id
}

// marks loads a queued import of a source to that state.
func (w *world) marks(id ingest.ImportID, source ingest.SourceID, value string, state ingest.State) {
	w.t.Helper()
	imp := w.take(id)
	base, _, err := w.Marks(w.t.Context(), source, imp.Schema, imp.MappingVersion)
	w.must(err)
	imp.Database.Plan, imp.Database.BaseID = plan(), base
	w.must(w.SavePlan(w.t.Context(), id, imp.Attempt, imp.Database))
	w.record(&imp, 0, true)
	w.record(&imp, 1, true)
	w.end(imp, state, map[string]ingest.SourceMark{"dbo.Matter": {Column: "Version", Value: value}})
}

// wantMarks fails unless the next import of the source would go on from that one; an empty value: read everything.
func (w *world) wantMarks(what string, source ingest.SourceID, base ingest.ImportID, value string) {
	w.t.Helper()
	m, err := w.Mapping(w.t.Context(), acme, -1)
	w.must(err)
	id, marks, err := w.Marks(w.t.Context(), source, ingest.DefaultSchema, m.Version)
	w.must(err)
	if id != base || marks["dbo.Matter"].Value != value || value != "" && marks["dbo.Matter"].Column != "Version" {
		w.t.Errorf("%s: goes on from %q at %+v, want %q at %q", what, id, marks, base, value)
	}
}

func TestMarksGoOnFromWhatIsLive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	s, other := w.source("one", "x"), w.source("two", "x").ID
	w.wantMarks("before the first", s.ID, "", "")
	first := w.marked(s.ID, "01", ingest.Staged)
	w.wantMarks("staged", s.ID, first, "01")
	w.wantMarks("another source", other, "", "")
	_, err := w.RequestPromotion(ctx, acme, first, "me", "")
	w.must(err)
	w.wantMarks("promoting", s.ID, first, "01")
	w.promoted(first)
	w.wantMarks("promoted", s.ID, first, "01")
	second := w.marked(s.ID, "02", ingest.Staged)
	same(t, "the second goes on from", w.imp(second).Database.BaseID, first)
	w.wantMarks("a chain", s.ID, second, "02")

	rejected := w.marked(s.ID, "03", ingest.Rejected)
	w.wantMarks("rejected", s.ID, second, "02")
	w.promote(second)
	_, err = w.RequestPromotion(ctx, acme, rejected, "me", "the client agreed")
	w.must(err)
	w.wantMarks("promoted by override", s.ID, rejected, "03")
	w.must(w.RecordPromotionFailed(ctx, rejected, "x", ""))
	w.wantMarks("which did not go through", s.ID, second, "02")

	_, err = w.RequestRollback(ctx, acme, second, "me")
	w.must(err)
	w.wantMarks("rolling back", s.ID, first, "01")
	w.must(w.RecordRollbackFailed(ctx, second, "x", ""))
	w.wantMarks("which did not go through", s.ID, second, "02")
	w.rollBack(second)
	w.wantMarks("rolled back", s.ID, first, "01")
	w.requestFrom(s.ID)
	w.wantMarks("one is queued", s.ID, first, "01")
}

// TestMarksOfABrokenChain takes away what later imports went on from.
func TestMarksOfABrokenChain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	s := w.source("one", "x").ID
	first, second := w.marked(s, "01", ingest.Staged), w.marked(s, "02", ingest.Staged)
	third := w.marked(s, "03", ingest.Staged)
	w.wantMarks("whole", s, third, "03")
	_, err := w.Cancel(ctx, acme, second, "me")
	w.must(err)
	w.wantMarks("the middle is gone", s, first, "01") // though the third is staged
	fourth := w.marked(s, "04", ingest.Staged)
	w.wantMarks("beside the broken one", s, fourth, "04")
	_, err = w.Retry(ctx, acme, second, "me")
	w.must(err)
	w.wantMarks("the middle is queued again", s, fourth, "04")
	_, err = w.Cancel(ctx, acme, first, "me")
	w.must(err)
	w.wantMarks("the beginning is gone", s, "", "")
	w.end(w.take(second), ingest.Staged, nil) // of what was read before, and still on top of the first
	w.wantMarks("the middle alone", s, "", "")
	fifth := w.marked(s, "05", ingest.Staged)
	same(t, "the fifth goes on from", w.imp(fifth).Database.BaseID, "")
	w.wantMarks("anew", s, fifth, "05")

	_, err = w.pool.Exec(ctx, `UPDATE dropline.import_databases SET base_id = import_id WHERE import_id = $1`, fifth)
	w.must(err)
	w.wantMarks("a circle, which cannot be", s, "", "")
}

// TestMarksOfOtherConditions changes what the same rows would become.
func TestMarksOfOtherConditions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	s := w.source("one", "x").ID
	last := w.marked(s, "01", ingest.Staged)
	goOn := func(what string, change func() error, value string) {
		t.Helper()
		w.must(change())
		w.wantMarks(what, s, "", "")
		last = w.marked(s, value, ingest.Staged)
		same(t, what+": it goes on from", w.imp(last).Database.BaseID, "")
		w.wantMarks("after it", s, last, value)
	}
	goOn("another mapping", func() error { return only(w.PutMapping(ctx, acme, []byte("files: []"), "me")) }, "02")
	zone := "Australia/Sydney"
	goOn("another time zone", func() error { return only(w.ChangeTenant(ctx, acme, ingest.TenantChange{TimeZone: &zone})) }, "03")
	connect := func(server, database string) func() error {
		return func() error {
			return only(w.ChangeSource(ctx, acme, s, ingest.SourceChange{Sealed: []byte("x"), Server: server, Database: database}))
		}
	}
	goOn("another database", connect("db1", "hr"), "04")
	goOn("another server", connect("db2", "hr"), "05")
	w.must(connect("db2", "hr")())
	w.wantMarks("another password", s, last, "05")
	id, _, err := w.Marks(ctx, s, "efimis-2.0", 1)
	if err != nil || id != "" {
		t.Errorf("another schema: %s, %v", id, err)
	}
	id, _, err = w.Marks(ctx, "", ingest.DefaultSchema, 1)
	if err != nil || id != "" {
		t.Errorf("no source: %s, %v", id, err)
	}
}

// TestMarksOfARetriedImport has an older import retried after a younger one was staged.
func TestMarksOfARetriedImport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.source("one", "x").ID
	old := w.requestFrom(s).ID
	w.must(w.Fail(t.Context(), old, w.take(old).Attempt, "x", ""))
	young := w.marked(s, "01", ingest.Staged)
	_, err := w.Retry(t.Context(), acme, old, "me")
	w.must(err)
	w.marks(old, s, "02", ingest.Staged)
	// The younger is promoted after it, with rows as they were before: they are to be read again.
	w.wantMarks("the younger counts", s, young, "01")
	w.promote(old)
	w.wantMarks("promoted first", s, young, "01")
	w.promote(young)
	w.wantMarks("promoted in order", s, young, "01")
}

// TestMarksAfterAnOlderImportWasPromotedLate has a rejected import promoted by override over a younger one's rows: they are to
// be read again, though the younger one had them.
func TestMarksAfterAnOlderImportWasPromotedLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.source("one", "x").ID
	override := func(id ingest.ImportID) {
		t.Helper()
		_, err := w.RequestPromotion(t.Context(), acme, id, "me", "the client agreed")
		w.must(err)
		w.promoted(id)
	}
	first := w.marked(s, "01", ingest.Staged)
	w.promote(first)
	rejected := w.marked(s, "02", ingest.Rejected)
	third := w.marked(s, "03", ingest.Staged)
	same(t, "the third goes on from", w.imp(third).Database.BaseID, first)
	w.promote(third)
	w.wantMarks("before", s, third, "03")
	fourth := w.marked(s, "04", ingest.Staged)
	override(rejected)
	w.wantMarks("promoted late", s, rejected, "02") // neither the third nor, on top of it, the fourth
	w.promote(fourth)
	w.wantMarks("the fourth does not make up for it", s, rejected, "02")
	fifth := w.marked(s, "05", ingest.Staged)
	w.promote(fifth)
	w.wantMarks("the fifth does", s, fifth, "05")
	w.rollBack(fifth)
	w.rollBack(fourth)
	w.rollBack(rejected) // what was there before is there again
	w.wantMarks("rolled back", s, third, "03")

	old := w.marked(s, "06", ingest.Rejected)
	_, err := w.PutMapping(t.Context(), acme, []byte("files: []"), "me")
	w.must(err)
	full := w.marked(s, "07", ingest.Staged)
	w.promote(full)
	w.wantMarks("under a new mapping", s, full, "07")
	override(old)
	w.wantMarks("and one of the old mapping over it", s, "", "")
}

// TestMarksOfManyImports has a source that has been imported from hourly for more than a year.
func TestMarksOfManyImports(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	s := w.source("one", "x")
	for _, sql := range []string{
		`INSERT INTO dropline.imports (id, tenant, schema_id, mapping_version, time_zone, state, created_at)
			SELECT 'import_' || md5(n::text), 'acme', 'efimis-1.0', 0, 'UTC', 'promoted', now() FROM generate_series(1, 10000) n`,
		`INSERT INTO dropline.import_databases (import_id, seq, source_id, server, database_name, options, requested_by, base_id, plan,
				complete, marks)
			SELECT i.id, i.seq, '` + string(s.ID) + `', 'db1', 'sales', '{}', 'me', lag(i.id, 1, '') OVER (ORDER BY i.seq),
				json_build_object('relations', repeat('x', 3000)), true, '{"dbo.Matter": {"column": "Version", "value": "old"}}'
			FROM dropline.imports i`,
		`ANALYZE dropline.imports`, `ANALYZE dropline.import_databases`,
	} {
		_, err := w.pool.Exec(ctx, sql)
		w.must(err)
	}
	quick := func(what string, most time.Duration, do func()) {
		t.Helper()
		start := time.Now()
		do()
		took := time.Since(start)
		t.Logf("%s took %v", what, took)
		if took > most {
			t.Errorf("%s took %v", what, took)
		}
	}
	quick("a chain that is too long", time.Second, func() { w.wantMarks("too long", s.ID, "", "") })
	full := w.marked(s.ID, "anew", ingest.Staged)
	same(t, "goes on from", w.imp(full).Database.BaseID, "")
	quick("a short one", time.Second, func() { w.wantMarks("anew", s.ID, full, "anew") })
	_, err := w.pool.Exec(ctx, `UPDATE dropline.import_databases SET base_id = '' WHERE seq = (SELECT max(seq) - 999 FROM dropline.imports)`)
	w.must(err)
	_, err = w.pool.Exec(ctx, `UPDATE dropline.import_databases SET base_id = (SELECT import_id FROM dropline.import_databases
		WHERE seq = (SELECT max(seq) - 1 FROM dropline.imports)) WHERE import_id = $1`, full)
	w.must(err)
	w.wantMarks("one of 1,000", s.ID, full, "anew")
	for i := range 50 {
		w.source(fmt.Sprint("more ", i), "x")
	}
	quick("the list of sources", time.Second, func() {
		list, err := w.ListSources(ctx, acme)
		w.must(err)
		for _, got := range list {
			if got.ID == s.ID {
				same(t, "latest import", got.LastID, full)
			}
		}
	})
}
