package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"dropline/ingest"
)

type promoteInput struct{ Body PromoteRequest }

type startedOutput struct{ Body Started }

// importRequest is a method of the ledger that asks for something to be done with an import.
type importRequest func(ctx context.Context, tenant ingest.TenantID, id ingest.ImportID, by string) (ingest.Import, error)

func (s *Server) registerPromotions() {
	register(s, operation{access: anyCaller, idempotent: true, Operation: huma.Operation{
		OperationID: "promoteToProduction", Method: http.MethodPost, Path: "/etl/promote-to-production", Tags: []string{tagImports},
		DefaultStatus: http.StatusAccepted, Summary: "Promote an import to production",
		Description: "Starts the promotion of a staged import: all of its rows or none. GET /etl/import-status/{requestId} shows how it " +
			"goes on. 409 if the import is not staged, or if an older import of the tenant must be promoted first: the detail names it.",
		Errors: []int{http.StatusNotFound, http.StatusConflict},
	}}, s.promote)
	s.registerRequest("cancelImport", "cancel", "Cancel an import",
		"Ends an import that is queued, loading, unmapped or validating, or gives up a staged one. Retry takes it up again.", "Import cancelled.", s.cfg.Ledger.Cancel)
	s.registerRequest("retryImport", "retry", "Retry an import",
		"Takes a failed, cancelled or unmapped import back to queued, under the same id.", "Import queued again.", s.cfg.Ledger.Retry)
	s.registerRequest("rollbackImport", "rollback", "Roll a promotion back",
		"Takes the tenant's last promoted import back out of production: what was there before is there again. 409 if a later "+
			"import is promoted, or if the time in which it can be rolled back is over.",
		"Rollback of production started.", s.cfg.Ledger.RequestRollback)
}

func (s *Server) registerRequest(id, verb, summary, description, message string, do importRequest) {
	register(s, operation{access: anyCaller, idempotent: true, Operation: huma.Operation{
		OperationID: id, Method: http.MethodPost, Path: "/etl/imports/{requestId}/" + verb, Tags: []string{tagImports},
		DefaultStatus: http.StatusAccepted, Summary: summary, Description: description,
		Errors: []int{http.StatusNotFound, http.StatusConflict},
	}}, func(ctx context.Context, in *importInput) (*startedOutput, error) {
		id := ingest.ImportID(in.RequestID)
		if !id.Valid() {
			return nil, noImport()
		}
		if _, err := do(ctx, identityOf(ctx).Tenant, id, callerName(ctx)); err != nil {
			return nil, orAbsent(err, noImport())
		}
		return &startedOutput{Body: Started{Message: message, RequestID: in.RequestID}}, nil
	})
}

func (s *Server) promote(ctx context.Context, in *promoteInput) (*startedOutput, error) {
	id := ingest.ImportID(in.Body.RequestID)
	if !id.Valid() {
		return nil, noImport()
	}
	override := strings.TrimSpace(in.Body.Override)
	_, err := s.cfg.Ledger.RequestPromotion(ctx, identityOf(ctx).Tenant, id, callerName(ctx), override)
	if err != nil {
		return nil, orAbsent(err, noImport())
	}
	return &startedOutput{Body: Started{Message: "Promotion to production started.", RequestID: in.Body.RequestID}}, nil
}
