package ingest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
)

// DatabasePrefix begins the keys of what was read from clients' databases; see PartKey. Written by loader only.
const DatabasePrefix = "database/"

// PartHour is the prefix of all parts of databases that began to be read within the hour of t. The hour comes first, as in the
// keys of drops, so that the sweep looks at each once and not at all there ever was.
func PartHour(t time.Time) string { return DatabasePrefix + t.UTC().Format(keyHour) + "/" }

// PartKey is the key of a part of a database that an attempt at an import began to read at that time:
// database/<hour>/<tenant>/<import id>/<attempt>/<file number>.csv.gz. No two attempts write under one key.
func PartKey(began time.Time, tenant TenantID, id ImportID, attempt, number int) string {
	return fmt.Sprintf("%s%s/%s/%d/%d.csv.gz", PartHour(began), tenant, id, attempt, number)
}

// PartOf returns the tenant and the import that a key of PartKey names. It reports false for any other key.
func PartOf(key string) (TenantID, ImportID, bool) {
	rest, ours := strings.CutPrefix(key, DatabasePrefix)
	parts := strings.Split(rest, "/")
	if !ours || len(parts) != 5 {
		return "", "", false
	}
	tenant, id := TenantID(parts[1]), ImportID(parts[2])
	return tenant, id, tenant.Valid() && id.Valid()
}

// DatabaseRoot begins the path of a file that was read from a database, "/database/dbo.Matter.csv.gz". In the archive it is a
// folder of its import.
const DatabaseRoot = "/database"

// PushFolder is the folder below the inbox in which dropline push puts what it read from a database at the client's:
// _database/Matter/dbo.Matter.1.csv.zst.
const PushFolder = "_database"

// ViaSQLServer is the way in of what Dropline reads from a client's database.
const ViaSQLServer Via = "sqlserver"

// Source is a SQL Server database that a tenant has stored, to import from on demand.
type Source struct {
	ID        SourceID
	Tenant    TenantID
	Name      string // unique within the tenant
	Server    string // host, instance and port, for people
	Database  string
	Sealed    []byte // connection string and what belongs to it, encrypted; only loader and dry runs open it
	Isolation string // as asked for; see DatabaseOptions
	CreatedAt time.Time
	CreatedBy string
	ChangedAt time.Time
	LastID    ImportID // its latest import; empty before the first
}

// SourceChange holds what to change of a source; nil leaves it as it is. A new Sealed comes with its Server and Database.
type SourceChange struct {
	Name      *string
	Isolation *string
	Server    string
	Database  string
	Sealed    []byte
}

// MaxSources is how many sources a tenant may have.
const MaxSources = 100

// MaxQueuedDatabases is how many imports from databases a tenant may have waiting.
const MaxQueuedDatabases = 1000

// Limits of what is kept for people of a source and of an import's database.
const (
	MaxSourceName = 100 // characters of a source's name
	MaxServerName = 600 // bytes of a server's and of a database's name; longer ones are cut
)

// Database is the SQL Server database that an import reads. An import of files has none.
type Database struct {
	Source    SourceID // empty: its connection string was posted with the request
	Server    string   // for people
	Name      string
	Sealed    []byte // of a posted one; nil once it is wiped. A source's is the source's own
	Options   DatabaseOptions
	Plan      *DatabasePlan // nil before it was looked at
	BaseID    ImportID      // incremental: the import of the source that it goes on from
	Snapshots int           // under how many it was read; more than 1 after a lost connection
}

// DatabaseOptions are what the request said.
type DatabaseOptions struct {
	Isolation string `json:"isolation,omitempty"` // "", "auto", "snapshot" or "read_committed"
	Full      bool   `json:"full,omitempty"`      // read everything, though a part would do
}

// DatabasePlan is what was found in a database and what of it is read. It is kept with the import, so that an attempt goes
// on where the one before was interrupted.
type DatabasePlan struct {
	Version       string            `json:"version,omitempty"` // of the server, as it says
	Began         time.Time         `json:"began,omitzero"`    // when it was made for reading on later; zero: it was not
	Isolation     string            `json:"isolation"`
	IsolationNote string            `json:"isolationNote,omitempty"`
	Relations     []PlannedRelation `json:"relations"`
	Refused       []RefusedRelation `json:"refused,omitempty"`
	Ignored       []string          `json:"ignored,omitempty"` // relations that are no table of the schema
	Missing       []string          `json:"missing,omitempty"` // tables of the schema that the database has not
	Notes         []string          `json:"notes,omitempty"`
}

