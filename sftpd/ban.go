package sftpd

import (
	"net/netip"
	"sync"
	"time"
)

// Bounds of what is remembered of wrong passwords.
const (
	maxRemembered = 20_000          // addresses, and as many users: forgotten from the oldest when more
	userDelay     = 3 * time.Second // for a user at whom many guess, from an address that never got it right
)

// bans remembers wrong passwords. An address with too many is refused altogether for a while. A user at whom many addresses
// guess is not locked out, or strangers could do that to a tenant: their attempts only take longer, but for the addresses
// from which that user has signed in before.
type bans struct {
	after  int
	window time.Duration
	length time.Duration
	clock  func() time.Time

	mu        sync.Mutex
	addresses map[netip.Prefix]*failures
	users     map[string]*failures
	known     map[knownAddress]time.Time
}

type failures struct {
	times []time.Time // the latest, at most after of them
	until time.Time
}

type knownAddress struct {
	user    string
	address netip.Prefix
}

func newBans(cfg *Config) *bans {
	return &bans{
		after: cfg.BanAfter, window: cfg.BanWindow, length: cfg.BanTime, clock: cfg.Clock,
		addresses: map[netip.Prefix]*failures{}, users: map[string]*failures{}, known: map[knownAddress]time.Time{},
	}
}

// banned reports whether the address is refused.
func (b *bans) banned(address netip.Prefix) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.addresses[address]
	return f != nil && b.clock().Before(f.until)
}

// failed records a wrong password and reports whether the address is refused from now on.
func (b *bans) failed(address netip.Prefix, user string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock()
	record(b.users, user, now, b)
	f := record(b.addresses, address, now, b)
	if len(f.times) < b.after {
		return false
	}
	f.until, f.times = now.Add(b.length), nil
	return true
}

// delay is how long an attempt of the user from the address has to wait.
func (b *bans) delay(address netip.Prefix, user string) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.users[user]
	if f == nil || len(f.times) < b.after || b.clock().Sub(f.times[0]) > b.window {
		return 0
	}
	if _, ok := b.known[knownAddress{user, address}]; ok {
		return 0
	}
	return userDelay
}

// succeeded records that the user has signed in from the address.
func (b *bans) succeeded(address netip.Prefix, user string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.addresses, address)
	b.known[knownAddress{user, address}] = b.clock()
	if len(b.known) > maxRemembered {
		forget(b.known, func(t time.Time) time.Time { return t })
	}
}

func record[K comparable](in map[K]*failures, key K, now time.Time, b *bans) *failures {
	f := in[key]
	if f == nil {
		if len(in) >= maxRemembered {
			forget(in, func(f *failures) time.Time { return f.latest() })
		}
		f = &failures{}
		in[key] = f
	}
	for len(f.times) > 0 && (now.Sub(f.times[0]) > b.window || len(f.times) >= b.after) {
		f.times = f.times[1:]
	}
	f.times = append(f.times, now)
	return f
}

func (f *failures) latest() time.Time {
	if len(f.times) == 0 {
		return f.until
	}
	return f.times[len(f.times)-1]
}

// forget removes the older half of the entries, by halving the span of time that they cover.
func forget[K comparable, V any](in map[K]V, when func(V) time.Time) {
	var oldest, newest time.Time
	for _, v := range in {
		if t := when(v); oldest.IsZero() || t.Before(oldest) {
			oldest = t
		}
		if t := when(v); t.After(newest) {
			newest = t
		}
	}
	middle := oldest.Add(newest.Sub(oldest) / 2)
	for k, v := range in {
		if !when(v).After(middle) {
			delete(in, k)
		}
	}
}
