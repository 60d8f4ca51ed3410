package mssql

import (
	"fmt"

	"github.com/microsoft/go-mssqldb/integratedauth"
	"github.com/microsoft/go-mssqldb/integratedauth/winsspi"
	"github.com/microsoft/go-mssqldb/msdsn"
)

// providerOwn is the name under which the driver knows own, and that of the attempt in its configuration.
const providerOwn = "dropline-own"

// own signs in as the user whose process this is, by the driver's SSPI: Kerberos where the server has a name in the domain, else
// NTLM. It keeps what went wrong, and from the driver what that could not bear.
type own struct {
	*winsspi.Auth
	attempt *attempt
}

// ownIdentity makes the driver sign in as the process's user.
func ownIdentity(cfg *msdsn.Config, a *attempt) bool {
	cfg.User, cfg.Password = "", ""
	cfg.Parameters[providerKey] = providerOwn
	cfg.ProtocolParameters[providerOwn] = a
	return true
}

func registerOwn() error {
	return integratedauth.SetIntegratedAuthenticationProvider(providerOwn, integratedauth.ProviderFunc(ownOf))
}

func ownOf(cfg msdsn.Config) (integratedauth.IntegratedAuthenticator, error) {
	a, ok := cfg.ProtocolParameters[providerOwn].(*attempt)
	if !ok {
		return nil, errOwn
	}
	return &own{&winsspi.Auth{Service: cfg.ServerSPN}, a}, nil
}

// InitialBytes returns the first message to the server.
func (o *own) InitialBytes() ([]byte, error) { return o.keep(o.Auth.InitialBytes()) }

// NextBytes answers the server. An empty message of a server's would end the process in the driver.
func (o *own) NextBytes(message []byte) ([]byte, error) {
	if len(message) == 0 {
		return o.keep(nil, errNonsense)
	}
	return o.keep(o.Auth.NextBytes(message))
}

func (o *own) keep(message []byte, err error) ([]byte, error) {
	if err != nil {
		err = fmt.Errorf("%w: %w", errOwn, err)
	}
	o.attempt.keep(err)
	return message, err
}
