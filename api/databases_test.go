package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dropline/api"
	"dropline/ingest"
)

func withoutKey(c *api.Config) {
	c.Databases = &api.Databases{Check: c.Databases.Check, DryRun: c.Databases.DryRun}
}

func TestImportFromADatabase(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	a := f.do(http.MethodPost, "/etl/import", f.acme, map[string]string{"connectionString": goodString})
	var got map[string]any
	a.want(http.StatusAccepted, &got)
	id, _ := got["requestId"].(string)
	if diff := cmp.Diff(map[string]any{"message": "Import request queued successfully.", "requestId": id}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if !ingest.ImportID(id).Valid() {
		t.Errorf("requestId %q", id)
	}
	imp := f.ledger.imports[0]
	d := imp.Database
	if imp.ID != ingest.ImportID(id) || imp.Tenant != "acme" || d.Server != "sql.example.org,1433" || d.Name != "Practice" || d.Source != "" ||
		!d.Options.Full {
		t.Errorf("requested %+v", d)
	}
	plain, err := f.databases.unseal(t.Context(), d.Sealed, ingest.SealedFor("acme", id))
	if err != nil || string(plain) != `{"connectionString":"`+goodString+`"}`+"\n" {
		t.Errorf("sealed %q, %v", plain, err)
	}
	var status api.ImportStatus
	f.do(http.MethodGet, "/etl/import-status/"+id, f.acme, nil).want(http.StatusOK, &status)
	if status.State != "queued" || status.Database == nil || status.Database.Database != "Practice" {
		t.Errorf("status %+v", status)
	}
}

func TestImportIsReplayed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	body := api.ImportRequest{ConnectionString: goodString}
	first := f.do(http.MethodPost, "/etl/import", f.acme, body, key("k")).want(http.StatusAccepted)
	second := f.do(http.MethodPost, "/etl/import", f.acme, body, key("k")).want(http.StatusAccepted)
	if string(first.body) != string(second.body) || second.header.Get(api.HeaderReplayed) != "true" {
		t.Errorf("%s\n%s\n%v", first.body, second.body, second.header)
	}
	body.ConnectionString += ";Application Name=x"
	f.do(http.MethodPost, "/etl/import", f.acme, body, key("k")).problem(http.StatusUnprocessableEntity)
	f.do(http.MethodPost, "/etl/import", f.acme, api.ImportRequest{ConnectionString: "Server=a;Encrypt=perhaps"}, key("k2")).
		problem(http.StatusBadRequest)
	f.do(http.MethodPost, "/etl/import", f.acme, api.ImportRequest{ConnectionString: goodString}, key("k2")).want(http.StatusAccepted)
	if len(f.ledger.imports) != 2 {
		t.Errorf("%d imports", len(f.ledger.imports))
	}
}

// TestWrongConnectionStrings: each is refused before anything is sealed or queued, and names the key at fault.
func TestWrongConnectionStrings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body     any
		location string
		detail   string
	}{
		"key":         {api.ImportRequest{ConnectionString: "Server=a;Encrypt=perhaps"}, "body.connectionString.Encrypt", "Encrypt"},
		"policy":      {api.ImportRequest{ConnectionString: "Server=10.0.0.1"}, "body.connectionString.Server", "private address"},
		"odd key":     {api.ImportRequest{ConnectionString: "Server=a;odd"}, "body.connectionString", "no such key"},
		"no key":      {api.ImportRequest{ConnectionString: "Password=" + marker}, "body.connectionString", "names no server"},
		"empty":       {map[string]string{"connectionString": ""}, "body.connectionString", "missing"},
		"blank":       {map[string]string{"connectionString": " \t"}, "body.connectionString", "missing"},
		"missing":     {map[string]string{}, "body.connectionString", "missing"},
		"two":         {api.ImportRequest{ConnectionString: goodString, Source: string(ingest.NewSourceID())}, "body.source", "two databases"},
		"authority":   {api.ImportRequest{Source: string(ingest.NewSourceID()), CertificateAuthority: "x"}, "body.certificateAuthority", "its own"},
		"many bytes":  {api.ImportRequest{ConnectionString: goodString + strings.Repeat("€", 4000)}, "body.connectionString", "8192 bytes"},
		"no PEM":      {api.ImportRequest{ConnectionString: goodString, CertificateAuthority: "x"}, "body.certificateAuthority", "PEM"},
		"escaped row": {api.ImportRequest{ConnectionString: "Server=a;" + strings.Repeat("\x01", 8000), CertificateAuthority: manyCertificates(t)}, "body", "too long"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			for _, path := range []string{"/etl/import", "/etl/import/dry-run"} {
				if path != "/etl/import" && c.location == "body" {
					continue // nothing is sealed then
				}
				p := f.do(http.MethodPost, path, f.acme, c.body).problem(http.StatusBadRequest)
				if len(p.Errors) != 1 || p.Errors[0].Location != c.location || !strings.Contains(p.Detail, c.detail) || p.Hint == "" {
					t.Errorf("%s: %+v", path, p)
				}
			}
			for _, call := range f.databases.calls {
				if call != "check" {
					t.Errorf("then %v", f.databases.calls)
				}
			}
			if len(f.ledger.imports) > 0 || len(f.ledger.requests) > 0 {
				t.Error("something was queued")
			}
		})
	}
}

