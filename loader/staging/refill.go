package staging

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"

	"dropline/ingest"
	"dropline/schema"

	"github.com/jackc/pgx/v5"
)

// Staging tables are unlogged: they are written once, fast, and what they hold can be read again from the stored files. A
// crash of PostgreSQL empties them, also long after the load. That it happened is told by a table _intact of the tenant's,
// unlogged as they are, whose one row goes with theirs.

// Intact reports whether all of the tenant's staged rows are there, as far as crashes of PostgreSQL are concerned.
func (s *Store) Intact(ctx context.Context, tenant ingest.TenantID) (bool, error) {
	var intact bool
	err := s.inTx(ctx, "staging.Intact", func(tx pgx.Tx) error {
		there, err := tableExists(ctx, tx, namesOf(tenant), "_intact")
		if err != nil {
			return err
		}
		if !there {
			intact = true // nothing was ever staged
			return nil
		}
		intact, err = marked(ctx, tx, tenant)
		return err
	})
	return intact, err
}

// marked reports whether the mark that goes with staged rows is there.
func marked(ctx context.Context, tx pgx.Tx, tenant ingest.TenantID) (bool, error) {
	var intact bool
	err := tx.QueryRow(ctx, "select exists (select from "+namesOf(tenant).own("_intact")+")").Scan(&intact)
	return intact, err
}

// MakeIntact calls restore, which brings back all of the tenant's staged rows, and notes that they are there. The note is
// written over a connection that was open before: should PostgreSQL crash once more meanwhile, it is not written.
func (s *Store) MakeIntact(ctx context.Context, tenant ingest.TenantID, restore func(ctx context.Context) error) error {
	const op = "staging.MakeIntact"
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return classify(op, err)
	}
	defer conn.Release()
	if err := conn.Ping(ctx); err != nil { // an idle connection may have been broken for long
		return classify(op, err)
	}
	if err := restore(ctx); err != nil {
		return err
	}
	_, err = conn.Conn().PgConn().Exec(ctx, "insert into "+namesOf(tenant).own("_intact")+" default values on conflict do nothing").ReadAll()
	return classify(op, err)
}

// Lost reports whether a checked import's rows have gone. It looks for any row in each of its tables: a crash empties them
// wholly, and Refill fills all of them or none.
func (s *Store) Lost(ctx context.Context, t Target) (bool, error) {
	const op = "staging.Lost"
	if err := t.validate(op); err != nil {
		return false, err
	}
	lost := false
	err := s.inTx(ctx, op, func(tx pgx.Tx) error {
		tables, counts, err := stagedTables(ctx, tx, t)
		if err != nil {
			return err
		}
		lost, err = anyEmptied(ctx, tx, t, tables, counts)
		return err
	})
	return lost, err
}

// anyEmptied reports whether one of the tables that should have rows has none.
func anyEmptied(ctx context.Context, tx pgx.Tx, t Target, tables []*schema.Table, counts map[string]int64) (bool, error) {
	for _, table := range tables {
		if counts[table.Name] == 0 {
			continue
		}
		if gone, err := emptied(ctx, tx, t, table); err != nil || gone {
			return gone, err
		}
	}
	return false, nil
}

// emptied reports whether a staging table has no row. One that is gone has none.
func emptied(ctx context.Context, tx pgx.Tx, t Target, table *schema.Table) (bool, error) {
	n := namesOf(t.Tenant)
	there, err := tableExists(ctx, tx, n, packedName(table, t.Seq))
	if err != nil || !there {
		return true, err
	}
	var empty bool
	err = tx.QueryRow(ctx, "select not exists (select from "+n.packed(table, t.Seq)+")").Scan(&empty)
	return empty, err
}

