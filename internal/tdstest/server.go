// Package tdstest is a test server that speaks TDS.
package tdstest

import (
	"net/netip"
	"testing"
)

// Server is a running server.
type Server struct{ o Options }

// Start starts a server on a free port of 127.0.0.1 and closes it when the test ends.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// New starts a server on a free port of 127.0.0.1.
func New(o Options) (*Server, error) { o.fill(); return &Server{o: o}, nil }

// Close ends the server and its connections, and waits for them.
func (s *Server) Close() {}

// Addr is the address of TDS.
func (s *Server) Addr() netip.AddrPort { return netip.AddrPort{} }

// BrowserAddr is the UDP address of the SQL Browser; the zero value without one.
func (s *Server) BrowserAddr() netip.AddrPort { return netip.AddrPort{} }

// Host is the IP address as text.
func (s *Server) Host() string { return s.Addr().Addr().String() }

// Port is the TCP port.
func (s *Server) Port() int { return int(s.Addr().Port()) }

// ConnectionString is for this server, as ADO.NET writes it.
func (s *Server) ConnectionString() string { return "" }

// URL is the connection string as sqlserver://.
func (s *Server) URL() string { return "" }

// CAPEM is the certificate to trust, PEM.
func (s *Server) CAPEM() []byte { return nil }

// Change changes the rows of a table ("name" or "schema.name").
func (s *Server) Change(table string, change func(rows [][]any) [][]any) error { return nil }

// SetRows replaces the rows of a table.
func (s *Server) SetRows(table string, rows [][]any) error { return nil }

// SetFaults replaces the faults and sets their counts to 0.
func (s *Server) SetFaults(f Faults) {}

// Connections is how many connections are open now.
func (s *Server) Connections() int { return 0 }

// MaxConnections is how many connections were open at once at most.
func (s *Server) MaxConnections() int { return 0 }

// Queries are the texts of the queries so far, the first 10,000.
func (s *Server) Queries() []string { return nil }

// Attentions is how many attentions (cancels) came.
func (s *Server) Attentions() int { return 0 }

// Logins are the logins so far, the first 1,000.
func (s *Server) Logins() []Login { return nil }
