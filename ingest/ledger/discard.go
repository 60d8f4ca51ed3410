package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
)

// startOver forgets what was read of an import's database, unless it was read to its end: parts read at another time would not
// belong together with it. Conflict if the database can no longer be read.
func (l *Ledger) startOver(ctx context.Context, tx pgx.Tx, id ingest.ImportID) error {
	d, err := readDatabase(ctx, tx, id)
	if err != nil || d == nil || d.Plan != nil && d.Plan.Complete() {
		return err
	}
	if _, _, err := sealedOf(ctx, tx, id); err != nil {
		if known := new(ingest.Error); errors.As(err, &known) && known.Kind == ingest.NotFound {
			return ingest.WithHint(ingest.Errorf(ingest.Conflict, "", "%s", ingest.MessageOf(err)), ingest.HintOf(err))
		}
		return err
	}
	return l.discardParts(ctx, tx, id)
}

// discardParts forgets what was read of an import's database. The objects are given up as those of withdrawn drops are. The
// caller holds the inbox and the import, which no worker has in hand.
func (l *Ledger) discardParts(ctx context.Context, tx pgx.Tx, id ingest.ImportID) error {
	var batch pgx.Batch
	batch.Queue(`UPDATE dropline.drops SET state = 'withdrawn', import_id = NULL, ended_at = $2
		WHERE id IN (SELECT drop_id FROM dropline.import_files WHERE import_id = $1 AND container = 0)`, id, l.now())
	batch.Queue(`DELETE FROM dropline.import_files WHERE import_id = $1`, id)
	batch.Queue(`UPDATE dropline.imports SET bytes_total = 0, rows_total = 0 WHERE id = $1`, id)
	batch.Queue(`UPDATE dropline.import_databases SET plan = NULL, complete = false, snapshots = 0, base_id = ''
		WHERE import_id = $1`, id)
	return tx.SendBatch(ctx, &batch).Close()
}

// maxDiscards bounds for how many imports WipeSecrets gives up parts at a time.
const maxDiscards = 500

// WipeSecrets forgets the connection strings posted for imports that failed or were cancelled before the given time: until then
// they can be retried. It gives up what was read for such imports too, where that is not all of the database: nothing can be
// made of it. A complete reading stays, as files do, and can still be loaded.
func (l *Ledger) WipeSecrets(ctx context.Context, before time.Time) error {
	const op = "ledger.WipeSecrets"
	// The imports' rows are held, so that none is retried meanwhile and then misses its connection string.
	_, err := l.pool.Exec(ctx, `WITH over AS (SELECT d.import_id FROM dropline.import_databases d
			JOIN dropline.imports i ON i.id = d.import_id
			WHERE d.sealed IS NOT NULL AND i.state NOT IN ('queued', 'loading', 'validating')
			AND coalesce(i.finished_at, i.created_at) < $1 FOR NO KEY UPDATE OF i)
		UPDATE dropline.import_databases SET sealed = NULL WHERE import_id IN (SELECT import_id FROM over)`, before)
	if err != nil {
		return fault(op, err)
	}
	rows, err := l.pool.Query(ctx, `SELECT i.id FROM dropline.import_databases d JOIN dropline.imports i ON i.id = d.import_id
		WHERE `+givenUp+` LIMIT $2`, before, maxDiscards)
	list, err := collect(rows, err, func(row pgx.Row) (id ingest.ImportID, err error) {
		err = row.Scan(&id)
		return id, err
	})
	if err != nil {
		return fault(op, err)
	}
	for _, id := range list {
		if err := l.inTx(ctx, op, func(tx pgx.Tx) error { return l.discardGivenUp(ctx, tx, id, before) }); err != nil {
			return err
		}
	}
	return nil
}

// givenUp are imports d and i whose database was not read to its end, and that ended before $1.
const givenUp = `d.plan IS NOT NULL AND NOT d.complete AND i.state IN ('failed', 'cancelled')
	AND coalesce(i.finished_at, i.created_at) < $1`

// discardGivenUp gives up the parts of an import, unless it was retried since it was found.
func (l *Ledger) discardGivenUp(ctx context.Context, tx pgx.Tx, id ingest.ImportID, before time.Time) error {
	if err := lockInboxOf(ctx, tx, id); err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `SELECT FROM dropline.import_databases d JOIN dropline.imports i ON i.id = d.import_id
		WHERE `+givenUp+` AND i.id = $2 FOR NO KEY UPDATE OF i`, before, id)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	return l.discardParts(ctx, tx, id)
}
