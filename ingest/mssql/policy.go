package mssql

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"dropline/ingest"
)

// Policy says which addresses may be dialled. Its zero value allows none but public ones.
type Policy struct {
	Allow []netip.Prefix // networks that the operator allows beside
	Own   []netip.Addr   // of the service's machine: what listens there may trust who is on it. Refused unless allowed
	Local bool           // every address is allowed: at the client's own site
}

const allowHint = "the operator can allow the network with the setting mssql.allow_networks; " +
	"or run dropline push where the server can be reached"

// ParsePolicy reads the networks that an operator allows: prefixes and single addresses, separated by commas or spaces. The
// error is Invalid.
func ParsePolicy(list string) (Policy, error) {
	var p Policy
	for _, word := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' }) {
		prefix, err := netip.ParsePrefix(word)
		if addr, err2 := netip.ParseAddr(word); err2 == nil && addr.Zone() == "" {
			prefix, err = addr.Prefix(addr.BitLen())
		}
		if err != nil {
			return Policy{}, ingest.Errorf(ingest.Invalid, "mssql.ParsePolicy", "%q is neither a network such as 10.1.0.0/16 nor an address", clean(word, 60))
		}
		if prefix != prefix.Masked() {
			return Policy{}, ingest.Errorf(ingest.Invalid, "mssql.ParsePolicy", "%s has bits beyond its length; did you mean %s?", prefix, prefix.Masked())
		}
		p.Allow = append(p.Allow, prefix)
	}
	return p, nil
}

// Check returns an error of kind Denied for an address that may not be dialled. It says what kind of address it is, and that
// the operator can allow its network.
func (p Policy) Check(addr netip.Addr) error {
	kind := p.forbidden(addr)
	if kind == "" {
		return nil
	}
	return ingest.WithHint(ingest.E(ingest.Denied, "mssql.Policy", &policyError{kind}), allowHint)
}

// CheckServer refuses early, with the errors of Check, a string whose server or failover partner is an address or localhost.
// Names are not resolved: what they stand for is checked when it is dialled.
func (p Policy) CheckServer(conn *Connection) error {
	if conn == nil || conn.f == nil {
		return ingest.E(ingest.Internal, "mssql.Policy", errors.New("there is no connection to check"))
	}
	for _, host := range []string{conn.f.host, conn.f.failover.host} {
		addr, err := netip.ParseAddr(host)
		if name := strings.TrimSuffix(host, "."); name == "localhost" || strings.HasSuffix(name, ".localhost") {
			addr, err = netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
		}
		if err != nil {
			continue
		}
		if err := p.Check(addr); err != nil {
			return err
		}
	}
	return nil
}

// policyError is an address that the policy does not allow.
type policyError struct{ kind string }

func (e *policyError) Error() string {
	return "the server's address is " + e.kind + ", which this service does not connect to"
}

// forbidden returns the kind of an address that may not be dialled, or "".
func (p Policy) forbidden(addr netip.Addr) string {
	if !addr.IsValid() {
		return "no address"
	}
	addr = addr.WithZone("").Unmap()
	if p.Local || p.allowed(addr) {
		return ""
	}
	if addr.Is6() {
		// An address that a gateway turns into an IPv4 one is as good as that, in what is allowed and what not.
		if inner, ok := embedded(addr); ok {
			if p.allowed(inner) {
				return ""
			}
			if kind := p.kindOf(inner); kind != "" {
				return kind
			}
		}
	}
	return p.kindOf(addr)
}

// kindOf returns what an address is, or "" for a public one of somebody else.
func (p Policy) kindOf(addr netip.Addr) string {
	if slices.ContainsFunc(p.Own, func(own netip.Addr) bool { return own.WithZone("").Unmap() == addr }) && kindOf(addr) == "" {
		return kindOwn
	}
	return kindOf(addr)
}

// allowed tells whether the operator allows an address. One of a cloud's metadata must be allowed by itself: who allows
// 169.254.0.0/16 does not mean to lend out the service's credentials.
func (p Policy) allowed(addr netip.Addr) bool {
	metadata := kindOf(addr) == kindMetadata
	for _, prefix := range p.Allow {
		prefix = unmapPrefix(prefix)
		if prefix.Contains(addr) && (!metadata || prefix.IsSingleIP()) {
			return true
		}
	}
	return false
}

// unmapPrefix returns the IPv4 network of one written as ::ffff:10.0.0.0/104.
func unmapPrefix(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p
}

// embedded returns the IPv4 address within an address of NAT64, 6to4, Teredo, ISATAP or the deprecated IPv4-compatible form.
func embedded(addr netip.Addr) (netip.Addr, bool) {
	b := addr.As16()
	v4 := func(i int) (netip.Addr, bool) { return netip.AddrFrom4([4]byte(b[i : i+4])), true }
	switch {
	case addr.IsLoopback(), addr.IsUnspecified():
		return netip.Addr{}, false
	case within(addr, "64:ff9b::/96"), within(addr, "::/96"):
		return v4(12)
	case within(addr, "2002::/16"):
		return v4(2)
	case within(addr, "2001::/32"):
		return netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]}), true
	case b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe:
		return v4(12)
	}
	return netip.Addr{}, false
}
