package mssql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	mssql "github.com/microsoft/go-mssqldb"

	"dropline/ingest"
)

// dialect is what of T-SQL a server has shown that it takes. SQL Server takes all of it.
type dialect struct {
	learned bool
	quoting int // index into quotings
}

// quotings are the ways to write a name, the one that any name can be written in first.
var quotings = [...]func(string) string{bracketed, doubled, func(name string) string { return name }}

// qualified writes a relation's name.
func qualified(quote func(string) string, schema, name string) string {
	if schema == "" {
		return quote(name)
	}
	return quote(schema) + "." + quote(name)
}

// quoted is the relation's name as the server has taken names so far.
func (c *Client) quoted(schema, name string) string {
	return qualified(c.quote(), schema, name)
}

func (c *Client) quote() func(string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return quotings[c.dialect.quoting]
}

// probe returns a relation's columns as the metadata of an empty result has them. The error is that of the plainest way to ask
// that a full SQL Server takes, where none is taken.
func (c *Client) probe(ctx context.Context, s *session, schema, name string) ([]column, error) {
	c.mu.Lock()
	d := c.dialect
	c.mu.Unlock()
	var first error
	for i := d.quoting; i < len(quotings); i++ {
		if i == len(quotings)-1 && (!isPlainName(name) || schema != "" && !isPlainName(schema)) {
			break
		}
		from := qualified(quotings[i], schema, name)
		for _, text := range []string{"SELECT TOP (0) * FROM " + from, "SELECT * FROM " + from + " WHERE 1=0"} {
			columns, err := s.metadata(ctx, c.options.QueryTimeout, text)
			if err == nil {
				c.mu.Lock()
				c.dialect = dialect{learned: true, quoting: i}
				c.mu.Unlock()
				return columns, nil
			}
			if first == nil {
				first = err
			}
			if s.lost(ctx, err) || isDenied(err) {
				return nil, err
			}
		}
		if d.learned {
			break
		}
	}
	return nil, first
}

// probeEach returns those of a relation's columns that the login may read, where it may not read all.
func (c *Client) probeEach(ctx context.Context, s *session, r *listed, names []string, n *notes) ([]column, error) {
	var columns []column
	var denied []string
	var first error
	quote, from := c.quote(), c.quoted(r.Schema, r.Name)
	for _, name := range names {
		one, err := s.metadata(ctx, c.options.QueryTimeout, "SELECT "+quote(name)+" FROM "+from+" WHERE 1=0")
		switch {
		case s.lost(ctx, err):
			return nil, err
		case err != nil || len(one) != 1:
			denied, first = append(denied, shown(name)), err
		default:
			columns = append(columns, one[0])
		}
	}
	if len(columns) == 0 {
		return nil, mssql.Error{Number: numDenied}
	}
	if len(denied) > 0 {
		n.add("the login may not read of %s: %s (%s)", r.String(), shown(strings.Join(denied, ", ")), c.reason(first))
	}
	return columns, nil
}

// metadata returns the columns of a query's result, and leaves its rows.
func (s *session) metadata(ctx context.Context, timeout time.Duration, text string) ([]column, error) {
	timed, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	columns, err := s.columns(timed, text)
	if err != nil && timed.Err() != nil && ctx.Err() == nil {
		return nil, errTimeout
	}
	return columns, err
}

var errNoRows = errors.New("it yields no rows and columns")

func (s *session) columns(ctx context.Context, text string) ([]column, error) {
	rows, err := s.query(ctx, text)
	if err != nil {
		return nil, err
	}
	n := len(rows.Columns())
	var columns []column
	switch {
	case n > mostColumns:
		err = fmt.Errorf("it has %d columns, more than %d", n, mostColumns)
	case n == 0:
		err = errNoRows
	default:
		columns = columnsOf(rows)
		err = drain(rows, n)
	}
	if e := s.end(rows, err); err == nil {
		err = e
	}
	return columns, err
}

// drain reads what is left of a result, if that is little: there should be no row, but a server that sends some need not know
// how to stop either.
func drain(rows driver.Rows, width int) error {
	const little = 1000
	values := make([]driver.Value, width)
	for range little {
		if err := rows.Next(values); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// Describe returns the columns of a query that a mapping names. It never runs it to its end. A query that the server refuses
// is Invalid or Denied, as Translate has it.
func (c *Client) Describe(ctx context.Context, query string) ([]Column, error) {
	s, err := c.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer c.release(s)
	columns, err := s.metadata(ctx, c.options.QueryTimeout, "SELECT * FROM (\n"+query+"\n) AS q WHERE 1=0")
	if err != nil && !s.lost(ctx, err) {
		// What has an ORDER BY, a WITH or a column without a name cannot stand in parentheses: it is begun, and left.
		columns, err = s.metadata(ctx, c.options.QueryTimeout, query)
	}
	if err != nil {
		return nil, c.refused("mssql.Describe", err)
	}
	return exported(columns), nil
}

// refused translates an error of a statement.
func (c *Client) refused(op string, err error) error {
	switch {
	case errors.Is(err, errNoRows):
		return ingest.Errorf(ingest.Invalid, op, "the query cannot be read: %w", err)
	case errors.Is(err, errTimeout):
		return ingest.E(ingest.Unavailable, op, err)
	}
	return Translate(err, c.conn)
}

// reason is an error of a statement in one line, for a note.
func (c *Client) reason(err error) string {
	return shown(ingest.MessageOf(c.refused("", err)))
}

// countPatience is how many statements' time a survey has for counting rows.
const countPatience = 4

// counter counts rows where the catalogue does not.
type counter struct {
	client *Client
	until  time.Time
	given  int // up
	small  bool
}

// rows returns -1 for what cannot be counted in time. Its error is of a lost session.
func (n *counter) rows(ctx context.Context, s *session, schema, name string) (int64, error) {
	left := n.until.Sub(n.client.options.Clock())
	if left <= 0 {
		n.given++
		return -1, nil
	}
	from := n.client.quoted(schema, name)
	for _, function := range []string{"COUNT_BIG(*)", "COUNT(*)"} {
		if n.small && function == "COUNT_BIG(*)" {
			continue
		}
		v, err := s.scalar(ctx, min(n.client.options.QueryTimeout, left), "SELECT "+function+" FROM "+from)
		switch {
		case err == nil:
			n.small = function == "COUNT(*)"
			return asCount(v), nil
		case errors.Is(err, errTimeout) && s.usable():
			n.given++
			return -1, nil
		case s.lost(ctx, err):
			return -1, err
		}
	}
	return -1, nil
}

// asCount reads a number of rows, which some servers send as text.
func asCount(v driver.Value) int64 {
	n, ok := asInteger(v)
	if !ok || n < 0 {
		return -1
	}
	return n
}

// asInteger reads a whole number in any type that a server may send it in.
func asInteger(v driver.Value) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case float64:
		return int64(v), v == float64(int64(v))
	case []byte:
		n, err := strconv.ParseInt(string(v), 10, 64)
		return n, err == nil
	case string:
		n, err := strconv.ParseInt(v, 10, 64)
		return n, err == nil
	}
	return 0, false
}
