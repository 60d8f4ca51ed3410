package mssql

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
)

// Described returns what a connection string was read as, one "name=value" for each thing said, in a fixed order.
func Described(c *Connection) string {
	f := c.f
	var parts []string
	add := func(name, value string) {
		if value != "" && value != "0" && value != "false" {
			parts = append(parts, name+"="+value)
		}
	}
	add("host", f.host)
	add("instance", f.instance)
	add("port", strconv.Itoa(int(f.port)))
	add("db", f.database)
	add("how", []string{"", "ntlm", "kerberos", "process", "entra-password", "entra-application", "entra-token", "entra-default", "entra-managed", "entra-cli", "entra-environment", "entra-workload"}[f.signIn])
	add("user", f.user)
	add("password", f.password)
	add("tenant", f.tenant)
	add("client", f.client)
	add("realm", f.realm)
	add("spn", f.spn)
	add("encrypt", []string{"", "sign-in", "never", "strict"}[f.encrypt])
	add("trust", strconv.FormatBool(f.trust))
	add("hostInCert", f.hostInCert)
	add("certFile", f.certFile)
	add("tlsMin", strconv.Itoa(int(f.tlsMin)))
	add("timeout", strings.TrimPrefix(f.timeout.String(), "0s"))
	add("multiSubnet", strconv.FormatBool(f.multiSubnet))
	add("packet", strconv.Itoa(int(f.packetSize)))
	add("workstation", f.workstation)
	add("failover", f.failover.host)
	add("failoverPort", strconv.Itoa(int(f.failover.port)))
	add("keytab", f.krb5Files["krb5-keytabfile"])
	return strings.Join(parts, " ")
}

// VetEntra is what becomes of a server's claims about where tokens are had and for what.
func VetEntra(spn, sts string) (scope, host, tenant string, err error) {
	scope, where, tenant, err := vetEntra(spn, sts)
	return scope, where.ActiveDirectoryAuthorityHost, tenant, err
}

// Entra is the HTTP transport that the identity library is given.
func Entra(p Policy, r resolver) *entra { return &entra{reach: reach{policy: p, resolver: r}} }

// KDCConfig is the Kerberos configuration made for a realm.
func KDCConfig(realm string, kdcs []netip.AddrPort) (string, error) {
	c, err := kerberosConfig(realm, kdcs)
	if err != nil {
		return "", err
	}
	_, found, err := c.GetKDCs(realm, true)
	if err != nil {
		return "", err
	}
	var list []string
	for i := range len(found) {
		list = append(list, found[i+1])
	}
	return strings.Join(list, " "), nil
}

// Control is the check of a socket's address.
func (p Policy) Control(address string) error { return p.control("tcp", address, nil) }

// Resolve is a resolver made of a function.
type Resolve func(ctx context.Context, host string) ([]netip.Addr, error)

// LookupNetIP calls the function.
func (f Resolve) LookupNetIP(ctx context.Context, _, host string) ([]netip.Addr, error) {
	return f(ctx, host)
}
