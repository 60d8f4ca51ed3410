package loader_test

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"dropline/ingest"
)

// crash empties the unlogged tables of every tenant, as PostgreSQL itself does when it starts after a crash.
func (h *house) crash() {
	h.Helper()
	var tables []string
	h.must(h.pool.QueryRow(h.Context(), `SELECT array_agg(format('%I.%I', n.nspname, c.relname)) FROM pg_class c
		JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relpersistence = 'u' AND c.relkind = 'r'`).Scan(&tables))
	if len(tables) < 2 {
		h.Fatalf("there is nothing unlogged but %q", tables)
	}
	_, err := h.pool.Exec(h.Context(), `TRUNCATE `+strings.Join(tables, ", "))
	h.must(err)
}

// TestStagedRowsComeBackAfterACrash as they were: without the rows refused then, by mapping or by a check, under the mapping of
// then, and also where a check would judge otherwise by now.
func TestStagedRowsComeBackAfterACrash(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1)
	_, err := h.ledger.PutMapping(t.Context(), acme, []byte("version: 1\nfiles:\n  - pattern: \"Contacts.csv\"\n    table: Contact\n"+
		"    columns:\n      ImportId: ImportId\n      Type: Type\n      LastName: Surname\n"), "test")
	h.must(err)
	h.work()
	first := h.send("Contacts.csv", "ImportId,Type,Surname\nC-1,Person,Smith\nC-2,Martian,Jones\nC-3,Person,Brown\nC-3,Person,Twice\n")
	before := h.untilState(first, ingest.Staged)
	if before.Staged != 1 || before.Rejected != 3 {
		t.Fatalf("%+v", before)
	}
	want := h.rows(first, "Contact")
	_, err = h.ledger.PutMapping(t.Context(), acme, []byte("version: 1\nfiles:\n  - pattern: \"Contacts.csv\"\n    table: Employee\n"), "test")
	h.must(err)

	h.crash()
	h.until(first, "restored", func(ingest.Import) bool {
		intact, err := h.store.Intact(t.Context(), acme)
		h.must(err)
		return intact
	})
	if got := h.rows(first, "Contact"); !slices.Equal(got, want) {
		t.Errorf("restored: %q, was: %q", got, want)
	}
	if after := h.get(first); after.State != ingest.Staged || after.Attempt != before.Attempt || after.Rejected != 3 {
		t.Errorf("the import after it: %+v", after)
	}

	// A promotion asked for right after a crash waits for the rows rather than promoting none.
	h.crash()
	_, err = h.ledger.RequestPromotion(t.Context(), acme, first, "test", "")
	h.must(err)
	if imp := h.untilState(first, ingest.Promoted); imp.Promotion.Counts.Inserted != 1 {
		t.Errorf("promoted: %+v", imp.Promotion)
	}
}

// TestACrashInALoadRefusesNothing: what refers to a staged import's rows is not judged by the empty tables that a crash of
// PostgreSQL leaves of them while the load waits for S3, sooner than its lock is known to be lost.
func TestACrashInALoadRefusesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1)
	h.work()
	h.untilState(h.send("Contacts.csv", "ImportId,Type,LastName\nC-1,Person,Smith\n"), ingest.Staged)
	crash := sync.OnceFunc(h.crash)
	h.bucket.set(func(r io.ReadCloser) (io.ReadCloser, error) {
		crash()
		return r, nil
	}, nil)
	second := h.send("ContactPoints.csv", "ImportId,ContactId,Type,Value\nP-1,C-1,Phone,1234\n")
	if imp := h.untilState(second, ingest.Staged); imp.Staged != 1 || imp.Rejected != 0 || imp.Attempt < 2 {
		t.Errorf("%+v", imp)
	}
}

// TestACrashBeforeAnImportIsStaged: its rows are loaded again, though by then the tenant's staging counts as restored: whoever did
// that did not know of them.
func TestACrashBeforeAnImportIsStaged(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	crash := sync.OnceFunc(func() {
		h.crash()
		h.must(h.store.MakeIntact(t.Context(), acme, func(context.Context) error { return nil }))
	})
	h.bucket.set(nil, func(key string) {
		if strings.HasSuffix(key, "/receipt.json") {
			crash()
		}
	})
	h.work()
	id := h.send("Contacts.csv", "ImportId,Type,LastName\nC-1,Person,Smith\n")
	if imp := h.untilState(id, ingest.Staged); imp.Attempt < 2 || len(h.rows(id, "Contact")) != 1 {
		t.Errorf("staged with %q: %+v", h.rows(id, "Contact"), imp)
	}
}
