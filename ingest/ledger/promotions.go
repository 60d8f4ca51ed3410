package ledger

import (
	"context"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
)

// TakePromotion notes that a worker has taken an import's promotion up, and returns the import. Conflict unless it is promoting.
func (l *Ledger) TakePromotion(ctx context.Context, id ingest.ImportID) (ingest.Import, error) {
	const op = "ledger.TakePromotion"
	var imp ingest.Import
	err := l.inTx(ctx, op, func(tx pgx.Tx) error {
		if err := need(ctx, tx, id, ingest.Promoting); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE dropline.promotions SET started_at = coalesce(started_at, $2) WHERE import_id = $1
			AND number = (SELECT max(number) FROM dropline.promotions WHERE import_id = $1)`, id, l.now())
		if err != nil {
			return err
		}
		imp, err = readImport(ctx, tx, "", id)
		return err
	})
	if err != nil {
		return ingest.Import{}, err
	}
	return imp, nil
}

// RecordPromoted records, in the transaction in which a promotion's rows are written, that it went through. Counts are by
// published table name. Conflict unless the import is promoting: the transaction must then be given up.
func (l *Ledger) RecordPromoted(ctx context.Context, tx pgx.Tx, id ingest.ImportID, counts map[string]ingest.PromotionCounts,
) error {
	const op = "ledger.RecordPromoted"
	if err := need(ctx, tx, id, ingest.Promoting); err != nil {
		return fault(op, err)
	}
	var total ingest.PromotionCounts
	var batch pgx.Batch
	for name, c := range counts {
		total.Add(c)
		batch.Queue(`UPDATE dropline.import_tables SET inserted = $3, updated = $4, unchanged = $5, deleted = $6
			WHERE import_id = $1 AND name = $2`, id, name, c.Inserted, c.Updated, c.Unchanged, c.Deleted)
	}
	now := l.now()
	batch.Queue(`UPDATE dropline.promotions SET finished_at = $2, inserted = $3, updated = $4, unchanged = $5, deleted = $6,
		error = '' WHERE import_id = $1 AND number = (SELECT max(number) FROM dropline.promotions WHERE import_id = $1)`,
		id, now, total.Inserted, total.Updated, total.Unchanged, total.Deleted)
	batch.Queue(`UPDATE dropline.imports SET state = 'promoted', promoted_at = $2, error = '', hint = '',
		promotion_order = nextval('dropline.promotion_order') WHERE id = $1`, id, now)
	return fault(op, tx.SendBatch(ctx, &batch).Close())
}

// RecordPromotionFailed takes an import back to where its promotion was asked for, staged or rejected, with the cause.
func (l *Ledger) RecordPromotionFailed(ctx context.Context, id ingest.ImportID, cause, hint string) error {
	return l.inTx(ctx, "ledger.RecordPromotionFailed", func(tx pgx.Tx) error {
		if err := need(ctx, tx, id, ingest.Promoting); err != nil {
			return err
		}
		var from ingest.State
		err := tx.QueryRow(ctx, `UPDATE dropline.promotions SET finished_at = $2, error = $3 WHERE import_id = $1
			AND number = (SELECT max(number) FROM dropline.promotions WHERE import_id = $1) RETURNING from_state`,
			id, l.now(), text(cause)).Scan(&from)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE dropline.imports SET state = $2, error = $3, hint = $4 WHERE id = $1`,
			id, from, text(cause), text(hint))
		return err
	})
}

// TakeRollback returns an import that is to be rolled back. Conflict unless it is rolling_back.
func (l *Ledger) TakeRollback(ctx context.Context, id ingest.ImportID) (ingest.Import, error) {
	const op = "ledger.TakeRollback"
	var imp ingest.Import
	err := l.inTx(ctx, op, func(tx pgx.Tx) error {
		if err := need(ctx, tx, id, ingest.RollingBack); err != nil {
			return err
		}
		var err error
		imp, err = readImport(ctx, tx, "", id)
		return err
	})
	if err != nil {
		return ingest.Import{}, err
	}
	return imp, nil
}

// RecordRolledBack records, in the transaction that puts production back, that it went through. Conflict unless the import is
// rolling_back: the transaction must then be given up.
func (l *Ledger) RecordRolledBack(ctx context.Context, tx pgx.Tx, id ingest.ImportID) error {
	const op = "ledger.RecordRolledBack"
	if err := need(ctx, tx, id, ingest.RollingBack); err != nil {
		return fault(op, err)
	}
	_, err := tx.Exec(ctx, `UPDATE dropline.imports SET state = 'rolled_back', rolled_back_at = $2, error = '', hint = ''
		WHERE id = $1`, id, l.now())
	return fault(op, err)
}

// RecordRollbackFailed takes an import back to promoted, with the cause.
func (l *Ledger) RecordRollbackFailed(ctx context.Context, id ingest.ImportID, cause, hint string) error {
	return l.inTx(ctx, "ledger.RecordRollbackFailed", func(tx pgx.Tx) error {
		if err := need(ctx, tx, id, ingest.RollingBack); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE dropline.imports SET state = 'promoted', error = $2, hint = $3 WHERE id = $1`,
			id, text(cause), text(hint))
		return err
	})
}

// need locks an import's row and refuses any state but one.
func need(ctx context.Context, tx pgx.Tx, id ingest.ImportID, want ingest.State) error {
	var state ingest.State
	err := tx.QueryRow(ctx, `SELECT state FROM dropline.imports WHERE id = $1 FOR NO KEY UPDATE`, id).Scan(&state)
	switch {
	case err != nil:
		return missing(err, "import")
	case state != want:
		return ingest.Errorf(ingest.Conflict, "", "the import is %s", spoken(state))
	}
	return nil
}
