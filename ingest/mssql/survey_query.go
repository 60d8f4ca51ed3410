package mssql

import (
	"context"
	"database/sql/driver"
	"errors"
	"math"
	"strings"
)

// record is a row of a catalogue view, whose columns are found by name: a server may have fewer than were documented.
type record struct {
	names  []string
	values []driver.Value
}

func (r record) value(name string) driver.Value {
	for i, n := range r.names {
		if strings.EqualFold(n, name) {
			return r.values[i]
		}
	}
	return nil
}

func (r record) integer(name string) (int64, bool) { return asInteger(r.value(name)) }

func (r record) text(name string) string {
	switch v := r.value(name).(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}

// is tells whether a flag is set.
func (r record) is(name string) bool {
	n, ok := r.integer(name)
	return ok && n != 0
}

// sizeOf is how much memory a value takes, in bytes, about.
func sizeOf(v driver.Value) int {
	const header = 32
	switch v := v.(type) {
	case string:
		return header + len(v)
	case []byte:
		return header + len(v)
	}
	return header
}

var errCatalogue = errors.New("it has too many rows")

// mostLosses is how often a survey connects anew when a server hangs up over a statement.
const mostLosses = 5

// querier asks a server about itself, one statement after the other, until the session is lost for good.
type querier struct {
	client  *Client
	session *session
	notes   *notes
	losses  int
	err     error
}

// survive connects anew after a server hung up over a statement, which some do where they should say no. It returns the error
// where that does not help.
func (q *querier) survive(ctx context.Context, what string, err error) error {
	if q.losses++; ctx.Err() != nil || q.losses > mostLosses {
		return err
	}
	_ = q.session.close()
	fresh, e := q.client.connect(ctx)
	if e != nil {
		return e
	}
	*q.session = *fresh
	q.notes.add("%s cannot be read: the connection was lost over it", what)
	return nil
}

// view reads a view: the columns named, or whichever it has. It reports whether it could.
func (q *querier) view(ctx context.Context, name, columns string, row func(r record)) bool {
	if q.err != nil {
		return false
	}
	var first error
	for _, list := range []string{columns, "*"} {
		var rows []record // which must not be taken in twice
		size := 0
		err := q.session.each(ctx, q.client.options.QueryTimeout, math.MaxInt, "SELECT "+list+" FROM "+name, func(r record) error {
			rows = append(rows, record{names: r.names, values: append([]driver.Value(nil), r.values...)})
			for _, v := range r.values {
				size += sizeOf(v)
			}
			if size > mostCatalogue {
				return errCatalogue
			}
			return nil
		})
		if err == nil {
			for _, r := range rows {
				row(r)
			}
			return true
		}
		if q.session.lost(ctx, err) {
			q.err = q.survive(ctx, name, err)
			return false
		}
		if first == nil {
			first = err
		}
	}
	q.notes.add("%s cannot be read: %s", name, q.client.reason(first))
	return false
}
