package ledger

import (
	"context"
	"io"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
)

// RecordUnpacked records what a delivered file of an import holds, or the tables that it feeds, as files of their own. They have
// the container's drop, and numbers that no other file of the import has. Conflict if the import is no longer being loaded by that
// attempt.
func (l *Ledger) RecordUnpacked(ctx context.Context, id ingest.ImportID, attempt int, files []ingest.ImportFile) error {
	return l.inTx(ctx, "ledger.RecordUnpacked", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE dropline.imports SET attempt = attempt WHERE id = $1 AND attempt = $2 AND state = 'loading'`, id, attempt)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return refusal(ctx, tx, id, attempt)
		}
		_, err = tx.CopyFrom(ctx, pgx.Identifier{Schema, "import_files"},
			[]string{"import_id", "number", "drop_id", "container", "member", "output", "state", "notes"},
			pgx.CopyFromSlice(len(files), func(i int) ([]any, error) {
				f := &files[i]
				return []any{string(id), f.Number, string(f.Drop), f.Container, text(f.Member), f.Output, string(f.State), texts(f.Notes)}, nil
			}))
		return err
	})
}

// LatestMatching returns the drop that arrived last of those that were imported and whose path is one that is looked for. io.EOF where
// there is none.
func (l *Ledger) LatestMatching(ctx context.Context, tenant ingest.TenantID, is func(path string) bool) (ingest.Drop, error) {
	const op = "ledger.LatestMatching"
	rows, err := l.pool.Query(ctx, `SELECT DISTINCT path FROM dropline.drops WHERE tenant = $1 AND state IN ('imported', 'duplicate')`, tenant)
	if err != nil {
		return ingest.Drop{}, fault(op, err)
	}
	paths, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return ingest.Drop{}, fault(op, err)
	}
	var wanted []string
	for _, p := range paths {
		if is(p) {
			wanted = append(wanted, p)
		}
	}
	if len(wanted) == 0 {
		return ingest.Drop{}, io.EOF
	}
	drop, err := scanDrop(l.pool.QueryRow(ctx, `SELECT `+dropColumns+` FROM dropline.drops d WHERE d.tenant = $1 AND d.path = ANY ($2)
		AND d.state IN ('imported', 'duplicate') ORDER BY d.seq DESC LIMIT 1`, tenant, wanted))
	return drop, fault(op, err)
}
