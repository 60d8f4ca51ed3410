package ledger

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
)

const importColumns = `i.id, i.seq, i.tenant, i.schema_id, i.mapping_version, i.time_zone, i.state, i.attempt, i.created_at, i.started_at,
	i.loaded_at, i.finished_at, i.promoted_at, i.rolled_back_at, i.bytes_total, i.bytes_read, i.records_read, i.staged,
	i.rejected, i.warnings, i.rows_total, i.error, i.hint, i.rerun_of`

// Import returns an import with its files, its tables, the files recognised as duplicates of its own (Number 0), and its
// promotion. An empty tenant means any.
func (l *Ledger) Import(ctx context.Context, tenant ingest.TenantID, id ingest.ImportID) (ingest.Import, error) {
	const op = "ledger.Import"
	var imp ingest.Import
	// One snapshot, so that the counts of import, files and tables belong together.
	err := pgx.BeginTxFunc(ctx, l.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly},
		func(tx pgx.Tx) error {
			var err error
			if imp, err = readImport(ctx, tx, tenant, id); err != nil {
				return err
			}
			duplicates, err := readDuplicates(ctx, tx, id)
			imp.Files = append(imp.Files, duplicates...)
			return err
		})
	if err != nil {
		return ingest.Import{}, fault(op, err)
	}
	return imp, nil
}

// ListImports returns imports without their files and tables, newest first. A Limit over MaxPage counts as MaxPage.
func (l *Ledger) ListImports(ctx context.Context, filter ingest.ImportFilter) ([]ingest.Import, error) {
	const op = "ledger.ListImports"
	limit := min(filter.Limit, ingest.MaxPage)
	if limit <= 0 {
		limit = ingest.DefaultPage
	}
	before := filter.Before
	if before <= 0 {
		before = 1<<63 - 1
	}
	// Conditions that are left out are not in the query, so that each form of it gets the index that serves it.
	sql, args := `SELECT `+importColumns+` FROM dropline.imports i WHERE i.seq < $1`, []any{before, limit}
	if filter.Tenant != "" {
		args = append(args, filter.Tenant)
		sql += ` AND i.tenant = $3`
	}
	if len(filter.States) > 0 {
		args = append(args, states(filter.States))
		sql += fmt.Sprintf(` AND i.state = ANY ($%d)`, len(args))
	}
	rows, err := l.pool.Query(ctx, sql+` ORDER BY i.seq DESC LIMIT $2`, args...)
	list, err := collect(rows, err, scanImport)
	if err != nil {
		return nil, fault(op, err)
	}
	if err := l.attachPromotions(ctx, list); err != nil {
		return nil, fault(op, err)
	}
	return list, nil
}

