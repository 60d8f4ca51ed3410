package staging_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"dropline/ingest"
	"dropline/internal/devstack/devtest"
	"dropline/loader/staging"
	"dropline/schema"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
)

func TestProvisionAtOnceAndAgain(t *testing.T) {
	t.Parallel()
	pool := newPool(t, devtest.Postgres(t), 6)
	w := &world{t: t, pool: pool, store: newStore(t, pool), def: probe(t)}
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			if err := w.store.Provision(t.Context(), tenant, w.def); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	w.promote(w.load(nil, csvFile{"Node", "ImportId", []string{"A"}}))
	before := w.production()
	if err := newStore(t, pool).Provision(t.Context(), tenant, w.def); err != nil || w.production() != before {
		t.Errorf("provisioning again: %v", err)
	}
	changed, err := schema.Parse("probe.yaml", strings.NewReader(strings.Replace(probeYAML, "Weight, type: integer", "Weight, type: bigint", 1)))
	if err != nil {
		t.Fatal(err)
	}
	for _, def := range []*schema.Schema{changed, schema.Efimis10()} {
		if err := w.store.Provision(t.Context(), tenant, def); ingest.KindOf(err) != ingest.Conflict || ingest.HintOf(err) == "" {
			t.Errorf("another definition: %v", err)
		}
	}
	if err := w.store.Provision(t.Context(), "No;Slug", w.def); err == nil {
		t.Error("a tenant that is no slug was provisioned")
	}
}

// Seeds are there with computed ids, and their references hold.
func TestSeeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	counts, err := w.store.Counts(t.Context(), tenant, w.def)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range w.def.Tables {
		if counts[table.Name] != int64(len(table.Seeds)) {
			t.Errorf("%s has %d rows, want %d seeds", table.Name, counts[table.Name], len(table.Seeds))
		}
		for _, c := range table.Columns {
			if c.Kind != schema.Reference {
				continue
			}
			if n := one[int](w, fmt.Sprintf("select count(*) from production_acme.%s s where %s is not null and not exists (select from production_acme.%s p where p.id = s.%[2]s)",
				table.SQLName, schema.QuoteIdent(c.SQLName), c.References.SQLName)); n != 0 {
				t.Errorf("%d seeds of %s refer by %s to nothing", n, table.Name, c.Name)
			}
		}
		if len(table.Seeds) > 0 {
			key := *table.Seeds[0][0]
			if got := one[string](w, "select id from production_acme."+table.SQLName+" where import_id = $1", key); got != id(table, key) {
				t.Errorf("seed %s of %s has id %s", key, table.Name, got)
			}
		}
	}
	if counts, err := w.store.Counts(t.Context(), "nobody", w.def); err != nil || len(counts) != 0 {
		t.Errorf("a tenant without tables: %v %v", counts, err)
	}
}

// as runs a query as another role and returns its error.
func (w *world) as(role, sql string) error {
	tx, err := w.pool.Begin(w.t.Context())
	if err != nil {
		return err
	}
	defer tx.Rollback(context.WithoutCancel(w.t.Context())) //nolint:errcheck // nothing to keep
	if _, err := tx.Exec(w.t.Context(), "set local role "+role); err != nil {
		return err
	}
	_, err = tx.Exec(w.t.Context(), sql)
	return err
}

func TestReaderRole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.store.Provision(t.Context(), "other", w.def); err != nil {
		t.Fatal(err)
	}
	w.exec("grant dropline_acme_reader to current_user")
	o := w.load(nil, people(3, none))
	for _, sql := range []string{"select * from production_acme.account", "select * from staging_acme.employee_1"} {
		if err := w.as("dropline_acme_reader", sql); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
	unsealed := w.next()
	if err := w.store.Begin(t.Context(), unsealed); err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.Copy(t.Context(), unsealed, w.def.Table("Employee"), staging.File{Number: 1}, newRows(w.def, people(2, none)), nil, nil); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		"select * from staging_acme.employee_2", "select * from staging_acme._imports", "select * from production_other.account",
		"delete from production_acme.account", "delete from staging_acme.employee_1", "create table staging_acme.mine (a int)",
	} {
		if err := w.as("dropline_acme_reader", sql); err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("%s was not refused: %v", sql, err)
		}
	}
	w.promote(o)
}

