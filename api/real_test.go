package api_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"dropline/api"
	"dropline/ingest"
	"dropline/ingest/bucket"
	"dropline/ingest/ledger"
	"dropline/internal/devstack/devtest"
)

// real is a server over PostgreSQL and S3.
type real struct {
	*fixture
	store    *ledger.Ledger
	objects  *bucket.Bucket
	pool     *pgxpool.Pool
	operator string
}

func newReal(t testing.TB, change ...func(*api.Config)) *real {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), devtest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	r := &real{pool: pool}
	if r.store, err = ledger.Open(t.Context(), ledger.Config{Pool: pool}); err != nil {
		t.Fatal(err)
	}
	if err := r.store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	server := devtest.S3(t)
	r.objects, err = bucket.New(bucket.Config{
		Name: server.Bucket, Region: server.Region, Endpoint: server.Endpoint,
		Credentials: credentials.NewStaticCredentialsProvider(server.AccessKey, server.SecretKey, ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	receiver, err := ingest.NewReceiver(r.store, r.objects, ingest.ReceiverConfig{})
	if err != nil {
		t.Fatal(err)
	}
	r.fixture = newFixture(t, append([]func(*api.Config){func(c *api.Config) {
		c.Ledger, c.Bucket, c.Receiver, c.Clock = r.store, r.objects, receiver, time.Now
	}}, change...)...)
	client, secret, err := r.store.AddClient(t.Context(), "", "first operator", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.operator = r.token(string(client.ID), secret)
	return r
}

// token signs a client in.
func (r *real) token(id, secret string) string {
	r.t.Helper()
	var got api.TokenResponse
	r.do(http.MethodPost, "/oauth2/token", "", url.Values{"grant_type": {"client_credentials"}}, basic(id, secret)).want(http.StatusOK, &got)
	return got.AccessToken
}

// tenant makes a tenant with a quiet period of 0 and returns a token of its own.
func (r *real) tenant(slug string) string {
	r.t.Helper()
	r.do(http.MethodPost, "/etl/tenants", r.operator, map[string]any{"slug": slug, "name": slug, "quietPeriodSeconds": 0}).want(http.StatusCreated)
	var client api.CredentialCreated
	r.do(http.MethodPost, "/etl/tenants/"+slug+"/credentials", r.operator, api.CredentialCreate{Kind: "client", Label: "feed"}).
		want(http.StatusCreated, &client)
	return r.token(client.ClientID, client.ClientSecret)
}

// load does what a worker would: the file's rows are staged, and n of them refused.
func (r *real) load(id ingest.ImportID, n int) {
	r.t.Helper()
	ctx := r.t.Context()
	imp, err := r.store.Take(ctx, id)
	r.check(err)
	var rejects []ingest.Reject
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	r.check(w.Write(strings.Split(strings.TrimSpace(rejectsHeader), ",")))
	for i := range n {
		rejects = append(rejects, ingest.Reject{
			File: imp.Files[0].Path, FileNumber: 1, Table: "Matter", Record: int64(i + 1), Line: int64(i + 2), Code: "required",
			Message: "a value\r\nis missing", Offset: int64(i), Length: 1,
		})
		r.check(w.Write([]string{
			imp.Files[0].Path, "Matter", itoa(i + 1), itoa(i + 2), "", "", "required", "a value\r\nis missing", "", "", itoa(i), "1", "0",
		}))
	}
	w.Flush()
	object, err := r.objects.Create(ctx, "reports/"+string(imp.Tenant)+"/"+string(imp.ID)+"/rejects.csv")
	r.check(err)
	_, err = object.Write(b.Bytes())
	r.check(err)
	_, err = object.Commit(ctx, nil)
	r.check(err)
	r.check(r.store.StartValidating(ctx, id, imp.Attempt))
	imp.Files[0].State, imp.Files[0].Table = ingest.FileLoaded, "Matter"
	_, err = r.store.Finish(ctx, id, imp.Attempt, ledger.Outcome{
		State: ingest.Staged, Files: imp.Files, Rejects: rejects, Read: int64(n + 5), Staged: 5, Rejected: int64(n), BytesRead: imp.BytesTotal,
		Tables: []ingest.ImportTable{{Name: "Matter", Read: int64(n + 5), Staged: 5, Rejected: int64(n)}},
	})
	r.check(err)
}

func (r *real) check(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func TestRealWayOfAFile(t *testing.T) {
	t.Parallel()
	r := newReal(t)
	r.do(http.MethodGet, "/readyz", "", nil).want(http.StatusOK)
	acme, bravo := r.tenant("acme"), r.tenant("bravo")

	var drop api.Drop
	r.do(http.MethodPut, "/etl/files/daily/Matters.csv", acme, strings.NewReader(strings.Repeat("ImportId,Name\n", 1000))).want(http.StatusCreated, &drop)
	if drop.State != "imported" || drop.RequestID == "" || drop.By != "feed" {
		t.Fatalf("%+v", drop)
	}
	status := "/etl/import-status/" + drop.RequestID
	var st api.ImportStatus
	r.do(http.MethodGet, status, acme, nil).want(http.StatusOK, &st)
	if st.State != "queued" || st.Percent != 0 || st.BytesTotal != 14_000 || len(st.Files) != 1 || st.Files[0].Path != "/inbox/daily/Matters.csv" {
		t.Errorf("%+v", st)
	}
	r.do(http.MethodGet, status, bravo, nil).problem(http.StatusNotFound)
	r.do(http.MethodPost, "/etl/promote-to-production", acme, api.PromoteRequest{RequestID: drop.RequestID}).problem(http.StatusConflict)

	const refused = 130
	r.load(ingest.ImportID(drop.RequestID), refused)
	r.do(http.MethodGet, status, acme, nil).want(http.StatusOK, &st)
	if st.State != "staged" || st.Percent != 100 || st.RowsRejected != refused || len(st.FirstErrors) != 20 || st.RowsRead != st.RowsStaged+st.RowsRejected {
		t.Errorf("%+v", st)
	}
	var got []api.Reject
	for cursor := ""; ; {
		var page api.RejectPage
		r.do(http.MethodGet, st.Links.Rejects+"?limit=33"+cursor, acme, nil).want(http.StatusOK, &page)
		got = append(got, page.Items...)
		if page.NextCursor == "" {
			break
		}
		cursor = "&cursor=" + page.NextCursor
	}
	if len(got) != refused || got[refused-1].Record != refused || got[0].Message != "a value\r\nis missing" {
		t.Errorf("%d rejects, the last %+v", len(got), got[len(got)-1])
	}
	text := string(r.do(http.MethodGet, st.Links.RejectsCSV, acme, nil).want(http.StatusOK).body)
	if records, err := csv.NewReader(strings.NewReader(text)).ReadAll(); err != nil || len(records) != refused+1 {
		t.Errorf("%d records, %v", len(records), err)
	}
	r.do(http.MethodGet, st.Links.RejectsCSV, bravo, nil).problem(http.StatusNotFound)

	r.do(http.MethodPut, "/etl/files/daily/Matters.csv", acme, strings.Repeat("ImportId,Name\n", 1000)).want(http.StatusCreated, &drop)
	if drop.State != "duplicate" || drop.DuplicateOf == "" {
		t.Errorf("the same again: %+v", drop)
	}
}

// TestRealPromoteAtOnce: of many that ask at the same time one starts the promotion; with one key all get the same answer.
func TestRealPromoteAtOnce(t *testing.T) {
	t.Parallel()
	r := newReal(t)
	acme := r.tenant("acme")
	ids := make([]string, 0, 2)
	for n := range 2 {
		var drop api.Drop
		r.do(http.MethodPut, fmt.Sprintf("/etl/files/%d.csv", n), acme, "x\n").want(http.StatusCreated, &drop)
		r.load(ingest.ImportID(drop.RequestID), 0)
		ids = append(ids, drop.RequestID)
	}
	p := r.do(http.MethodPost, "/etl/promote-to-production", acme, api.PromoteRequest{RequestID: ids[1]}).problem(http.StatusConflict)
	if !strings.Contains(p.Detail, ids[0]) {
		t.Errorf("it does not name the import in the way: %+v", p)
	}
	var mu sync.Mutex
	statuses := map[int]int{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			a := r.do(http.MethodPost, "/etl/promote-to-production", acme, api.PromoteRequest{RequestID: ids[0]})
			mu.Lock()
			statuses[a.status]++
			mu.Unlock()
		})
	}
	wg.Wait()
	if diff := cmp.Diff(map[int]int{202: 1, 409: 7}, statuses); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestRealIdempotency(t *testing.T) {
	t.Parallel()
	r := newReal(t)
	var first, second api.Tenant
	ask := func() *answer {
		return r.do(http.MethodPost, "/etl/tenants", r.operator, api.TenantCreate{Slug: "acme", Name: "Acme"}, key("once"))
	}
	a, b := ask().want(http.StatusCreated, &first), ask().want(http.StatusCreated, &second)
	if diff := cmp.Diff(string(a.body), string(b.body)); diff != "" || b.header.Get(api.HeaderReplayed) != "true" {
		t.Errorf("the replay differs: %s %v", diff, b.header)
	}
	r.do(http.MethodPost, "/etl/tenants", r.operator, api.TenantCreate{Slug: "other", Name: "Acme"}, key("once")).problem(http.StatusUnprocessableEntity)
	r.do(http.MethodPost, "/etl/operator/credentials", r.operator, api.CredentialCreate{Kind: "client"}, key("c")).want(http.StatusCreated)
	r.do(http.MethodPost, "/etl/operator/credentials", r.operator, api.CredentialCreate{Kind: "client"}, key("c")).problem(http.StatusConflict)
}

// TestRealTenantIsolation asks with one tenant's token for every kind of thing of another's.
func TestRealTenantIsolation(t *testing.T) {
	t.Parallel()
	r := newReal(t)
	acme, bravo := r.tenant("acme"), r.tenant("bravo")
	var drop api.Drop
	r.do(http.MethodPut, "/etl/files/Matters.csv", acme, "x\n").want(http.StatusCreated, &drop)
	r.do(http.MethodPut, "/etl/tenants/acme/mapping", acme, aMapping, "Content-Type: application/yaml").want(http.StatusOK)
	var list api.CredentialList
	r.do(http.MethodGet, "/etl/tenants/acme/credentials", acme, nil).want(http.StatusOK, &list)
	for _, ask := range []struct{ method, path string }{
		{"GET", "/etl/drops/" + drop.ID},
		{"GET", "/etl/imports/" + drop.RequestID},
		{"GET", "/etl/imports/" + drop.RequestID + "/rejects"},
		{"GET", "/etl/imports/" + drop.RequestID + "/rows?table=Matter"},
		{"POST", "/etl/imports/" + drop.RequestID + "/cancel"},
		{"POST", "/etl/imports/" + drop.RequestID + "/retry"},
		{"POST", "/etl/imports/" + drop.RequestID + "/rollback"},
		{"GET", "/etl/tenants/acme"},
		{"GET", "/etl/tenants/acme/production"},
		{"GET", "/etl/tenants/acme/mapping"},
		{"GET", "/etl/tenants/acme/mapping/versions"},
		{"GET", "/etl/tenants/acme/mapping/versions/1"},
		{"GET", "/etl/tenants/acme/credentials"},
		{"DELETE", "/etl/tenants/acme/credentials/" + list.Items[0].ID},
		{"DELETE", "/etl/tenants/bravo/credentials/" + list.Items[0].ID},
	} {
		r.do(ask.method, ask.path, bravo, nil).problem(http.StatusNotFound)
	}
	r.do(http.MethodPost, "/etl/promote-to-production", bravo, api.PromoteRequest{RequestID: drop.RequestID}).problem(http.StatusNotFound)
	var page api.DropPage
	r.do(http.MethodGet, "/etl/drops?limit=1", bravo, nil).want(http.StatusOK, &page)
	if len(page.Items) != 0 {
		t.Errorf("%+v", page)
	}
	r.do(http.MethodGet, "/etl/imports/"+drop.RequestID, acme, nil).want(http.StatusOK) // and it is still there

	r.do(http.MethodPatch, "/etl/tenants/acme", r.operator, map[string]any{"enabled": false}).want(http.StatusOK)
	deadline, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for r.do(http.MethodGet, "/etl/server", acme, nil).status != http.StatusUnauthorized {
		select {
		case <-deadline.Done():
			t.Fatal("a disabled tenant's token is still good")
		case <-time.After(100 * time.Millisecond):
		}
	}
	r.do(http.MethodPut, "/etl/files/x.csv", acme, "x").problem(http.StatusUnauthorized)
}

func TestRealHostileText(t *testing.T) {
	t.Parallel()
	r := newReal(t)
	acme := r.tenant("acme")
	for name, a := range map[string]*answer{
		"long label":   r.do(http.MethodPost, "/etl/tenants/acme/credentials", acme, api.CredentialCreate{Kind: "client", Label: strings.Repeat("x", 201)}),
		"RSA 1024":     r.do(http.MethodPost, "/etl/tenants/acme/credentials", acme, api.CredentialCreate{Kind: "public_key", PublicKey: "ssh-rsa AAAAB3NzaC1yc2E="}),
		"key options":  r.do(http.MethodPost, "/etl/tenants/acme/credentials", acme, api.CredentialCreate{Kind: "public_key", PublicKey: "command=\"x\" ssh-ed25519 AAAA"}),
		"short secret": r.do(http.MethodPost, "/etl/tenants/acme/credentials", acme, api.CredentialCreate{Kind: "password", Password: "x"}),
	} {
		t.Run(name, func(t *testing.T) { a.problem(http.StatusUnprocessableEntity) })
	}
	for _, text := range []string{"日本 ☃ 😀", "'; drop table tenants; --", "\u202etxt", "<script>"} {
		var got api.Tenant
		r.do(http.MethodPatch, "/etl/tenants/acme", acme, map[string]any{"name": text}).want(http.StatusOK, &got)
		if got.Name != text {
			t.Errorf("%q became %q", text, got.Name)
		}
		var drop api.Drop
		r.do(http.MethodPut, "/etl/files/"+url.PathEscape(text+".csv"), acme, "x").want(http.StatusCreated, &drop)
		if drop.Path != "/inbox/"+text+".csv" {
			t.Errorf("%q became %q", text, drop.Path)
		}
	}
}
