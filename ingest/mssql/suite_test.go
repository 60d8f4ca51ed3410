package mssql_test

import (
	"context"
	"crypto/rand"
	"database/sql/driver"
	"encoding/hex"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"dropline/ingest/mssql"
	"dropline/internal/dbchild"
	"dropline/internal/tdstest"
)

// realServer names the variable with a connection string to a SQL Server of whoever runs the tests. What is in its database is
// read. Where its login may create schemas, tables and views, the tests make and drop some of their own; else those tests are
// skipped. What a server tells of its catalogue is its own affair: nothing is demanded of it. Microsoft's image will do:
//
//	docker run -d -p 1433:1433 -e ACCEPT_EULA=Y -e MSSQL_SA_PASSWORD='Passw0rd-of-a-test' mcr.microsoft.com/mssql/server:2022-latest
//	export DROPLINE_TEST_MSSQL='Server=localhost,1433;Database=tempdb;User Id=sa;Password=Passw0rd-of-a-test;TrustServerCertificate=True'
//	go test -run TestServer ./ingest/mssql
const realServer = "DROPLINE_TEST_MSSQL"

// ownSchema is how the names of schemas begin that the tests make.
const ownSchema = "dropline_test_"

// site is a server that the suite runs against: the test server always, and a real one where there is one.
type site struct {
	connection string
	roots      []byte
	schema     string
	through    func(driver.Connector) driver.Connector // nil: straight
	remote     bool                                    // in a process of its own
	real       bool                                    // whose catalogue may be incomplete
	lacks      map[string]bool                         // names of optional columns that the server does not have
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
	optional   bool              // columns that the server cannot make are left out
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
			at := site{connection: text, schema: ownSchema + randomHex(), real: true, lacks: map[string]bool{}}
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

// relation returns a relation of a survey, or asks for it by name where the server's catalogue does not list it.
func (at site) relation(t testing.TB, c reader, s *mssql.Survey, name string) mssql.Relation {
	t.Helper()
	if at.real && !slices.ContainsFunc(s.Relations, func(r mssql.Relation) bool { return r.Schema == at.schema && r.Name == name }) {
		r, ok, err := c.Find(t.Context(), at.schema, name)
		if err != nil || !ok {
			t.Fatalf("%s.%s: %v, %v; %q", at.schema, name, ok, err, s.Notes)
		}
		return r
	}
	return find(t, s, at.schema, name)
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