func TestMalformedImportRequests(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"nothing":   {"", 400},
		"half":      {`{"connectionString":"` + goodString, 400},
		"twice":     {`{"connectionString":"a","ConnectionString":"` + goodString + `"}`, 400},
		"number":    {`{"connectionString":7}`, 422},
		"null":      {`null`, 422},
		"unknown":   {`{"connectionstring2":"` + goodString + `"}`, 422},
		"isolation": {`{"connectionString":"` + goodString + `","isolation":"` + marker + `"}`, 422},
		"long":      {`{"connectionString":"` + goodString + strings.Repeat("x", 9000) + `"}`, 422},
		"longer":    {`{"connectionString":"` + goodString + strings.Repeat("x", 2<<20) + `"}`, 413},
		"bare":      {goodString, 400},
	} {
		a := f.do(http.MethodPost, "/etl/import", f.acme, c.body, "Content-Type: application/json")
		if p := a.problem(c.status); p.Hint == "" {
			t.Errorf("%s: no hint: %s", name, a.body)
		}
		if strings.Contains(string(a.body), marker) {
			t.Errorf("%s: the answer has the password: %s", name, a.body)
		}
	}
	f.do(http.MethodPost, "/etl/import", f.acme, goodString, "Content-Type: text/plain").problem(http.StatusUnsupportedMediaType)
	for path, body := range map[string]string{
		"/etl/sources": `{"name":"x","connectionString":"` + goodString + `","isolatoin":"snapshot"}`, "/etl/import/dry-run": `{"conectionString":"x"}`,
	} {
		if p := f.do(http.MethodPost, path, f.acme, body).problem(http.StatusUnprocessableEntity); len(p.Errors) == 0 {
			t.Errorf("%s: %+v", path, p)
		}
	}
	if len(f.databases.calls) > 0 || strings.Contains(f.log.String(), marker) {
		t.Errorf("calls %v, log %s", f.databases.calls, f.log.String())
	}
}

// TestNamesOfAnyCase: as .NET writes them.
func TestNamesOfAnyCase(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.do(http.MethodPost, "/etl/import", f.acme, `{"ConnectionString":"`+goodString+`"}`).want(http.StatusAccepted)
}

