package staging

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"dropline/ingest"
	"dropline/schema"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// File is one file of an import.
type File struct {
	Number int    // ingest.ImportFile.Number; stored with each row
	Path   string // as delivered, for rejects and for people
}

// CopyStats counts the records of one file. Read = Staged + Rejected.
type CopyStats struct {
	Read, Staged, Rejected int64
}

// rejectedBuffer bounds the keys of refused records that are held in memory before they are written down.
const rejectedBuffer = 1 << 20

// Copy reads a file to its end and stages its rows in the import's own table, which is made when there are rows. Several
// files may go into one table, one after the other or at once. refused is called for each refused record, with File,
// FileNumber and Table filled in; it must not keep the reject. progress (which may be nil) is called now and then, from the
// same goroutine.
//
// After an error nothing of the file is staged; the counts say how far the reading came. Rows' own error is returned as it
// is. PostgreSQL never refuses a value: what it would refuse is an Internal error here, as it breaks ingest.Row's contract.
func (s *Store) Copy(
	ctx context.Context, t Target, table *schema.Table, file File, rows ingest.Rows, refused func(*ingest.Reject) error,
	progress func(CopyStats),
) (CopyStats, error) {
	const op = "staging.Copy"
	if err := t.validate(op); err != nil {
		return CopyStats{}, err
	}
	c := &copier{
		store: s, target: t, table: table, wholes: partOf(t.Schema, table), file: file, rows: rows, refused: refused, progress: progress,
	}
	err := c.run(ctx)
	return c.stats, classify(op, err)
}

// copier is one file's way into staging.
type copier struct {
	store    *Store
	target   Target
	table    *schema.Table
	file     File
	rows     ingest.Rows
	refused  func(*ingest.Reject) error
	progress func(CopyStats)

	wholes   []*schema.Column // by which the table's rows are parts of wholes
	enc      *encoder
	rejected []byte // encoded keys of refused records, not yet written
	stats    CopyStats
	lanes    *lanes
	made     bool // the staging table is there
	madeKeys bool // the table of rejected keys is there
}

func (c *copier) run(ctx context.Context) error {
	seed, err := digestSeed(ctx, c.store.pool, c.target.Tenant)
	if err != nil {
		return err
	}
	c.enc = newEncoder(c.target, c.table, c.file.Number, seed)
	c.lanes = newLanes(c.store, c.target)
	defer c.lanes.abandon(ctx) // what has not been committed, also when the reader panics
	if err := c.readAll(ctx); err != nil {
		return err
	}
	if err := c.flush(ctx); err != nil {
		return err
	}
	if err := c.flushRejected(ctx); err != nil {
		return err
	}
	if err := c.flushReferred(ctx); err != nil {
		return err
	}
	if err := c.lanes.finish(); err != nil {
		return err
	}
	c.tell()
	tx, err := c.lanes.first(ctx)
	if err != nil {
		return err
	}
	if err := c.record(ctx, tx); err != nil {
		return err
	}
	return c.lanes.commit(ctx)
}

// readAll takes every record where it belongs. It runs in the caller's goroutine, so that a reader's panic is the caller's.
func (c *copier) readAll(ctx context.Context) error {
	for c.rows.Next() {
		row := c.rows.Row()
		c.stats.Read++
		if reject := c.rows.Refused(); reject != nil {
			c.stats.Rejected++
			reject.File, reject.FileNumber, reject.Table = c.file.Path, c.file.Number, c.table.Name
			if err := c.refused(reject); err != nil {
				return err
			}
			c.addRejected(row)
			if len(c.rejected) >= rejectedBuffer {
				if err := c.flushRejected(ctx); err != nil {
					return err
				}
			}
			continue
		}
		if err := c.enc.add(row); err != nil {
			return ingest.E(ingest.Internal, "staging.Copy", fmt.Errorf("%s: %w", c.file.Path, err))
		}
		c.stats.Staged++
		if len(c.enc.buf) >= copyBuffer {
			if err := c.flush(ctx); err != nil {
				return err
			}
			c.tell()
		}
	}
	return c.rows.Err()
}

func (c *copier) tell() {
	if c.progress != nil {
		c.progress(c.stats)
	}
}

// flush hands the encoded rows to a lane and goes on with an empty buffer.
func (c *copier) flush(ctx context.Context) error {
	if len(c.enc.buf) == 0 {
		return nil
	}
	if !c.made {
		n := namesOf(c.target.Tenant)
		if err := c.makeTable(ctx, packedName(c.table, c.target.Seq), createPacked(n, c.table, c.target.Seq)); err != nil {
			return err
		}
		c.made = true
	}
	buf, err := c.lanes.send(ctx, "copy "+namesOf(c.target.Tenant).packed(c.table, c.target.Seq)+" from stdin (format binary)", c.enc.buf)
	c.enc.buf = buf
	return err
}

