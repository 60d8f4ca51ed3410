package main

import (
	"fmt"
	"net/netip"
	"strings"
)

// The keys of the settings of imports from clients' databases.
const (
	keySecretsFile  = "secrets.key_file"
	keySecretsKMS   = "secrets.kms_key"
	keyMSSQLAllow   = "mssql.allow_networks"
	keyMSSQLCA      = "mssql.ca_file"
	keyMSSQLSession = "mssql.sessions"
	keyMSSQLImports = "mssql.imports"
	keyEgress       = "egress_addresses"
)

// databaseSettings are those of imports from clients' databases.
func databaseSettings() []setting {
	return []setting{
		{key: keySecretsFile, env: []string{"DROPLINE_SECRETS_KEY_FILE"}, help: "key file under which connection strings are kept; with the private PostgreSQL, one is made in the data directory"},
		{key: keySecretsKMS, env: []string{"DROPLINE_SECRETS_KMS_KEY"}, check: optional(checkKMS), help: "key in AWS KMS in its place (aws-kms://arn:aws:kms:…:key/…)"},
		{key: keyMSSQLAllow, env: []string{"DROPLINE_MSSQL_ALLOW_NETWORKS"}, check: checkNetworks, help: "private networks (10.1.0.0/16) and addresses to which connection strings may point"},
		{key: keyMSSQLCA, env: []string{"DROPLINE_MSSQL_CA_FILE"}, help: "file (PEM) with private certificate authorities of clients' databases"},
		{key: keyMSSQLSession, usual: "3", env: []string{"DROPLINE_MSSQL_SESSIONS"}, check: checkCount(16), help: "connections to one database at a time"},
		{key: keyMSSQLImports, usual: "8", env: []string{"DROPLINE_MSSQL_IMPORTS"}, check: checkCount(64), help: "databases imported at a time"},
		{key: keyEgress, env: []string{"DROPLINE_EGRESS_ADDRESSES"}, check: checkNetworks, help: "addresses from which the service connects to databases, told to clients for their firewalls"},
	}
}

// networks returns a setting's networks, an address being a network of one. They were checked when they were loaded.
func (s *settings) networks(key string) []netip.Prefix {
	var out []netip.Prefix
	for _, part := range s.list(key) {
		if network, err := parseNetwork(part); err == nil {
			out = append(out, network)
		}
	}
	return out
}

func checkNetworks(s string) error {
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		if _, err := parseNetwork(part); err != nil {
			return err
		}
	}
	return nil
}

// parseNetwork takes a network or an address. What might be meant otherwise than it is written is refused: this opens a door.
func parseNetwork(s string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(s); err == nil && address.Zone() == "" {
		address = address.Unmap()
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	network, err := netip.ParsePrefix(s)
	if err != nil || network.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%q is no network (10.1.0.0/16) and no address (10.1.2.3); several have commas between", s)
	}
	if network != network.Masked() {
		return netip.Prefix{}, fmt.Errorf("%s is an address within a network: write %s for the network or %s for the address", s, network.Masked(), network.Addr())
	}
	return network, nil
}
