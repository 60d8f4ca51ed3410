package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
)

// RequestImport records an import that reads a database, and its job.
func (l *Ledger) RequestImport(ctx context.Context, tenant ingest.TenantID, id ingest.ImportID, d ingest.Database, by string,
) (ingest.Import, error) {
	const op = "ledger.RequestImport"
	options, err := json.Marshal(d.Options)
	if err != nil {
		return ingest.Import{}, fault(op, err)
	}
	var imp ingest.Import
	err = l.inTx(ctx, op, func(tx pgx.Tx) error {
		if err := lockInbox(ctx, tx, tenant); err != nil {
			return err
		}
		if d.Source != "" {
			err := tx.QueryRow(ctx, `SELECT server, database_name FROM dropline.sources WHERE id = $1 AND tenant = $2 FOR SHARE`,
				d.Source, tenant).Scan(&d.Server, &d.Name)
			if err != nil {
				return missing(err, "source")
			}
			d.Sealed = nil
		}
		tag, err := tx.Exec(ctx, `INSERT INTO dropline.imports (id, tenant, schema_id, mapping_version, state, created_at)
			SELECT $2, t.id, t.schema_id, t.mapping_version, 'queued', $3 FROM dropline.tenants t WHERE t.id = $1 AND t.enabled`,
			tenant, id, l.now())
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return ingest.WithHint(ingest.Errorf(ingest.Denied, "", "the tenant %s is switched off", tenant), "switch it on first")
		}
		_, err = tx.Exec(ctx, `INSERT INTO dropline.import_databases (import_id, source_id, server, database_name, sealed, options,
			requested_by) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			id, d.Source, text(d.Server), text(d.Name), d.Sealed, string(options), text(by))
		if err != nil {
			return err
		}
		if err := l.enqueue(ctx, tx, id, ingest.LoadArgs{Import: id}); err != nil {
			return err
		}
		imp, err = readImport(ctx, tx, tenant, id)
		return err
	})
	if err != nil {
		return ingest.Import{}, err
	}
	return imp, nil
}

// readDatabase returns the database of an import, without its connection string, or nil where it has none.
func readDatabase(ctx context.Context, q querier, id ingest.ImportID) (*ingest.Database, error) {
	var d ingest.Database
	var options, plan []byte
	err := q.QueryRow(ctx, `SELECT source_id, server, database_name, options, plan, snapshots, base_id
		FROM dropline.import_databases WHERE import_id = $1`, id).
		Scan(&d.Source, &d.Server, &d.Name, &options, &plan, &d.Snapshots, &d.BaseID)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(options, &d.Options); err != nil {
		return nil, err
	}
	if plan != nil {
		d.Plan = &ingest.DatabasePlan{}
		if err := json.Unmarshal(plan, d.Plan); err != nil {
			return nil, err
		}
	}
	return &d, nil
}

// Sealed returns the encrypted connection string of an import's database, and what it is bound to. NotFound once it was
// wiped, or its source removed.
func (l *Ledger) Sealed(ctx context.Context, id ingest.ImportID) (sealed []byte, bound string, err error) {
	const op = "ledger.Sealed"
	var tenant ingest.TenantID
	var source ingest.SourceID
	err = l.pool.QueryRow(ctx, `SELECT i.tenant, d.source_id, CASE WHEN d.source_id = '' THEN d.sealed ELSE s.sealed END
		FROM dropline.import_databases d JOIN dropline.imports i ON i.id = d.import_id
		LEFT JOIN dropline.sources s ON s.id = d.source_id AND s.tenant = i.tenant WHERE d.import_id = $1`, id).
		Scan(&tenant, &source, &sealed)
	switch {
	case err != nil:
		return nil, "", fault(op, missing(err, "database"))
	case sealed == nil && source != "":
		return nil, "", ingest.WithHint(ingest.Errorf(ingest.NotFound, op, "the source that the import reads was removed"),
			"store it again, and import from it anew")
	case sealed == nil:
		return nil, "", ingest.WithHint(ingest.Errorf(ingest.NotFound, op, "the import's connection string is no longer kept"),
			"post it again")
	case source != "":
		return sealed, ingest.SealedFor(tenant, string(source)), nil
	}
	return sealed, ingest.SealedFor(tenant, string(id)), nil
}

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
	_, err = tx.Exec(ctx, `UPDATE dropline.import_databases SET plan = $2, snapshots = $3, base_id = $4 WHERE import_id = $1`,
		id, string(plan), d.Snapshots, d.BaseID)
	return err
}

// RecordPart registers what was read of a database as a drop and a file of its import, together with how far the plan is.
// Conflict if the import is no longer being loaded by that attempt: the object is then nobody's.
func (l *Ledger) RecordPart(ctx context.Context, imp ingest.Import, f ingest.ImportFile) error {
	return l.inTx(ctx, "ledger.RecordPart", func(tx pgx.Tx) error {
		if err := lockInbox(ctx, tx, imp.Tenant); err != nil {
			return err
		}
		if err := savePlan(ctx, tx, imp.ID, imp.Attempt, imp.Database); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO dropline.drops (id, tenant, path, key, size, sha256, via, delivered_by, state, import_id,
			received_at, mod_time) SELECT $1, $2, $3, $4, $5, $6, $7, requested_by, 'imported', $8, $9, $9
			FROM dropline.import_databases WHERE import_id = $8`,
			f.Drop, imp.Tenant, text(f.Path), f.Key, f.Size, f.SHA256[:], ingest.ViaSQLServer, imp.ID, f.ReceivedAt)
		if err != nil {
			return err
		}
		var batch pgx.Batch
		batch.Queue(`INSERT INTO dropline.import_files (import_id, number, drop_id, state, table_name, relation)
			VALUES ($1, $2, $3, 'loading', $4, $5)`, imp.ID, f.Number, f.Drop, text(f.Table), text(f.Relation))
		batch.Queue(`UPDATE dropline.imports SET bytes_total = bytes_total + $2 WHERE id = $1`, imp.ID, f.Size)
		batch.Queue(`SELECT dropline.stored($1, 1, $2, NULL)`, imp.Tenant, f.Size)
		return tx.SendBatch(ctx, &batch).Close()
	})
}

