package api_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dropline/api"
)

// TestDocsNeedNoInternet follows all that the reference loads, as a browser does, and lets it load from this server only.
func TestDocsNeedNoInternet(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	page := f.do(http.MethodGet, "/docs", "", nil).want(http.StatusOK)
	if !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") {
		t.Errorf("content type %q", page.header.Get("Content-Type"))
	}
	csp := page.header.Get("Content-Security-Policy")
	for _, directive := range []string{"default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(csp, directive) {
			t.Errorf("the policy lacks %q: %s", directive, csp)
		}
	}
	if strings.Contains(csp, "http") || strings.Contains(csp, "*") || strings.Contains(csp, "unsafe") {
		t.Errorf("the policy lets others in: %s", csp)
	}
	loaded := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(string(page.body), -1)
	if len(loaded) < 3 {
		t.Fatalf("the page loads %v", loaded)
	}
	for _, m := range loaded {
		if m[1] == "data:," {
			continue
		}
		if !strings.HasPrefix(m[1], "/") || strings.HasPrefix(m[1], "//") {
			t.Errorf("the page loads %s", m[1])
			continue
		}
		a := f.do(http.MethodGet, m[1], "", nil).want(http.StatusOK)
		if path.Ext(m[1]) == ".css" {
			checkStyle(t, m[1], string(a.body))
		}
	}
	script := f.do(http.MethodGet, "/docs/reference.js", "", nil).want(http.StatusOK)
	if !strings.Contains(string(script.body), `url: "/openapi.json"`) || !strings.Contains(string(script.body), "validatorUrl: null") {
		t.Errorf("%s", script.body)
	}
	if regexp.MustCompile(`https?://`).Match(script.body) || regexp.MustCompile(`https?://`).Match(page.body) {
		t.Error("our own files name other servers")
	}
	if description := f.do(http.MethodGet, "/openapi.json", "", nil); regexp.MustCompile(`https?://`).Match(description.body) {
		t.Error("the description names other servers")
	}
}

func checkStyle(t *testing.T, name, css string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`url\(["']?([^"')]{0,20})|@import[^;]*`).FindAllStringSubmatch(css, -1) {
		if !strings.HasPrefix(m[1], "data:") {
			t.Errorf("%s loads %s", name, m[0])
		}
	}
}

