package ledger

import (
	"context"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
)

// ListHeld returns the files that wait for a batch to be delivered, in the order of their paths, which are those they wait
// under.
func (l *Ledger) ListHeld(ctx context.Context, tenant ingest.TenantID, batch ingest.BatchID) ([]ingest.Entry, error) {
	list, err := l.held(ctx, l.pool, tenant, batch)
	return list, fault("ledger.ListHeld", err)
}

func (l *Ledger) held(ctx context.Context, q querier, tenant ingest.TenantID, batch ingest.BatchID) ([]ingest.Entry, error) {
	if !batch.Valid() {
		return nil, ingest.Errorf(ingest.Invalid, "", "%q cannot be a batch's name", string(batch))
	}
	rows, err := q.Query(ctx, `SELECT folder || '/' || name, kind, size, mod_time, key, drop_id, sha256 FROM dropline.entries
		WHERE tenant = $1 AND kind = 'temporary' AND right(name, length($2)) = $2 ORDER BY folder, name LIMIT $3`,
		tenant, batch.Held(""), ingest.MaxBatchFiles+1)
	return collect(rows, err, func(row pgx.Row) (ingest.Entry, error) {
		var e ingest.Entry
		var sum []byte
		err := row.Scan(&e.Path, &e.Kind, &e.Size, &e.ModTime, &e.Key, &e.Drop, &sum)
		copy(e.SHA256[:], sum)
		utc(&e.ModTime)
		return e, err
	})
}

// Deliver makes drops of the files that wait for a batch, and of those that are not duplicates one import with its job, all in
// one transaction. Files is how many there must be: Conflict if there are others. Denied if the tenant is switched off.
func (l *Ledger) Deliver(ctx context.Context, tenant ingest.TenantID, batch ingest.BatchID, files int) (ingest.Delivered, error) {
	const op = "ledger.Deliver"
	var out ingest.Delivered
	err := l.inTx(ctx, op, func(tx pgx.Tx) error {
		out = ingest.Delivered{}
		if err := lockInbox(ctx, tx, tenant); err != nil {
			return err
		}
		held, err := l.held(ctx, tx, tenant, batch)
		if err != nil {
			return err
		}
		if len(held) != files || files == 0 {
			return ingest.WithHint(ingest.Errorf(ingest.Conflict, "", "%d files wait for the batch, not %d", len(held), files),
				"send the files that are missing, or remove the batch and begin anew")
		}
		if out.Drops, err = l.registerHeld(ctx, tx, tenant, batch, held); err != nil {
			return err
		}
		out.Import, err = l.importOf(ctx, tx, tenant, out.Drops)
		return err
	})
	if err != nil {
		return ingest.Delivered{}, err
	}
	l.announceArrival(ctx, tenant)
	return out, nil
}

// registerHeld registers the files under their final names.
func (l *Ledger) registerHeld(ctx context.Context, tx pgx.Tx, tenant ingest.TenantID, batch ingest.BatchID, held []ingest.Entry,
) ([]ingest.Drop, error) {
	// A tenant without a quiet period gets an import for each file that is registered. These are to be one, so that while the
	// transaction lasts, in which nobody else sees it, the tenant has such a period.
	var quiet int64
	err := tx.QueryRow(ctx, `SELECT quiet_period FROM dropline.tenants WHERE id = $1 AND enabled FOR UPDATE`, tenant).Scan(&quiet)
	if err != nil {
		if err = missing(err, "tenant"); ingest.KindOf(err) == ingest.NotFound {
			err = ingest.WithHint(ingest.Errorf(ingest.Denied, "", "the tenant %s is switched off", tenant), "switch it on first")
		}
		return nil, err
	}
	if _, err := tx.Exec(ctx, `UPDATE dropline.tenants SET quiet_period = 1 WHERE id = $1`, tenant); err != nil {
		return nil, err
	}
	drops := make([]ingest.Drop, 0, len(held))
	for _, e := range held {
		final, _ := batch.Final(e.Path)
		n, err := lookAt(ctx, tx, tenant, e.Path)
		if err != nil {
			return nil, err
		}
		if err := l.registerTemporary(ctx, tx, tenant, n, e.Path, final); err != nil {
			return nil, err
		}
		drop, err := scanDrop(tx.QueryRow(ctx, `SELECT `+dropColumns+` FROM dropline.drops d WHERE d.id = $1`, n.drop))
		if err != nil {
			return nil, err
		}
		drops = append(drops, drop)
	}
	_, err = tx.Exec(ctx, `UPDATE dropline.tenants SET quiet_period = $2 WHERE id = $1`, tenant, quiet)
	return drops, err
}

// importOf makes an import of those of the drops that are pending. One that took the place of an older drop in a queued import
// belongs to that.
func (l *Ledger) importOf(ctx context.Context, tx pgx.Tx, tenant ingest.TenantID, drops []ingest.Drop) (ingest.ImportID, error) {
	var pending []string
	var queued ingest.ImportID
	for _, d := range drops {
		switch d.State {
		case ingest.DropPending:
			pending = append(pending, string(d.ID))
		case ingest.DropImported:
			queued = d.Import
		case ingest.DropDuplicate, ingest.DropSuperseded, ingest.DropWithdrawn:
		}
	}
	if len(pending) == 0 {
		return queued, nil
	}
	id := ingest.NewImportID()
	var batch pgx.Batch
	batch.Queue(`INSERT INTO dropline.imports (id, tenant, schema_id, mapping_version, state, created_at)
		SELECT $2, t.id, t.schema_id, t.mapping_version, 'queued', $3 FROM dropline.tenants t WHERE t.id = $1`, tenant, id, l.now())
	batch.Queue(`INSERT INTO dropline.import_files (import_id, number, drop_id)
		SELECT $1, row_number() OVER (ORDER BY seq), id FROM dropline.drops WHERE id = ANY ($2)`, id, pending)
	batch.Queue(`UPDATE dropline.drops SET state = 'imported', import_id = $1 WHERE id = ANY ($2)`, id, pending)
	batch.Queue(`UPDATE dropline.imports SET bytes_total = (SELECT sum(size) FROM dropline.drops WHERE id = ANY ($2)) WHERE id = $1`,
		id, pending)
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return "", err
	}
	for i := range drops {
		if drops[i].State == ingest.DropPending {
			drops[i].State, drops[i].Import = ingest.DropImported, id
		}
	}
	return id, l.enqueue(ctx, tx, id, ingest.LoadArgs{Import: id})
}

// Discard removes the files that wait for a batch. It returns how many there were.
func (l *Ledger) Discard(ctx context.Context, tenant ingest.TenantID, batch ingest.BatchID) (int, error) {
	n := 0
	err := l.inTx(ctx, "ledger.Discard", func(tx pgx.Tx) error {
		if err := lockInbox(ctx, tx, tenant); err != nil {
			return err
		}
		held, err := l.held(ctx, tx, tenant, batch)
		if err != nil {
			return err
		}
		for _, e := range held {
			found, err := lookAt(ctx, tx, tenant, e.Path)
			if err != nil {
				return err
			}
			if err := l.removeFile(ctx, tx, tenant, e.Path, found, ingest.DropWithdrawn); err != nil {
				return err
			}
		}
		n = len(held)
		return nil
	})
	return n, err
}
