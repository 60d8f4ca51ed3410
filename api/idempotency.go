package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/crypto/argon2"

	"dropline/ingest"
)

const (
	maxIdempotencyKey = 255
	settleTimeout     = 10 * time.Second // the answer waits for it: without it, a second try would be refused for a minute
	maxHashing        = 2                // slow hashes at a time: each takes hashMemory
	hashMemory        = 19 << 10         // KiB, with two passes: OWASP's least for argon2id
	hashPasses        = 2
)

// once carries out a request with an Idempotency-Key, or gives the answer that it got the first time.
func (s *Server) once(w http.ResponseWriter, r *http.Request, op *operation, body string, handler http.HandlerFunc) {
	ctx := r.Context()
	keys := r.Header.Values(HeaderIdempotencyKey)
	if len(keys) != 1 || !visibleASCII(keys[0]) || len(keys[0]) > maxIdempotencyKey {
		s.writeProblem(w, r, newProblem(http.StatusBadRequest, "the Idempotency-Key is not 1 to 255 visible ASCII characters",
			"use a UUID", ProblemError{Location: "header.Idempotency-Key", Message: "1 to 255 visible ASCII characters, once"}))
		return
	}
	caller, key := string(identityOf(ctx).Credential), keys[0]
	hash, err := s.requestHash(ctx, r, op, body)
	if err != nil {
		s.writeProblem(w, r, err)
		return
	}
	stored, err := s.cfg.Ledger.Remember(ctx, caller, key, hash)
	switch {
	case err != nil:
		s.writeProblem(w, r, explainKey(err))
		return
	case stored != nil:
		w.Header().Set(HeaderReplayed, "true")
		writeStored(w, stored)
		return
	}
	s.settleAfter(w, r, caller, key, handler)
}

// settleAfter runs the handler and keeps its answer. An answer that nothing was done releases the key, also when the handler
// panics, so that the next try is judged anew.
func (s *Server) settleAfter(w http.ResponseWriter, r *http.Request, caller, key string, handler http.HandlerFunc) {
	held := &heldWriter{header: w.Header()}
	var answer *ingest.Response
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), settleTimeout)
		defer cancel()
		if err := s.cfg.Ledger.Settle(ctx, caller, key, answer); err != nil {
			// The work is done and recorded; only a second try will be told that the first is under way.
			s.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "answer not kept for its Idempotency-Key",
				slog.String("request", requestOf(ctx).id), slog.Any("error", err))
		}
		if held.status != 0 {
			w.Header().Set("Content-Length", strconv.Itoa(held.body.Len()))
			w.WriteHeader(held.status)
			_, _ = w.Write(held.body.Bytes()) // the client is gone if this fails
		}
	}()
	handler(held, r)
	if held.status >= 200 && held.status < 300 {
		answer = &ingest.Response{Status: held.status, ContentType: held.header.Get("Content-Type"), Body: held.body.Bytes()}
		if requestOf(r.Context()).holdsSecret {
			answer = secretShown(r)
		}
	}
}

// secretShown is kept in place of an answer that held a secret.
func secretShown(r *http.Request) *ingest.Response {
	p := newProblem(http.StatusConflict, "this request was carried out before, and its secret was shown then",
		"if the secret is lost, list the credentials, revoke that one and make another with a new Idempotency-Key")
	p.Instance = requestOf(r.Context()).path
	return &ingest.Response{Status: p.Status, ContentType: problemType, Body: p.encode()}
}

// explainKey says what is wrong with a key that the ledger refused.
func explainKey(err error) error {
	switch ingest.KindOf(err) {
	case ingest.Conflict:
		return newProblem(http.StatusConflict, "a request with this Idempotency-Key is under way", "wait for its answer, or try again in a minute").
			with("Retry-After", "1")
	case ingest.Invalid:
		return newProblem(http.StatusUnprocessableEntity, "this Idempotency-Key was used with another request", "use a new key for a new request",
			ProblemError{Location: "header.Idempotency-Key", Message: "used with another request"})
	case ingest.Internal, ingest.Denied, ingest.NotFound, ingest.Exhausted, ingest.Unavailable:
	}
	return err
}

// requestHash tells requests apart. Where the body may hold a password the hash is a slow one, since it is kept for a day.
func (s *Server) requestHash(ctx context.Context, r *http.Request, op *operation, body string) ([32]byte, error) {
	var frame bytes.Buffer
	for _, part := range []string{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, body} {
		frame.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		frame.WriteString(part)
	}
	if !op.secret {
		return sha256.Sum256(frame.Bytes()), nil
	}
	select {
	case s.hashing <- struct{}{}:
		defer func() { <-s.hashing }()
	case <-ctx.Done():
		return [32]byte{}, ingest.E(ingest.Unavailable, "api.requestHash", ctx.Err())
	}
	salt := sha256.Sum256([]byte(string(identityOf(ctx).Credential) + "\x00" + r.Header.Get(HeaderIdempotencyKey)))
	return [32]byte(argon2.IDKey(frame.Bytes(), salt[:], hashPasses, hashMemory, 1, 32)), nil
}

func visibleASCII(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}

func writeStored(w http.ResponseWriter, stored *ingest.Response) {
	if stored.ContentType != "" {
		w.Header().Set("Content-Type", stored.ContentType)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(stored.Body)))
	w.WriteHeader(stored.Status)
	_, _ = w.Write(stored.Body) // the client is gone if this fails
}

// heldWriter holds an answer back until it is kept.
type heldWriter struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header returns the header of the real answer.
func (w *heldWriter) Header() http.Header { return w.header }

// WriteHeader holds the status.
func (w *heldWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write holds a part of the body.
func (w *heldWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}
