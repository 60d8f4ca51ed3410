package tdstest

import (
	"net"
	"slices"
	"sync"
)

// How much of what happened is kept.
const (
	queriesKept = 10_000
	loginsKept  = 1_000
)

// record is what has happened on a server.
type record struct {
	mu         sync.Mutex
	conns      map[net.Conn]bool
	closed     bool
	numbered   int
	most       int
	queries    []string
	logins     []Login
	attentions int
	tran       uint64
	panicked   string // the first panic
}

func (r *record) panic(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.panicked == "" {
		r.panicked = text
	}
}

// open notes a connection and numbers it; false once the server is closing.
func (r *record) open(c net.Conn) (int, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return 0, false
	}
	r.conns[c] = true
	r.numbered++
	r.most = max(r.most, len(r.conns))
	return r.numbered, true
}

func (r *record) close(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, c)
}

func (r *record) closeAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for c := range r.conns {
		_ = c.Close()
	}
}

func (s *Server) event(kind string, conn int, text string) {
	if s.o.Log != nil {
		s.o.Log(Event{Kind: kind, Conn: conn, Text: text})
	}
}

func (s *Server) noteQuery(conn int, text string) {
	s.record.mu.Lock()
	if len(s.record.queries) < queriesKept {
		s.record.queries = append(s.record.queries, text)
	}
	s.record.mu.Unlock()
	s.event("query", conn, text)
}

func (s *Server) noteLogin(l Login) {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	if len(s.record.logins) < loginsKept {
		s.record.logins = append(s.record.logins, l)
	}
}

func (s *Server) noteAttention(conn int) {
	s.record.mu.Lock()
	s.record.attentions++
	s.record.mu.Unlock()
	s.event("attention", conn, "")
}

func (s *Server) nextTransaction() uint64 {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	s.record.tran++
	return s.record.tran
}

// Connections is how many connections are open now.
func (s *Server) Connections() int {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	return len(s.record.conns)
}

// MaxConnections is how many connections were open at once at most.
func (s *Server) MaxConnections() int {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	return s.record.most
}

// Queries are the texts of the queries so far, the first 10,000; a transaction manager's request is "BEGIN TRANSACTION"
// with its level, "COMMIT" or "ROLLBACK".
func (s *Server) Queries() []string {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	return slices.Clone(s.record.queries)
}

// Attentions is how many attentions (cancels) came.
func (s *Server) Attentions() int {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	return s.record.attentions
}

// Logins are the logins so far, the first 1,000, with those that were refused.
func (s *Server) Logins() []Login {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	return slices.Clone(s.record.logins)
}
