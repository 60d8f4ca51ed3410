package tdstest

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"runtime/debug"
	"sync"
	"testing"
)

// Server is a running server.
type Server struct {
	o           Options
	collation   *collation
	certificate *tls.Certificate
	store       *store
	catalogue   []*definition
	faults      faultState
	listener    net.Listener
	browser     net.PacketConn
	closing     chan struct{}
	closeOnce   sync.Once
	wg          sync.WaitGroup
	record      record
}

// Start starts a server on a free port of 127.0.0.1 and closes it when the test ends. The test fails if the server had
// a panic.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		if s.record.panicked != "" {
			t.Errorf("the test server had a %s", s.record.panicked)
		}
	})
	return s
}

// New starts a server on a free port of 127.0.0.1. It is an error where a table's columns or rows make no sense.
func New(o Options) (*Server, error) {
	o.fill()
	s := &Server{o: o, certificate: o.Certificate, closing: make(chan struct{})}
	s.record.conns = map[net.Conn]bool{}
	s.faults.set(o.Faults)
	var err error
	if s.collation, err = collationNamed(string(o.Collation)); err != nil {
		return nil, err
	}
	if s.store, err = newStore(&o, s.collation); err != nil {
		return nil, err
	}
	s.catalogue = newCatalogue(s.collation)
	if s.certificate == nil {
		if s.certificate, err = selfSigned(); err != nil {
			return nil, err
		}
	}
	var config net.ListenConfig
	if s.listener, err = config.Listen(context.Background(), "tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	if o.Browser {
		if err := s.startBrowser(); err != nil {
			_ = s.listener.Close()
			return nil, err
		}
	}
	s.wg.Add(1)
	go s.accept()
	return s, nil
}

func (s *Server) accept() {
	defer s.wg.Done()
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		if s.faults.closeNow() {
			s.event("fault", 0, "closed on connect")
			_ = conn.Close()
			continue
		}
		number, ok := s.record.open(conn)
		if !ok {
			_ = conn.Close()
			return
		}
		s.event("connect", number, "")
		s.wg.Add(1)
		go s.serve(conn, number)
	}
}

// serve runs one connection. A panic ends that connection and not the test's process.
func (s *Server) serve(conn net.Conn, number int) {
	defer s.wg.Done()
	defer func() {
		text := ""
		if r := recover(); r != nil {
			text = fmt.Sprintf("panic: %v\n%s", r, debug.Stack())
			s.record.panic(text)
		}
		_ = conn.Close()
		s.record.close(conn)
		s.event("close", number, text)
	}()
	c := &session{server: s, number: number, spid: uint16(50 + number), raw: conn}
	c.serve()
}

// Close ends the server and its connections, and waits for them.
func (s *Server) Close() {
	s.closeOnce.Do(func() {
		close(s.closing)
		_ = s.listener.Close()
		if s.browser != nil {
			_ = s.browser.Close()
		}
		s.record.closeAll()
	})
	s.wg.Wait()
}

// Addr is the address of TDS.
func (s *Server) Addr() netip.AddrPort {
	if a, ok := s.listener.Addr().(*net.TCPAddr); ok {
		return a.AddrPort()
	}
	return netip.AddrPort{}
}

// Host is the IP address as text.
func (s *Server) Host() string { return s.Addr().Addr().String() }

// Port is the TCP port.
func (s *Server) Port() int { return int(s.Addr().Port()) }

// ConnectionString is for this server, as ADO.NET writes it. It trusts any certificate.
func (s *Server) ConnectionString() string {
	return fmt.Sprintf("Server=tcp:%s,%d;Database=%s;User Id=%s;Password=%s;Encrypt=%s;TrustServerCertificate=True",
		s.Host(), s.Port(), s.o.Database, s.o.User, s.o.Password, map[bool]string{true: "True", false: "False"}[s.forcesTLS()])
}

// URL is the connection string as sqlserver://.
func (s *Server) URL() string {
	query := url.Values{
		"database": {s.o.Database}, "TrustServerCertificate": {"true"},
		"encrypt": {map[bool]string{true: "true", false: "false"}[s.forcesTLS()]},
	}
	u := url.URL{Scheme: "sqlserver", User: url.UserPassword(s.o.User, s.o.Password), Host: s.Addr().String(), RawQuery: query.Encode()}
	return u.String()
}

func (s *Server) forcesTLS() bool { return s.o.Encryption == On || s.o.Encryption == Required }

// CAPEM is the certificate to trust, PEM.
func (s *Server) CAPEM() []byte { return authorityPEM(s.certificate) }

// Change changes the rows of a table ("name" or "schema.name"), which it gets and gives in the order of the columns. A
// row that comes out other than it went in, or new, gets a new rowversion. It is an error where there is no such table,
// its rows are generated, or a row does not fit.
func (s *Server) Change(table string, change func(rows [][]any) [][]any) error {
	for _, d := range s.store.tables {
		if namesTable(table, d.schema, d.name) {
			return s.store.change(d, change)
		}
	}
	return fmt.Errorf("there is no table %q", table)
}

// SetRows replaces the rows of a table.
func (s *Server) SetRows(table string, rows [][]any) error {
	return s.Change(table, func([][]any) [][]any { return rows })
}

// SetFaults replaces the faults and sets their counts to 0.
func (s *Server) SetFaults(f Faults) { s.faults.set(f) }
