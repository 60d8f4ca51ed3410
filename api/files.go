package api

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"dropline/ingest"
)

// idleBody is how long an upload may stand still. Together it may take hours.
const idleBody = time.Minute

type uploadInput struct {
	Name          string `path:"name" doc:"Path below the inbox; it may hold slashes" example:"daily/Matters.csv"`
	Tenant        string `query:"tenant" doc:"For whom; needed with the operator's token"`
	Batch         string `query:"batch" maxLength:"64" doc:"The file waits until POST /etl/batches/{batch}, which makes one import of all that were sent with it: 1 to 64 letters, digits, - and _"`
	ContentDigest string `header:"Content-Digest" maxLength:"1000" doc:"sha-256=:<base64>: of the body (RFC 9530). A body that differs is refused" example:"sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"`
	ReprDigest    string `header:"Repr-Digest" maxLength:"1000" doc:"The same as Content-Digest"`

	body    io.Reader
	header  http.Header
	control *http.ResponseController
	length  int64 // -1: not said
	framed  bool  // it says where its body ends
}

// Resolve takes hold of the body, which huma is not to read.
func (in *uploadInput) Resolve(hc huma.Context) []error {
	r, w := humago.Unwrap(hc)
	in.body, in.header, in.length, in.control = r.Body, r.Header, r.ContentLength, http.NewResponseController(w)
	in.framed = r.ProtoMajor > 1 || len(r.TransferEncoding) > 0 || r.Header.Get("Content-Length") != ""
	return nil
}

type dropInput struct {
	ID     string `path:"id" example:"drop_0123456789abcdef0123456789abcdef"`
	Tenant string `query:"tenant" doc:"Whose; needed with the operator's token"`
}

type dropsInput struct {
	Tenant string `query:"tenant" doc:"Whose; needed with the operator's token"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"Drops on a page"`
	Cursor string `query:"cursor" maxLength:"512" doc:"nextCursor of the page before"`
}

type (
	uploadOutput struct {
		Location string `header:"Location"`
		Body     Drop
	}
	dropOutput  struct{ Body Drop }
	dropsOutput struct{ Body DropPage }
)

func (s *Server) registerFiles() {
	register(s, operation{access: anyCaller, streams: true, pattern: "/etl/files/{name...}", Operation: huma.Operation{
		OperationID: "uploadFile", Method: http.MethodPut, Path: "/etl/files/{name}", Tags: []string{tagFiles},
		DefaultStatus: http.StatusCreated, Summary: "Send a file",
		Description: "The body is the file as it is. It counts once it has arrived whole: a connection that breaks leaves nothing behind. " +
			"The answer comes when the file is durable and recorded; the quiet period later it is imported together with what else arrived. " +
			"The same bytes sent again under the same name are recognised and not loaded twice.",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
			"text/csv":                 {Schema: &huma.Schema{Type: huma.TypeString}},
		}},
		SkipValidateBody: true,
		Errors: []int{
			http.StatusNotFound, http.StatusForbidden, http.StatusRequestTimeout, http.StatusConflict, http.StatusLengthRequired,
			http.StatusInsufficientStorage,
		},
	}}, s.upload)
	// Without this the mux would send the client on to the same path with a slash, and it its file twice.
	s.mux.HandleFunc("PUT /etl/files", func(w http.ResponseWriter, r *http.Request) {
		s.writeProblem(w, r, newProblem(http.StatusNotFound, "the path names no file", "send it to /etl/files/{name}").
			with("Connection", "close"))
	})
	register(s, operation{access: anyCaller, Operation: huma.Operation{
		OperationID: "listDrops", Method: http.MethodGet, Path: "/etl/drops", Tags: []string{tagFiles},
		Summary: "List what was received, newest first", Description: "Every file that arrived, by whichever way.",
		Errors: []int{http.StatusNotFound},
	}}, s.listDrops)
	register(s, operation{access: anyCaller, Operation: huma.Operation{
		OperationID: "getDrop", Method: http.MethodGet, Path: "/etl/drops/{id}", Tags: []string{tagFiles},
		Summary: "Get one received file's record", Description: "Its state, and the import it belongs to once there is one.",
		Errors: []int{http.StatusNotFound},
	}}, s.drop)
}

