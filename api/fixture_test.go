package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"dropline/api"
	"dropline/ingest"
	"dropline/schema"
)

// fixture is a server over fakes with two tenants, acme and bravo, and the operator.
type fixture struct {
	pgp    *fakePGP
	t      testing.TB
	ledger *fakeLedger
	bucket *memoryBucket
	clock  *fakeClock
	log    *logBuffer
	server *api.Server
	url    string
	client *http.Client

	databases *fakeDatabases

	acme, bravo, operator string // tokens
}

type fakeClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newFixture(t testing.TB, change ...func(*api.Config)) *fixture {
	t.Helper()
	f := &fixture{t: t, clock: &fakeClock{now: time.Date(2026, 11, 22, 10, 15, 3, 0, time.UTC)}, log: &logBuffer{}, bucket: newMemoryBucket()}
	f.ledger, f.pgp = newFakeLedger(f.clock.Now), &fakePGP{now: f.clock.Now}
	receiver, err := ingest.NewReceiver(f.ledger, f.bucket, ingest.ReceiverConfig{Clock: f.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	cfg := api.Config{
		Ledger: f.ledger, Receiver: receiver, Bucket: f.bucket, Schemas: schema.NewCatalogue(), Clock: f.clock.Now,
		Logger: slog.New(slog.NewTextHandler(f.log, nil)), Version: "1.2.3", Roles: []string{"api", "sftp"},
		SFTP: api.SFTPInfo{Host: "sftp.example.org", Port: 2022, Fingerprints: []string{"SHA256:abc"}},
		Rows: fakeRows, PGP: f.pgp,
		Counts: func(context.Context, ingest.Tenant) (map[string]int64, error) {
			return map[string]int64{"Matter": 7, "Client": 3}, nil
		},
	}
	var withDatabases func(*api.Config)
	f.databases, withDatabases = newFakeDatabases()
	for _, c := range append([]func(*api.Config){withDatabases}, change...) {
		c(&cfg)
	}
	if f.server, err = api.New(cfg); err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewUnstartedServer(f.server)
	listener.Config.ReadHeaderTimeout = f.server.HTTPServer().ReadHeaderTimeout
	listener.Start()
	t.Cleanup(listener.Close)
	f.url, f.client = listener.URL, listener.Client()
	f.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, id := range []ingest.TenantID{"acme", "bravo"} {
		f.ledger.tenants[id] = ingest.Tenant{
			ID: id, Name: "The " + string(id), Schema: ingest.DefaultSchema, TimeZone: "UTC", Enabled: true,
			QuietPeriod: ingest.DefaultQuietPeriod, RejectLimit: ingest.DefaultRejectLimit, CreatedAt: f.clock.Now(),
		}
	}
	f.acme, f.bravo, f.operator = f.newToken("acme"), f.newToken("bravo"), f.newToken("")
	return f
}

// fakeRows has 120 rows of every table: row n is {"Row": n}.
func fakeRows(_ context.Context, _ ingest.Import, table string, after int64, limit int) ([]json.RawMessage, int64, error) {
	var rows []json.RawMessage
	for n := after + 1; n <= 120 && len(rows) < limit; n++ {
		rows = append(rows, json.RawMessage(fmt.Sprintf(`{"Row":%d,"Table":%q,"Big":12345678901234567890.10}`, n, table)))
	}
	if after+int64(len(rows)) == 120 {
		return rows, 0, nil
	}
	return rows, after + int64(len(rows)), nil
}

func (f *fixture) newToken(tenant ingest.TenantID) string {
	f.t.Helper()
	c, secret, err := f.ledger.AddClient(context.Background(), tenant, "label of "+string(tenant), nil)
	if err != nil {
		f.t.Fatal(err)
	}
	token, err := f.ledger.IssueToken(context.Background(), c.ID, secret, time.Hour)
	if err != nil {
		f.t.Fatal(err)
	}
	return token
}

// addImport records an import of the tenant.
func (f *fixture) addImport(tenant ingest.TenantID, state ingest.State) *ingest.Import {
	defer f.ledger.lock()()
	f.ledger.imports = append(f.ledger.imports, ingest.Import{
		ID: ingest.NewImportID(), Seq: int64(len(f.ledger.imports) + 1), Tenant: tenant, Schema: ingest.DefaultSchema, State: state,
		CreatedAt: f.clock.Now(), Tables: []ingest.ImportTable{{Name: "Matter", Read: 120, Staged: 120}},
	})
	return &f.ledger.imports[len(f.ledger.imports)-1]
}

// answer is what came back.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

// do sends a request. A body may be nil, a string, an io.Reader, or something to be sent as JSON. Options are header lines
// "Name: value".
func (f *fixture) do(method, path, token string, body any, options ...string) *answer {
	f.t.Helper()
	var reader io.Reader
	contentType := ""
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	case io.Reader:
		reader = b
	case url.Values:
		reader, contentType = strings.NewReader(b.Encode()), "application/x-www-form-urlencoded"
	default:
		text, err := json.Marshal(b)
		if err != nil {
			f.t.Fatal(err)
		}
		reader, contentType = bytes.NewReader(text), "application/json"
	}
	r, err := http.NewRequestWithContext(f.t.Context(), method, f.url+path, reader)
	if err != nil {
		f.t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for _, o := range options {
		name, value, _ := strings.Cut(o, ": ")
		r.Header.Add(name, value)
	}
	response, err := f.client.Do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	defer response.Body.Close()
	a := &answer{t: f.t, status: response.StatusCode, header: response.Header}
	if a.body, err = io.ReadAll(response.Body); err != nil {
		f.t.Fatal(err)
	}
	return a
}

// want checks the status and decodes the body, if there is something to decode it into.
func (a *answer) want(status int, into ...any) *answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	for _, v := range into {
		if err := json.Unmarshal(a.body, v); err != nil {
			a.t.Fatalf("%v in %s", err, a.body)
		}
	}
	return a
}

// problem checks that the answer is a whole problem of that status and returns it.
func (a *answer) problem(status int) api.Problem {
	a.t.Helper()
	var p api.Problem
	a.want(status, &p)
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		a.t.Errorf("content type %q", got)
	}
	if p.Status != status || p.Title == "" || p.Detail == "" || !strings.HasPrefix(p.Type, "urn:dropline:problem:") || p.Instance == "" {
		a.t.Errorf("not a whole problem: %s", a.body)
	}
	if a.header.Get(api.HeaderRequestID) == "" || a.header.Get("X-Content-Type-Options") != "nosniff" {
		a.t.Errorf("headers are missing: %v", a.header)
	}
	return p
}
