package ledger

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
)

// Outcome is what came of loading an import.
type Outcome struct {
	State         ingest.State // Staged or Rejected
	Files         []ingest.ImportFile
	Tables        []ingest.ImportTable
	Prerequisites []ingest.ImportID
	// Rejects and Warnings are the first of each; beyond MaxSampleReject they are not kept.
	Rejects, Warnings []ingest.Reject
	BytesRead         int64
	// Read is Staged and Rejected together. WarningCount is of all warnings.
	Read, Staged, Rejected, WarningCount int64
	Error, Hint                          string // why it was rejected
	Reports                              []Report
	Marks                                map[string]ingest.SourceMark // of a database's relations
}

// Report is an object that tells the client about an import.
type Report struct {
	Name string // after the import's stem: RejectsReport, ReceiptReport
	Key  string
	Size int64
}

// Names of reports.
const (
	RejectsReport = "rejects.csv"
	ReceiptReport = "receipt.json"
)

// Finish ends the loading of an import, as RecordFinished does, in a transaction of its own.
func (l *Ledger) Finish(ctx context.Context, id ingest.ImportID, attempt int, o Outcome) (ingest.Import, error) {
	var imp ingest.Import
	err := l.inTx(ctx, "ledger.Finish", func(tx pgx.Tx) error {
		var err error
		imp, err = l.RecordFinished(ctx, tx, id, attempt, o)
		return err
	})
	if err != nil {
		return ingest.Import{}, err
	}
	return imp, nil
}

// RecordFinished records, in the transaction that finds the staged rows to be there, that an import is staged or rejected, as
// the outcome says. Its files go to the archive and its reports into the tree. Conflict if the import is no longer being
// loaded by that attempt, or cannot go to that state: the transaction must then be given up.
func (l *Ledger) RecordFinished(ctx context.Context, tx pgx.Tx, id ingest.ImportID, attempt int, o Outcome) (ingest.Import, error) {
	const op = "ledger.RecordFinished"
	if o.State != ingest.Staged && o.State != ingest.Rejected {
		return ingest.Import{}, ingest.Errorf(ingest.Internal, op, "loading does not end in %s", o.State)
	}
	imp, err := l.recordFinished(ctx, tx, id, attempt, o)
	return imp, fault(op, err)
}

func (l *Ledger) recordFinished(ctx context.Context, tx pgx.Tx, id ingest.ImportID, attempt int, o Outcome) (ingest.Import, error) {
	var none ingest.Import
	now := l.now()
	if err := lockInboxOf(ctx, tx, id); err != nil {
		return none, err
	}
	tag, err := tx.Exec(ctx, `UPDATE dropline.imports SET state = $3, finished_at = $4, bytes_read = $5, records_read = $6,
		staged = $7, rejected = $8, warnings = $9, error = $10, hint = $11
		WHERE id = $1 AND attempt = $2 AND state = ANY ($12)`, id, attempt, o.State, now, o.BytesRead, o.Read, o.Staged,
		o.Rejected, o.WarningCount, text(o.Error), text(o.Hint), loadingBefore(o.State))
	if err != nil {
		return none, err
	}
	if tag.RowsAffected() == 0 {
		return none, refusal(ctx, tx, id, attempt)
	}
	if err := saveOutcome(ctx, tx, id, o); err != nil {
		return none, err
	}
	imp, err := readImport(ctx, tx, "", id)
	if err != nil {
		return none, err
	}
	if err := archive(ctx, tx, imp, now); err != nil {
		return none, err
	}
	return imp, addReports(ctx, tx, imp, o, now)
}

// loadingBefore are the states of loading from which it may end in that state. (A staged import may also come from a promotion
// that failed.)
func loadingBefore(end ingest.State) []string {
	var from []ingest.State
	for _, s := range []ingest.State{ingest.Loading, ingest.Validating} {
		if s.CanBecome(end) {
			from = append(from, s)
		}
	}
	return states(from)
}

// lockInboxOf takes the lock of an import's tenant.
func lockInboxOf(ctx context.Context, tx pgx.Tx, id ingest.ImportID) error {
	var tenant ingest.TenantID
	err := tx.QueryRow(ctx, `SELECT tenant FROM dropline.imports WHERE id = $1`, id).Scan(&tenant)
	if err != nil {
		return missing(err, "import")
	}
	return lockInbox(ctx, tx, tenant)
}

func saveOutcome(ctx context.Context, tx pgx.Tx, id ingest.ImportID, o Outcome) error {
	if err := addRefused(ctx, tx, id, o.Files); err != nil {
		return err
	}
	if err := saveFiles(ctx, tx, id, o.Files); err != nil {
		return err
	}
	if err := saveMarks(ctx, tx, id, o.Marks); err != nil {
		return err
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{Schema, "import_tables"},
		[]string{"import_id", "position", "name", "records_read", "staged", "rejected"},
		pgx.CopyFromSlice(len(o.Tables), func(i int) ([]any, error) {
			t := o.Tables[i]
			return []any{string(id), i + 1, text(t.Name), t.Read, t.Staged, t.Rejected}, nil
		}))
	if err != nil {
		return err
	}
	_, err = tx.CopyFrom(ctx, pgx.Identifier{Schema, "import_prerequisites"}, []string{"import_id", "position", "prerequisite"},
		pgx.CopyFromSlice(len(o.Prerequisites), func(i int) ([]any, error) {
			return []any{string(id), i + 1, string(o.Prerequisites[i])}, nil
		}))
	if err != nil {
		return err
	}
	if err := saveRejects(ctx, tx, id, false, o.Rejects); err != nil {
		return err
	}
	return saveRejects(ctx, tx, id, true, o.Warnings)
}

