package staging

import (
	"context"

	"dropline/ingest"
	"dropline/schema"

	"github.com/jackc/pgx/v5"
)

// Seal ends the loading of an import: it refuses an import that has not been checked, and opens the views of its rows to the
// tenant's reader role. Promote counts the rows. What a crash of PostgreSQL takes of them later is brought back by Refill.
func (s *Store) Seal(ctx context.Context, t Target) error {
	const op = "staging.Seal"
	if err := t.validate(op); err != nil {
		return err
	}
	return s.inTx(ctx, op, func(tx pgx.Tx) error {
		if err := s.holdImport(ctx, tx, t); err != nil {
			return err
		}
		record, err := lockImport(ctx, tx, op, t)
		if err != nil {
			return err
		}
		if record.checked == nil {
			return ingest.Errorf(ingest.Conflict, op, "import %s has not been checked", t.Import)
		}
		tables, _, err := stagedTables(ctx, tx, t)
		if err != nil {
			return err
		}
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
	})
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
