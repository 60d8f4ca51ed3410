package mssql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	mssql "github.com/microsoft/go-mssqldb"
)

// session is one connection, used by one caller at a time. It speaks to the driver beneath database/sql: that would copy and
// convert every value once more, retry behind our back, and reset the session between two reads of a snapshot.
type session struct {
	conn    driver.Conn
	used    time.Time // when it was last given back
	counts  bool      // of a snapshot: the server says whether the transaction is still there
	doubted bool      // of a snapshot: it must be asked before the next read
	read    bool      // of a snapshot: something was
	broken  bool      // whatever the driver says
	closed  bool
}

// textSize is where the server shall cut long values. Twice the bytes, as nvarchar has two for a letter, and some more: what
// was cut is then still longer than the mapping takes, which refuses the record, and never passes for whole.
func (o Options) textSize() int64 { return 2*o.MaxValueBytes + 4096 }

// connect opens a session. The statements that make it polite are optional: a server may know none of them, or even hang up.
func (c *Client) connect(ctx context.Context) (*session, error) {
	c.mu.Lock()
	bare := c.bare
	c.mu.Unlock()
	for {
		conn, err := c.connector.Connect(ctx)
		if err != nil {
			return nil, Translate(err, c.conn)
		}
		s := &session{conn: conn, used: c.options.Clock()}
		if bare {
			return s, nil
		}
		for _, text := range []string{
			"SET LOCK_TIMEOUT " + strconv.FormatInt((c.options.StallTimeout*3/4).Milliseconds(), 10),
			"SET DEADLOCK_PRIORITY LOW",
			"SET TEXTSIZE " + strconv.FormatInt(c.options.textSize(), 10),
		} {
			if err = s.exec(ctx, c.options.QueryTimeout, text); err != nil && !s.usable() {
				break
			}
		}
		if s.usable() {
			return s, nil
		}
		_ = s.close()
		if ctx.Err() != nil {
			return nil, Translate(ctx.Err(), c.conn)
		}
		bare = true
		c.mu.Lock()
		c.bare = true
		c.mu.Unlock()
	}
}

// usable tells whether the driver still trusts the connection.
func (s *session) usable() bool {
	v, ok := s.conn.(driver.Validator)
	return !s.broken && (!ok || v.IsValid())
}

// close ends the session, once: the driver puts a connection's buffers back into a pool each time it is closed, and two
// connections that share one would read each other's rows.
func (s *session) close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	return s.conn.Close()
}

// query starts a statement. The context holds until the rows are closed. Errors are the driver's.
func (s *session) query(ctx context.Context, text string, args ...any) (driver.Rows, error) {
	prepare, ok := s.conn.(driver.ConnPrepareContext)
	if !ok {
		return nil, fmt.Errorf("a connection of type %T cannot prepare statements", s.conn)
	}
	stmt, err := prepare.PrepareContext(ctx, text) // which only makes a value of it
	if err != nil {
		return nil, err
	}
	query, ok := stmt.(driver.StmtQueryContext)
	if !ok {
		return nil, fmt.Errorf("a statement of type %T cannot be queried", stmt)
	}
	named := make([]driver.NamedValue, len(args))
	for i, a := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
		if check, ok := s.conn.(driver.NamedValueChecker); ok {
			if err := check.CheckNamedValue(&named[i]); err != nil {
				return nil, err
			}
		}
	}
	return query.QueryContext(ctx, named)
}

// errTimeout is the end of a statement that took longer than a survey has patience for.
var errTimeout = errors.New("the server took too long to answer")

// each runs a statement and hands every row to row, at most so many of them, within so much time. A column is found by its
// name. Errors are the driver's, errTimeout, or row's.
func (s *session) each(ctx context.Context, timeout time.Duration, most int, text string, row func(r record) error) error {
	timed, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := s.run(timed, most, text, row)
	if err != nil && timed.Err() != nil && ctx.Err() == nil {
		return errTimeout
	}
	return err
}

func (s *session) run(ctx context.Context, most int, text string, row func(r record) error) (err error) {
	rows, err := s.query(ctx, text)
	if err != nil {
		return err
	}
	closed := false
	defer func() {
		if !closed {
			_ = s.end(rows, err)
		}
	}()
	names := rows.Columns()
	if len(names) > mostColumns {
		return fmt.Errorf("the answer has %d columns", len(names))
	}
	r := record{names: names, values: make([]driver.Value, len(names))}
	for n := 0; ; n++ { // one more than most, as the end of what is no longer spares the server an attention
		switch err := rows.Next(r.values); {
		case errors.Is(err, io.EOF):
			closed = true
			return rows.Close() // an error that came after the rows
		case err != nil:
			return err
		case n == most:
			return nil
		}
		if err := row(r); err != nil {
			return err
		}
	}
}

// exec runs a statement and drops its rows.
func (s *session) exec(ctx context.Context, timeout time.Duration, text string) error {
	return s.each(ctx, timeout, 1, text, func(record) error { return nil })
}

// scalar returns the first value of the first row. No row is nil.
func (s *session) scalar(ctx context.Context, timeout time.Duration, text string) (v driver.Value, err error) {
	err = s.each(ctx, timeout, 1, text, func(r record) error {
		if len(r.values) > 0 {
			v = r.values[0]
		}
		return nil
	})
	return v, err
}

// lost tells whether an error leaves nothing to do but to connect anew, or is the caller's wish to end.
func (s *session) lost(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || !s.usable() || errors.Is(err, driver.ErrBadConn))
}

// Numbers of SQL Server's errors.
const (
	numDenied          = 229
	numDeniedColumn    = 230
	numNoSnapshotHere  = 3951
	numNoSnapshot      = 3952
	numNoSnapshotInMem = 41332
)

// isDenied tells whether the login may not select from a relation, or from a column of it.
func isDenied(err error) bool { return number(err) == numDenied || number(err) == numDeniedColumn }

// number returns the number of a server's error, or 0.
func number(err error) int32 {
	var e mssql.Error
	if errors.As(err, &e) {
		return e.Number
	}
	return 0
}
