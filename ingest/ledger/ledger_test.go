package ledger_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"dropline/ingest"
	"dropline/ingest/ledger"
	"dropline/internal/devstack/devtest"
)

// acme is the tenant of most tests, globex the one that must not see what is acme's.
const (
	acme   ingest.TenantID = "acme"
	globex ingest.TenantID = "globex"
)

// clock is a clock that moves when told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 22, 10, 15, 3, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// ctx is short for the one type that every signature has.
type ctx = context.Context

// world is a ledger in a database of its own, with two tenants.
type world struct {
	*ledger.Ledger
	t     testing.TB
	pool  *pgxpool.Pool
	dsn   string
	clock *clock
	sent  atomic.Int64
}

func newWorld(t testing.TB, change ...func(*ledger.Config)) *world {
	t.Helper()
	w := &world{t: t, dsn: migrated(t), clock: newClock()}
	w.Ledger, w.pool = w.open(change...)
	for _, id := range []ingest.TenantID{acme, globex} {
		_, err := w.CreateTenant(t.Context(), ingest.Tenant{
			ID: id, Name: string(id), Schema: ingest.DefaultSchema, TimeZone: "UTC", Enabled: true,
			QuietPeriod: 10 * time.Second, RejectLimit: 0.1,
		})
		w.must(err)
	}
	return w
}

// template is a database that has been migrated once for all tests: copying it is much cheaper than migrating each. It goes
// with the server, when the tests are over.
var template struct {
	sync.Mutex
	admin  string // a database to connect to while the template is copied
	serial int
}

