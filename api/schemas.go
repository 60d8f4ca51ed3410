package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"dropline/schema"
)

// Content types of a schema's files, and the policy of its HTML pages, which bring their own style and no script.
const (
	sqlType      = "application/sql; charset=utf-8"
	htmlType     = "text/html; charset=utf-8"
	markdownType = "text/markdown; charset=utf-8"
	jsonType     = "application/json"
	pageCSP      = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

// PostgreSQL schemas in the DDL for people, who put their own in place of them.
const (
	exampleStaging    = "staging"
	exampleProduction = "production"
)

// asset is a file that never changes while the server runs. It is made when first asked for.
type asset struct {
	contentType string
	download    string // file name to save it under; empty: shown in the browser
	policy      string // Content-Security-Policy in place of the general one
	load        func() ([]byte, error)
}

// newAsset makes an asset of what write writes.
func newAsset(contentType, download string, write func(io.Writer) error) *asset {
	a := &asset{contentType: contentType, download: download}
	a.load = sync.OnceValues(func() ([]byte, error) {
		var b bytes.Buffer
		err := write(&b)
		return b.Bytes(), err
	})
	return a
}

// serve sends the asset, or says that the client has it already.
func (a *asset) serve(s *Server, w http.ResponseWriter, r *http.Request) {
	body, err := a.load()
	if err != nil {
		s.writeProblem(w, r, err)
		return
	}
	sum := sha256.Sum256(body)
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
	h.Set("Cache-Control", "no-cache") // ask each time; the tag makes that cheap
	if a.download != "" {
		h.Set("Content-Disposition", `attachment; filename="`+a.download+`"`)
	}
	if a.policy != "" {
		h.Set("Content-Security-Policy", a.policy)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

type schemasOutput struct{ Body SchemaList }

func (s *Server) registerSchemas() {
	register(s, operation{Operation: huma.Operation{
		OperationID: "listSchemas", Method: http.MethodGet, Path: "/etl/schema", Tags: []string{tagSchemas},
		Summary: "List the ETL schemas", Description: "Each with its tables and the paths of its files.",
	}}, s.listSchemas)

	files := map[string]*asset{}
	for _, sc := range s.cfg.Schemas.All() {
		addSchemaFiles(files, sc)
	}
	for _, f := range []struct{ id, path, summary, description, contentType string }{
		{"getSchemaSQL", "/etl/schema/{schema}.sql", "T-SQL for SQL Server", "Makes the schema's empty tables on SQL Server 2016 and later. Running it twice does no harm.", "application/sql"},
		{"getSchemaPostgres", "/etl/schema/{schema}.postgres.sql", "DDL for PostgreSQL", "The tables of staging and production.", "application/sql"},
		{"getSchemaJSON", "/etl/schema/{schema}.json", "The schema as JSON", "Tables, columns, types, keys, references, enumerations and checks.", "application/json"},
		{"getReference", "/etl/schema/{schema}/reference", "Reference as a web page", "All tables in one page.", "text/html"},
		{"getReferenceMarkdown", "/etl/schema/{schema}/reference.md", "Reference as Markdown", "All tables in one document.", "text/markdown"},
		{"getTableReference", "/etl/schema/{schema}/reference/{table}", "One table's reference as a web page", "Also with .html after the table's name; index.html lists the tables.", "text/html"},
		{"getTableReferenceMarkdown", "/etl/schema/{schema}/reference/{table}.md", "One table's reference as Markdown", "index.md lists the tables.", "text/markdown"},
		{"getTemplate", "/etl/schema/{schema}/templates/{table}.csv", "One table's empty CSV", "The header line only.", "text/csv"},
	} {
		op := operation{Operation: huma.Operation{
			OperationID: f.id, Method: http.MethodGet, Path: f.path, Tags: []string{tagSchemas}, Summary: f.summary, Description: f.description,
			Responses: map[string]*huma.Response{"200": {Description: "The file", Content: map[string]*huma.MediaType{
				f.contentType: {Schema: &huma.Schema{Type: huma.TypeString}},
			}}},
			Errors: []int{http.StatusNotFound},
		}}
		documentSchemaPath(&op)
		s.document(&op)
		s.api.OpenAPI().AddOperation(&op.Operation)
	}
	serve := func(w http.ResponseWriter, r *http.Request) { s.serveSchemaFile(files, w, r) }
	// A wildcard of the mux is a whole element, so that one pattern takes all suffixes.
	for _, pattern := range []string{
		"/etl/schema/{file}", "/etl/schema/{schema}/{file}", "/etl/schema/{schema}/reference/{file}", "/etl/schema/{schema}/templates/{file}",
	} {
		s.mux.HandleFunc("GET "+pattern, serve)
	}
}

// documentSchemaPath describes the parameters of a path, as register would.
func documentSchemaPath(op *operation) {
	op.Parameters = append(op.Parameters, &huma.Param{
		Name: "schema", In: "path", Required: true, Description: "Name and version; the case does not matter",
		Schema: &huma.Schema{Type: huma.TypeString}, Example: "Efimis-1.0",
	})
	if strings.Contains(op.Path, "{table}") {
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: "table", In: "path", Required: true, Description: "Published name of a table",
			Schema: &huma.Schema{Type: huma.TypeString}, Example: "Matter",
		})
	}
}

// addSchemaFiles adds a schema's files by path, the schema's name in lower case.
func addSchemaFiles(files map[string]*asset, sc *schema.Schema) {
	base, stem := "/etl/schema/"+strings.ToLower(sc.FileStem()), sc.FileStem()
	page := func(contentType string, write func(io.Writer) error) *asset {
		a := newAsset(contentType, "", write)
		if contentType == htmlType {
			a.policy = pageCSP
		}
		return a
	}
	files[base+".sql"] = newAsset(sqlType, stem+".sql", sc.WriteTSQL)
	files[base+".postgres.sql"] = newAsset(sqlType, stem+".postgres.sql", func(w io.Writer) error {
		return sc.WritePostgresDDL(w, exampleStaging, exampleProduction)
	})
	files[base+".json"] = page(jsonType, sc.WriteJSON)
	files[base+"/reference"] = page(htmlType, sc.WriteReferenceHTML)
	files[base+"/reference.md"] = page(markdownType, sc.WriteReferenceMarkdown)
	files[base+"/reference/index.html"] = page(htmlType, sc.WriteIndexHTML)
	files[base+"/reference/index.md"] = page(markdownType, sc.WriteIndexMarkdown)
	for _, t := range sc.Tables {
		files[base+"/reference/"+t.Name] = page(htmlType, t.WriteReferenceHTML)
		files[base+"/reference/"+t.Name+".html"] = files[base+"/reference/"+t.Name]
		files[base+"/reference/"+t.Name+".md"] = page(markdownType, t.WriteReferenceMarkdown)
		files[base+"/templates/"+t.TemplateName()] = newAsset("text/csv; charset=utf-8", t.TemplateName(), t.WriteTemplate)
	}
}

// serveSchemaFile finds a file by its path. The case of the schema's name does not matter, as with schema ids; that of what
// follows does.
func (s *Server) serveSchemaFile(files map[string]*asset, w http.ResponseWriter, r *http.Request) {
	rest := strings.TrimPrefix(r.URL.Path, "/etl/schema/")
	name, below, nested := strings.Cut(rest, "/")
	path := "/etl/schema/" + strings.ToLower(name)
	if nested {
		path += "/" + below
	}
	if file := files[path]; file != nil {
		file.serve(s, w, r)
		return
	}
	s.writeProblem(w, r, newProblem(http.StatusNotFound, "there is no such file of a schema", "GET /etl/schema lists them all"))
}

func (s *Server) listSchemas(context.Context, *struct{}) (*schemasOutput, error) {
	out := &schemasOutput{Body: SchemaList{Items: []SchemaInfo{}}}
	for _, sc := range s.cfg.Schemas.All() {
		base := "/etl/schema/" + sc.FileStem()
		info := SchemaInfo{
			ID: sc.ID(), Name: sc.Name, Version: sc.Version, Title: sc.Title, Description: sc.Description,
			Links: SchemaLinks{
				SQLServer: base + ".sql", PostgreSQL: base + ".postgres.sql", JSON: base + ".json", Reference: base + "/reference",
			},
			Tables: make([]SchemaTable, 0, len(sc.Tables)),
		}
		for _, t := range sc.Tables {
			info.Tables = append(info.Tables, SchemaTable{
				Name: t.Name, Group: t.Group, Columns: len(t.Columns),
				Reference: base + "/reference/" + t.Name, Template: base + "/templates/" + t.TemplateName(),
			})
		}
		out.Body.Items = append(out.Body.Items, info)
	}
	return out, nil
}