// A database user who may not make roles gets everything else, and one line in the log.
func TestWithoutTheRightToMakeRoles(t *testing.T) {
	t.Parallel()
	admin := newPool(t, devtest.Postgres(t), 2)
	w := &world{t: t, pool: admin, def: probe(t)}
	role := "plain_" + one[string](w, "select current_database()::text")
	w.exec("create role " + role + " nologin; grant create on database " + one[string](w, "select current_database()::text") + " to " + role)
	w.exec("grant " + role + " to current_user")
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		_, _ = admin.Exec(ctx, "drop owned by "+role+" cascade")
		_, _ = admin.Exec(ctx, "drop role "+role)
	})
	cfg := admin.Config()
	cfg.ConnConfig.RuntimeParams["role"] = role
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	var log strings.Builder
	w.pool = pool
	w.store, err = staging.New(pool, staging.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []ingest.TenantID{tenant, "norole"} {
		if err := w.store.Provision(t.Context(), name, w.def); err != nil {
			t.Fatal(err)
		}
	}
	w.promote(w.load(nil, csvFile{"Node", "ImportId", []string{"A"}}))
	if got := strings.Count(log.String(), "CREATEROLE"); got != 1 {
		t.Errorf("told %d times: %s", got, log.String())
	}
}

// A retry replaces what the attempt before left, wherever that one is and even if it is still at it.
func TestBeginTakesOver(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, probe(t))
	target := w.next()
	if err := w.store.Begin(t.Context(), target); err != nil {
		t.Fatal(err)
	}
	other := newStore(t, w.pool)
	half := bulk(60_000, nil)
	half.onNext = func(at int) {
		if at == 50_000 { // the first worker is in the middle of a COPY
			if err := other.Begin(t.Context(), target); err != nil {
				t.Error(err)
			}
		}
	}
	table := w.def.Table("Node")
	if _, err := w.store.Copy(t.Context(), target, table, staging.File{Number: 1}, half, nil, nil); err == nil {
		t.Error("the first worker's copy went through")
	}
	if got := one[int](w, "select count(*) from pg_class where relname in ('node_1', 'node_1_rows')"); got != 0 {
		t.Error("the first worker's table is still there")
	}
	_, err := w.store.Copy(t.Context(), target, table, staging.File{Number: 2}, bulk(10, nil), nil, nil)
	if ingest.KindOf(err) != ingest.Conflict {
		t.Errorf("the first worker's next copy ended with %v", err)
	}
	if _, err := w.store.Check(t.Context(), target, nil, nil, nil); ingest.KindOf(err) != ingest.Conflict {
		t.Errorf("the first worker's check ended with %v", err)
	}
	w.store = other
	if _, err := other.Copy(t.Context(), target, table, staging.File{Number: 1}, bulk(10, nil), nil, nil); err != nil {
		t.Error(err)
	}
	o, err := w.tryLoad(target, nil, csvFile{"Node", "ImportId", []string{"A", "B"}})
	if err != nil || one[int](w, "select count(*) from staging_acme.node_1") != 2 {
		t.Fatalf("the retry: %v", err)
	}
	w.promote(o)
	if err := other.Begin(t.Context(), target); ingest.KindOf(err) != ingest.Conflict {
		t.Errorf("beginning what is in production ended with %v", err)
	}
}

func TestDrop(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, probe(t))
	if err := w.store.Drop(t.Context(), staging.Target{Tenant: "nobody", Import: ingest.NewImportID(), Seq: 9, Schema: w.def}); err != nil {
		t.Errorf("dropping where nothing is: %v", err)
	}
	kept := w.load(nil, csvFile{"Node", "ImportId", []string{"K"}})
	w.promote(kept)
	o := w.load(nil, csvFile{"Node", "ImportId|NextId", []string{"A|", "B|Z", "!C|"}}, csvFile{"Owner", "ImportId", []string{"O"}})
	w.promote(o)
	before := w.production()
	for range 2 {
		if err := w.store.Drop(t.Context(), o.target); err != nil {
			t.Fatal(err)
		}
	}
	if got := one[int](w, "select count(*) from pg_class where relnamespace = 'staging_acme'::regnamespace and relname ~ '_2(_rows|_before)?$'"); got != 0 {
		t.Errorf("%d tables are left", got)
	}
	if w.production() != before {
		t.Error("production has changed")
	}
	for _, gone := range []outcome{o, kept} {
		if err := w.rollback(gone); ingest.KindOf(err) != ingest.Conflict {
			t.Errorf("a rollback after before-images lapsed ended with %v", err)
		}
	}
	cancelled := w.load(nil, csvFile{"Node", "ImportId", []string{"D"}})
	if err := w.store.Drop(t.Context(), cancelled.target); err != nil {
		t.Fatal(err)
	}
	if got := one[int](w, "select count(*) from staging_acme._imports where seq = 3") + one[int](w, "select count(*) from staging_acme._files where seq = 3"); got != 0 {
		t.Errorf("%d records are left of an import that never was promoted", got)
	}
}

