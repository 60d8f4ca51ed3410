package mssql_test

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/ingest/mssql"
	"dropline/internal/tdstest"
)

// liar is a server that passes over what matches of a statement, with its parameters.
type liar struct {
	driver.Connector
	ignores *regexp.Regexp
}

func (l liar) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := l.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return liarConn{c.(driverConn), l}, nil
}

type liarConn struct {
	driverConn
	liar liar
}

func (c liarConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	stmt, err := c.driverConn.PrepareContext(ctx, c.liar.ignores.ReplaceAllString(text, ""))
	if err != nil {
		return nil, err
	}
	return liarStmt{stmt}, nil
}

type liarStmt struct{ driver.Stmt }

func (s liarStmt) QueryContext(ctx context.Context, _ []driver.NamedValue) (driver.Rows, error) {
	return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, nil)
}

// readParts reads a relation in parts of four rows until it ends, or its parts do not.
func readParts(t *testing.T, client reader, name string) (rows int64, err error) {
	t.Helper()
	p := mssql.Part{Schema: "dbo", Name: name, Key: "id", Limit: 4}
	for range 50 {
		res, err := client.Read(t.Context(), p, io.Discard, nil)
		rows += res.Rows
		if err != nil || !res.More {
			return rows, err
		}
		p.After = res.Last
	}
	t.Errorf("%s is read without end", name)
	return rows, nil
}

func TestPartsThatDoNotGoOnHaveAnEnd(t *testing.T) {
	t.Parallel()
	guid := func(i int) any { return fmt.Sprintf("%08X-0000-0000-0000-000000000000", i) }
	for name, c := range map[string]struct {
		kind    string
		key     func(i int) any
		ignores string
		rows    int64 // 0: an error
		text    string
	}{
		"numbers":                  {kind: "int", key: func(i int) any { return i }, rows: 10},
		"texts":                    {kind: "nvarchar(20)", key: func(i int) any { return fmt.Sprintf("k%02d", i) }, rows: 10},
		"ids":                      {kind: "uniqueidentifier", key: guid, rows: 10},
		"a few NULLs":              {kind: "int", key: func(i int) any { return map[bool]any{true: nil, false: i}[i < 2] }, rows: 10},
		"the same numbers again":   {kind: "int", key: func(i int) any { return i }, ignores: ` WHERE \[id\] > @p1`, text: "order"},
		"the same texts again":     {kind: "nvarchar(20)", key: func(int) any { return "k" }, ignores: ` WHERE \[id\] > @p1`, text: "twice"},
		"the same id again":        {kind: "uniqueidentifier", key: func(int) any { return guid(3) }, text: "twice"},
		"texts that are not keys":  {kind: "nvarchar(20)", key: func(i int) any { return fmt.Sprint("k", i/2) }, text: "twice"},
		"numbers that are no keys": {kind: "int", key: func(i int) any { return i / 2 }, text: "twice"},
		"NULLs":                    {kind: "int", key: func(int) any { return nil }, text: "NULL"},
		"NULL texts":               {kind: "nvarchar(20)", key: func(int) any { return nil }, text: "NULL"},
		"NULLs after a key": {
			kind: "nvarchar(20)", key: func(i int) any { return map[bool]any{true: "k", false: nil}[i == 3] },
			ignores: ` WHERE \[id\] > @p1| ORDER BY \[id\]`, text: "NULL",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := tdstest.Table{Name: "Odd", Columns: []tdstest.Column{{Name: "id", Type: c.kind}, {Name: "text", Type: "nvarchar(20)"}}}
			for i := range 10 {
				table.Rows = append(table.Rows, []any{c.key(i), "x"})
			}
			at := siteOf(tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{table}}))
			if c.ignores != "" {
				at.through = func(to driver.Connector) driver.Connector { return liar{to, regexp.MustCompile(c.ignores)} }
			}
			rows, err := readParts(t, at.open(t, mssql.Options{Isolation: mssql.IsolationReadCommitted}), "Odd")
			switch {
			case c.text == "":
				if err != nil || rows != c.rows {
					t.Errorf("%d rows, %v", rows, err)
				}
			case ingest.KindOf(err) != ingest.Invalid, mssql.IsLost(err), !strings.Contains(err.Error(), c.text), !strings.Contains(err.Error(), "dbo.Odd"), ingest.HintOf(err) == "":
				t.Errorf("%d rows, %v, hint %q", rows, err, ingest.HintOf(err))
			}
		})
	}
}

// TestTheFirstTimeOfATypeIsNoBound: columns of the last change often begin with it, and the server takes no time before it.
func TestTheFirstTimeOfATypeIsNoBound(t *testing.T) {
	t.Parallel()
	for kind, year := range map[string]int{"datetime": 1753, "smalldatetime": 1900, "datetime2": 1, "date": 1} {
		first := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		table := tdstest.Table{
			Name: "Old", Columns: []tdstest.Column{{Name: "id", Type: "int"}, {Name: "at", Type: kind}},
			Rows: [][]any{{1, first}, {2, first.AddDate(50, 0, 0)}, {3, nil}},
		}
		client := siteOf(tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{table}})).open(t, mssql.Options{})
		for since, rows := range map[time.Time]int64{first.Add(-10 * time.Minute): 3, first.AddDate(1, 0, 0): 2} {
			layout := map[bool]string{true: "2006-01-02", false: "2006-01-02T15:04:05"}[kind == "date"]
			_, res := read(t, client, mssql.Part{Schema: "dbo", Name: "Old", SinceColumn: "at", Since: since.Format(layout)})
			if res.Rows != rows {
				t.Errorf("%s since %s: %d rows, want %d", kind, since, res.Rows, rows)
			}
		}
	}
}
