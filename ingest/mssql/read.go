package mssql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"dropline/ingest"
)

// Part is what one Read reads: a relation or a range of it, or a query.
type Part struct {
	Schema, Name string
	Query        string   // instead of schema and name: of its results the first is read
	Columns      []string // to be read, in order; empty: all. A query is always read whole
	Key          string   // the relation's key, where it is read in parts
	After        string   // encoded key of the last row before, PartResult.Last; "" from the start
	Limit        int64    // rows at most; 0: all in one. Without a key there is no reading on after it
	SinceColumn  string   // incremental: a rowversion, a date and time, or an integer
	Since        string   // rows with SinceColumn > Since, as MaxSince and HighMark encode it; "": no bound
	Expected     int64    // rows, where known
}

// PartResult is what a Read read.
type PartResult struct {
	Rows     int64
	Last     string   // encoded key of the last row; opaque, and "" where there is no key or no row
	More     bool     // the limit was reached: read on after Last
	Columns  []Column // as written
	MaxSince string   // the greatest value of SinceColumn, encoded; "" if there was none
	Notes    []string // what was done otherwise than asked for
}

// String is the relation's name, or "query", as it may be shown.
func (p *Part) String() string {
	if p.Query != "" {
		return "query"
	}
	return shownName(p.Schema, p.Name)
}

func (p *Part) validate() error {
	switch {
	case (p.Query == "") == (p.Name == ""):
		return errors.New("a part is of a relation or of a query")
	case p.Query != "" && (p.Key != "" || p.SinceColumn != "" || len(p.Columns) > 0):
		return errors.New("a query is read whole: it has no key, no columns to choose and no bound")
	case p.After != "" && p.Key == "":
		return errors.New("a part after a row needs a key")
	case p.Since != "" && p.SinceColumn == "":
		return errors.New("a bound needs the column that it bounds")
	case p.Limit < 0 || len(p.Columns) > mostColumns:
		return fmt.Errorf("a part has a limit of %d rows and %d columns", p.Limit, len(p.Columns))
	}
	return nil
}

// Read reads a part and writes it to w as CSV: a line of names, and a line for each row. It writes about 64 KiB at a time, and
// after each calls progress, if that is not nil, with the rows so far. It may be called as many times at once as Sessions says;
// more calls wait.
//
// An error of w is returned as it is. Others are Translate's: IsLost is true of a connection that was lost or stalled, and the
// next Read connects anew. What was written until then are whole rows: those of a keyed part can be kept, and Last is the key of
// the last of them; others are to be dropped. Read itself tries nothing again once it has written.
func (c *Client) Read(ctx context.Context, p Part, w io.Writer, progress func(rows int64)) (PartResult, error) {
	if err := p.validate(); err != nil {
		return PartResult{}, ingest.E(ingest.Internal, "mssql.Read", err)
	}
	out := &sink{w: w, progress: progress}
	var noted []string
	if c.readsSnapshot() {
		s, err := c.takeSnapshot(ctx)
		var res PartResult
		if err == nil {
			res, err = c.read(ctx, s, &p, out)
			s.read = s.read || err == nil
			c.giveSnapshot(s, err)
		}
		switch {
		case out.touched || err == nil:
			return res, c.readError(out, err)
		case noSnapshot(err) && c.options.Isolation != IsolationSnapshot:
			c.leaveSnapshot(s, c.reason(err))
			noted = append(noted, "the server refused to read it in a snapshot: each statement is read by itself")
		case number(err) == numNoSnapshotInMem:
			noted = append(noted, "a table in the server's memory cannot be read in the snapshot: it is read by itself")
		default:
			return res, c.readError(out, err)
		}
	}
	s, err := c.acquire(ctx)
	if err != nil {
		return PartResult{}, err
	}
	defer c.release(s)
	res, err := c.read(ctx, s, &p, out)
	res.Notes = append(noted, res.Notes...)
	return res, c.readError(out, err)
}

// readError is an error of read for the caller.
func (c *Client) readError(out *sink, err error) error {
	var known *ingest.Error
	switch {
	case err == nil:
		return nil
	case out.err != nil:
		return out.err
	case errors.As(err, &known):
		return err
	}
	return c.refused("mssql.Read", err)
}

