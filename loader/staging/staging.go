// Package staging owns the tenants' staging and production schemas in PostgreSQL: their tables, the binary COPY that fills
// staging, the set checks in SQL, promotion to production and its rollback, and the reader role. No other package writes
// to these tables.
//
// A tenant t has two schemas. In "staging_t", import number n has a table "work_item_n_rows" for each table of the ETL schema
// that it brought rows for, packed as copying and comparing want it, and a view of it, "work_item_n", for people and their
// queries; after its promotion there is "work_item_n_before" with what the promotion replaced. In "production_t" there is
// "work_item". Tables whose names begin with an underscore are the package's own records.
package staging

import (
	"context"
	"crypto/rand"
	"fmt"
	"hash/fnv"
	"log/slog"
	"sync"
	"time"

	"dropline/ingest"
	"dropline/schema"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Defaults of Config.
const (
	// DefaultWorkMem lets two million ids be hashed in memory. A check or promotion uses a small multiple of it, and a
	// tenant runs one at a time.
	DefaultWorkMem = 128 // MiB
	// DefaultLockTimeout is longer than any but the largest promotion takes, so that two at once queue up.
	DefaultLockTimeout = 2 * time.Minute
	minWorkMem         = 1    // MiB
	maxWorkMem         = 1024 // MiB; hashing multiplies it, and workers in parallel do once more
)

// Config holds what a Store may be given. Its zero value is a working default.
type Config struct {
	Logger *slog.Logger     // default: silence
	Clock  func() time.Time // default: time.Now
	// WorkMem is PostgreSQL's work_mem while checking and promoting, in MiB, 1 to 1024.
	WorkMem int
	// LockTimeout bounds how long a promotion waits for another of the same tenant, and a retry for what it replaces.
	LockTimeout time.Duration
}

func (c *Config) validate() error {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.WorkMem == 0 {
		c.WorkMem = DefaultWorkMem
	}
	if c.LockTimeout == 0 {
		c.LockTimeout = DefaultLockTimeout
	}
	if c.WorkMem < minWorkMem || c.WorkMem > maxWorkMem {
		return ingest.Errorf(ingest.Invalid, "staging.New", "work memory of %d MiB is not between %d and %d", c.WorkMem, minWorkMem, maxWorkMem)
	}
	if c.LockTimeout < time.Millisecond {
		return ingest.Errorf(ingest.Invalid, "staging.New", "a lock timeout of %s is too short", c.LockTimeout)
	}
	return nil
}

// Store works on the tenants' schemas. It is safe for concurrent use.
type Store struct {
	pool       *pgxpool.Pool
	cfg        Config
	holder     string    // tells this process's attempts at an import from another's
	noRoleOnce sync.Once // the missing right to make reader roles is told once
}

// New returns a Store on the pool's database. It touches nothing yet.
func New(pool *pgxpool.Pool, cfg Config) (*Store, error) {
	if pool == nil {
		return nil, ingest.Errorf(ingest.Internal, "staging.New", "no pool given")
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Store{pool: pool, cfg: cfg, holder: rand.Text()}, nil
}

// Target is one import's place in staging.
type Target struct {
	Tenant ingest.TenantID
	Import ingest.ImportID
	Seq    int64 // names the tables, and orders the tenant's imports
	Schema *schema.Schema
}

func (t Target) validate(op string) error {
	if !t.Tenant.Valid() || t.Import == "" || t.Seq <= 0 || t.Schema == nil {
		return ingest.Errorf(ingest.Internal, op, "the target of import %q is incomplete", t.Import)
	}
	return nil
}

// names makes the quoted names of a tenant's tables.
type names struct {
	staging, production string // schemas, unquoted
}

func namesOf(tenant ingest.TenantID) names {
	return names{staging: "staging_" + string(tenant), production: "production_" + string(tenant)}
}

func (n names) own(table string) string { return quoted(n.staging, table) }

func (n names) live(t *schema.Table) string { return quoted(n.production, t.SQLName) }

// packed is the table of an import's staged rows, as schema.Table.StagingColumns has them.
func (n names) packed(t *schema.Table, seq int64) string {
	return quoted(n.staging, packedName(t, seq))
}

// view is what people see of it.
func (n names) view(t *schema.Table, seq int64) string {
	return quoted(n.staging, fmt.Sprintf("%s_%d", t.SQLName, seq))
}

// staged renders the staged rows for a query, to be followed by an alias: their place, then id and columns as production
// has them, and their source. It is one with the query around it as far as the planner is concerned.
func (n names) staged(t *schema.Table, seq int64) string {
	return fmt.Sprintf("(select r.ctid, %s, r.%s from %s r)", unpacked(t, "r"), sourceColumn, n.packed(t, seq))
}

func (n names) before(t *schema.Table, seq int64) string {
	return quoted(n.staging, beforeName(t, seq))
}

func (n names) rejected(seq int64) string { return quoted(n.staging, rejectedName(seq)) }

func packedName(t *schema.Table, seq int64) string { return fmt.Sprintf("%s_%d_rows", t.SQLName, seq) }

func beforeName(t *schema.Table, seq int64) string {
	return fmt.Sprintf("%s_%d_before", t.SQLName, seq)
}

// rejectedName begins with an underscore, as no table of an ETL schema may: it can meet none of theirs.
func rejectedName(seq int64) string { return fmt.Sprintf("_rejected_%d", seq) }

func quoted(schemaName, table string) string {
	return schema.QuoteIdent(schemaName) + "." + schema.QuoteIdent(table)
}

// lockKey is the key of an advisory lock. Two things whose keys are equal by accident wait for each other, no more.
func lockKey(what string, tenant ingest.TenantID, seq int64) int64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "dropline %s %s %d", what, tenant, seq)
	return int64(h.Sum64())
}

// inTx runs fn in a transaction with the settings for set operations, and gives errors their kind.
func (s *Store) inTx(ctx context.Context, op string, fn func(tx pgx.Tx) error) error {
	return classify(op, pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := s.settings(ctx, tx); err != nil {
			return err
		}
		return fn(tx)
	}))
}

// largeImport is from how many rows an import's rows are never joined by going through a table once for each of them. The
// planner knows little of fresh tables and nothing of ids that are put together in a query: it may take seventy thousand rows
// for one, and what it chooses for one takes hours for them.
const largeImport = 5_000

// nestedLoops lets the planner choose nested loops, or not.
func nestedLoops(ctx context.Context, tx pgx.Tx, on bool) error {
	choice := "off"
	if on {
		choice = "on"
	}
	_, err := tx.Exec(ctx, "set local enable_nestloop = "+choice)
	return err
}

// settings fits a transaction for set operations, whatever the server's defaults are. Compiling a query takes longer than it
// saves in all but the largest, times are told in UTC, and a load may take hours.
func (s *Store) settings(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, fmt.Sprintf(
		"set local work_mem = '%dMB'; set local jit = off; set local timezone = 'UTC'; set local lock_timeout = %d; "+
			"set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0",
		s.cfg.WorkMem, s.cfg.LockTimeout.Milliseconds(),
	))
	return err
}
