package ledger

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
)

// held is an import's row, locked while a request for it is judged.
type held struct {
	seq    int64
	tenant ingest.TenantID
	state  ingest.State
	order  int64 // of its promotion
	lapsed bool
}

// RequestPromotion takes a staged import to promoting; a rejected one needs a reason in override.
func (l *Ledger) RequestPromotion(ctx context.Context, tenant ingest.TenantID, id ingest.ImportID, by, override string,
) (ingest.Import, error) {
	return l.request(ctx, "ledger.RequestPromotion", tenant, id, func(tx pgx.Tx, h held) error {
		switch {
		case h.state == ingest.Rejected && strings.TrimSpace(override) == "":
			return ingest.WithHint(ingest.Errorf(ingest.Conflict, "", "the import was rejected"),
				"correct and send the files again, or promote it with a reason (override)")
		case h.state == ingest.Rejected && h.lapsed:
			return ingest.WithHint(ingest.Errorf(ingest.Conflict, "", "the import's staged rows are no longer kept"),
				"send the files again")
		case !h.state.CanBecome(ingest.Promoting):
			return ingest.WithHint(ingest.Errorf(ingest.Conflict, "", "the import is %s: only a staged one can be promoted",
				spoken(h.state)), promotionHint(h.state))
		}
		if err := inTheWay(ctx, tx, h); err != nil {
			return err
		}
		if h.state == ingest.Staged {
			override = ""
		}
		var batch pgx.Batch
		batch.Queue(`INSERT INTO dropline.promotions (import_id, number, requested_at, requested_by, from_state, override)
			SELECT $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5 FROM dropline.promotions WHERE import_id = $1`,
			id, l.now(), text(by), h.state, text(override))
		batch.Queue(`UPDATE dropline.imports SET state = 'promoting', error = '', hint = '' WHERE id = $1`, id)
		if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
			return err
		}
		return l.enqueue(ctx, tx, id, ingest.PromoteArgs{Import: id})
	})
}

// promotionHint says what to do about an import that cannot be promoted in that state.
func promotionHint(s ingest.State) string {
	switch s {
	case ingest.Queued, ingest.Loading, ingest.Validating:
		return "wait until it is staged"
	case ingest.Failed, ingest.Cancelled:
		return "retry it first"
	case ingest.Unmapped:
		return "store a mapping for its files first"
	case ingest.Promoting, ingest.Promoted, ingest.RollingBack:
		return "its status shows how its promotion went"
	case ingest.RolledBack:
		return "run it again: a rolled back import stays as it is"
	case ingest.Staged, ingest.Rejected:
	}
	return ""
}

// RequestRollback takes the tenant's last promoted import to rolling_back.
func (l *Ledger) RequestRollback(ctx context.Context, tenant ingest.TenantID, id ingest.ImportID, by string,
) (ingest.Import, error) {
	return l.request(ctx, "ledger.RequestRollback", tenant, id, func(tx pgx.Tx, h held) error {
		switch {
		case !h.state.CanBecome(ingest.RollingBack):
			return ingest.WithHint(ingest.Errorf(ingest.Conflict, "", "the import is %s: only a promoted one can be rolled back",
				spoken(h.state)), "the list of imports, with the state promoted, has those that can be")
		case h.lapsed:
			return ingest.WithHint(
				ingest.Errorf(ingest.Conflict, "", "what was there before the import's promotion is no longer kept"),
				"send corrected files and promote them; the operator sets how long it is kept (rollback_retention)")
		}
		err := blocker(ctx, tx, "a later promotion comes before it: %s is %s", "roll that one back first, or wait until it is over",
			`SELECT id, state FROM dropline.imports WHERE tenant = $1 AND seq <> $2 AND (state IN ('promoting', 'rolling_back')
			OR state = 'promoted' AND promotion_order > $3) ORDER BY promotion_order DESC NULLS FIRST LIMIT 1`,
			h.tenant, h.seq, h.order)
		if err != nil {
			return err
		}
		if err := l.note(ctx, tx, id, "rollback", by); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE dropline.imports SET state = 'rolling_back', error = '', hint = '' WHERE id = $1`, id)
		if err != nil {
			return err
		}
		return l.enqueue(ctx, tx, id, ingest.RollbackArgs{Import: id})
	})
}

// Cancel ends an import that is queued, loading, unmapped, validating or staged. Its worker, if it has one, finds out when it reports
// progress. A staged one that cannot be promoted would else be in the way of all after it, and what it lacks among them.
func (l *Ledger) Cancel(ctx context.Context, tenant ingest.TenantID, id ingest.ImportID, by string) (ingest.Import, error) {
	return l.request(ctx, "ledger.Cancel", tenant, id, func(tx pgx.Tx, h held) error {
		if !h.state.CanBecome(ingest.Cancelled) {
			return ingest.WithHint(ingest.Errorf(ingest.Conflict, "", "the import is %s: it can no longer be cancelled",
				spoken(h.state)), "only what is queued, being loaded, unmapped or staged can be; a promotion can be rolled back")
		}
		if err := l.note(ctx, tx, id, "cancel", by); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE dropline.imports SET state = 'cancelled', finished_at = $2, error = '', hint = ''
			WHERE id = $1`, id, l.now())
		return err
	})
}

