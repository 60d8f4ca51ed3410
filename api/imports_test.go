package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dropline/api"
	"dropline/ingest"
)

func TestPromoteAsPublished(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := string(f.addImport("acme", ingest.Staged).ID)
	a := f.do(http.MethodPost, "/etl/promote-to-production", f.acme, map[string]string{"requestId": id}).want(http.StatusAccepted)
	want := `{"message":"Promotion to production started.","requestId":"` + id + `"}` + "\n"
	if diff := cmp.Diff(want, string(a.body)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"promoting " + id + " by label of acme"}, f.ledger.requests); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	p := f.do(http.MethodPost, "/etl/promote-to-production", f.acme, map[string]string{"requestId": id}).problem(http.StatusConflict)
	if !strings.Contains(p.Detail, "promoting") || p.Hint == "" {
		t.Errorf("twice: %+v", p)
	}
}

func TestPromoteRefusals(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	older, younger := *f.addImport("acme", ingest.Staged), *f.addImport("acme", ingest.Staged)
	rejected := string(f.addImport("bravo", ingest.Rejected).ID)
	post := func(token string, body any) *answer {
		return f.do(http.MethodPost, "/etl/promote-to-production", token, body)
	}

	if p := post(f.acme, api.PromoteRequest{RequestID: string(younger.ID)}).problem(409); !strings.Contains(p.Detail, string(older.ID)) {
		t.Errorf("it does not name the import in the way: %+v", p)
	}
	post(f.acme, api.PromoteRequest{RequestID: string(ingest.NewImportID())}).problem(http.StatusNotFound)
	post(f.acme, api.PromoteRequest{RequestID: "nonsense"}).problem(http.StatusNotFound)
	post(f.bravo, api.PromoteRequest{RequestID: rejected}).problem(http.StatusConflict)
	post(f.bravo, api.PromoteRequest{RequestID: rejected, Override: " \t "}).problem(http.StatusConflict)
	post(f.bravo, api.PromoteRequest{RequestID: rejected, Override: "known test data"}).want(http.StatusAccepted)
	for name, body := range map[string]any{
		"nothing": map[string]any{}, "number": map[string]any{"requestId": 7}, "null": map[string]any{"requestId": nil},
		"unknown field": map[string]any{"requestId": string(older.ID), "overide": "x"}, "array": []string{string(older.ID)},
		"long": map[string]any{"requestId": strings.Repeat("x", 65)},
	} {
		if p := post(f.acme, body).problem(http.StatusUnprocessableEntity); len(p.Errors) == 0 || !strings.HasPrefix(p.Errors[0].Location, "body") {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestRequestsOnImports(t *testing.T) {
	t.Parallel()
	for verb, c := range map[string]struct {
		from, to ingest.State
		message  string
	}{
		"cancel":   {ingest.Loading, ingest.Cancelled, "Import cancelled."},
		"retry":    {ingest.Failed, ingest.Queued, "Import queued again."},
		"rollback": {ingest.Promoted, ingest.RollingBack, "Rollback of production started."},
	} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			imp := f.addImport("acme", c.from)
			path := "/etl/imports/" + string(imp.ID) + "/" + verb
			var got api.Started
			f.do(http.MethodPost, path, f.acme, nil).want(http.StatusAccepted, &got)
			if diff := cmp.Diff(api.Started{Message: c.message, RequestID: string(imp.ID)}, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if imp.State != c.to {
				t.Errorf("the import is %s", imp.State)
			}
			f.do(http.MethodPost, path, f.acme, nil).problem(http.StatusConflict)
			f.do(http.MethodPost, "/etl/imports/nonsense/"+verb, f.acme, nil).problem(http.StatusNotFound)
		})
	}
}

// fullImport is an import with something in every field.
func fullImport(f *fixture) *ingest.Import {
	at := func(seconds float64) *time.Time {
		t := f.clock.Now().Add(time.Duration(seconds * float64(time.Second))).In(time.FixedZone("AEST", 10*3600))
		return &t
	}
	imp := f.addImport("acme", ingest.Promoted)
	id := ingest.ImportID("import_0123456789abcdef0123456789abcdef")
	counts := ingest.PromotionCounts{Inserted: 90, Updated: 5, Unchanged: 4, Deleted: 0}
	*imp = ingest.Import{
		ID: id, Seq: imp.Seq, Tenant: "acme", Schema: "efimis-1.0", MappingVersion: 3, State: ingest.Promoted, Attempt: 1,
		CreatedAt: *at(0), StartedAt: at(0.25), LoadedAt: at(2.5), FinishedAt: at(4), PromotedAt: at(70),
		BytesTotal: 5000, BytesRead: 5000, Read: 100, Staged: 99, Rejected: 1, Warnings: 2,
		Files: []ingest.ImportFile{
			{
				Number: 1, Drop: "drop_0123456789abcdef0123456789abcdef", Path: "/inbox/daily/Matters.csv", Size: 5000, SHA256: [32]byte{0xab},
				ReceivedAt: *at(-10), State: ingest.FileLoaded, Table: "Matter", Bytes: 5000, Read: 100, Staged: 99, Rejected: 1,
				Ignored: []string{"Colour"}, Notes: []string{"a list was taken as text"},
			},
			{
				Number: 2, Drop: "drop_1123456789abcdef0123456789abcdef", Path: "/inbox/odd.csv", Size: 7, ReceivedAt: *at(-9),
				State: ingest.FileRefused, Code: "unknown_table", Error: "no table is named odd",
			},
			{
				Number: 3, Drop: "drop_2123456789abcdef0123456789abcdef", Path: "/inbox/daily/Matters.csv", Size: 5000, ReceivedAt: *at(9),
				State: ingest.FileDuplicate,
			},
		},
		Tables:        []ingest.ImportTable{{Name: "Matter", Read: 100, Staged: 99, Rejected: 1, Promoted: &counts}},
		Prerequisites: []ingest.ImportID{"import_f123456789abcdef0123456789abcdef"},
		Promotion: &ingest.Promotion{
			RequestedAt: *at(60), RequestedBy: "nightly", StartedAt: at(61), FinishedAt: at(70.5), Override: "test data", Counts: counts,
		},
	}
	for n := range 25 {
		f.ledger.rejects[id] = append(f.ledger.rejects[id], ingest.Reject{
			File: "/inbox/daily/Matters.csv", FileNumber: 1, Table: "Matter", Record: int64(n + 1), Line: int64(n + 2), Column: "OpenDate",
			Header: "Open Date", Code: "not_a_date", Message: "February 2026 has 28 days", Value: "30/02/2026", ImportID: "M-7", Offset: 512, Length: 64,
		})
	}
	return imp
}

func TestStatusHasAllThereIs(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	imp := fullImport(f)
	f.clock.Advance(time.Hour)
	a := f.do(http.MethodGet, "/etl/import-status/"+string(imp.ID), f.acme, nil).want(http.StatusOK)
	var tree map[string]any
	a.want(http.StatusOK, &tree)
	if n := len(tree["firstErrors"].([]any)); n != 20 {
		t.Errorf("%d first errors", n)
	}
	tree["firstErrors"] = tree["firstErrors"].([]any)[:1]
	got, err := json.MarshalIndent(tree, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "status.json")
	if *update {
		if err := os.WriteFile(golden, append(got, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)+"\n"); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	same := f.do(http.MethodGet, "/etl/imports/"+string(imp.ID), f.operator, nil).want(http.StatusOK)
	if diff := cmp.Diff(string(a.body), string(same.body)); diff != "" {
		t.Errorf("GET /etl/imports/{requestId} differs:\n%s", diff)
	}
}

// TestPercentOnlyGrows follows an import through its states.
func TestPercentOnlyGrows(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	imp := f.addImport("acme", ingest.Queued)
	last := -1
	see := func(low, high int) {
		t.Helper()
		var st api.ImportStatus
		f.do(http.MethodGet, "/etl/import-status/"+string(imp.ID), f.acme, nil).want(http.StatusOK, &st)
		if st.Percent < last || st.Percent < low || st.Percent > high {
			t.Errorf("%s: %d %% after %d %%, want %d to %d", imp.State, st.Percent, last, low, high)
		}
		last = st.Percent
		f.clock.Advance(time.Second)
	}
	now := func() *time.Time { t := f.clock.Now(); return &t }
	see(0, 0)
	imp.State, imp.StartedAt, imp.BytesTotal = ingest.Loading, now(), 1000
	for _, imp.BytesRead = range []int64{0, 1, 10, 500, 999, 1000} {
		see(0, 80)
	}
	see(80, 80)
	imp.State, imp.LoadedAt = ingest.Validating, now()
	for range 5 {
		see(80, 99)
	}
	f.clock.Advance(1000 * time.Hour)
	see(98, 99)
	imp.State, imp.FinishedAt = ingest.Staged, now()
	see(100, 100)
	for _, imp.State = range []ingest.State{ingest.Promoting, ingest.Promoted, ingest.RollingBack, ingest.RolledBack} {
		see(100, 100)
	}
}

func TestPromotionState(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	imp := fullImport(f)
	for _, c := range []struct {
		state   ingest.State
		started bool
		want    string
	}{
		{ingest.Promoting, false, "requested"},
		{ingest.Promoting, true, "running"},
		{ingest.Promoted, true, "promoted"},
		{ingest.Staged, true, "failed"},
		{ingest.Rejected, true, "failed"},
		{ingest.RollingBack, true, "rolling_back"},
		{ingest.RolledBack, true, "rolled_back"},
	} {
		imp.State = c.state
		imp.Promotion.StartedAt = nil
		if c.started {
			now := f.clock.Now()
			imp.Promotion.StartedAt = &now
		}
		var st api.ImportStatus
		f.do(http.MethodGet, "/etl/import-status/"+string(imp.ID), f.acme, nil).want(http.StatusOK, &st)
		if st.Promotion.State != c.want {
			t.Errorf("%s, started %v: promotion is %s, want %s", c.state, c.started, st.Promotion.State, c.want)
		}
	}
}

func TestListImports(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for n := range 25 {
		state := ingest.Staged
		if n%5 == 0 {
			state = ingest.Failed
		}
		f.addImport("acme", state)
		f.addImport("bravo", ingest.Promoted)
	}
	walk := func(token, query string) (ids []string) {
		cursor, seen := "", map[string]bool{}
		for {
			var page api.ImportPage
			f.do(http.MethodGet, "/etl/imports?limit=7"+query+cursor, token, nil).want(http.StatusOK, &page)
			for _, item := range page.Items {
				if seen[item.RequestID] {
					t.Fatalf("%s twice", item.RequestID)
				}
				seen[item.RequestID] = true
				ids = append(ids, item.Tenant)
			}
			if page.NextCursor == "" {
				return ids
			}
			cursor = "&cursor=" + page.NextCursor
		}
	}
	for _, c := range []struct {
		token, query string
		want         int
	}{
		{f.acme, "", 25},
		{f.acme, "&tenant=acme", 25},
		{f.acme, "&state=failed", 5},
		{f.acme, "&state=failed&state=staged", 25},
		{f.acme, "&state=promoted", 0},
		{f.operator, "", 50},
		{f.operator, "&tenant=bravo", 25},
		{f.operator, "&tenant=acme&state=failed", 5},
	} {
		if got := walk(c.token, c.query); len(got) != c.want {
			t.Errorf("%q: %d imports, want %d", c.query, len(got), c.want)
		}
	}
	f.do(http.MethodGet, "/etl/imports?tenant=bravo", f.acme, nil).problem(http.StatusNotFound)
	f.do(http.MethodGet, "/etl/imports?tenant=nobody", f.operator, nil).problem(http.StatusNotFound)
	for _, query := range []string{
		"limit=0", "limit=-1", "limit=501", "limit=x", "limit=9999999999999999999999", "state=odd", "sate=staged", "cursor=x",
		"cursor=" + strings.Repeat("A", 600), "cursor=LTE", "cursor=aW1wb3J0czotMQ", "cursor=aW1wb3J0czo5OTk5OTk5OTk5OTk5OTk5OTk5OTk5",
	} {
		if p := f.do(http.MethodGet, "/etl/imports?"+query, f.acme, nil).problem(http.StatusUnprocessableEntity); len(p.Errors) == 0 {
			t.Errorf("%s: no errors", query)
		}
	}
}

func TestRows(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := string(f.addImport("acme", ingest.Staged).ID)
	path, cursor, last := "/etl/imports/"+id+"/rows?table=Matter&limit=50", "", 0
	for range 3 {
		var page api.RowPage
		f.do(http.MethodGet, path+cursor, f.acme, nil).want(http.StatusOK, &page)
		for _, row := range page.Items {
			last++
			if want := fmt.Sprintf(`{"Row":%d,"Table":"Matter","Big":12345678901234567890.10}`, last); string(row) != want {
				t.Fatalf("row %s, want %s", row, want)
			}
		}
		cursor = "&cursor=" + page.NextCursor
	}
	if last != 120 || cursor != "&cursor=" {
		t.Errorf("%d rows, then cursor %q", last, cursor)
	}
	var page api.RowPage
	f.do(http.MethodGet, "/etl/imports/"+id+"/rows?table=Client", f.acme, nil).want(http.StatusOK, &page)
	if len(page.Items) != 0 {
		t.Error("rows of a table that the import does not have")
	}
	for _, state := range []ingest.State{ingest.Queued, ingest.Loading, ingest.Validating, ingest.Failed, ingest.Cancelled} {
		f.do(http.MethodGet, "/etl/imports/"+string(f.addImport("acme", state).ID)+"/rows?table=Matter", f.acme, nil).problem(http.StatusConflict)
	}
	for _, query := range []string{"", "?table=", "?table=matter", "?table=matter%3Bdrop", "?table=Nope", "?table=Matter&cursor=zzz", "?table=Matter&limit=0"} {
		if p := f.do(http.MethodGet, "/etl/imports/"+id+"/rows"+query, f.acme, nil).problem(http.StatusUnprocessableEntity); len(p.Errors) == 0 {
			t.Errorf("%q: no errors", query)
		}
	}
}
