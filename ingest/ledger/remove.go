package ledger

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
)

// Remove removes a file below the inbox. A drop whose import has not started is withdrawn; one whose import is under way is
// Denied. One whose import failed or was cancelled leaves the tree, and a retry of the import still loads it.
func (l *Ledger) Remove(ctx context.Context, tenant ingest.TenantID, path string) error {
	const op = "ledger.Remove"
	if err := checkBelowInbox(path); err != nil {
		return fault(op, err)
	}
	return l.inTx(ctx, op, func(tx pgx.Tx) error {
		if err := lockInbox(ctx, tx, tenant); err != nil {
			return err
		}
		n, err := lookAt(ctx, tx, tenant, path)
		switch {
		case err != nil:
			return err
		case n.kind == ingest.EntryDir:
			return ingest.Errorf(ingest.Conflict, "", "%s is a folder", path)
		case n.kind == "" && !n.partial:
			return missing(pgx.ErrNoRows, "file")
		}
		return l.removeFile(ctx, tx, tenant, path, n, ingest.DropWithdrawn)
	})
}

// removeFile takes a file, and the partial at its path, out of the tree. Its drop, if it has not started, ends in that state.
func (l *Ledger) removeFile(ctx context.Context, tx pgx.Tx, tenant ingest.TenantID, path string, n node,
	end ingest.DropState,
) error {
	folder, name := split(path)
	if n.partial {
		if err := l.dropPartials(ctx, tx, tenant, folder, name); err != nil {
			return err
		}
	}
	if n.kind == ingest.EntryTemporary {
		_, err := tx.Exec(ctx, `SELECT dropline.discard($1, $2, $4), dropline.stored($1, -1, -$3::bigint, NULL)`,
			tenant, n.key, n.size, l.now())
		if err != nil {
			return err
		}
	}
	if n.kind == ingest.EntryDrop {
		started, err := dropState(ctx, tx, n.drop)
		if err != nil {
			return err
		}
		if started == underWay && end == ingest.DropWithdrawn {
			return underWayError(path)
		}
		if started == notStarted {
			if err := endDrop(ctx, tx, n.drop, end, l.now()); err != nil {
				return err
			}
		}
	}
	return deleteEntry(ctx, tx, tenant, path)
}

// progress says what a client may still do with a drop in its inbox.
type progress uint8

const (
	notStarted progress = iota // pending, or its import is queued or waits for a mapping
	underWay                   // its import is being loaded
	ended                      // its import failed or was cancelled
)

// dropState returns how far a drop is. Its import, if that has not started, is locked, so that it stays so.
func dropState(ctx context.Context, tx pgx.Tx, id ingest.DropID) (progress, error) {
	var state ingest.State
	err := tx.QueryRow(ctx, `SELECT i.state FROM dropline.drops d JOIN dropline.imports i ON i.id = d.import_id
		WHERE d.id = $1 AND d.state = 'imported' FOR NO KEY UPDATE OF i`, id).Scan(&state)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return notStarted, nil
	case err != nil:
		return underWay, err
	}
	switch state {
	case ingest.Queued, ingest.Unmapped:
		return notStarted, nil
	case ingest.Failed, ingest.Cancelled:
		return ended, nil
	default:
		return underWay, nil
	}
}

// endDrop ends a drop that has not started, and its import with it if it was the last.
func endDrop(ctx context.Context, tx pgx.Tx, id ingest.DropID, state ingest.DropState, at any) error {
	_, err := tx.Exec(ctx, `SELECT dropline.end_drop(d, $2, $3) FROM dropline.drops d WHERE d.id = $1`, id, state, at)
	return err
}

func underWayError(path string) error {
	return ingest.WithHint(ingest.Errorf(ingest.Denied, "", "%s is being imported", path),
		"wait until its import is over; to replace it, send it again")
}
