package staging_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/internal/devstack/devtest"
	"dropline/loader/staging"
	"dropline/schema"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// world is a tenant in a database of its own.
type world struct {
	t     testing.TB
	pool  *pgxpool.Pool
	store *staging.Store
	seq   int64
	def   *schema.Schema
}

const tenant = ingest.TenantID("acme")

func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldOf(t, schema.Efimis10())
}

func newWorldOf(t testing.TB, def *schema.Schema) *world {
	t.Helper()
	pool := newPool(t, devtest.Postgres(t), 8)
	w := &world{t: t, pool: pool, store: newStore(t, pool), def: def}
	if err := w.store.Provision(t.Context(), tenant, def); err != nil {
		t.Fatal(err)
	}
	return w
}

func newPool(t testing.TB, dsn string, size int32) *pgxpool.Pool {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	cfg.MaxConns = size
	pool, err := pgxpool.NewWithConfig(context.WithoutCancel(t.Context()), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func newStore(t testing.TB, pool *pgxpool.Pool) *staging.Store {
	t.Helper()
	tick := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	store, err := staging.New(pool, staging.Config{Clock: func() time.Time { return tick }, LockTimeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// csvFile is a file of an import: a table, a header of published names, and rows of text.
type csvFile struct {
	table  string
	header string
	rows   []string // values between '|'; "!" in front refuses the record as mapping would, with its key known
}

// rowsOf plays mapping's part. Its conversion is plain: the values in tests are canonical.
type rowsOf struct {
	table   *schema.Table
	header  []*schema.Column
	rows    []string
	at      int
	row     ingest.Row
	refused *ingest.Reject
	err     error
}

func newRows(def *schema.Schema, f csvFile) *rowsOf {
	r := &rowsOf{table: def.Table(f.table), rows: f.rows}
	for _, name := range strings.Split(f.header, "|") {
		c := r.table.Column(name)
		if c == nil {
			panic("no column " + name + " in " + f.table)
		}
		r.header = append(r.header, c)
	}
	r.row.Values = make([]ingest.Value, len(r.table.Columns))
	return r
}

func (r *rowsOf) Next() bool {
	if r.at == len(r.rows) {
		return false
	}
	text, bad := strings.CutPrefix(r.rows[r.at], "!")
	r.at++
	r.row.Record, r.row.Line, r.row.Offset, r.row.Length = int64(r.at), int64(r.at+1), int64(100*r.at), int32(len(text))
	for i := range r.row.Values {
		r.row.Values[i] = ingest.Value{Null: true}
	}
	for i, v := range strings.Split(text, "|") {
		r.row.Values[r.header[i].Index] = convert(r.header[i], v)
	}
	r.refused = nil
	if bad {
		r.refused = &ingest.Reject{Code: ingest.CodeNotDate, Record: r.row.Record, Line: r.row.Line}
	}
	return true
}

func (r *rowsOf) Row() *ingest.Row        { return &r.row }
func (r *rowsOf) Refused() *ingest.Reject { return r.refused }
func (r *rowsOf) Err() error              { return r.err }

func convert(c *schema.Column, text string) ingest.Value {
	v := ingest.Value{Raw: []byte(text)}
	if text == "" {
		return ingest.Value{Null: true}
	}
	number := func(s string) int64 {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			panic(err)
		}
		return n
	}
	switch c.Kind {
	case schema.Integer, schema.BigInt:
		v.Int = number(text)
	case schema.Boolean:
		v.Int = map[string]int64{"true": 1, "false": 0}[text]
	case schema.Date:
		day, err := time.Parse(time.DateOnly, text)
		if err != nil {
			panic(err)
		}
		v.Int = day.Unix() / 86400
	case schema.Timestamp:
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			panic(err)
		}
		v.Int = at.UnixMicro()
	case schema.Enumerate:
		for _, m := range c.Enum.Values {
			if m.Name == text {
				v.Int = int64(m.Number)
				return v
			}
		}
		v.Int = number(text)
	case schema.Text, schema.List, schema.Decimal, schema.Reference:
		v.Text = []byte(text)
	}
	return v
}

// outcome is all that loading an import told.
type outcome struct {
	target   staging.Target
	stats    map[int]staging.CopyStats
	result   staging.CheckResult
	rejects  []ingest.Reject
	warnings []ingest.Reject
}

// codes are the checks' rejects as "File:Record code Column".
func (o outcome) codes() []string {
	var out []string
	for _, r := range o.rejects {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%d:%d %s %s", r.FileNumber, r.Record, r.Code, r.Column)))
	}
	return out
}

func (w *world) next() staging.Target {
	w.seq++
	return staging.Target{Tenant: tenant, Import: ingest.NewImportID(), Seq: w.seq, Schema: w.def}
}

// load takes files through Begin, Copy, Check and Seal.
func (w *world) load(earlier []staging.Target, files ...csvFile) outcome {
	w.t.Helper()
	o, err := w.tryLoad(w.next(), earlier, files...)
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

func (w *world) tryLoad(target staging.Target, earlier []staging.Target, files ...csvFile) (outcome, error) {
	w.t.Helper()
	ctx := w.t.Context()
	o := outcome{target: target, stats: map[int]staging.CopyStats{}}
	if err := w.store.Begin(ctx, target); err != nil {
		return o, err
	}
	for i, f := range files {
		file := staging.File{Number: i + 1, Path: fmt.Sprintf("/inbox/%d.csv", i+1)}
		stats, err := w.store.Copy(ctx, target, w.def.Table(f.table), file, newRows(w.def, f), func(*ingest.Reject) error { return nil }, nil)
		if err != nil {
			return o, err
		}
		o.stats[i+1] = stats
	}
	var err error
	o.result, err = w.store.Check(ctx, target, earlier,
		func(r ingest.Reject) error { o.rejects = append(o.rejects, r); return nil },
		func(r ingest.Reject) error { o.warnings = append(o.warnings, r); return nil })
	if err != nil {
		return o, err
	}
	return o, w.store.Seal(ctx, target, sealed)
}

// sealed stands in for what notes that an import is staged.
func sealed(context.Context, pgx.Tx) error { return nil }

func (o outcome) expected() map[string]int64 {
	counts := map[string]int64{}
	for name, c := range o.result.Tables {
		if c.Staged > 0 {
			counts[name] = c.Staged
		}
	}
	return counts
}

func (w *world) promote(o outcome) map[string]ingest.PromotionCounts {
	w.t.Helper()
	counts, err := w.tryPromote(o)
	if err != nil {
		w.t.Fatal(err)
	}
	return counts
}

func (w *world) tryPromote(o outcome) (map[string]ingest.PromotionCounts, error) {
	var got map[string]ingest.PromotionCounts
	err := w.store.Promote(w.t.Context(), o.target, o.expected(),
		func(_ context.Context, _ pgx.Tx, counts map[string]ingest.PromotionCounts) error {
			got = counts
			return nil
		})
	return got, err
}

func (w *world) rollback(o outcome) error {
	return w.store.Rollback(w.t.Context(), o.target, func(context.Context, pgx.Tx) error { return nil })
}

// one queries a single value.
func one[T any](w *world, sql string, args ...any) T {
	w.t.Helper()
	var v T
	if err := w.pool.QueryRow(w.t.Context(), sql, args...).Scan(&v); err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	if _, err := w.pool.Exec(w.t.Context(), sql, args...); err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
}

// production is a hash of every row of every production table.
func (w *world) production() string {
	w.t.Helper()
	return w.productionAs("r::text")
}

// productionAs tells productions apart by an expression on their rows r.
func (w *world) productionAs(row string) string {
	w.t.Helper()
	var all strings.Builder
	for _, t := range w.def.Tables {
		all.WriteString(t.Name + " " + one[string](w, `select coalesce(md5(string_agg(`+row+`, chr(10) order by id collate "C")), '') from "production_acme".`+schema.QuoteIdent(t.SQLName)+" r") + "\n")
	}
	return all.String()
}

func id(table *schema.Table, key string) string {
	return schema.ObjectID(string(tenant), table.Prefix, key)
}