func (s *Server) upload(ctx context.Context, in *uploadInput) (*uploadOutput, error) {
	tenant, err := oneTenant(ctx, in.Tenant)
	if err != nil {
		return nil, err
	}
	path, err := inboxPath(in.Name)
	if err != nil {
		return nil, err
	}
	if !in.framed { // net/http takes that for an empty file, which it may not be
		return nil, newProblem(http.StatusLengthRequired, "the request does not say how long the file is",
			"send Content-Length, or Transfer-Encoding: chunked").with("Connection", "close")
	}
	if in.header.Get("Content-Range") != "" { // what resumes an upload sends the rest only, which is no file
		return nil, newProblem(http.StatusBadRequest, "a part of a file is not taken",
			"send the whole file, without Content-Range; over SFTP an upload can be resumed",
			ProblemError{Location: "header.Content-Range", Message: "not taken here"}).with("Connection", "close")
	}
	if in.Batch != "" && !ingest.BatchID(in.Batch).Valid() {
		return nil, badBatch("query.batch")
	}
	digests, err := digestsOf(in.header)
	if err != nil {
		return nil, err
	}
	if err := s.roomFor(ctx, tenant, in.length); err != nil {
		return nil, err
	}
	// The body itself tells when the client has gone: net/http also ends the context of a client that has sent all and
	// closed its half of the connection, and such a client still wants its file kept.
	ctx = context.WithoutCancel(ctx)
	body := &countedBody{body: in.body, control: in.control, limit: s.cfg.MaxFileBytes}
	delivery := ingest.Delivery{Tenant: tenant, Path: path, Via: ingest.ViaHTTP, By: callerName(ctx)}
	if in.Batch != "" {
		entry, err := s.cfg.Receiver.Hold(ctx, delivery, ingest.BatchID(in.Batch), &verifiedBody{body: body, digests: digests})
		if err != nil {
			return nil, orAbsent(err, noTenant())
		}
		return &uploadOutput{Location: "/etl/batches/" + in.Batch, Body: heldDrop(&entry, delivery)}, nil
	}
	drop, err := s.cfg.Receiver.Receive(ctx, delivery, &verifiedBody{body: body, digests: digests})
	if err != nil {
		return nil, orAbsent(err, noTenant())
	}
	return &uploadOutput{Location: "/etl/drops/" + string(drop.ID), Body: dropOf(&drop)}, nil
}

// inboxPath is the canonical path of an uploaded file. A name that only means the same after cleaning is refused: a client
// that builds such names by mistake should hear of it.
func inboxPath(name string) (string, error) {
	bad := func(message string) error {
		return newProblem(http.StatusUnprocessableEntity, "the file cannot have this name", "send it under a plain name such as daily/Matters.csv",
			ProblemError{Location: "path.name", Message: message})
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." || part == ".." {
			return "", bad("an element of the path is empty, \".\" or \"..\"")
		}
	}
	path, err := ingest.CleanPath(ingest.Inbox + "/" + name)
	if err != nil {
		return "", bad(ingest.MessageOf(err))
	}
	if ingest.TemporaryName(path) {
		return "", bad("this is a name for unfinished uploads")
	}
	return path, nil
}

// roomFor refuses a file that says it is too large before it is sent.
func (s *Server) roomFor(ctx context.Context, tenant ingest.TenantID, length int64) error {
	if length > s.cfg.MaxFileBytes {
		return fileTooLarge()
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.cfg.AnswerTimeout, errLate)
	defer cancel()
	usage, err := s.cfg.Ledger.Usage(ctx, tenant)
	if err != nil {
		return orAbsent(err, noTenant())
	}
	if usage.Quota > 0 && length > usage.Quota-usage.Bytes {
		return ingest.WithHint(ingest.Errorf(ingest.Exhausted, "api.upload", "the quota of %d bytes does not leave room for this file", usage.Quota),
			"ask the operator for more room")
	}
	return nil
}

