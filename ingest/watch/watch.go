// Package watch turns files at rest into imports: it closes batches when their quiet period is over, and sweeps the bucket
// for what a crash left unregistered and for what others wrote straight into it.
package watch

import (
	"context"
	"log/slog"
	"time"

	"dropline/ingest"

	"golang.org/x/sync/errgroup"
)

// Defaults and fixed times.
const (
	DefaultSweepEvery = 30 * time.Second
	longestWait       = 5 * time.Second // between two looks at the batches, should a notice of an arrival be lost
	retryWait         = time.Second     // after the ledger could not be asked
	expireBatch       = 500             // objects deleted in one sweep per round
)

// ledger is what a Watcher asks of the ledger.
type ledger interface {
	ingest.Batches
	ingest.Files
	Tenant(ctx context.Context, id ingest.TenantID) (ingest.Tenant, error)
	Import(ctx context.Context, tenant ingest.TenantID, id ingest.ImportID) (ingest.Import, error)
}

// Config is what a Watcher needs.
type Config struct {
	Ledger     ledger
	Bucket     ingest.Bucket
	Receiver   *ingest.Receiver
	Logger     *slog.Logger     // nil: slog.Default
	Clock      func() time.Time // nil: time.Now
	SweepEvery time.Duration    // 0: DefaultSweepEvery
	// Settle is how old an unregistered object or a foreign one must be before the sweep takes it: younger ones are
	// still somebody's to register, or to overwrite. 0: DefaultSettle.
	Settle time.Duration
}

// DefaultSettle leaves an upload that is being registered ample time to end by itself.
const DefaultSettle = 5 * time.Second

func (c *Config) validate() error {
	if c.Ledger == nil || c.Bucket == nil || c.Receiver == nil {
		return ingest.Errorf(ingest.Internal, "watch.New", "a ledger, bucket or receiver is missing")
	}
	if c.SweepEvery < 0 || c.Settle < 0 {
		return ingest.Errorf(ingest.Invalid, "watch.New", "a period is negative")
	}
	if c.SweepEvery == 0 {
		c.SweepEvery = DefaultSweepEvery
	}
	if c.Settle == 0 {
		c.Settle = DefaultSettle
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	return nil
}

// Watcher closes batches and sweeps. Several may run, in as many processes.
type Watcher struct {
	cfg Config
	// These are guarded by the sweep's lease, which also keeps this process from sweeping twice at once.
	sweptAll   bool
	sweptParts string              // key of a database's part up to which all have been looked at
	strangers  map[string]struct{} // told of already
}

// New returns a Watcher that Run starts.
func New(cfg Config) (*Watcher, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Watcher{cfg: cfg, strangers: map[string]struct{}{}}, nil
}

// Run works until ctx ends.
func (w *Watcher) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { w.closeBatches(ctx); return nil })
	g.Go(func() error { w.sweepEvery(ctx); return nil })
	return g.Wait()
}

// closeBatches makes imports of batches as their quiet periods end.
func (w *Watcher) closeBatches(ctx context.Context) {
	arrivals := w.cfg.Ledger.Arrivals(ctx)
	for ctx.Err() == nil {
		made, next, err := w.cfg.Ledger.CloseBatches(ctx)
		wait := longestWait
		switch {
		case err != nil && ctx.Err() == nil:
			w.cfg.Logger.WarnContext(ctx, "batches could not be looked at", "err", err)
			wait = retryWait
		case !next.IsZero():
			wait = min(max(next.Sub(w.cfg.Clock()), 0)+time.Millisecond, longestWait)
		}
		for _, id := range made {
			w.cfg.Logger.InfoContext(ctx, "batch closed", "import", id)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case _, ok := <-arrivals:
			if !ok {
				arrivals = nil // ctx is ending
			}
		case <-timer.C:
		}
		timer.Stop()
	}
}

// sweepEvery sweeps at once and then periodically, in one process at a time.
func (w *Watcher) sweepEvery(ctx context.Context) {
	tick := time.NewTicker(w.cfg.SweepEvery)
	defer tick.Stop()
	for {
		if _, err := w.cfg.Ledger.Lease(ctx, "sweep", w.Sweep); err != nil && ctx.Err() == nil {
			w.cfg.Logger.WarnContext(ctx, "the sweep was put off", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