// Marks returns how far a source's relations have been imported under a schema and a mapping version, and by which import: the
// latest of the source that is staged, being promoted or promoted, as are all that it went on from. An empty id: none is,
// and everything is to be read.
func (l *Ledger) Marks(ctx context.Context, source ingest.SourceID, schema string, mapping int,
) (ingest.ImportID, map[string]ingest.SourceMark, error) {
	const op = "ledger.Marks"
	rows, err := l.pool.Query(ctx, `SELECT i.id, d.base_id, d.marks, i.state IN ('staged', 'promoting', 'promoted')
			AND i.schema_id = $2 AND i.mapping_version = $3 AND d.marks IS NOT NULL
		FROM dropline.import_databases d JOIN dropline.imports i ON i.id = d.import_id
		WHERE d.source_id = $1 ORDER BY i.seq DESC LIMIT $4`, source, schema, mapping, maxChain)
	type link struct {
		id, base ingest.ImportID
		marks    []byte
		live     bool
	}
	links, err := collect(rows, err, func(row pgx.Row) (link, error) {
		var k link
		err := row.Scan(&k.id, &k.base, &k.marks, &k.live)
		return k, err
	})
	if err != nil {
		return "", nil, fault(op, err)
	}
	at := make(map[ingest.ImportID]int, len(links))
	for i, k := range links {
		at[k.id] = i
	}
	for _, k := range links {
		whole := k.live
		for next := k.base; whole && next != ""; {
			i, known := at[next]
			whole = known && links[i].live
			if whole {
				next = links[i].base
			}
		}
		if !whole {
			continue
		}
		marks := map[string]ingest.SourceMark{}
		if err := json.Unmarshal(k.marks, &marks); err != nil {
			return "", nil, fault(op, err)
		}
		return k.id, marks, nil
	}
	return "", nil, nil
}

// maxChain is how many imports of a source are looked at. An incremental import whose beginnings are longer ago is followed by
// one that reads everything, which also finds what was missed by whatever fault.
const maxChain = 1000

// saveMarks records how far the relations of an import's database are with it, and wipes its connection string.
func saveMarks(ctx context.Context, tx pgx.Tx, id ingest.ImportID, marks map[string]ingest.SourceMark) error {
	list, err := json.Marshal(marks)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE dropline.import_databases SET marks = $2, sealed = NULL WHERE import_id = $1`, id, string(list))
	return err
}

// WipeSecrets forgets the connection strings posted for imports that failed or were cancelled before the given time: until then
// they can be retried.
func (l *Ledger) WipeSecrets(ctx context.Context, before time.Time) error {
	_, err := l.pool.Exec(ctx, `UPDATE dropline.import_databases d SET sealed = NULL FROM dropline.imports i
		WHERE i.id = d.import_id AND d.sealed IS NOT NULL AND i.state NOT IN ('queued', 'loading', 'validating')
		AND coalesce(i.finished_at, i.created_at) < $1`, before)
	return fault("ledger.WipeSecrets", err)
}

// startOver forgets what was read of an import's database, unless it was read to its end: parts read at another time would not
// belong together with it. Their objects are discarded as those of withdrawn drops are.
func (l *Ledger) startOver(ctx context.Context, tx pgx.Tx, id ingest.ImportID) error {
	d, err := readDatabase(ctx, tx, id)
	if err != nil || d == nil || d.Plan != nil && d.Plan.Complete() {
		return err
	}
	var batch pgx.Batch
	batch.Queue(`UPDATE dropline.drops SET state = 'withdrawn', import_id = NULL, ended_at = $2 WHERE import_id = $1`, id, l.now())
	batch.Queue(`DELETE FROM dropline.import_files WHERE import_id = $1`, id)
	batch.Queue(`UPDATE dropline.imports SET bytes_total = 0, rows_total = 0 WHERE id = $1`, id)
	batch.Queue(`UPDATE dropline.import_databases SET plan = NULL, snapshots = 0, base_id = '' WHERE import_id = $1`, id)
	return tx.SendBatch(ctx, &batch).Close()
}
