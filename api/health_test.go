package api_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dropline/api"
	"dropline/ingest"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	var notReady error
	f := newFixture(t, func(c *api.Config) { c.Ready = func(context.Context) error { return notReady } })
	f.do(http.MethodGet, "/healthz", "", nil).want(http.StatusOK)
	f.do(http.MethodGet, "/readyz", "", nil).want(http.StatusOK)
	refused := func(what string) {
		t.Helper()
		f.clock.Advance(2 * time.Second)
		a := f.do(http.MethodGet, "/readyz", "", nil)
		p := a.problem(http.StatusServiceUnavailable)
		if !strings.Contains(p.Detail, what) || strings.Contains(string(a.body), "10.0.0.7") || a.header.Get("Retry-After") == "" {
			t.Errorf("%s", a.body)
		}
		f.do(http.MethodGet, "/healthz", "", nil).want(http.StatusOK)
	}
	f.bucket.broken = errors.New("dial 10.0.0.7")
	refused("the bucket")
	f.bucket.broken, f.ledger.broken = nil, ingest.Errorf(ingest.Unavailable, "fake", "dial 10.0.0.7")
	refused("the ledger")
	f.ledger.broken, notReady = nil, errors.New("dial 10.0.0.7")
	refused("this process")
	notReady = nil
	f.clock.Advance(2 * time.Second)
	f.do(http.MethodGet, "/readyz", "", nil).want(http.StatusOK)
}

// TestReadyIsAskedOnceASecond: a question that needs no token must not reach the database each time.
func TestReadyIsAskedOnceASecond(t *testing.T) {
	t.Parallel()
	asked := 0
	f := newFixture(t, func(c *api.Config) { c.Ready = func(context.Context) error { asked++; return nil } })
	for range 20 {
		f.do(http.MethodGet, "/readyz", "", nil).want(http.StatusOK)
	}
	f.clock.Advance(time.Second)
	f.do(http.MethodGet, "/readyz", "", nil).want(http.StatusOK)
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}

func TestServerInfo(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var got api.ServerInfo
	f.do(http.MethodGet, "/etl/server", f.operator, nil).want(http.StatusOK, &got)
	want := api.ServerInfo{
		Version: "1.2.3", Roles: []string{"api", "sftp"}, Schemas: []string{"efimis-1.0", "oneroster-1.1", "oneroster-1.2"},
		SFTP:      api.SFTPInfo{Host: "sftp.example.org", Port: 2022, Fingerprints: []string{"SHA256:abc"}},
		Databases: api.DatabasesInfo{Enabled: true, EgressAddresses: []string{"198.51.100.7/32"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestHangingPartsAreNotWaitedForWithoutEnd: PostgreSQL and S3 may also hang, and a client must hear of that too. An answer that
// has begun may take its time.
func TestHangingPartsAreNotWaitedForWithoutEnd(t *testing.T) {
	t.Parallel()
	const patience = 50 * time.Millisecond
	hang := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	f := newFixture(t, func(c *api.Config) {
		c.AnswerTimeout = patience
		c.Counts = func(ctx context.Context, _ ingest.Tenant) (map[string]int64, error) { return nil, hang(ctx) }
		c.Metrics = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte("slow "))
			time.Sleep(2 * patience)
			if r.Context().Err() == nil {
				_, _ = w.Write([]byte("but whole"))
			}
		})
	})
	a := f.do(http.MethodGet, "/etl/tenants/acme/production", f.acme, nil)
	if a.problem(http.StatusServiceUnavailable); a.header.Get("Retry-After") == "" {
		t.Errorf("headers: %v", a.header)
	}
	if !strings.Contains(f.log.String(), "WARN") {
		t.Errorf("the operator does not hear of it: %s", f.log.String())
	}
	if a := f.do(http.MethodGet, "/metrics", "", nil).want(http.StatusOK); string(a.body) != "slow but whole" {
		t.Errorf("%s", a.body)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	newFixture(t).do(http.MethodGet, "/metrics", "", nil).problem(http.StatusNotFound)
	f := newFixture(t, func(c *api.Config) {
		c.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("up 1\n")) })
	})
	if a := f.do(http.MethodGet, "/metrics", "", nil).want(http.StatusOK); string(a.body) != "up 1\n" {
		t.Errorf("%s", a.body)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*api.Config){
		"no ledger":   func(c *api.Config) { c.Ledger = nil },
		"no receiver": func(c *api.Config) { c.Receiver = nil },
		"no bucket":   func(c *api.Config) { c.Bucket = nil },
		"no schemas":  func(c *api.Config) { c.Schemas = nil },
		"no check":    func(c *api.Config) { c.Databases = &api.Databases{DryRun: c.Databases.DryRun} },
		"no dry run":  func(c *api.Config) { c.Databases = &api.Databases{Check: c.Databases.Check} },
		"half a key": func(c *api.Config) {
			c.Databases = &api.Databases{Check: c.Databases.Check, DryRun: c.Databases.DryRun, Seal: c.Databases.Seal}
		},
		"no rows":     func(c *api.Config) { c.Rows = nil },
		"no counts":   func(c *api.Config) { c.Counts = nil },
		"size":        func(c *api.Config) { c.MaxFileBytes = -1 },
		"time":        func(c *api.Config) { c.AnswerTimeout = -1 },
		"no URL":      func(c *api.Config) { c.PublicURL = "etl.example.org" },
		"with a path": func(c *api.Config) { c.PublicURL = "https://etl.example.org/x" },
		"with a user": func(c *api.Config) { c.PublicURL = "https://a:b@etl.example.org" },
		"ftp":         func(c *api.Config) { c.PublicURL = "ftp://etl.example.org" },
	} {
		newFixture(t, func(c *api.Config) {
			bad := *c
			change(&bad)
			if _, err := api.New(bad); err == nil {
				t.Errorf("%s: accepted", name)
			}
		})
	}
}

func TestPublicURL(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(c *api.Config) {
		c.PublicURL, c.Logger = "https://etl.example.org/", slog.New(slog.DiscardHandler)
	})
	a := f.do(http.MethodGet, "/openapi.json", "", nil).want(http.StatusOK)
	for _, want := range []string{`"tokenUrl": "https://etl.example.org/oauth2/token"`, `"url": "https://etl.example.org"`} {
		if !strings.Contains(string(a.body), want) {
			t.Errorf("the description lacks %s", want)
		}
	}
	if a.header.Get("Strict-Transport-Security") == "" {
		t.Error("no Strict-Transport-Security")
	}
}

func TestHTTPServerHasTimeouts(t *testing.T) {
	t.Parallel()
	s := newFixture(t).server.HTTPServer()
	if s.ReadHeaderTimeout <= 0 || s.IdleTimeout <= 0 || s.MaxHeaderBytes <= 0 || s.ReadTimeout != 0 || s.WriteTimeout != 0 {
		t.Errorf("%+v", s)
	}
}
