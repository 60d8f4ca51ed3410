// Package loader holds the workers that do an import's work: they open its files, map them, stage the rows, check them,
// and on request promote them to production or roll that back. Jobs come from River in the ledger's PostgreSQL; every one
// of them may be killed anywhere and run again, by this process or another, without changing the end.
package loader

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"dropline/ingest"
	"dropline/ingest/ledger"
	"dropline/loader/staging"
	"dropline/mapping/suggest"
	"dropline/mapping/unpack"
	"dropline/schema"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"golang.org/x/sync/errgroup"
)

// Defaults and fixed times of the workers.
const (
	DefaultWorkers = 2 // imports loaded at a time: one core reads while another's PostgreSQL backend writes
	// DefaultDatabaseWorkers is how many databases are imported at a time: mostly their servers are what is waited for.
	DefaultDatabaseWorkers = 8
	DefaultRetention       = 7 * 24 * time.Hour // how long a promotion can be rolled back
	stopGrace              = 20 * time.Second   // for jobs to hand back their import when the process is asked to stop
	reclaimEvery           = 3 * time.Second    // how soon an import is taken up again after its worker was killed
	restoreEvery           = 5 * time.Second    // how soon staged rows are there again after a crash of PostgreSQL
	lapseEvery             = time.Minute
	keepSecrets            = 7 * 24 * time.Hour // that an import failed or was cancelled can be retried with its connection string
	lapseBatch             = 50                 // imports whose tables are dropped per round, so that a round stays short
)

// Config is what a Loader needs.
type Config struct {
	Pool      *pgxpool.Pool
	Ledger    *ledger.Ledger
	Bucket    ingest.Bucket
	Store     *staging.Store
	Schemas   *schema.Catalogue
	Databases Databases
	Logger    *slog.Logger     // nil: slog.Default
	Clock     func() time.Time // nil: time.Now
	Workers   int              // imports worked on at a time; 0: DefaultWorkers
	// DatabaseWorkers is how many databases are imported beside them; 0: DefaultDatabaseWorkers. Of all of these DatabaseParts
	// parts are copied at a time, each over up to two of the Store's connections; 0: DefaultDatabaseWorkers.
	DatabaseWorkers, DatabaseParts int
	Unpack                         unpack.Config // how archives, workbooks and encrypted files are opened
	// Keys returns a tenant's OpenPGP keys; nil: there are none.
	Keys      func(context.Context, ingest.TenantID) (unpack.Keyring, error)
	Propose   Propose       // drafts mappings; nil: suggest.Propose
	Retention time.Duration // of before-images and staging tables; 0: DefaultRetention
}

