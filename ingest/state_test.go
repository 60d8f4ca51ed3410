package ingest_test

import (
	"strings"
	"testing"

	"dropline/ingest"
)

// TestTransitions holds the whole table, written down a second time: every pair that is not here must be refused.
func TestTransitions(t *testing.T) {
	t.Parallel()
	allowed := map[ingest.State]string{
		ingest.Queued:      "loading failed cancelled",
		ingest.Loading:     "validating unmapped rejected queued failed cancelled",
		ingest.Unmapped:    "queued cancelled",
		ingest.Validating:  "staged rejected queued failed cancelled",
		ingest.Staged:      "promoting cancelled",
		ingest.Rejected:    "promoting",
		ingest.Promoting:   "promoted staged rejected",
		ingest.Promoted:    "rolling_back",
		ingest.RollingBack: "rolled_back promoted",
		ingest.RolledBack:  "",
		ingest.Failed:      "queued",
		ingest.Cancelled:   "queued",
	}
	if len(allowed) != len(ingest.States()) {
		t.Fatalf("the test knows %d states, the package %d", len(allowed), len(ingest.States()))
	}
	for _, from := range ingest.States() {
		want := map[ingest.State]bool{}
		for _, name := range strings.Fields(allowed[from]) {
			want[ingest.State(name)] = true
		}
		for _, to := range ingest.States() {
			if got := from.CanBecome(to); got != want[to] {
				t.Errorf("%s to %s: allowed %v, want %v", from, to, got, want[to])
			}
		}
	}
}

func TestSourcesAreTheInverse(t *testing.T) {
	t.Parallel()
	for _, to := range ingest.States() {
		sources := map[ingest.State]bool{}
		for _, from := range ingest.Sources(to) {
			sources[from] = true
		}
		for _, from := range ingest.States() {
			if sources[from] != from.CanBecome(to) {
				t.Errorf("Sources(%s) on %s: %v", to, from, sources[from])
			}
		}
	}
}
