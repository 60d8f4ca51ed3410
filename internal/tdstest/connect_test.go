package tdstest_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mssql "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"

	"dropline/internal/tdstest"
)

func dsn(s *tdstest.Server, options string) string {
	return fmt.Sprintf("sqlserver://reader:secret-of-test@127.0.0.1:%d?database=practice&%s", s.Port(), options)
}

// TestEncryption connects with every wish of a client to every kind of server.
func TestEncryption(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		server  tdstest.Encryption
		client  string
		ok      bool
		login   bool
		session bool
	}{
		{tdstest.Off, "disable", true, false, false},
		{tdstest.Off, "false", true, true, false},
		{tdstest.Off, "true", true, true, true},
		{tdstest.Off, "strict", true, true, true},
		{tdstest.On, "false", true, true, true},
		{tdstest.On, "true", true, true, true},
		{tdstest.On, "disable", false, false, false},
		{tdstest.Required, "true", true, true, true},
		{tdstest.Required, "false", true, true, true},
		{tdstest.NotSupported, "disable", true, false, false},
		{tdstest.NotSupported, "false", true, false, false},
		{tdstest.NotSupported, "true", false, false, false},
	} {
		name := fmt.Sprintf("server %d client %s", c.server, c.client)
		s := tdstest.Start(t, tdstest.Options{Encryption: c.server, Tables: []tdstest.Table{people()}})
		trust := "TrustServerCertificate=true"
		if c.client == "strict" {
			file := filepath.Join(t.TempDir(), "ca.pem")
			if err := os.WriteFile(file, s.CAPEM(), 0o600); err != nil {
				t.Fatal(err)
			}
			trust = "certificate=" + url.QueryEscape(file)
		}
		db := open(t, dsn(s, "encrypt="+c.client+"&"+trust))
		n := 0
		err := db.QueryRowContext(within(t), "SELECT COUNT(*) FROM etl.Person").Scan(&n)
		if (err == nil) != c.ok || c.ok && n != 3 {
			t.Errorf("%s: %d, %v", name, n, err)
			continue
		}
		logins := s.Logins()
		if !c.ok {
			if len(logins) > 0 {
				t.Errorf("%s: a login came through", name)
			}
			continue
		}
		if l := logins[0]; l.LoginEncrypted != c.login || l.Encrypted != c.session || l.Strict != (c.client == "strict") {
			t.Errorf("%s: %+v", name, l)
		}
	}
}

// TestCertificate trusts the server's certificate, and does not trust another's.
func TestCertificate(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{Encryption: tdstest.Required})
	block, _ := pem.Decode(s.CAPEM())
	if block == nil {
		t.Fatal("no PEM")
	}
	if _, err := x509.ParseCertificate(block.Bytes); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, s.CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := open(t, dsn(s, "encrypt=true&certificate="+url.QueryEscape(file))).PingContext(within(t)); err != nil {
		t.Error(err)
	}
	other := tdstest.Start(t, tdstest.Options{})
	if err := os.WriteFile(file, other.CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := open(t, dsn(s, "encrypt=true&certificate="+url.QueryEscape(file))).PingContext(within(t)); err == nil {
		t.Error("another server's certificate was trusted")
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{})
	db := open(t, dsn(s, "app+name=dropline&ApplicationIntent=ReadOnly&workstation+id=desk&encrypt=disable&packet+size=512"))
	if err := db.PingContext(within(t)); err != nil {
		t.Fatal(err)
	}
	l := s.Logins()[0]
	if l.User != "reader" || l.Database != "practice" || l.AppName != "dropline" || l.Host != "desk" || !l.ReadOnlyIntent || l.PacketSize != 512 || l.Refused {
		t.Errorf("%+v", l)
	}
	for _, c := range []struct {
		from, to string
		number   int32
	}{
		{"secret-of-test", "wrong", 18456}, {"reader:", "nobody:", 18456}, {"database=practice", "database=elsewhere", 4060},
	} {
		err := open(t, strings.Replace(s.URL(), c.from, c.to, 1)).PingContext(within(t))
		var e mssql.Error
		if !errors.As(err, &e) || e.Number != c.number {
			t.Errorf("%s: %v", c.to, err)
		}
	}
	if logins := s.Logins(); len(logins) != 4 || !logins[3].Refused {
		t.Errorf("%+v", logins)
	}
	s.SetFaults(tdstest.Faults{RefuseLogin: &tdstest.Error{Number: 18470, State: 1, Class: 14, Message: "The account is disabled."}})
	err := open(t, s.URL()).PingContext(within(t))
	var e mssql.Error
	if !errors.As(err, &e) || e.Number != 18470 || e.Class != 14 || e.ServerName == "" {
		t.Errorf("%v", err)
	}
}

// TestConnectionStrings are accepted by the driver's own parser in both forms.
func TestConnectionStrings(t *testing.T) {
	t.Parallel()
	for _, e := range []tdstest.Encryption{tdstest.Off, tdstest.On, tdstest.Required, tdstest.NotSupported} {
		s := tdstest.Start(t, tdstest.Options{Encryption: e, Password: "p@ss/w?rd"})
		for _, text := range []string{s.ConnectionString(), s.URL()} {
			if err := open(t, text).PingContext(within(t)); err != nil {
				t.Errorf("encryption %d: %v", e, err)
			}
		}
	}
}

// browserDialer sends what is for port 1434 to the browser's.
type browserDialer struct{ to string }

func (d browserDialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	if network == "udp" {
		addr = d.to
	}
	return (&net.Dialer{}).DialContext(ctx, network, addr)
}

func TestBrowser(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{Browser: true, Instance: "CLIENTS"})
	for instance, ok := range map[string]bool{"clients": true, "other": false} {
		config, err := msdsn.Parse(`server=127.0.0.1\` + instance + `;user id=reader;password=secret-of-test;database=practice;encrypt=disable`)
		if err != nil {
			t.Fatal(err)
		}
		c := mssql.NewConnectorConfig(config)
		c.Dialer = browserDialer{s.BrowserAddr().String()}
		conn, err := c.Connect(within(t))
		if (err == nil) != ok {
			t.Errorf("%s: %v", instance, err)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
}

func TestConnections(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{Faults: tdstest.Faults{SlowLogin: 20 * time.Millisecond}})
	db := open(t, s.URL())
	start := time.Now()
	for range 3 {
		conn, err := db.Conn(within(t))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
	}
	if d := time.Since(start); d < 60*time.Millisecond {
		t.Errorf("three slow logins in %v", d)
	}
	if s.Connections() != 3 || s.MaxConnections() != 3 {
		t.Errorf("%d, most %d", s.Connections(), s.MaxConnections())
	}
	_ = db.Close()
	s.SetFaults(tdstest.Faults{CloseOnConnect: 1})
	c, err := mssql.NewConnector(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	if conn, err := c.Connect(within(t)); err == nil {
		_ = conn.Close()
		t.Error("the first connection was not closed")
	}
	conn, err := c.Connect(within(t))
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}
