package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"dropline/ingest"
)

// drainTimeout bounds how long the rest of a body that nobody wanted is read after the answer; net/http reads up to 256 KiB
// of it so that the connection can be kept.
const drainTimeout = 5 * time.Second

// writeTimeout is how long a client may leave an answer unread before it is cut off.
const writeTimeout = time.Minute

// requestIDPattern is what is taken over from a client's X-Request-Id: enough for UUIDs, nothing that breaks a log.
var requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{8,64}$`)

type contextKey int

const (
	requestKey contextKey = iota
	identityKey
)

// request is what is known of a request all along its way.
type request struct {
	id          string
	path        string // escaped, without the query
	caller      ingest.CredentialID
	holdsSecret bool // its answer must not be kept
}

// requestOf returns the request in ctx; an empty one where there is none.
func requestOf(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey).(*request); ok {
		return r
	}
	return &request{}
}

// guard stands around every request: request id, security headers, recovery from panics, the log, and problems for paths and
// methods that do not exist.
func (s *Server) guard(w http.ResponseWriter, r *http.Request) {
	started := s.cfg.Clock()
	req := &request{id: r.Header.Get(HeaderRequestID), path: r.URL.EscapedPath()}
	if !requestIDPattern.MatchString(req.id) {
		req.id = newRequestID()
	}
	r = r.WithContext(context.WithValue(r.Context(), requestKey, req))
	answer := &answerWriter{ResponseWriter: w, control: http.NewResponseController(w)}
	_ = answer.control.SetWriteDeadline(time.Time{}) // the last request's, on a connection that was kept
	s.setHeaders(answer.Header(), req.id)

	defer func() {
		cause := recover()
		aborted := s.recovered(answer, r, cause)
		// The deadline only bounds the draining of what the handler left unread; net/http sets another for the next
		// request.
		_ = answer.control.SetReadDeadline(time.Now().Add(drainTimeout))
		s.cfg.Logger.LogAttrs(r.Context(), levelOf(req.path), "request", slog.String("request", req.id),
			slog.String("method", r.Method), slog.String("path", req.path), slog.Int("status", answer.status),
			slog.Int64("bytes", answer.written), slog.Duration("took", s.cfg.Clock().Sub(started)),
			slog.String("credential", string(req.caller)))
		if aborted {
			panic(http.ErrAbortHandler) // the one way to tell the client that what it got is not whole
		}
	}()
	s.route(answer, r)
}

// route hands the request to the mux, or answers for it where the mux would do so in plain text.
func (s *Server) route(w *answerWriter, r *http.Request) {
	if !cleanRequestPath(r.URL.EscapedPath()) {
		s.writeProblem(w, r, newProblem(http.StatusBadRequest, "the path holds an empty, \".\" or \"..\" element",
			"send the path in its simplest form"))
		return
	}
	handler, pattern := s.mux.Handler(r)
	if pattern != "" {
		s.mux.ServeHTTP(w, r)
		return
	}
	probe := &probeWriter{header: http.Header{}}
	handler.ServeHTTP(probe, r)
	if probe.status == http.StatusMethodNotAllowed {
		allow := probe.header.Get("Allow")
		s.writeProblem(w, r, newProblem(http.StatusMethodNotAllowed, "this path does not take "+methodName(r.Method),
			"it takes "+allow).with("Allow", allow))
		return
	}
	s.writeProblem(w, r, newProblem(http.StatusNotFound, "there is nothing at this path", "/docs lists all paths"))
}

// recovered answers for a handler that panicked. It reports whether the answer had begun and must be cut off.
func (s *Server) recovered(w *answerWriter, r *http.Request, cause any) (aborted bool) {
	switch {
	case cause == nil:
		return false
	case w.failed != nil:
		return true // huma panics when a client goes away before it has read its answer
	}
	if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		return true
	}
	s.cfg.Logger.LogAttrs(r.Context(), slog.LevelError, "request panicked",
		slog.String("request", requestOf(r.Context()).id), slog.Any("panic", cause), slog.String("stack", string(debug.Stack())))
	if w.status != 0 {
		return true
	}
	clear(w.Header())
	s.setHeaders(w.Header(), requestOf(r.Context()).id)
	s.writeProblem(w, r, newProblem(http.StatusInternalServerError, internalDetail, internalHint))
	return false
}

// setHeaders sets what every answer carries. Handlers replace what they need otherwise.
func (s *Server) setHeaders(h http.Header, requestID string) {
	h.Set(HeaderRequestID, requestID)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("Cache-Control", "no-store")
	if strings.HasPrefix(s.cfg.PublicURL, "https://") {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// cleanRequestPath reports whether an escaped path has no element that the mux would clean away by a redirect.
func cleanRequestPath(p string) bool {
	if !strings.HasPrefix(p, "/") {
		return false
	}
	parts := strings.Split(p[1:], "/")
	for i, part := range parts {
		if part == "." || part == ".." || part == "" && i < len(parts)-1 {
			return false
		}
	}
	return true
}

// methodName is a request's method where it is fit to be printed.
func methodName(method string) string {
	if len(method) > 20 {
		return "this method"
	}
	return method
}

// levelOf keeps out of the log what machines ask every few seconds.
func levelOf(path string) slog.Level {
	switch path {
	case "/healthz", "/readyz", "/metrics":
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

func newRequestID() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return "req_" + hex.EncodeToString(b[:])
}

// answerWriter notes what was answered and bounds how long a client may leave it unread.
type answerWriter struct {
	http.ResponseWriter
	control  *http.ResponseController
	status   int
	written  int64
	failed   error     // of Write: the client is gone
	extended time.Time // when the write deadline was last set
	begun    func()    // if set, told when the answer begins
}

// Unwrap serves http.ResponseController.
func (w *answerWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader sends the header once; a second call, as huma makes after a failed write, does nothing.
func (w *answerWriter) WriteHeader(status int) {
	if w.status != 0 {
		return
	}
	w.status = status
	if w.begun != nil {
		w.begun()
	}
	w.extend()
	w.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the answer.
func (w *answerWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.extend()
	n, err := w.ResponseWriter.Write(p)
	w.written += int64(n)
	if err != nil && w.failed == nil {
		w.failed = err
	}
	return n, err
}

// extend gives the client another writeTimeout, at most once a second. Deadlines of connections are of the real clock.
func (w *answerWriter) extend() {
	if now := time.Now(); now.Sub(w.extended) > time.Second {
		w.extended = now
		_ = w.control.SetWriteDeadline(now.Add(writeTimeout)) // recorders in tests know no deadlines
	}
}

// probeWriter takes the mux's own answer to an unknown path or method.
type probeWriter struct {
	header http.Header
	status int
}

// Header returns the header.
func (w *probeWriter) Header() http.Header { return w.header }

// Write drops the text.
func (w *probeWriter) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader notes the status.
func (w *probeWriter) WriteHeader(status int) { w.status = status }
