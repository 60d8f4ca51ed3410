package loader

import (
	"context"
	"errors"

	"dropline/ingest"
	"dropline/loader/staging"

	"github.com/jackc/pgx/v5"
)

// promote moves an import's staged rows to production: the rows and the import's new state in one transaction.
func (l *Loader) promote(ctx context.Context, id ingest.ImportID, last bool) error {
	imp, err := l.cfg.Ledger.TakePromotion(ctx, id)
	if err != nil {
		return err
	}
	target, err := l.target(imp)
	if err == nil {
		err = l.cfg.Store.Promote(ctx, target, expected(imp),
			func(ctx context.Context, tx pgx.Tx, counts map[string]ingest.PromotionCounts) error {
				return l.cfg.Ledger.RecordPromoted(ctx, tx, id, counts)
			})
	}
	if ingest.KindOf(err) == ingest.Conflict && err != nil {
		// Rows that a crash took just now come back before the next try.
		if intact, intactErr := l.cfg.Store.Intact(ctx, imp.Tenant); intactErr != nil || !intact {
			err = ingest.E(ingest.Unavailable, "loader.promote", errors.Join(err, intactErr))
		}
	}
	return l.settleRequest(ctx, err, last, func(ctx context.Context, cause, hint string) error {
		return l.cfg.Ledger.RecordPromotionFailed(ctx, id, cause, hint)
	})
}

// expected is how many rows of each table the import staged: a promotion that finds another number stops.
func expected(imp ingest.Import) map[string]int64 {
	rows := make(map[string]int64, len(imp.Tables))
	for _, t := range imp.Tables {
		if t.Staged > 0 {
			rows[t.Name] = t.Staged
		}
	}
	return rows
}

// rollback puts production back to what it was before the import's promotion.
func (l *Loader) rollback(ctx context.Context, id ingest.ImportID, last bool) error {
	imp, err := l.cfg.Ledger.TakeRollback(ctx, id)
	if err != nil {
		return err
	}
	var target staging.Target
	if target, err = l.target(imp); err == nil {
		err = l.cfg.Store.Rollback(ctx, target, func(ctx context.Context, tx pgx.Tx) error {
			return l.cfg.Ledger.RecordRolledBack(ctx, tx, id)
		})
	}
	return l.settleRequest(ctx, err, last, func(ctx context.Context, cause, hint string) error {
		return l.cfg.Ledger.RecordRollbackFailed(ctx, id, cause, hint)
	})
}

// settleRequest records a promotion or rollback that cannot go through, so that the import returns to where it was with the
// reason. What may pass is left to another try.
func (l *Loader) settleRequest(ctx context.Context, cause error, last bool,
	record func(ctx context.Context, cause, hint string) error,
) error {
	if cause == nil {
		return nil
	}
	if ctx.Err() != nil {
		return errors.Join(errStopped, cause)
	}
	message, hint := ingest.MessageOf(cause), ingest.HintOf(cause)
	switch ingest.KindOf(cause) {
	case ingest.Conflict, ingest.Invalid, ingest.Denied, ingest.NotFound:
	case ingest.Exhausted, ingest.Internal, ingest.Unavailable:
		if !last || ingest.KindOf(cause) == ingest.Unavailable {
			return cause
		}
		l.cfg.Logger.ErrorContext(ctx, "a promotion or rollback failed", "err", cause)
		message, hint = "a fault in Dropline stopped it; production is as it was", "tell the operator the import's id"
	}
	ctx, cancel := recordContext(ctx)
	defer cancel()
	return record(ctx, message, hint)
}
