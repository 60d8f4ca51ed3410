package staging_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/loader/staging"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// people is one file of n employees, those of a remainder in their second version.
func people(n int, changed func(i int) bool) csvFile {
	f := csvFile{table: "Employee", header: "ImportId|SortName"}
	for i := range n {
		name := "first"
		if changed(i) {
			name = "second"
		}
		f.rows = append(f.rows, fmt.Sprintf("E%d|%s", i, name))
	}
	return f
}

func none(int) bool { return false }

func TestPromoteWritesOnlyWhatDiffers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const n = 2000
	first := w.load(nil, people(n, none))
	if diff := cmp.Diff(map[string]ingest.PromotionCounts{"Employee": {Inserted: n}}, w.promote(first)); diff != "" {
		t.Fatal(diff)
	}
	if got := one[string](w, "select id from production_acme.employee where import_id = 'E7'"); got != id(w.def.Table("Employee"), "E7") {
		t.Errorf("the id is %s", got)
	}
	rows := "select md5(string_agg(xmin::text || ctid::text || e::text, ' ' order by id)) from production_acme.employee e where sort_name = 'first'"
	before := one[string](w, rows)

	same := w.load(nil, people(n, none))
	if diff := cmp.Diff(map[string]ingest.PromotionCounts{"Employee": {Unchanged: n}}, w.promote(same)); diff != "" {
		t.Error(diff)
	}
	if one[string](w, rows) != before {
		t.Error("rows that did not change were written")
	}
	if tables := one[int](w, "select count(*) from pg_class where relname like 'employee_2_before%'"); tables != 0 {
		t.Error("before-images of nothing were kept")
	}

	mixed := people(n, func(i int) bool { return i%100 == 3 })
	mixed.rows = append(mixed.rows[1:], "NEW|third")
	third := w.load(nil, mixed)
	want := map[string]ingest.PromotionCounts{"Employee": {Inserted: 1, Updated: n / 100, Unchanged: n - 1 - n/100}}
	if diff := cmp.Diff(want, w.promote(third)); diff != "" {
		t.Error(diff)
	}
	written := one[int](w, "select count(*) from production_acme.employee where _import = $1", third.target.Import)
	untouched := one[int](w, "select count(*) from production_acme.employee where _import = $1", first.target.Import)
	if written != 1+n/100 || untouched != n-n/100 {
		t.Errorf("%d rows say the third import wrote them, %d the first", written, untouched)
	}
}

func TestRollbackRestoresExactly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if got := one[int](w, "select count(*) from production_acme.account where _import = $1", staging.SeedImport); got < 20 {
		t.Fatalf("%d seeds", got)
	}
	empty := w.production()
	seed := one[string](w, "select import_id from production_acme.account order by import_id limit 1")
	account := csvFile{"Account", "ImportId|Name|Type|AccountCategory", []string{seed + "|Renamed|Bank|Asset", "MINE|New|Bank|Asset"}}
	first := w.load(nil, people(300, none), account)
	if len(first.rejects) != 0 {
		t.Fatal(first.codes())
	}
	counts := w.promote(first)
	if diff := cmp.Diff(ingest.PromotionCounts{Inserted: 1, Updated: 1}, counts["Account"]); diff != "" {
		t.Error(diff)
	}
	const values = "(to_jsonb(r) - '_written')::text"
	afterFirst, valuesAfterFirst := w.production(), w.productionAs(values)
	second := w.load(nil, people(310, func(i int) bool { return i%2 == 0 }))
	w.promote(second)
	if w.production() == afterFirst {
		t.Fatal("the second import changed nothing: the test tests nothing")
	}
	if err := w.rollback(first); ingest.KindOf(err) != ingest.Conflict || !strings.Contains(err.Error(), string(second.target.Import)) {
		t.Errorf("a rollback out of turn ended with %v", err)
	}
	if err := w.rollback(second); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(afterFirst, w.production()); diff != "" {
		t.Errorf("after the rollback of the second: %s", diff)
	}
	if err := w.rollback(second); ingest.KindOf(err) != ingest.Conflict {
		t.Errorf("a second rollback ended with %v", err)
	}
	if err := w.rollback(first); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(empty, w.production()); diff != "" {
		t.Errorf("after the rollback of the first: %s", diff)
	}
	// What was rolled back is still staged, and can be promoted again.
	w.promote(first)
	if diff := cmp.Diff(valuesAfterFirst, w.productionAs(values)); diff != "" {
		t.Errorf("promoted again: %s", diff)
	}
}

