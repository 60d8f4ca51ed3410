package push_test

import (
	"context"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"dropline/ingest"
	"dropline/internal/push"
	"dropline/internal/tdstest"
)

const largeTable = "/_database/WorkItem/"

// TestWhatPasses: a server that is busy, away, or no longer knows the token is asked again, and each row is delivered once.
func TestWhatPasses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var puts, others atomic.Int64
	s.server.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut {
			switch puts.Add(1) {
			case 2:
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(http.StatusTooManyRequests)
				return true
			case 4:
				w.WriteHeader(http.StatusServiceUnavailable)
				return true
			case 6:
				panic(http.ErrAbortHandler)
			case 8:
				w.WriteHeader(http.StatusUnauthorized)
				return true
			}
		} else if others.Add(1) == 3 {
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
		return false
	}
	r, err := push.Run(t.Context(), s.config)
	if err != nil {
		t.Fatal(err)
	}
	if r.Rows != s.rows || r.RequestID != "import_1" || len(s.server.delivered) != 1 || s.server.tokens != 2 {
		t.Errorf("%d of %d rows in %s, %d deliveries, %d tokens", r.Rows, s.rows, r.RequestID, len(s.server.delivered), s.server.tokens)
	}
	if len(s.said) == 0 {
		t.Error("nobody was told")
	}
}

// TestItIsBounded: what does not pass is not tried for ever, and what cannot pass is not tried again.
func TestItIsBounded(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]struct {
		tries int64
		kind  ingest.Kind
	}{
		http.StatusServiceUnavailable:  {4, ingest.Unavailable},
		http.StatusInsufficientStorage: {1, ingest.Exhausted},
		http.StatusForbidden:           {1, ingest.Denied},
	} {
		s := newSite(t)
		var tries atomic.Int64
		s.server.before = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPut {
				return false
			}
			tries.Add(1)
			w.WriteHeader(status)
			return true
		}
		_, err := push.Run(t.Context(), s.config)
		if ingest.KindOf(err) != want.kind || tries.Load() != want.tries {
			t.Errorf("%d: %v after %d tries", status, err, tries.Load())
		}
		if err != nil && strings.Contains(err.Error(), "client-secret-of-test") {
			t.Error("the error tells a secret")
		}
	}
}

// interruptedAt runs a push that ends when after, called with each request that was done, says so.
func (s *site) interruptedAt(after func(r *http.Request) bool) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	s.server.after = func(r *http.Request) {
		if after(r) {
			cancel()
			<-r.Context().Done() // so that it is not answered
			panic(http.ErrAbortHandler)
		}
	}
	if _, err := push.Run(ctx, s.config); err == nil || ctx.Err() == nil {
		s.t.Fatalf("it was not interrupted: %v", err)
	}
	s.server.after = nil
}

// TestInterruptedBeforeTheAnswer: a part that arrived whole and was not answered is known again, and not read again.
func TestInterruptedBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	parts := 0
	s.interruptedAt(func(r *http.Request) bool {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, largeTable) {
			parts++
		}
		return parts == 3
	})
	before := s.reads()
	r, err := push.Run(t.Context(), s.config)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.reads() - before; before != 3 || got != 2 {
		t.Errorf("of 5 parts it read %d and then %d", before, got)
	}
	if r.Rows != s.rows || !r.Resumed || len(s.server.delivered) != 1 {
		t.Errorf("%d of %d rows, %d deliveries", r.Rows, s.rows, len(s.server.delivered))
	}
	if !strings.Contains(strings.Join(r.Notes, " "), "not all of one moment") {
		t.Errorf("it does not say that it is of two moments: %v", r.Notes)
	}
}

// TestRowVersionsAreNoSnapshot: READ COMMITTED SNAPSHOT, whatever its name, is of one moment for each statement only.
func TestRowVersionsAreNoSnapshot(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, tdstest.Options{ReadCommittedSnapshot: true})
	s.interruptedAt(func(r *http.Request) bool {
		return r.Method == http.MethodPut && strings.Contains(r.URL.Path, largeTable+"dbo.WorkItem.2")
	})
	r, err := push.Run(t.Context(), s.config)
	if err != nil {
		t.Fatal(err)
	}
	if r.Isolation != "read committed snapshot" || !strings.Contains(strings.Join(r.Notes, " "), "not all of one moment") {
		t.Errorf("read under %s, it does not say that it is of two moments: %v", r.Isolation, r.Notes)
	}
}

