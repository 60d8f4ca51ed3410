package api_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dropline/api"
	"dropline/ingest"
)

func key(k string) string { return "Idempotency-Key: " + k }

func TestReplayIsTheSame(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for name, c := range map[string]struct {
		path, token string
		body        any
	}{
		"promote":  {"/etl/promote-to-production", f.acme, api.PromoteRequest{RequestID: string(f.addImport("acme", ingest.Staged).ID)}},
		"cancel":   {"/etl/imports/" + string(f.addImport("acme", ingest.Loading).ID) + "/cancel", f.acme, nil},
		"retry":    {"/etl/imports/" + string(f.addImport("acme", ingest.Failed).ID) + "/retry", f.acme, nil},
		"rerun":    {"/etl/imports/" + string(f.addImport("acme", ingest.Rejected).ID) + "/rerun", f.acme, api.RerunRequest{}},
		"rollback": {"/etl/imports/" + string(f.addImport("acme", ingest.Promoted).ID) + "/rollback", f.acme, nil},
		"tenant":   {"/etl/tenants", f.operator, api.TenantCreate{Slug: "cosmo", Name: "Cosmo"}},
		"key":      {"/etl/tenants/acme/credentials", f.acme, api.CredentialCreate{Kind: "public_key", PublicKey: "ssh-ed25519 AAAA"}},
		"password": {"/etl/tenants/acme/credentials", f.acme, api.CredentialCreate{Kind: "password", Password: "correct horse battery"}},
	} {
		t.Run(name, func(t *testing.T) {
			first := f.do(http.MethodPost, c.path, c.token, c.body, key("k-"+name))
			if first.status >= 300 || first.header.Get(api.HeaderReplayed) != "" {
				t.Fatalf("status %d, %v: %s", first.status, first.header, first.body)
			}
			done := len(f.ledger.requests) + len(f.ledger.credentials) + len(f.ledger.tenants)
			second := f.do(http.MethodPost, c.path, c.token, c.body, key("k-"+name)).want(first.status)
			if diff := cmp.Diff(string(first.body), string(second.body)); diff != "" {
				t.Errorf("the replay differs:\n%s", diff)
			}
			if second.header.Get(api.HeaderReplayed) != "true" || second.header.Get("Content-Type") != first.header.Get("Content-Type") {
				t.Errorf("headers of the replay: %v", second.header)
			}
			if again := len(f.ledger.requests) + len(f.ledger.credentials) + len(f.ledger.tenants); again != done {
				t.Error("it was done twice")
			}
		})
	}
}

func TestKeyOfAnotherRequest(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	a, b := string(f.addImport("acme", ingest.Loading).ID), string(f.addImport("acme", ingest.Loading).ID)
	f.do(http.MethodPost, "/etl/imports/"+a+"/cancel", f.acme, nil, key("k")).want(http.StatusAccepted)
	f.do(http.MethodPost, "/etl/imports/"+b+"/cancel", f.acme, nil, key("k")).problem(http.StatusUnprocessableEntity)
	f.do(http.MethodPost, "/etl/imports/"+a+"/retry", f.acme, nil, key("k")).problem(http.StatusUnprocessableEntity)
	c := string(f.addImport("bravo", ingest.Loading).ID) // another caller's key of the same name is another key
	f.do(http.MethodPost, "/etl/imports/"+c+"/cancel", f.bravo, nil, key("k")).want(http.StatusAccepted)
	f.do(http.MethodPost, "/etl/tenants/acme/credentials", f.acme, api.CredentialCreate{Kind: "password", Password: "correct horse 1"}, key("p")).
		want(http.StatusCreated)
	f.do(http.MethodPost, "/etl/tenants/acme/credentials", f.acme, api.CredentialCreate{Kind: "password", Password: "correct horse 2"}, key("p")).
		problem(http.StatusUnprocessableEntity)
}

