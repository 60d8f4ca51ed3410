package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"dropline/ingest"
	"dropline/mapping/unpack"
	"dropline/schema"
)

// DefaultAnswerTimeout is far over what any answer takes, and within what clients and proxies wait. With settleTimeout it stays
// under the minute for which the ledger reserves an Idempotency-Key.
const DefaultAnswerTimeout = 30 * time.Second

// Config is what a Server is made of. Ledger, Receiver, Bucket, Schemas, Rows and Counts are required.
type Config struct {
	Ledger   ingest.Ledger
	Receiver *ingest.Receiver
	Bucket   ingest.Bucket
	Schemas  *schema.Catalogue

	// Rows returns up to limit staged rows of an import's table (published name) after the given position, which is 0 at
	// first, and the position of the last one, or 0 where there are no more.
	Rows func(ctx context.Context, imp ingest.Import, table string, after int64, limit int) ([]json.RawMessage, int64, error)
	// Counts returns the rows a tenant has in production per table (published name).
	Counts func(ctx context.Context, tenant ingest.Tenant) (map[string]int64, error)
	// Databases takes in connection strings. Nil: imports from databases are refused.
	Databases *Databases
	// Unpack says how archives, workbooks and encrypted files are opened that are previewed.
	Unpack unpack.Config
	// PGP holds tenants' OpenPGP keys; nil: there are none and none can be stored.
	PGP ingest.PGPKeys
	// Keys returns a tenant's OpenPGP keys, ready to open files; nil: there are none.
	Keys func(context.Context, ingest.TenantID) (unpack.Keyring, error)
	// Ready is asked by /readyz beside the ledger and the bucket. Nil asks nothing more.
	Ready func(ctx context.Context) error
	// Metrics answers /metrics, without a token. Nil leaves the path out.
	Metrics http.Handler

	Logger *slog.Logger     // nil discards
	Clock  func() time.Time // nil is time.Now

	// AnswerTimeout is how long PostgreSQL and S3 may take until an answer begins; 0 is DefaultAnswerTimeout.
	AnswerTimeout time.Duration

	PublicURL    string   // under which clients reach this server, "https://etl.example.org"; empty: unknown
	SFTP         SFTPInfo // shown by GET /etl/server
	Roles        []string // shown by GET /etl/server
	Version      string   // empty is "dev"
	MaxFileBytes int64    // of one uploaded file, as the Receiver has it; 0 is ingest.DefaultMaxFileBytes
}

// validate fills in defaults.
func (c *Config) validate() error {
	switch {
	case c.Ledger == nil, c.Receiver == nil, c.Bucket == nil, c.Schemas == nil:
		return errors.New("api: ledger, receiver, bucket and schemas are required")
	case c.Rows == nil, c.Counts == nil:
		return errors.New("api: the functions that read rows and counts are required")
	case c.Databases != nil && (c.Databases.Check == nil || c.Databases.DryRun == nil || c.Databases.DryRunTimeout < 0),
		c.Databases != nil && (c.Databases.Seal == nil) != (c.Databases.Unseal == nil):
		return errors.New("api: of what imports from databases need a part is missing")
	case c.MaxFileBytes < 0, c.AnswerTimeout < 0:
		return errors.New("api: the largest file size or the time for an answer is negative")
	}
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil ||
			u.RawQuery != "" || u.Fragment != "" || (u.Path != "" && u.Path != "/") {
			return errors.New("api: the public URL must be http:// or https://, a host and no path")
		}
		c.PublicURL = u.Scheme + "://" + u.Host
	}
	if c.MaxFileBytes == 0 {
		c.MaxFileBytes = ingest.DefaultMaxFileBytes
	}
	if c.AnswerTimeout == 0 {
		c.AnswerTimeout = DefaultAnswerTimeout
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Version == "" {
		c.Version = "dev"
	}
	return nil
}
