package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dropline/api"
	"dropline/ingest"
)

func TestBatches(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	nightly := ingest.BatchID("nightly")
	f.ledger.held = map[ingest.TenantID][]ingest.Entry{
		"acme":  {{Path: nightly.Held("/inbox/daily/Matters.csv"), Size: 7}, {Path: ingest.BatchID("other").Held("/inbox/x.csv")}},
		"bravo": {{Path: nightly.Held("/inbox/theirs.csv")}},
	}
	var files api.BatchFiles
	f.do(http.MethodGet, "/etl/batches/nightly", f.acme, nil).want(http.StatusOK, &files)
	want := api.BatchFiles{Tenant: "acme", Items: []api.HeldFile{{Name: "daily/Matters.csv", Size: 7, SHA256: strings.Repeat("0", 64)}}}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	f.do(http.MethodPost, "/etl/batches/nightly", f.acme, api.BatchDeliver{Files: 2}, key("k")).problem(http.StatusConflict)
	f.do(http.MethodPost, "/etl/batches/nightly", f.acme, `{"files":0}`).problem(http.StatusUnprocessableEntity)
	f.do(http.MethodPost, "/etl/batches/nightly", f.acme, `{"files":1,"more":2}`).problem(http.StatusUnprocessableEntity)
	var delivered api.BatchDelivered
	first := f.do(http.MethodPost, "/etl/batches/nightly", f.acme, api.BatchDeliver{Files: 1}, key("k")).want(http.StatusAccepted, &delivered)
	if len(delivered.Files) != 1 || delivered.Files[0].Path != "/inbox/daily/Matters.csv" || !ingest.ImportID(delivered.RequestID).Valid() {
		t.Errorf("%+v", delivered)
	}
	if again := f.do(http.MethodPost, "/etl/batches/nightly", f.acme, api.BatchDeliver{Files: 1}, key("k")); string(again.body) != string(first.body) {
		t.Errorf("%s, then %s", first.body, again.body)
	}
	f.do(http.MethodDelete, "/etl/batches/other?tenant=acme", f.operator, nil).want(http.StatusNoContent)
	f.do(http.MethodGet, "/etl/batches/other", f.acme, nil).want(http.StatusOK, &files)
	if len(files.Items) != 0 || len(f.ledger.held["bravo"]) != 1 {
		t.Errorf("%+v, bravo's %+v", files, f.ledger.held["bravo"])
	}
	for _, name := range []string{"a.b", "%2e%2e", "a%2fb", strings.Repeat("x", 65), "%00"} {
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			if a := f.do(method, "/etl/batches/"+name, f.acme, nil); a.status != http.StatusUnprocessableEntity && a.status != http.StatusNotFound {
				t.Errorf("%s %s: %d %s", method, name, a.status, a.body)
			}
		}
	}
	f.do(http.MethodPut, "/etl/files/x.csv?batch=a.b", f.acme, "a,b\n").problem(http.StatusUnprocessableEntity)
}
