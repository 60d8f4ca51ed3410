package api

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"dropline/ingest"
)

// Databases is what the API needs to take in connection strings.
type Databases struct {
	// Check parses a connection string and returns the server and database that it names, for people. An error of kind
	// Invalid or Denied names the key at fault and holds nothing secret.
	Check func(connectionString string) (server, database string, err error)
	// Seal encrypts what is kept, bound to what it is kept for. Nil where no key is configured: then nothing is taken in.
	Seal func(ctx context.Context, plain []byte, bound string) ([]byte, error)
	// Unseal is its reverse.
	Unseal func(ctx context.Context, sealed []byte, bound string) ([]byte, error)
	// DryRun connects and says what an import would find.
	DryRun func(ctx context.Context, tenant ingest.TenantID, secret ingest.DatabaseSecret, o ingest.DatabaseOptions) (*ingest.DryRun, error)
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
		Errors: []int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusNotImplemented},
	}}, s.importDatabase)
	register(s, operation{access: anyCaller, secret: true, Operation: huma.Operation{
		OperationID: "dryRunDatabase", Method: http.MethodPost, Path: "/etl/import/dry-run", Tags: []string{tagDatabases},
		Summary: "See what an import from a database would find",
		Description: "Connects, compares what is there with the schema, reads the first rows of each table, and says what would be refused. " +
			"Nothing is stored.",
		Errors: []int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusNotImplemented},
	}}, s.dryRun)
}

// secretOf checks a connection string and what goes with it.
func (s *Server) secretOf(text, authority, at string) (secret ingest.DatabaseSecret, server, database string, err error) {
	if s.cfg.Databases == nil || s.cfg.Databases.Seal == nil {
		return secret, "", "", newProblem(http.StatusNotImplemented, "this server imports from no databases: it has no key to encrypt connection strings with",
			"ask the operator to set secrets.key_file or secrets.kms_key")
	}
	if authority != "" {
		if block, _ := pem.Decode([]byte(authority)); block == nil || block.Type != "CERTIFICATE" {
			return secret, "", "", newProblem(http.StatusBadRequest, "the certificate authority is no certificate in PEM",
				"send the text between and with BEGIN CERTIFICATE and END CERTIFICATE",
				ProblemError{Location: "body.certificateAuthority", Message: "not a certificate in PEM"})
		}
	}
	server, database, err = s.cfg.Databases.Check(text)
	if err != nil {
		return secret, "", "", connectionProblem(err, at)
	}
	return ingest.DatabaseSecret{ConnectionString: text, CertificateAuthority: authority}, server, database, nil
}

// connectionProblem answers a connection string that cannot be used.
func connectionProblem(err error, at string) error {
	if kind := ingest.KindOf(err); kind != ingest.Invalid && kind != ingest.Denied {
		return err
	}
	message := ingest.MessageOf(err)
	var named interface{ ConnectionKey() string }
	if errors.As(err, &named) && named.ConnectionKey() != "" {
		at += "." + named.ConnectionKey()
	}
	p := newProblem(http.StatusBadRequest, message, ingest.HintOf(err), ProblemError{Location: at, Message: message})
	p.cause = err
	return p
}

func (s *Server) seal(ctx context.Context, secret ingest.DatabaseSecret, tenant ingest.TenantID, id string) ([]byte, error) {
	plain, err := json.Marshal(secret)
	if err != nil {
		return nil, err
	}
	return s.cfg.Databases.Seal(ctx, plain, ingest.SealedFor(tenant, id))
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
	secret, server, database, err := s.secretOf(b.ConnectionString, b.CertificateAuthority, "body.connectionString")
	if err != nil {
		return nil, err
	}
	id := ingest.NewImportID()
	sealed, err := s.seal(ctx, secret, tenant, string(id))
	if err != nil {
		return nil, err
	}
	return s.requestImport(ctx, tenant, id, ingest.Database{
		Server: server, Name: database, Sealed: sealed, Options: ingest.DatabaseOptions{Isolation: b.Isolation, Full: true},
	}, noTenant())
}

// eitherOr refuses a request that names no database, or two.
func eitherOr(b *ImportRequest) error {
	bad := func(location, message string) error {
		return newProblem(http.StatusBadRequest, message, "send a connectionString, or the id of a source", ProblemError{Location: location, Message: message})
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

func (s *Server) dryRun(ctx context.Context, in *databaseInput) (*dryRunOutput, error) {
	tenant, err := oneTenant(ctx, in.Tenant)
	if err != nil {
		return nil, err
	}
	b := &in.Body
	if err := eitherOr(b); err != nil {
		return nil, err
	}
	if b.Source != "" {
		return s.dryRunSource(ctx, tenant, b.Source, b.Isolation)
	}
	secret, _, _, err := s.secretOf(b.ConnectionString, b.CertificateAuthority, "body.connectionString")
	if err != nil {
		return nil, err
	}
	return s.dryRunWith(ctx, tenant, secret, b.Isolation)
}

// dryRunWith connects to the database. What the client's server refuses is the client's to mend.
func (s *Server) dryRunWith(ctx context.Context, tenant ingest.TenantID, secret ingest.DatabaseSecret, isolation string) (*dryRunOutput, error) {
	if _, err := s.cfg.Ledger.Tenant(ctx, tenant); err != nil {
		return nil, orAbsent(err, noTenant())
	}
	found, err := s.cfg.Databases.DryRun(ctx, tenant, secret, ingest.DatabaseOptions{Isolation: isolation, Full: true})
	var source interface{ OfSource() bool }
	if errors.As(err, &source) {
		p := newProblem(http.StatusBadRequest, ingest.MessageOf(err), ingest.HintOf(err),
			ProblemError{Location: "body.connectionString", Message: ingest.MessageOf(err)})
		p.cause = err
		return nil, p
	}
	if err != nil {
		return nil, err
	}
	return &dryRunOutput{Body: dryRunOf(found)}, nil
}

func dryRunOf(found *ingest.DryRun) DryRun {
	out := DryRun{
		ImportDatabase: *databaseOf(&ingest.Database{Server: found.Server, Name: found.Database, Plan: &found.Plan}),
		Refused:        make([]RefusedRelation, 0, len(found.Plan.Refused)), Samples: make([]Sample, 0, len(found.Samples)),
		Loads: len(found.Plan.Refused) == 0 && len(found.Plan.Relations) > 0,
	}
	for _, r := range found.Plan.Refused {
		out.Refused = append(out.Refused, RefusedRelation(r))
	}
	for _, sample := range found.Samples {
		out.Samples = append(out.Samples, Sample{
			Name: sample.Relation, Table: sample.Table, RowsRead: sample.Read, RowsRejected: sample.Rejected, FirstErrors: rejectsOf(sample.Rejects),
		})
	}
	return out
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