func TestRowsArePagedAndNamedAsPublished(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, probe(t))
	const n = 3000
	nodes := csvFile{table: "Node", header: "ImportId|NextId|Weight"}
	for i := range n {
		next := "N0"
		if i%10 == 7 {
			next = "NOWHERE"
		}
		nodes.rows = append(nodes.rows, fmt.Sprintf("N%d|%s|%d", i, next, i%50))
	}
	o := w.load(nil, nodes, csvFile{"Sort", "ImportId|Moment|Day|Money|Unbounded|Flag", []string{`S|2026-01-02T03:04:05.000006Z|2026-01-02|1.5|"{}|true`}})
	seen := map[string]bool{}
	last, after := int64(0), int64(0)
	for {
		rows, next, err := w.store.Rows(t.Context(), o.target, "Node", after, 97)
		if err != nil {
			t.Fatal(err)
		}
		for _, raw := range rows {
			var row struct {
				ID, ImportID, NextID string
				Record               int64  `json:"_record"`
				Line                 int64  `json:"_line"`
				File                 string `json:"_file"`
			}
			if err := json.Unmarshal(raw, &row); err != nil {
				t.Fatalf("%s: %v", raw, err)
			}
			if seen[row.ID] || row.ID != id(w.def.Table("Node"), row.ImportID) || row.NextID != id(w.def.Table("Node"), "N0") ||
				row.Record <= last || row.Line != row.Record+1 || row.File != "/inbox/1.csv" {
				t.Fatalf("row %s after record %d", raw, last)
			}
			seen[row.ID], last = true, row.Record
		}
		if next == 0 {
			break
		}
		after = next
	}
	if len(seen) != n-n/10 {
		t.Errorf("%d rows, want %d", len(seen), n-n/10)
	}
	rows, _, err := w.store.Rows(t.Context(), o.target, "Sort", 0, 5)
	if err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	var got map[string]any
	if err := json.Unmarshal(rows[0], &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"Id": id(w.def.Table("Sort"), "S"), "ImportId": "S", "Bounded": nil, "Unbounded": `"{}`, "Small": nil, "Big": nil, "Money": 1.5, "Whole": nil,
		"Part": nil, "Wide": nil, "Flag": true, "Day": "2026-01-02", "Moment": "2026-01-02T03:04:05.000006+00:00", "Colour": nil, "NodeId": nil,
		"_file": "/inbox/2.csv", "_record": 1.0, "_line": 2.0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for table, kind := range map[string]ingest.Kind{"Owner": ingest.NotFound, "Nothing": ingest.NotFound} {
		if _, _, err := w.store.Rows(t.Context(), o.target, table, 0, 5); ingest.KindOf(err) != kind {
			t.Errorf("%s: %v", table, err)
		}
	}
	if _, _, err := w.store.Rows(t.Context(), o.target, "Node", 0, 0); ingest.KindOf(err) != ingest.Invalid {
		t.Errorf("no limit: %v", err)
	}
}

func TestConfigIsValidated(t *testing.T) {
	t.Parallel()
	if _, err := staging.New(nil, staging.Config{}); err == nil {
		t.Error("no pool was accepted")
	}
	pool := newPool(t, "postgres://nobody@127.0.0.1:1/none", 1)
	for _, cfg := range []staging.Config{{WorkMem: -1}, {WorkMem: 1 << 20}, {LockTimeout: -1}} {
		if _, err := staging.New(pool, cfg); ingest.KindOf(err) != ingest.Invalid {
			t.Errorf("%+v was accepted: %v", cfg, err)
		}
	}
	store, err := staging.New(pool, staging.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Provision(t.Context(), tenant, probe(t)); ingest.KindOf(err) != ingest.Unavailable {
		t.Errorf("a server that is away: %v", err)
	}
}
