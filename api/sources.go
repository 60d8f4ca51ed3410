package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"dropline/ingest"
)

type (
	createSourceInput struct {
		Tenant string `query:"tenant" doc:"For whom; needed with the operator's token"`
		Body   SourceCreate
	}
	sourcesInput struct {
		Tenant string `query:"tenant" doc:"Whose; needed with the operator's token"`
	}
	sourceInput struct {
		ID     string `path:"id" doc:"The source" example:"source_0123456789abcdef0123456789abcdef"`
		Tenant string `query:"tenant" doc:"Whose; needed with the operator's token"`
	}
	changeSourceInput struct { // spelt out: what an unexported struct embeds is passed over
		ID     string `path:"id" doc:"The source" example:"source_0123456789abcdef0123456789abcdef"`
		Tenant string `query:"tenant" doc:"Whose; needed with the operator's token"`
		Body   SourceChange
	}
	importSourceInput struct {
		ID     string        `path:"id" doc:"The source" example:"source_0123456789abcdef0123456789abcdef"`
		Tenant string        `query:"tenant" doc:"Whose; needed with the operator's token"`
		Body   *SourceImport // may be left out
	}
	sourceOutput  struct{ Body Source }
	sourcesOutput struct{ Body SourceList }
)

func (s *Server) registerSources() {
	register(s, operation{access: anyCaller, idempotent: true, secret: true, Operation: huma.Operation{
		OperationID: "createSource", Method: http.MethodPost, Path: "/etl/sources", Tags: []string{tagDatabases},
		DefaultStatus: http.StatusCreated, Summary: "Store a database to import from",
		Description: "Its connection string is encrypted with the operator's key and never shown again.",
		Errors:      []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusNotImplemented},
	}}, s.createSource)
	register(s, operation{access: anyCaller, Operation: huma.Operation{
		OperationID: "listSources", Method: http.MethodGet, Path: "/etl/sources", Tags: []string{tagDatabases},
		Summary: "List stored databases", Description: "In the order of their names.", Errors: []int{http.StatusNotFound},
	}}, s.listSources)
	register(s, operation{access: anyCaller, Operation: huma.Operation{
		OperationID: "getSource", Method: http.MethodGet, Path: "/etl/sources/{id}", Tags: []string{tagDatabases},
		Summary: "Get a stored database", Description: "Without its connection string.", Errors: []int{http.StatusNotFound},
	}}, s.source)
	register(s, operation{access: anyCaller, secret: true, Operation: huma.Operation{
		OperationID: "changeSource", Method: http.MethodPatch, Path: "/etl/sources/{id}", Tags: []string{tagDatabases},
		Summary: "Change a stored database",
		Description: "Its name, its connection string, or how it is read. An import of it that has still to be read fails if it names " +
			"another database by then.",
		Errors: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusNotImplemented},
	}}, s.changeSource)
	register(s, operation{access: anyCaller, Operation: huma.Operation{
		OperationID: "removeSource", Method: http.MethodDelete, Path: "/etl/sources/{id}", Tags: []string{tagDatabases},
		Summary: "Forget a stored database", Description: "And its connection string. What was imported from it stays.",
		Errors: []int{http.StatusNotFound},
	}}, s.removeSource)
	register(s, operation{access: anyCaller, idempotent: true, Operation: huma.Operation{
		OperationID: "importFromSource", Method: http.MethodPost, Path: "/etl/sources/{id}/import", Tags: []string{tagDatabases},
		DefaultStatus: http.StatusAccepted, Summary: "Import from a stored database",
		Description: "Reads what has changed since the source's last import that is staged or promoted, of tables that have a row version or a " +
			"column of the last change, and all of the others. Full reads everything. The body may be left out.",
		Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusNotImplemented},
	}}, func(ctx context.Context, in *importSourceInput) (*startedOutput, error) {
		tenant, err := oneTenant(ctx, in.Tenant)
		if err != nil {
			return nil, err
		}
		return s.importSource(ctx, tenant, in.ID, ingest.DatabaseOptions{Full: in.Body != nil && in.Body.Full})
	})
	register(s, operation{access: anyCaller, patience: s.dryRunTimeout(), Operation: huma.Operation{
		OperationID: "dryRunSource", Method: http.MethodPost, Path: "/etl/sources/{id}/dry-run", Tags: []string{tagDatabases},
		Summary: "See what an import from a stored database would find", Description: "As POST /etl/import/dry-run.",
		Errors: []int{
			http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests, http.StatusNotImplemented,
		},
	}}, func(ctx context.Context, in *sourceInput) (*dryRunOutput, error) {
		tenant, err := oneTenant(ctx, in.Tenant)
		if err != nil {
			return nil, err
		}
		return s.dryRunSource(ctx, tenant, in.ID, "")
	})
}

func noSource() error {
	return notFound("there is no such source", "a source is named by its id; GET /etl/sources lists them")
}

