package api

import (
	"context"
	"encoding/hex"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"dropline/ingest"
)

type (
	batchInput struct {
		Batch  string `path:"batch" doc:"Chosen by the sender: 1 to 64 letters, digits, - and _" example:"2026-11-22"`
		Tenant string `query:"tenant" doc:"Whose; needed with the operator's token"`
	}
	deliverInput struct { // spelt out: what an unexported struct embeds is passed over
		Batch  string `path:"batch" doc:"Chosen by the sender: 1 to 64 letters, digits, - and _" example:"2026-11-22"`
		Tenant string `query:"tenant" doc:"Whose; needed with the operator's token"`
		Body   BatchDeliver
	}
	batchOutput     struct{ Body BatchFiles }
	deliveredOutput struct{ Body BatchDelivered }
)

// BatchDeliver asks for a batch to be delivered.
type BatchDeliver struct {
	Files int `json:"files" doc:"How many files it has: another number is refused" minimum:"1" maximum:"10000"`
}

// BatchFiles are the files that wait for a batch to be delivered.
type BatchFiles struct {
	Tenant string     `json:"tenant" doc:"Whose they are" example:"acme"`
	Items  []HeldFile `json:"items" nullable:"false"`
}

// HeldFile is a file that waits for its batch.
type HeldFile struct {
	Name   string `json:"name" doc:"Path below the inbox" example:"daily/Matters.csv"`
	Size   int64  `json:"size" doc:"Bytes"`
	SHA256 string `json:"sha256" doc:"Lower-case hex"`
}

// BatchDelivered says what became of a batch.
type BatchDelivered struct {
	Message   string `json:"message" example:"Batch delivered."`
	RequestID string `json:"requestId,omitempty" doc:"The import; absent where every file equals the latest of its name" example:"import_0123456789abcdef0123456789abcdef"`
	Files     []Drop `json:"files" nullable:"false"`
}

func (s *Server) registerBatches() {
	register(s, operation{access: anyCaller, Operation: huma.Operation{
		OperationID: "listBatch", Method: http.MethodGet, Path: "/etl/batches/{batch}", Tags: []string{tagFiles},
		Summary: "List the files that wait for a batch", Description: "Those sent with ?batch= and not yet delivered.",
		Errors: []int{http.StatusNotFound},
	}}, s.listBatch)
	register(s, operation{access: anyCaller, idempotent: true, Operation: huma.Operation{
		OperationID: "deliverBatch", Method: http.MethodPost, Path: "/etl/batches/{batch}", Tags: []string{tagFiles},
		DefaultStatus: http.StatusAccepted, Summary: "Deliver a batch",
		Description: "Makes one import of all files sent with ?batch=, at once. 409 if there are others than it says.",
		Errors:      []int{http.StatusNotFound, http.StatusForbidden, http.StatusConflict},
	}}, s.deliverBatch)
	register(s, operation{access: anyCaller, Operation: huma.Operation{
		OperationID: "discardBatch", Method: http.MethodDelete, Path: "/etl/batches/{batch}", Tags: []string{tagFiles},
		Summary: "Discard a batch", Description: "Removes the files that wait for it.", Errors: []int{http.StatusNotFound},
	}}, s.discardBatch)
}

// batchOf is the tenant and batch of a request.
func (s *Server) batchOf(ctx context.Context, in *batchInput) (ingest.TenantID, ingest.BatchID, error) {
	tenant, err := oneTenant(ctx, in.Tenant)
	if err != nil {
		return "", "", err
	}
	if _, err := s.cfg.Ledger.Tenant(ctx, tenant); err != nil {
		return "", "", orAbsent(err, noTenant())
	}
	batch := ingest.BatchID(in.Batch)
	if !batch.Valid() {
		return "", "", badBatch("path.batch")
	}
	return tenant, batch, nil
}

func badBatch(location string) error {
	return newProblem(http.StatusUnprocessableEntity, "the batch cannot have this name", "use 1 to 64 letters, digits, - and _",
		ProblemError{Location: location, Message: "1 to 64 letters, digits, - and _"})
}

func (s *Server) listBatch(ctx context.Context, in *batchInput) (*batchOutput, error) {
	tenant, batch, err := s.batchOf(ctx, in)
	if err != nil {
		return nil, err
	}
	held, err := s.cfg.Ledger.ListHeld(ctx, tenant, batch)
	if err != nil {
		return nil, err
	}
	out := &batchOutput{Body: BatchFiles{Tenant: string(tenant), Items: make([]HeldFile, 0, len(held))}}
	for i := range held {
		out.Body.Items = append(out.Body.Items, heldOf(&held[i], batch))
	}
	return out, nil
}

func heldOf(e *ingest.Entry, batch ingest.BatchID) HeldFile {
	final, _ := batch.Final(e.Path)
	return HeldFile{Name: final[len(ingest.Inbox)+1:], Size: e.Size, SHA256: hex.EncodeToString(e.SHA256[:])}
}

func (s *Server) deliverBatch(ctx context.Context, in *deliverInput) (*deliveredOutput, error) {
	tenant, batch, err := s.batchOf(ctx, &batchInput{Batch: in.Batch, Tenant: in.Tenant})
	if err != nil {
		return nil, err
	}
	delivered, err := s.cfg.Ledger.Deliver(ctx, tenant, batch, in.Body.Files)
	if err != nil {
		return nil, err
	}
	out := &deliveredOutput{Body: BatchDelivered{
		Message: "Batch delivered.", RequestID: string(delivered.Import), Files: make([]Drop, 0, len(delivered.Drops)),
	}}
	if delivered.Import == "" {
		out.Body.Message = "Nothing new: every file equals the latest of its name."
	}
	for i := range delivered.Drops {
		out.Body.Files = append(out.Body.Files, dropOf(&delivered.Drops[i]))
	}
	return out, nil
}

func (s *Server) discardBatch(ctx context.Context, in *batchInput) (*struct{}, error) {
	tenant, batch, err := s.batchOf(ctx, in)
	if err != nil {
		return nil, err
	}
	_, err = s.cfg.Ledger.Discard(ctx, tenant, batch)
	return nil, err
}
