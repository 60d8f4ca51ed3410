package staging

import (
	"context"
	"encoding/binary"
	"fmt"

	"dropline/schema"

	"github.com/jackc/pgx/v5"
)

// An import's table of what its rows refer to has each production id once for each reference column and file: a million work
// items refer to some thousand matters, and whether those are there is asked twice, when the import is checked and when it is
// promoted. Rows that were refused since may be among those that refer, so what is missing here is only a suspicion, and is
// looked into row by row. A column of more ids than a list holds has one null for them all.

// maxReferred bounds the list of one column of one file: some MiB of memory while it is gathered.
const maxReferred = 1 << 16

// referred gathers the different values of a reference column.
type referred struct {
	ids  map[[uuidSize]byte]struct{}
	over bool // there were too many
}

func (r *referred) add(id [uuidSize]byte) {
	if r.over {
		return
	}
	if _, there := r.ids[id]; there {
		return
	}
	if len(r.ids) == maxReferred {
		r.over, r.ids = true, nil
		return
	}
	r.ids[id] = struct{}{}
}

// referredName begins with an underscore, as no table of an ETL schema may.
func referredName(seq int64) string { return fmt.Sprintf("_referred_%d", seq) }

func (n names) referred(seq int64) string { return quoted(n.staging, referredName(seq)) }

func createReferred(n names, seq int64) string {
	return "create unlogged table " + n.referred(seq) + " (tbl smallint not null, col smallint not null, id uuid)" + noVacuum
}

// encodeReferred appends the encoder's lists as rows of a binary COPY.
func (e *encoder) encodeReferred(b []byte) []byte {
	for i := range e.columns {
		c := &e.columns[i]
		if c.seen == nil {
			continue
		}
		row := func() {
			b = binary.BigEndian.AppendUint16(b, 3)
			b = appendInt16(appendInt16(b, int16(e.number)), int16(c.index))
		}
		if c.seen.over {
			row()
			b = binary.BigEndian.AppendUint32(b, nullLength)
		}
		for id := range c.seen.ids {
			row()
			b = appendUUID(b, id)
		}
	}
	return b
}

// flushReferred writes down what the file's rows refer to.
func (c *copier) flushReferred(ctx context.Context) error {
	rows := c.enc.encodeReferred(nil)
	if len(rows) == 0 {
		return nil
	}
	n := namesOf(c.target.Tenant)
	if err := c.makeTable(ctx, referredName(c.target.Seq), createReferred(n, c.target.Seq)); err != nil {
		return err
	}
	return c.lanes.alone(ctx, "copy "+n.referred(c.target.Seq)+" from stdin (format binary)", rows)
}

// readReferred learns for which columns there is a list that has them all.
func (o *overlay) readReferred(ctx context.Context, tx pgx.Tx, analyze bool) error {
	o.listed = false
	there, err := tableExists(ctx, tx, o.names, referredName(o.seq))
	if err != nil || !there {
		return err
	}
	if analyze { // or the planner takes what it finds there for one row
		if _, err := tx.Exec(ctx, "analyze "+o.names.referred(o.seq)); err != nil {
			return err
		}
	}
	rows, err := tx.Query(ctx, "select distinct tbl, col from "+o.names.referred(o.seq)+" where id is null")
	if err != nil {
		return err
	}
	o.listed, o.unlisted = true, map[[2]int]bool{}
	var tbl, col int
	_, err = pgx.ForEachRow(rows, []any{&tbl, &col}, func() error {
		o.unlisted[[2]int{tbl, col}] = true
		return nil
	})
	return err
}

// mayDangle reports whether a row of the import's table may refer to nothing, as far as the lists tell; ok is false where
// there is no list of the column.
func (o *overlay) mayDangle(ctx context.Context, tx pgx.Tx, t *schema.Table, ref *schema.Column) (may, ok bool, err error) {
	tbl := o.number[t]
	if !o.listed || o.unlisted[[2]int{tbl, ref.Index}] {
		return true, false, nil
	}
	target := ref.References
	where := fmt.Sprintf("r.tbl = %d and r.col = %d and not exists (select from %s live where live.id = %s)", tbl, ref.Index,
		o.names.live(target), schema.StagedID(target.Prefix, "r.id"))
	for _, e := range o.earlier[target] {
		where += fmt.Sprintf(" and not exists (select from %s prior where prior.id = r.id)", o.names.packed(target, e.seq))
	}
	if o.own[target] {
		where += fmt.Sprintf(" and not exists (select from %s mine where mine.id = r.id)", o.names.packed(target, o.seq))
	}
	if o.deletes(target) {
		where = fmt.Sprintf("%s or r.tbl = %d and r.col = %d and exists (select from %s mine where mine.id = r.id and not (%s))", where, tbl, ref.Index,
			o.names.packed(target, o.seq), kept(target, "mine"))
	}
	var missing int64
	err = tx.QueryRow(ctx, "select count(*) from "+o.names.referred(o.seq)+" r where "+where).Scan(&missing)
	return missing > 0, true, err
}
