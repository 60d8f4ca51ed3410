package push_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"dropline/api"
	"dropline/ingest"
	"dropline/internal/push"
	"dropline/internal/sample"
	"dropline/internal/sampledb"
	"dropline/internal/tdstest"
	"dropline/schema"
)

// fakeServer is what push needs of the API, with a place to put trouble in. The real one is in the tests of cmd.
type fakeServer struct {
	*httptest.Server
	t         *testing.T
	mu        sync.Mutex
	held      map[string]map[string]api.HeldFile // by batch and name
	answers   map[string][]byte                  // by idempotency key
	delivered []string                           // batches
	imports   map[string]*api.ImportStatus       // by id; staged unless a test says otherwise
	tokens    int
	before    func(w http.ResponseWriter, r *http.Request) (done bool) // called with each request, unlocked
	after     func(r *http.Request)                                    // called when it has been done and before it is answered
}

func newFakeServer(t *testing.T) *fakeServer {
	t.Helper()
	f := &fakeServer{t: t, held: map[string]map[string]api.HeldFile{}, answers: map[string][]byte{}, imports: map[string]*api.ImportStatus{}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

// ServeHTTP implements http.Handler.
func (f *fakeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.before != nil && f.before(w, r) {
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	status, answer := f.answer(r, body)
	if f.after != nil {
		f.after(r)
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

func (f *fakeServer) answer(r *http.Request, body []byte) (int, any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	batch := strings.TrimPrefix(r.URL.Path, "/etl/batches/")
	switch {
	case r.URL.Path == "/oauth2/token":
		f.tokens++
		return http.StatusOK, api.TokenResponse{AccessToken: "token", TokenType: "Bearer", ExpiresIn: 60}
	case r.URL.Path == "/etl/tenants/acme":
		return http.StatusOK, api.Tenant{Slug: "acme", Schema: ingest.DefaultSchema}
	case r.URL.Path == "/etl/tenants/acme/mapping":
		return http.StatusOK, api.MappingVersion{}
	case strings.HasPrefix(r.URL.Path, "/etl/import-status/"):
		if i := f.imports[strings.TrimPrefix(r.URL.Path, "/etl/import-status/")]; i != nil {
			return http.StatusOK, i
		}
		return http.StatusNotFound, api.Problem{Detail: "there is no such import"}
	case r.Method == http.MethodPut:
		name, sum := strings.TrimPrefix(r.URL.Path, "/etl/files/"), sha256.Sum256(body)
		batch = r.URL.Query().Get("batch")
		if f.held[batch] == nil {
			f.held[batch] = map[string]api.HeldFile{}
		}
		f.held[batch][name] = api.HeldFile{Name: name, Size: int64(len(body)), SHA256: hex.EncodeToString(sum[:])}
		return http.StatusCreated, api.Drop{Size: int64(len(body)), SHA256: hex.EncodeToString(sum[:])}
	case r.Method == http.MethodGet:
		list := api.BatchFiles{Tenant: "acme"}
		for _, h := range f.held[batch] {
			list.Items = append(list.Items, h)
		}
		return http.StatusOK, list
	case r.Method == http.MethodDelete:
		delete(f.held, batch)
		return http.StatusOK, struct{}{}
	}
	var want api.BatchDeliver
	key := r.Header.Get(api.HeaderIdempotencyKey)
	if known, ok := f.answers[key]; ok {
		return http.StatusAccepted, json.RawMessage(known)
	}
	if json.Unmarshal(body, &want) != nil || key == "" || want.Files != len(f.held[batch]) {
		return http.StatusConflict, api.Problem{Detail: "other files wait for the batch"}
	}
	f.delivered = append(f.delivered, batch)
	done := api.BatchDelivered{RequestID: fmt.Sprint("import_", len(f.delivered))}
	status := &api.ImportStatus{ImportSummary: api.ImportSummary{State: "staged"}}
	for name, h := range f.held[batch] {
		done.Files = append(done.Files, api.Drop{State: "imported"})
		status.Files = append(status.Files, api.ImportFile{Path: "/inbox/" + name, SHA256: h.SHA256, State: "loaded"})
	}
	f.imports[done.RequestID] = status
	delete(f.held, batch)
	f.answers[key], _ = json.Marshal(done)
	return http.StatusAccepted, done
}

// forget has the server lose all that waits.
func (f *fakeServer) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held = map[string]map[string]api.HeldFile{}
}

// site is a database and what pushes it.
type site struct {
	t      *testing.T
	server *fakeServer
	sql    *tdstest.Server
	rows   int64
	config push.Config
	said   []string
}

func newSite(t *testing.T) *site {
	t.Helper()
	return newSiteWith(t, tdstest.Options{})
}

// newSiteWith is newSite with a server of these options.
func newSiteWith(t *testing.T, o tdstest.Options) *site {
	t.Helper()
	def, _ := schema.NewCatalogue().Lookup(ingest.DefaultSchema)
	tables, err := sampledb.Tables(t.Context(), def, sample.Config{Seed: 2, Scale: 0.2, Rows: map[string]int64{"WorkItem": 900}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range tables {
		if table := &tables[i]; table.Name == "Contact" || table.Name == "Matter" {
			table.Columns = append(table.Columns, tdstest.Column{Name: "Version", Type: "rowversion", NotNull: true})
			for r := range table.Rows {
				table.Rows[r] = append(table.Rows[r], nil)
			}
		}
	}
	o.Tables = tables
	s := &site{t: t, server: newFakeServer(t), sql: tdstest.Start(t, o)}
	for i := range tables {
		s.rows += int64(len(tables[i].Rows))
	}
	s.config = push.Config{
		Secret: ingest.DatabaseSecret{ConnectionString: s.sql.ConnectionString()}, Schema: def,
		HTTPS: &push.HTTPS{URL: s.server.URL, ClientID: "id", ClientSecret: "client-secret-of-test"},
		State: filepath.Join(t.TempDir(), "state.json"), Tries: 4, Wait: time.Millisecond, Quiet: time.Second,
		Say: func(text string) { s.said = append(s.said, text) },
	}
	s.config.Databases.PartRows, s.config.Databases.Sessions = 200, 1
	return s
}

// reads counts how often rows of the large table were asked for.
func (s *site) reads() (n int) {
	for _, q := range s.sql.Queries() {
		if strings.Contains(q, "[WorkItem]") && strings.Contains(q, "ORDER BY") {
			n++
		}
	}
	return n
}