// Refill fills a checked import's tables again, in one transaction: fill calls copyFile for each of its files, with rows
// whose refused ones (Refused is not nil) are left out. It is a Conflict, and nothing is changed, unless the tables then
// hold as many rows as they did once the import was checked.
func (s *Store) Refill(
	ctx context.Context, t Target, fill func(copyFile func(table *schema.Table, file File, rows ingest.Rows) error) error,
) error {
	const op = "staging.Refill"
	if err := t.validate(op); err != nil {
		return err
	}
	return s.inTx(ctx, op, func(tx pgx.Tx) error {
		if err := s.takeOver(ctx, tx, t); err != nil {
			return err
		}
		record, err := lockImport(ctx, tx, op, t)
		if err != nil {
			return err
		}
		if record.checked == nil || record.promoted != nil {
			return ingest.Errorf(ingest.Conflict, op, "import %s is not staged", t.Import)
		}
		tables, counts, err := stagedTables(ctx, tx, t)
		if err != nil {
			return err
		}
		seed, err := digestSeed(ctx, tx, t.Tenant)
		if err != nil {
			return err
		}
		if err := empty(ctx, tx, t, tables, counts); err != nil {
			return err
		}
		n := namesOf(t.Tenant)
		if err := fill(func(table *schema.Table, file File, rows ingest.Rows) error {
			if counts[table.Name] == 0 {
				return nil // all that its files have was refused: there may be no table
			}
			stream := &rowStream{rows: rows, enc: newEncoder(t, table, file.Number, seed), path: file.Path}
			_, err := tx.Conn().PgConn().CopyFrom(ctx, stream, "copy "+n.packed(table, t.Seq)+" from stdin (format binary)")
			if stream.err != nil {
				return stream.err
			}
			if err != nil {
				return err
			}
			lists := slices.Concat(copyHeader, stream.enc.encodeReferred(nil), copyTrailer)
			_, err = tx.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(lists), "copy "+n.referred(t.Seq)+" from stdin (format binary)")
			return err
		}); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "analyze "+n.referred(t.Seq)); err != nil {
			return err
		}
		for _, table := range tables {
			var got int64
			if err := tx.QueryRow(ctx, "select count(*) from "+n.packed(table, t.Seq)).Scan(&got); err != nil {
				return err
			}
			if got != counts[table.Name] {
				return lost(table.Name, got, counts[table.Name])
			}
		}
		return nil
	})
}

// empty makes an import's tables ready to be filled again.
func empty(ctx context.Context, tx pgx.Tx, t Target, tables []*schema.Table, counts map[string]int64) error {
	n := namesOf(t.Tenant)
	if _, err := tx.Exec(ctx, "drop table if exists "+n.referred(t.Seq)+"; "+createReferred(n, t.Seq)); err != nil {
		return err
	}
	for _, table := range tables {
		if there, err := tableExists(ctx, tx, n, packedName(table, t.Seq)); err != nil {
			return err
		} else if !there { // dropped by hand, or by a restore that lacked it: no other import is the worse for it
			return lost(table.Name, 0, counts[table.Name])
		}
		if _, err := tx.Exec(ctx, "truncate "+n.packed(table, t.Seq)); err != nil {
			return err
		}
	}
	return nil
}

// rowStream is a file's accepted rows as a binary COPY.
type rowStream struct {
	rows ingest.Rows
	enc  *encoder
	path string
	rest []byte
	at   int // 0: the header is to come, 1: rows, 2: the trailer has been given
	err  error
}

// Read encodes as many rows as fill a buffer. It runs in a goroutine of pgx's, where a reader's panic would end the process.
func (s *rowStream) Read(p []byte) (n int, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			s.err = ingest.Errorf(ingest.Internal, "staging.Refill", "%s: a fault in Dropline: %v", s.path, fault)
			n, err = 0, s.err
		}
	}()
	for len(s.rest) == 0 {
		switch s.at {
		case 0:
			s.rest, s.at = copyHeader, 1
			continue
		case 2:
			return 0, io.EOF
		}
		s.enc.buf = s.enc.buf[:0]
		for len(s.enc.buf) < copyBuffer {
			if !s.rows.Next() {
				if s.err = s.rows.Err(); s.err != nil {
					return 0, s.err
				}
				s.enc.buf, s.at = append(s.enc.buf, copyTrailer...), 2
				break
			}
			if s.rows.Refused() != nil {
				continue
			}
			if err := s.enc.add(s.rows.Row()); err != nil {
				s.err = ingest.E(ingest.Internal, "staging.Refill", fmt.Errorf("%s: %w", s.path, err))
				return 0, s.err
			}
		}
		s.rest = s.enc.buf
	}
	n = copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}
