package api

import (
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"dropline/ingest"
)

// TokenLifetime is how long a bearer token is good: a working day, so that a script can start with one and finish with it.
const TokenLifetime = 12 * time.Hour

// tokenFailure is an error of the token endpoint, in the form of RFC 6749.
type tokenFailure struct {
	status      int
	code        string
	description string
}

// registerToken adds POST /oauth2/token. It is outside of huma, which knows no forms in bodies and no errors of RFC 6749.
func (s *Server) registerToken() {
	op := operation{Operation: tokenOperation(s.api.OpenAPI().Components.Schemas)}
	s.document(&op)
	s.api.OpenAPI().AddOperation(&op.Operation)
	s.mux.HandleFunc("POST "+op.Path, func(w http.ResponseWriter, r *http.Request) {
		s.serve(w, r, &op, s.issueToken)
	})
}

func (s *Server) issueToken(w http.ResponseWriter, r *http.Request) {
	address := addressOf(r)
	if wait := s.failures.blocked(address); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		writeTokenJSON(w, http.StatusTooManyRequests, TokenError{
			Error: "temporarily_unavailable", Description: "too many failed attempts from this address; wait and try again",
		})
		return
	}
	id, secret, failure := clientOf(r)
	if failure == nil {
		var token string
		token, failure = s.tokenFor(r, id, secret)
		if failure == nil {
			writeTokenJSON(w, http.StatusOK, TokenResponse{
				AccessToken: token, TokenType: "Bearer", ExpiresIn: int(TokenLifetime / time.Second),
			})
			return
		}
	}
	switch failure.status {
	case http.StatusUnauthorized:
		s.failures.note(address)
		w.Header().Set("WWW-Authenticate", `Basic realm="dropline", charset="UTF-8"`)
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	writeTokenJSON(w, failure.status, TokenError{Error: failure.code, Description: failure.description})
}

// tokenFor exchanges a client's secret for a token.
func (s *Server) tokenFor(r *http.Request, id, secret string) (string, *tokenFailure) {
	client := ingest.CredentialID(id)
	if !client.Valid() || secret == "" || len(secret) > maxTokenBytes {
		return "", wrongClient()
	}
	token, err := s.cfg.Ledger.IssueToken(r.Context(), client, secret, TokenLifetime)
	if err == nil {
		requestOf(r.Context()).caller = client
		return token, nil
	}
	switch ingest.KindOf(err) {
	case ingest.Denied, ingest.NotFound, ingest.Invalid:
		return "", wrongClient()
	case ingest.Unavailable:
		_ = s.fail(r.Context(), err) // for the log
		return "", &tokenFailure{http.StatusServiceUnavailable, "temporarily_unavailable", "try again in a few seconds"}
	case ingest.Internal, ingest.Conflict, ingest.Exhausted:
	}
	_ = s.fail(r.Context(), err) // for the log
	return "", &tokenFailure{http.StatusInternalServerError, "server_error", internalDetail}
}

func wrongClient() *tokenFailure {
	return &tokenFailure{
		http.StatusUnauthorized, "invalid_client",
		"the client is unknown, its secret is wrong, or it has ended",
	}
}

// clientOf reads a token request: the form's fields, and the client by HTTP Basic or by the form, never both.
func clientOf(r *http.Request) (id, secret string, failure *tokenFailure) {
	refuse := func(code, description string) (string, string, *tokenFailure) {
		return "", "", &tokenFailure{http.StatusBadRequest, code, description}
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return refuse("invalid_request", "the body must be application/x-www-form-urlencoded")
	}
	if err := r.ParseForm(); err != nil {
		return refuse("invalid_request", "the form cannot be read")
	}
	for name, values := range r.PostForm {
		if len(values) > 1 && (name == "grant_type" || name == "client_id" || name == "client_secret" || name == "scope") {
			return refuse("invalid_request", name+" is given more than once")
		}
	}
	switch grant := r.PostForm.Get("grant_type"); {
	case grant == "":
		return refuse("invalid_request", "grant_type is missing: it must be client_credentials")
	case grant != "client_credentials":
		return refuse("unsupported_grant_type", "grant_type must be client_credentials")
	case r.PostForm.Get("scope") != "":
		return refuse("invalid_scope", "there are no scopes: a token is good for all that its client may do; leave scope out")
	}
	id, secret, basic := r.BasicAuth()
	switch {
	case basic && r.PostForm.Get("client_secret") != "":
		return refuse("invalid_request", "the client is given twice: use HTTP Basic or the form")
	case basic && r.PostForm.Has("client_id") && r.PostForm.Get("client_id") != formDecoded(id):
		return refuse("invalid_request", "client_id is another than that of HTTP Basic")
	case basic:
		return formDecoded(id), formDecoded(secret), nil
	case r.Header.Get("Authorization") != "":
		return "", "", wrongClient()
	}
	return r.PostForm.Get("client_id"), r.PostForm.Get("client_secret"), nil
}

// formDecoded undoes the form encoding that RFC 6749 asks for within Basic. Clients that leave it out send nothing that
// would be changed by it, since ids and secrets are plain letters and digits.
func formDecoded(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return s
}

func writeTokenJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil { // strings and numbers only: cannot happen
		status, body = http.StatusInternalServerError, []byte(`{"error":"server_error"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the client is gone if this fails
}

// tokenOperation documents the endpoint.
func tokenOperation(registry huma.Registry) huma.Operation {
	field := func(description, example string) *huma.Schema {
		return &huma.Schema{Type: huma.TypeString, Description: description, Examples: []any{example}}
	}
	answer := func(description string, v any, name string) *huma.Response {
		return &huma.Response{Description: description, Content: map[string]*huma.MediaType{
			"application/json": {Schema: schemaOf(registry, v, name)},
		}}
	}
	return huma.Operation{
		OperationID: "issueToken", Method: http.MethodPost, Path: "/oauth2/token", Tags: []string{tagAccess},
		Summary: "Get a token",
		Description: "OAuth 2.0 client credentials (RFC 6749, section 4.4). The client is given by HTTP Basic or in the form. " +
			"The token is good for 12 hours and for all that its client may do.",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/x-www-form-urlencoded": {Schema: &huma.Schema{
				Type: huma.TypeObject, Required: []string{"grant_type"}, Properties: map[string]*huma.Schema{
					"grant_type":    {Type: huma.TypeString, Enum: []any{"client_credentials"}},
					"client_id":     field("Unless given by HTTP Basic", "cred_0123456789abcdef0123456789abcdef"),
					"client_secret": field("Unless given by HTTP Basic", "…"),
				},
			}},
		}},
		Responses: map[string]*huma.Response{
			"200": answer("The token", TokenResponse{}, "TokenResponse"),
			"400": answer("The request is not one for a token", TokenError{}, "TokenError"),
			"401": answer("The client is unknown, its secret is wrong, or it has ended", TokenError{}, "TokenError"),
			"429": answer("Too many failed attempts from this address; Retry-After says how long to wait", TokenError{}, "TokenError"),
			"503": answer("Out of reach for the moment; Retry-After says when to try again", TokenError{}, "TokenError"),
		},
	}
}
