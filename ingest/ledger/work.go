package ledger

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
)

// Take takes an import up for loading: queued, or loading or validating where a worker before was lost. It counts the attempt
// and resets what an earlier one counted. Conflict if the import is in another state.
func (l *Ledger) Take(ctx context.Context, id ingest.ImportID) (ingest.Import, error) {
	var imp ingest.Import
	err := l.inTx(ctx, "ledger.Take", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE dropline.imports i SET state = 'loading', attempt = attempt + 1,
			time_zone = (SELECT t.time_zone FROM dropline.tenants t WHERE t.id = i.tenant),
			started_at = coalesce(started_at, $2), loaded_at = NULL, finished_at = NULL, lapsed_at = NULL,
			bytes_read = 0, records_read = 0, staged = 0, rejected = 0, warnings = 0, error = '', hint = ''
			WHERE id = $1 AND state IN ('queued', 'loading', 'validating')`, id, l.now())
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return refusal(ctx, tx, id, 0)
		}
		var batch pgx.Batch
		batch.Queue(`DELETE FROM dropline.import_files WHERE import_id = $1 AND container > 0`, id) // they are unpacked again
		// What a part of a database is of, and what of it was not read, its object does not say.
		batch.Queue(`UPDATE dropline.import_files SET state = 'waiting', bytes = 0, records_read = 0, staged = 0, rejected = 0,
			table_name = CASE WHEN relation = '' THEN '' ELSE table_name END,
			ignored = CASE WHEN relation = '' THEN NULL ELSE ignored END,
			notes = NULL, code = '', error = '' WHERE import_id = $1`, id)
		batch.Queue(`DELETE FROM dropline.import_files WHERE import_id = $1 AND drop_id IS NULL`, id)
		batch.Queue(`DELETE FROM dropline.import_tables WHERE import_id = $1`, id)
		batch.Queue(`DELETE FROM dropline.import_prerequisites WHERE import_id = $1`, id)
		batch.Queue(`DELETE FROM dropline.import_rejects WHERE import_id = $1`, id)
		if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
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

// Blocked reports whether an import must wait: an older one of its tenant is still to be loaded, or the tenant is disabled.
func (l *Ledger) Blocked(ctx context.Context, id ingest.ImportID) (bool, error) {
	var blocked bool
	err := l.pool.QueryRow(ctx, `SELECT NOT t.enabled OR EXISTS (SELECT FROM dropline.imports o
			WHERE o.tenant = i.tenant AND o.seq < i.seq AND o.state IN ('queued', 'loading', 'validating'))
		FROM dropline.imports i JOIN dropline.tenants t ON t.id = i.tenant WHERE i.id = $1`, id).Scan(&blocked)
	return blocked, fault("ledger.Blocked", missing(err, "import"))
}

// SaveProgress records how far an attempt is. Conflict when the import is no longer being loaded by that attempt, because it
// was cancelled or taken over: its worker then stops.
func (l *Ledger) SaveProgress(ctx context.Context, id ingest.ImportID, attempt int, p ingest.Progress) error {
	return l.inTx(ctx, "ledger.SaveProgress", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE dropline.imports SET bytes_read = $3, records_read = $4, staged = $5, rejected = $6
			WHERE id = $1 AND attempt = $2 AND state IN ('loading', 'validating')`,
			id, attempt, p.BytesRead, p.Read, p.Staged, p.Rejected)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return refusal(ctx, tx, id, attempt)
		}
		return saveFiles(ctx, tx, id, p.Files)
	})
}

// StartValidating takes an import from loading to validating: all its rows are in staging.
func (l *Ledger) StartValidating(ctx context.Context, id ingest.ImportID, attempt int) error {
	return l.change(ctx, "ledger.StartValidating", id, attempt, `UPDATE dropline.imports SET state = 'validating',
		loaded_at = $3 WHERE id = $1 AND attempt = $2 AND state = 'loading'`, l.now())
}

// Fail ends an import that cannot be loaded, with the cause and what to do about it, both for people.
func (l *Ledger) Fail(ctx context.Context, id ingest.ImportID, attempt int, cause, hint string) error {
	return l.change(ctx, "ledger.Fail", id, attempt, `UPDATE dropline.imports SET state = 'failed', finished_at = $3,
		error = $4, hint = $5 WHERE id = $1 AND attempt = $2 AND state = ANY ($6)`,
		l.now(), text(cause), text(hint), states(ingest.Sources(ingest.Failed)))
}

// NoteTrouble records why an attempt did not go through that will be made again. The state stays.
func (l *Ledger) NoteTrouble(ctx context.Context, id ingest.ImportID, attempt int, message string) error {
	return l.change(ctx, "ledger.NoteTrouble", id, attempt, `UPDATE dropline.imports SET error = $3, hint = ''
		WHERE id = $1 AND attempt = $2 AND state IN ('queued', 'loading', 'validating')`, text(message))
}