// findSource returns the tenant's source of that id.
func (s *Server) findSource(ctx context.Context, tenant ingest.TenantID, id string) (ingest.Source, error) {
	if !ingest.SourceID(id).Valid() {
		return ingest.Source{}, noSource()
	}
	source, err := s.cfg.Ledger.Source(ctx, tenant, ingest.SourceID(id))
	return source, orAbsent(err, noSource())
}

func (s *Server) createSource(ctx context.Context, in *createSourceInput) (*sourceOutput, error) {
	tenant, err := oneTenant(ctx, in.Tenant)
	if err != nil {
		return nil, err
	}
	b := &in.Body
	c, err := s.connectionOf(b.ConnectionString, b.CertificateAuthority)
	if err != nil {
		return nil, err
	}
	source := ingest.Source{
		ID: ingest.NewSourceID(), Tenant: tenant, Name: b.Name, Server: c.server, Database: c.database, Isolation: b.Isolation,
		CreatedBy: callerName(ctx),
	}
	if source.Sealed, err = s.seal(ctx, &c, tenant, string(source.ID)); err != nil {
		return nil, err
	}
	source, err = s.cfg.Ledger.AddSource(ctx, source)
	if err != nil {
		return nil, orAbsent(err, noTenant())
	}
	return &sourceOutput{Body: sourceOf(&source)}, nil
}

func (s *Server) listSources(ctx context.Context, in *sourcesInput) (*sourcesOutput, error) {
	tenant, err := oneTenant(ctx, in.Tenant)
	if err != nil {
		return nil, err
	}
	if _, err := s.cfg.Ledger.Tenant(ctx, tenant); err != nil {
		return nil, orAbsent(err, noTenant())
	}
	sources, err := s.cfg.Ledger.ListSources(ctx, tenant)
	if err != nil {
		return nil, err
	}
	out := &sourcesOutput{Body: SourceList{Items: make([]Source, 0, len(sources))}}
	for i := range sources {
		out.Body.Items = append(out.Body.Items, sourceOf(&sources[i]))
	}
	return out, nil
}

func (s *Server) source(ctx context.Context, in *sourceInput) (*sourceOutput, error) {
	tenant, err := oneTenant(ctx, in.Tenant)
	if err != nil {
		return nil, err
	}
	source, err := s.findSource(ctx, tenant, in.ID)
	if err != nil {
		return nil, err
	}
	return &sourceOutput{Body: sourceOf(&source)}, nil
}

func (s *Server) changeSource(ctx context.Context, in *changeSourceInput) (*sourceOutput, error) {
	tenant, err := oneTenant(ctx, in.Tenant)
	if err != nil {
		return nil, err
	}
	source, err := s.findSource(ctx, tenant, in.ID)
	if err != nil {
		return nil, err
	}
	b := &in.Body
	change := ingest.SourceChange{Name: b.Name, Isolation: b.Isolation}
	switch {
	case b.ConnectionString != nil:
		authority := ""
		if b.CertificateAuthority != nil {
			authority = *b.CertificateAuthority
		}
		c, err := s.connectionOf(*b.ConnectionString, authority)
		if err != nil {
			return nil, err
		}
		change.Server, change.Database = c.server, c.database
		if change.Sealed, err = s.seal(ctx, &c, tenant, string(source.ID)); err != nil {
			return nil, err
		}
	case b.CertificateAuthority != nil:
		return nil, badRequest("body.certificateAuthority", "a certificate authority is changed together with the connection string", "send both")
	}
	source, err = s.cfg.Ledger.ChangeSource(ctx, tenant, source.ID, change)
	if err != nil {
		return nil, orAbsent(err, noSource())
	}
	return &sourceOutput{Body: sourceOf(&source)}, nil
}

func (s *Server) removeSource(ctx context.Context, in *sourceInput) (*struct{}, error) {
	tenant, err := oneTenant(ctx, in.Tenant)
	if err != nil {
		return nil, err
	}
	if !ingest.SourceID(in.ID).Valid() {
		return nil, noSource()
	}
	return nil, orAbsent(s.cfg.Ledger.RemoveSource(ctx, tenant, ingest.SourceID(in.ID)), noSource())
}

// importSource queues an import from a source. The isolation, unless given, is the source's.
func (s *Server) importSource(ctx context.Context, tenant ingest.TenantID, id string, o ingest.DatabaseOptions) (*startedOutput, error) {
	source, err := s.findSource(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	if err := s.takesDatabases(); err != nil {
		return nil, err
	}
	if o.Isolation == "" {
		o.Isolation = source.Isolation
	}
	return s.requestImport(ctx, tenant, ingest.NewImportID(), ingest.Database{Source: source.ID, Options: o}, noSource())
}

func sourceOf(source *ingest.Source) Source {
	isolation := source.Isolation
	if isolation == "" {
		isolation = "auto"
	}
	return Source{
		ID: string(source.ID), Tenant: string(source.Tenant), Name: source.Name, Kind: "sqlserver", Server: source.Server,
		Database: source.Database, Isolation: isolation, CreatedAt: source.CreatedAt, CreatedBy: source.CreatedBy,
		ChangedAt: source.ChangedAt, LastImport: string(source.LastID),
	}
}
