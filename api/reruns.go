package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"dropline/ingest"
)

// maxProposal is the most that is read of a stored proposal, in bytes: a mapping file has 256 KiB, and its lines with their reasons
// several times as much.
const maxProposal = 16 << 20

type (
	rerunInput struct {
		RequestID string        `path:"requestId" doc:"The import whose files are loaded again" example:"import_0123456789abcdef0123456789abcdef"`
		Body      *RerunRequest `required:"false"`
	}
	proposalOutput struct{ Body Proposal }
)

func (s *Server) registerReruns() {
	register(s, operation{access: anyCaller, idempotent: true, Operation: huma.Operation{
		OperationID: "rerunImport", Method: http.MethodPost, Path: "/etl/imports/{requestId}/rerun", Tags: []string{tagImports},
		DefaultStatus: http.StatusAccepted, Summary: "Load an import's files again",
		Description: "Makes a new import of the stored files, under the latest version of the mapping or the one that is named; its id is in the answer. " +
			"The old import stays on record, with rerunAs; one that is staged or unmapped is cancelled. 409 while the import is worked on, if it " +
			"has been run again already, or if it read a database.",
		Errors: []int{http.StatusNotFound, http.StatusConflict},
	}}, s.rerun)
	register(s, operation{access: anyCaller, Operation: huma.Operation{
		OperationID: "getProposal", Method: http.MethodGet, Path: "/etl/imports/{requestId}/proposal", Tags: []string{tagImports},
		Summary: "Get the mapping that was proposed for an import",
		Description: "Of an import whose files were not understood without a mapping: the draft, why it says what it says, and what it leaves open. " +
			"Stored with PUT /etl/tenants/{slug}/mapping, corrected or as it is, it lets the import go on.",
		Errors: []int{http.StatusNotFound},
	}}, s.proposal)
}

func (s *Server) rerun(ctx context.Context, in *rerunInput) (*startedOutput, error) {
	imp, err := s.findImport(ctx, in.RequestID)
	if err != nil {
		return nil, err
	}
	version := ingest.LatestVersion
	if in.Body != nil && in.Body.MappingVersion != nil {
		version = *in.Body.MappingVersion
		if _, err := s.cfg.Ledger.Mapping(ctx, imp.Tenant, version); err != nil {
			return nil, orAbsent(err, noMapping())
		}
	}
	next, err := s.cfg.Ledger.Rerun(ctx, imp.Tenant, imp.ID, version, callerName(ctx))
	if err != nil {
		return nil, orAbsent(err, noImport())
	}
	message := fmt.Sprintf("Files queued again as a new import, under version %d of the mapping.", next.MappingVersion)
	if next.MappingVersion == 0 {
		message = "Files queued again as a new import, without a mapping."
	}
	return &startedOutput{Body: Started{Message: message, RequestID: string(next.ID)}}, nil
}

func (s *Server) proposal(ctx context.Context, in *importInput) (*proposalOutput, error) {
	imp, err := s.findImport(ctx, in.RequestID)
	if err != nil {
		return nil, err
	}
	body, _, err := s.cfg.Bucket.Open(ctx, ingest.ReportPrefix+string(imp.Tenant)+"/"+string(imp.ID)+"/proposal.json", 0, -1, "")
	if err != nil {
		return nil, orAbsent(err, notFound("no mapping was proposed for the import", "one is proposed where files are not understood and the tenant has no mapping"))
	}
	defer body.Close() //nolint:errcheck // only read: nothing depends on it
	raw, err := io.ReadAll(io.LimitReader(body, maxProposal))
	if err != nil {
		return nil, ingest.E(ingest.Unavailable, "api.proposal", err)
	}
	out := &proposalOutput{}
	if err := json.Unmarshal(raw, &out.Body); err != nil {
		return nil, ingest.E(ingest.Internal, "api.proposal", err)
	}
	if out.Body.Lines == nil {
		out.Body.Lines = []ProposalLine{}
	}
	if out.Body.Open == nil {
		out.Body.Open = []ProposalQuestion{}
	}
	return out, nil
}
