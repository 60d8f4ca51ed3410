package mssql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"dropline/ingest"
)

const (
	writeSize  = 64 << 10
	mostKept   = 1 << 20 // of a buffer that a long value made large
	checkEvery = 256     // rows between looks at the context, which the driver does not notice while rows come fast
)

// sink is where rows go.
type sink struct {
	w        io.Writer
	progress func(rows int64)
	touched  bool // something was written
	err      error
	writing  atomic.Bool
}

// write hands a buffer on. The time that takes is not the server's.
func (o *sink) write(b []byte, rows int64) error {
	o.touched = true
	o.writing.Store(true)
	_, o.err = o.w.Write(b)
	o.writing.Store(false)
	if o.err == nil && o.progress != nil {
		o.progress(rows)
	}
	return o.err
}

// errStalled ends a read over which nothing comes any more.
var errStalled = errors.New("the server stalled")

// watch cancels a read when for so long no row came and none was being written.
func watch(ctx context.Context, stall time.Duration, rows *atomic.Int64, out *sink, cancel context.CancelCauseFunc) {
	const looks = 8
	tick := time.NewTicker(max(stall/looks, time.Millisecond))
	defer tick.Stop()
	seen, since := int64(-1), 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		n := rows.Load()
		if n != seen || out.writing.Load() {
			seen, since = n, 0
			continue
		}
		if since++; since >= looks {
			cancel(errStalled)
			return
		}
	}
}

// stream runs a statement and writes its rows.
func (c *Client) stream(ctx context.Context, s *session, q *plan, text string, args []any, out *sink) (PartResult, error) {
	watched, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var count atomic.Int64
	go watch(watched, c.options.StallTimeout, &count, out, cancel)

	rows, err := s.query(watched, text, args...)
	var res PartResult
	if err == nil {
		var r *reading
		if r, err = q.begin(rows, out); err == nil {
			err = r.all(watched, &count)
			res = r.result(q)
		}
		if err == nil && res.More && q.keyed && res.Last == "" {
			err = nullKey(q.part) // there is no reading on after it
		}
		if e := s.end(rows, err); err == nil {
			err = e // what the server said after the last row
		}
	}
	if err == nil {
		return res, nil
	}
	if errors.Is(context.Cause(watched), errStalled) && ctx.Err() == nil && out.err == nil {
		s.broken = true
		return res, &ingest.Error{
			Kind: ingest.Unavailable, Op: "mssql.Read",
			Err:  fmt.Errorf("the server sent nothing of %s for %s: %w", q.part.String(), c.options.StallTimeout, driver.ErrBadConn),
			Hint: "the rows are read again over a new connection; if that is in vain, look for locks and long queries on the server",
		}
	}
	if ctx.Err() != nil && out.err == nil {
		err = ctx.Err()
	}
	return res, err
}

// end closes rows, which tells the server to stop where it has not. Over a connection that is no good the driver would wait
// for an answer: that one is closed as it is. Nor is it told twice, once the driver has noticed the end of the context and has
// the server's word that it stopped: to Close the driver might not know that any more.
func (s *session) end(rows driver.Rows, err error) error {
	switch {
	case err != nil && !s.usable():
		s.broken = true
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return nil
	}
	return rows.Close()
}

// errStopped is a read that we ended while rows came, and the driver does not know yet.
var errStopped = errors.New("the reading was stopped")

// reading is the state of reading one result.
type reading struct {
	rows       driver.Rows
	columns    []column
	values     []driver.Value
	encoder    *encoder
	out        *sink
	n          int64
	keyAt      int
	sinceAt    int
	since      greatest
	order      *keyOrder    // of the key; nil without one
	written    int64        // rows that were handed on
	writtenKey driver.Value // of the last of them
}

var errChanged = errors.New("was changed while it was read")

// begin takes in what the result looks like, and writes nothing yet.
func (q *plan) begin(rows driver.Rows, out *sink) (*reading, error) {
	n := len(rows.Columns())
	switch {
	case n == 0:
		return nil, errNoRows
	case n > mostColumns:
		return nil, ingest.Errorf(ingest.Invalid, "mssql.Read", "%s has %d columns, more than %d", q.part.String(), n, mostColumns)
	}
	columns := columnsOf(rows)
	written, bases := len(columns), 0
	if q.from == "" {
		if slices.ContainsFunc(columns, func(c column) bool { return c.utf8 }) {
			q.read, q.written = columns, columns
			return nil, errUTF8
		}
	} else {
		for i := range q.written {
			if q.bases && q.written[i].kind == kindVariant {
				bases++
			}
		}
		if n != len(q.read)+bases {
			return nil, ingest.E(ingest.Unavailable, "mssql.Read",
				fmt.Errorf("%s %w: it had %d columns and now has %d", q.part.String(), errChanged, len(q.read)+bases, n))
		}
		written = len(q.written)
		for i := range q.read {
			adopt(&columns[i], &q.read[i])
		}
	}
	r := &reading{
		rows: rows, columns: columns[:written], values: make([]driver.Value, n), out: out, keyAt: -1, sinceAt: -1,
		encoder: newEncoder(columns[:written]),
	}
	if q.from != "" {
		for i, at := 0, len(q.read); i < written && bases > 0; i++ {
			if q.written[i].kind == kindVariant {
				r.encoder.bases[i] = at
				at++
			}
		}
		r.sinceAt = q.sinceAt
		if q.keyed {
			r.keyAt, r.order = q.keyAt, newKeyOrder(q)
		}
	}
	r.encoder.buf = make([]byte, 0, writeSize+writeSize/4)
	r.encoder.header(r.columns)
	return r, nil
}

// adopt takes over what a survey knows of a column and the result does not.
func adopt(c, known *column) {
	if c.base == known.base || c.base == "" || known.Rowversion || known.utf8 {
		c.base, c.kind, c.Type = known.base, known.kind, known.Type
	}
	c.Name, c.Nullable, c.Computed, c.Rowversion = known.Name, known.Nullable, known.Computed, known.Rowversion
}

// all reads to the end.
func (r *reading) all(ctx context.Context, count *atomic.Int64) error {
	for {
		err := r.rows.Next(r.values)
		if err != nil {
			if errors.Is(err, io.EOF) {
				return r.write()
			}
			return err
		}
		r.encoder.row(r.values)
		r.n++
		count.Store(r.n)
		if r.order != nil {
			if err := r.order.see(r.values[r.keyAt]); err != nil {
				return err
			}
		}
		if r.sinceAt >= 0 {
			r.since.see(r.values[r.sinceAt])
		}
		if len(r.encoder.buf) >= writeSize {
			if err := r.flush(); err != nil {
				return err
			}
		}
		if r.n%checkEvery == 0 && ctx.Err() != nil {
			return errStopped
		}
	}
}

// write hands on the rows that wait.
func (r *reading) write() error {
	if err := r.out.write(r.encoder.buf, r.n); err != nil {
		return err
	}
	r.written = r.n
	if r.keyAt >= 0 {
		r.writtenKey = r.values[r.keyAt]
	}
	return nil
}

func (r *reading) flush() error {
	if err := r.write(); err != nil {
		return err
	}
	r.encoder.buf = r.encoder.buf[:0]
	if cap(r.encoder.buf) > mostKept {
		r.encoder.buf = make([]byte, 0, writeSize+writeSize/4)
	}
	return nil
}