func fileTooLarge() error {
	return newProblem(http.StatusRequestEntityTooLarge, "the file is larger than this server takes", "split the file")
}

// countedBody reads an upload: bounded in size, and in how long it may stand still. Deadlines of connections are of the real
// clock.
type countedBody struct {
	body     io.Reader
	control  *http.ResponseController
	limit    int64
	n        int64
	extended time.Time
}

// Read passes on the body. A body that breaks off or is short fails with what Receiver takes for a failure.
func (b *countedBody) Read(p []byte) (int, error) {
	if now := time.Now(); now.Sub(b.extended) > time.Second {
		b.extended = now
		_ = b.control.SetReadDeadline(now.Add(idleBody)) // recorders in tests know no deadlines
	}
	n, err := b.body.Read(p)
	b.n += int64(n)
	if b.n > b.limit {
		return n, fileTooLarge()
	}
	if err == nil {
		return n, nil
	}
	// Net/http goes on reading to notice when the client leaves: the deadline must not look like that.
	_ = b.control.SetReadDeadline(time.Time{})
	var timeout net.Error
	switch {
	case errors.Is(err, io.EOF):
		return n, err
	case errors.As(err, &timeout) && timeout.Timeout():
		return n, newProblem(http.StatusRequestTimeout, "the file stopped arriving", "send it again").with("Connection", "close")
	}
	return n, newProblem(http.StatusBadRequest, "the file broke off", "send it again").with("Connection", "close")
}

func (s *Server) listDrops(ctx context.Context, in *dropsInput) (*dropsOutput, error) {
	tenant, err := oneTenant(ctx, in.Tenant)
	if err != nil {
		return nil, err
	}
	if _, err := s.existingScope(ctx, in.Tenant); err != nil {
		return nil, err
	}
	before, err := decodeCursor("drops", in.Cursor)
	if err != nil {
		return nil, err
	}
	if before != "" && !ingest.DropID(before).Valid() {
		return nil, badCursor()
	}
	drops, err := s.cfg.Ledger.ListDrops(ctx, tenant, ingest.DropID(before), in.Limit)
	if err != nil {
		return nil, orAbsent(err, badCursor())
	}
	out := &dropsOutput{Body: DropPage{Items: make([]Drop, 0, len(drops))}}
	for i := range drops {
		out.Body.Items = append(out.Body.Items, dropOf(&drops[i]))
	}
	if len(drops) == in.Limit {
		out.Body.NextCursor = encodeCursor("drops", string(drops[len(drops)-1].ID))
	}
	return out, nil
}

func (s *Server) drop(ctx context.Context, in *dropInput) (*dropOutput, error) {
	tenant, err := oneTenant(ctx, in.Tenant)
	if err != nil {
		return nil, err
	}
	id := ingest.DropID(in.ID)
	if !id.Valid() {
		return nil, noDrop()
	}
	drop, err := s.cfg.Ledger.Drop(ctx, tenant, id)
	if err != nil {
		return nil, orAbsent(err, noDrop())
	}
	return &dropOutput{Body: dropOf(&drop)}, nil
}

// heldDrop is a file that will be a drop once its batch is delivered.
func heldDrop(e *ingest.Entry, d ingest.Delivery) Drop {
	return Drop{
		Tenant: string(d.Tenant), Path: d.Path, Size: e.Size, SHA256: hex.EncodeToString(e.SHA256[:]), Via: string(d.Via), By: d.By,
		State: "held", ReceivedAt: e.ModTime.UTC(),
	}
}

func dropOf(d *ingest.Drop) Drop {
	return Drop{
		ID: string(d.ID), Tenant: string(d.Tenant), Path: d.Path, Size: d.Size, SHA256: hex.EncodeToString(d.SHA256[:]),
		Via: string(d.Via), By: d.By, State: string(d.State), DuplicateOf: string(d.DuplicateOf), RequestID: string(d.Import),
		ReceivedAt: d.ReceivedAt.UTC(),
	}
}
