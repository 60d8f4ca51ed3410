package mssql_test

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/ingest/mssql"
	"dropline/internal/tdstest"
)

// at returns a string for a test server, with more keys at its end. The server's name is a resolver's matter.
func at(s *tdstest.Server, more string) string {
	return fmt.Sprintf("Server=127.0.0.1,%d;Database=practice;User Id=reader;Password=secret-of-test;%s", s.Port(), more)
}

func TestSignInAgainstATestServer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		encryption  tdstest.Encryption
		keys        string
		ca          bool
		kind        ingest.Kind // Internal: it works
		hint        string
		whole, none bool // whether all is encrypted, or nothing
	}{
		{tdstest.On, "", true, ingest.Internal, "", true, false},
		{tdstest.Required, "Encrypt=Mandatory", true, ingest.Internal, "", true, false},
		{tdstest.Off, "Encrypt=True", true, ingest.Internal, "", true, false},
		{tdstest.On, "Encrypt=Strict", true, ingest.Internal, "", true, false},
		{tdstest.On, "TrustServerCertificate=True", false, ingest.Internal, "", true, false},
		{tdstest.On, "", false, ingest.Invalid, "certificateAuthority", false, false},
		{tdstest.On, "Encrypt=Strict;TrustServerCertificate=True", false, ingest.Invalid, "certificateAuthority", false, false},
		{tdstest.On, "HostNameInCertificate=other.example", true, ingest.Invalid, "HostNameInCertificate", false, false},
		{tdstest.NotSupported, "", true, ingest.Invalid, "Encrypt=False", false, false},
		{tdstest.NotSupported, "Encrypt=False", false, ingest.Internal, "", false, true},
		{tdstest.Off, "Encrypt=Optional", false, ingest.Internal, "", false, false},
		{tdstest.Required, "Encrypt=Optional", false, ingest.Internal, "", true, false},
		{tdstest.Off, "Encrypt=disable", false, ingest.Internal, "", false, true},
	} {
		t.Run(fmt.Sprintf("%d %s", c.encryption, c.keys), func(t *testing.T) {
			t.Parallel()
			s := tdstest.Start(t, tdstest.Options{Encryption: c.encryption})
			cfg := mssql.Config{Policy: allow(t, "127.0.0.1")}
			if c.ca {
				cfg.RootCAs = s.CAPEM()
			}
			err := connect(t, cfg, at(s, c.keys), 0)
			if c.kind != ingest.Internal {
				if ingest.KindOf(err) != c.kind || !strings.Contains(ingest.HintOf(err), c.hint) {
					t.Errorf("%v, %v, hint %q", ingest.KindOf(err), err, ingest.HintOf(err))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			logins := s.Logins()
			if len(logins) != 1 {
				t.Fatalf("%d logins", len(logins))
			}
			l := logins[0]
			if !l.ReadOnlyIntent || l.AppName != "dropline" || l.User != "reader" || l.Database != "practice" || l.Refused {
				t.Errorf("login %+v", l)
			}
			if l.Encrypted != c.whole || l.LoginEncrypted == c.none {
				t.Errorf("encrypted %v, sign-in %v", l.Encrypted, l.LoginEncrypted)
			}
		})
	}
}

func TestRefusedAgainstATestServer(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{Encryption: tdstest.On})
	cfg := mssql.Config{Policy: allow(t, "127.0.0.1"), RootCAs: s.CAPEM()}
	for keys, text := range map[string]string{"Password=wr0ng-word": "refuses to sign", "User Id=stranger": "refuses to sign", "Database=elsewhere": `"elsewhere"`} {
		err := connect(t, cfg, at(s, keys), 0)
		if ingest.KindOf(err) != ingest.Denied || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v, %v", keys, ingest.KindOf(err), err)
		}
		if strings.Contains(err.Error(), "wr0ng") || strings.Contains(err.Error(), "stranger") || strings.Contains(err.Error(), "reader") {
			t.Errorf("%s: secret in %v", keys, err)
		}
	}
	s.SetFaults(tdstest.Faults{RefuseLogin: &tdstest.Error{Number: 40613, State: 1, Class: 17, Message: "Database is not currently available."}})
	if err := connect(t, cfg, at(s, ""), 0); ingest.KindOf(err) != ingest.Unavailable || !mssql.IsLost(err) {
		t.Errorf("%v", err)
	}
	s.SetFaults(tdstest.Faults{CloseOnConnect: 10})
	if err := connect(t, cfg, at(s, ""), 0); ingest.KindOf(err) != ingest.Unavailable || !mssql.IsLost(err) {
		t.Errorf("%v", err)
	}
	s.SetFaults(tdstest.Faults{SlowLogin: 20 * time.Second})
	cfg.ConnectTimeout = 300 * time.Millisecond
	if err := connect(t, cfg, at(s, ""), 0); ingest.KindOf(err) != ingest.Unavailable || !strings.Contains(err.Error(), "within the time") {
		t.Errorf("%v", err)
	}
	for _, p := range []mssql.Policy{{}, allow(t, "10.0.0.0/8")} {
		if err := connect(t, mssql.Config{Policy: p}, at(s, ""), 0); ingest.KindOf(err) != ingest.Denied {
			t.Errorf("%v", err)
		}
	}
}

