package mssql_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/ingest/mssql"

	mssqldb "github.com/microsoft/go-mssqldb"
)

func server(number int32, class uint8, text string) error {
	return mssqldb.Error{Number: number, Class: class, Message: text}
}

func TestTranslate(t *testing.T) {
	t.Parallel()
	conn, err := mssql.Parse("Server=db.example;Database=shop;User Id=joe-of-test;Password=s3cr3t-w0rd", false)
	if err != nil {
		t.Fatal(err)
	}
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for _, c := range []struct {
		err  error
		kind ingest.Kind
		text string
	}{
		{server(18456, 14, "Login failed for user 'joe-of-test'."), ingest.Denied, "refuses to sign the user in"},
		{fmt.Errorf("x: %w", server(18456, 14, "")), ingest.Denied, "refuses to sign"},
		{server(18452, 14, ""), ingest.Denied, "Windows domain"},
		{server(18486, 14, ""), ingest.Denied, "locked"},
		{server(18488, 14, ""), ingest.Denied, "must be changed"},
		{server(4060, 11, ""), ingest.Denied, `"shop"`},
		{server(40615, 14, ""), ingest.Denied, "firewall"},
		{server(229, 14, "The SELECT permission was denied on the object 'a'"), ingest.Denied, "object 'a'"},
		{server(916, 14, "x"), ingest.Denied, "error 916"},
		{server(208, 16, "Invalid object name 'dbo.x'."), ingest.Invalid, "Invalid object name 'dbo.x'."},
		{server(911, 16, "x"), ingest.Invalid, "error 911"},
		{server(3952, 16, "x"), ingest.Invalid, "error 3952"},
		{server(245, 16, "x"), ingest.Invalid, "error 245"},
		{server(1205, 13, "x"), ingest.Unavailable, "deadlock"},
		{server(3960, 16, "x"), ingest.Unavailable, "snapshot"},
		{server(40501, 20, "x"), ingest.Unavailable, "too much to do"},
		{server(40613, 17, "x"), ingest.Unavailable, "not ready"},
		{server(49918, 16, "x"), ingest.Unavailable, "too much"},
		{server(9002, 17, "x"), ingest.Unavailable, "space"},
		{server(99999, 20, "x"), ingest.Unavailable, "error 99999"},
		{server(99999, 14, "x"), ingest.Denied, "error 99999"},
		{server(99999, 16, "x"), ingest.Invalid, "error 99999"},
		{mssqldb.Error{Message: "server does not have an active transaction"}, ingest.Unavailable, "lost"},
		{mssqldb.StreamError{InnerError: io.ErrUnexpectedEOF}, ingest.Unavailable, "lost"},
		{mssqldb.StreamError{InnerError: errors.New("did not get cancellation confirmation from the server")}, ingest.Unavailable, "lost"},
		{mssqldb.StreamError{InnerError: errors.New("unknown token type returned: 42")}, ingest.Invalid, "would not"},
		{io.EOF, ingest.Unavailable, "lost"},
		{driver.ErrBadConn, ingest.Unavailable, "lost"},
		{net.ErrClosed, ingest.Unavailable, "lost"},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, ingest.Unavailable, "lost"},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, ingest.Unavailable, "silent"},
		{dial(syscall.ECONNREFUSED), ingest.Unavailable, "refuses connections"},
		{dial(syscall.EHOSTUNREACH), ingest.Unavailable, "cannot be reached"},
		{dial(context.DeadlineExceeded), ingest.Unavailable, "cannot be reached"},
		{&net.DNSError{Name: "db.example", IsNotFound: true}, ingest.Unavailable, "does not resolve"},
		{&net.DNSError{Name: "db.example", IsTimeout: true}, ingest.Unavailable, "at present"},
		{context.Canceled, ingest.Unavailable, "stopped"},
		{context.DeadlineExceeded, ingest.Unavailable, "silent"},
		{errors.New("server does not support encryption"), ingest.Invalid, "no TLS"},
		{errors.New("TLS Handshake failed: tls: server selected unsupported protocol version 301"), ingest.Invalid, "no longer safe"},
		{errors.New("TLS Handshake failed: remote error: tls: handshake failure"), ingest.Invalid, "in common"},
		{errors.New("TLS Handshake failed: EOF"), ingest.Unavailable, "broke off"},
		{fmt.Errorf("TLS Handshake failed: %w", io.EOF), ingest.Unavailable, "broke off"}, // of Encrypt=Strict
		{errors.New("no instance matching 'X' returned from host 'y'"), ingest.Invalid, "no instance"},
		{errors.New("something else"), ingest.Internal, "something else"},
	} {
		got := mssql.Translate(c.err, conn)
		if ingest.KindOf(got) != c.kind || !strings.Contains(got.Error(), c.text) {
			t.Errorf("%v:\n got %v, %v\nwant %v, …%s…", c.err, ingest.KindOf(got), got, c.kind, c.text)
		}
		if c.kind != ingest.Internal && ingest.HintOf(got) == "" && !errors.Is(c.err, context.Canceled) {
			t.Errorf("%v: no hint", c.err)
		}
		lost := c.kind == ingest.Unavailable && !errors.Is(c.err, context.Canceled)
		if mssql.IsLost(c.err) != lost || mssql.IsLost(got) != lost {
			t.Errorf("%v: lost %v, translated %v, want %v", c.err, mssql.IsLost(c.err), mssql.IsLost(got), lost)
		}
		if again := mssql.Translate(got, conn); !errors.Is(again, got) || again.Error() != got.Error() {
			t.Errorf("%v: translated twice", c.err)
		}
	}
	if mssql.Translate(nil, conn) != nil || mssql.IsLost(nil) {
		t.Error("no error is one")
	}
	if !errors.Is(mssql.Translate(context.Canceled, nil), context.Canceled) {
		t.Error("an end that the caller asked for is not known again")
	}
}