// addRefused adds the files that stand for relations of a database which were not read.
func addRefused(ctx context.Context, tx pgx.Tx, id ingest.ImportID, files []ingest.ImportFile) error {
	for _, f := range files {
		if f.Drop != "" {
			continue
		}
		_, err := tx.Exec(ctx, `INSERT INTO dropline.import_files (import_id, number, relation) VALUES ($1, $2, $3)`,
			id, f.Number, text(f.Relation))
		if err != nil {
			return err
		}
	}
	return nil
}

func saveRejects(ctx context.Context, tx pgx.Tx, id ingest.ImportID, warning bool, list []ingest.Reject) error {
	list = list[:min(len(list), ingest.MaxSampleReject)]
	_, err := tx.CopyFrom(ctx, pgx.Identifier{Schema, "import_rejects"},
		[]string{
			"import_id", "warning", "file_number", "record", "position", "file", "table_name", "line", "column_name", "header",
			"code", "message", "value", "row_id", "byte_offset", "byte_length",
		},
		pgx.CopyFromSlice(len(list), func(i int) ([]any, error) {
			r := list[i]
			return []any{
				string(id), warning, r.FileNumber, r.Record, i, text(r.File), text(r.Table), r.Line, text(r.Column),
				text(r.Header), text(r.Code), text(r.Message), []byte(r.Value), text(r.ImportID), r.Offset, r.Length,
			}, nil
		}))
	return err
}

// archive moves an import's files from the inbox to the archive. A file that was sent again meanwhile has lost its entry in
// the inbox to the newer drop, and still gets its place in the archive.
func archive(ctx context.Context, tx pgx.Tx, imp ingest.Import, now time.Time) error {
	stem := ingest.Archive + "/" + ingest.StemOf(imp)
	var drops, folders, names []string
	made := map[string]bool{}
	for _, f := range imp.Files {
		if f.Drop == "" || f.Container > 0 { // a relation of a database that was refused, or what an archive holds
			continue
		}
		folder, name := split(stem + strings.TrimPrefix(f.Path, ingest.Inbox))
		drops, folders, names = append(drops, string(f.Drop)), append(folders, folder), append(names, name)
		if made[folder] {
			continue
		}
		made[folder] = true
		if _, err := tx.Exec(ctx, `SELECT dropline.make_folders($1, $2, $3)`, imp.Tenant, folder, now); err != nil {
			return err
		}
	}
	var batch pgx.Batch
	// Of an import that is a re-run the files may be in the archive already, where they stay under the old one's stem as well.
	batch.Queue(`DELETE FROM dropline.entries WHERE tenant = $1 AND kind = 'drop' AND drop_id = ANY ($2)
		AND (folder = $3 OR starts_with(folder, $3 || '/'))`, imp.Tenant, drops, ingest.Inbox)
	batch.Queue(`INSERT INTO dropline.entries (tenant, folder, name, kind, size, mod_time, key, drop_id, sha256)
		SELECT d.tenant, a.folder, a.name, 'drop', d.size, d.mod_time, d.key, d.id, d.sha256
		FROM unnest($2::text[], $3::text[], $4::text[]) AS a(id, folder, name) JOIN dropline.drops d ON d.id = a.id
		WHERE d.tenant = $1 ON CONFLICT DO NOTHING`, imp.Tenant, drops, folders, names)
	batch.Queue(`UPDATE dropline.drops SET archived_at = coalesce(archived_at, $2) WHERE id = ANY ($1)
		OR duplicate_of = ANY ($1) AND archived_at IS NULL`, drops, now)
	return tx.SendBatch(ctx, &batch).Close()
}

// unarchive takes an import's files out of the archive, where it was staged before it was given up: until it is loaded again,
// a newer drop of a path may take a file's place, whose object then goes. Those that are also another import's of before stay there.
func unarchive(ctx context.Context, tx pgx.Tx, imp ingest.Import) error {
	var batch pgx.Batch
	batch.Queue(`DELETE FROM dropline.entries e USING dropline.import_files f WHERE f.import_id = $2 AND f.container = 0 AND e.tenant = $1
		AND e.kind = 'drop' AND e.drop_id = f.drop_id AND (e.folder = $3 OR starts_with(e.folder, $3 || '/'))`,
		imp.Tenant, imp.ID, ingest.Archive+"/"+ingest.StemOf(imp))
	batch.Queue(`UPDATE dropline.drops d SET archived_at = NULL FROM dropline.import_files f
		WHERE f.import_id = $2 AND f.container = 0 AND d.id = f.drop_id AND d.archived_at IS NOT NULL AND NOT EXISTS (SELECT FROM dropline.entries e
			WHERE e.tenant = $1 AND e.kind = 'drop' AND e.drop_id = d.id)`, imp.Tenant, imp.ID)
	return tx.SendBatch(ctx, &batch).Close()
}

func addReports(ctx context.Context, tx pgx.Tx, imp ingest.Import, o Outcome, now time.Time) error {
	for _, r := range o.Reports {
		if r.Name == RejectsReport && o.Rejected == 0 && len(o.Rejects) == 0 {
			continue
		}
		_, err := tx.Exec(ctx, `INSERT INTO dropline.entries (tenant, folder, name, kind, size, mod_time, key)
			VALUES ($1, $2, $3, 'report', $4, $5, $6) ON CONFLICT (tenant, folder, name) DO UPDATE
			SET size = $4, mod_time = $5, key = $6`,
			imp.Tenant, ingest.Reports, ingest.StemOf(imp)+"."+r.Name, r.Size, now, r.Key)
		if err != nil {
			return err
		}
	}
	return nil
}
