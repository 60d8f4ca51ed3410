//go:build linux

package main

import (
	"context"
	"net"
	"net/netip"
	"os"
	"time"

	"dropline/api"
	"dropline/ingest"
	"dropline/ingest/mssql"
	"dropline/internal/dbchild"
	"dropline/loader"
	"dropline/mapping"
	"dropline/schema"
)

// mostDryRuns is how many databases are looked at in dry runs at once, each in a process of its own.
const mostDryRuns = 8

// prepareDatabases sets up how clients' databases are reached, and the key under which their connection strings are kept.
func (s *server) prepareDatabases(ctx context.Context) error {
	set := s.cfg.settings
	var err error
	if s.keyring, err = openKeyring(ctx, set, s.dataDir); err != nil {
		return err
	}
	if s.databases, err = reachDatabases(set); err != nil {
		return err
	}
	s.databases.Connections.Logger = s.logger
	memory := dbchild.MemoryFor(s.databases.Sessions)
	s.dryRuns = s.databases
	s.dryRuns.Start = (&dbchild.Starter{Lookup: s.cfg.lookup, Memory: memory, Most: mostDryRuns}).Start
	s.databases.Start = (&dbchild.Starter{Lookup: s.cfg.lookup, Memory: memory}).Start // as many as workers import at once
	if s.keyring != nil {
		s.databases.Unseal = s.keyring.Open
	} else {
		s.logger.Info("imports from databases are off", "hint", hintNoKey)
	}
	return nil
}

// reachDatabases is how the settings say that clients' databases are reached.
func reachDatabases(set *settings) (loader.Databases, error) {
	policy, err := mssql.ParsePolicy(set.text(keyMSSQLAllow))
	if err != nil {
		return loader.Databases{}, err
	}
	if policy.Own, err = ownAddresses(); err != nil {
		return loader.Databases{}, err
	}
	d := loader.Databases{Connections: mssql.Config{Policy: policy}, Sessions: int(set.number(keyMSSQLSession))}
	if path := set.text(keyMSSQLCA); path != "" {
		if d.Connections.RootCAs, err = os.ReadFile(path); err != nil {
			return d, failed("check "+keyMSSQLCA+" (see dropline config)", "the certificate authorities of databases cannot be read: %w", err)
		}
	}
	return d, nil
}

// ownAddresses are those of the machine. To what listens there a connection from it may look like one from within, whatever a
// firewall before it lets in.
func ownAddresses() ([]netip.Addr, error) {
	found, err := net.InterfaceAddrs()
	if err != nil {
		return nil, failed("see what keeps this process from asking for its network interfaces", "the addresses of this machine cannot be listed: %w", err)
	}
	var own []netip.Addr
	for _, a := range found {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			own = append(own, prefix.Addr())
		}
	}
	return own, nil
}

// apiDatabases is api.Config.Databases.
func (s *server) apiDatabases() *api.Databases {
	d := &api.Databases{Check: s.checkConnection, DryRun: s.dryRun, Egress: s.cfg.settings.list(keyEgress)}
	if s.keyring != nil {
		d.Seal, d.Unseal = s.keyring.Seal, s.keyring.Open
	}
	return d
}

// checkConnection parses a connection string, and refuses what the network policy would for what it says itself.
func (s *server) checkConnection(text string) (name, database string, err error) {
	conn, err := mssql.Parse(text, false)
	if err != nil {
		return "", "", err
	}
	if err := s.databases.Connections.Policy.CheckServer(conn); err != nil {
		return "", "", &policyError{err}
	}
	return conn.Server(), conn.Database(), nil
}

// policyError tells the API that the server which a connection string names is at fault.
type policyError struct{ error }

// ConnectionKey is the key of the string.
func (e *policyError) ConnectionKey() string { return "Server" }

// Unwrap returns the error.
func (e *policyError) Unwrap() error { return e.error }

// dryRun is api.Databases.DryRun.
func (s *server) dryRun(ctx context.Context, id ingest.TenantID, secret ingest.DatabaseSecret, o ingest.DatabaseOptions,
) (*ingest.DryRun, error) {
	tenant, err := s.ledger.Tenant(ctx, id)
	if err != nil {
		return nil, err
	}
	def, err := s.schemaOf(tenant.Schema)
	if err != nil {
		return nil, err
	}
	mapper, err := s.latestMapper(ctx, tenant, def)
	if err != nil {
		return nil, err
	}
	return s.dryRuns.DryRun(ctx, secret, o, def, mapper)
}

// latestMapper is the mapper of a tenant's mapping now in force.
func (s *server) latestMapper(ctx context.Context, tenant ingest.Tenant, def *schema.Schema) (*mapping.Mapper, error) {
	const op = "dryRun"
	location, err := time.LoadLocation(tenant.TimeZone)
	if err != nil {
		return nil, ingest.WithHint(ingest.E(ingest.Invalid, op, err), "set the tenant's time zone to an IANA name")
	}
	version, err := s.ledger.Mapping(ctx, tenant.ID, -1)
	if err != nil {
		return nil, err
	}
	var m *mapping.Mapping
	if len(version.YAML) > 0 {
		if m, err = mapping.Parse("the mapping", version.YAML, def); err != nil {
			return nil, ingest.WithHint(ingest.E(ingest.Invalid, op, err), "store a corrected mapping")
		}
	}
	return mapping.New(def, m, mapping.Options{Location: location})
}
