package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"dropline/ingest"
)

// Reclaim gives a new job to every import that a worker should have in hand and that no job will take further: its job has
// ended without it, or is said to run while nobody holds its tenant's lock, because its worker was killed. It returns how
// many. Called at start and every few seconds under a lease, it makes the death of a worker harmless within seconds. A job
// too many is harmless; a lost one is taken out of River's tables as discarded, so that they do not pile up.
func (l *Ledger) Reclaim(ctx context.Context) (int, error) {
	const op = "ledger.Reclaim"
	rows, err := l.pool.Query(ctx, lostQuery+` ORDER BY i.seq`, tenantLocks, runningStates(), l.cfg.StaleJob.Seconds())
	if err != nil {
		return 0, fault(op, err)
	}
	lost, err := pgx.CollectRows(rows, pgx.RowTo[ingest.ImportID])
	if err != nil {
		return 0, fault(op, err)
	}
	reclaimed := 0
	for _, id := range lost {
		again := false
		err := l.inTx(ctx, op, func(tx pgx.Tx) error {
			var err error
			again, err = l.reclaim(ctx, tx, id)
			return err
		})
		if err != nil {
			return reclaimed, err
		}
		if again {
			reclaimed++
		}
	}
	return reclaimed, nil
}

// lostQuery finds imports without a worker to come. $1 is the class of tenant locks, $2 the states in which an import has
// or should have a worker, $3 how many seconds a job may run without the lock.
const lostQuery = `SELECT i.id FROM dropline.imports i JOIN dropline.tenants t ON t.id = i.tenant
	LEFT JOIN dropline.river_job j ON j.id = i.job_id
	WHERE i.state = ANY ($2) AND (j.id IS NULL OR j.state IN ('completed', 'cancelled', 'discarded')
		OR j.state = 'running' AND j.attempted_at < now() - make_interval(secs => $3)
		AND NOT EXISTS (SELECT FROM pg_locks k WHERE k.locktype = 'advisory' AND k.granted AND k.objsubid = 2
			AND k.database = (SELECT oid FROM pg_database WHERE datname = current_database())
			AND k.classid::bigint = $1 AND k.objid::bigint = t.number))`

// reclaim looks at one import again under its row's lock, and gives it a new job.
func (l *Ledger) reclaim(ctx context.Context, tx pgx.Tx, id ingest.ImportID) (bool, error) {
	var state ingest.State
	err := tx.QueryRow(ctx, `SELECT state FROM dropline.imports WHERE id = $1 FOR NO KEY UPDATE`, id).Scan(&state)
	if err != nil {
		return false, err
	}
	rows, err := tx.Query(ctx, lostQuery+` AND i.id = $4`, tenantLocks, runningStates(), l.cfg.StaleJob.Seconds(), id)
	if err != nil {
		return false, err
	}
	still, err := pgx.CollectRows(rows, pgx.RowTo[ingest.ImportID])
	if err != nil || len(still) == 0 {
		return false, err
	}
	_, err = tx.Exec(ctx, `UPDATE dropline.river_job SET state = 'discarded', finalized_at = now()
		WHERE id = (SELECT job_id FROM dropline.imports WHERE id = $1) AND state = 'running'`, id)
	if err != nil {
		return false, err
	}
	return true, l.enqueue(ctx, tx, id, jobFor(id, state))
}

// jobFor is the job that takes an import in that state further.
func jobFor(id ingest.ImportID, state ingest.State) river.JobArgs {
	switch state {
	case ingest.Promoting:
		return ingest.PromoteArgs{Import: id}
	case ingest.RollingBack:
		return ingest.RollbackArgs{Import: id}
	default:
		return ingest.LoadArgs{Import: id}
	}
}

// runningStates are the states in which an import has or should have a worker.
func runningStates() []string {
	return states(slices.DeleteFunc(ingest.States(), func(s ingest.State) bool { return !s.Running() }))
}

// NextJob makes the job of the tenant's oldest queued import available now, if it waits for a time to come, so that after one
// import ends the next starts at once.
func (l *Ledger) NextJob(ctx context.Context, tenant ingest.TenantID) error {
	return l.inTx(ctx, "ledger.NextJob", func(tx pgx.Tx) error {
		var queue string
		err := tx.QueryRow(ctx, `UPDATE dropline.river_job SET state = 'available', scheduled_at = now()
			WHERE id = (SELECT job_id FROM dropline.imports WHERE tenant = $1 AND state = 'queued' ORDER BY seq LIMIT 1)
			AND state IN ('scheduled', 'available') AND scheduled_at > now() RETURNING queue`, tenant).Scan(&queue)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		// As River does for a new job, so that an idle worker need not wait for its next look.
		_, err = tx.Exec(ctx, `SELECT pg_notify($1, $2)`, Schema+".river_insert", fmt.Sprintf(`{"queue": %q}`, queue))
		return err
	})
}
