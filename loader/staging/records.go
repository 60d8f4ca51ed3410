package staging

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"dropline/ingest"
	"dropline/schema"

	"github.com/jackc/pgx/v5"
)

// The package's own records of a tenant, in its staging schema. _tenant has one row: which definition the tables were made
// from, and a version that grows with each change of production, and the seed of digests. _imports knows how far each import's tables are, _files
// what was copied from which file, _tables what was left after the checks, _whole of which tables the import has all rows. _intact is empty after a crash: see refill.go.
func recordsDDL(n names) []string {
	return []string{
		"create table if not exists " + n.own("_tenant") + ` (
    one boolean primary key default true check (one),
    schema_id text not null,
    fingerprint text not null,
    version bigint not null default 0,
    seed bigint not null
)`,
		"create table if not exists " + n.own("_imports") + ` (
    seq bigint primary key,
    import text not null,
    holder text not null,
    checked_version bigint,
    promoted_version bigint,
    lapsed boolean not null default false
)`,
		"create table if not exists " + n.own("_files") + ` (
    seq bigint not null,
    number integer not null,
    path text not null,
    table_name text not null,
    staged bigint not null,
    rejected bigint not null,
    primary key (seq, number)
)`,
		"create table if not exists " + n.own("_tables") + ` (
    seq bigint not null,
    table_name text not null,
    staged bigint not null,
    primary key (seq, table_name)
)`,
		wholeDDL(n),
		"create unlogged table if not exists " + n.own("_intact") + " (one boolean primary key default true check (one))",
	}
}

// fingerprint tells two definitions apart whose production tables differ. New seeds or checks need no new tables.
func fingerprint(s *schema.Schema) string {
	h := sha256.New()
	for _, t := range s.Tables {
		_, _ = fmt.Fprintf(h, "%q %q %q\n", t.Name, t.SQLName, t.Prefix)
		for _, statement := range t.ProductionDDL("") {
			_, _ = fmt.Fprintln(h, statement)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// checkDefinition fails unless the tenant's tables were made from this definition. It reports false when there are none.
func (s *Store) checkDefinition(ctx context.Context, tx pgx.Tx, tenant ingest.TenantID, def *schema.Schema) (bool, error) {
	n := namesOf(tenant)
	if there, err := tableExists(ctx, tx, n, "_tenant"); err != nil || !there {
		return false, err
	}
	var id, print string
	err := tx.QueryRow(ctx, "select schema_id, fingerprint from "+n.own("_tenant")).Scan(&id, &print)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return false, nil
	case err != nil:
		return false, err
	case id != def.ID():
		return false, ingest.WithHint(
			ingest.Errorf(ingest.Conflict, "staging.Provision", "tenant %s has the tables of %s, not of %s", tenant, id, def.ID()),
			"create another tenant for the other schema")
	case print != fingerprint(def):
		return false, ingest.WithHint(
			ingest.Errorf(ingest.Conflict, "staging.Provision", "the definition of %s has changed since tenant %s's tables were made from it", id, tenant),
			"put the definition back as it was, and give the changed one another version")
	}
	return true, nil
}

// tableExists reports whether the tenant's staging schema has a table. It asks the catalogue itself: to_regclass answers
// from a cache that waiting for an advisory lock does not refresh.
func tableExists(ctx context.Context, tx pgx.Tx, n names, table string) (bool, error) {
	var there bool
	err := tx.QueryRow(ctx, "select exists (select from pg_class c join pg_namespace s on s.oid = c.relnamespace "+
		"where s.nspname = $1 and c.relname = $2 and c.relkind = 'r')", n.staging, table).Scan(&there)
	return there, err
}

// importRecord is what _imports knows of one import.
type importRecord struct {
	id       ingest.ImportID
	checked  *int64 // version of production against which it was checked
	promoted *int64 // version of production that its promotion made
	lapsed   bool   // its tables were dropped after its promotion
}

// lockImport reads an import's record and keeps it from changing until the transaction ends.
func lockImport(ctx context.Context, tx pgx.Tx, op string, t Target) (importRecord, error) {
	var r importRecord
	err := tx.QueryRow(ctx, "select import, checked_version, promoted_version, lapsed from "+namesOf(t.Tenant).own("_imports")+
		" where seq = $1 for update", t.Seq).Scan(&r.id, &r.checked, &r.promoted, &r.lapsed)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return r, ingest.Errorf(ingest.Conflict, op, "import %s has nothing in staging", t.Import)
	case err != nil:
		return r, err
	case r.id != t.Import:
		return r, ingest.Errorf(ingest.Internal, op, "staging number %d is import %s's, not %s's", t.Seq, r.id, t.Import)
	}
	return r, nil
}

// stagedTables returns the tables in which the import has rows, in the schema's order, and how many.
func stagedTables(ctx context.Context, tx pgx.Tx, t Target) ([]*schema.Table, map[string]int64, error) {
	rows, err := tx.Query(ctx, "select table_name, staged from "+namesOf(t.Tenant).own("_tables")+" where seq = $1", t.Seq)
	if err != nil {
		return nil, nil, err
	}
	counts := map[string]int64{}
	var name string
	var count int64
	if _, err := pgx.ForEachRow(rows, []any{&name, &count}, func() error {
		counts[name] = count
		return nil
	}); err != nil {
		return nil, nil, err
	}
	var tables []*schema.Table
	for _, table := range t.Schema.Tables {
		if _, ok := counts[table.Name]; ok {
			tables = append(tables, table)
		}
	}
	if len(tables) != len(counts) {
		return nil, nil, ingest.Errorf(ingest.Internal, "staging", "import %s has rows of a table that its schema lacks", t.Import)
	}
	return tables, counts, nil
}

// digestSeed is what the tenant's digests of rows are computed with. It is the tenant's own and random, so that nobody who
// makes files can know which rows would have the same.
func digestSeed(ctx context.Context, db interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}, tenant ingest.TenantID,
) (uint64, error) {
	var seed int64
	err := db.QueryRow(ctx, "select seed from "+namesOf(tenant).own("_tenant")).Scan(&seed)
	return uint64(seed), err
}

// productionVersion is the number of the last change of the tenant's production.
func productionVersion(ctx context.Context, tx pgx.Tx, tenant ingest.TenantID) (int64, error) {
	var version int64
	err := tx.QueryRow(ctx, "select version from "+namesOf(tenant).own("_tenant")).Scan(&version)
	return version, err
}
