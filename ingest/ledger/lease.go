package ledger

import (
	"context"
	"errors"
	"time"

	"dropline/ingest"
)

// Classes of advisory locks; the second key is a tenant's number, or a hash of a lease's name.
const (
	tenantLocks int32 = 0x64726f70 // "drop"
	leaseLocks  int32 = 0x6c656173 // "leas"
)

// livenessTimeout is how long a session may take to answer before it is taken for dead. PostgreSQL answers in a millisecond;
// a machine that swaps or a failover of some seconds should not end a load of an hour.
const livenessTimeout = 10 * time.Second

// errLost ends the context of what ran under a lock that is lost.
var errLost = errors.New("the connection that held the lock is lost")

// Lease runs fn while this process holds the named lease. It returns false at once, without running fn, if another has it.
func (l *Ledger) Lease(ctx context.Context, name string, fn func(ctx context.Context) error) (bool, error) {
	return l.withLock(ctx, "ledger.Lease", `SELECT pg_try_advisory_lock($1, hashtext($2))`, []any{leaseLocks, name}, fn)
}

// WithTenantLock runs fn while this process holds the tenant's lock, under which its imports are loaded, promoted and rolled
// back, one at a time. It returns false at once, without running fn, if another has it. fn's context ends if the lock is
// lost.
func (l *Ledger) WithTenantLock(ctx context.Context, tenant ingest.TenantID, fn func(ctx context.Context) error,
) (held bool, err error) {
	const op = "ledger.WithTenantLock"
	var number int32
	err = l.pool.QueryRow(ctx, `SELECT number FROM dropline.tenants WHERE id = $1`, tenant).Scan(&number)
	if err != nil {
		return false, fault(op, missing(err, "tenant"))
	}
	return l.withLock(ctx, op, `SELECT pg_try_advisory_lock($1, $2)`, []any{tenantLocks, number}, fn)
}

// withLock runs fn while a session of its own holds an advisory lock. PostgreSQL releases it when the session ends, however
// the process ends.
func (l *Ledger) withLock(ctx context.Context, op, try string, args []any, fn func(ctx context.Context) error) (bool, error) {
	s, err := l.openSession(ctx)
	if err != nil {
		return false, fault(op, err)
	}
	defer s.close()
	var held bool
	if err := s.conn.QueryRow(ctx, try, args...).Scan(&held); err != nil || !held {
		return false, fault(op, err)
	}
	under, lose := context.WithCancelCause(ctx)
	stop, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		l.watch(under, s, stop, lose)
	}()
	err = fn(under)
	close(stop)
	<-watched
	lost := context.Cause(under)
	lose(nil)
	if errors.Is(lost, errLost) {
		return true, ingest.E(ingest.Unavailable, op, errors.Join(errLost, err))
	}
	// Given up before the connection is closed, so that whoever comes next has it at once.
	release, cancel := context.WithTimeout(context.WithoutCancel(ctx), sessionClose)
	defer cancel()
	_, _ = s.conn.Exec(release, `SELECT pg_advisory_unlock_all()`) // closing it does the same a little later
	return true, err
}

// watch ends fn's context when the session no longer answers. It uses the connection until stop is closed.
func (l *Ledger) watch(ctx context.Context, s session, stop <-chan struct{}, lose context.CancelCauseFunc) {
	tick := time.NewTicker(l.cfg.Liveness)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		check, cancel := context.WithTimeout(context.WithoutCancel(ctx), livenessTimeout)
		_, err := s.conn.Exec(check, `SELECT 1`)
		cancel()
		if err != nil {
			lose(errLost)
			return
		}
	}
}
