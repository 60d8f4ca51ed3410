package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
)

// batch is a tenant's pending drops.
type batch struct {
	tenant  ingest.TenantID
	quiet   time.Duration
	arrived time.Time // last sign of something arriving
	oldest  time.Time // of the pending drops
}

// closes is when the batch closes unless something arrives.
func (b batch) closes() time.Time {
	quiet, longest := b.arrived.Add(b.quiet), b.oldest.Add(ingest.MaxBatchWait)
	if longest.Before(quiet) {
		return longest
	}
	return quiet
}

// CloseBatches makes one import with its job, in one transaction each, of all pending drops of each enabled tenant whose batch
// is due. It returns the imports made, and when to look again. A tenant whose import cannot be made does not keep back the
// others: the rest is done, and the errors are returned together.
func (l *Ledger) CloseBatches(ctx context.Context) (made []ingest.ImportID, next time.Time, err error) {
	const op = "ledger.CloseBatches"
	open, err := l.openBatches(ctx)
	if err != nil {
		return nil, time.Time{}, fault(op, err)
	}
	var errs []error
	for _, b := range open {
		if at := b.closes(); at.After(l.now()) {
			if next.IsZero() || at.Before(next) {
				next = at
			}
			continue
		}
		id, at, err := l.closeBatch(ctx, op, b.tenant)
		if err != nil {
			errs = append(errs, err)
			at = l.now().Add(retryBatch)
		}
		if id != "" {
			made = append(made, id)
		}
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return made, next, errors.Join(errs...)
}

// retryBatch is when to try again what could not be closed.
const retryBatch = 5 * time.Second

const batchQuery = `SELECT t.id, t.quiet_period, i.arrived_at, d.oldest FROM dropline.tenants t
	JOIN dropline.inboxes i ON i.tenant = t.id
	JOIN (SELECT tenant, min(received_at) AS oldest FROM dropline.drops WHERE state = 'pending' AND ($1 = '' OR tenant = $1)
		GROUP BY tenant) d ON d.tenant = t.id
	WHERE t.enabled ORDER BY t.id`

func (l *Ledger) openBatches(ctx context.Context) ([]batch, error) {
	rows, err := l.pool.Query(ctx, batchQuery, "")
	return collect(rows, err, scanBatch)
}

// closeBatch makes the tenant's import if its batch is due under the lock too, where nothing can arrive meanwhile. Else it
// returns when it will be, or zero times if another process was first.
func (l *Ledger) closeBatch(ctx context.Context, op string, tenant ingest.TenantID) (ingest.ImportID, time.Time, error) {
	var id ingest.ImportID
	var later time.Time
	err := l.inTx(ctx, op, func(tx pgx.Tx) error {
		id, later = "", time.Time{}
		if err := lockInbox(ctx, tx, tenant); err != nil {
			return err
		}
		b, err := scanBatch(tx.QueryRow(ctx, batchQuery, tenant))
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		now := l.now()
		if at := b.closes(); at.After(now) {
			later = at
			return nil
		}
		id = ingest.NewImportID()
		if _, err := tx.Exec(ctx, `SELECT dropline.make_import($1, $2, NULL, $3)`, tenant, id, now); err != nil {
			return err
		}
		return l.enqueue(ctx, tx, id, ingest.LoadArgs{Import: id})
	})
	if err != nil {
		return "", time.Time{}, err
	}
	return id, later, nil
}

func scanBatch(row pgx.Row) (batch, error) {
	var b batch
	err := row.Scan(&b.tenant, &b.quiet, &b.arrived, &b.oldest)
	return b, err
}
