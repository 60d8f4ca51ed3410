package mssql_test

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	tds "github.com/microsoft/go-mssqldb"

	"dropline/ingest/mssql"
	"dropline/internal/tdstest"
)

// picky is a server that knows less of T-SQL than SQL Server: it refuses what matches, before the real one sees it.
type picky struct {
	driver.Connector
	refuses *regexp.Regexp
	number  int32
	params  bool // parameters too
}

func (p picky) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return pickyConn{c.(driverConn), p}, nil
}

type driverConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.NamedValueChecker
	driver.Validator
}

type pickyConn struct {
	driverConn
	picky picky
}

func (c pickyConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	stmt, err := c.driverConn.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	return pickyStmt{stmt, text, c.picky}, nil
}

type pickyStmt struct {
	driver.Stmt
	text  string
	picky picky
}

func (s pickyStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if s.picky.refuses.MatchString(s.text) || s.picky.params && len(args) > 0 {
		return nil, tds.Error{Number: s.picky.number, Class: 15, Message: "Incorrect syntax near '" + s.text + "'."}
	}
	return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
}

func TestAServerThatKnowsLessIsReadAllTheSame(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		refuses string
		params  bool
		noted   string
	}{
		"no TOP in parentheses":  {refuses: `TOP \(`},
		"no TOP at all":          {refuses: `TOP`, noted: "in one"},
		"no brackets":            {refuses: `\[`},
		"no quotes at all":       {refuses: `[\["]`},
		"no parameters":          {params: true},
		"no ORDER BY":            {refuses: `ORDER BY`, noted: "in one"},
		"no SET":                 {refuses: `^SET `},
		"no COUNT_BIG":           {refuses: `COUNT_BIG|sys\.|INFORMATION_SCHEMA`},
		"no functions":           {refuses: `\w+\(\)|DATABASEPROPERTYEX`},
		"no variant's base type": {refuses: `SQL_VARIANT_PROPERTY`},
		"no CAST":                {refuses: `CAST`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refuses := c.refuses
			if refuses == "" {
				refuses = "^$"
			}
			table := large("Big", 0)
			table.Columns = append(table.Columns, tdstest.Column{Name: "any", Type: "sql_variant"})
			table.Generate = nil
			for i := range 10 {
				table.Rows = append(table.Rows, []any{i, "x", tdstest.Variant{Type: "int", Value: i}})
			}
			s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{table}})
			at := siteOf(s)
			at.through = func(to driver.Connector) driver.Connector {
				return picky{to, regexp.MustCompile(refuses), 102, c.params}
			}
			client := at.open(t, mssql.Options{})
			if _, err := client.Survey(t.Context()); err != nil {
				t.Fatal(err)
			}
			r, ok, err := client.Find(t.Context(), "dbo", "Big")
			if err != nil || !ok || r.Rows != 10 || len(r.Columns) != 3 {
				t.Fatalf("%+v, %v, %v", r, ok, err)
			}
			p := mssql.Part{Schema: "dbo", Name: "Big", Key: "id", Limit: 4}
			var all, notes strings.Builder
			for {
				text, res := read(t, client, p)
				_, text, _ = strings.Cut(text, "\n")
				all.WriteString(text)
				notes.WriteString(strings.Join(res.Notes, "\n"))
				if p.After = res.Last; !res.More {
					break
				}
			}
			var want strings.Builder
			for i := range 10 {
				fmt.Fprintf(&want, "%d,x,%d\n", i, i)
			}
			if all.String() != want.String() {
				t.Errorf("%q", all.String())
			}
			if !strings.Contains(notes.String(), c.noted) || c.noted == "" && notes.Len() > 0 {
				t.Errorf("notes: %q", notes.String())
			}
		})
	}
}

func TestAServerThatSendsAllForTheFirst(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{large("Big", 10)}})
	at := siteOf(s)
	at.through = func(to driver.Connector) driver.Connector { return deafToTop{to} }
	c := at.open(t, mssql.Options{})
	res, err := c.Read(t.Context(), mssql.Part{Schema: "dbo", Name: "Big", Key: "id", Limit: 4}, io.Discard, nil)
	if err != nil || res.Rows != 10 || res.More {
		t.Errorf("%+v, %v", res, err)
	}
}

// deafToTop is a server that takes TOP and does not heed it.
type deafToTop struct{ driver.Connector }

func (d deafToTop) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := d.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return deafConn{c.(driverConn)}, nil
}

type deafConn struct{ driverConn }

func (c deafConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	return c.driverConn.PrepareContext(ctx, regexp.MustCompile(`TOP \(\d+\)`).ReplaceAllString(text, ""))
}
