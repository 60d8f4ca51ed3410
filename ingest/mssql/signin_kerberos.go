package mssql

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/spnego"
	"github.com/microsoft/go-mssqldb/integratedauth"
	"github.com/microsoft/go-mssqldb/msdsn"
)

const mostKDCs = 2 // asked, of a realm's: the library gives each five seconds

var errKerberos = errors.New("the Kerberos server did not sign the user in")

// kerberos signs in with user, password and realm. It is the driver's way, less its files and environment; and the library
// below, which dials by itself, is given addresses that the policy allows instead of names.
type kerberos struct {
	attempt *attempt
	spn     string
	client  *client.Client
}

// kerberosOf finds the kerberos that windows put into the driver's configuration.
func kerberosOf(cfg msdsn.Config) (integratedauth.IntegratedAuthenticator, error) {
	k, ok := cfg.ProtocolParameters[kerberosKey].(*kerberos)
	if !ok {
		return nil, errKerberos
	}
	return k, nil
}

// InitialBytes gets a ticket and returns the first message to the server.
func (k *kerberos) InitialBytes() ([]byte, error) {
	token, err := k.token()
	k.attempt.keep(err)
	return token, err
}

func (k *kerberos) token() ([]byte, error) {
	f := k.attempt.fields
	kdcs, err := k.attempt.reach().kdcs(k.attempt.ctx, f.realm)
	if err != nil {
		return nil, err
	}
	cfg, err := kerberosConfig(f.realm, kdcs)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errKerberos, err)
	}
	k.client = client.NewWithPassword(f.user, f.realm, f.password, cfg, client.DisablePAFXFAST(true))
	if err := k.client.Login(); err != nil {
		return nil, fmt.Errorf("%w: %w", errKerberos, err)
	}
	token, err := spnego.SPNEGOClient(k.client, k.spn).InitSecContext()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errKerberos, err)
	}
	return token.Marshal()
}

// NextBytes reads the server's answer; there is nothing more to say.
func (k *kerberos) NextBytes(answer []byte) ([]byte, error) {
	var token spnego.SPNEGOToken
	if err := token.Unmarshal(answer); err != nil {
		return nil, fmt.Errorf("%w: %w", errKerberos, err)
	}
	if ok, status := token.Verify(); !ok && status.Code != gssapi.StatusContinueNeeded {
		return nil, errKerberos
	}
	return nil, nil
}

// Free ends the client, which would renew its ticket.
func (k *kerberos) Free() {
	if k.client != nil {
		k.client.Destroy()
		k.client = nil
	}
}

// kerberosConfig knows one realm, and never looks for another in the DNS.
func kerberosConfig(realm string, kdcs []netip.AddrPort) (*config.Config, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "[libdefaults]\ndefault_realm = %s\ndns_lookup_kdc = false\ndns_lookup_realm = false\nudp_preference_limit = 1\n", realm)
	fmt.Fprintf(&b, "[realms]\n%s = {\n", realm)
	for _, kdc := range kdcs {
		fmt.Fprintf(&b, " kdc = %s\n", kdc)
	}
	b.WriteString("}\n")
	return config.NewFromString(b.String())
}

// serviceResolver finds where a service is; *net.Resolver does.
type serviceResolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
}

// kdcs returns addresses of a realm's Kerberos servers that the policy allows, as the DNS has them.
func (r reach) kdcs(ctx context.Context, realm string) ([]netip.AddrPort, error) {
	var names serviceResolver = net.DefaultResolver
	if given, ok := r.resolver.(serviceResolver); ok {
		names = given
	}
	_, records, err := names.LookupSRV(ctx, "kerberos", "tcp", strings.ToLower(realm))
	if err != nil {
		return nil, fmt.Errorf("%w: the DNS does not name one for the realm", errKerberos)
	}
	var kdcs []netip.AddrPort
	refused := fmt.Errorf("%w: the DNS does not name one for the realm", errKerberos)
	for _, record := range records[:min(len(records), mostAddresses)] {
		host, err := vetHost("realm", record.Target, false)
		if err != nil {
			continue
		}
		addrs, err := r.resolve(ctx, host)
		if err != nil {
			continue
		}
		for _, addr := range addrs {
			if err := r.policy.Check(addr); err != nil {
				refused = err
				continue
			}
			if kdcs = append(kdcs, netip.AddrPortFrom(addr, record.Port)); len(kdcs) == mostKDCs {
				return kdcs, nil
			}
		}
	}
	if len(kdcs) == 0 {
		return nil, refused
	}
	return kdcs, nil
}
