package ledger_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"dropline/ingest"
	"dropline/ingest/ledger"
)

func TestTenants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	good := ingest.Tenant{
		ID: "beta_2", Name: "Beta LLP", Schema: ingest.DefaultSchema, TimeZone: "Europe/London", Enabled: true,
		QuietPeriod: 1500 * time.Millisecond, RejectLimit: 0.25, QuotaBytes: 1 << 40,
	}
	for name, spoil := range map[string]func(*ingest.Tenant){
		"slug":           func(t *ingest.Tenant) { t.ID = "Beta" },
		"no name":        func(t *ingest.Tenant) { t.Name = " " },
		"name":           func(t *ingest.Tenant) { t.Name = "a\nb" },
		"schema":         func(t *ingest.Tenant) { t.Schema = "" },
		"zone":           func(t *ingest.Tenant) { t.TimeZone = "Mars/Olympus" },
		"no zone":        func(t *ingest.Tenant) { t.TimeZone = "" },
		"local zone":     func(t *ingest.Tenant) { t.TimeZone = "Local" },
		"quiet period":   func(t *ingest.Tenant) { t.QuietPeriod = -1 },
		"quiet too long": func(t *ingest.Tenant) { t.QuietPeriod = ingest.MaxBatchWait + 1 },
		"reject limit":   func(t *ingest.Tenant) { t.RejectLimit = 1.01 },
		"no limit":       func(t *ingest.Tenant) { t.RejectLimit = math.NaN() },
		"quota":          func(t *ingest.Tenant) { t.QuotaBytes = -1 },
	} {
		bad := good
		spoil(&bad)
		if _, err := w.CreateTenant(ctx, bad); ingest.KindOf(err) != ingest.Invalid {
			t.Errorf("%s: %v, want Invalid", name, err)
		}
	}
	made, err := w.CreateTenant(ctx, good)
	w.must(err)
	good.CreatedAt = w.clock.Now()
	same(t, "made", made, good)
	_, err = w.CreateTenant(ctx, good)
	w.want(err, ingest.Conflict)

	quiet, limit := 5*time.Second, 2.0
	_, err = w.ChangeTenant(ctx, good.ID, ingest.TenantChange{QuietPeriod: &quiet, RejectLimit: &limit})
	w.want(err, ingest.Invalid)
	changed, err := w.ChangeTenant(ctx, good.ID, ingest.TenantChange{QuietPeriod: &quiet})
	w.must(err)
	good.QuietPeriod = quiet
	same(t, "changed", changed, good)
	got, err := w.Tenant(ctx, good.ID)
	w.must(err)
	same(t, "read", got, good)
	var ids []ingest.TenantID
	for after := ingest.TenantID(""); ; after = ids[len(ids)-1] {
		page, err := w.ListTenants(ctx, after, 2)
		w.must(err)
		if len(page) == 0 {
			break
		}
		for _, t := range page {
			ids = append(ids, t.ID)
		}
	}
	same(t, "list", ids, []ingest.TenantID{acme, "beta_2", globex})

	if is, err := w.Provisioned(ctx, acme); err != nil || is {
		t.Errorf("provisioned: %v, %v", is, err)
	}
	w.must(w.SetProvisioned(ctx, acme, "efimis-1.0"))
	if is, err := w.Provisioned(ctx, acme); err != nil || !is {
		t.Errorf("provisioned: %v, %v", is, err)
	}
}

func TestMappings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	for _, version := range []int{-1, 0} {
		m, err := w.Mapping(ctx, acme, version)
		w.must(err)
		same(t, "none yet", m, ingest.MappingVersion{Tenant: acme})
	}
	first, err := w.PutMapping(ctx, acme, []byte("a: 1"), "me")
	w.must(err)
	again, err := w.PutMapping(ctx, acme, []byte("a: 1"), "you")
	w.must(err)
	same(t, "the same again", again, first)
	second, err := w.PutMapping(ctx, acme, []byte("a: 2"), "me")
	w.must(err)
	third, err := w.PutMapping(ctx, acme, []byte("a: 1"), "me")
	w.must(err)
	same(t, "versions", []int{first.Version, second.Version, third.Version}, []int{1, 2, 3})
	latest, err := w.Mapping(ctx, acme, -1)
	w.must(err)
	same(t, "latest", latest, third)
	got, err := w.Mapping(ctx, acme, 2)
	w.must(err)
	same(t, "second", got, second)
	_, err = w.Mapping(ctx, acme, 4)
	w.want(err, ingest.NotFound)
	list, err := w.ListMappings(ctx, acme)
	w.must(err)
	if len(list) != 3 || list[0].Version != 3 || list[0].YAML != nil || list[2].CreatedBy != "me" {
		t.Errorf("list: %+v", list)
	}
}

func TestSettingIsMadeOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other, _ := w.open()
	values := make([]string, 8)
	var all sync.WaitGroup
	for i := range values {
		l := []*ledger.Ledger{w.Ledger, other}[i%2]
		all.Go(func() {
			v, err := l.Setting(t.Context(), "host key", func() ([]byte, error) { return []byte{'a' + byte(i)}, nil })
			if err != nil {
				t.Error(err)
			}
			values[i] = string(v)
		})
	}
	all.Wait()
	for _, v := range values {
		same(t, "value", v, values[0])
	}
	broken := errors.New("no entropy")
	_, err := w.Setting(t.Context(), "other", func() ([]byte, error) { return nil, broken })
	if !errors.Is(err, broken) {
		t.Errorf("create's error: %v", err)
	}
}

func TestIdempotencyKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	request, another := sha256.Sum256([]byte("a")), sha256.Sum256([]byte("b"))
	remember := func(caller string, r [32]byte) (*ingest.Response, error) { return w.Remember(ctx, caller, "key", r) }
	reserved := func(caller string, r [32]byte) {
		t.Helper()
		answer, err := remember(caller, r)
		if answer != nil || err != nil {
			t.Fatalf("%+v, %v, want the key to be reserved", answer, err)
		}
	}
	reserved("me", request)
	reserved("you", another) // a key is its caller's
	_, err := remember("me", request)
	w.want(err, ingest.Conflict)
	_, err = remember("me", another)
	w.want(err, ingest.Invalid)
	w.must(w.Settle(ctx, "me", "key", nil)) // it failed, and changed nothing
	reserved("me", another)
	w.clock.advance(time.Minute) // the server died
	reserved("me", request)
	answer := &ingest.Response{Status: 202, ContentType: "application/json", Body: []byte("{}")}
	w.must(w.Settle(ctx, "me", "key", answer))
	w.must(w.Settle(ctx, "me", "key", nil)) // too late
	w.clock.advance(23 * time.Hour)
	got, err := remember("me", request)
	w.must(err)
	same(t, "the answer", got, answer)
	_, err = remember("me", another)
	w.want(err, ingest.Invalid)
	w.clock.advance(2 * time.Hour)
	reserved("me", another)
	_, err = w.Remember(ctx, "me", "", request)
	w.want(err, ingest.Invalid)
	_, err = w.Remember(ctx, "me", "a\x00", request)
	w.want(err, ingest.Invalid)

	var all sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 6 {
		all.Go(func() {
			answer, err := w.Remember(ctx, "me", "at once", request)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil && answer == nil:
				won++
			case ingest.KindOf(err) != ingest.Conflict:
				t.Errorf("%+v, %v", answer, err)
			}
		})
	}
	all.Wait()
	same(t, "reservations", won, 1)
}

func TestUnavailable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	gone, err := pgxpool.New(context.Background(), "postgres://nobody@127.0.0.1:1/none?connect_timeout=2")
	w.must(err)
	defer gone.Close()
	_, err = ledger.Open(t.Context(), ledger.Config{Pool: gone})
	w.want(err, ingest.Unavailable)
	if ingest.HintOf(err) == "" {
		t.Error("no hint")
	}
	l, pool := w.open()
	pool.Close()
	_, err = l.Tenant(t.Context(), acme)
	w.want(err, ingest.Unavailable)
	w.want(l.Healthy(t.Context()), ingest.Unavailable)

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = w.Register(ended, w.registration(acme, file, "A"))
	w.want(err, ingest.Unavailable)
}

// TestConnectionsLost ends all connections in the middle of work: callers are told that the database is away, or notice
// nothing, and what is registered again is there once.
func TestConnectionsLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	killer, pool := w.open()
	_ = killer
	for i := range 20 {
		r := w.registration(acme, file, string(rune('a'+i)))
		done := make(chan error, 1)
		go func() {
			_, err := w.Register(t.Context(), r)
			done <- err
		}()
		_, err := pool.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		w.must(err)
		if err := <-done; err != nil {
			w.want(err, ingest.Unavailable)
		}
		for {
			_, err := w.Register(t.Context(), r)
			if err == nil {
				break
			}
			w.want(err, ingest.Unavailable)
		}
	}
	same(t, "drops", w.query(`SELECT count(*) FROM dropline.drops`), int64(20))
}