// TenantsWith returns the tenants that have imports in one of the states whose tables have not lapsed.
func (l *Ledger) TenantsWith(ctx context.Context, in []ingest.State) ([]ingest.TenantID, error) {
	const op = "ledger.TenantsWith"
	rows, err := l.pool.Query(ctx, `SELECT DISTINCT tenant FROM dropline.imports
		WHERE state = ANY ($1) AND lapsed_at IS NULL ORDER BY tenant`, states(in))
	if err != nil {
		return nil, fault(op, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[ingest.TenantID])
	return list, fault(op, err)
}

// SampleRejects returns the first rejects of an import, in the order of file and record, up to limit, and warnings likewise.
func (l *Ledger) SampleRejects(ctx context.Context, id ingest.ImportID, limit int,
) (rejects, warnings []ingest.Reject, err error) {
	const op = "ledger.SampleRejects"
	var exists bool
	err = l.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM dropline.imports WHERE id = $1)`, id).Scan(&exists)
	if err == nil && !exists {
		err = missing(pgx.ErrNoRows, "import")
	}
	if err != nil {
		return nil, nil, fault(op, err)
	}
	const sql = `SELECT r.file, r.file_number, r.table_name, r.record, r.line, r.column_name, r.header, r.code, r.message, r.value,
		r.row_id, r.byte_offset, r.byte_length, coalesce(f.output, 0) FROM dropline.import_rejects r
		LEFT JOIN dropline.import_files f ON f.import_id = r.import_id AND f.number = r.file_number
		WHERE r.import_id = $1 AND r.warning = $2 ORDER BY r.file_number, r.record, r.position LIMIT $3`
	for _, part := range []struct {
		warning bool
		into    *[]ingest.Reject
	}{{false, &rejects}, {true, &warnings}} {
		rows, err := l.pool.Query(ctx, sql, id, part.warning, max(limit, 0))
		if *part.into, err = collect(rows, err, scanReject); err != nil {
			return nil, nil, fault(op, err)
		}
	}
	return rejects, warnings, nil
}

// readImport reads an import with its parts, without duplicates.
func readImport(ctx context.Context, q querier, tenant ingest.TenantID, id ingest.ImportID) (ingest.Import, error) {
	imp, err := scanImport(q.QueryRow(ctx, `SELECT `+importColumns+` FROM dropline.imports i
		WHERE i.id = $1 AND ($2 = '' OR i.tenant = $2)`, id, tenant))
	if err != nil {
		return imp, missing(err, "import")
	}
	if imp.Database, err = readDatabase(ctx, q, id); err != nil {
		return imp, err
	}
	if imp.RerunAs, err = rerunAs(ctx, q, id); err != nil {
		return imp, err
	}
	rows, err := q.Query(ctx, `SELECT f.number, coalesce(d.id, ''), coalesce(d.path, $2 || '/' || f.relation), coalesce(d.key, ''),
		coalesce(d.size, 0), d.sha256, coalesce(d.received_at, i.created_at), f.state, f.table_name, f.bytes, f.records_read,
		f.staged, f.rejected, f.ignored, f.notes, f.code, f.error, f.relation, f.container, f.member, f.output
		FROM dropline.import_files f JOIN dropline.imports i ON i.id = f.import_id LEFT JOIN dropline.drops d ON d.id = f.drop_id
		WHERE f.import_id = $1 ORDER BY f.number`, id, ingest.DatabaseRoot)
	if imp.Files, err = collect(rows, err, scanFile); err != nil {
		return imp, err
	}
	rows, err = q.Query(ctx, `SELECT name, records_read, staged, rejected, inserted, updated, unchanged, deleted
		FROM dropline.import_tables WHERE import_id = $1 ORDER BY position`, id)
	if imp.Tables, err = collect(rows, err, scanTable); err != nil {
		return imp, err
	}
	rows, err = q.Query(ctx, `SELECT prerequisite FROM dropline.import_prerequisites WHERE import_id = $1 ORDER BY position`, id)
	if err != nil {
		return imp, err
	}
	if imp.Prerequisites, err = pgx.CollectRows(rows, pgx.RowTo[ingest.ImportID]); err != nil {
		return imp, err
	}
	promotions, err := readPromotions(ctx, q, []string{string(id)})
	if p, ok := promotions[id]; ok {
		imp.Promotion = &p
	}
	return imp, err
}

func readDuplicates(ctx context.Context, q querier, id ingest.ImportID) ([]ingest.ImportFile, error) {
	rows, err := q.Query(ctx, `SELECT 0, d.id, d.path, d.key, d.size, d.sha256, d.received_at, 'duplicate', f.table_name,
		0::bigint, 0::bigint, 0::bigint, 0::bigint, NULL::text[], NULL::text[], '', '', '', 0, '', 0
		FROM dropline.import_files f JOIN dropline.drops d ON d.duplicate_of = f.drop_id AND f.container = 0
		WHERE f.import_id = $1 AND d.state = 'duplicate' ORDER BY d.seq`, id)
	return collect(rows, err, scanFile)
}

func (l *Ledger) attachPromotions(ctx context.Context, list []ingest.Import) error {
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = string(list[i].ID)
	}
	promotions, err := readPromotions(ctx, l.pool, ids)
	for i := range list {
		if p, ok := promotions[list[i].ID]; ok {
			list[i].Promotion = &p
		}
	}
	return err
}

// readPromotions returns the last promotion asked for of each of the imports that has one.
func readPromotions(ctx context.Context, q querier, ids []string) (map[ingest.ImportID]ingest.Promotion, error) {
	rows, err := q.Query(ctx, `SELECT DISTINCT ON (import_id) import_id, requested_at, requested_by, started_at, finished_at,
		override, inserted, updated, unchanged, deleted FROM dropline.promotions WHERE import_id = ANY ($1)
		ORDER BY import_id, number DESC`, ids)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	promotions := make(map[ingest.ImportID]ingest.Promotion)
	for rows.Next() {
		var id ingest.ImportID
		var p ingest.Promotion
		if err := rows.Scan(&id, &p.RequestedAt, &p.RequestedBy, &p.StartedAt, &p.FinishedAt, &p.Override,
			&p.Counts.Inserted, &p.Counts.Updated, &p.Counts.Unchanged, &p.Counts.Deleted); err != nil {
			return nil, err
		}
		utc(&p.RequestedAt, p.StartedAt, p.FinishedAt)
		promotions[id] = p
	}
	return promotions, rows.Err()
}

func scanImport(row pgx.Row) (ingest.Import, error) {
	var i ingest.Import
	err := row.Scan(&i.ID, &i.Seq, &i.Tenant, &i.Schema, &i.MappingVersion, &i.TimeZone, &i.State, &i.Attempt, &i.CreatedAt, &i.StartedAt,
		&i.LoadedAt, &i.FinishedAt, &i.PromotedAt, &i.RolledBackAt, &i.BytesTotal, &i.BytesRead, &i.Read, &i.Staged,
		&i.Rejected, &i.Warnings, &i.RowsTotal, &i.Error, &i.Hint, &i.RerunOf)
	utc(&i.CreatedAt, i.StartedAt, i.LoadedAt, i.FinishedAt, i.PromotedAt, i.RolledBackAt)
	return i, err
}

func scanFile(row pgx.Row) (ingest.ImportFile, error) {
	var f ingest.ImportFile
	var sum []byte
	err := row.Scan(&f.Number, &f.Drop, &f.Path, &f.Key, &f.Size, &sum, &f.ReceivedAt, &f.State, &f.Table, &f.Bytes, &f.Read,
		&f.Staged, &f.Rejected, &f.Ignored, &f.Notes, &f.Code, &f.Error, &f.Relation,
		&f.Container, &f.Member, &f.Output)
	copy(f.SHA256[:], sum)
	f.ReceivedAt = f.ReceivedAt.UTC()
	return f, err
}

func scanTable(row pgx.Row) (ingest.ImportTable, error) {
	var t ingest.ImportTable
	var inserted, updated, unchanged, deleted *int64
	err := row.Scan(&t.Name, &t.Read, &t.Staged, &t.Rejected, &inserted, &updated, &unchanged, &deleted)
	if err == nil && inserted != nil && updated != nil && unchanged != nil && deleted != nil {
		t.Promoted = &ingest.PromotionCounts{
			Inserted: *inserted, Updated: *updated, Unchanged: *unchanged, Deleted: *deleted,
		}
	}
	return t, err
}

func scanReject(row pgx.Row) (ingest.Reject, error) {
	var r ingest.Reject
	var value []byte
	err := row.Scan(&r.File, &r.FileNumber, &r.Table, &r.Record, &r.Line, &r.Column, &r.Header, &r.Code, &r.Message, &value,
		&r.ImportID, &r.Offset, &r.Length, &r.Output)
	r.Value = string(value)
	return r, err
}
