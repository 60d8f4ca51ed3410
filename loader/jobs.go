package loader

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dropline/ingest"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

type riverJobRow = rivertype.JobRow

const (
	blockedSnooze = time.Second      // an earlier import of the tenant is still under way; its end wakes this one sooner
	longestSnooze = 30 * time.Second // of one that has waited long: a tenant may have thousands, and each look costs others time
	troubleSnooze = 2 * time.Second  // PostgreSQL or S3 is out of reach
	maxAttempts   = 6                // of a job that fails for a reason that is not known to pass
	recordTimeout = 10 * time.Second // for writing down how a job ended when its own context has ended
)

type loadWorker struct {
	river.WorkerDefaults[ingest.LoadArgs]
	l *Loader
}

// Work loads one import.
func (w *loadWorker) Work(ctx context.Context, job *river.Job[ingest.LoadArgs]) error {
	return w.l.work(ctx, job.JobRow, job.Args.Import, w.l.load)
}

type promoteWorker struct {
	river.WorkerDefaults[ingest.PromoteArgs]
	l *Loader
}

// Work promotes one import.
func (w *promoteWorker) Work(ctx context.Context, job *river.Job[ingest.PromoteArgs]) error {
	return w.l.work(ctx, job.JobRow, job.Args.Import, w.l.promote)
}

type rollbackWorker struct {
	river.WorkerDefaults[ingest.RollbackArgs]
	l *Loader
}

// Work rolls one import back.
func (w *rollbackWorker) Work(ctx context.Context, job *river.Job[ingest.RollbackArgs]) error {
	return w.l.work(ctx, job.JobRow, job.Args.Import, w.l.rollback)
}

// task does one kind of work on an import. last says that a failure will not be tried again and must be recorded as final.
type task func(ctx context.Context, id ingest.ImportID, last bool) error

// work runs do for the import while no other worker does anything for its tenant, and tells River what is to become of
// the job.
func (l *Loader) work(ctx context.Context, job *rivertype.JobRow, id ingest.ImportID, do task) (err error) {
	defer func() {
		// River would survive a panic, but would not know how to count it.
		if p := recover(); p != nil {
			l.cfg.Logger.ErrorContext(ctx, "a job panicked", "import", id, "panic", p)
			err = ingest.Errorf(ingest.Internal, "loader.work", "a fault in Dropline: %v", p)
		}
	}()
	imp, err := l.cfg.Ledger.Import(ctx, "", id)
	if err != nil {
		return l.settle(ctx, job, id, err)
	}
	loads := job.Kind == (ingest.LoadArgs{}).Kind()
	blocked := false
	if loads { // which is seen without the lock, whose taking costs a session of PostgreSQL's
		if blocked, err = l.cfg.Ledger.Blocked(ctx, id); err == nil && blocked {
			return river.JobSnooze(snooze(l.cfg.Clock().Sub(job.CreatedAt)))
		}
		if err != nil {
			return l.settle(ctx, job, id, err)
		}
	}
	held, err := l.cfg.Ledger.WithTenantLock(ctx, imp.Tenant, func(ctx context.Context) error {
		if err := l.restoreTenant(ctx, imp.Tenant); err != nil {
			return err
		}
		if loads {
			var err error
			if blocked, err = l.cfg.Ledger.Blocked(ctx, id); err != nil || blocked {
				return err
			}
		}
		return do(ctx, id, job.Attempt >= maxAttempts)
	})
	if err == nil && (!held || blocked) {
		return river.JobSnooze(blockedSnooze)
	}
	if err == nil || ingest.KindOf(err) == ingest.Conflict {
		// The tenant's next import, if one waits, starts now rather than at its next look.
		if next := l.cfg.Ledger.NextJob(ctx, imp.Tenant); err == nil {
			err = next
		}
	}
	return l.settle(ctx, job, id, err)
}

// snooze is how long an import waits for its next look that has waited for so long: a twentieth of that.
func snooze(waited time.Duration) time.Duration {
	return min(max(waited/20, blockedSnooze), longestSnooze)
}

// settle translates how the work ended into what River does with the job.
func (l *Loader) settle(ctx context.Context, job *rivertype.JobRow, id ingest.ImportID, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errStopped) || ctx.Err() != nil:
		return river.JobSnooze(0) // the next process to look takes it up
	case ingest.KindOf(err) == ingest.Conflict:
		// The import is no longer in a state that wants this job: cancelled, or another worker has done it.
		l.cfg.Logger.InfoContext(ctx, "a job is no longer wanted", "import", id, "job", job.Kind, "why", err)
		return nil
	case ingest.KindOf(err) == ingest.NotFound:
		return river.JobCancel(err)
	case ingest.KindOf(err) == ingest.Unavailable:
		l.cfg.Logger.WarnContext(ctx, "an import waits for PostgreSQL or S3", "import", id, "err", err)
		return river.JobSnooze(troubleSnooze)
	}
	l.cfg.Logger.ErrorContext(ctx, "a job failed", "import", id, "job", job.Kind, "attempt", job.Attempt, "err", err)
	if job.Attempt >= maxAttempts {
		return river.JobCancel(fmt.Errorf("gave up after %d attempts: %w", job.Attempt, err))
	}
	return err
}

// recordContext outlives ctx for as long as it takes to write down how a job ended.
func recordContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
}
