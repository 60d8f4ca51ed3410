package loader_test

import (
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"dropline/ingest"
)

// stagingTables counts the tenant's staging tables that belong to imports.
func (h *house) stagingTables() (n int) {
	h.Helper()
	h.must(h.pool.QueryRow(h.Context(), `SELECT count(*) FROM pg_tables WHERE schemaname = 'staging_acme'
		AND tablename ~ '^contact_[0-9]+$'`).Scan(&n))
	return n
}

// TestOutageIsWaitedFor: S3 out of reach fails nothing; the status says what is waited for, and then the import goes on.
func TestOutageIsWaitedFor(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	var away atomic.Bool
	away.Store(true)
	h.bucket.set(func(r io.ReadCloser) (io.ReadCloser, error) {
		if away.Load() {
			return nil, errors.Join(ingest.Errorf(ingest.Unavailable, "bucket", "dial 10.0.0.7: refused"), r.Close())
		}
		return r, nil
	}, nil)
	h.work()
	id := h.send("Contacts.csv", contacts(3, 0))
	waits := h.until(id, "waiting", func(i ingest.Import) bool { return i.Error != "" })
	if waits.State == ingest.Failed || waits.Error != "waiting to try again: PostgreSQL or S3 is out of reach" {
		t.Errorf("it is %s: %q", waits.State, waits.Error)
	}
	away.Store(false)
	if imp := h.untilState(id, ingest.Staged); imp.Error != "" || imp.Staged != 3 || imp.Attempt < 2 {
		t.Errorf("after it: %+v", imp)
	}
}

// TestWhatCannotBeLoadedFailsAtOnce: to try again would not help, and the reason is for people.
func TestWhatCannotBeLoadedFailsAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	_, err := h.pool.Exec(t.Context(), `UPDATE dropline.tenants SET time_zone = 'Mars/Olympus'`)
	h.must(err)
	h.work()
	id := h.send("Contacts.csv", contacts(3, 0))
	imp := h.untilState(id, ingest.Failed)
	if !strings.Contains(imp.Error, "Mars/Olympus") || imp.Hint != "set the tenant's time zone to an IANA name" || imp.Attempt != 1 {
		t.Errorf("attempt %d: %q, hint %q", imp.Attempt, imp.Error, imp.Hint)
	}
	_, err = h.pool.Exec(t.Context(), `UPDATE dropline.tenants SET time_zone = 'UTC'`)
	h.must(err)
	_, err = h.ledger.Retry(t.Context(), acme, id, "test")
	h.must(err)
	if imp := h.untilState(id, ingest.Staged); imp.Error != "" || imp.Hint != "" || imp.Staged != 3 {
		t.Errorf("after a retry: %+v", imp)
	}
}

// halfLoaded sends a file of so many contacts and returns once half of it is loaded; the rest comes when the gate is closed.
func (h *house) halfLoaded(rows int) (ingest.ImportID, chan struct{}) {
	h.Helper()
	body := contacts(rows, 0)
	gate := make(chan struct{})
	h.bucket.set(func(r io.ReadCloser) (io.ReadCloser, error) {
		return &gatedBody{ReadCloser: r, free: len(body) / 2, gate: gate}, nil
	}, nil)
	id := h.send("Contacts.csv", body)
	h.until(id, "half read", func(i ingest.Import) bool { return i.Read > 0 })
	return id, gate
}

// TestCancelledWhileLoading: the worker stops by itself, and nothing stays in staging.
func TestCancelledWhileLoading(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	h.work()
	id, gate := h.halfLoaded(160_000)
	_, err := h.ledger.Cancel(t.Context(), acme, id, "test")
	h.must(err)
	close(gate)
	h.until(id, "cleared away", func(i ingest.Import) bool { return i.State == ingest.Cancelled && h.stagingTables() == 0 })
	h.bucket.set(nil, nil)
	_, err = h.ledger.Retry(t.Context(), acme, id, "test")
	h.must(err)
	if imp := h.untilState(id, ingest.Staged); imp.Staged != 160_000 || len(h.rows(id, "Contact")) != 500 {
		t.Errorf("after a retry: %+v", imp)
	}
}

// TestStoppedWhileLoading: the import is handed back, and the next loader takes it up at once and once.
func TestStoppedWhileLoading(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	stop := h.work()
	id, gate := h.halfLoaded(160_000)
	h.onStop = func() { close(gate) } // not before: the import might be over by then
	stop()
	h.onStop = nil
	if imp := h.get(id); imp.State != ingest.Queued {
		t.Fatalf("after the stop it is %s", imp.State)
	}
	h.bucket.set(nil, nil)
	h.work()
	if imp := h.untilState(id, ingest.Staged); imp.Staged != 160_000 || imp.Attempt != 2 {
		t.Errorf("%+v", imp)
	}
}
