package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"dropline/ingest"
)

type importInput struct {
	RequestID string `path:"requestId" doc:"The import's id" example:"import_0123456789abcdef0123456789abcdef"`
}

type importsInput struct {
	Tenant string   `query:"tenant" doc:"Only this tenant's; with a tenant's token it may only be its own"`
	State  []string `query:"state,explode" enum:"queued,loading,unmapped,validating,staged,rejected,promoting,promoted,rolling_back,rolled_back,failed,cancelled" maxItems:"12" nullable:"false" doc:"Only imports in this state; may be repeated"`
	Limit  int      `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"Imports on a page"`
	Cursor string   `query:"cursor" maxLength:"512" doc:"nextCursor of the page before"`
}

type rowsInput struct {
	RequestID string `path:"requestId" doc:"The import's id" example:"import_0123456789abcdef0123456789abcdef"`
	Table     string `query:"table" required:"true" maxLength:"100" doc:"Published name of a table" example:"Matter"`
	Limit     int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"Rows on a page"`
	Cursor    string `query:"cursor" maxLength:"512" doc:"nextCursor of the page before"`
}

type (
	statusOutput  struct{ Body ImportStatus }
	importsOutput struct{ Body ImportPage }
	rowsOutput    struct{ Body RowPage }
)

func (s *Server) registerImports() {
	register(s, operation{access: anyCaller, Operation: huma.Operation{
		OperationID: "getImportStatus", Method: http.MethodGet, Path: "/etl/import-status/{requestId}", Tags: []string{tagImports},
		Summary: "See how an import or its promotion goes on",
		Description: "State, percent, rows, bytes, files, tables, timings, the promotion's counts and the first refused rows. " +
			"Poll it about once a second.",
		Errors: []int{http.StatusNotFound},
	}}, s.importStatus)
	register(s, operation{access: anyCaller, Operation: huma.Operation{
		OperationID: "getImport", Method: http.MethodGet, Path: "/etl/imports/{requestId}", Tags: []string{tagImports},
		Summary: "Get an import", Description: "The same as GET /etl/import-status/{requestId}.", Errors: []int{http.StatusNotFound},
	}}, s.importStatus)
	register(s, operation{access: anyCaller, Operation: huma.Operation{
		OperationID: "listImports", Method: http.MethodGet, Path: "/etl/imports", Tags: []string{tagImports},
		Summary: "List imports, newest first", Errors: []int{http.StatusNotFound},
		Description: "A tenant's token lists its own. The operator's lists all, or one tenant's.",
	}}, s.listImports)
	register(s, operation{access: anyCaller, Operation: huma.Operation{
		OperationID: "listRows", Method: http.MethodGet, Path: "/etl/imports/{requestId}/rows", Tags: []string{tagImports},
		Summary: "Look at staged rows", Errors: []int{http.StatusNotFound, http.StatusConflict},
		Description: "The rows of one table as they would go to production, references as production ids.",
	}}, s.listRows)
}

// findImport returns the caller's import; the operator's are all.
func (s *Server) findImport(ctx context.Context, requestID string) (ingest.Import, error) {
	id := ingest.ImportID(requestID)
	if !id.Valid() {
		return ingest.Import{}, noImport()
	}
	imp, err := s.cfg.Ledger.Import(ctx, identityOf(ctx).Tenant, id)
	return imp, orAbsent(err, noImport())
}

func (s *Server) importStatus(ctx context.Context, in *importInput) (*statusOutput, error) {
	imp, err := s.findImport(ctx, in.RequestID)
	if err != nil {
		return nil, err
	}
	rejects, warnings, err := s.cfg.Ledger.SampleRejects(ctx, imp.ID, firstErrors)
	if err != nil {
		return nil, err
	}
	return &statusOutput{Body: statusOfImport(&imp, rejects, warnings, s.cfg.Clock())}, nil
}

func (s *Server) listImports(ctx context.Context, in *importsInput) (*importsOutput, error) {
	tenant, err := s.existingScope(ctx, in.Tenant)
	if err != nil {
		return nil, err
	}
	before, err := decodeNumber("imports", in.Cursor)
	if err != nil {
		return nil, err
	}
	filter := ingest.ImportFilter{Tenant: tenant, Before: before, Limit: in.Limit}
	for _, state := range in.State {
		filter.States = append(filter.States, ingest.State(state))
	}
	imports, err := s.cfg.Ledger.ListImports(ctx, filter)
	if err != nil {
		return nil, err
	}
	out := &importsOutput{Body: ImportPage{Items: make([]ImportSummary, 0, len(imports))}}
	for i := range imports {
		out.Body.Items = append(out.Body.Items, summaryOf(&imports[i], s.cfg.Clock()))
	}
	if len(imports) == in.Limit {
		out.Body.NextCursor = encodeCursor("imports", strconv.FormatInt(imports[len(imports)-1].Seq, 10))
	}
	return out, nil
}

// existingScope is scopeOf that finds out whether the tenant the operator names exists: an empty list would say that it has
// nothing.
func (s *Server) existingScope(ctx context.Context, asked string) (ingest.TenantID, error) {
	tenant, err := scopeOf(ctx, asked)
	if err == nil && asked != "" && identityOf(ctx).Tenant == "" {
		_, err = s.cfg.Ledger.Tenant(ctx, tenant)
		err = orAbsent(err, noTenant())
	}
	return tenant, err
}

func (s *Server) listRows(ctx context.Context, in *rowsInput) (*rowsOutput, error) {
	imp, err := s.findImport(ctx, in.RequestID)
	if err != nil {
		return nil, err
	}
	if err := checkedToTheEnd(&imp, "rows"); err != nil {
		return nil, err
	}
	if err := s.checkTable(&imp, in.Table); err != nil {
		return nil, err
	}
	after, err := decodeNumber("rows", in.Cursor)
	if err != nil {
		return nil, err
	}
	out := &rowsOutput{Body: RowPage{Table: in.Table, Items: []json.RawMessage{}}}
	if !slices.ContainsFunc(imp.Tables, func(t ingest.ImportTable) bool { return t.Name == in.Table && t.Staged > 0 }) {
		return out, nil // a table of the schema for which the import has nothing
	}
	rows, next, err := s.cfg.Rows(ctx, imp, in.Table, after, in.Limit)
	if err != nil {
		return nil, err
	}
	out.Body.Items = append(out.Body.Items, rows...)
	if next > after {
		out.Body.NextCursor = encodeCursor("rows", strconv.FormatInt(next, 10))
	}
	return out, nil
}

// checkTable refuses a name that the import's schema does not have.
func (s *Server) checkTable(imp *ingest.Import, table string) error {
	definition, ok := s.cfg.Schemas.Lookup(imp.Schema)
	if !ok {
		return ingest.Errorf(ingest.Conflict, "api.listRows", "this server does not have the schema %s", imp.Schema)
	}
	if definition.Table(table) != nil {
		return nil
	}
	names := make([]string, 0, len(imp.Tables))
	for _, t := range imp.Tables {
		names = append(names, t.Name)
	}
	hint := "the import holds rows of no table yet"
	if len(names) > 0 {
		hint = "the import holds " + strings.Join(names, ", ")
	}
	return newProblem(http.StatusUnprocessableEntity, "the schema has no such table", hint,
		ProblemError{Location: "query.table", Message: "not a table of " + imp.Schema})
}