// read reads a part over a session. Errors are the driver's, the sink's or made for people. A statement that the server
// refuses before anything is written is put again in a plainer form.
func (c *Client) read(ctx context.Context, s *session, p *Part, out *sink) (PartResult, error) {
	q, err := c.plan(ctx, s, p)
	if err != nil {
		return PartResult{}, err
	}
	var first error
	for {
		text, args := q.statement()
		res, err := c.stream(ctx, s, q, text, args, out)
		res.Notes = q.notes
		if errors.Is(err, errChanged) {
			c.forget(p.Schema, p.Name)
		}
		if err == nil || out.touched || s.lost(ctx, err) || final(err) {
			return res, err
		}
		switch {
		case errors.Is(err, errUTF8):
			q.wrap(c.quote())
			first = &ingest.Error{
				Kind: ingest.Invalid, Op: "mssql.Read", Err: fmt.Errorf("the query cannot be read: %w", err),
				Hint: "let the mapping's query CAST such columns to nvarchar, and have no ORDER BY",
			}
			continue
		case first == nil:
			first = err
		}
		if !q.plainer() {
			return res, first
		}
		if err := c.holds(ctx, s); err != nil {
			return res, err
		}
	}
}

// holds checks that a snapshot's transaction outlived the error of a statement before the next is tried in it.
func (c *Client) holds(ctx context.Context, s *session) error {
	if s.counts && !c.stillOpen(ctx, s) {
		return ingest.Errorf(ingest.Unavailable, "mssql.Read", "the server ended the snapshot after it refused a statement")
	}
	return nil
}

// final tells whether another form of a statement would be refused as well.
func final(err error) bool {
	var known *ingest.Error
	return isDenied(err) || number(err) == numNoSnapshotInMem || noSnapshot(err) || errors.As(err, &known)
}

// plan finds out which columns there are and how the part can be asked for.
func (c *Client) plan(ctx context.Context, s *session, p *Part) (*plan, error) {
	q := &plan{part: p, text: p.Query, limit: p.Limit, keyed: p.Key != "" && (p.Limit > 0 || p.After != "")}
	if p.Query != "" {
		return q, nil
	}
	k, ok := c.remembered(p.Schema, p.Name)
	if !ok {
		columns, err := c.probe(ctx, s, p.Schema, p.Name)
		if err != nil {
			return nil, err
		}
		k.columns = columns
		c.remember(p.Schema, p.Name, k)
	}
	q.quote, q.from, q.chosen = c.quote(), c.quoted(p.Schema, p.Name), k.chosen || len(p.Columns) > 0
	if err := q.choose(k.columns); err != nil {
		return nil, ingest.E(ingest.Invalid, "mssql.Read", fmt.Errorf("%s %w", p.String(), err))
	}
	return q, nil
}

// choose picks the columns to read: those to be written first, then what is needed beside.
func (q *plan) choose(columns []column) error {
	find := func(name string) *column {
		i := slices.IndexFunc(columns, func(c column) bool { return c.Name == name })
		if i < 0 {
			i = slices.IndexFunc(columns, func(c column) bool { return strings.EqualFold(c.Name, name) })
		}
		if i < 0 {
			return nil
		}
		return &columns[i]
	}
	q.written = columns
	if len(q.part.Columns) > 0 {
		q.written = nil
		for _, name := range q.part.Columns {
			c := find(name)
			if c == nil {
				return fmt.Errorf("has no column %q", shown(name))
			}
			q.written = append(q.written, *c)
		}
	}
	q.read = slices.Clone(q.written)
	beside := func(name string) (int, error) {
		c := find(name)
		if c == nil {
			return 0, fmt.Errorf("has no column %q", shown(name))
		}
		if i := slices.IndexFunc(q.read, func(r column) bool { return r.Name == c.Name }); i >= 0 {
			return i, nil
		}
		q.read = append(q.read, *c)
		return len(q.read) - 1, nil
	}
	var err error
	q.keyAt, q.sinceAt = -1, -1
	if q.keyed {
		if q.keyAt, err = beside(q.part.Key); err != nil {
			return err
		}
		if err := q.checkKey(); err != nil {
			return err
		}
	}
	if q.part.SinceColumn != "" {
		if q.sinceAt, err = beside(q.part.SinceColumn); err != nil {
			return err
		}
		if q.bound, err = q.boundOf(); err != nil {
			return fmt.Errorf("cannot be read by %s: %w", shown(q.part.SinceColumn), err)
		}
	}
	q.casts, q.bases = true, true
	return nil
}
