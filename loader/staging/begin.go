package staging

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"dropline/ingest"
	"dropline/schema"

	"github.com/jackc/pgx/v5"
)

// Begin starts an attempt at loading an import: whatever an earlier attempt left in staging is dropped, and a worker that
// may still be at it, here or elsewhere, is cut off. It is a Conflict if the import is in production.
func (s *Store) Begin(ctx context.Context, t Target) error {
	const op = "staging.Begin"
	if err := t.validate(op); err != nil {
		return err
	}
	return s.inTx(ctx, op, func(tx pgx.Tx) error {
		if err := s.takeOver(ctx, tx, t); err != nil {
			return err
		}
		record, err := lockImport(ctx, tx, op, t)
		if err != nil && ingest.KindOf(err) != ingest.Conflict {
			return err
		}
		if record.promoted != nil {
			return ingest.Errorf(ingest.Conflict, op, "import %s is in production and cannot be loaded again", t.Import)
		}
		if err := dropOwn(ctx, tx, t); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "insert into "+namesOf(t.Tenant).own("_imports")+" (seq, import, holder) values ($1, $2, $3)",
			t.Seq, t.Import, s.holder)
		return err
	})
}

// Drop removes everything an import has in staging, its before-images included: a promoted one can no longer be rolled
// back, nor can those promoted before it. What is gone already is no error.
func (s *Store) Drop(ctx context.Context, t Target) error {
	const op = "staging.Drop"
	if err := t.validate(op); err != nil {
		return err
	}
	return s.inTx(ctx, op, func(tx pgx.Tx) error {
		if there, err := tableExists(ctx, tx, namesOf(t.Tenant), "_imports"); err != nil || !there {
			return err
		}
		if err := s.takeOver(ctx, tx, t); err != nil {
			return err
		}
		return dropOwn(ctx, tx, t)
	})
}

// takeOver ends the sessions of other attempts at the import and waits until they are gone. They hold its lock shared,
// together with rows that must not be committed any more; one whose worker was killed might hold it for hours.
func (s *Store) takeOver(ctx context.Context, tx pgx.Tx, t Target) error {
	key := lockKey("import", t.Tenant, t.Seq)
	_, err := tx.Exec(
		ctx, `select pg_terminate_backend(pid) from pg_locks
where locktype = 'advisory' and objsubid = 1 and database = (select oid from pg_database where datname = current_database())
  and classid = $1 and objid = $2 and pid <> pg_backend_pid()`, uint32(uint64(key)>>32), uint32(uint64(key)),
	)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "select pg_advisory_xact_lock($1)", key)
	return err
}

// holdImport makes the transaction part of this process's attempt at the import. It is a Conflict if another has taken over.
func (s *Store) holdImport(ctx context.Context, tx pgx.Tx, t Target) error {
	if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock_shared($1)", lockKey("import", t.Tenant, t.Seq)); err != nil {
		return err
	}
	var holder string
	err := tx.QueryRow(ctx, "select holder from "+namesOf(t.Tenant).own("_imports")+" where seq = $1 and import = $2",
		t.Seq, t.Import).Scan(&holder)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && holder != s.holder {
		return ingest.Errorf(ingest.Conflict, "staging", "import %s has been taken over by another worker, or dropped", t.Import)
	}
	return err
}

// dropOwn drops an import's tables and forgets it. Of a promoted one the order of promotions remains to be known.
func dropOwn(ctx context.Context, tx pgx.Tx, t Target) error {
	n := namesOf(t.Tenant)
	wanted := []string{rejectedName(t.Seq), referredName(t.Seq)}
	for _, table := range t.Schema.Tables {
		wanted = append(wanted, packedName(table, t.Seq), beforeName(table, t.Seq), goneName(table, t.Seq))
	}
	if err := dropTables(ctx, tx, n, wanted); err != nil {
		return err
	}
	if there, err := tableExists(ctx, tx, n, "_whole"); err != nil {
		return err
	} else if there {
		if _, err := tx.Exec(ctx, "delete from "+n.own("_whole")+" where seq = $1", t.Seq); err != nil {
			return err
		}
	}
	for _, statement := range []string{
		"delete from " + n.own("_files") + " where seq = $1",
		"delete from " + n.own("_tables") + " where seq = $1",
		"delete from " + n.own("_imports") + " where seq = $1 and promoted_version is null",
		"update " + n.own("_imports") + " set lapsed = true where seq = $1",
	} {
		if _, err := tx.Exec(ctx, statement, t.Seq); err != nil {
			return err
		}
	}
	return nil
}

// dropTables drops those of the staging tables that exist, in one statement: an import has a few of the many it might have.
func dropTables(ctx context.Context, tx pgx.Tx, n names, wanted []string) error {
	rows, err := tx.Query(ctx, "select relname from pg_class where relnamespace = $1::regnamespace and relkind = 'r' and relname = any($2)",
		schema.QuoteIdent(n.staging), wanted)
	if err != nil {
		return err
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(found) == 0 {
		return err
	}
	for i, name := range found {
		found[i] = n.own(name)
	}
	_, err = tx.Exec(ctx, "drop table "+strings.Join(found, ", ")+" cascade") // with their views
	return err
}

// cleanText makes a file's path fit for PostgreSQL: clients name files as they like.
func cleanText(s string) string {
	s = strings.ReplaceAll(s, "\x00", "")
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