// TestSwaggerUIIsUnchanged compares what we give out with what the npm registry has as swagger-ui-dist 5.35.0.
func TestSwaggerUIIsUnchanged(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	want := map[string]string{
		"/docs/swagger-ui-bundle.js": "e6a898692f2d768e807c3ba4626068a69a2c5dd960dd6c76f3e4d3a3de180af2",
		"/docs/swagger-ui.css":       "5ed08757e53da3e026d6cbecc61fe5d43585c9560b302d534ad56692519a273d",
		"/docs/LICENSE":              "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30",
	}
	got := map[string]string{}
	for file := range want {
		sum := sha256.Sum256(f.do(http.MethodGet, file, "", nil).want(http.StatusOK).body)
		got[file] = hex.EncodeToString(sum[:])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestDocumentsAreCached(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, p := range []string{"/docs", "/openapi.json", "/openapi.yaml", "/etl/schema/Efimis-1.0.sql"} {
		tag := f.do(http.MethodGet, p, "", nil).want(http.StatusOK).header.Get("ETag")
		if a := f.do(http.MethodGet, p, "", nil, "If-None-Match: "+tag); tag == "" || a.status != http.StatusNotModified || len(a.body) > 0 {
			t.Errorf("%s: %d with the tag %s", p, a.status, tag)
		}
	}
}

func TestSchemaFiles(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for p, c := range map[string]struct{ contentType, contains string }{
		"/etl/schema/Efimis-1.0.sql":                     {"application/sql", "CREATE TABLE"},
		"/etl/schema/efimis-1.0.sql":                     {"application/sql", "CREATE TABLE"},
		"/etl/schema/Efimis-1.0.postgres.sql":            {"application/sql", `"work_item"`},
		"/etl/schema/Efimis-1.0.json":                    {"application/json", `"WorkItem"`},
		"/etl/schema/Efimis-1.0/reference":               {"text/html", "<h2>WorkItem</h2>"},
		"/etl/schema/Efimis-1.0/reference.md":            {"text/markdown", "## WorkItem"},
		"/etl/schema/Efimis-1.0/reference/WorkItem":      {"text/html", "<h1>WorkItem</h1>"},
		"/etl/schema/Efimis-1.0/reference/WorkItem.html": {"text/html", "<h1>WorkItem</h1>"},
		"/etl/schema/Efimis-1.0/reference/WorkItem.md":   {"text/markdown", "# WorkItem"},
		"/etl/schema/Efimis-1.0/reference/index.html":    {"text/html", "WorkItem.html"},
		"/etl/schema/Efimis-1.0/reference/index.md":      {"text/markdown", "WorkItem.md"},
		"/etl/schema/Efimis-1.0/templates/WorkItem.csv":  {"text/csv", "ImportId,"},
	} {
		a := f.do(http.MethodGet, p, "", nil).want(http.StatusOK)
		if !strings.HasPrefix(a.header.Get("Content-Type"), c.contentType) || !strings.Contains(string(a.body), c.contains) {
			t.Errorf("%s: %s without %q", p, a.header.Get("Content-Type"), c.contains)
		}
		if csp := a.header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "script-src") {
			t.Errorf("%s: policy %q", p, csp)
		}
		if disposition := a.header.Get("Content-Disposition"); strings.HasSuffix(p, ".sql") && disposition == "" {
			t.Errorf("%s: it is not to be saved", p)
		}
	}
	for _, p := range []string{
		"/etl/schema/Nope-1.0.sql", "/etl/schema/Efimis-1.0", "/etl/schema/Efimis-1.0.exe", "/etl/schema/Efimis-1.0/reference/Nope",
		"/etl/schema/Efimis-1.0/templates/Nope.csv", "/etl/schema/Efimis-1.0/templates/%2e%2e%2fWorkItem.csv", "/etl/schema/Efimis-1.0/x",
		"/etl/schema/%00.sql",
	} {
		f.do(http.MethodGet, p, "", nil).problem(http.StatusNotFound)
	}
}

// TestSchemaLinksLead follows every link of the list and of the pages.
func TestSchemaLinksLead(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var list api.SchemaList
	f.do(http.MethodGet, "/etl/schema", "", nil).want(http.StatusOK, &list)
	if len(list.Items) != 3 || list.Items[0].ID != "efimis-1.0" || len(list.Items[0].Tables) < 20 {
		t.Fatalf("%+v", list)
	}
	var follow []string
	for _, item := range list.Items {
		follow = append(follow, item.Links.SQLServer, item.Links.PostgreSQL, item.Links.JSON, item.Links.Reference)
		for _, table := range item.Tables {
			follow = append(follow, table.Reference, table.Template)
		}
	}
	href := regexp.MustCompile(`href="([^"#]+)"`)
	for _, p := range []string{"/etl/schema/Efimis-1.0/reference/WorkItem", "/etl/schema/Efimis-1.0/reference/index.html", "/etl/schema/OneRoster-1.1/reference/Class"} {
		for _, m := range href.FindAllSubmatch(f.do(http.MethodGet, p, "", nil).want(http.StatusOK).body, -1) {
			follow = append(follow, path.Join(path.Dir(p), string(m[1])))
		}
	}
	for _, p := range follow {
		f.do(http.MethodGet, p, "", nil).want(http.StatusOK)
	}
}

func TestHeadHasNoBody(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodHead, f.url+"/etl/schema/Efimis-1.0.sql", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := f.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || len(body) > 0 || response.ContentLength < 1000 {
		t.Errorf("%d bytes, length %d, %v", len(body), response.ContentLength, err)
	}
}
