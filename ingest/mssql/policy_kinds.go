package mssql

import "net/netip"

// kindOwn is what an address is that is public and this machine's.
const kindOwn = "an address of this service itself"

// kindMetadata is what an address is where a cloud tells its machines their credentials.
const kindMetadata = "a cloud's metadata address"

// network is a range of addresses and what a person calls it.
type network struct {
	prefix string
	kind   string
}

// kindOf returns what an address is, or "" for a public one.
func kindOf(addr netip.Addr) string {
	for _, n := range forbiddenNetworks() {
		if within(addr, n.prefix) {
			return n.kind
		}
	}
	if addr.Is6() && !within(addr, "2000::/3") && !within(addr, "64:ff9b::/96") {
		return "a reserved address" // all the rest, which nobody is given: the old ::ffff:0:127.0.0.1 of translators is of it
	}
	return ""
}

func within(addr netip.Addr, prefix string) bool { return netip.MustParsePrefix(prefix).Contains(addr) }

// forbiddenNetworks returns what is not public, the narrower networks before the wider: IANA's registries of special-purpose
// addresses, and where clouds keep what they tell machines of themselves.
func forbiddenNetworks() []network {
	const (
		private  = "a private address"
		loopback = "a loopback address"
		local    = "a link-local address"
		none     = "an unspecified address"
		many     = "a multicast or broadcast address"
		shared   = "a carrier's shared address"
		reserved = "a reserved address"
		examples = "an address for documentation"
		measured = "an address for benchmarks"
		gateway  = "an address of a translation or tunnel"
	)
	return []network{
		{"169.254.169.254/32", kindMetadata},
		{"169.254.170.2/32", kindMetadata},
		{"168.63.129.16/32", kindMetadata},
		{"100.100.100.200/32", kindMetadata},
		{"192.0.0.192/32", kindMetadata},
		{"fd00:ec2::/32", kindMetadata},
		{"fd20:ce::254/128", kindMetadata},
		{"0.0.0.0/8", none},
		{"10.0.0.0/8", private},
		{"100.64.0.0/10", shared},
		{"127.0.0.0/8", loopback},
		{"169.254.0.0/16", local},
		{"172.16.0.0/12", private},
		{"192.0.0.0/24", reserved},
		{"192.0.2.0/24", examples},
		{"192.31.196.0/24", reserved},
		{"192.52.193.0/24", reserved},
		{"192.88.99.0/24", gateway},
		{"192.168.0.0/16", private},
		{"192.175.48.0/24", reserved},
		{"198.18.0.0/15", measured},
		{"198.51.100.0/24", examples},
		{"203.0.113.0/24", examples},
		{"224.0.0.0/4", many},
		{"255.255.255.255/32", many},
		{"240.0.0.0/4", reserved},
		{"::/128", none},
		{"::1/128", loopback},
		{"::/96", reserved},
		{"64:ff9b:1::/48", gateway},
		{"100::/64", reserved},
		{"100:0:0:1::/64", reserved},
		{"2001:2::/48", measured},
		{"2001:db8::/32", examples},
		{"2001:10::/28", reserved},
		{"2001:20::/28", reserved},
		{"3fff::/20", examples},
		{"5f00::/16", reserved},
		{"fc00::/7", private},
		{"fe80::/10", local},
		{"fec0::/10", private},
		{"ff00::/8", many},
	}
}
