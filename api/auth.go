package api

import (
	"context"
	"net/http"
	"strings"

	"dropline/ingest"
)

// maxTokenBytes bounds what is looked up; tokens are far shorter.
const maxTokenBytes = 512

const realm = `Bearer realm="dropline"`

// authenticate returns whose bearer token the request carries.
func (s *Server) authenticate(r *http.Request) (ingest.Identity, error) {
	values := r.Header.Values("Authorization")
	if len(values) == 0 {
		return ingest.Identity{}, newProblem(http.StatusUnauthorized, "this needs a token",
			"get one with POST /oauth2/token and send it as Authorization: Bearer …").with("WWW-Authenticate", realm)
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.TrimSpace(token)
	if len(values) > 1 || !strings.EqualFold(scheme, "Bearer") || !isToken(token) {
		return ingest.Identity{}, invalidToken()
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), s.cfg.AnswerTimeout, errLate)
	defer cancel()
	identity, err := s.cfg.Ledger.VerifyToken(ctx, token)
	if kind := ingest.KindOf(err); err != nil && (kind == ingest.Denied || kind == ingest.NotFound) {
		return ingest.Identity{}, invalidToken()
	}
	return identity, err
}

func invalidToken() error {
	return newProblem(http.StatusUnauthorized, "the token is unknown or has ended", "get a new one with POST /oauth2/token").
		with("WWW-Authenticate", realm+`, error="invalid_token"`)
}

// isToken reports whether s has the form of a bearer token (RFC 6750, section 2.1).
func isToken(s string) bool {
	if s == "" || len(s) > maxTokenBytes {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && !strings.ContainsRune("-._~+/=", rune(c)) {
			return false
		}
	}
	return true
}

// identityOf returns who calls. Every operation but the public ones has an identity.
func identityOf(ctx context.Context) ingest.Identity {
	identity, _ := ctx.Value(identityKey).(ingest.Identity)
	return identity
}

// callerName is what is recorded of who did something: the credential's label, else its id.
func callerName(ctx context.Context) string {
	identity := identityOf(ctx)
	if identity.Label != "" {
		return identity.Label
	}
	return string(identity.Credential)
}

// scopeOf returns the tenant on which the caller acts: a tenant's own, whatever is asked for being its own or nothing; the
// operator's by what is asked for, which may be empty.
func scopeOf(ctx context.Context, asked string) (ingest.TenantID, error) {
	own, tenant := identityOf(ctx).Tenant, ingest.TenantID(asked)
	switch {
	case asked == "":
		return own, nil
	case !tenant.Valid(), own != "" && own != tenant:
		return "", noTenant()
	}
	return tenant, nil
}

// oneTenant is scopeOf where the operator must name a tenant.
func oneTenant(ctx context.Context, asked string) (ingest.TenantID, error) {
	tenant, err := scopeOf(ctx, asked)
	if err == nil && tenant == "" {
		return "", newProblem(http.StatusUnprocessableEntity, "for which tenant?", "add ?tenant=slug, since the token is the operator's",
			ProblemError{Location: "query.tenant", Message: "required with an operator's token"})
	}
	return tenant, err
}

// The one text for what does not exist and for what is another tenant's.
func noTenant() error {
	return notFound("there is no such tenant", "the list of tenants has their names")
}

func noImport() error {
	return notFound("there is no such import", "the list of imports has their ids")
}

func noDrop() error { return notFound("there is no such drop", "the list of drops has their ids") }

func noCredential() error {
	return notFound("there is no such credential", "the list of credentials has their ids")
}

func noMapping() error {
	return notFound("there is no such mapping version", "the list of versions has their numbers")
}

func notFound(detail, hint string) error { return newProblem(http.StatusNotFound, detail, hint) }

// orAbsent replaces an error of kind NotFound, whose text might tell more.
func orAbsent(err error, absent error) error {
	if err != nil && ingest.KindOf(err) == ingest.NotFound {
		return absent
	}
	return err
}