func TestWithoutAKey(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*api.Config){"no key": withoutKey, "none at all": func(c *api.Config) { c.Databases = nil }} {
		f := newFixture(t, change)
		id := ingest.NewSourceID()
		f.ledger.sources = append(f.ledger.sources, ingest.Source{ID: id, Tenant: "acme", Name: "Practice", Sealed: []byte("x")})
		source := "/etl/sources/" + string(id)
		for _, c := range []struct {
			method, path string
			body         any
		}{
			{http.MethodPost, "/etl/import", api.ImportRequest{ConnectionString: goodString}},
			{http.MethodPost, "/etl/import", api.ImportRequest{Source: string(id)}},
			{http.MethodPost, "/etl/import/dry-run", api.ImportRequest{ConnectionString: goodString}},
			{http.MethodPost, "/etl/import/dry-run", api.ImportRequest{Source: string(id)}},
			{http.MethodPost, "/etl/sources", api.SourceCreate{Name: "N", ConnectionString: goodString}},
			{http.MethodPatch, source, map[string]string{"connectionString": goodString}},
			{http.MethodPost, source + "/import", nil},
			{http.MethodPost, source + "/dry-run", nil},
		} {
			p := f.do(c.method, c.path, f.acme, c.body).problem(http.StatusNotImplemented)
			if !strings.Contains(p.Hint, "secrets.key_file") || p.Type != "urn:dropline:problem:not-implemented" {
				t.Errorf("%s: %s: %+v", name, c.path, p)
			}
		}
		f.do(http.MethodGet, source, f.acme, nil).want(http.StatusOK)
		f.do(http.MethodPatch, source, f.acme, map[string]string{"name": "Other"}).want(http.StatusOK)
		f.do(http.MethodDelete, source, f.acme, nil).want(http.StatusNoContent)
		if len(f.ledger.imports) > 0 {
			t.Errorf("%s: something was queued", name)
		}
		var info api.ServerInfo
		f.do(http.MethodGet, "/etl/server", f.acme, nil).want(http.StatusOK, &info)
		if info.Databases.Enabled {
			t.Errorf("%s: %+v", name, info.Databases)
		}
	}
}

func TestSwitchedOffTenant(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	tenant := f.ledger.tenants["acme"]
	tenant.Enabled = false
	f.ledger.tenants["acme"] = tenant
	body := api.ImportRequest{ConnectionString: goodString}
	f.do(http.MethodPost, "/etl/import?tenant=acme", f.operator, body).problem(http.StatusForbidden)
	f.do(http.MethodPost, "/etl/import/dry-run?tenant=acme", f.operator, body).problem(http.StatusForbidden)
	for _, call := range f.databases.calls {
		if call == "dry-run" {
			t.Error("it was connected to")
		}
	}
}

func TestOperatorNamesTheTenant(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	body := api.ImportRequest{ConnectionString: goodString}
	for _, path := range []string{"/etl/import", "/etl/import/dry-run"} {
		if p := f.do(http.MethodPost, path, f.operator, body).problem(http.StatusUnprocessableEntity); p.Errors[0].Location != "query.tenant" {
			t.Errorf("%s: %+v", path, p)
		}
		f.do(http.MethodPost, path+"?tenant=nobody", f.operator, body).problem(http.StatusNotFound)
		f.do(http.MethodPost, path+"?tenant=bravo", f.acme, body).problem(http.StatusNotFound)
	}
	f.do(http.MethodPost, "/etl/import?tenant=bravo", f.operator, body).want(http.StatusAccepted)
	if len(f.ledger.imports) != 1 || f.ledger.imports[0].Tenant != "bravo" {
		t.Errorf("%+v", f.ledger.imports)
	}
}

// TestKeyTroubleIsOurs: what is wrong with the operator's key is no refusal of the request, whatever kind the error has.
func TestKeyTroubleIsOurs(t *testing.T) {
	t.Parallel()
	for kind, status := range map[ingest.Kind]int{
		ingest.Unavailable: 503, ingest.Denied: 500, ingest.Invalid: 500, ingest.NotFound: 500, ingest.Internal: 500,
	} {
		f := newFixture(t)
		var source api.Source
		f.do(http.MethodPost, "/etl/sources", f.acme, api.SourceCreate{Name: "N", ConnectionString: goodString}).want(http.StatusCreated, &source)
		f.databases.broken = ingest.WithHint(ingest.Errorf(kind, "fake", "key 10.0.0.7"), "inside")
		for _, c := range []struct {
			path string
			body any
		}{
			{"/etl/import", api.ImportRequest{ConnectionString: goodString}},
			{"/etl/sources", api.SourceCreate{Name: "M", ConnectionString: goodString}},
			{"/etl/sources/" + source.ID + "/dry-run", nil},
		} {
			a := f.do(http.MethodPost, c.path, f.acme, c.body)
			if a.problem(status); strings.Contains(string(a.body), "10.0.0.7") || strings.Contains(string(a.body), "inside") {
				t.Errorf("%s: %s", c.path, a.body)
			}
		}
		if len(f.ledger.imports) > 0 || !strings.Contains(f.log.String(), "key 10.0.0.7") {
			t.Errorf("%s: imports %v, log %s", kind, f.ledger.imports, f.log.String())
		}
	}
}

