package sftpd

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"dropline/ingest"

	"golang.org/x/crypto/ssh"
)

// Bounds of connections that have not signed in yet, which anybody can make.
const (
	maxLogins           = 256
	maxLoginsPerAddress = 48 // many clients may share the address of an office
	acceptPause         = 100 * time.Millisecond
	refusalTimeout      = time.Second
	drainPoll           = 20 * time.Millisecond
)

// Server is the SSH server. It is made by New and runs in Serve.
type Server struct {
	cfg       Config
	hostKeys  []ssh.Signer
	metrics   *metrics
	bans      *bans
	reorder   *budget
	verifying chan struct{}
	draining  atomic.Bool

	ledger   ledger
	receiver *ingest.Receiver
	bucket   bucket

	mu       sync.Mutex
	logins   map[netip.Prefix]int
	login    int
	sessions map[*connection]struct{}
	tenants  map[ingest.TenantID]int
}

// New returns a server. The errors are of kind Invalid.
func New(cfg Config) (*Server, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	m, err := newMetrics(cfg.Metrics)
	if err != nil {
		return nil, ingest.E(ingest.Invalid, "sftpd.New", err)
	}
	s := &Server{
		cfg: cfg, metrics: m, bans: newBans(&cfg), reorder: &budget{max: cfg.ReorderBytes}, verifying: make(chan struct{}, maxVerifying),
		ledger: cfg.Ledger, receiver: cfg.Receiver, bucket: cfg.Bucket,
		logins: map[netip.Prefix]int{}, sessions: map[*connection]struct{}{}, tenants: map[ingest.TenantID]int{},
	}
	for _, key := range cfg.HostKeys {
		key, err := modernSigner(key)
		if err != nil {
			return nil, err
		}
		s.hostKeys = append(s.hostKeys, key)
	}
	return s, nil
}

// Serve accepts connections on l, which it closes, until ctx ends. It then accepts no more, gives uploads in flight the
// grace to finish, suspends the rest, and returns nil once all sessions have ended.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() }) // only ends Accept
	defer stop()
	var all sync.WaitGroup
	defer all.Wait()
	for {
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close()
			}
			s.drain()
			return nil
		case errors.Is(err, net.ErrClosed):
			s.drain()
			return ingest.E(ingest.Internal, "sftpd.Serve", err)
		case err != nil: // too many open files, or a connection that ended at once
			s.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "connection not accepted", slog.Any("error", err))
			select {
			case <-ctx.Done():
			case <-time.After(acceptPause):
			}
			continue
		}
		all.Go(func() { s.handle(ctx, conn) })
	}
}

// handle sees one connection through.
func (s *Server) handle(ctx context.Context, conn net.Conn) {
	defer conn.Close() //nolint:errcheck // it may be closed already
	defer func() {
		if v := recover(); v != nil {
			s.panicked("connection", v)
		}
	}()
	address := addressOf(conn.RemoteAddr())
	if s.bans.banned(address) || !s.enter(address) {
		// Before its version a server may send other lines (RFC 4253, 4.2), which is as much as a stranger gets.
		_ = conn.SetDeadline(time.Now().Add(refusalTimeout))
		_, _ = io.WriteString(conn, "Too many attempts or connections from this address. Try again in some minutes.\r\n")
		return
	}
	timed := &timedConn{Conn: conn, idle: s.cfg.IdleTimeout}
	login, cancel := context.WithTimeout(ctx, s.cfg.LoginGrace)
	_ = conn.SetDeadline(time.Now().Add(s.cfg.LoginGrace)) // fails only if the connection is closed
	stop := context.AfterFunc(ctx, func() {
		if !timed.signedIn.Load() {
			_ = conn.Close() // only ends the login
		}
	})
	sc, channels, requests, err := ssh.NewServerConn(timed, s.authConfig(login, address))
	cancel()
	s.leave(address)
	if err != nil {
		stop()
		s.cfg.Logger.LogAttrs(ctx, slog.LevelDebug, "connection ended before login", slog.String("remote", conn.RemoteAddr().String()), slog.String("error", printable(err.Error())))
		return
	}
	timed.signedIn.Store(true)
	stop()
	_ = conn.SetDeadline(time.Time{}) // as above
	who, _ := sc.Permissions.ExtraData[identityKey{}].(ingest.Identity)
	method, _ := sc.Permissions.ExtraData[methodKey{}].(string)
	c := &connection{Server: s, tenant: who.Tenant, credential: who.Credential, by: who.Label, clientVersion: string(sc.ClientVersion()), net: timed, checked: s.clock()}
	if c.by == "" {
		c.by = string(who.Credential)
	}
	c.log = s.cfg.Logger.With(slog.String("tenant", string(who.Tenant)), slog.String("credential", string(who.Credential)), slog.String("remote", conn.RemoteAddr().String()))
	if !s.join(c) {
		_ = conn.Close()
		go ssh.DiscardRequests(requests)
		for range channels { // what the client sent meanwhile would hold the library's goroutine
		}
		return
	}
	began := s.clock()
	s.metrics.logins.WithLabelValues("ok").Inc()
	c.log.LogAttrs(ctx, slog.LevelInfo, "login", slog.String("method", method), slog.String("client", printable(c.clientVersion)))
	defer func() {
		s.part(c)
		c.log.LogAttrs(ctx, slog.LevelInfo, "logout", slog.Duration("after", s.clock().Sub(began)))
	}()
	c.serve(ctx, sc, channels, requests)
}

// drain ends all sessions: those with no upload in flight at once, the others when they have none or the grace is over.
func (s *Server) drain() {
	s.draining.Store(true)
	for deadline := time.Now().Add(s.cfg.ShutdownGrace); ; time.Sleep(drainPoll) {
		over := !time.Now().Before(deadline)
		s.mu.Lock()
		left := len(s.sessions)
		for c := range s.sessions {
			if over || c.inFlight.Load() == 0 {
				_ = c.net.Close() // its session finds that out and ends
			}
		}
		s.mu.Unlock()
		if left == 0 || over {
			return
		}
	}
}

func (s *Server) clock() time.Time { return s.cfg.Clock() }

func (s *Server) panicked(op string, v any) {
	s.metrics.panics.Inc()
	s.cfg.Logger.LogAttrs(context.Background(), slog.LevelError, "panic", slog.String("op", op), slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
}

// enter admits a connection to the login if not too many are there.
func (s *Server) enter(address netip.Prefix) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.login >= maxLogins || s.logins[address] >= maxLoginsPerAddress {
		return false
	}
	s.login++
	s.logins[address]++
	return true
}

func (s *Server) leave(address netip.Prefix) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.login--
	if s.logins[address]--; s.logins[address] == 0 {
		delete(s.logins, address)
	}
}

// room reports whether one more connection of the tenant may sign in.
func (s *Server) room(tenant ingest.TenantID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions) < s.cfg.MaxSessions && s.tenants[tenant] < s.cfg.MaxSessionsPerTenant
}

// join counts a connection, unless others took the room since.
func (s *Server) join(c *connection) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining.Load() || len(s.sessions) >= s.cfg.MaxSessions || s.tenants[c.tenant] >= s.cfg.MaxSessionsPerTenant {
		return false
	}
	s.sessions[c] = struct{}{}
	s.tenants[c.tenant]++
	s.metrics.sessions.Inc()
	return true
}

func (s *Server) part(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, c)
	if s.tenants[c.tenant]--; s.tenants[c.tenant] == 0 {
		delete(s.tenants, c.tenant)
	}
	s.metrics.sessions.Dec()
}
