package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"dropline/api"
)

var update = flag.Bool("update", false, "write golden files")

// spec is the part of an OpenAPI document that the tests look at.
type spec struct {
	OpenAPI string `json:"openapi"`
	Servers []struct {
		URL string `json:"url"`
	} `json:"servers"`
	Paths      map[string]map[string]specEntry `json:"paths"`
	Components struct {
		Schemas         map[string]json.RawMessage `json:"schemas"`
		Responses       map[string]specResponse    `json:"responses"`
		SecuritySchemes map[string]json.RawMessage `json:"securitySchemes"`
	} `json:"components"`
}

type specEntry struct {
	OperationID string                `json:"operationId"`
	Summary     string                `json:"summary"`
	Description string                `json:"description"`
	Tags        []string              `json:"tags"`
	Security    []map[string][]string `json:"security"`
	Parameters  []specParameter       `json:"parameters"`
	RequestBody *struct {
		Content map[string]json.RawMessage `json:"content"`
	} `json:"requestBody"`
	Responses map[string]specResponse `json:"responses"`
}

type specParameter struct {
	Name     string `json:"name"`
	In       string `json:"in"`
	Required bool   `json:"required"`
}

// needsToken reports whether every way to call the operation is by a token.
func (e *specEntry) needsToken() bool { return len(e.Security) > 0 && len(e.Security[0]) > 0 }

type specResponse struct {
	Ref         string                     `json:"$ref"`
	Description string                     `json:"description"`
	Content     map[string]json.RawMessage `json:"content"`
}

func (f *fixture) spec() spec {
	f.t.Helper()
	var s spec
	f.do(http.MethodGet, "/openapi.json", "", nil).want(http.StatusOK, &s)
	return s
}

func TestOpenAPIGolden(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	got := string(f.do(http.MethodGet, "/openapi.json", "", nil).want(http.StatusOK).body)
	golden := filepath.Join("testdata", "openapi.json")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the API changed; go test -update if that is meant (-want +got):\n%s", diff)
	}
}

func TestOpenAPIYAMLIsTheSame(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var fromJSON, fromYAML any
	f.do(http.MethodGet, "/openapi.json", "", nil).want(http.StatusOK, &fromJSON)
	a := f.do(http.MethodGet, "/openapi.yaml", "", nil).want(http.StatusOK)
	if err := yaml.Unmarshal(a.body, &fromYAML); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(fromYAML)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(again, &fromYAML); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fromJSON, fromYAML); diff != "" {
		t.Errorf("-json +yaml:\n%s", diff)
	}
}

// TestOpenAPIIsWhole checks what OpenAPI 3.1 demands and what we demand of every operation.
func TestOpenAPIIsWhole(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s := f.spec()
	if !strings.HasPrefix(s.OpenAPI, "3.1.") {
		t.Errorf("openapi %s", s.OpenAPI)
	}
	if len(s.Servers) == 0 {
		t.Error("no servers")
	}
	if bytes.Contains(f.do(http.MethodGet, "/openapi.json", "", nil).body, []byte(`"patternDescription"`)) {
		t.Error("patternDescription is no word of JSON Schema")
	}
	for _, name := range []string{"oauth2", "bearer"} {
		if s.Components.SecuritySchemes[name] == nil {
			t.Errorf("no security scheme %s", name)
		}
	}
	params := regexp.MustCompile(`\{(\w+)\}`)
	seen := map[string]bool{}
	for path, methods := range s.Paths {
		for method, op := range methods {
			where := method + " " + path
			if op.OperationID == "" || seen[op.OperationID] {
				t.Errorf("%s: operationId %q is missing or not unique", where, op.OperationID)
			}
			seen[op.OperationID] = true
			if op.Summary == "" || op.Description == "" || len(op.Tags) != 1 {
				t.Errorf("%s: summary, description or tag is missing", where)
			}
			var inPath, documented []string
			for _, m := range params.FindAllStringSubmatch(path, -1) {
				inPath = append(inPath, m[1])
			}
			for _, p := range op.Parameters {
				if p.In == "path" {
					documented = append(documented, p.Name)
					if !p.Required {
						t.Errorf("%s: path parameter %s is not required", where, p.Name)
					}
				}
			}
			slices.Sort(inPath)
			slices.Sort(documented)
			if diff := cmp.Diff(inPath, documented); diff != "" {
				t.Errorf("%s: path parameters (-path +documented):\n%s", where, diff)
			}
			checkResponses(t, where, op, s)
			noWork := op.OperationID == "issueToken" || strings.HasPrefix(op.OperationID, "dryRun") || op.OperationID == "previewMapping" || op.OperationID == "suggestMapping"
			if method == "post" && !noWork && !slices.ContainsFunc(op.Parameters, func(p specParameter) bool {
				return p.In == "header" && p.Name == api.HeaderIdempotencyKey
			}) {
				t.Errorf("%s: it starts work and takes no Idempotency-Key", where)
			}
		}
	}
	checkRefs(t, f.do(http.MethodGet, "/openapi.json", "", nil).body, s)
}

func checkResponses(t *testing.T, where string, op specEntry, s spec) {
	t.Helper()
	success := false
	for status, r := range op.Responses {
		if r.Ref != "" {
			r = s.Components.Responses[strings.TrimPrefix(r.Ref, "#/components/responses/")]
		}
		success = success || status[0] == '2'
		if r.Description == "" {
			t.Errorf("%s: %s has no description", where, status)
		}
		if status[0] >= '4' && op.OperationID != "issueToken" && r.Content["application/problem+json"] == nil {
			t.Errorf("%s: %s is no problem", where, status)
		}
	}
	if !success {
		t.Errorf("%s: no answer of success", where)
	}
	if len(op.Security) == 0 {
		t.Errorf("%s: it does not say whether it needs a token", where)
		return
	}
	if _, ok := op.Responses["401"]; op.needsToken() && !ok {
		t.Errorf("%s: 401 is not described", where)
	}
}

// checkRefs checks that every reference leads to a schema, and every schema is referred to.
func checkRefs(t *testing.T, document []byte, s spec) {
	t.Helper()
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`"\$ref": "([^"]+)"`).FindAllSubmatch(document, -1) {
		if status, ok := strings.CutPrefix(string(m[1]), "#/components/responses/"); ok {
			if s.Components.Responses[status].Description == "" {
				t.Errorf("the reference %s leads nowhere", m[1])
			}
			continue
		}
		name, ok := strings.CutPrefix(string(m[1]), "#/components/schemas/")
		if !ok || s.Components.Schemas[name] == nil {
			t.Errorf("the reference %s leads nowhere", m[1])
		}
		used[name] = true
	}
	for name := range s.Components.Schemas {
		if !used[name] {
			t.Errorf("nothing refers to the schema %s", name)
		}
	}
}