func TestStatusOfADatabase(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	plan := aPlan()
	imp := f.addImport("acme", ingest.Loading)
	imp.Database = &ingest.Database{Source: "source_x", Server: "sql.example.org,1433", Name: "Practice", Sealed: []byte("sealed"), Plan: &plan, Snapshots: 2, BaseID: "import_base"}
	imp.RowsTotal, imp.Read, imp.BytesRead, imp.BytesTotal = 400, 100, 1, 1_000_000
	imp.Files = []ingest.ImportFile{{Number: 1, Path: "/database/dbo.Matter.csv.gz", Relation: "dbo.Matter", State: ingest.FileLoading}}
	started := f.clock.Now()
	imp.StartedAt = &started
	id := string(imp.ID)
	var got api.ImportStatus
	a := f.do(http.MethodGet, "/etl/import-status/"+id, f.acme, nil).want(http.StatusOK, &got)
	if got.Percent != 20 || got.RowsExpected == nil || *got.RowsExpected != 400 || got.Files[0].Relation != "dbo.Matter" {
		t.Errorf("%s", a.body)
	}
	rows := int64(120)
	want := &api.ImportDatabase{
		Source: "source_x", Server: "sql.example.org,1433", Database: "Practice", Version: "Microsoft SQL Server 2022", Isolation: "snapshot",
		IsolationNote: "the database allows it", Snapshots: 2, IncrementalOf: "import_base",
		Relations: []api.ImportedRelation{
			{Name: "dbo.Matter", Table: "Matter", RowsExpected: &rows, Parts: 1, Done: true, Columns: []string{"ImportId", "Title"}, IgnoredColumns: []string{"Secret"}},
			{Name: "dbo.vClient", Table: "Client", Since: "0x00000000000007D1", Columns: []string{"ImportId"}, IgnoredColumns: []string{}},
		},
		Missing: []string{"WorkItem"}, Ignored: []string{"dbo.Audit"}, Notes: []string{"sys.partitions cannot be read"},
	}
	if diff := cmp.Diff(want, got.Database); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if strings.Contains(string(a.body), "sealed") {
		t.Error("what is sealed is shown")
	}
	imp.Files = append(imp.Files, ingest.ImportFile{Number: 2, Relation: "dbo.Client", State: ingest.FileRefused, Code: "missing_column"})
	f.do(http.MethodGet, "/etl/import-status/"+id, f.acme, nil).want(http.StatusOK, &got)
	if refused := got.Files[1]; refused.SHA256 != "" || !refused.ReceivedAt.Equal(imp.CreatedAt) {
		t.Errorf("of what was never read: %+v", refused)
	}
	percent := func(total, read int64) int {
		imp.RowsTotal, imp.Read = total, read
		var got api.ImportStatus
		f.do(http.MethodGet, "/etl/imports/"+id, f.acme, nil).want(http.StatusOK, &got)
		if (got.RowsExpected != nil) != (total >= 0) {
			t.Errorf("%d rows: expected %v", total, got.RowsExpected)
		}
		return got.Percent
	}
	if percent(400, 500) != 80 || percent(-1, 0) != 0 || percent(0, 0) != 0 {
		t.Error("the percentage is wrong at its ends")
	}
	if few, many := percent(-1, 100_000), percent(-1, 5_000_000); few <= 0 || few >= many || many > 80 {
		t.Errorf("of unknown rows: %d, then %d", few, many)
	}
}

func TestDropOfADatabase(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ledger.drops = append(f.ledger.drops, ingest.Drop{
		ID: ingest.NewDropID(), Tenant: "acme", Path: "/database/dbo.Matter.csv.gz", Via: ingest.ViaSQLServer, State: ingest.DropImported, ReceivedAt: time.Now(),
	})
	var page api.DropPage
	f.do(http.MethodGet, "/etl/drops", f.acme, nil).want(http.StatusOK, &page)
	if len(page.Items) != 1 || page.Items[0].Via != "sqlserver" {
		t.Errorf("%+v", page)
	}
	if !strings.Contains(string(f.do(http.MethodGet, "/openapi.json", "", nil).body), `"sqlserver"`) {
		t.Error("the way in is not described")
	}
}