func TestHostileTextsAreBoundedAndRedacted(t *testing.T) {
	t.Parallel()
	conn, err := mssql.Parse(`Server=db.example;Database=shop;User Id=CORP\joe-of-test;Password=s3cr3t-w0rd`, false)
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("long ", 2000)
	for _, text := range []string{
		"the password is s3cr3t-w0rd", "S3CR3T-W0RD", "s3cr3t w0rd", "s\u200b3\u200bc\u200br\u200b3\u200bt\u200b-\u200bw0rd", "s3cr3t%2Dw0rd", "s3cr3tw0",
		`Login failed for user 'CORP\joe-of-test'`, "user JOE-OF-TEST here", "joe\u200b-of-test", "token eyJhbGciOiJSUzI1NiJ9.x",
		"two\nlines\r\x1b[31m red \u202e turned \x00", "\xff\xfe broken", long, long + "s3cr3t-w0rd",
	} {
		for _, e := range []error{
			server(208, 16, text), server(18456, 14, text), server(4060, 14, text), server(229, 14, text), server(1205, 13, text), server(50000, 20, text), errors.New(text),
			mssqldb.StreamError{InnerError: errors.New(text)},
			fmt.Errorf("TLS Handshake failed: %s", text), &net.OpError{Op: "dial", Err: errors.New(text)},
		} {
			got := mssql.Translate(e, conn)
			out := fmt.Sprintf("%v|%+v|%#v|%s", got, got, got, ingest.HintOf(got))
			for inner := errors.Unwrap(got); inner != nil; inner = errors.Unwrap(inner) {
				out += inner.Error()
			}
			for _, bad := range []string{"s3cr3t", "w0rd", "joe", "eyj", "\x1b", "\n", "\r", "\x00", "\u202e", "\u200b"} {
				if strings.Contains(strings.ToLower(out), bad) {
					t.Errorf("%q in %q", bad, out)
				}
			}
			if n := len([]rune(got.Error())); n > 500 {
				t.Errorf("%d characters of %q", n, text[:20])
			}
		}
	}
	got := mssql.Translate(server(208, 16, "Invalid object name 'dbo.Übergabe'."), conn)
	if !strings.Contains(got.Error(), "dbo.Übergabe") {
		t.Errorf("nothing is left of %v", got)
	}
}

func TestHostileServerGetsNoSecretIntoAnError(t *testing.T) {
	t.Parallel()
	const text = "Login failed for user 'joe-of-test' with s3cr3t-w0rd\x1b[2J"
	for _, number := range []int32{18456, 4060, 50000, 208} {
		f := startFake(t, "127.0.0.2", nil, prelogin(2), message(serverError(number, 14, text), done(2)))
		n := &names{known: map[string][]string{"db.example": {"127.0.0.2"}}}
		err := connect(t, mssql.Config{Resolver: n, Policy: allow(t, "127.0.0.2")}, plain, f.addr.Port())
		if kind := ingest.KindOf(err); kind != ingest.Denied && number != 208 {
			t.Errorf("%d: %v", number, err)
		}
		if out := fmt.Sprintf("%+v %#v", err, err); strings.Contains(out, "s3cr3t") || strings.Contains(out, "joe") || strings.Contains(out, "\x1b") {
			t.Errorf("%d: %s", number, out)
		}
	}
}

