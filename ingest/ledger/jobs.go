package ledger

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"dropline/ingest"
)

// Queues of River's jobs. Promotions have their own, so that they do not wait behind a row of long loads.
const (
	QueueLoad     = "load"
	QueueDatabase = "database" // imports of clients' databases, which may take as long as their servers like
	QueuePromote  = "promote"
)

// MaxAttempts is how often a job is tried: with River's waits in between, some weeks, longer than any outage.
const MaxAttempts = 25

// enqueue inserts the job that takes an import further, in the transaction that records why, and notes it with the import.
func (l *Ledger) enqueue(ctx context.Context, tx pgx.Tx, id ingest.ImportID, args river.JobArgs) error {
	queue := QueuePromote
	if args.Kind() == (ingest.LoadArgs{}).Kind() {
		queue = QueueLoad
		var database bool
		err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM dropline.import_databases WHERE import_id = $1)`, id).Scan(&database)
		if err != nil {
			return err
		}
		if database {
			queue = QueueDatabase
		}
	}
	job, err := l.jobs.InsertTx(ctx, tx, args, &river.InsertOpts{Queue: queue, MaxAttempts: MaxAttempts})
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE dropline.imports SET job_id = $2 WHERE id = $1`, id, job.Job.ID)
	return err
}
