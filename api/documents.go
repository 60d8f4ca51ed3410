package api

import (
	"embed"
	"encoding/json"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// swaggerUI is swagger-ui-dist 5.35.0 from the npm registry, unchanged (Apache-2.0, see the licence beside it). It is
// part of the program so that the reference needs no internet.
//
//go:embed swaggerui
var swaggerUI embed.FS

// docsCSP lets the reference load its own script and style from this server and nothing from elsewhere. Its style sheet
// holds its icons as data.
const docsCSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// openAnswers lets answers have more fields than are described: a later version may add some, and a client that checks what
// it gets must not break on them. Requests stay strict, so that a misspelt field is refused.
func openAnswers(schemas map[string]*huma.Schema) {
	for name, schema := range schemas {
		switch name {
		case "PromoteRequest", "TenantCreate", "TenantChange", "CredentialCreate", "ImportRequest", "SourceCreate", "SourceChange",
			"SourceImport", "BatchDeliver":
		default:
			if schema.AdditionalProperties == false {
				schema.AdditionalProperties = nil
			}
		}
	}
}

// registerDocuments adds /openapi.json, /openapi.yaml and /docs. It comes last, when every operation is described.
func (s *Server) registerDocuments() {
	spec := s.api.OpenAPI()
	schemas := spec.Components.Schemas.Map()
	delete(schemas, "ErrorModel") // huma's own error: every error is a Problem
	delete(schemas, "ErrorDetail")
	openAnswers(schemas)
	for _, schema := range schemas {
		for _, property := range schema.Properties {
			property.PatternDescription = "" // huma's own word; it has made its messages of it by now
		}
	}
	add := func(path string, a *asset) {
		s.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { a.serve(s, w, r) })
	}
	add("/openapi.json", newAsset(jsonType, "", func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(spec)
	}))
	add("/openapi.yaml", newAsset("application/yaml; charset=utf-8", "", func(w io.Writer) error {
		text, err := spec.YAML()
		if err != nil {
			return err
		}
		_, err = w.Write(text)
		return err
	}))
	for path, file := range map[string]struct{ name, contentType string }{
		"/docs":                      {"index.html", htmlType},
		"/docs/reference.js":         {"reference.js", "text/javascript; charset=utf-8"},
		"/docs/swagger-ui-bundle.js": {"swagger-ui-bundle.js", "text/javascript; charset=utf-8"},
		"/docs/swagger-ui.css":       {"swagger-ui.css", "text/css; charset=utf-8"},
		"/docs/LICENSE":              {"LICENSE", "text/plain; charset=utf-8"},
	} {
		a := newAsset(file.contentType, "", func(w io.Writer) error {
			body, err := swaggerUI.ReadFile("swaggerui/" + file.name)
			if err != nil {
				return err
			}
			_, err = w.Write(body)
			return err
		})
		a.policy = docsCSP
		add(path, a)
	}
}