// strict signs in to a TLS server whose name is db.example.
func strict(t *testing.T, secure *tls.Config, roots []byte, keys string) error {
	t.Helper()
	f := startFake(t, "127.0.0.2", secure, prelogin(1), message(loginAck(), done(0)))
	n := &names{known: map[string][]string{"db.example": {"127.0.0.2"}}}
	cfg := mssql.Config{Resolver: n, Policy: allow(t, "127.0.0.2"), RootCAs: roots}
	return connect(t, cfg, "Server=db.example,%p;Database=shop;User Id=joe;Password=pw;Encrypt=Strict;"+keys, f.addr.Port())
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	named := func(names ...string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.DNSNames = names }
	}
	for _, c := range []struct {
		name   string
		change func(*x509.Certificate)
		ca     bool
		keys   string
		text   string // "" for one that will do
		hint   string
	}{
		{"of the authority given", nil, true, "", "", ""},
		{"of an unknown authority", nil, false, "", "authority that is not known", "certificateAuthority"},
		{"of an unknown authority, though strict", nil, false, "TrustServerCertificate=True", "authority that is not known", "certificateAuthority"},
		{"for another name", named("other.example"), true, "", "another name", "HostNameInCertificate"},
		{"for another name that is given", named("other.example"), true, "HostNameInCertificate=other.example", "", ""},
		{"for a wildcard that is given", named("*.other.example"), true, "HostNameInCertificate=*.other.example", "", ""},
		{"without alternative names", func(c *x509.Certificate) { c.DNSNames = nil }, true, "", "", ""},
		{"expired", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }, true, "", "expired", "renewed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			secure, ca := certificate(t, c.change)
			if !c.ca {
				ca = nil
			}
			err := strict(t, secure, ca, c.keys)
			switch {
			case c.text == "":
				if err != nil {
					t.Error(err)
				}
			case ingest.KindOf(err) != ingest.Invalid, !strings.Contains(err.Error(), c.text), !strings.Contains(ingest.HintOf(err), c.hint):
				t.Errorf("%v, hint %q", err, ingest.HintOf(err))
			}
		})
	}
}

func TestOldTLS(t *testing.T) {
	t.Parallel()
	secure, ca := certificate(t, nil)
	secure.MaxVersion, secure.MinVersion = tls.VersionTLS11, tls.VersionTLS10
	if err := strict(t, secure, ca, ""); ingest.KindOf(err) != ingest.Invalid || !strings.Contains(ingest.HintOf(err), "tlsmin") {
		t.Errorf("%v, hint %q", err, ingest.HintOf(err))
	}
	if err := strict(t, secure, ca, "tlsmin=1.0"); err != nil {
		t.Error(err)
	}
}

func TestServerWithoutTLS(t *testing.T) {
	t.Parallel()
	f := startFake(t, "127.0.0.2", nil, prelogin(2), message(loginAck(), done(0)))
	n := &names{known: map[string][]string{"db.example": {"127.0.0.2"}}}
	cfg := mssql.Config{Resolver: n, Policy: allow(t, "127.0.0.2")}
	err := connect(t, cfg, "Server=db.example,%p;Database=shop;User Id=joe;Password=pw", f.addr.Port())
	if ingest.KindOf(err) != ingest.Invalid || !strings.Contains(ingest.HintOf(err), "Encrypt=False") {
		t.Errorf("%v, hint %q", err, ingest.HintOf(err))
	}
}

func TestLocalStringsMayNameFiles(t *testing.T) {
	t.Parallel()
	secure, ca := certificate(t, nil)
	other, _ := certificate(t, nil)
	write := func(name string, data []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	f := startFake(t, "127.0.0.2", secure, prelogin(1), message(loginAck(), done(0)))
	for keys, text := range map[string]string{
		"certificate=" + write("ca.pem", ca): "",
		"ServerCertificate=" + write("server.der", secure.Certificates[0].Certificate[0]) + ";HostNameInCertificate=any.name": "",
		"ServerCertificate=" + write("other.der", other.Certificates[0].Certificate[0]):                                       "another certificate",
		"ServerCertificate=/nowhere":             "cannot be read",
		"certificate=" + write("x", []byte("x")): "no certificate",
	} {
		conn, err := mssql.Parse(fmt.Sprintf("Server=127.0.0.2,%d;Database=shop;User Id=joe;Password=pw;Encrypt=Strict;%s;HostNameInCertificate=db.example", f.addr.Port(), keys), true)
		if err != nil {
			t.Fatal(err)
		}
		connector, err := mssql.Config{Policy: mssql.Policy{Local: true}}.Connector(conn)
		if err == nil {
			var c driver.Conn
			if c, err = connector.Connect(t.Context()); err == nil {
				err = c.Close()
			}
		}
		if text == "" && err != nil || text != "" && (ingest.KindOf(err) != ingest.Invalid || !strings.Contains(err.Error(), text)) {
			t.Errorf("%s: %v", keys, err)
		}
	}
}
