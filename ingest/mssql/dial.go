package mssql

import (
	"context"
	"crypto/rand"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"dropline/ingest"

	mssqldb "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"
)

const (
	defaultConnectTimeout = 15 * time.Second
	defaultIdleTimeout    = 10 * time.Minute
	defaultPacketSize     = 8000 // bytes, as SqlClient asks for
	firstPacketSize       = 4096 // bytes, of TDS before a size is agreed on
	keepAlive             = 30 * time.Second
)

// Config is how connections are made.
type Config struct {
	Policy         Policy
	RootCAs        []byte           // PEM, at most 1 MiB; trusted beside the system's
	ConnectTimeout time.Duration    // for one sign-in, redirects included. Default 15 s, at most 60 s; a string may ask for less or more within that
	IdleTimeout    time.Duration    // the longest that a server may keep silent amid an answer. Default 10 min
	AppName        string           // what the server sees. Default "dropline"
	Logger         *slog.Logger     // default: none
	Clock          func() time.Time // tells whether a certificate has expired. Default time.Now
	Resolver       resolver         // finds the addresses of names. Default: the system's
}

func (c Config) withDefaults() Config {
	if c.ConnectTimeout <= 0 {
		c.ConnectTimeout = defaultConnectTimeout
	}
	c.ConnectTimeout = min(c.ConnectTimeout, longestTimeout)
	if c.IdleTimeout <= 0 {
		c.IdleTimeout = defaultIdleTimeout
	}
	if c.AppName == "" {
		c.AppName = "dropline"
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	return c
}

// Connector returns what sql.OpenDB opens. Its connections say that they only read, go by the application's name, and dial
// under the policy. Its errors are those of Translate. The error here is Invalid for certificates that cannot be read, and
// Denied for a server that CheckServer refuses.
func (c Config) Connector(conn *Connection) (driver.Connector, error) {
	c = c.withDefaults()
	if err := c.Policy.CheckServer(conn); err != nil {
		return nil, err
	}
	if conn.f.local && !c.Policy.Local {
		return nil, ingest.E(ingest.Internal, "mssql.Connector", errors.New("a string read for the client's own site is to be used there only"))
	}
	trust, err := c.trustOf(conn.f)
	if err != nil {
		return nil, err
	}
	if err := registerProviders(); err != nil {
		return nil, ingest.E(ingest.Internal, "mssql.Connector", err)
	}
	to := reach{policy: c.Policy, resolver: c.Resolver}
	return &connector{cfg: c, conn: conn, trust: trust, entra: &entra{fields: conn.f, reach: to, now: c.Clock}}, nil
}

// connector makes a driver's connector for each connection: the driver writes to a TLS configuration that it is given, and
// keeps to itself what the dialer and the verification of certificates found, which is told to people here.
type connector struct {
	cfg   Config
	conn  *Connection
	trust *trust
	entra *entra
}

// Driver returns the driver beneath.
func (c *connector) Driver() driver.Driver { return &mssqldb.Driver{} }

// Connect signs in once, within the connect timeout.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	timeout := c.cfg.ConnectTimeout
	if c.conn.f.timeout > 0 {
		timeout = c.conn.f.timeout
	}
	within, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	a := &attempt{cfg: c.cfg, fields: c.conn.f, ctx: within}
	// The driver's handshakes know no context: what ends them is the deadline of the network connection.
	stop := context.AfterFunc(within, a.abort)
	conn, err := c.connect(within, a)
	if !stop() && err == nil {
		_ = conn.Close()
		err = within.Err()
	}
	if err == nil {
		a.signedIn()
		return conn, nil
	}
	a.closeAll()
	if ctxErr := within.Err(); ctxErr != nil {
		err = ctxErr
		if ctx.Err() == nil {
			err = errConnectTimeout
		}
	}
	err = Translate(a.reason(err), c.conn)
	c.cfg.Logger.DebugContext(ctx, "no connection to SQL Server", "server", c.conn.Server(), "kind", ingest.KindOf(err).String())
	return nil, err
}

// connect runs the driver. It outlives a panic of the driver's, which some answers of a hostile server cause.
func (c *connector) connect(ctx context.Context, a *attempt) (conn driver.Conn, err error) {
	defer func() {
		if p := recover(); p != nil {
			conn, err = nil, fmt.Errorf("%w: %v", errNonsense, p)
		}
	}()
	inner, err := c.driverConnector(a)
	if err != nil {
		return nil, err
	}
	inner.Dialer = a
	return inner.Connect(ctx)
}

// driverConfig is the vetted fields in the driver's terms. Its parser is not asked: it reads files and the environment, and
// says the string again in its errors.
func (c *connector) driverConfig(a *attempt) msdsn.Config {
	f := c.conn.f
	cfg := msdsn.Config{
		Host: f.host, Port: uint64(f.port), Instance: f.instance, Database: f.database,
		User: f.user, Password: f.password,
		FailOverPartner: f.failover.host, FailOverPort: uint64(f.failover.port),
		HostInCertificateProvided: f.hostInCert != "",
		ReadOnlyIntent:            true,
		ServerSPN:                 f.spn,
		Workstation:               f.workstation,
		AppName:                   c.cfg.AppName,
		DialTimeout:               -1, // the attempt's own
		PacketSize:                f.packetSize,
		Parameters:                map[string]string{},
		ProtocolParameters:        map[string]any{},
		Protocols:                 []string{"tcp"},
		BrowserMessage:            msdsn.BrowserAllInstances,
		TrustServerCertificate:    f.trust,
		Encoding:                  msdsn.EncodeParameters{Timezone: time.UTC},
		ActivityID:                make([]byte, 16),
	}
	_, _ = rand.Read(cfg.ActivityID) // never fails; some cloud servers want one
	if cfg.PacketSize == 0 {
		cfg.PacketSize = defaultPacketSize
	}
	// Until it has agreed to a size, a server sends what it likes up to this, and the driver takes no more than it asked for.
	cfg.PacketSize = max(cfg.PacketSize, firstPacketSize)
	switch f.encrypt {
	case encryptRequired:
		cfg.Encryption = msdsn.EncryptionRequired
	case encryptFromStart:
		cfg.Encryption = msdsn.EncryptionStrict
	case encryptSignIn:
		cfg.Encryption = msdsn.EncryptionOff
	case encryptNever:
		cfg.Encryption = msdsn.EncryptionDisabled
	}
	if f.encrypt != encryptNever {
		cfg.TLSConfig = c.trust.config(a)
	}
	return cfg
}
