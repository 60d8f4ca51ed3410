package ledger

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"dropline/ingest"
)

// Schema is the PostgreSQL schema that holds the ledger and River's tables.
const Schema = "dropline"

// Config says how a ledger works. Pool is required.
type Config struct {
	// Pool reaches the database. The ledger does not close it. Leases, tenant locks and Arrivals use connections of their
	// own, opened with the pool's settings.
	Pool *pgxpool.Pool
	// Logger gets what cannot be returned to a caller, such as a lost connection of Arrivals. Default: discarded.
	Logger *slog.Logger
	// Clock tells the time that is recorded. Default: time.Now.
	Clock func() time.Time
	// DiscardRetention is how long the objects of superseded and withdrawn drops are kept. Default: 24 hours.
	DiscardRetention time.Duration
	// PollInterval is how often Arrivals reports even if nothing was heard. Default: 2 seconds.
	PollInterval time.Duration
	// Liveness is how often the connection behind a lease or tenant lock is checked. Default: 2 seconds.
	Liveness time.Duration
	// StaleJob is how long a running job may be without its tenant's lock before Reclaim takes its worker for dead. It
	// covers the time between fetching a job and taking the lock. Default: 5 seconds.
	StaleJob time.Duration
}

// Ledger is the PostgreSQL record. It is safe for concurrent use and needs no closing: what runs in the background ends
// with the context it was called with.
type Ledger struct {
	pool     *pgxpool.Pool
	log      *slog.Logger
	clock    func() time.Time
	cfg      Config
	jobs     *river.Client[pgx.Tx]
	hashing  chan struct{} // bounds password hashing
	announce announcer
}

var _ ingest.Ledger = (*Ledger)(nil)

// Open returns the ledger in the database that cfg.Pool reaches. It does not create or change tables: that is Migrate's. It
// refuses (Invalid) a database whose tables are newer than this program, and is Unavailable if the database is.
func Open(ctx context.Context, cfg Config) (*Ledger, error) {
	const op = "ledger.Open"
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	jobs, err := river.NewClient(riverpgxv5.New(cfg.Pool), &river.Config{Schema: Schema, Logger: cfg.Logger})
	if err != nil {
		return nil, fault(op, err)
	}
	l := &Ledger{
		pool: cfg.Pool, log: cfg.Logger, clock: cfg.Clock, cfg: cfg, jobs: jobs,
		hashing: make(chan struct{}, maxHashing), announce: newAnnouncer(),
	}
	if _, err := l.version(ctx); err != nil {
		return nil, fault(op, err)
	}
	return l, nil
}

// validate checks the configuration and fills in defaults.
func (c *Config) validate() error {
	const op = "ledger.Config"
	if c.Pool == nil {
		return ingest.Errorf(ingest.Internal, op, "a connection pool is required")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		usual time.Duration
	}{
		{"DiscardRetention", &c.DiscardRetention, 24 * time.Hour},
		{"PollInterval", &c.PollInterval, 2 * time.Second},
		{"Liveness", &c.Liveness, 2 * time.Second},
		{"StaleJob", &c.StaleJob, 5 * time.Second},
	} {
		if *d.value < 0 {
			return ingest.Errorf(ingest.Invalid, op, "%s is negative", d.name)
		}
		if *d.value == 0 {
			*d.value = d.usual
		}
	}
	return nil
}

// Healthy reports whether PostgreSQL can be reached and its schema is the one this program expects.
func (l *Ledger) Healthy(ctx context.Context) error {
	const op = "ledger.Healthy"
	version, err := l.version(ctx)
	if err != nil {
		return fault(op, err)
	}
	if want := latestVersion(); version != want {
		return ingest.WithHint(ingest.Errorf(ingest.Unavailable, op,
			"the ledger's tables are of version %d, this program needs %d", version, want),
			"wait until the tables have been migrated, or start a server of this version")
	}
	return nil
}

// now is the injected clock's time as PostgreSQL keeps it.
func (l *Ledger) now() time.Time { return l.clock().UTC().Truncate(time.Microsecond) }

// inTx runs fn in a transaction, again if PostgreSQL chose it as the victim of a conflict, and translates its error.
func (l *Ledger) inTx(ctx context.Context, op string, fn func(tx pgx.Tx) error) error {
	var err error
	for range maxTries {
		err = pgx.BeginFunc(ctx, l.pool, fn)
		if !victim(err) {
			break
		}
	}
	return fault(op, err)
}

// maxTries bounds how often a transaction is tried that keeps running into others: locks are taken in one order, so a second
// try is rare and a fifth has not been seen.
const maxTries = 5

// lockInbox takes the lock under which a tenant's drops, tree and imports change.
func lockInbox(ctx context.Context, tx pgx.Tx, tenant ingest.TenantID) error {
	_, err := tx.Exec(ctx, `SELECT dropline.lock_inbox($1)`, tenant)
	return err
}

// missing turns "no rows" into an error of kind NotFound that says what is not there.
func missing(err error, what string) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return ingest.Errorf(ingest.NotFound, "", "there is no such %s", what)
	}
	return err
}
