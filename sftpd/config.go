package sftpd

import (
	"context"
	"io"
	"log/slog"
	"time"

	"dropline/ingest"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/crypto/ssh"
)

// Defaults of Config, each chosen so that no usual client meets it.
const (
	DefaultMaxSessions            = 512
	DefaultMaxSessionsPerTenant   = 32 // FileZilla opens ten, rclone one for each transfer
	DefaultMaxOpenFilesPerSession = 64 // OpenSSH keeps one open, sshfs some dozens; an open upload may hold a part in memory
	DefaultLoginGrace             = 30 * time.Second
	DefaultIdleTimeout            = 15 * time.Minute
	DefaultShutdownGrace          = 10 * time.Second
	DefaultMaxAuthTries           = 6 // as OpenSSH's server
	DefaultBanAfter               = 10
	DefaultBanWindow              = 10 * time.Minute
	DefaultBanTime                = 5 * time.Minute
	DefaultReorderBytes           = 128 << 20 // of all sessions together
)

// ledger is what the server asks of the ledger.
type ledger interface {
	ingest.Tree
	VerifyPassword(ctx context.Context, user, password string) (ingest.Identity, error)
	VerifyPublicKey(ctx context.Context, user string, key []byte) (ingest.Identity, error)
	Tenant(ctx context.Context, id ingest.TenantID) (ingest.Tenant, error)
	ListCredentials(ctx context.Context, tenant ingest.TenantID) ([]ingest.Credential, error)
	Usage(ctx context.Context, id ingest.TenantID) (ingest.Usage, error)
	Lookup(ctx context.Context, tenant ingest.TenantID, path string) (ingest.Entry, error)
}

// bucket is what the server asks of the bucket: downloads.
type bucket interface {
	Open(ctx context.Context, key string, offset, length int64, ifMatch string) (io.ReadCloser, ingest.Object, error)
}

// Config configures a Server. Ledger, Receiver, Bucket and HostKeys must be given; a zero in any other field is its default.
type Config struct {
	Ledger   ledger
	Receiver *ingest.Receiver
	Bucket   bucket
	HostKeys []ssh.Signer // one of each type at most

	Logger  *slog.Logger          // nil discards
	Clock   func() time.Time      // nil is time.Now
	Metrics prometheus.Registerer // nil registers nothing
	Banner  string                // shown before signing in

	MaxSessions            int           // connections signed in, of all tenants
	MaxSessionsPerTenant   int           //
	MaxOpenFilesPerSession int           // handles of files and folders
	LoginGrace             time.Duration // from the connection to having signed in
	IdleTimeout            time.Duration // without a byte from the client
	ShutdownGrace          time.Duration // for uploads in flight to finish when Serve's context ends
	MaxAuthTries           int           // on one connection
	BanAfter               int           // wrong passwords from one address within BanWindow
	BanWindow              time.Duration //
	BanTime                time.Duration // for which an address is refused
	ReorderBytes           int64         // bytes that wait for ones before them, of all uploads together

	// Ciphers replaces the default list (see DefaultCiphers). The client's order decides among those offered.
	Ciphers []string
	// Compatible also offers what only old clients need: chacha20-poly1305, and SHA-1 in key exchange, MACs and RSA
	// signatures. Off by default.
	Compatible bool
}

func (c *Config) validate() error {
	const op = "sftpd.New"
	switch {
	case c.Ledger == nil || c.Receiver == nil || c.Bucket == nil:
		return ingest.Errorf(ingest.Invalid, op, "a ledger, a receiver and a bucket are needed")
	case len(c.HostKeys) == 0:
		return ingest.Errorf(ingest.Invalid, op, "a host key is needed")
	case c.MaxSessions < 0 || c.MaxSessionsPerTenant < 0 || c.MaxOpenFilesPerSession < 0 || c.MaxAuthTries < 0 || c.BanAfter < 0 || c.ReorderBytes < 0:
		return ingest.Errorf(ingest.Invalid, op, "a limit is negative")
	case c.LoginGrace < 0 || c.IdleTimeout < 0 || c.ShutdownGrace < 0 || c.BanWindow < 0 || c.BanTime < 0:
		return ingest.Errorf(ingest.Invalid, op, "a time limit is negative")
	}
	if err := checkCiphers(c.Ciphers); err != nil {
		return err
	}
	orDefault(&c.MaxSessions, DefaultMaxSessions)
	orDefault(&c.MaxSessionsPerTenant, DefaultMaxSessionsPerTenant)
	orDefault(&c.MaxOpenFilesPerSession, DefaultMaxOpenFilesPerSession)
	orDefault(&c.LoginGrace, DefaultLoginGrace)
	orDefault(&c.IdleTimeout, DefaultIdleTimeout)
	orDefault(&c.ShutdownGrace, DefaultShutdownGrace)
	orDefault(&c.MaxAuthTries, DefaultMaxAuthTries)
	orDefault(&c.BanAfter, DefaultBanAfter)
	orDefault(&c.BanWindow, DefaultBanWindow)
	orDefault(&c.BanTime, DefaultBanTime)
	orDefault(&c.ReorderBytes, DefaultReorderBytes)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	return nil
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
