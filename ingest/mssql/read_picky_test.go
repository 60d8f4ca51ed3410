package mssql_test

import (
	"context"
	"database/sql/driver"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	tds "github.com/microsoft/go-mssqldb"

	"dropline/ingest"
	"dropline/ingest/mssql"
	"dropline/internal/tdstest"
)

// picky is a server that knows less of T-SQL than SQL Server: it refuses what matches, before the real one sees it.
type picky struct {
	driver.Connector
	refuses *regexp.Regexp
	number  int32 // 0: it hangs up
	params  bool  // parameters too
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
		if s.picky.number == 0 {
			return nil, driver.ErrBadConn
		}
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
			client := at.open(t, mssql.Options{Isolation: mssql.IsolationReadCommitted})
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

// A dry run wants the first rows only, of tables without a key too.
func TestFirstRowsOfAServerWithoutTop(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{Tables: practice()})
	at := siteOf(s)
	at.through = func(to driver.Connector) driver.Connector {
		return picky{to, regexp.MustCompile(`TOP`), 102, false}
	}
	c := at.open(t, mssql.Options{})
	if text, res := read(t, c, mssql.Part{Schema: "dbo", Name: "Client", Limit: 1}); text != "ImportId\na\nb\n" || res.More {
		t.Errorf("%q, %+v", text, res)
	}
}

// A server that hangs up when it is to count rows is not asked again for each table.
func TestCountingThatCostsTheConnectionIsGivenUp(t *testing.T) {
	t.Parallel()
	var tables []tdstest.Table
	for i := range 8 {
		tables = append(tables, large(fmt.Sprint("T", i), 10))
	}
	s := tdstest.Start(t, tdstest.Options{Tables: tables})
	at := siteOf(s)
	at.through = func(to driver.Connector) driver.Connector {
		return picky{to, regexp.MustCompile(`COUNT_BIG|partition`), 0, false}
	}
	survey, err := at.open(t, mssql.Options{}).Survey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(survey.Relations) != 8 || survey.Relations[7].Rows != -1 {
		t.Errorf("%+v", survey.Relations)
	}
	if notes := strings.Join(survey.Notes, "\n"); !strings.Contains(notes, "of 7 tables and views are not counted") {
		t.Errorf("%q", survey.Notes)
	}
}

func TestAServerThatAllowsSnapshotsAndHasNone(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{Tables: practice(), Snapshot: true})
	at := siteOf(s)
	at.through = func(to driver.Connector) driver.Connector {
		return picky{to, regexp.MustCompile(`BEGIN TRAN|@@TRANCOUNT`), 102, false}
	}
	c := at.open(t, mssql.Options{})
	if level, note := c.Isolation(); level != "read committed" || !strings.Contains(note, "refused") || c.Sessions() != 3 || c.Snapshots() != 0 {
		t.Errorf("%s (%s), %d sessions, %d snapshots", level, note, c.Sessions(), c.Snapshots())
	}
	if text, _ := read(t, c, mssql.Part{Schema: "dbo", Name: "Client"}); text != "ImportId\na\nb\n" {
		t.Errorf("%q", text)
	}
	if _, err := at.tryOpen(t, mssql.Options{Isolation: mssql.IsolationSnapshot}); ingest.KindOf(err) != ingest.Invalid {
		t.Errorf("demanded: %v", err)
	}
}

func TestWhatIsListedAndCannotBeReadIsSaidSo(t *testing.T) {
	t.Parallel()
	for number, denied := range map[int32]bool{229: true, 4413: false} {
		s := tdstest.Start(t, tdstest.Options{Tables: practice()})
		at := siteOf(s)
		at.through = func(to driver.Connector) driver.Connector {
			return picky{to, regexp.MustCompile(`\[Open Matters\]`), number, false}
		}
		survey, err := at.open(t, mssql.Options{}).Survey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(survey.Relations, func(r mssql.Relation) bool { return r.Name == "Open Matters" })
		if !denied {
			if i >= 0 || !strings.Contains(strings.Join(survey.Notes, "\n"), "reports.Open Matters is listed but cannot be read") {
				t.Errorf("%v, %q", survey.Relations, survey.Notes)
			}
		} else if r := survey.Relations[i]; !r.Denied || len(r.Columns) != 0 || r.Rows != -1 {
			t.Errorf("%+v", r)
		}
	}
}

func TestColumnsThatAreDeniedAreLeftOut(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{Tables: practice()})
	at := siteOf(s)
	at.through = func(to driver.Connector) driver.Connector {
		return picky{to, regexp.MustCompile(`\* FROM \[dbo\]\.\[Matter\]|\[Name\]`), 230, false}
	}
	c := at.open(t, mssql.Options{})
	survey, err := c.Survey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := find(t, survey, "dbo", "Matter")
	if len(r.Columns) != 3 || r.Columns[1].Name != "Opened" || r.Denied || r.Rows != 100 {
		t.Errorf("%+v", r)
	}
	if notes := strings.Join(survey.Notes, "\n"); !strings.Contains(notes, "may not read of dbo.Matter: Name") {
		t.Errorf("%q", survey.Notes)
	}
	if text, res := read(t, c, mssql.Part{Schema: "dbo", Name: "Matter"}); res.Rows != 100 || !strings.HasPrefix(text, "ImportId,Opened,Stamp\n") {
		t.Errorf("%.40q", text)
	}
}
