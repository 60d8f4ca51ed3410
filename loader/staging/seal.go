package staging

import (
	"context"

	"dropline/ingest"
	"dropline/schema"

	"github.com/jackc/pgx/v5"
)

// Seal ends the loading of an import: it refuses an import that has not been checked, opens the views of its rows to the
// tenant's reader role, and calls record, which is to note in the same transaction that the import is staged. So the rows are
// there when that is known, and what a crash of PostgreSQL takes of them later is brought back by Refill. It is Unavailable
// if one has taken them already: the import must be begun again. Promote counts the rows.
func (s *Store) Seal(ctx context.Context, t Target, record func(ctx context.Context, tx pgx.Tx) error) error {
	const op = "staging.Seal"
	if err := t.validate(op); err != nil {
		return err
	}
	return s.inTx(ctx, op, func(tx pgx.Tx) error {
		if err := s.holdImport(ctx, tx, t); err != nil {
			return err
		}
		own, err := lockImport(ctx, tx, op, t)
		if err != nil {
			return err
		}
		if own.checked == nil {
			return ingest.Errorf(ingest.Conflict, op, "import %s has not been checked", t.Import)
		}
		tables, counts, err := stagedTables(ctx, tx, t)
		if err != nil {
			return err
		}
		if gone, err := anyEmptied(ctx, tx, t, tables, counts); err != nil {
			return err
		} else if gone {
			return ingest.Errorf(ingest.Unavailable, op, "PostgreSQL has lost rows since they were checked")
		}
		if err := openToReader(ctx, tx, t, tables); err != nil {
			return err
		}
		return record(ctx, tx)
	})
}

// openToReader lets the tenant's reader role see the views of an import's rows.
func openToReader(ctx context.Context, tx pgx.Tx, t Target, tables []*schema.Table) error {
	role := readerRole(t.Tenant)
	there, err := roleExists(ctx, tx, role)
	if err != nil || !there {
		return err
	}
	for _, table := range tables {
		_, err := tx.Exec(ctx, "grant select on "+namesOf(t.Tenant).view(table, t.Seq)+" to "+schema.QuoteIdent(role))
		if err != nil {
			return err
		}
	}
	return nil
}

// Counts returns how many rows each table of a tenant's production has, by published name.
func (s *Store) Counts(ctx context.Context, tenant ingest.TenantID, def *schema.Schema) (map[string]int64, error) {
	const op = "staging.Counts"
	counts := map[string]int64{}
	err := s.inTx(ctx, op, func(tx pgx.Tx) error {
		there, err := s.checkDefinition(ctx, tx, tenant, def)
		if err != nil || !there {
			return err
		}
		for _, t := range def.Tables {
			var n int64
			if err := tx.QueryRow(ctx, "select count(*) from "+namesOf(tenant).live(t)).Scan(&n); err != nil {
				return err
			}
			counts[t.Name] = n
		}
		return nil
	})
	return counts, err
}
