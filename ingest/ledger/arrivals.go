package ledger

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"dropline/ingest"
)

// arrivalsChannel is where arrivals are announced.
const arrivalsChannel = "dropline_arrivals"

const (
	// announceEvery bounds how often one process announces a tenant's arrivals. NOTIFY takes a lock that serialises all
	// commits that notify, so it is not part of Register's transaction, and not done for each of 2,000 files.
	announceEvery = 100 * time.Millisecond
	// announceTimeout keeps a slow announcement from delaying an answer: it is only a hint.
	announceTimeout = time.Second
	// maxAnnounced bounds the memory of who was announced when.
	maxAnnounced = 10_000
	// reconnectAfter is how long Arrivals waits before it connects again; polling goes on meanwhile.
	reconnectAfter = time.Second
)

// announcer remembers when each tenant was last announced.
type announcer struct {
	mu   *sync.Mutex
	last map[ingest.TenantID]time.Time
}

func newAnnouncer() announcer {
	return announcer{mu: new(sync.Mutex), last: make(map[ingest.TenantID]time.Time)}
}

func (a announcer) due(tenant ingest.TenantID, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now.Sub(a.last[tenant]) < announceEvery {
		return false
	}
	if len(a.last) >= maxAnnounced {
		clear(a.last)
	}
	a.last[tenant] = now
	return true
}

// announceArrival tells all processes that a drop was registered. That is a hint: who misses it looks a little later.
func (l *Ledger) announceArrival(ctx context.Context, tenant ingest.TenantID) {
	if !l.announce.due(tenant, time.Now()) { // the real time: this is about load, not about what is recorded
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), announceTimeout)
	defer cancel()
	if _, err := l.pool.Exec(ctx, `SELECT pg_notify($1, '')`, arrivalsChannel); err != nil {
		l.log.DebugContext(ctx, "an arrival was not announced", "err", err)
	}
}

// Arrivals returns a channel that receives something soon after a drop was registered anywhere, and every PollInterval even if
// nothing was heard. It is closed when ctx ends.
func (l *Ledger) Arrivals(ctx context.Context) <-chan struct{} {
	arrivals := make(chan struct{}, 1)
	var both sync.WaitGroup
	both.Go(func() { l.listen(ctx, arrivals) })
	both.Go(func() {
		tick := time.NewTicker(l.cfg.PollInterval)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				wake(arrivals)
			}
		}
	})
	go func() {
		both.Wait()
		close(arrivals)
	}()
	return arrivals
}

// listen hears announcements until ctx ends, over a new connection whenever one is lost.
func (l *Ledger) listen(ctx context.Context, arrivals chan<- struct{}) {
	level := slog.LevelWarn
	for ctx.Err() == nil {
		err := l.hear(ctx, arrivals, func() { level = slog.LevelWarn })
		if ctx.Err() != nil {
			return
		}
		l.log.Log(ctx, level, "arrivals are polled until the database is back", "err", err)
		level = slog.LevelDebug // once for each outage
		select {
		case <-ctx.Done():
		case <-time.After(reconnectAfter):
		}
	}
}

func (l *Ledger) hear(ctx context.Context, arrivals chan<- struct{}, connected func()) error {
	s, err := l.openSession(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	if _, err := s.conn.Exec(ctx, "LISTEN "+arrivalsChannel); err != nil {
		return err
	}
	connected()
	wake(arrivals) // for what came while nobody listened
	for {
		if _, err := s.conn.WaitForNotification(ctx); err != nil {
			return err
		}
		wake(arrivals)
	}
}

// wake leaves one thing in the channel; a second would say nothing more.
func wake(arrivals chan<- struct{}) {
	select {
	case arrivals <- struct{}{}:
	default:
	}
}
