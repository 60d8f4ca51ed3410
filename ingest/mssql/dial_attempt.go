package mssql

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

const (
	mostDials = 8 // of one sign-in: the server, its partner, SQL Browser, redirects
)

var (
	errConnectTimeout = errors.New("the server did not let us sign in within the time allowed")
	errTooManyDials   = errors.New("the server redirects without end")
	errNonsense       = errors.New("the server's answer is not what SQL Server would say")
	errBrowser        = errors.New("SQL Server Browser did not answer")
)

// attempt is one signing in: the driver's dialer for it, and a memory of what went wrong that the driver forgets.
type attempt struct {
	cfg    Config
	fields *fields
	ctx    context.Context //nolint:containedctx // it is the attempt's life

	mu      sync.Mutex
	dials   int
	host    string // dialled last
	kept    error  // the first that explains a failure
	conns   []*idleConn
	aborted bool

	browsing bool // SQL Browser was asked last, and has not answered
}

// HostName makes the driver leave the resolving of names to the dialer.
func (a *attempt) HostName() string { return a.fields.host }

// DialContext dials a host and port of the driver's choosing: the server's, its partner's, what SQL Browser or a redirect
// says. Each address that a name stands for is held against the policy where it is dialled, so that no second answer of a
// name server can be slipped in between.
func (a *attempt) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if host, err = vetHost("server", host, a.fields.local); err != nil {
		return nil, err // a redirect's
	}
	udp := network == "udp"
	if err := a.count(host, udp); err != nil {
		return nil, err
	}
	conn, err := a.reach().dial(ctx, network, host, port)
	if err != nil {
		if udp {
			err = errors.Join(errBrowser, err)
		}
		a.keep(err)
		return nil, err
	}
	return a.guard(conn, udp), nil
}

func (a *attempt) reach() reach {
	return reach{policy: a.cfg.Policy, resolver: a.cfg.Resolver, together: a.fields.multiSubnet}
}

func (a *attempt) count(host string, udp bool) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.dials++; a.dials > mostDials {
		if a.kept == nil {
			a.kept = errTooManyDials
		}
		return errTooManyDials
	}
	if !udp {
		a.host = host
	}
	return nil
}

func (a *attempt) lastHost() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.host
}

// keep remembers the first error that explains a failure.
func (a *attempt) keep(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.kept == nil {
		a.kept = err
	}
}

// reason returns what the attempt knows to be behind the driver's error, or that.
func (a *attempt) reason(err error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var policy *policyError
	switch {
	case errors.As(a.kept, &policy):
		return a.kept
	case a.browsing && a.kept == nil && !errors.Is(err, context.Canceled):
		return errBrowser
	case errors.Is(err, errConnectTimeout), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case a.kept != nil:
		return a.kept
	}
	return err
}

// guard wraps a connection so that it ends with the attempt until that has signed in, and by its idle timeout after.
func (a *attempt) guard(conn net.Conn, udp bool) net.Conn {
	g := &idleConn{Conn: conn}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.conns = append(a.conns, g)
	if a.aborted {
		_ = conn.SetDeadline(time.Unix(1, 0))
	}
	if a.browsing = udp; udp {
		return browserConn{g, a.browsed}
	}
	return g
}

// browsed notes that SQL Browser has answered.
func (a *attempt) browsed() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.browsing = false
}

// abort ends what the driver waits for.
func (a *attempt) abort() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.aborted = true
	for _, conn := range a.conns {
		_ = conn.SetDeadline(time.Unix(1, 0))
	}
}

// signedIn hands the deadlines over to the idle timeout.
func (a *attempt) signedIn() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, conn := range a.conns {
		_ = conn.SetDeadline(time.Time{})
		conn.idle.Store(int64(a.cfg.IdleTimeout))
	}
}

func (a *attempt) closeAll() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, conn := range a.conns {
		_ = conn.Close()
	}
}
