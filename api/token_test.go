package api_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dropline/api"
	"dropline/ingest"
)

func (f *fixture) newClient(tenant ingest.TenantID) (id, secret string) {
	f.t.Helper()
	c, secret, err := f.ledger.AddClient(f.t.Context(), tenant, "client", nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return string(c.ID), secret
}

func basic(id, secret string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
}

func TestTokenByBasicAndByForm(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id, secret := f.newClient("acme")
	for name, ask := range map[string]func() *answer{
		"basic": func() *answer {
			return f.do(http.MethodPost, "/oauth2/token", "", url.Values{"grant_type": {"client_credentials"}}, basic(id, secret))
		},
		"form": func() *answer {
			return f.do(http.MethodPost, "/oauth2/token", "",
				url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got map[string]any
			a := ask().want(http.StatusOK, &got)
			token, _ := got["access_token"].(string)
			delete(got, "access_token")
			if diff := cmp.Diff(map[string]any{"token_type": "Bearer", "expires_in": 43200.0}, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if a.header.Get("Cache-Control") != "no-store" || a.header.Get("Content-Type") != "application/json" {
				t.Errorf("headers: %v", a.header)
			}
			var info api.ServerInfo
			f.do(http.MethodGet, "/etl/server", token, nil).want(http.StatusOK, &info)
			if info.Tenant != "acme" {
				t.Errorf("the token is for %q", info.Tenant)
			}
		})
	}
}

func TestTokenErrors(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id, secret := f.newClient("acme")
	good := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}
	with := func(name string, values ...string) url.Values {
		v := url.Values{}
		for k, old := range good {
			v[k] = old
		}
		v[name] = values
		return v
	}
	form := "Content-Type: application/x-www-form-urlencoded"
	for name, c := range map[string]struct {
		body    any
		options []string
		status  int
		code    string
	}{
		"no grant":           {with("grant_type"), nil, 400, "invalid_request"},
		"another grant":      {with("grant_type", "password"), nil, 400, "unsupported_grant_type"},
		"grant twice":        {with("grant_type", "client_credentials", "client_credentials"), nil, 400, "invalid_request"},
		"a scope":            {with("scope", "all"), nil, 400, "invalid_scope"},
		"wrong secret":       {with("client_secret", "x"), nil, 401, "invalid_client"},
		"no secret":          {with("client_secret"), nil, 401, "invalid_client"},
		"huge secret":        {with("client_secret", strings.Repeat("x", 10_000)), nil, 401, "invalid_client"},
		"unknown client":     {with("client_id", string(ingest.NewCredentialID())), nil, 401, "invalid_client"},
		"odd client":         {with("client_id", "'; drop table"), nil, 401, "invalid_client"},
		"NUL":                {with("client_id", id+"\x00"), nil, 401, "invalid_client"},
		"both ways":          {good, []string{basic(id, secret)}, 400, "invalid_request"},
		"two clients":        {with("client_secret"), []string{basic(string(ingest.NewCredentialID()), secret)}, 400, "invalid_request"},
		"bearer":             {with("client_secret"), []string{"Authorization: Bearer x"}, 401, "invalid_client"},
		"wrong basic":        {url.Values{"grant_type": {"client_credentials"}}, []string{basic(id, "x")}, 401, "invalid_client"},
		"json":               {map[string]string{"grant_type": "client_credentials"}, nil, 400, "invalid_request"},
		"empty":              {"", []string{form}, 400, "invalid_request"},
		"broken form":        {"grant_type=%zz", []string{form}, 400, "invalid_request"},
		"no content type":    {"grant_type=client_credentials", nil, 400, "invalid_request"},
		"in the query alone": {"", []string{form}, 400, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			var got api.TokenError
			f.clock.Advance(time.Minute) // so that the limiter forgets
			path := "/oauth2/token"
			if name == "in the query alone" {
				path += "?" + good.Encode()
			}
			a := f.do(http.MethodPost, path, "", c.body, c.options...).want(c.status, &got)
			if got.Error != c.code || got.Description == "" {
				t.Errorf("got %s", a.body)
			}
			if basic := a.header.Get("WWW-Authenticate"); (c.status == 401) != strings.HasPrefix(basic, "Basic ") {
				t.Errorf("WWW-Authenticate: %q", basic)
			}
			if a.header.Get("Cache-Control") != "no-store" {
				t.Error("it may be cached")
			}
			if strings.Contains(string(a.body), secret) || strings.Contains(f.log.String(), secret) {
				t.Error("the secret got out")
			}
		})
	}
}

func TestTokenUnavailable(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id, secret := f.newClient("acme")
	f.ledger.broken = ingest.Errorf(ingest.Unavailable, "fake", "dial 10.0.0.7")
	var got api.TokenError
	a := f.do(http.MethodPost, "/oauth2/token", "", url.Values{"grant_type": {"client_credentials"}}, basic(id, secret)).want(503, &got)
	if got.Error != "temporarily_unavailable" || a.header.Get("Retry-After") == "" || strings.Contains(string(a.body), "10.0.0.7") {
		t.Errorf("%s %v", a.body, a.header)
	}
}

func TestTokenFailuresAreLimited(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id, secret := f.newClient("acme")
	ask := func(secret string) *answer {
		return f.do(http.MethodPost, "/oauth2/token", "", url.Values{"grant_type": {"client_credentials"}}, basic(id, secret))
	}
	for range 30 {
		ask("wrong").want(http.StatusUnauthorized)
	}
	var got api.TokenError
	a := ask("wrong").want(http.StatusTooManyRequests, &got)
	if a.header.Get("Retry-After") == "" || got.Error == "" {
		t.Errorf("%s %v", a.body, a.header)
	}
	ask(secret).want(http.StatusTooManyRequests) // else it would tell which secret is right
	f.clock.Advance(3 * time.Second)
	ask(secret).want(http.StatusOK)
	for range 100 { // what succeeds is not limited
		ask(secret).want(http.StatusOK)
	}
}
