package api

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"dropline/ingest"
)

const (
	maxBodyBytes    = 1 << 20          // of JSON, YAML and forms; the largest, a mapping, may have 256 KiB
	maxPublicBody   = 16 << 10         // of who has not said who they are: a token request is under 1 KiB
	bodyReadTimeout = 30 * time.Second // for all of such a body
)

// access says who may call an operation.
type access uint8

const (
	public       access = iota // nobody need say who they are
	anyCaller                  // a tenant or the operator
	operatorOnly               //
)

// operation is a huma.Operation with what the router does for it before its handler runs.
type operation struct {
	huma.Operation
	access     access
	idempotent bool          // honours Idempotency-Key
	secret     bool          // its answer may hold a secret, and its body a password
	streams    bool          // its handler reads the body itself
	pattern    string        // path for the mux where the documented one is not fit for it
	repeatable []string      // query parameters that may be given more than once
	bodyLimit  int64         // bytes of its body; 0 is maxBodyBytes
	patience   time.Duration // until its answer begins; 0 is the server's AnswerTimeout
}

// policyKey is where an operation's own settings are in huma's metadata.
const policyKey = "dropline"

// register adds an operation whose handler's errors are of package ingest.
func register[I, O any](s *Server, op operation, handler func(context.Context, *I) (*O, error)) {
	s.document(&op)
	huma.Register(s.api, op.Operation, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err != nil {
			return nil, s.fail(ctx, err)
		}
		return out, nil
	})
}

// router is huma's adapter to the mux: it knows the operation before the handler runs.
type router struct{ server *Server }

// ServeHTTP serves the interface.
func (a *router) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.server.ServeHTTP(w, r) }

// Handle adds an operation to the mux.
func (a *router) Handle(op *huma.Operation, handler func(huma.Context)) {
	policy, _ := op.Metadata[policyKey].(operation)
	pattern := policy.pattern
	if pattern == "" {
		pattern = op.Path
	}
	for _, p := range op.Parameters {
		if p.In == "query" && p.Explode != nil && *p.Explode {
			policy.repeatable = append(policy.repeatable, p.Name)
		}
	}
	a.server.mux.HandleFunc(op.Method+" "+pattern, func(w http.ResponseWriter, r *http.Request) {
		a.server.serve(w, r, &policy, func(w http.ResponseWriter, r *http.Request) {
			handler(humago.NewContext(op, r, w))
		})
	})
}

// serve runs an operation: who is it, may they, what do they send, have they sent it before.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, op *operation, handler http.HandlerFunc) {
	if op.access != public {
		identity, err := s.authenticate(r)
		if err == nil && op.access == operatorOnly && identity.Tenant != "" {
			err = ingest.WithHint(ingest.Errorf(ingest.Denied, "api.serve", "only the operator may do this"),
				"use a token of the operator")
		}
		if err != nil {
			s.writeProblem(w, r, err)
			return
		}
		requestOf(r.Context()).caller = identity.Credential
		r = r.WithContext(context.WithValue(r.Context(), identityKey, identity))
	}
	if err := checkQuery(r.URL.RawQuery, op.repeatable); err != nil {
		s.writeProblem(w, r, err)
		return
	}
	if enc := r.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") && r.ContentLength != 0 {
		s.writeProblem(w, r, newProblem(http.StatusUnsupportedMediaType, "a body with a Content-Encoding is not taken",
			"send it as it is, without Content-Encoding"))
		return
	}
	if op.streams {
		handler(w, r)
		return
	}
	limit := cmp.Or(op.bodyLimit, maxBodyBytes)
	if op.access == public {
		limit = maxPublicBody
	}
	body, err := readBody(w, r, limit)
	if err != nil {
		s.writeProblem(w, r, err)
		return
	}
	r, begun := s.boundAnswer(w, r, cmp.Or(op.patience, s.cfg.AnswerTimeout))
	defer begun()
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	if op.idempotent && len(r.Header.Values(HeaderIdempotencyKey)) > 0 {
		s.once(w, r, op, body, handler)
		return
	}
	handler(w, r)
}

// errLate ends the context of what is not answered in time.
var errLate = errors.New("PostgreSQL or S3 did not answer in time")

// boundAnswer ends the context of a request whose answer does not begin in time: a server that hangs, rather than refuse, must
// not hold a client for ever. An answer that has begun may take as long as it goes on. The returned function ends
// the wait, and must be called.
func (s *Server) boundAnswer(w http.ResponseWriter, r *http.Request, within time.Duration) (*http.Request, func()) {
	ctx, cancel := context.WithCancelCause(r.Context())
	timer := time.AfterFunc(within, func() { cancel(errLate) })
	if answer, ok := w.(*answerWriter); ok {
		answer.begun = func() { timer.Stop() }
	}
	return r.WithContext(ctx), func() {
		timer.Stop()
		cancel(nil)
	}
}

// checkQuery refuses a query that huma would take a part of: one that cannot be read, or says a thing twice.
func checkQuery(raw string, repeatable []string) error {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return newProblem(http.StatusBadRequest, "the query cannot be read", "escape what is special in it")
	}
	for name, values := range query {
		if len(values) > 1 && !slices.Contains(repeatable, name) {
			return newProblem(http.StatusBadRequest, "a query parameter is given more than once", "give it once",
				ProblemError{Location: "query." + name, Message: "given more than once"})
		}
	}
	return nil
}

// readBody reads a bounded body in bounded time. The deadline is taken back, since net/http would end the request's context
// when it passes.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) (string, error) {
	hint := "files are sent with PUT /etl/files/{name}"
	if limit == maxPublicBody {
		hint = "a token request is a short form: grant_type, client_id and client_secret"
	}
	tooLarge := newProblem(http.StatusRequestEntityTooLarge, "the body is larger than "+strconv.FormatInt(limit, 10)+" bytes", hint)
	if r.ContentLength > limit {
		return "", tooLarge
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyReadTimeout)) // recorders in tests know no deadlines
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	_ = control.SetReadDeadline(time.Time{})
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return "", newProblem(http.StatusRequestTimeout, "the body did not arrive in time", "send it again").
			with("Connection", "close")
	case err != nil:
		return "", newProblem(http.StatusBadRequest, "the body broke off", "send it again").with("Connection", "close")
	case int64(len(body)) > limit:
		return "", tooLarge
	}
	return string(body), nil
}
