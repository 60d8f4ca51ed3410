package api_test

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"dropline/api"
	"dropline/ingest"
	"dropline/internal/seal"
)

// TestRealDatabases takes in connection strings with the real ledger and a real key, and looks for the password in all that the
// ledger holds afterwards.
func TestRealDatabases(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secrets.key")
	if err := seal.NewKeyFile(path); err != nil {
		t.Fatal(err)
	}
	keyring, err := seal.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := newReal(t, func(c *api.Config) { c.Databases.Seal, c.Databases.Unseal = keyring.Seal, keyring.Open })
	acme, bravo := r.tenant("acme"), r.tenant("bravo")
	body := api.ImportRequest{ConnectionString: goodString}

	var started, again, other api.Started
	r.do(http.MethodPost, "/etl/import", acme, body, key("k")).want(http.StatusAccepted, &started)
	r.do(http.MethodPost, "/etl/import", acme, body, key("k")).want(http.StatusAccepted, &again)
	if started != again {
		t.Errorf("%+v, then %+v", started, again)
	}
	r.do(http.MethodPost, "/etl/import", acme, api.ImportRequest{ConnectionString: goodString + ";x=y"}, key("k")).problem(http.StatusUnprocessableEntity)
	var status api.ImportStatus
	r.do(http.MethodGet, "/etl/import-status/"+started.RequestID, acme, nil).want(http.StatusOK, &status)
	if status.State != "queued" || status.Database == nil || status.Database.Server != "sql.example.org,1433" {
		t.Errorf("%+v", status)
	}
	r.do(http.MethodGet, "/etl/import-status/"+started.RequestID, bravo, nil).problem(http.StatusNotFound)

	var source api.Source
	r.do(http.MethodPost, "/etl/sources", acme, api.SourceCreate{Name: "Practice", ConnectionString: goodString}, key("s")).want(http.StatusCreated, &source)
	r.do(http.MethodPost, "/etl/sources", acme, api.SourceCreate{Name: "Practice", ConnectionString: goodString}).problem(http.StatusConflict)
	r.do(http.MethodPost, "/etl/sources", acme, api.SourceCreate{Name: "Practice ", ConnectionString: goodString}).problem(http.StatusUnprocessableEntity)
	r.do(http.MethodPost, "/etl/sources/"+source.ID+"/import", acme, nil).want(http.StatusAccepted, &other)
	r.do(http.MethodGet, "/etl/sources/"+source.ID, acme, nil).want(http.StatusOK, &source)
	if source.LastImport != other.RequestID {
		t.Errorf("last import %q, want %q", source.LastImport, other.RequestID)
	}
	var found api.DryRun
	r.do(http.MethodPost, "/etl/sources/"+source.ID+"/dry-run", acme, nil).want(http.StatusOK, &found)
	if r.databases.secret.ConnectionString != goodString {
		t.Error("the source's connection string did not come back")
	}
	for _, path := range []string{"", "/import", "/dry-run"} {
		method := http.MethodPost
		if path == "" {
			method = http.MethodGet
		}
		r.do(method, "/etl/sources/"+source.ID+path, bravo, nil).problem(http.StatusNotFound)
	}
	for id, bound := range map[string]string{started.RequestID: ingest.SealedFor("acme", started.RequestID), other.RequestID: ingest.SealedFor("acme", source.ID)} {
		sealed, at, err := r.store.Sealed(t.Context(), ingest.ImportID(id))
		if err != nil || at != bound {
			t.Fatalf("%s: bound to %q, %v", id, at, err)
		}
		var secret ingest.DatabaseSecret
		if plain, err := keyring.Open(t.Context(), sealed, at); err != nil || json.Unmarshal(plain, &secret) != nil || secret.ConnectionString != goodString {
			t.Errorf("%s: it does not open: %v", id, err)
		}
	}

	enabled := false
	r.do(http.MethodPatch, "/etl/tenants/bravo", r.operator, api.TenantChange{Enabled: &enabled}).want(http.StatusOK)
	r.do(http.MethodPost, "/etl/import?tenant=bravo", r.operator, body).problem(http.StatusForbidden)
	r.do(http.MethodPost, "/etl/import?tenant=nobody", r.operator, body).problem(http.StatusNotFound)
	r.do(http.MethodDelete, "/etl/sources/"+source.ID, acme, nil).want(http.StatusNoContent)
	r.do(http.MethodPost, "/etl/sources/"+source.ID+"/import", acme, nil).problem(http.StatusNotFound)
	r.nowhere(marker)
}

// nowhere looks for a text in every row of every table, jobs' arguments included.
func (r *real) nowhere(secret string) {
	r.t.Helper()
	rows, err := r.pool.Query(r.t.Context(), `SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables
		WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`)
	r.check(err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	r.check(err)
	seen := 0
	for _, table := range tables {
		rows, err := r.pool.Query(r.t.Context(), `SELECT t::text FROM `+table+` t`)
		r.check(err)
		texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
		r.check(err)
		for _, text := range texts {
			seen++
			if strings.Contains(text, secret) || strings.Contains(text, hex.EncodeToString([]byte(secret))) {
				r.t.Errorf("%s has it: %.200s", table, text)
			}
		}
	}
	if seen < 20 {
		r.t.Errorf("only %d rows were looked at", seen)
	}
}
