package mssql_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"dropline/ingest/mssql"
	"dropline/internal/dbchild"
	"dropline/internal/tdstest"
)

// realServer names the variable with a connection string to a SQL Server of whoever runs the tests. Its login must be allowed
// to create schemas, tables and views in its database; what the tests create they drop. Microsoft's image will do:
//
//	docker run -d -p 1433:1433 -e ACCEPT_EULA=Y -e MSSQL_SA_PASSWORD='Passw0rd-of-a-test' mcr.microsoft.com/mssql/server:2022-latest
//	export DROPLINE_TEST_MSSQL='Server=localhost,1433;Database=tempdb;User Id=sa;Password=Passw0rd-of-a-test;TrustServerCertificate=True'
//	go test -run TestServer ./ingest/mssql
const realServer = "DROPLINE_TEST_MSSQL"

// site is a server that the suite runs against: the test server always, and a real one where there is one.
type site struct {
	connection string
	roots      []byte
	schema     string
	through    func(driver.Connector) driver.Connector // nil: straight
	remote     bool                                    // in a process of its own
}

// reader is what reads a database: here, or in a process of its own.
type reader interface {
	Close() error
	Sessions() int
	Snapshots() int
	PartRows() int64
	Isolation() (level, note string)
	Survey(ctx context.Context) (*mssql.Survey, error)
	Describe(ctx context.Context, query string) ([]mssql.Column, error)
	Find(ctx context.Context, schema, name string) (mssql.Relation, bool, error)
	Read(ctx context.Context, p mssql.Part, w io.Writer, progress func(rows int64)) (mssql.PartResult, error)
	HighMark(ctx context.Context) (string, error)
}

// eachWay runs a test that reads in this process, and in one of its own.
func eachWay(t *testing.T, test func(t *testing.T, way func(site) site)) {
	t.Run("here", func(t *testing.T) {
		t.Parallel()
		test(t, func(at site) site { return at })
	})
	t.Run("remote", func(t *testing.T) {
		t.Parallel()
		test(t, func(at site) site {
			at.remote = true
			return at
		})
	})
}

// table is a table of the suite, as both kinds of server can be given it.
type table struct {
	name       string
	columns    []tdstest.Column
	computed   map[string]string // expressions
	rows       [][]any
	primaryKey []string
	view       string // a query; "" is a table
}

// onEachServer runs a test on a server with these tables.
func onEachServer(t *testing.T, tables []table, test func(t *testing.T, at site)) {
	t.Parallel()
	t.Run("tdstest", func(t *testing.T) {
		t.Parallel()
		const schema = "dropline]test"
		var o tdstest.Options
		for _, b := range tables {
			o.Tables = append(o.Tables, tdstest.Table{
				Schema: schema, Name: b.name, Columns: b.columns, Rows: b.rows, PrimaryKey: b.primaryKey, View: b.view != "",
			})
		}
		s := tdstest.Start(t, o)
		eachWay(t, func(t *testing.T, way func(site) site) {
			test(t, way(site{connection: s.ConnectionString(), roots: s.CAPEM(), schema: schema}))
		})
	})
	if text := os.Getenv(realServer); text != "" {
		t.Run("real", func(t *testing.T) {
			t.Parallel()
			at := site{connection: text, schema: "dropline_test_" + randomHex()}
			at.create(t, tables)
			for _, remote := range []bool{false, true} {
				at.remote = remote
				test(t, at)
			}
		})
	}
}