// TestRefusalIsNotKept: what was refused may be tried again with the same key.
func TestRefusalIsNotKept(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	imp := f.addImport("acme", ingest.Validating)
	body := api.PromoteRequest{RequestID: string(imp.ID)}
	f.do(http.MethodPost, "/etl/promote-to-production", f.acme, body, key("k")).problem(http.StatusConflict)
	imp.State = ingest.Staged
	f.do(http.MethodPost, "/etl/promote-to-production", f.acme, body, key("k")).want(http.StatusAccepted)
	f.ledger.before = func() { panic("a fault") }
	imp.State = ingest.Staged
	f.do(http.MethodPost, "/etl/promote-to-production", f.acme, body, key("k2")).problem(http.StatusInternalServerError)
	f.ledger.before = nil
	f.do(http.MethodPost, "/etl/promote-to-production", f.acme, body, key("k2")).want(http.StatusAccepted)
}

func TestKeyInUse(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	imp := f.addImport("acme", ingest.Staged)
	body := api.PromoteRequest{RequestID: string(imp.ID)}
	entered, leave := make(chan struct{}), make(chan struct{})
	f.ledger.before = func() { close(entered); <-leave }
	var wg sync.WaitGroup
	wg.Go(func() {
		if a := f.do(http.MethodPost, "/etl/promote-to-production", f.acme, body, key("k")); a.status != http.StatusAccepted {
			t.Errorf("the first: %d %s", a.status, a.body)
		}
	})
	<-entered
	p := f.do(http.MethodPost, "/etl/promote-to-production", f.acme, body, key("k")).problem(http.StatusConflict)
	if p.Hint == "" {
		t.Errorf("%+v", p)
	}
	close(leave)
	wg.Wait()
	f.do(http.MethodPost, "/etl/promote-to-production", f.acme, body, key("k")).want(http.StatusAccepted)
}

// TestSecretsAreNotKept: the answer that shows a secret is neither stored nor given twice.
func TestSecretsAreNotKept(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for kind, path := range map[string]string{"client": "/etl/operator/credentials", "password": "/etl/tenants/acme/credentials"} {
		var created api.CredentialCreated
		f.do(http.MethodPost, path, f.operator, api.CredentialCreate{Kind: kind}, key(kind)).want(http.StatusCreated, &created)
		secret := created.ClientSecret + created.Password
		if len(secret) < 20 {
			t.Fatalf("%s: the secret is %q", kind, secret)
		}
		before := len(f.ledger.credentials)
		a := f.do(http.MethodPost, path, f.operator, api.CredentialCreate{Kind: kind}, key(kind))
		if p := a.problem(http.StatusConflict); p.Hint == "" || a.header.Get(api.HeaderReplayed) != "true" {
			t.Errorf("%s: %+v", kind, p)
		}
		if len(f.ledger.credentials) != before {
			t.Errorf("%s: made twice", kind)
		}
		for _, kept := range f.ledger.keys {
			if kept.response != nil && strings.Contains(string(kept.response.Body), secret) {
				t.Errorf("%s: the secret was stored", kind)
			}
		}
		if strings.Contains(f.log.String(), secret) {
			t.Errorf("%s: the secret is in the log", kind)
		}
	}
}

func TestOddKeys(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	imp := f.addImport("acme", ingest.Loading)
	path := "/etl/imports/" + string(imp.ID) + "/cancel"
	for name, options := range map[string][]string{
		"empty": {"Idempotency-Key: "}, "space": {key("a b")}, "not ASCII": {key("ä")}, "long": {key(strings.Repeat("k", 256))},
		"two": {key("a"), key("b")},
	} {
		if p := f.do(http.MethodPost, path, f.acme, nil, options...).problem(http.StatusBadRequest); len(p.Errors) == 0 {
			t.Errorf("%s: %+v", name, p)
		}
	}
	f.do(http.MethodPost, path, f.acme, nil, key(strings.Repeat("k", 255))).want(http.StatusAccepted)
}
