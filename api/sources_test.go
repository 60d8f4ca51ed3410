package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dropline/api"
	"dropline/ingest"
)

func (f *fixture) addSource(token, name string) api.Source {
	f.t.Helper()
	var s api.Source
	f.do(http.MethodPost, "/etl/sources", token, api.SourceCreate{Name: name, ConnectionString: goodString}).want(http.StatusCreated, &s)
	return s
}

func TestSources(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s := f.addSource(f.acme, "Practice")
	want := api.Source{
		ID: s.ID, Tenant: "acme", Name: "Practice", Kind: "sqlserver", Server: "sql.example.org,1433", Database: "Practice", Isolation: "auto",
		CreatedAt: f.clock.Now(), CreatedBy: "label of acme", ChangedAt: f.clock.Now(),
	}
	if diff := cmp.Diff(want, s); diff != "" || !ingest.SourceID(s.ID).Valid() {
		t.Errorf("-want +got:\n%s", diff)
	}
	var got api.Source
	f.do(http.MethodGet, "/etl/sources/"+s.ID, f.acme, nil).want(http.StatusOK, &got)
	if diff := cmp.Diff(s, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	f.addSource(f.bravo, "Practice") // another tenant's name is no matter
	f.do(http.MethodPost, "/etl/sources", f.acme, api.SourceCreate{Name: "Practice", ConnectionString: goodString}).problem(http.StatusConflict)
	f.do(http.MethodPost, "/etl/sources", f.acme, api.SourceCreate{Name: " x", ConnectionString: goodString}).problem(http.StatusUnprocessableEntity)
	f.do(http.MethodPost, "/etl/sources", f.acme, api.SourceCreate{Name: "", ConnectionString: goodString}).problem(http.StatusUnprocessableEntity)
	f.do(http.MethodPost, "/etl/sources", f.acme, api.SourceCreate{Name: "x"}).problem(http.StatusBadRequest)
	p := f.do(http.MethodPost, "/etl/sources", f.acme, api.SourceCreate{Name: "x", ConnectionString: "Server=a;Encrypt=perhaps"}).problem(http.StatusBadRequest)
	if p.Errors[0].Location != "body.connectionString.Encrypt" {
		t.Errorf("%+v", p)
	}
	f.addSource(f.acme, "Archive")
	var list api.SourceList
	f.do(http.MethodGet, "/etl/sources", f.acme, nil).want(http.StatusOK, &list)
	if len(list.Items) != 2 {
		t.Errorf("%+v", list)
	}
	f.do(http.MethodGet, "/etl/sources?tenant=bravo", f.operator, nil).want(http.StatusOK, &list)
	if len(list.Items) != 1 || list.Items[0].Tenant != "bravo" {
		t.Errorf("%+v", list)
	}
	f.do(http.MethodDelete, "/etl/sources/"+s.ID, f.acme, nil).want(http.StatusNoContent)
	f.do(http.MethodDelete, "/etl/sources/"+s.ID, f.acme, nil).problem(http.StatusNotFound)
	f.do(http.MethodGet, "/etl/sources/"+s.ID, f.acme, nil).problem(http.StatusNotFound)
}

func TestChangeSource(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	path := "/etl/sources/" + f.addSource(f.acme, "Practice").ID
	sealed := string(f.ledger.sources[0].Sealed)
	var s api.Source
	f.do(http.MethodPatch, path, f.acme, map[string]string{"name": "New", "isolation": "snapshot"}).want(http.StatusOK, &s)
	if s.Name != "New" || s.Isolation != "snapshot" || string(f.ledger.sources[0].Sealed) != sealed {
		t.Errorf("%+v", s)
	}
	f.do(http.MethodPatch, path, f.acme, map[string]string{"isolation": "serializable"}).problem(http.StatusUnprocessableEntity)
	f.do(http.MethodPatch, path, f.acme, map[string]string{"connectionString": ""}).problem(http.StatusBadRequest)
	f.do(http.MethodPatch, path, f.acme, map[string]string{"connectionString": "Server=10.0.0.1"}).problem(http.StatusBadRequest)
	f.do(http.MethodPatch, path, f.acme, map[string]string{"certificateAuthority": certificate(t)}).problem(http.StatusBadRequest)
	if string(f.ledger.sources[0].Sealed) != sealed {
		t.Error("a refused change changed it")
	}
	f.do(http.MethodPatch, path, f.acme, map[string]string{"connectionString": goodString + ";x=y", "certificateAuthority": certificate(t)}).want(http.StatusOK)
	plain, err := f.databases.unseal(t.Context(), f.ledger.sources[0].Sealed, ingest.SealedFor("acme", s.ID))
	if err != nil || !strings.Contains(string(plain), "x=y") || !strings.Contains(string(plain), "BEGIN CERTIFICATE") {
		t.Errorf("sealed %s, %v", plain, err)
	}
}

func TestImportFromSource(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s := f.addSource(f.acme, "Practice")
	path := "/etl/sources/" + s.ID
	f.do(http.MethodPatch, path, f.acme, map[string]string{"isolation": "snapshot"}).want(http.StatusOK)
	var started api.Started
	for _, c := range []struct {
		path string
		body any
		want ingest.DatabaseOptions
	}{
		{path + "/import", nil, ingest.DatabaseOptions{Isolation: "snapshot"}},
		{path + "/import", map[string]any{}, ingest.DatabaseOptions{Isolation: "snapshot"}},
		{path + "/import", api.SourceImport{Full: true}, ingest.DatabaseOptions{Isolation: "snapshot", Full: true}},
		{"/etl/import", api.ImportRequest{Source: s.ID, Isolation: "read_committed"}, ingest.DatabaseOptions{Isolation: "read_committed"}},
		{"/etl/import", api.ImportRequest{Source: s.ID, Full: true}, ingest.DatabaseOptions{Isolation: "snapshot", Full: true}},
	} {
		f.do(http.MethodPost, c.path, f.acme, c.body).want(http.StatusAccepted, &started)
		d := f.ledger.imports[len(f.ledger.imports)-1].Database
		if d.Source != ingest.SourceID(s.ID) || d.Sealed != nil || d.Options != c.want || started.Message != "Import request queued successfully." {
			t.Errorf("%s %v: %+v", c.path, c.body, d)
		}
	}
	var got api.Source
	f.do(http.MethodGet, path, f.acme, nil).want(http.StatusOK, &got)
	if got.LastImport != started.RequestID {
		t.Errorf("last import %q, want %q", got.LastImport, started.RequestID)
	}
	first := f.do(http.MethodPost, path+"/import", f.acme, nil, key("k")).want(http.StatusAccepted)
	if again := f.do(http.MethodPost, path+"/import", f.acme, nil, key("k")).want(http.StatusAccepted); string(again.body) != string(first.body) {
		t.Errorf("%s, then %s", first.body, again.body)
	}
	f.do(http.MethodPost, path+"/import", f.acme, `{"full":"yes"}`).problem(http.StatusUnprocessableEntity)
	f.do(http.MethodPost, path+"/import", f.acme, `{"full"`).problem(http.StatusBadRequest)
	f.do(http.MethodPost, path+"/import?tenant=acme", f.operator, nil).want(http.StatusAccepted)
	f.do(http.MethodPost, path+"/import", f.operator, nil).problem(http.StatusUnprocessableEntity)
}

// TestAnotherTenantsSourceInABody: a source named in a body is looked for as one named in a path.
func TestAnotherTenantsSourceInABody(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s := f.addSource(f.acme, "Practice")
	for _, path := range []string{"/etl/import", "/etl/import/dry-run"} {
		foreign := f.do(http.MethodPost, path, f.bravo, api.ImportRequest{Source: s.ID}).problem(http.StatusNotFound)
		for _, id := range []string{string(ingest.NewSourceID()), "source_x", "../x"} {
			nothing := f.do(http.MethodPost, path, f.bravo, api.ImportRequest{Source: id}).problem(http.StatusNotFound)
			if diff := cmp.Diff(nothing, foreign); diff != "" {
				t.Errorf("the answers differ:\n%s", diff)
			}
		}
		f.do(http.MethodPost, path+"?tenant=bravo", f.operator, api.ImportRequest{Source: s.ID}).problem(http.StatusNotFound)
	}
	if len(f.ledger.imports) > 0 {
		t.Error("something was queued")
	}
}

func TestDryRunOfASource(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s := f.addSource(f.acme, "Practice")
	f.do(http.MethodPatch, "/etl/sources/"+s.ID, f.acme, map[string]string{"isolation": "snapshot"}).want(http.StatusOK)
	var got api.DryRun
	f.do(http.MethodPost, "/etl/sources/"+s.ID+"/dry-run", f.acme, nil).want(http.StatusOK, &got)
	if !got.Loads || f.databases.secret.ConnectionString != goodString || f.databases.options.Isolation != "snapshot" {
		t.Errorf("%+v, asked with %+v", got, f.databases.options)
	}
	f.do(http.MethodPost, "/etl/import/dry-run", f.acme, api.ImportRequest{Source: s.ID, Isolation: "auto"}).want(http.StatusOK, &got)
	if f.databases.options.Isolation != "auto" {
		t.Errorf("asked with %+v", f.databases.options)
	}
	// What was sealed for one source does not open in the place of another.
	f.addSource(f.acme, "Other")
	f.ledger.sources[0].Sealed = f.ledger.sources[1].Sealed
	f.do(http.MethodPost, "/etl/sources/"+s.ID+"/dry-run", f.acme, nil).problem(http.StatusInternalServerError)
}
