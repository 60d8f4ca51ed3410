package mssql

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"
)

const mostAddresses = 16 // of one name

// resolver finds the addresses of a name; *net.Resolver does.
type resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// reach dials by name, and only what the policy allows.
type reach struct {
	policy   Policy
	resolver resolver // nil: the system's
	together bool     // all addresses of a name at once
}

// dial connects to one of the addresses of a host.
func (r reach) dial(ctx context.Context, network, host, port string) (net.Conn, error) {
	addrs, err := r.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("port %q", port)
	}
	var targets []netip.AddrPort
	var refused error
	for _, addr := range addrs {
		if err := r.policy.Check(addr); err != nil {
			refused = err
			continue
		}
		targets = append(targets, netip.AddrPortFrom(addr, uint16(number)))
	}
	if len(targets) == 0 {
		return nil, refused
	}
	if r.together && len(targets) > 1 {
		return r.dialTogether(ctx, network, targets)
	}
	return r.dialInTurn(ctx, network, targets)
}

func (r reach) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	var names resolver = net.DefaultResolver
	if r.resolver != nil {
		names = r.resolver
	}
	addrs, err := names.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	if len(addrs) == 0 {
		return nil, &net.DNSError{Err: "no address", Name: host, IsNotFound: true}
	}
	return addrs[:min(len(addrs), mostAddresses)], nil
}

// dialInTurn tries one address after the other, each within its share of the time left.
func (r reach) dialInTurn(ctx context.Context, network string, targets []netip.AddrPort) (net.Conn, error) {
	var failed error
	for i, target := range targets {
		share, cancel := ctx, context.CancelFunc(func() {})
		if deadline, ok := ctx.Deadline(); ok {
			share, cancel = context.WithTimeout(ctx, time.Until(deadline)/time.Duration(len(targets)-i))
		}
		conn, err := r.dialOne(share, network, target)
		cancel()
		if err == nil {
			return conn, nil
		}
		failed = err
	}
	return nil, failed
}

// dialTogether takes the first address of an availability group's that answers.
func (r reach) dialTogether(ctx context.Context, network string, targets []netip.AddrPort) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		conn net.Conn
		err  error
	}
	results := make(chan result, len(targets))
	for _, target := range targets {
		go func() {
			conn, err := r.dialOne(ctx, network, target)
			results <- result{conn, err}
		}()
	}
	var failed error
	for i := range targets {
		got := <-results
		if got.err != nil {
			failed = got.err
			continue
		}
		go func() {
			for range len(targets) - i - 1 {
				if late := <-results; late.conn != nil {
					_ = late.conn.Close()
				}
			}
		}()
		return got.conn, nil
	}
	return nil, failed
}

// dialOne dials an address. What is checked once more is the address that the socket is about to be connected to.
func (r reach) dialOne(ctx context.Context, network string, target netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{KeepAlive: keepAlive, Control: r.policy.control}
	return d.DialContext(ctx, network, target.String())
}

// control is a net.Dialer's: it refuses a socket's address that the policy does not allow.
func (p Policy) control(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return &policyError{"no address"}
	}
	return p.Check(target.Addr())
}
