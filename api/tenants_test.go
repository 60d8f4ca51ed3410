package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dropline/api"
	"dropline/ingest"
)

func TestCreateTenant(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var got api.Tenant
	f.do(http.MethodPost, "/etl/tenants", f.operator, map[string]any{"slug": "cosmo", "name": "Cosmo"}).want(http.StatusCreated, &got)
	want := api.Tenant{
		Slug: "cosmo", Name: "Cosmo", Schema: "efimis-1.0", TimeZone: "UTC", Enabled: true, QuietPeriodSeconds: 10, RejectLimit: 0.1,
		CreatedAt: f.clock.Now(),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("defaults: -want +got:\n%s", diff)
	}
	f.do(http.MethodPost, "/etl/tenants", f.operator, map[string]any{"slug": "cosmo", "name": "Cosmo"}).problem(http.StatusConflict)
	f.do(http.MethodPost, "/etl/tenants", f.operator, map[string]any{
		"slug": "delta", "name": "Delta", "schema": "Efimis-1.0", "timeZone": "Australia/Sydney", "enabled": false,
		"quietPeriodSeconds": 0, "rejectLimit": 0, "quotaBytes": 1 << 40,
	}).want(http.StatusCreated, &got)
	want = api.Tenant{
		Slug: "delta", Name: "Delta", Schema: "efimis-1.0", TimeZone: "Australia/Sydney", QuotaBytes: 1 << 40, CreatedAt: f.clock.Now(),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("given: -want +got:\n%s", diff)
	}
	for name, body := range map[string]map[string]any{
		"upper case": {"slug": "Acme", "name": "x"}, "digit first": {"slug": "1a", "name": "x"}, "long": {"slug": strings.Repeat("a", 32), "name": "x"},
		"newline at the end": {"slug": "abc\n", "name": "x"}, "injection": {"slug": "a;drop", "name": "x"}, "no slug": {"name": "x"},
		"no name": {"slug": "abc"}, "empty name": {"slug": "abc", "name": ""}, "blank name": {"slug": "abc", "name": "  "},
		"name of two lines": {"slug": "abc", "name": "x\ny"}, "zone": {"slug": "abc", "name": "x", "timeZone": "Mars/Olympus"},
		"local zone": {"slug": "abc", "name": "x", "timeZone": "Local"}, "zone outside": {"slug": "abc", "name": "x", "timeZone": "../../etc/passwd"},
		"schema": {"slug": "abc", "name": "x", "schema": "nope-1.0"}, "negative": {"slug": "abc", "name": "x", "quotaBytes": -1},
		"share": {"slug": "abc", "name": "x", "rejectLimit": 1.5}, "period": {"slug": "abc", "name": "x", "quietPeriodSeconds": -1},
		"fraction": {"slug": "abc", "name": "x", "quotaBytes": 1.5}, "huge": {"slug": "abc", "name": "x", "quotaBytes": 1e30},
		"unknown": {"slug": "abc", "name": "x", "quota": 1},
	} {
		if p := f.do(http.MethodPost, "/etl/tenants", f.operator, body).problem(http.StatusUnprocessableEntity); len(p.Errors) == 0 {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestTenantManagesItself(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ledger.usage = ingest.Usage{Bytes: 5, Files: 2}
	var got api.Tenant
	f.do(http.MethodPatch, "/etl/tenants/acme", f.acme, map[string]any{"name": "New", "timeZone": "Europe/London", "quietPeriodSeconds": 0.5}).
		want(http.StatusOK, &got)
	if got.Name != "New" || got.TimeZone != "Europe/London" || got.QuietPeriodSeconds != 0.5 || got.Usage == nil || got.Usage.Bytes != 5 {
		t.Errorf("%+v", got)
	}
	if f.ledger.tenants["acme"].QuietPeriod != 500*time.Millisecond {
		t.Errorf("%+v", f.ledger.tenants["acme"])
	}
	for _, field := range []string{`{"enabled":false}`, `{"rejectLimit":1}`, `{"quotaBytes":0}`} {
		f.do(http.MethodPatch, "/etl/tenants/acme", f.acme, field).problem(http.StatusForbidden)
		f.do(http.MethodPatch, "/etl/tenants/acme", f.operator, field).want(http.StatusOK, &got)
	}
	if got.Enabled || got.RejectLimit != 1 {
		t.Errorf("%+v", got)
	}
	for _, field := range []string{`{"slug":"x"}`, `{"schema":"x"}`, `{"timeZone":"x"}`, `{"name":"a\u0007"}`} {
		f.do(http.MethodPatch, "/etl/tenants/acme", f.acme, field).problem(http.StatusUnprocessableEntity)
	}
	f.do(http.MethodPatch, "/etl/tenants/nobody", f.operator, `{"name":"x"}`).problem(http.StatusNotFound)
}

func TestListTenants(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, slug := range []string{"echo", "cosmo", "delta"} {
		f.do(http.MethodPost, "/etl/tenants", f.operator, api.TenantCreate{Slug: slug, Name: slug}).want(http.StatusCreated)
	}
	var slugs []string
	for cursor := ""; ; {
		var page api.TenantPage
		f.do(http.MethodGet, "/etl/tenants?limit=2"+cursor, f.operator, nil).want(http.StatusOK, &page)
		for _, tenant := range page.Items {
			slugs = append(slugs, tenant.Slug)
		}
		if page.NextCursor == "" {
			break
		}
		cursor = "&cursor=" + page.NextCursor
	}
	if diff := cmp.Diff([]string{"acme", "bravo", "cosmo", "delta", "echo"}, slugs); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestProduction(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var got api.Production
	f.do(http.MethodGet, "/etl/tenants/acme/production", f.acme, nil).want(http.StatusOK, &got)
	counts := map[string]int64{}
	for _, table := range got.Tables {
		if table.Rows > 0 {
			counts[table.Name] = table.Rows
		}
	}
	if diff := cmp.Diff(map[string]int64{"Matter": 7, "Client": 3}, counts); diff != "" || got.Rows < 7 || len(got.Tables) < 20 {
		t.Errorf("%+v\n%s", got, diff)
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	post := func(body any) *answer { return f.do(http.MethodPost, "/etl/tenants/acme/credentials", f.acme, body) }
	var made, given, client, publicKey api.CredentialCreated
	post(api.CredentialCreate{Kind: "password", Label: "made"}).want(http.StatusCreated, &made)
	if len(made.Password) < 20 || f.ledger.secrets[ingest.CredentialID(made.ID)] != made.Password {
		t.Errorf("%+v", made)
	}
	a := post(api.CredentialCreate{Kind: "password", Label: "given", Password: "correct horse battery"}).want(http.StatusCreated, &given)
	if given.Password != "" || strings.Contains(string(a.body), "correct horse") {
		t.Errorf("%s", a.body)
	}
	post(api.CredentialCreate{Kind: "public_key", PublicKey: "ssh-ed25519 AAAA"}).want(http.StatusCreated, &publicKey)
	if publicKey.Fingerprint == "" {
		t.Errorf("%+v", publicKey)
	}
	expires := f.clock.Now().Add(time.Hour)
	post(api.CredentialCreate{Kind: "client", ExpiresAt: &expires}).want(http.StatusCreated, &client)
	if client.ClientID != client.ID || client.ClientSecret == "" || client.ExpiresAt == nil || !client.ExpiresAt.Equal(expires) {
		t.Errorf("%+v", client)
	}

	var list api.CredentialList
	a = f.do(http.MethodGet, "/etl/tenants/acme/credentials", f.operator, nil).want(http.StatusOK, &list)
	if len(list.Items) != 5 || strings.Contains(string(a.body), client.ClientSecret) || strings.Contains(string(a.body), made.Password) {
		t.Errorf("%s", a.body)
	}
	f.do(http.MethodDelete, "/etl/tenants/acme/credentials/"+client.ID, f.acme, nil).want(http.StatusNoContent)
	f.do(http.MethodDelete, "/etl/tenants/acme/credentials/nonsense", f.acme, nil).problem(http.StatusNotFound)
	f.do(http.MethodDelete, "/etl/operator/credentials/"+made.ID, f.operator, nil).problem(http.StatusNotFound) // not the operator's
	f.do(http.MethodDelete, "/etl/tenants/bravo/credentials/"+made.ID, f.operator, nil).problem(http.StatusNotFound)

	for name, body := range map[string]string{
		"short password": `{"kind":"password","password":"short"}`, "no kind": `{}`, "odd kind": `{"kind":"magic"}`,
		"key without key": `{"kind":"public_key"}`, "password with a key": `{"kind":"public_key","publicKey":"x","password":"correct horse battery"}`,
		"key with a client": `{"kind":"client","publicKey":"x"}`, "past": `{"kind":"client","expiresAt":"2020-01-01T00:00:00Z"}`,
		"no date": `{"kind":"client","expiresAt":"tomorrow"}`, "label of two lines": `{"kind":"client","label":"a\nb"}`,
		"NUL in a password": `{"kind":"password","password":"correct horse\u0000battery"}`,
	} {
		a := post(body)
		if a.status != 400 && a.status != 422 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		if strings.Contains(string(a.body), "correct horse") {
			t.Errorf("%s: the password came back: %s", name, a.body)
		}
	}
	if strings.Contains(f.log.String(), "correct horse") || strings.Contains(f.log.String(), made.Password) {
		t.Error("a password is in the log")
	}
}

func TestOperatorCredentials(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var client api.CredentialCreated
	f.do(http.MethodPost, "/etl/operator/credentials", f.operator, api.CredentialCreate{Kind: "client"}).want(http.StatusCreated, &client)
	f.do(http.MethodPost, "/etl/operator/credentials", f.operator, api.CredentialCreate{Kind: "password"}).problem(http.StatusUnprocessableEntity)
	var list api.CredentialList
	f.do(http.MethodGet, "/etl/operator/credentials", f.operator, nil).want(http.StatusOK, &list)
	if len(list.Items) != 2 {
		t.Errorf("%+v", list)
	}
	f.do(http.MethodDelete, "/etl/operator/credentials/"+list.Items[0].ID, f.operator, nil).problem(http.StatusConflict) // the one in use
	f.do(http.MethodDelete, "/etl/operator/credentials/"+client.ID, f.operator, nil).want(http.StatusNoContent)
}

// TestRevokedTokenEnds: a token is no good once its credential has ended.
func TestRevokedTokenEnds(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var list api.CredentialList
	f.do(http.MethodGet, "/etl/tenants/acme/credentials", f.acme, nil).want(http.StatusOK, &list)
	f.do(http.MethodDelete, "/etl/tenants/acme/credentials/"+list.Items[0].ID, f.acme, nil).want(http.StatusNoContent)
	f.do(http.MethodGet, "/etl/server", f.acme, nil).problem(http.StatusUnauthorized)
}

func TestMapping(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const path = "/etl/tenants/acme/mapping"
	put := func(query, text string) *answer {
		return f.do(http.MethodPut, path+query, f.acme, text, "Content-Type: application/yaml")
	}
	var stored api.MappingStored
	var got api.MappingVersion
	f.do(http.MethodGet, path, f.acme, nil).want(http.StatusOK, &got)
	if diff := cmp.Diff(api.MappingVersion{}, got); diff != "" {
		t.Errorf("before: %s", diff)
	}
	put("?dryRun=true", aMapping).want(http.StatusOK, &stored)
	if diff := cmp.Diff(api.MappingStored{DryRun: true}, stored); diff != "" || len(f.ledger.mappings["acme"]) != 0 {
		t.Errorf("dry run: %s", diff)
	}
	put("", aMapping).want(http.StatusOK, &stored)
	if diff := cmp.Diff(api.MappingStored{Version: 1, Stored: true}, stored); diff != "" {
		t.Errorf("first: %s", diff)
	}
	put("", aMapping).want(http.StatusOK, &stored)
	if diff := cmp.Diff(api.MappingStored{Version: 1}, stored); diff != "" {
		t.Errorf("again: %s", diff)
	}
	put("", aMapping+"# changed\n").want(http.StatusOK, &stored)
	for at, want := range map[string]string{"": aMapping + "# changed\n", "/versions/1": aMapping, "/versions/2": aMapping + "# changed\n", "/versions/0": ""} {
		f.do(http.MethodGet, path+at, f.acme, nil).want(http.StatusOK, &got)
		if got.YAML != want {
			t.Errorf("%s: %q", at, got.YAML)
		}
		got = api.MappingVersion{}
	}
	for _, version := range []string{"3", "-1", "x", "99999999999999999999"} {
		f.do(http.MethodGet, path+"/versions/"+version, f.acme, nil).problem(http.StatusNotFound)
	}
	var list api.MappingList
	f.do(http.MethodGet, path+"/versions", f.acme, nil).want(http.StatusOK, &list)
	if len(list.Items) != 2 || list.Items[0].Version != 2 || list.Items[0].YAML != "" || list.Items[0].CreatedBy != "label of acme" {
		t.Errorf("%+v", list)
	}

	faulty := strings.Replace(aMapping, "CustomerId", "CustomerId\n      Nope: X", 1)
	p := put("", faulty).problem(http.StatusUnprocessableEntity)
	if len(p.Errors) == 0 || p.Errors[0].Location != "mapping.yaml:7" || !strings.Contains(p.Errors[0].Message, "Nope") {
		t.Errorf("%+v", p)
	}
	for name, text := range map[string]string{
		"empty": "", "no YAML": "\t{", "not UTF-8": "version: 1\n# \xff\n", "bomb": "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", "too large": strings.Repeat("#", 1<<20+1),
	} {
		if a := put("", text); a.status < 400 || a.status >= 500 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if n := len(f.ledger.mappings["acme"]); n != 2 {
		t.Errorf("%d versions are stored", n)
	}
}
