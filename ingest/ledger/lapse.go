package ledger

import (
	"context"
	"time"

	"dropline/ingest"
)

// lapsing are imports whose staging tables and before-images are of no more use. $1 is the time before which a promoted,
// rolled back or rejected import is beyond going back on; a failed, cancelled or unmapped one is loaded anew if it is taken up again.
const lapsing = `i.lapsed_at IS NULL AND (i.state = 'promoted' AND i.promoted_at < $1
	OR i.state = 'rolled_back' AND i.rolled_back_at < $1 OR i.state = 'rejected' AND i.finished_at < $1
	OR i.state IN ('failed', 'cancelled', 'unmapped'))`

// LapsedImports returns up to limit imports, without their parts and oldest first, whose staging tables and before-images may
// be dropped: those over for good since before olderThan, and failed, cancelled and unmapped ones at once.
func (l *Ledger) LapsedImports(ctx context.Context, olderThan time.Time, limit int) ([]ingest.Import, error) {
	rows, err := l.pool.Query(ctx, `SELECT `+importColumns+` FROM dropline.imports i WHERE `+lapsing+`
		AND i.state IN ('promoted', 'rolled_back', 'rejected', 'failed', 'cancelled', 'unmapped') ORDER BY i.seq LIMIT $2`,
		olderThan, max(limit, 0))
	list, err := collect(rows, err, scanImport)
	return list, fault("ledger.LapsedImports", err)
}

// RecordLapsed records that an import's staging tables and before-images are gone: it can no longer be rolled back, or promoted
// by an override. Conflict if the import is in a state that needs them.
func (l *Ledger) RecordLapsed(ctx context.Context, id ingest.ImportID) error {
	const op = "ledger.RecordLapsed"
	tag, err := l.pool.Exec(ctx, `UPDATE dropline.imports SET lapsed_at = coalesce(lapsed_at, $2) WHERE id = $1
		AND state IN ('promoted', 'rolled_back', 'rejected', 'failed', 'cancelled', 'unmapped')`, id, l.now())
	if err == nil && tag.RowsAffected() == 0 {
		err = refusal(ctx, l.pool, id, 0)
	}
	return fault(op, err)
}
