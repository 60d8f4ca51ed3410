package push

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"dropline/ingest"
	"dropline/ingest/mssql"
	"dropline/loader"
	"dropline/mapping"
	"dropline/schema"
)

// Config says what is pushed, and where to.
type Config struct {
	Secret    ingest.DatabaseSecret
	Isolation string           // as mssql.Options has it
	Databases loader.Databases // how the database is reached; Local and a local policy are set here
	Schema    *schema.Schema
	Mapping   []byte // decides what is read; nil: what the server has for the tenant, where it tells
	// One of these is where it goes.
	HTTPS *HTTPS
	SFTP  *SFTP

	State   string // file that remembers what was delivered
	Changes bool   // read only what has changed since it was last imported, where that can be told
	Restart bool   // forget what was delivered

	Progress func(Progress)    // called often, from several goroutines; nil for nobody
	Say      func(text string) // remarks while it goes on, from several goroutines; nil for nobody
	Clock    func() time.Time  // default time.Now
	Tries    int               // how often what passes is tried before it is given up. Default 10
	Wait     time.Duration     // before the second try; it doubles, up to a minute. Default 1 s
	Quiet    time.Duration     // longest that an upload stands still without a sign of life. Default 15 s
}

func (c *Config) validate() (destination, error) {
	const op = "push.Config"
	c.Databases.Local, c.Databases.Connections.Policy = true, mssql.Policy{Local: true}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Tries <= 0 {
		c.Tries = usualTries
	}
	if c.Wait <= 0 {
		c.Wait = usualWait
	}
	if c.Quiet <= 0 {
		c.Quiet = quiet
	}
	switch {
	case c.Schema == nil:
		return nil, ingest.Errorf(ingest.Internal, op, "a push needs a schema")
	case (c.HTTPS == nil) == (c.SFTP == nil):
		return nil, ingest.Errorf(ingest.Invalid, op, "a push goes to one place: over HTTPS or over SFTP")
	case c.HTTPS != nil:
		return c.HTTPS, c.HTTPS.validate()
	}
	return c.SFTP, c.SFTP.validate()
}

func (c *Config) tell(text string) {
	if c.Say != nil {
		c.Say(text)
	}
}

// told is an error as a person should read it.
func told(err error) string { return ingest.MessageOf(err) }

// Progress is how far a push is.
type Progress struct {
	Relation string
	Rows     int64 // of the part that is being read
	Total    int64 // rows that have been read altogether
	Expected int64 // as the database says; -1 where it does not
}

// Tenant is for whom is pushed, as far as it is known.
type Tenant struct {
	Slug    string
	Schema  string // empty where it is not known
	Mapping []byte
}

// Result is what a push came to.
type Result struct {
	Server        string     `json:"server"`
	Database      string     `json:"database"`
	Destination   string     `json:"destination"`
	Batch         string     `json:"batch,omitempty"`
	RequestID     string     `json:"requestId,omitempty"` // over HTTPS
	NothingNew    bool       `json:"nothingNew"`          // what was read is what the server has
	Resumed       bool       `json:"resumed"`
	Isolation     string     `json:"isolation,omitempty"`
	IsolationNote string     `json:"isolationNote,omitempty"`
	Snapshots     int        `json:"snapshots"`
	Rows          int64      `json:"rows"`
	Files         int        `json:"files"`
	Bytes         int64      `json:"bytes"` // as sent, compressed
	Relations     []Relation `json:"relations"`
	Missing       []string   `json:"missing"`
	Notes         []string   `json:"notes"`
}

// Relation is what was delivered of a relation.
type Relation struct {
	Name    string   `json:"name"`
	Table   string   `json:"table"`
	Rows    int64    `json:"rows"`
	Files   int      `json:"files"`
	Bytes   int64    `json:"bytes"`
	Since   string   `json:"since,omitempty"` // only what has changed since
	Ignored []string `json:"ignoredColumns,omitempty"`
}

// Refused is the error of a database of which some relation cannot be read as it is. Nothing was delivered then.
type Refused struct {
	Relations []ingest.RefusedRelation
}

// Error implements error.
func (r *Refused) Error() string {
	return fmt.Sprintf("%d tables cannot be read as they are", len(r.Relations))
}

// mapperOf makes the mapper that decides what is read, and tells a fingerprint of the mappings here and there.
func mapperOf(cfg *Config, tenant *Tenant) (*mapping.Mapper, string, error) {
	text, name := cfg.Mapping, "the mapping"
	if text == nil {
		text, name = tenant.Mapping, "the tenant's mapping"
	}
	if tenant.Schema != "" && tenant.Schema != cfg.Schema.ID() {
		return nil, "", ingest.WithHint(ingest.Errorf(ingest.Invalid, "push.mapper", "the tenant %s uses the schema %s, not %s", tenant.Slug,
			tenant.Schema, cfg.Schema.ID()), "name it: --schema "+tenant.Schema)
	}
	var m *mapping.Mapping
	if len(text) > 0 {
		var err error
		if m, err = mapping.Parse(name, text, cfg.Schema); err != nil {
			return nil, "", ingest.E(ingest.Invalid, "push.mapper", err)
		}
	}
	// The server maps under its own mapping, whatever decides here what is read.
	sum := sha256.Sum256(slices.Concat(text, []byte{0}, tenant.Mapping))
	// Where a time without a zone is does not matter: it is for the server to say.
	mapper, err := mapping.New(cfg.Schema, m, mapping.Options{})
	return mapper, hex.EncodeToString(sum[:]), err
}

// DryRun says what would be read and what would be refused, from the first rows of each relation. Nothing is delivered.
func DryRun(ctx context.Context, cfg Config) (*ingest.DryRun, error) {
	to, err := cfg.validate()
	if err != nil {
		return nil, err
	}
	defer to.close()
	tenant, err := to.prepare(ctx)
	if err != nil {
		return nil, err
	}
	mapper, _, err := mapperOf(&cfg, &tenant)
	if err != nil {
		return nil, err
	}
	return cfg.Databases.DryRun(ctx, cfg.Secret, ingest.DatabaseOptions{Isolation: cfg.Isolation}, cfg.Schema, mapper)
}