// The digests by which rows are compared say nothing of rows that somebody else has written to, or that have none.
func TestPromoteComparesValuesWhereDigestsAreInDoubt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const n = 300
	w.promote(w.load(nil, people(n, none)))
	const row = "(to_jsonb(r) - '_written' - '_digest' - '_import' - '_updated_at' - '_created_at')::text"
	values := w.productionAs(row)
	for touch, updated := range map[string]int64{
		"update production_acme.employee set sort_name = 'Somebody else' where import_id in ('E1', 'E2')": 2,
		"update production_acme.employee set sort_name = sort_name":                                       0,
		"update production_acme.employee set _digest = null":                                              0,
		"update production_acme.employee set _written = null":                                             0,
		"delete from production_acme.employee where import_id = 'E7'":                                     0,
	} {
		w.exec(touch)
		want := ingest.PromotionCounts{Updated: updated, Unchanged: n - updated}
		if strings.HasPrefix(touch, "delete") {
			want = ingest.PromotionCounts{Inserted: 1, Unchanged: n - 1}
		}
		if diff := cmp.Diff(want, w.promote(w.load(nil, people(n, none)))["Employee"]); diff != "" {
			t.Errorf("after %s: %s", touch, diff)
		}
		if diff := cmp.Diff(values, w.productionAs(row)); diff != "" {
			t.Errorf("after %s: %s", touch, diff)
		}
	}
}

func TestRollbackSeesForeignHands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.load(nil, people(10, none))
	w.promote(o)
	w.exec("update production_acme.employee set _import = 'by hand' where import_id = 'E3'")
	before := w.production()
	if err := w.rollback(o); ingest.KindOf(err) != ingest.Conflict {
		t.Errorf("ended with %v", err)
	}
	if w.production() != before {
		t.Error("production has changed")
	}
}

func TestPromoteNeedsWhatItRestsOn(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, probe(t))
	base := w.load(nil, csvFile{"Node", "ImportId", []string{"A"}}, csvFile{"Entry", "ImportId|Number", []string{"E|1"}})
	w.promote(base)
	child := w.load(nil, csvFile{"Node", "ImportId|NextId", []string{"B|A", "C|"}})
	lines := w.load(nil, csvFile{"Line", "ImportId|EntryId|Amount", []string{"1|E|1", "2|E|-1"}})
	unique := w.load(nil, csvFile{"Entry", "ImportId|Number", []string{"F|2"}})
	if err := w.rollback(base); err != nil {
		t.Fatal(err)
	}
	before := w.production()
	for name, o := range map[string]outcome{"Node B (line 2 of /inbox/1.csv)": child, "Line 1": lines} {
		if _, err := w.tryPromote(o); ingest.KindOf(err) != ingest.Conflict || !strings.Contains(err.Error(), name) || ingest.HintOf(err) == "" {
			t.Errorf("ended with %v, which should name %s", err, name)
		}
	}
	if w.production() != before {
		t.Error("production has changed")
	}
	taken := w.load(nil, csvFile{"Entry", "ImportId|Number", []string{"G|2"}})
	w.promote(taken)
	if _, err := w.tryPromote(unique); ingest.KindOf(err) != ingest.Conflict || !strings.Contains(err.Error(), "Entry F") {
		t.Errorf("a value taken meanwhile: %v", err)
	}
	w.promote(base) // and with it back, the others go through but for the one whose value is taken
	w.promote(child)
	w.promote(lines)
}

// A running balance that held when the import was checked is checked again when production has changed.
func TestPromoteChecksWholesAgain(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, probe(t))
	move := "ImportId|NodeId|MovedOn|Amount"
	w.promote(w.load(nil, csvFile{"Node", "ImportId", []string{"N"}}))
	money := w.load(nil, csvFile{"Move", move, []string{"1|N|2026-01-01|10"}})
	w.promote(money)
	spend := w.load(nil, csvFile{"Move", move, []string{"2|N|2026-01-02|-10"}})
	if err := w.rollback(money); err != nil {
		t.Fatal(err)
	}
	if _, err := w.tryPromote(spend); ingest.KindOf(err) != ingest.Conflict || !strings.Contains(err.Error(), "The balance falls below zero") {
		t.Errorf("ended with %v", err)
	}
	w.promote(money)
	w.promote(spend)
}

func TestPromoteSeesLostRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.production()
	for i, damage := range []string{
		"delete from staging_acme.employee_%d_rows where import_id = 'E1'", "truncate staging_acme.employee_%d_rows", "drop table staging_acme.employee_%d_rows cascade",
		"insert into staging_acme.employee_%[1]d_rows select * from staging_acme.employee_%[1]d_rows limit 1",
	} {
		o := w.load(nil, people(5, none))
		w.exec(fmt.Sprintf(damage, o.target.Seq))
		if _, err := w.tryPromote(o); ingest.KindOf(err) != ingest.Conflict || !strings.Contains(fmt.Sprint(err), "rows were lost") {
			t.Errorf("%d: ended with %v", i, err)
		}
	}
	o := w.load(nil, people(5, none))
	o.result.Tables["Employee"] = staging.TableCount{Staged: 6}
	if _, err := w.tryPromote(o); ingest.KindOf(err) != ingest.Conflict {
		t.Errorf("the caller's own count was ignored: %v", err)
	}
	if w.production() != before {
		t.Error("production has changed")
	}
}

func TestPromoteIsAllOrNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.production()
	o := w.load(nil, people(500, none))
	refuse := errors.New("the ledger is away")
	err := w.store.Promote(t.Context(), o.target, o.expected(), func(context.Context, pgx.Tx, map[string]ingest.PromotionCounts) error { return refuse })
	if !errors.Is(err, refuse) {
		t.Errorf("ended with %v", err)
	}
	err = w.store.Promote(t.Context(), o.target, o.expected(), func(ctx context.Context, tx pgx.Tx, _ map[string]ingest.PromotionCounts) error {
		w.exec("select pg_terminate_backend($1)", tx.Conn().PgConn().PID())
		return nil
	})
	if ingest.KindOf(err) != ingest.Unavailable {
		t.Errorf("a promotion whose backend was killed ended with %v", err)
	}
	if w.production() != before {
		t.Error("production has changed")
	}
	w.promote(o)
	after := w.production()
	err = w.store.Rollback(t.Context(), o.target, func(ctx context.Context, tx pgx.Tx) error {
		w.exec("select pg_terminate_backend($1)", tx.Conn().PgConn().PID())
		return nil
	})
	if ingest.KindOf(err) != ingest.Unavailable || w.production() != after {
		t.Errorf("a rollback whose backend was killed ended with %v", err)
	}
	if err := w.rollback(o); err != nil || w.production() != before {
		t.Errorf("the rollback after that: %v", err)
	}
}

func TestPromoteTwiceAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.load(nil, people(500, none))
	errs := make(chan error, 4)
	for range cap(errs) {
		go func() {
			_, err := w.tryPromote(o)
			errs <- err
		}()
	}
	done := 0
	for range cap(errs) {
		switch err := <-errs; ingest.KindOf(err) {
		case ingest.Conflict:
		default:
			if err != nil {
				t.Error(err)
			}
			done++
		}
	}
	if done != 1 || one[int](w, "select count(*) from production_acme.employee") != 500 {
		t.Errorf("%d of %d promotions went through", done, cap(errs))
	}
}

// A promotion that waits longer than it may for another of the tenant says so; loading goes on meanwhile.
func TestPromoteWaitsInTurn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hasty, err := staging.New(w.pool, staging.Config{LockTimeout: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	first, second := w.load(nil, people(5, none)), w.load(nil, people(6, none))
	err = w.store.Promote(t.Context(), first.target, first.expected(), func(ctx context.Context, _ pgx.Tx, _ map[string]ingest.PromotionCounts) error {
		err := hasty.Promote(ctx, second.target, second.expected(), func(context.Context, pgx.Tx, map[string]ingest.PromotionCounts) error { return nil })
		if ingest.KindOf(err) != ingest.Unavailable || ingest.HintOf(err) == "" {
			t.Errorf("the one that waits ended with %v", err)
		}
		if o := w.load([]staging.Target{first.target}, people(7, none)); len(o.rejects) != 0 {
			t.Error(o.codes())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := w.promote(second)["Employee"]; got.Inserted != 1 || got.Unchanged != 5 {
		t.Errorf("the second's counts are %+v", got)
	}
}

func TestPromoteNeedsACheckedImport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	target := w.next()
	if err := w.store.Begin(t.Context(), target); err != nil {
		t.Fatal(err)
	}
	nobody := func(context.Context, pgx.Tx, map[string]ingest.PromotionCounts) error { return nil }
	if err := w.store.Promote(t.Context(), target, nil, nobody); ingest.KindOf(err) != ingest.Conflict {
		t.Errorf("an unchecked import: %v", err)
	}
	other := target
	other.Import = ingest.NewImportID()
	if err := w.store.Promote(t.Context(), other, nil, nobody); ingest.KindOf(err) != ingest.Internal {
		t.Errorf("somebody else's number: %v", err)
	}
	if err := w.store.Promote(t.Context(), w.next(), nil, nobody); ingest.KindOf(err) != ingest.Conflict {
		t.Errorf("an import that never began: %v", err)
	}
	if err := w.store.Rollback(t.Context(), target, func(context.Context, pgx.Tx) error { return nil }); ingest.KindOf(err) != ingest.Conflict {
		t.Errorf("a rollback of what was not promoted: %v", err)
	}
}
