package ledger

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
)

// Rerun makes a new import of an import's stored files, under a version of the tenant's mapping. The drops are the new import's from
// then on, so that the same bytes sent again are judged by it; the old one stays on record, and so do its places in the archive. One
// that is staged is cancelled, since it would be promoted first, and so is one that waits for a mapping.
func (l *Ledger) Rerun(ctx context.Context, tenant ingest.TenantID, id ingest.ImportID, version int, by string) (ingest.Import, error) {
	next := ingest.NewImportID()
	var imp ingest.Import
	_, err := l.request(ctx, "ledger.Rerun", tenant, id, func(tx pgx.Tx, h held) error {
		if err := l.rerun(ctx, tx, h, id, next, version); err != nil {
			return err
		}
		if err := l.note(ctx, tx, id, "rerun", by); err != nil {
			return err
		}
		if err := l.enqueue(ctx, tx, next, ingest.LoadArgs{Import: next}); err != nil {
			return err
		}
		var err error
		imp, err = readImport(ctx, tx, h.tenant, next)
		return err
	})
	return imp, err
}

func (l *Ledger) rerun(ctx context.Context, tx pgx.Tx, h held, id, next ingest.ImportID, version int) error {
	if h.state.Running() {
		return ingest.WithHint(ingest.Errorf(ingest.Conflict, "", "the import is %s: it can be run again when that is over", spoken(h.state)),
			"wait until it is over, or cancel it")
	}
	if err := notRerun(ctx, tx, id); err != nil {
		return err
	}
	if err := notOfDatabase(ctx, tx, id); err != nil {
		return err
	}
	version, err := versionFor(ctx, tx, h.tenant, version)
	if err != nil {
		return err
	}
	now := l.now()
	_, err = tx.Exec(ctx, `INSERT INTO dropline.imports (id, tenant, schema_id, mapping_version, state, created_at, rerun_of)
		SELECT $2, t.id, t.schema_id, $3, 'queued', $4, $5 FROM dropline.tenants t WHERE t.id = $1`, h.tenant, next, version, now, id)
	if err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `INSERT INTO dropline.import_files (import_id, number, drop_id)
		SELECT $1, row_number() OVER (ORDER BY f.number), f.drop_id FROM dropline.import_files f
		WHERE f.import_id = $2 AND f.container = 0 AND f.relation = '' AND f.drop_id IS NOT NULL`, next, id)
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return ingest.WithHint(ingest.Errorf(ingest.Conflict, "", "the import has no files: they were removed or sent again"),
			"send the files again")
	}
	var batch pgx.Batch
	batch.Queue(`UPDATE dropline.drops d SET import_id = $1 FROM dropline.import_files f WHERE f.import_id = $1 AND d.id = f.drop_id`, next)
	batch.Queue(`UPDATE dropline.imports SET bytes_total = (SELECT sum(d.size) FROM dropline.import_files f
		JOIN dropline.drops d ON d.id = f.drop_id WHERE f.import_id = $1) WHERE id = $1`, next)
	if h.state == ingest.Staged || h.state == ingest.Unmapped {
		batch.Queue(`UPDATE dropline.imports SET state = 'cancelled', finished_at = $2, error = '', hint = '' WHERE id = $1`, id, now)
	}
	return tx.SendBatch(ctx, &batch).Close()
}

// notRerun is a Conflict if the import's files are another's by now.
func notRerun(ctx context.Context, tx pgx.Tx, id ingest.ImportID) error {
	as, err := rerunAs(ctx, tx, id)
	if err == nil && as != "" {
		err = ingest.WithHint(ingest.Errorf(ingest.Conflict, "", "the import has been run again as %s", as), "go on with that one")
	}
	return err
}

// notOfDatabase is a Conflict if the import read a database: what its mapping did not ask for is not there to be mapped otherwise.
func notOfDatabase(ctx context.Context, tx pgx.Tx, id ingest.ImportID) error {
	var database bool
	err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM dropline.import_databases WHERE import_id = $1)`, id).Scan(&database)
	if err == nil && database {
		err = ingest.WithHint(ingest.Errorf(ingest.Conflict, "", "the import read a database, of which only what its mapping asked for is stored"),
			"import from the database again: it is read under the mapping that is then in force")
	}
	return err
}

// rerunAs is the import that has an import's files now, or "".
func rerunAs(ctx context.Context, q querier, id ingest.ImportID) (ingest.ImportID, error) {
	var as ingest.ImportID
	err := q.QueryRow(ctx, `SELECT id FROM dropline.imports WHERE rerun_of = $1`, id).Scan(&as)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return as, err
}

// versionFor finds the version of the tenant's mapping that is asked for.
func versionFor(ctx context.Context, tx pgx.Tx, tenant ingest.TenantID, version int) (int, error) {
	if version == 0 {
		return 0, nil
	}
	err := tx.QueryRow(ctx, `SELECT t.mapping_version FROM dropline.tenants t WHERE t.id = $1 AND $2 = -1
		UNION ALL SELECT m.version FROM dropline.mappings m WHERE m.tenant = $1 AND m.version = $2`, tenant, version).Scan(&version)
	return version, missing(err, "version of the mapping")
}