// TestRowsComeThrough reads over every kind of transport, so that the deadlines of the connection are shown not to be in the way.
func TestRowsComeThrough(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{Encryption: tdstest.Off, Tables: []tdstest.Table{{
		Name: "item", Columns: []tdstest.Column{{Name: "id", Type: "int", NotNull: true}, {Name: "name", Type: "nvarchar(50)"}},
		Generate: func(i int, dst []any) { dst[0], dst[1] = int64(i), fmt.Sprintf("item %d", i) }, Count: 5000, PrimaryKey: []string{"id"},
	}}})
	for _, keys := range []string{"Encrypt=True", "Encrypt=False", "Encrypt=Strict", "Packet Size=512", "Packet Size=32767", "Encrypt=disable"} {
		readItems(t, s, keys)
	}
}

func readItems(t *testing.T, s *tdstest.Server, keys string) {
	t.Helper()
	conn, err := mssql.Parse(at(s, keys), false)
	if err != nil {
		t.Fatal(err)
	}
	connector, err := mssql.Config{Policy: allow(t, "127.0.0.1"), RootCAs: s.CAPEM()}.Connector(conn)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	var n, sum int
	rows, err := db.QueryContext(t.Context(), "SELECT [id], [name] FROM [dbo].[item]")
	if err != nil {
		t.Fatalf("%s: %v", keys, err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int
		var name string
		if err := rows.Scan(&id, &name); err != nil {
			t.Fatal(err)
		}
		n, sum = n+1, sum+id
	}
	if err := rows.Err(); err != nil || n != 5000 || sum != 5000*4999/2 {
		t.Errorf("%s: %d rows, sum %d, %v", keys, n, sum, err)
	}
}

func TestConnectionsMadeTogether(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{Encryption: tdstest.On})
	conn, err := mssql.Parse(at(s, "Encrypt=Strict"), false)
	if err != nil {
		t.Fatal(err)
	}
	connector, err := mssql.Config{Policy: allow(t, "127.0.0.1"), RootCAs: s.CAPEM()}.Connector(conn)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	for range 8 {
		go func() {
			c, err := connector.Connect(context.WithoutCancel(t.Context()))
			if err == nil {
				err = c.Close()
			}
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestLostConnectionIsKnown(t *testing.T) {
	t.Parallel()
	table := tdstest.Table{
		Name: "item", Columns: []tdstest.Column{{Name: "id", Type: "int", NotNull: true}},
		Generate: func(i int, dst []any) { dst[0] = int64(i) }, Count: 2000,
	}
	for name, c := range map[string]struct {
		faults tdstest.Faults
		kind   ingest.Kind
	}{
		"dropped":  {tdstest.Faults{DropAfterRows: 500}, ingest.Unavailable},
		"garbage":  {tdstest.Faults{GarbageAfterRows: 500}, ingest.Invalid},
		"deadlock": {tdstest.Faults{ErrorAfterRows: 500, RowError: &tdstest.Error{Number: 1205, State: 1, Class: 13, Message: "deadlock"}}, ingest.Unavailable},
		"stalled":  {tdstest.Faults{StallAfterRows: 500, StallFor: 20 * time.Second, StallDeaf: true}, ingest.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tdstest.Start(t, tdstest.Options{Encryption: tdstest.On, Tables: []tdstest.Table{table}, Faults: c.faults})
			conn, err := mssql.Parse(at(s, ""), false)
			if err != nil {
				t.Fatal(err)
			}
			connector, err := mssql.Config{Policy: allow(t, "127.0.0.1"), RootCAs: s.CAPEM(), IdleTimeout: time.Second}.Connector(conn)
			if err != nil {
				t.Fatal(err)
			}
			db := sql.OpenDB(connector)
			defer db.Close()
			rows, err := db.QueryContext(t.Context(), "SELECT [id] FROM [dbo].[item]")
			if err == nil {
				defer rows.Close()
				for rows.Next() {
				}
				err = rows.Err()
			}
			got := mssql.Translate(err, conn)
			if ingest.KindOf(got) != c.kind || mssql.IsLost(err) != (c.kind == ingest.Unavailable) {
				t.Errorf("%v → %v, %v", err, ingest.KindOf(got), got)
			}
		})
	}
}

func TestNothingListens(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.4:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	text := fmt.Sprintf("Server=127.0.0.4,%d;Database=shop;User Id=joe;Password=pw", port)
	if err := connect(t, mssql.Config{Policy: allow(t, "127.0.0.4")}, text, 0); ingest.KindOf(err) != ingest.Unavailable || !strings.Contains(err.Error(), "nothing listens") {
		t.Errorf("%v", err)
	}
}