// Complete reports whether all of the database has been read. A plan of nothing is not: there was nothing that could be.
func (p *DatabasePlan) Complete() bool {
	if len(p.Relations) == 0 && len(p.Refused) == 0 {
		return false
	}
	for i := range p.Relations {
		if !p.Relations[i].Done {
			return false
		}
	}
	return true
}

// Rows is how many rows the plan expects; -1 where that is not known of every relation, or is more than can be.
func (p *DatabasePlan) Rows() int64 {
	total := int64(0)
	for i := range p.Relations {
		if p.Relations[i].Rows < 0 {
			return -1
		}
		if total += p.Relations[i].Rows; total < 0 {
			return -1
		}
	}
	return total
}

// PlannedRelation is a table, view or query that is read.
type PlannedRelation struct {
	Name    string   `json:"name"` // as mapping knows it and people see it: "dbo.Matter"
	Table   string   `json:"table"`
	Schema  string   `json:"schema,omitempty"`
	View    string   `json:"view,omitempty"` // name within the schema; empty for a query
	Query   string   `json:"query,omitempty"`
	Columns []string `json:"columns"`           // read, in this order
	Ignored []string `json:"ignored,omitempty"` // columns of it that are not
	Key     string   `json:"key,omitempty"`     // column by which it is read in parts
	Rows    int64    `json:"rows"`              // as counted or estimated; -1 where not known

	SinceColumn string `json:"sinceColumn,omitempty"` // incremental: rows with a greater value are read
	Since       string `json:"since,omitempty"`       // empty: all of them
	High        string `json:"high,omitempty"`        // row version from which the next import goes on; empty: from Mark

	After string `json:"after,omitempty"` // key of the last row of the last part that was read
	Parts int    `json:"parts,omitempty"` // parts read so far
	Mark  string `json:"mark,omitempty"`  // greatest value of SinceColumn that was read
	Done  bool   `json:"done,omitempty"`
}

// RefusedRelation is a relation that was to be read and cannot be.
type RefusedRelation struct {
	Name    string `json:"name"`
	Table   string `json:"table,omitempty"`
	Code    string `json:"code"` // a reject code of a file
	Message string `json:"message"`
}

// DatabaseSecret is what is sealed: what it takes to reach a database. It is redacted wherever it is printed.
type DatabaseSecret struct {
	ConnectionString     string `json:"connectionString"`
	CertificateAuthority string `json:"certificateAuthority,omitempty"` // PEM of a private one
}

// String implements fmt.Stringer.
func (DatabaseSecret) String() string { return "[a connection string]" }

// Format implements fmt.Formatter: some verbs look past String, and past GoString too.
func (s DatabaseSecret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue implements slog.LogValuer.
func (s DatabaseSecret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// SealedFor is what a sealed connection string is bound to: the import or source of the tenant that it was stored for. It does
// not open in the place of another's.
func SealedFor(tenant TenantID, id string) string { return "dropline/" + string(tenant) + "/" + id }

// DryRun is what an import from a database would find.
type DryRun struct {
	Server, Database string
	Plan             DatabasePlan
	Samples          []Sample
}

// Sample is what came of the first rows of a relation.
type Sample struct {
	Relation, Table string
	Read, Rejected  int64
	Rejects         []Reject // the first
}

// SourceMark is how far a relation of a source has been imported.
type SourceMark struct {
	Column string `json:"column"`
	Value  string `json:"value"`
}

// Databases is the part of the ledger that holds stored databases, and requests imports from databases.
type Databases interface {
	// AddSource records a source. Conflict if the tenant has one of that name, or MaxSources; Invalid if its name is not 1 to
	// MaxSourceName characters in one line.
	AddSource(ctx context.Context, s Source) (Source, error)
	Source(ctx context.Context, tenant TenantID, id SourceID) (Source, error)
	// ListSources returns the tenant's sources in the order of their names.
	ListSources(ctx context.Context, tenant TenantID) ([]Source, error)
	// ChangeSource changes what is given. Conflict if the new name is another's. An import of the source that was requested
	// before and has still to be read fails if the source names another database by then.
	ChangeSource(ctx context.Context, tenant TenantID, id SourceID, change SourceChange) (Source, error)
	// RemoveSource forgets a source and its connection string. Imports made from it stay on record; those that have still to
	// be read fail.
	RemoveSource(ctx context.Context, tenant TenantID, id SourceID) error
	// RequestImport records an import that reads a database, and its job. Denied if the tenant is switched off; NotFound if
	// its source is not there; Conflict if MaxQueuedDatabases of the tenant wait.
	RequestImport(ctx context.Context, tenant TenantID, id ImportID, database Database, by string) (Import, error)
}
