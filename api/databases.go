package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"dropline/ingest"
)

// Databases is what the API needs to take in connection strings.
type Databases struct {
	// Check parses a connection string and returns the server and database that it names, for people. An error of kind
	// Invalid or Denied is the client's to mend and holds nothing secret; a method ConnectionKey names the key at fault.
	Check func(connectionString string) (server, database string, err error)
	// Seal encrypts what is kept, bound to what it is kept for. Nil where no key is configured: then nothing is taken in.
	Seal func(ctx context.Context, plain []byte, bound string) ([]byte, error)
	// Unseal is its reverse, and there wherever Seal is.
	Unseal func(ctx context.Context, sealed []byte, bound string) ([]byte, error)
	// DryRun connects and says what an import would find. An error whose method OfSource says so is of the client's database.
	DryRun func(ctx context.Context, tenant ingest.TenantID, secret ingest.DatabaseSecret, o ingest.DatabaseOptions) (*ingest.DryRun, error)
	// DryRunTimeout is how long it may take; 0 is DefaultDryRunTimeout.
	DryRunTimeout time.Duration
	// Egress are the addresses from which the service connects, told to clients for their firewalls.
	Egress []string
}

type databaseInput struct {
	Tenant string `query:"tenant" doc:"For whom; needed with the operator's token"`
	Body   ImportRequest
}

type dryRunOutput struct{ Body DryRun }

func (s *Server) registerDatabases() {
	const kept = " The connection string is encrypted with the operator's key, never shown or logged, and wiped when the import is staged."
	register(s, operation{access: anyCaller, idempotent: true, secret: true, Operation: huma.Operation{
		OperationID: "importDatabase", Method: http.MethodPost, Path: "/etl/import", Tags: []string{tagDatabases},
		DefaultStatus: http.StatusAccepted, Summary: "Import from a SQL Server database",
		Description: "Queues the import of every table of the schema that the database has. GET /etl/import-status/{requestId} shows how it " +
			"goes on. A connection string that cannot be used is answered 400, which names the key at fault." + kept,
		Errors: []int{
			http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusNotImplemented,
		},
	}}, s.importDatabase)
	register(s, operation{access: anyCaller, secret: true, patience: s.dryRunTimeout(), Operation: huma.Operation{
		OperationID: "dryRunDatabase", Method: http.MethodPost, Path: "/etl/import/dry-run", Tags: []string{tagDatabases},
		Summary: "See what an import from a database would find",
		Description: "Connects, compares what is there with the schema, reads the first rows of each table, and says what would be refused. " +
			"Nothing is stored. It takes up to two minutes; a tenant may have two at a time.",
		Errors: []int{
			http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests, http.StatusNotImplemented,
		},
	}}, s.dryRun)
}

func (s *Server) importDatabase(ctx context.Context, in *databaseInput) (*startedOutput, error) {
	tenant, err := oneTenant(ctx, in.Tenant)
	if err != nil {
		return nil, err
	}
	b := &in.Body
	if err := eitherOr(b); err != nil {
		return nil, err
	}
	if b.Source != "" {
		return s.importSource(ctx, tenant, b.Source, ingest.DatabaseOptions{Isolation: b.Isolation, Full: b.Full})
	}
	c, err := s.connectionOf(b.ConnectionString, b.CertificateAuthority)
	if err != nil {
		return nil, err
	}
	id := ingest.NewImportID()
	sealed, err := s.seal(ctx, &c, tenant, string(id))
	if err != nil {
		return nil, err
	}
	return s.requestImport(ctx, tenant, id, ingest.Database{
		Server: c.server, Name: c.database, Sealed: sealed, Options: ingest.DatabaseOptions{Isolation: b.Isolation, Full: true},
	}, noTenant())
}

// eitherOr refuses a request that names no database, or two.
func eitherOr(b *ImportRequest) error {
	bad := func(location, message string) error {
		return badRequest(location, message, "send a connectionString, or the id of a source")
	}
	switch {
	case strings.TrimSpace(b.ConnectionString) == "" && b.Source == "":
		return bad("body.connectionString", "the connection string is missing")
	case b.ConnectionString != "" && b.Source != "":
		return bad("body.source", "a connection string and a source are two databases")
	case b.Source != "" && b.CertificateAuthority != "":
		return bad("body.certificateAuthority", "a source has its own certificate authority")
	}
	return nil
}

func (s *Server) requestImport(ctx context.Context, tenant ingest.TenantID, id ingest.ImportID, d ingest.Database, absent error,
) (*startedOutput, error) {
	if _, err := s.cfg.Ledger.RequestImport(ctx, tenant, id, d, callerName(ctx)); err != nil {
		return nil, orAbsent(err, absent)
	}
	return &startedOutput{Body: Started{Message: "Import request queued successfully.", RequestID: string(id)}}, nil
}

// databaseOf is what an import's status says of its database; nil where it has none.
func databaseOf(d *ingest.Database) *ImportDatabase {
	if d == nil {
		return nil
	}
	out := &ImportDatabase{
		Source: string(d.Source), Server: d.Server, Database: d.Name, Snapshots: d.Snapshots, IncrementalOf: string(d.BaseID),
		Relations: []ImportedRelation{}, Missing: []string{}, Ignored: []string{}, Notes: []string{},
	}
	if d.Plan == nil {
		return out
	}
	out.Version, out.Isolation, out.IsolationNote = d.Plan.Version, d.Plan.Isolation, d.Plan.IsolationNote
	out.Missing, out.Ignored = append(out.Missing, d.Plan.Missing...), append(out.Ignored, d.Plan.Ignored...)
	out.Notes = append(out.Notes, d.Plan.Notes...)
	for i := range d.Plan.Relations {
		r := &d.Plan.Relations[i]
		relation := ImportedRelation{
			Name: r.Name, Table: r.Table, Since: r.Since, Parts: r.Parts, Done: r.Done,
			Columns: append([]string{}, r.Columns...), IgnoredColumns: append([]string{}, r.Ignored...),
		}
		if r.Rows >= 0 {
			relation.RowsExpected = ptr(r.Rows)
		}
		out.Relations = append(out.Relations, relation)
	}
	return out
}
