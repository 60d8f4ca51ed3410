package mssql

import (
	"errors"
	"strconv"
	"sync"

	mssqldb "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/integratedauth"
	_ "github.com/microsoft/go-mssqldb/integratedauth/krb5" // for the client's own site: registers "krb5"
	_ "github.com/microsoft/go-mssqldb/integratedauth/ntlm" // registers "ntlm"
	"github.com/microsoft/go-mssqldb/msdsn"
)

// Names under which the driver knows ways to sign in.
const (
	providerKey      = "authenticator"
	providerNone     = "dropline-none"
	providerKerberos = "dropline-kerberos"
	kerberosKey      = "dropline-kerberos"
)

var errOwn = errors.New("this program's user could not be signed in by Windows")

// registerProviders tells the driver, once in a process, of the ways to sign in that are made here.
var registerProviders = sync.OnceValue(func() error {
	none := integratedauth.ProviderFunc(func(msdsn.Config) (integratedauth.IntegratedAuthenticator, error) {
		return nil, nil //nolint:nilnil // the driver's way to say: no Windows sign-in
	})
	if err := integratedauth.SetIntegratedAuthenticationProvider(providerNone, none); err != nil {
		return err
	}
	if err := integratedauth.SetIntegratedAuthenticationProvider(providerKerberos, integratedauth.ProviderFunc(kerberosOf)); err != nil {
		return err
	}
	return registerOwn()
})

// driverConnector returns the driver's connector for one attempt. Which way to sign in is always named: left to itself, the
// driver sends a password to be read by the server where its Windows sign-in fails.
func (c *connector) driverConnector(a *attempt) (*mssqldb.Connector, error) {
	f := c.conn.f
	cfg := c.driverConfig(a)
	cfg.Parameters[providerKey] = providerNone
	switch f.signIn {
	case signInSQL:
	case signInNTLM:
		cfg.Parameters[providerKey] = "ntlm"
	case signInKerberos, signInProcess:
		c.windows(&cfg, a)
	case signInEntraToken:
		cfg.User, cfg.Password = "", ""
		cfg.PacketSize = firstPacketSize // a longer one is not for the packets of a sign-in, which a token makes long
		return mssqldb.NewSecurityTokenConnector(cfg, c.accessToken)
	default:
		cfg.User, cfg.Password = "", ""
		workflow := byte(mssqldb.FedAuthADALWorkflowPassword)
		if f.signIn == signInEntraManaged {
			workflow = mssqldb.FedAuthADALWorkflowMSI
		}
		return mssqldb.NewActiveDirectoryTokenConnector(cfg, workflow, c.entra.token)
	}
	return mssqldb.NewConnectorConfig(cfg), nil
}

// windows sets up Kerberos, or this process's identity.
func (c *connector) windows(cfg *msdsn.Config, a *attempt) {
	f := c.conn.f
	if cfg.ServerSPN == "" {
		cfg.ServerSPN = "MSSQLSvc/" + f.host + ":" + instanceOrPort(f)
	}
	switch {
	case f.signIn == signInProcess && ownIdentity(cfg, a):
	case f.local:
		for name, value := range f.krb5Files {
			cfg.Parameters[name] = value
		}
		if f.realm != "" {
			cfg.Parameters["krb5-realm"] = f.realm
		}
		cfg.Parameters[providerKey] = "krb5"
	default:
		cfg.Parameters[providerKey] = providerKerberos
		cfg.ProtocolParameters[kerberosKey] = &kerberos{attempt: a, spn: cfg.ServerSPN}
	}
}

func instanceOrPort(f *fields) string {
	if f.instance != "" {
		return f.instance
	}
	if f.port == 0 {
		return strconv.Itoa(defaultPort)
	}
	return strconv.Itoa(int(f.port))
}
