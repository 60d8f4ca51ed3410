package ledger

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
)

// RequestImport records an import that reads a database, and its job, in one transaction. The database is a source of the
// tenant's, whose connection string is not copied, or one whose sealed connection string comes with the request.
func (l *Ledger) RequestImport(ctx context.Context, tenant ingest.TenantID, id ingest.ImportID, d ingest.Database, by string,
) (ingest.Import, error) {
	const op = "ledger.RequestImport"
	if !id.Valid() || d.Source == "" && len(d.Sealed) == 0 {
		return ingest.Import{}, ingest.Errorf(ingest.Internal, op, "an import needs an id, and a source or a sealed connection string")
	}
	if err := checkIsolation(d.Options.Isolation); err != nil {
		return ingest.Import{}, fault(op, err)
	}
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
		if err := checkQueued(ctx, tx, tenant); err != nil {
			return err
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
		_, err = tx.Exec(ctx, `INSERT INTO dropline.import_databases (import_id, seq, source_id, server, database_name, sealed,
			options, requested_by) SELECT i.id, i.seq, $2, $3, $4, $5, $6, $7 FROM dropline.imports i WHERE i.id = $1`,
			id, d.Source, shown(d.Server), shown(d.Name), d.Sealed, string(options), text(by))
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

// checkQueued refuses to let the imports from a tenant's databases pile up. The caller holds the inbox.
func checkQueued(ctx context.Context, tx pgx.Tx, tenant ingest.TenantID) error {
	var n int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM dropline.imports i JOIN dropline.import_databases d ON d.import_id = i.id
		WHERE i.tenant = $1 AND i.state = 'queued'`, tenant).Scan(&n)
	if err != nil || n < ingest.MaxQueuedDatabases {
		return err
	}
	return ingest.WithHint(ingest.Errorf(ingest.Conflict, "", "%d imports from databases of the tenant wait already", n),
		"wait until some of them are done, or cancel them")
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
// wiped, its source removed, or the source given another database: parts of two databases would not belong together.
func (l *Ledger) Sealed(ctx context.Context, id ingest.ImportID) (sealed []byte, bound string, err error) {
	sealed, bound, err = sealedOf(ctx, l.pool, id)
	return sealed, bound, fault("ledger.Sealed", err)
}

func sealedOf(ctx context.Context, q querier, id ingest.ImportID) (sealed []byte, bound string, err error) {
	var tenant ingest.TenantID
	var source ingest.SourceID
	var another bool // database than was asked for
	err = q.QueryRow(ctx, `SELECT i.tenant, d.source_id, CASE WHEN d.source_id = '' THEN d.sealed ELSE s.sealed END,
		coalesce(s.server <> d.server OR s.database_name <> d.database_name, false)
		FROM dropline.import_databases d JOIN dropline.imports i ON i.id = d.import_id
		LEFT JOIN dropline.sources s ON s.id = d.source_id AND s.tenant = i.tenant WHERE d.import_id = $1`, id).
		Scan(&tenant, &source, &sealed, &another)
	switch {
	case err != nil:
		return nil, "", missing(err, "database")
	case sealed == nil && source != "":
		return nil, "", ingest.WithHint(ingest.Errorf(ingest.NotFound, "", "the source that the import reads was removed"),
			"store it again, and import from it anew")
	case sealed == nil:
		return nil, "", ingest.WithHint(ingest.Errorf(ingest.NotFound, "", "the import's connection string is no longer kept"),
			"post it again")
	case another:
		return nil, "", ingest.WithHint(ingest.Errorf(ingest.NotFound, "", "the source names another database since the import was requested"),
			"import from the source anew")
	case source != "":
		return sealed, ingest.SealedFor(tenant, string(source)), nil
	}
	return sealed, ingest.SealedFor(tenant, string(id)), nil
}