// Retry takes a failed, cancelled or unmapped import back to queued. Conflict if no file is left in it.
func (l *Ledger) Retry(ctx context.Context, tenant ingest.TenantID, id ingest.ImportID, by string) (ingest.Import, error) {
	return l.request(ctx, "ledger.Retry", tenant, id, func(tx pgx.Tx, h held) error {
		if h.state != ingest.Failed && h.state != ingest.Cancelled && h.state != ingest.Unmapped {
			return ingest.WithHint(ingest.Errorf(ingest.Conflict, "", "the import is %s: only a failed, cancelled or unmapped one can be tried again",
				spoken(h.state)), "to load its files anew, run it again once it is over, or send them again with what is to be mended")
		}
		if err := notRerun(ctx, tx, id); err != nil {
			return err
		}
		if err := l.startOver(ctx, tx, id); err != nil {
			return err
		}
		var files bool // or a database
		err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM dropline.import_files WHERE import_id = $1)
			OR EXISTS (SELECT FROM dropline.import_databases WHERE import_id = $1)`, id).Scan(&files)
		if err != nil {
			return err
		}
		if !files {
			return ingest.WithHint(ingest.Errorf(ingest.Conflict, "", "the import has no files: they were removed or sent again"),
				"send the files again")
		}
		if err := l.note(ctx, tx, id, "retry", by); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE dropline.imports SET state = 'queued', finished_at = NULL, lapsed_at = NULL, error = '',
			hint = '' WHERE id = $1`, id)
		if err != nil {
			return err
		}
		imp, err := readImport(ctx, tx, h.tenant, id)
		if err == nil {
			err = unarchive(ctx, tx, imp)
		}
		if err != nil {
			return err
		}
		return l.enqueue(ctx, tx, id, ingest.LoadArgs{Import: id})
	})
}

// request locks an import, lets fn judge and record what is asked of it, and returns it as it then is.
func (l *Ledger) request(ctx context.Context, op string, tenant ingest.TenantID, id ingest.ImportID,
	fn func(tx pgx.Tx, h held) error,
) (ingest.Import, error) {
	var imp ingest.Import
	err := l.inTx(ctx, op, func(tx pgx.Tx) error {
		var h held
		err := tx.QueryRow(ctx, `SELECT tenant FROM dropline.imports WHERE id = $1 AND ($2 = '' OR tenant = $2)`, id, tenant).
			Scan(&h.tenant)
		if err != nil {
			return missing(err, "import")
		}
		if err := lockInbox(ctx, tx, h.tenant); err != nil {
			return err
		}
		err = tx.QueryRow(ctx, `SELECT seq, state, coalesce(promotion_order, 0), lapsed_at IS NOT NULL FROM dropline.imports
			WHERE id = $1 FOR NO KEY UPDATE`, id).Scan(&h.seq, &h.state, &h.order, &h.lapsed)
		if err != nil {
			return err
		}
		if err := fn(tx, h); err != nil {
			return err
		}
		imp, err = readImport(ctx, tx, h.tenant, id)
		return err
	})
	if err != nil {
		return ingest.Import{}, err
	}
	return imp, nil
}

// inTheWay names the import that must be dealt with before this one is promoted: an older one that is staged or on its way
// there, if only once there is a mapping (its rows are older, and must not come after these), or any that is being promoted or rolled back, since rollback is last in, first out.
func inTheWay(ctx context.Context, tx pgx.Tx, h held) error {
	return blocker(ctx, tx, "%s is in the way: it is %s", "promote it first (a promotion can be rolled back), or wait until it is over; one that is being loaded, unmapped or staged can be cancelled",
		`SELECT id, state FROM dropline.imports WHERE tenant = $1 AND (seq < $2
			AND state IN ('queued', 'loading', 'unmapped', 'validating', 'staged', 'promoting')
			OR seq <> $2 AND state IN ('promoting', 'rolling_back')) ORDER BY seq LIMIT 1`, h.tenant, h.seq)
}

// blocker returns a Conflict that names the import which sql finds, if it finds one.
func blocker(ctx context.Context, tx pgx.Tx, message, hint, sql string, args ...any) error {
	var id ingest.ImportID
	var state ingest.State
	err := tx.QueryRow(ctx, sql, args...).Scan(&id, &state)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return ingest.WithHint(ingest.Errorf(ingest.Conflict, "", message, id, spoken(state)), hint)
}

// note records who asked for what.
func (l *Ledger) note(ctx context.Context, tx pgx.Tx, id ingest.ImportID, request, by string) error {
	_, err := tx.Exec(ctx, `INSERT INTO dropline.import_requests (import_id, request, requested_at, requested_by)
		VALUES ($1, $2, $3, $4)`, id, request, l.now(), text(by))
	return err
}
