package staging

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"strings"

	"dropline/ingest"
	"dropline/schema"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// SeedImport stands in _import of rows that a tenant's production started with.
const SeedImport = "seed"

// Provision makes a tenant's staging and production schemas with the tables and seed rows of the definition, and its reader
// role. What is there is left alone, so it may be called before every import, and from several processes at once. It is a
// Conflict if the tenant's tables were made from another definition.
func (s *Store) Provision(ctx context.Context, tenant ingest.TenantID, def *schema.Schema) error {
	const op = "staging.Provision"
	if !tenant.Valid() || def == nil {
		return ingest.Errorf(ingest.Internal, op, "tenant %q or its schema is not valid", tenant)
	}
	return s.inTx(ctx, op, func(tx pgx.Tx) error {
		if done, err := s.checkDefinition(ctx, tx, tenant, def); err != nil || done {
			return err
		}
		if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock($1)", lockKey("provision", tenant, 0)); err != nil {
			return err
		}
		// Another process may have done it while this one waited.
		if done, err := s.checkDefinition(ctx, tx, tenant, def); err != nil || done {
			return err
		}
		return s.provision(ctx, tx, tenant, def)
	})
}

func (s *Store) provision(ctx context.Context, tx pgx.Tx, tenant ingest.TenantID, def *schema.Schema) error {
	n := namesOf(tenant)
	statements := []string{
		"create schema if not exists " + schema.QuoteIdent(n.staging),
		"create schema if not exists " + schema.QuoteIdent(n.production),
	}
	statements = append(statements, recordsDDL(n)...)
	for _, t := range def.Tables {
		statements = append(statements, t.ProductionDDL(n.production)...)
	}
	if _, err := tx.Exec(ctx, strings.Join(statements, ";\n")); err != nil {
		return err
	}
	if err := s.readerRole(ctx, tx, tenant); err != nil {
		return err
	}
	now := s.cfg.Clock().UTC()
	for _, t := range def.Tables {
		insert := seedInsert(n, t)
		for _, seed := range t.Seeds {
			args, err := seedArguments(tenant, t, seed)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, insert, append(args, SeedImport, now)...); err != nil {
				return err
			}
		}
	}
	if _, err := tx.Exec(ctx, "insert into "+n.own("_intact")+" default values on conflict do nothing"); err != nil {
		return err
	}
	var seed int64
	if err := binary.Read(rand.Reader, binary.NativeEndian, &seed); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "insert into "+n.own("_tenant")+" (schema_id, fingerprint, seed) values ($1, $2, $3)", def.ID(), fingerprint(def), seed)
	return err
}

// readerRole names the role that may read a tenant's rows and nothing else.
func readerRole(tenant ingest.TenantID) string { return "dropline_" + string(tenant) + "_reader" }

// readerRole makes the tenant's reader role, which cannot log in by itself: the operator grants it to people. Where the
// server's user may not make roles, the tenant does without.
func (s *Store) readerRole(ctx context.Context, tx pgx.Tx, tenant ingest.TenantID) error {
	role := readerRole(tenant)
	there, err := roleExists(ctx, tx, role)
	if err != nil {
		return err
	}
	if !there {
		var may bool
		if err := tx.QueryRow(ctx, "select rolcreaterole or rolsuper from pg_roles where rolname = current_user").Scan(&may); err != nil {
			return err
		}
		if !may {
			s.noRoleOnce.Do(func() {
				s.cfg.Logger.WarnContext(ctx, "reader roles are not made: the database user lacks CREATEROLE", "tenant", tenant)
			})
			return nil
		}
		if err := createRole(ctx, tx, role); err != nil {
			return err
		}
	}
	n, r := namesOf(tenant), schema.QuoteIdent(role)
	for _, name := range []string{n.staging, n.production} {
		if _, err := tx.Exec(ctx, "grant usage on schema "+schema.QuoteIdent(name)+" to "+r); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, "grant select on all tables in schema "+schema.QuoteIdent(n.production)+" to "+r)
	return err
}

func roleExists(ctx context.Context, tx pgx.Tx, role string) (bool, error) {
	var there bool
	err := tx.QueryRow(ctx, "select exists (select from pg_roles where rolname = $1)", role).Scan(&there)
	return there, err
}

// createRole makes a role that another database of the same server may make at the same moment: roles are the server's.
func createRole(ctx context.Context, tx pgx.Tx, role string) error {
	err := pgx.BeginFunc(ctx, tx, func(nested pgx.Tx) error {
		_, err := nested.Exec(ctx, "create role "+schema.QuoteIdent(role)+" nologin")
		return err
	})
	var pg *pgconn.PgError
	if errors.As(err, &pg) && (pg.Code == "42710" || pg.Code == "23505") {
		return nil
	}
	return err
}