// migrated is a connection string to a new database with the ledger's tables, dropped when the test ends.
func migrated(t testing.TB) string {
	t.Helper()
	template.Lock()
	defer template.Unlock()
	if template.admin == "" {
		admin := database(t, devtest.Postgres(t), "postgres")
		execute(t, admin, "CREATE DATABASE ledger_template")
		pool, err := pgxpool.New(t.Context(), database(t, admin, "ledger_template"))
		if err != nil {
			t.Fatal(err)
		}
		defer pool.Close()
		l, err := ledger.Open(t.Context(), ledger.Config{Pool: pool})
		if err == nil {
			err = l.Migrate(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		pool.Close()
		template.admin = admin
	}
	template.serial++
	name := fmt.Sprintf("ledger_%d", template.serial)
	execute(t, template.admin, "CREATE DATABASE "+name+" TEMPLATE ledger_template STRATEGY file_copy")
	t.Cleanup(func() { execute(t, template.admin, "DROP DATABASE "+name+" WITH (FORCE)") })
	return database(t, template.admin, name)
}

// database is a connection string to another database of the same server.
func database(t testing.TB, dsn, name string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal("the server's address does not parse")
	}
	u.Path = "/" + name
	return u.String()
}

func execute(t testing.TB, dsn, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err == nil {
		_, err = conn.Exec(ctx, sql)
		err = errors.Join(err, conn.Close(ctx))
	}
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// open opens a further ledger on the same database, as another process would.
func (w *world) open(change ...func(*ledger.Config)) (*ledger.Ledger, *pgxpool.Pool) {
	w.t.Helper()
	pool, err := pgxpool.New(context.Background(), w.dsn)
	w.must(err)
	w.t.Cleanup(pool.Close)
	cfg := ledger.Config{Pool: pool, Clock: w.clock.Now, PollInterval: time.Hour, Liveness: 50 * time.Millisecond}
	for _, c := range change {
		c(&cfg)
	}
	l, err := ledger.Open(w.t.Context(), cfg)
	w.must(err)
	return l, pool
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// only is the error of a call whose result is not looked at.
func only(_ any, err error) error { return err }

// want fails unless err is of that kind.
func (w *world) want(err error, kind ingest.Kind) {
	w.t.Helper()
	if err == nil || ingest.KindOf(err) != kind {
		w.t.Fatalf("got %v, want an error of kind %v", err, kind)
	}
}

// registration is of a new object with that content.
func (w *world) registration(tenant ingest.TenantID, path, content string) ingest.Registration {
	id := ingest.NewDropID()
	return ingest.Registration{
		Delivery:   ingest.Delivery{Tenant: tenant, Path: path, Via: ingest.ViaSFTP, By: "key of " + string(tenant)},
		ID:         id,
		Key:        fmt.Sprintf("drops/%s/%s", tenant, id),
		Size:       int64(len(content)),
		SHA256:     sha256.Sum256([]byte(content)),
		HashState:  []byte("state of " + content),
		ReceivedAt: w.clock.Now(),
	}
}

// drop registers a file of acme's.
func (w *world) drop(path, content string) ingest.Drop {
	w.t.Helper()
	d, err := w.Register(w.t.Context(), w.registration(acme, path, content))
	w.must(err)
	return d
}

func (w *world) park(kind ingest.EntryKind, path, content string) ingest.Entry {
	w.t.Helper()
	e, err := w.Park(w.t.Context(), kind, w.registration(acme, path, content))
	w.must(err)
	return e
}

// close lets the quiet period pass and closes the batches, of which there must be one.
func (w *world) close() ingest.Import {
	w.t.Helper()
	w.clock.advance(10 * time.Second)
	made, _, err := w.CloseBatches(w.t.Context())
	w.must(err)
	if len(made) != 1 {
		w.t.Fatalf("closed %d batches, want 1", len(made))
	}
	return w.imp(made[0])
}

func (w *world) imp(id ingest.ImportID) ingest.Import {
	w.t.Helper()
	imp, err := w.Import(w.t.Context(), "", id)
	w.must(err)
	return imp
}

func (w *world) take(id ingest.ImportID) ingest.Import {
	w.t.Helper()
	imp, err := w.Take(w.t.Context(), id)
	w.must(err)
	return imp
}

// finish loads a queued import to its end.
func (w *world) finish(id ingest.ImportID, state ingest.State) ingest.Import {
	w.t.Helper()
	imp := w.take(id)
	w.must(w.StartValidating(w.t.Context(), id, imp.Attempt))
	imp, err := w.Finish(w.t.Context(), id, imp.Attempt, ledger.Outcome{State: state})
	w.must(err)
	return imp
}

// promote takes a staged import to production.
func (w *world) promote(id ingest.ImportID) {
	w.t.Helper()
	_, err := w.RequestPromotion(w.t.Context(), "", id, "an operator", "")
	w.must(err)
	w.promoted(id)
}

func (w *world) promoted(id ingest.ImportID) {
	w.t.Helper()
	_, err := w.TakePromotion(w.t.Context(), id)
	w.must(err)
	w.must(pgx.BeginFunc(w.t.Context(), w.pool, func(tx pgx.Tx) error {
		return w.RecordPromoted(w.t.Context(), tx, id, nil)
	}))
}

func (w *world) rolledBack(id ingest.ImportID) {
	w.t.Helper()
	_, err := w.TakeRollback(w.t.Context(), id)
	w.must(err)
	w.must(pgx.BeginFunc(w.t.Context(), w.pool, func(tx pgx.Tx) error {
		return w.RecordRolledBack(w.t.Context(), tx, id)
	}))
}

func (w *world) rollBack(id ingest.ImportID) {
	w.t.Helper()
	_, err := w.RequestRollback(w.t.Context(), "", id, "an operator")
	w.must(err)
	w.rolledBack(id)
}

func (w *world) state(id ingest.ImportID) ingest.State {
	w.t.Helper()
	return w.imp(id).State
}

// dropNow is the drop as it is by now.
func (w *world) dropNow(id ingest.DropID) ingest.Drop {
	w.t.Helper()
	d, err := w.Drop(w.t.Context(), acme, id)
	w.must(err)
	return d
}

// names lists a folder of acme's.
func (w *world) names(folder string) []string {
	w.t.Helper()
	list, err := w.List(w.t.Context(), acme, folder, "", 1000)
	w.must(err)
	names := []string{}
	for _, e := range list {
		names = append(names, e.Path[len(folder)+1:])
	}
	return names
}

func (w *world) query(sql string, args ...any) (n int64) {
	w.t.Helper()
	w.must(w.pool.QueryRow(w.t.Context(), sql, args...).Scan(&n))
	return n
}

// same fails if what was got is not what was wanted.
func same[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
