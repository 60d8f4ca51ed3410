package ledger

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
)

// SavePlan records what is read of an import's database. Conflict if the import is no longer being loaded by that attempt.
func (l *Ledger) SavePlan(ctx context.Context, id ingest.ImportID, attempt int, d *ingest.Database) error {
	return l.inTx(ctx, "ledger.SavePlan", func(tx pgx.Tx) error { return savePlan(ctx, tx, id, attempt, d) })
}

func savePlan(ctx context.Context, tx pgx.Tx, id ingest.ImportID, attempt int, d *ingest.Database) error {
	plan, err := json.Marshal(d.Plan)
	if err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `UPDATE dropline.imports SET rows_total = $3 WHERE id = $1 AND attempt = $2 AND state = 'loading'`,
		id, attempt, d.Plan.Rows())
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return refusal(ctx, tx, id, attempt)
	}
	_, err = tx.Exec(ctx, `UPDATE dropline.import_databases SET plan = $2, complete = $3, snapshots = $4, base_id = $5
		WHERE import_id = $1`, id, string(plan), d.Plan.Complete(), d.Snapshots, d.BaseID)
	return err
}

// RecordPart registers what was read of a database as a drop and a file of its import, together with how far the plan is.
// Conflict if the import is no longer being loaded by that attempt: the object is then nobody's, and the sweep deletes it.
func (l *Ledger) RecordPart(ctx context.Context, imp ingest.Import, f ingest.ImportFile) error {
	const op = "ledger.RecordPart"
	if err := checkPart(f); err != nil {
		return fault(op, err)
	}
	return l.inTx(ctx, op, func(tx pgx.Tx) error {
		if err := lockInbox(ctx, tx, imp.Tenant); err != nil {
			return err
		}
		if err := savePlan(ctx, tx, imp.ID, imp.Attempt, imp.Database); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO dropline.drops (id, tenant, path, key, size, sha256, via, delivered_by, state, import_id,
			received_at, mod_time) SELECT $1, $2, $3, $4, $5, $6, $7, requested_by, 'imported', $8, $9, $9
			FROM dropline.import_databases WHERE import_id = $8`,
			f.Drop, imp.Tenant, f.Path, f.Key, f.Size, f.SHA256[:], ingest.ViaSQLServer, imp.ID, f.ReceivedAt)
		if err != nil {
			return err
		}
		var batch pgx.Batch
		batch.Queue(`INSERT INTO dropline.import_files (import_id, number, drop_id, state, table_name, relation, ignored)
			VALUES ($1, $2, $3, 'loading', $4, $5, $6)`, imp.ID, f.Number, f.Drop, text(f.Table), text(f.Relation), texts(f.Ignored))
		batch.Queue(`UPDATE dropline.imports SET bytes_total = bytes_total + $2 WHERE id = $1`, imp.ID, f.Size)
		batch.Queue(`SELECT dropline.stored($1, 1, $2, NULL)`, imp.Tenant, f.Size)
		return tx.SendBatch(ctx, &batch).Close()
	})
}

// checkPart refuses what a caller must never hand over. A part's path is one name below DatabaseRoot, where no client's file can
// be: CleanPath takes that folder for one of the inbox.
func checkPart(f ingest.ImportFile) error {
	clean, err := ingest.CleanPath(f.Path)
	if err != nil {
		return err
	}
	name, below := strings.CutPrefix(f.Path, ingest.DatabaseRoot+"/")
	if !below || strings.Contains(name, "/") || clean != ingest.Inbox+f.Path || !f.Drop.Valid() || f.Key == "" || f.Size < 0 ||
		f.Relation == "" {
		return ingest.Errorf(ingest.Internal, "", "a part needs a relation, an id, a key, a size and a name below %s", ingest.DatabaseRoot)
	}
	return nil
}
