package loader_test

import (
	"io"
	"strings"
	"testing"

	"dropline/ingest"
)

// TestFileReplacedWhileItIsLoaded: the import in hand goes on with the bytes it began with, and the new ones are another import;
// and when the first come back, a third.
func TestFileReplacedWhileItIsLoaded(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	first := contacts(160_000, 0)
	second := strings.ReplaceAll(first, ",Name\n", ",Other\n")
	gate := make(chan struct{})
	h.bucket.set(func(r io.ReadCloser) (io.ReadCloser, error) {
		return &gatedBody{ReadCloser: r, free: len(first) / 2, gate: gate}, nil
	}, nil)
	h.work()
	a := h.send("Contacts.csv", first)
	h.until(a, "half read", func(i ingest.Import) bool { return i.Read > 0 })
	b := h.send("Contacts.csv", second)
	close(gate)
	h.untilState(b, ingest.Staged)
	c := h.send("Contacts.csv", first)
	if again := h.send("Contacts.csv", first); again != "" {
		t.Errorf("the same bytes at once again became %s", again)
	}
	h.untilState(c, ingest.Staged)
	if a == b || b == c || a == c {
		t.Fatalf("imports %s, %s, %s", a, b, c)
	}
	for id, want := range map[ingest.ImportID]string{a: `"LastName":"Name"`, b: `"LastName":"Other"`, c: `"LastName":"Name"`} {
		imp, rows := h.get(id), h.rows(id, "Contact")
		if imp.State != ingest.Staged || imp.Staged != 160_000 {
			t.Errorf("%s: %+v", id, imp)
		}
		for _, row := range []string{rows[0], rows[len(rows)-1]} {
			if !strings.Contains(strings.ReplaceAll(row, ": ", ":"), want) {
				t.Errorf("%s holds %s, not %s", id, row, want)
			}
		}
	}
}
