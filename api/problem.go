package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"dropline/ingest"
)

const (
	problemType    = "application/problem+json"
	problemPrefix  = "urn:dropline:problem:"
	retryAfter     = 5                                  // seconds; a restart of PostgreSQL or of the S3 server takes about that
	internalDetail = "something went wrong in Dropline" // the cause is in the log
	internalHint   = "try again; if it stays, tell the operator the X-Request-Id of this answer"
)

// statusOf is the one table from error kinds to HTTP statuses.
func statusOf(kind ingest.Kind) int {
	switch kind {
	case ingest.Invalid:
		return http.StatusUnprocessableEntity
	case ingest.Denied:
		return http.StatusForbidden
	case ingest.NotFound:
		return http.StatusNotFound
	case ingest.Conflict:
		return http.StatusConflict
	case ingest.Exhausted:
		return http.StatusInsufficientStorage
	case ingest.Unavailable:
		return http.StatusServiceUnavailable
	case ingest.Internal:
	}
	return http.StatusInternalServerError
}

// problemError is an error that is answered as a problem. It serves huma as status, headers and body at once.
type problemError struct {
	Problem
	header http.Header
	cause  error
}

var (
	_ huma.StatusError       = (*problemError)(nil)
	_ huma.HeadersError      = (*problemError)(nil)
	_ huma.ContentTypeFilter = (*problemError)(nil)
)

// Error returns the detail.
func (p *problemError) Error() string { return p.Detail }

// Unwrap returns the cause, which is for the log.
func (p *problemError) Unwrap() error { return p.cause }

// GetStatus returns the HTTP status.
func (p *problemError) GetStatus() int { return p.Status }

// GetHeaders returns the headers to send along.
func (p *problemError) GetHeaders() http.Header { return p.header }

// ContentType returns that of problems.
func (p *problemError) ContentType(string) string { return problemType }

// newProblem makes a problem of a status that no kind stands for, or with a text of its own.
func newProblem(status int, detail, hint string, faults ...ProblemError) *problemError {
	return &problemError{Problem: Problem{
		Type: problemPrefix + slugOf(status), Title: titleOf(status), Status: status, Detail: detail, Hint: hint, Errors: faults,
	}}
}

// with adds a header.
func (p *problemError) with(name, value string) *problemError {
	if p.header == nil {
		p.header = http.Header{}
	}
	p.header.Set(name, value)
	return p
}

// problemOf translates an error. What is Dropline's own fault gets a text that says nothing of its inside.
func problemOf(err error) *problemError {
	var p *problemError
	if errors.As(err, &p) {
		return p
	}
	kind := ingest.KindOf(err)
	status := statusOf(kind)
	detail, hint := ingest.MessageOf(err), ingest.HintOf(err)
	switch kind {
	case ingest.Internal:
		detail, hint = internalDetail, internalHint
	case ingest.Unavailable:
		detail, hint = "a part of Dropline is out of reach for the moment", "try again in a few seconds"
	case ingest.Exhausted:
		if hint == "" {
			hint = "ask the operator for more room"
		}
	case ingest.Invalid, ingest.Denied, ingest.NotFound, ingest.Conflict:
	}
	p = newProblem(status, detail, hint)
	p.cause = err
	if status == http.StatusServiceUnavailable {
		return p.with("Retry-After", strconv.Itoa(retryAfter))
	}
	return p
}

// fail translates err for the request in ctx, and logs what is not the client's doing.
func (s *Server) fail(ctx context.Context, err error) *problemError {
	p := *problemOf(err)
	p.Instance = requestOf(ctx).path
	level := slog.LevelDebug
	switch {
	case ctx.Err() != nil && !errors.Is(context.Cause(ctx), errLate): // the client went away: nobody reads this
	case p.Status == http.StatusServiceUnavailable, p.Status == http.StatusInsufficientStorage:
		level = slog.LevelWarn
	case p.Status >= http.StatusInternalServerError:
		level = slog.LevelError
	}
	if p.cause != nil && p.Status >= http.StatusInternalServerError {
		s.cfg.Logger.LogAttrs(ctx, level, "request failed", slog.String("request", requestOf(ctx).id),
			slog.Int("status", p.Status), slog.Any("error", p.cause))
	}
	return &p
}

// writeProblem answers a request with an error outside of huma.
func (s *Server) writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := s.fail(r.Context(), err)
	for name, values := range p.header {
		w.Header()[name] = values
	}
	body := p.encode()
	w.Header().Set("Content-Type", problemType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // the client is gone if this fails
}

// encode returns the problem's JSON as it goes over the wire.
func (p *problemError) encode() []byte {
	body, err := json.Marshal(p.Problem)
	if err != nil { // strings and numbers only: cannot happen
		body = []byte(`{"status":500}`)
	}
	return append(body, '\n')
}

// transformProblem turns the errors that huma makes itself (validation, body too large) into problems. Values are not given
// back: one of them may be a password.
func (s *Server) transformProblem(ctx huma.Context, _ string, v any) (any, error) {
	switch e := v.(type) {
	case *problemError:
		return e.Problem, nil
	case *huma.ErrorModel:
		p := newProblem(e.Status, e.Detail, "")
		for _, d := range e.Errors {
			if d != nil {
				p.Errors = append(p.Errors, ProblemError{Location: d.Location, Message: d.Message})
			}
		}
		p.explain()
		p.Instance = requestOf(ctx.Context()).path
		return p.Problem, nil
	}
	return v, nil
}

// explain gives a problem of huma's own the words of Dropline's.
func (p *problemError) explain() {
	switch {
	case p.Status == http.StatusUnprocessableEntity && len(p.Errors) > 0:
		p.Detail, p.Hint = "the request is not valid", "see errors; /docs describes the request"
	case p.Status == http.StatusBadRequest:
		if len(p.Errors) > 0 {
			p.Detail = "the request cannot be read"
		}
		p.Hint = "a body is one JSON object in UTF-8, as /docs describes it; a backslash in a text is written twice"
	case p.Status == http.StatusUnsupportedMediaType:
		p.Detail, p.Hint = "a body of this type is not taken here", "send JSON, with the header Content-Type: application/json"
	case p.Status == http.StatusInternalServerError:
		p.Detail, p.Hint, p.Errors = internalDetail, internalHint, nil
	}
}

// slugOf ends the type of a problem.
func slugOf(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "malformed"
	case http.StatusUnauthorized:
		return "unauthorized"
	case http.StatusForbidden:
		return "denied"
	case http.StatusNotFound:
		return "not-found"
	case http.StatusMethodNotAllowed:
		return "method-not-allowed"
	case http.StatusRequestTimeout:
		return "timeout"
	case http.StatusConflict:
		return "conflict"
	case http.StatusLengthRequired:
		return "length-required"
	case http.StatusRequestEntityTooLarge:
		return "too-large"
	case http.StatusUnsupportedMediaType:
		return "unsupported-media-type"
	case http.StatusUnprocessableEntity:
		return "invalid"
	case http.StatusTooManyRequests:
		return "too-many-requests"
	case http.StatusNotImplemented:
		return "not-implemented"
	case http.StatusServiceUnavailable:
		return "unavailable"
	case http.StatusInsufficientStorage:
		return "exhausted"
	}
	return "internal"
}

// titleOf is the title of a status: the standard's, but for those whose standard text misleads.
func titleOf(status int) string {
	switch status {
	case http.StatusUnprocessableEntity:
		return "Invalid Request"
	case http.StatusRequestEntityTooLarge:
		return "Content Too Large"
	}
	return http.StatusText(status)
}
