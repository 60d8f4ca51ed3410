package ledger

import (
	"context"

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
			[]string{"import_id", "number", "drop_id", "container", "member", "output"},
			pgx.CopyFromSlice(len(files), func(i int) ([]any, error) {
				f := &files[i]
				return []any{string(id), f.Number, string(f.Drop), f.Container, text(f.Member), f.Output}, nil
			}))
		return err
	})
}
