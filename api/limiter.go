package api

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Bounds of failed token requests per address. Secrets have 256 random bits, so this is not what keeps them from being
// guessed: it keeps a broken client from hammering the database. One that is fixed is let in within seconds.
const (
	failureBurst    = 30              // in a row
	failureInterval = 2 * time.Second // gives one back
	maxAddresses    = 10_000          // that are remembered: under 1 MB
)

// failureLimiter counts failures by address in bounded memory.
type failureLimiter struct {
	clock func() time.Time

	mu   sync.Mutex
	full map[netip.Addr]time.Time // when the address has no failures left
}

func newFailureLimiter(clock func() time.Time) *failureLimiter {
	return &failureLimiter{clock: clock, full: map[netip.Addr]time.Time{}}
}

// blocked returns how long the address must wait, or 0.
func (l *failureLimiter) blocked(addr netip.Addr) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, known := l.full[addr]
	if !known {
		return 0 // and not the distance to the year 1, which no Duration holds
	}
	return max(0, at.Sub(l.clock())-(failureBurst-1)*failureInterval)
}

// note counts a failure.
func (l *failureLimiter) note(addr netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock()
	if _, known := l.full[addr]; !known && len(l.full) >= maxAddresses {
		l.forget(now)
	}
	from := l.full[addr]
	if from.Before(now) {
		from = now
	}
	l.full[addr] = from.Add(failureInterval)
}

// forget drops the addresses that have no failures left; where there are none, any one: an attacker with so many addresses
// is not held back by a counter anyway.
func (l *failureLimiter) forget(now time.Time) {
	for addr, at := range l.full {
		if !at.After(now) {
			delete(l.full, addr)
		}
	}
	for addr := range l.full {
		if len(l.full) < maxAddresses {
			return
		}
		delete(l.full, addr)
	}
}

// addressOf returns a request's client address: for IPv6 its /64, which one client has to itself.
func addressOf(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		if prefix, err := addr.Prefix(64); err == nil {
			return prefix.Addr()
		}
	}
	return addr
}