// TestTheServerHasLostIt: what was discarded meanwhile is read anew, without anybody's doing, and said.
func TestTheServerHasLostIt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.interruptedAt(func(r *http.Request) bool {
		return r.Method == http.MethodPut && strings.Contains(r.URL.Path, largeTable+"dbo.WorkItem.3")
	})
	s.server.forget()
	r, err := push.Run(t.Context(), s.config)
	if err != nil {
		t.Fatal(err)
	}
	if r.Rows != s.rows || len(s.server.delivered) != 1 || !strings.Contains(strings.Join(r.Notes, " "), "read anew") {
		t.Errorf("%d of %d rows, %d deliveries, %v", r.Rows, s.rows, len(s.server.delivered), r.Notes)
	}
}

// TestDeliveredWithoutAnAnswer: a delivery whose answer was lost is asked for again, by this run or the next, and happens once.
func TestDeliveredWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.interruptedAt(func(r *http.Request) bool {
		return r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/etl/batches/")
	})
	before := len(s.sql.Queries())
	r, err := push.Run(t.Context(), s.config)
	if err != nil {
		t.Fatal(err)
	}
	if r.RequestID != "import_1" || len(s.server.delivered) != 1 || r.Rows != s.rows || len(s.sql.Queries()) != before {
		t.Errorf("%+v, %d deliveries, %d queries", r, len(s.server.delivered), len(s.sql.Queries())-before)
	}
}

// TestRestart forgets what was delivered, here and at the server.
func TestRestart(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.interruptedAt(func(r *http.Request) bool {
		return r.Method == http.MethodPut && strings.Contains(r.URL.Path, largeTable+"dbo.WorkItem.2")
	})
	s.config.Restart = true
	r, err := push.Run(t.Context(), s.config)
	if err != nil {
		t.Fatal(err)
	}
	if r.Resumed || r.Rows != s.rows || len(s.server.delivered) != 1 || len(s.server.held) != 0 {
		t.Errorf("%+v, held %v", r, s.server.held)
	}
}

// TestAnotherMapping reads anew: what was read under the old one may lack columns.
func TestAnotherMapping(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.interruptedAt(func(r *http.Request) bool {
		return r.Method == http.MethodPut && strings.Contains(r.URL.Path, largeTable+"dbo.WorkItem.2")
	})
	s.config.Mapping = []byte("version: 1\nfiles:\n  - pattern: \"Contacts*.csv\"\n    table: Contact\n")
	r, err := push.Run(t.Context(), s.config)
	if err != nil {
		t.Fatal(err)
	}
	if r.Resumed || r.Rows != s.rows || !strings.Contains(strings.Join(r.Notes, " "), "the mapping") {
		t.Errorf("%+v", r)
	}
}

// TestNoRedirection: neither data nor credential follows one.
func TestNoRedirection(t *testing.T) {
	t.Parallel()
	s, elsewhere := newSite(t), newFakeServer(t)
	var asked atomic.Int64
	elsewhere.before = func(http.ResponseWriter, *http.Request) bool { asked.Add(1); return false }
	s.server.before = func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, elsewhere.URL+r.URL.Path, http.StatusTemporaryRedirect)
		return true
	}
	if _, err := push.Run(t.Context(), s.config); err == nil || asked.Load() != 0 {
		t.Errorf("%v, and elsewhere %d requests", err, asked.Load())
	}
}

// TestWhereItGoes: not in the clear, and to one place.
func TestWhereItGoes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, url := range []string{"http://dropline.example.com", "ftp://x", "https://", "https://u:p@x", ""} {
		cfg := s.config
		cfg.HTTPS = &push.HTTPS{URL: url, ClientID: "id", ClientSecret: "secret"}
		if _, err := push.Run(t.Context(), cfg); ingest.KindOf(err) != ingest.Invalid {
			t.Errorf("%q: %v", url, err)
		}
	}
	cfg := s.config
	cfg.SFTP = &push.SFTP{Address: "127.0.0.1:1", User: "acme", Password: "x"}
	if _, err := push.Run(t.Context(), cfg); ingest.KindOf(err) != ingest.Invalid {
		t.Errorf("two places: %v", err)
	}
	cfg.HTTPS = nil
	if _, err := push.Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "host key") {
		t.Errorf("without a host key: %v", err)
	}
	if _, err := os.Stat(s.config.State); err == nil {
		t.Error("a state was written")
	}
}