// addRejected notes the key of a refused record, so that rows which refer to it can be told why they are refused, and the
// wholes of which it was to be a part, so that none of them passes for empty.
func (c *copier) addRejected(row *ingest.Row) {
	if len(row.Values) != len(c.table.Columns) {
		return
	}
	if key := &row.Values[c.table.Key.Index]; !key.Null {
		c.appendRejected(row, nil, schema.ObjectDigits(c.enc.tenant, c.table.Prefix, key.Text))
	}
	for _, by := range c.wholes {
		whole := &row.Values[by.Index]
		if whole.Null {
			continue
		}
		digits, is := schema.ParseObjectID(by.References.Prefix, whole.Text)
		if !is {
			digits = schema.ObjectDigits(c.enc.tenant, by.References.Prefix, whole.Text)
		}
		c.appendRejected(row, by, digits)
	}
}

// appendRejected notes a refused record's own id, or that of the whole that it names in column by.
func (c *copier) appendRejected(row *ingest.Row, by *schema.Column, id [uuidSize]byte) {
	b := binary.BigEndian.AppendUint16(c.rejected, 4)
	b = appendInt16(b, int16(c.enc.number))
	if by != nil {
		b = appendInt16(b, int16(by.Index))
	} else {
		b = binary.BigEndian.AppendUint32(b, nullLength)
	}
	b = appendUUID(b, id)
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	b = appendPlace(b, int32(c.file.Number), row.Record, row.Line)
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	c.rejected = b
}

// flushRejected writes the keys of refused records, between two COPYs of the first lane.
func (c *copier) flushRejected(ctx context.Context) error {
	if len(c.rejected) == 0 {
		return nil
	}
	n := namesOf(c.target.Tenant)
	if !c.madeKeys {
		if err := c.makeTable(ctx, rejectedName(c.target.Seq), createRejected(n, c.target.Seq)); err != nil {
			return err
		}
		c.madeKeys = true
	}
	err := c.lanes.alone(ctx, "copy "+n.rejected(c.target.Seq)+" from stdin (format binary)", c.rejected)
	c.rejected = c.rejected[:0]
	return err
}

// createRejected makes the table of refused records. tbl is theirs; col is null where the id is the record's own, else it is the
// column by which the record was to be a part of the whole of that id.
func createRejected(n names, seq int64) string {
	return "create unlogged table " + n.rejected(seq) + " (tbl smallint not null, col smallint, id uuid not null, " + sourceColumn + " bytea not null)" + noVacuum
}

// record writes down what was copied, in the transaction of the first lane: without this line the rows do not count.
func (c *copier) record(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, "insert into "+namesOf(c.target.Tenant).own("_files")+
		" (seq, number, path, table_name, staged, rejected) values ($1, $2, $3, $4, $5, $6)",
		c.target.Seq, c.file.Number, cleanText(c.file.Path), c.table.Name, c.stats.Staged, c.stats.Rejected)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "23505" {
		return ingest.Errorf(ingest.Conflict, "staging.Copy", "file %d of import %s has been staged already", c.file.Number, c.target.Import)
	}
	return err
}

// noVacuum keeps autovacuum from a table.
const noVacuum = " with (autovacuum_enabled = false)"

// makeTable makes one of the import's own tables unless it is there. Before the first lane is open it has a transaction of
// its own, so that files going into one table need not wait for each other's end; after that it uses the lane's, as waiting
// for one connection while holding another would lock everybody out when the pool is empty.
func (c *copier) makeTable(ctx context.Context, name, ddl string) error {
	create := func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock($1)", lockKey("make", c.target.Tenant, c.target.Seq)); err != nil {
			return err
		}
		if there, err := tableExists(ctx, tx, namesOf(c.target.Tenant), name); err != nil || there {
			return err
		}
		_, err := tx.Exec(ctx, ddl)
		return err
	}
	if len(c.lanes.open) == 0 {
		return pgx.BeginFunc(ctx, c.store.pool, func(tx pgx.Tx) error {
			if err := c.store.holdImport(ctx, tx, c.target); err != nil {
				return err
			}
			return create(tx)
		})
	}
	if err := c.lanes.finish(); err != nil {
		return err
	}
	return create(c.lanes.open[0].tx)
}