func randomHex() string {
	var b [6]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// open opens a client for a site, and closes it when the test ends.
func (at site) open(t testing.TB, o mssql.Options) reader {
	t.Helper()
	c, err := at.tryOpen(t, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (at site) tryOpen(t testing.TB, o mssql.Options) (reader, error) {
	t.Helper()
	if at.remote {
		r, err := mssql.OpenRemote(t.Context(), new(dbchild.Starter).Start, at.connection, at.config(t), o)
		if err == nil {
			t.Cleanup(func() { r.Close() })
		}
		return r, err
	}
	connector, conn := at.connector(t)
	if at.through != nil {
		connector = at.through(connector)
	}
	c, err := mssql.Open(t.Context(), connector, conn, o)
	if err == nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, err
}

// config is for a process of its own, which is not at the client's site.
func (at site) config(t testing.TB) mssql.Config {
	t.Helper()
	p, err := mssql.ParsePolicy("127.0.0.0/8 ::1 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16")
	if err != nil {
		t.Fatal(err)
	}
	return mssql.Config{Policy: p, RootCAs: at.roots}
}

func (at site) connector(t testing.TB) (driver.Connector, *mssql.Connection) {
	t.Helper()
	conn, err := mssql.Parse(at.connection, true)
	if err != nil {
		t.Fatal(err)
	}
	connector, err := mssql.Config{Policy: mssql.Policy{Local: true}, RootCAs: at.roots}.Connector(conn)
	if err != nil {
		t.Fatal(err)
	}
	return connector, conn
}

// create makes and fills the tables in a schema of their own on a real server.
func (at site) create(t *testing.T, tables []table) {
	t.Helper()
	connector, _ := at.connector(t)
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	exec := func(text string) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if _, err := db.ExecContext(ctx, text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	exec("CREATE SCHEMA " + mssql.Bracketed(at.schema))
	t.Cleanup(func() { exec("DROP SCHEMA " + mssql.Bracketed(at.schema)) })
	for _, b := range tables {
		name := mssql.Bracketed(at.schema) + "." + mssql.Bracketed(b.name)
		if b.view != "" {
			exec("CREATE VIEW " + name + " AS " + strings.ReplaceAll(b.view, "{schema}", mssql.Bracketed(at.schema)))
			t.Cleanup(func() { exec("DROP VIEW " + name) })
			continue
		}
		exec("CREATE TABLE " + name + " (" + b.definition() + ")")
		t.Cleanup(func() { exec("DROP TABLE " + name) })
		for _, row := range b.rows {
			names, values := b.insert(row)
			exec("INSERT INTO " + name + " (" + names + ") VALUES (" + values + ")")
		}
	}
}

func (b table) definition() string {
	var parts []string
	for _, c := range b.columns {
		text := mssql.Bracketed(c.Name) + " "
		switch {
		case c.Computed:
			text += "AS " + b.computed[c.Name]
		case c.NotNull:
			text += c.Type + " NOT NULL"
		case c.Type == "rowversion":
			text += c.Type
		default:
			text += c.Type + " NULL"
		}
		parts = append(parts, text)
	}
	if len(b.primaryKey) > 0 {
		var names []string
		for _, k := range b.primaryKey {
			names = append(names, mssql.Bracketed(k))
		}
		parts = append(parts, "PRIMARY KEY CLUSTERED ("+strings.Join(names, ", ")+")")
	}
	return strings.Join(parts, ", ")
}

// insert lists the columns that are given values, and the values.
func (b table) insert(row []any) (names, values string) {
	var n, v []string
	for i, c := range b.columns {
		if c.Computed || c.Type == "rowversion" {
			continue
		}
		n, v = append(n, mssql.Bracketed(c.Name)), append(v, literal(c.Type, row[i]))
	}
	return strings.Join(n, ", "), strings.Join(v, ", ")
}

// literal writes a value of a test in T-SQL.
func literal(kind string, v any) string {
	base, _, _ := strings.Cut(strings.ToLower(kind), "(")
	switch v := v.(type) {
	case nil:
		return "NULL"
	case string:
		if base == "decimal" || base == "numeric" || base == "money" || base == "smallmoney" {
			return v
		}
		return "N'" + strings.ReplaceAll(v, "'", "''") + "'"
	case bool:
		if v {
			return "1"
		}
		return "0"
	case float64:
		return strconv.FormatFloat(v, 'E', -1, 64)
	case []byte:
		return "0x" + hex.EncodeToString(v)
	case tdstest.Variant:
		return "CAST(" + literal(v.Type, v.Value) + " AS " + v.Type + ")"
	case time.Time:
		layout := map[string]string{
			"date": "2006-01-02", "time": "15:04:05.0000000", "datetime": "2006-01-02T15:04:05.000",
			"smalldatetime": "2006-01-02T15:04:05", "datetimeoffset": "2006-01-02T15:04:05.0000000-07:00",
		}[base]
		if layout == "" {
			layout = "2006-01-02T15:04:05.0000000"
		}
		return "'" + v.Format(layout) + "'"
	}
	return fmt.Sprint(v)
}

// read reads a part whole and returns it as text.
func read(t testing.TB, c reader, p mssql.Part) (string, mssql.PartResult) {
	t.Helper()
	var b strings.Builder
	res, err := c.Read(t.Context(), p, &b, nil)
	if err != nil {
		t.Fatalf("%s: %v", p.String(), err)
	}
	return b.String(), res
}

// find returns a relation of a survey.
func find(t testing.TB, s *mssql.Survey, schema, name string) mssql.Relation {
	t.Helper()
	for _, r := range s.Relations {
		if r.Schema == schema && r.Name == name {
			return r
		}
	}
	t.Fatalf("%s.%s is not in the survey: %v; %q", schema, name, s.Relations, s.Notes)
	return mssql.Relation{}
}