// Release takes an import back to queued: its worker is being stopped, and the next starts over.
func (l *Ledger) Release(ctx context.Context, id ingest.ImportID, attempt int) error {
	return l.change(ctx, "ledger.Release", id, attempt, `UPDATE dropline.imports SET state = 'queued'
		WHERE id = $1 AND attempt = $2 AND state IN ('loading', 'validating')`)
}

// EarlierStaged returns the tenant's imports with a smaller Seq that are staged or being promoted, oldest first, without
// duplicates among their files.
func (l *Ledger) EarlierStaged(ctx context.Context, tenant ingest.TenantID, seq int64) ([]ingest.Import, error) {
	const op = "ledger.EarlierStaged"
	rows, err := l.pool.Query(ctx, `SELECT id FROM dropline.imports WHERE tenant = $1 AND seq < $2
		AND state IN ('staged', 'promoting') ORDER BY seq`, tenant, seq)
	if err != nil {
		return nil, fault(op, err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[ingest.ImportID])
	if err != nil {
		return nil, fault(op, err)
	}
	list := make([]ingest.Import, 0, len(ids))
	for _, id := range ids {
		imp, err := readImport(ctx, l.pool, tenant, id)
		if err != nil {
			return nil, fault(op, err)
		}
		list = append(list, imp)
	}
	return list, nil
}

// change updates an import in one statement, of which $1 is the id and $2 the attempt. Conflict if it changes nothing.
func (l *Ledger) change(ctx context.Context, op string, id ingest.ImportID, attempt int, sql string, args ...any) error {
	tag, err := l.pool.Exec(ctx, sql, append([]any{id, attempt}, args...)...)
	if err == nil && tag.RowsAffected() == 0 {
		err = refusal(ctx, l.pool, id, attempt)
	}
	return fault(op, err)
}

// refusal says why an import could not be changed: NotFound, or Conflict with its state. A zero attempt is any.
func refusal(ctx context.Context, q querier, id ingest.ImportID, attempt int) error {
	var state ingest.State
	var present int
	err := q.QueryRow(ctx, `SELECT state, attempt FROM dropline.imports WHERE id = $1`, id).Scan(&state, &present)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return missing(err, "import")
	case err != nil:
		return err
	case attempt != 0 && attempt != present:
		return ingest.Errorf(ingest.Conflict, "", "the import was taken over: attempt %d is under way, not %d", present, attempt)
	}
	return ingest.Errorf(ingest.Conflict, "", "the import is %s", spoken(state))
}

// fileRecord is an import's file as it is handed to PostgreSQL, where a set of them is one statement.
type fileRecord struct {
	Number   int              `json:"number"`
	State    ingest.FileState `json:"state"`
	Table    string           `json:"table_name"`
	Bytes    int64            `json:"bytes"`
	Read     int64            `json:"records_read"`
	Staged   int64            `json:"staged"`
	Rejected int64            `json:"rejected"`
	Ignored  []string         `json:"ignored"`
	Notes    []string         `json:"notes"`
	Code     string           `json:"code"`
	Error    string           `json:"error"`
}

func saveFiles(ctx context.Context, tx pgx.Tx, id ingest.ImportID, files []ingest.ImportFile) error {
	if len(files) == 0 {
		return nil
	}
	records := make([]fileRecord, 0, len(files))
	for _, f := range files {
		if f.State == ingest.FileDuplicate { // not the import's own
			continue
		}
		records = append(records, fileRecord{
			Number: f.Number, State: f.State, Table: text(f.Table), Bytes: f.Bytes, Read: f.Read, Staged: f.Staged,
			Rejected: f.Rejected, Ignored: texts(f.Ignored), Notes: texts(f.Notes), Code: text(f.Code), Error: text(f.Error),
		})
	}
	list, err := json.Marshal(records)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE dropline.import_files f SET state = r.state, table_name = r.table_name, bytes = r.bytes,
		records_read = r.records_read, staged = r.staged, rejected = r.rejected, ignored = r.ignored, notes = r.notes,
		code = r.code, error = r.error
		FROM jsonb_to_recordset($2::jsonb) AS r(number integer, state text, table_name text, bytes bigint, records_read bigint,
			staged bigint, rejected bigint, ignored text[], notes text[], code text, error text)
		WHERE f.import_id = $1 AND f.number = r.number`, id, string(list))
	return err
}

// spoken is a state as people read it.
func spoken(s ingest.State) string {
	switch s {
	case ingest.Loading, ingest.Validating:
		return "being loaded"
	case ingest.Promoting:
		return "being promoted"
	case ingest.RollingBack:
		return "being rolled back"
	case ingest.RolledBack:
		return "rolled back"
	default:
		return string(s)
	}
}