func (c *Config) validate() error {
	if c.Pool == nil || c.Ledger == nil || c.Bucket == nil || c.Store == nil || c.Schemas == nil {
		return ingest.Errorf(ingest.Internal, "loader.New", "a pool, ledger, bucket, store or catalogue is missing")
	}
	if c.Workers < 0 || c.Retention < 0 || c.DatabaseWorkers < 0 || c.DatabaseParts < 0 {
		return ingest.Errorf(ingest.Invalid, "loader.New", "the number of workers or the retention is negative")
	}
	if c.Workers == 0 {
		c.Workers = DefaultWorkers
	}
	if c.DatabaseWorkers == 0 {
		c.DatabaseWorkers = DefaultDatabaseWorkers
	}
	if c.DatabaseParts == 0 {
		c.DatabaseParts = DefaultDatabaseWorkers
	}
	if c.Propose == nil {
		c.Propose = suggest.Propose
	}
	if c.Retention == 0 {
		c.Retention = DefaultRetention
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return nil
}

// Loader runs the workers of one process.
type Loader struct {
	cfg      Config
	river    *river.Client[pgx.Tx]
	places   places
	unpacker *unpack.Unpacker
}

// New returns a Loader that Run starts.
func New(cfg Config) (*Loader, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	l := &Loader{cfg: cfg, places: newPlaces(cfg.DatabaseParts), unpacker: unpack.New(cfg.Unpack)}
	workers := river.NewWorkers()
	river.AddWorker(workers, &loadWorker{l: l})
	river.AddWorker(workers, &promoteWorker{l: l})
	river.AddWorker(workers, &rollbackWorker{l: l})
	client, err := river.NewClient(riverpgxv5.New(cfg.Pool), &river.Config{
		Schema:  ledger.Schema,
		Workers: workers,
		Logger:  slog.New(warningsOnly{cfg.Logger.Handler()}),
		Queues: map[string]river.QueueConfig{
			ledger.QueueLoad:     {MaxWorkers: cfg.Workers},
			ledger.QueueDatabase: {MaxWorkers: cfg.DatabaseWorkers},
			ledger.QueuePromote:  {MaxWorkers: cfg.Workers},
		},
		JobTimeout:        -1, // a load may take hours; it is watched by its own heartbeat
		FetchCooldown:     20 * time.Millisecond,
		FetchPollInterval: 500 * time.Millisecond,
		RetryPolicy:       retryPolicy{clock: cfg.Clock},
		// Snoozes (a tenant's next import waits for the one before) are ordinary; River's own rescue of lost jobs is slower
		// than the ledger's Reclaim and is left as the second net.
		RescueStuckJobsAfter: 6 * time.Hour,
	})
	if err != nil {
		return nil, ingest.E(ingest.Internal, "loader.New", err)
	}
	l.river = client
	return l, nil
}

// Run works until ctx ends, then hands back the imports in hand, so that the next start takes them up at once, and returns.
func (l *Loader) Run(ctx context.Context) error {
	// River gets a context of its own: it ends its jobs when told to stop, not when ctx does.
	if err := l.river.Start(context.WithoutCancel(ctx)); err != nil {
		return ingest.E(ingest.Unavailable, "loader.Run", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return l.every(ctx, reclaimEvery, "reclaim", l.reclaim) })
	g.Go(func() error { return l.every(ctx, lapseEvery, "lapse", l.lapse) })
	g.Go(func() error { return l.every(ctx, restoreEvery, "restore", l.restore) })
	g.Go(func() error {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
		defer cancel()
		return ingest.E(ingest.Internal, "loader.Run", l.river.StopAndCancel(stop))
	})
	return g.Wait()
}

// every runs fn at once and then periodically, in one process at a time, until ctx ends. What fails is logged and done
// again at the next turn: nothing waits for it.
func (l *Loader) every(ctx context.Context, period time.Duration, name string, fn func(context.Context) error) error {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		if _, err := l.cfg.Ledger.Lease(ctx, name, fn); err != nil && ctx.Err() == nil {
			l.cfg.Logger.WarnContext(ctx, "periodic work was put off", "work", name, "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// reclaim finds imports whose worker is gone and gives them a job again.
func (l *Loader) reclaim(ctx context.Context) error {
	n, err := l.cfg.Ledger.Reclaim(ctx)
	if n > 0 {
		l.cfg.Logger.InfoContext(ctx, "took up work that had lost its worker", "imports", n)
	}
	return err
}

// lapse drops the tables of imports that can no longer be promoted or rolled back.
func (l *Loader) lapse(ctx context.Context) error {
	if err := l.cfg.Ledger.WipeSecrets(ctx, l.cfg.Clock().Add(-keepSecrets)); err != nil {
		return err
	}
	imports, err := l.cfg.Ledger.LapsedImports(ctx, l.cfg.Clock().Add(-l.cfg.Retention), lapseBatch)
	if err != nil {
		return err
	}
	for _, imp := range imports {
		// One that is busy is left to the next round.
		if _, err := l.cfg.Ledger.WithTenantLock(ctx, imp.Tenant, func(ctx context.Context) error {
			return l.lapseOne(ctx, imp)
		}); err != nil {
			return err
		}
	}
	return nil
}

// lapseOne drops one import's tables, unless it has been taken up again since it was found. The caller holds the tenant's
// lock.
func (l *Loader) lapseOne(ctx context.Context, imp ingest.Import) error {
	now, err := l.cfg.Ledger.Import(ctx, imp.Tenant, imp.ID)
	if err != nil || now.State != imp.State {
		return err
	}
	target, err := l.target(imp)
	if err != nil {
		return err
	}
	if err := l.cfg.Store.Drop(ctx, target); err != nil {
		return err
	}
	return l.cfg.Ledger.RecordLapsed(ctx, imp.ID)
}

// target names an import's own tables.
func (l *Loader) target(imp ingest.Import) (staging.Target, error) {
	s, ok := l.cfg.Schemas.Lookup(imp.Schema)
	if !ok {
		return staging.Target{}, ingest.WithHint(
			ingest.Errorf(ingest.Invalid, "loader.target", "the ETL schema %q is not known to this worker", imp.Schema),
			"start every worker with the same schema definitions")
	}
	return staging.Target{Tenant: imp.Tenant, Import: imp.ID, Seq: imp.Seq, Schema: s}, nil
}

// retryPolicy says when a job that failed runs again: soon at first, then each half minute. Trouble that is known to pass
// (PostgreSQL or S3 out of reach) does not come here: it snoozes, without limit.
type retryPolicy struct{ clock func() time.Time }

const maxBackoff = 30 * time.Second

// NextRetry doubles the wait from one second up to maxBackoff.
func (p retryPolicy) NextRetry(job *riverJobRow) time.Time {
	wait := time.Second << min(max(job.Attempt-1, 0), 5)
	return p.clock().Add(min(wait, maxBackoff))
}

var errStopped = errors.New("the worker was asked to stop")

// warningsOnly keeps River's counts of jobs, told every few seconds, out of the log.
type warningsOnly struct{ slog.Handler }

// Enabled implements slog.Handler.
func (h warningsOnly) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}
