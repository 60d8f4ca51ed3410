package mssql_test

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/ingest/mssql"
)

const plain = "Server=db.example,%p;Database=shop;User Id=joe-of-test;Password=s3cr3t-w0rd;Encrypt=False"

func TestNamesAreHeldAgainstThePolicy(t *testing.T) {
	t.Parallel()
	f := startFake(t, "127.0.0.1", nil)
	for _, known := range [][]string{{"127.0.0.1"}, {"127.0.0.1", "10.0.0.1", "::1"}} {
		err := connect(t, mssql.Config{Resolver: &names{known: map[string][]string{"db.example": known}}}, plain, f.addr.Port())
		if ingest.KindOf(err) != ingest.Denied || !strings.Contains(err.Error(), "address") {
			t.Errorf("%v: %v", known, err)
		}
	}
	if n := f.accepted.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

func TestOnlyAllowedAddressesOfANameAreDialled(t *testing.T) {
	t.Parallel()
	good := startFake(t, "127.0.0.2", nil, prelogin(2), message(loginAck(), done(0)))
	for _, multi := range []string{"", ";MultiSubnetFailover=True"} {
		bad, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", net.JoinHostPort("127.0.0.3", portOf(good)))
		if err != nil {
			t.Skipf("the port is taken at 127.0.0.3: %v", err)
		}
		reached := make(chan struct{})
		go func() {
			if conn, err := bad.Accept(); err == nil {
				_ = conn.Close()
				close(reached)
			}
		}()
		n := &names{known: map[string][]string{"db.example": {"127.0.0.3", "127.0.0.2"}}}
		if err := connect(t, mssql.Config{Resolver: n, Policy: allow(t, "127.0.0.2")}, plain+multi, good.addr.Port()); err != nil {
			t.Error(err)
		}
		if n.asked.Load() != 1 {
			t.Errorf("the name was resolved %d times: another answer could have been slipped in", n.asked.Load())
		}
		_ = bad.Close()
		select {
		case <-reached:
			t.Error("the forbidden address was dialled")
		default:
		}
	}
}

func portOf(f *fake) string {
	_, port, _ := net.SplitHostPort(f.addr.String())
	return port
}

func TestMultiSubnetTakesTheFirstThatAnswers(t *testing.T) {
	t.Parallel()
	good := startFake(t, "127.0.0.2", nil, prelogin(2), message(loginAck(), done(0)))
	n := &names{known: map[string][]string{"db.example": {"127.0.0.9", "127.0.0.8", "127.0.0.2"}}} // nobody listens at the first two
	for _, multi := range []string{"", ";MultiSubnetFailover=True"} {
		if err := connect(t, mssql.Config{Resolver: n, Policy: allow(t, "127.0.0.0/8")}, plain+multi, good.addr.Port()); err != nil {
			t.Errorf("%q: %v", multi, err)
		}
	}
}

func TestRedirectsAreDialledUnderThePolicy(t *testing.T) {
	t.Parallel()
	inside := startFake(t, "127.0.0.1", nil)
	for _, to := range []string{"127.0.0.1", "inner.example"} {
		outside := startFake(t, "127.0.0.2", nil, prelogin(2), message(routing(to, inside.addr.Port()), loginAck(), done(0)))
		n := &names{known: map[string][]string{"db.example": {"127.0.0.2"}, "inner.example": {"127.0.0.1"}}}
		err := connect(t, mssql.Config{Resolver: n, Policy: allow(t, "127.0.0.2")}, plain, outside.addr.Port())
		if ingest.KindOf(err) != ingest.Denied {
			t.Errorf("%s: %v", to, err)
		}
	}
	if inside.accepted.Load() != 0 {
		t.Error("the redirect was followed")
	}
}

func TestRedirectsEnd(t *testing.T) {
	t.Parallel()
	f := startFake(t, "127.0.0.2", nil)
	f.answers.Store(&[][]byte{prelogin(2), message(routing("db.example", f.addr.Port()), loginAck(), done(0))})
	n := &names{known: map[string][]string{"db.example": {"127.0.0.2"}}}
	err := connect(t, mssql.Config{Resolver: n, Policy: allow(t, "127.0.0.2")}, plain, f.addr.Port())
	if ingest.KindOf(err) != ingest.Unavailable || !strings.Contains(err.Error(), "without end") {
		t.Error(err)
	}
	if got := f.accepted.Load(); got < 2 || got > 20 {
		t.Errorf("%d connections", got)
	}
}

func TestSilentServer(t *testing.T) {
	t.Parallel()
	for name, answers := range map[string][][]byte{"from the start": {nil}, "at the login": {prelogin(2), nil}, "at TLS": {prelogin(0), nil}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := startFake(t, "127.0.0.2", nil, answers...)
			n := &names{known: map[string][]string{"db.example": {"127.0.0.2"}}}
			cfg := mssql.Config{Resolver: n, Policy: allow(t, "127.0.0.2"), ConnectTimeout: 300 * time.Millisecond}
			start := time.Now()
			err := connect(t, cfg, plain, f.addr.Port())
			if ingest.KindOf(err) != ingest.Unavailable || !errors.Is(err, context.DeadlineExceeded) || !mssql.IsLost(err) {
				t.Errorf("%v", err)
			}
			if took := time.Since(start); took > 8*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestCancelEndsASignIn(t *testing.T) {
	t.Parallel()
	f := startFake(t, "127.0.0.2", nil, prelogin(2), nil)
	conn, err := mssql.Parse(strings.ReplaceAll(plain, "%p", portOf(f)), false)
	if err != nil {
		t.Fatal(err)
	}
	n := &names{known: map[string][]string{"db.example": {"127.0.0.2"}}}
	connector, err := mssql.Config{Resolver: n, Policy: allow(t, "127.0.0.2")}.Connector(conn)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	start := time.Now()
	_, err = connector.Connect(ctx)
	if !errors.Is(err, context.Canceled) || mssql.IsLost(err) {
		t.Errorf("%v", err)
	}
	if took := time.Since(start); took > 8*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestNonsenseFromTheServer(t *testing.T) {
	t.Parallel()
	for name, answers := range map[string][][]byte{
		"encryption of no length": {prelogin()},
		"HTTP":                    {[]byte("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")},
		"short packet":            {{4, 1, 0, 3, 0, 0, 1, 0}},
		"sspi out of place":       {prelogin(2), message([]byte{0xed, 2, 0, 1, 2})},
		"unknown token":           {prelogin(2), message([]byte{0x42, 1, 2, 3})},
		"short login ack":         {prelogin(2), message([]byte{0xad, 1, 0, 1})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := startFake(t, "127.0.0.2", nil, answers...)
			n := &names{known: map[string][]string{"db.example": {"127.0.0.2"}}}
			err := connect(t, mssql.Config{Resolver: n, Policy: allow(t, "127.0.0.2"), ConnectTimeout: 2 * time.Second}, plain, f.addr.Port())
			if kind := ingest.KindOf(err); kind != ingest.Invalid && kind != ingest.Unavailable {
				t.Errorf("%v, %v", kind, err)
			}
			if ingest.HintOf(err) == "" {
				t.Errorf("no hint: %v", err)
			}
		})
	}
}

func TestBrowserIsAskedUnderThePolicy(t *testing.T) {
	t.Parallel()
	n := &names{known: map[string][]string{"db.example": {"127.0.0.1"}}}
	text := `Server=db.example\inst;Database=shop;User Id=joe;Password=pw`
	err := connect(t, mssql.Config{Resolver: n}, text, 0)
	if ingest.KindOf(err) != ingest.Denied {
		t.Error(err)
	}
	// Nobody answers at that address.
	n = &names{known: map[string][]string{"db.example": {"127.201.7.9"}}}
	err = connect(t, mssql.Config{Resolver: n, Policy: allow(t, "127.0.0.0/8"), ConnectTimeout: 2 * time.Second}, text, 0)
	if ingest.KindOf(err) != ingest.Unavailable && ingest.KindOf(err) != ingest.Invalid || !strings.Contains(ingest.HintOf(err), "port") {
		t.Errorf("%v, hint %q", err, ingest.HintOf(err))
	}
}

func TestSignedInConnectionOutlivesTheConnectTimeout(t *testing.T) {
	t.Parallel()
	f := startFake(t, "127.0.0.2", nil, prelogin(2), message(loginAck(), done(0)), message(done(0)))
	conn, err := mssql.Parse(strings.ReplaceAll(plain, "%p", portOf(f)), false)
	if err != nil {
		t.Fatal(err)
	}
	n := &names{known: map[string][]string{"db.example": {"127.0.0.2"}}}
	cfg := mssql.Config{Resolver: n, Policy: allow(t, "127.0.0.2"), ConnectTimeout: 500 * time.Millisecond, IdleTimeout: time.Second}
	connector, err := cfg.Connector(conn)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	time.Sleep(700 * time.Millisecond)
	if _, err := c.ExecContext(t.Context(), "SELECT 1"); err != nil {
		t.Fatal(err)
	}
	// The next is not answered: the idle timeout ends it, with no deadline of the caller's.
	_, err = c.ExecContext(t.Context(), "SELECT 1")
	if !mssql.IsLost(err) || ingest.KindOf(mssql.Translate(err, conn)) != ingest.Unavailable {
		t.Errorf("%v", err)
	}
}

func TestConnectorRefuses(t *testing.T) {
	t.Parallel()
	conn, err := mssql.Parse("Server=db;Database=shop;User Id=joe;Password=pw", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (mssql.Config{RootCAs: []byte("no certificate")}).Connector(conn); ingest.KindOf(err) != ingest.Invalid {
		t.Errorf("certificate authority: %v", err)
	}
	local, err := mssql.Parse("Server=db;Database=shop;Integrated Security=SSPI", true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (mssql.Config{}).Connector(local); err == nil {
		t.Error("a local string is taken by a service")
	}
}

func TestBrowserTellsThePort(t *testing.T) {
	t.Parallel()
	const ip = "127.201.7.8" // SQL Browser has one port only; so an address of this test's own
	udp, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", ip+":1434")
	if err != nil {
		t.Skipf("no UDP port 1434 at %s: %v", ip, err)
	}
	defer udp.Close()
	f := startFake(t, ip, nil, prelogin(2), message(loginAck(), done(0)))
	go func() {
		buf := make([]byte, 64)
		for {
			_, from, err := udp.ReadFrom(buf)
			if err != nil {
				return
			}
			text := "ServerName;DB;InstanceName;INST;IsClustered;No;Version;15.0;tcp;" + portOf(f) + ";;"
			_, _ = udp.WriteTo(append([]byte{5, byte(len(text)), byte(len(text) >> 8)}, text...), from)
		}
	}()
	n := &names{known: map[string][]string{"db.example": {ip}}}
	cfg := mssql.Config{Resolver: n, Policy: allow(t, ip)}
	text := `Server=db.example\%s;Database=shop;User Id=joe;Password=pw;Encrypt=False`
	if err := connect(t, cfg, strings.ReplaceAll(text, "%s", "inst"), 0); err != nil {
		t.Error(err)
	}
	err = connect(t, cfg, strings.ReplaceAll(text, "%s", "other"), 0)
	if ingest.KindOf(err) != ingest.Invalid || !strings.Contains(err.Error(), "no instance of that name") {
		t.Error(err)
	}
}
