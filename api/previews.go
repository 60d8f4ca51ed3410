package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"dropline/ingest"
	"dropline/mapping"
	"dropline/mapping/preview"
	"dropline/schema"
)

// Bounds of a preview, which somebody waits for.
const (
	previewTimeout  = time.Minute
	previewBytes    = 8 << 20 // of the text of each file; the first megabyte says how it is written
	maxPreviewBody  = 8 << 20 // of a request that brings files or their beginnings: it is held in memory
	maxPreviewFiles = 50      // that are named or sent
	maxPreviewParts = 100     // that they become when they are unpacked
	maxPreviewRows  = 100     // shown of each table
)

type (
	previewInput struct {
		Tenant      string `query:"tenant" doc:"Needed with an operator's token, unless requestId names an import"`
		ContentType string `header:"Content-Type"`
		RawBody     []byte
	}
	previewOutput struct{ Body Preview }
)

func (s *Server) registerPreviews() {
	schemas := s.api.OpenAPI().Components.Schemas
	text := func(doc string) *huma.Schema { return &huma.Schema{Type: huma.TypeString, Description: doc} }
	register(s, operation{access: anyCaller, patience: previewTimeout, bodyLimit: maxPreviewBody, Operation: huma.Operation{
		OperationID: "previewMapping", Method: http.MethodPost, Path: "/etl/mappings/preview", Tags: []string{tagTenants},
		Summary: "Try a mapping",
		Description: "Says what would become of files under a mapping, and stores nothing: of each table the first rows as they would be staged, " +
			"what would be refused, and counts. The files are stored ones (of an import, or drops), or are sent with the request; of each the " +
			"first 8 MB of text are read. References and keys are not looked at: that needs all of the files.",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/json": {Schema: schemaOf(schemas, PreviewRequest{}, "PreviewRequest")},
			"multipart/form-data": {Schema: &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{
				"mapping":        text("A mapping file in YAML; without it the stored one is used"),
				"mappingVersion": text("Version of the tenant's mapping; the latest by default, 0 for the schema's own names"),
				"rows":           text("Shown of each table, at most 100; default 10"),
				"file": {
					Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString, Format: "binary"},
					Description: "Files, or their beginnings up to a line's end, named as they would be below the inbox",
				},
			}}},
		}},
		SkipValidateBody: true,
		Errors:           []int{http.StatusNotFound, http.StatusForbidden, http.StatusConflict, http.StatusTooManyRequests},
	}}, s.preview)
}

func (s *Server) preview(ctx context.Context, in *previewInput) (*previewOutput, error) {
	asked, err := previewAsked(in)
	if err != nil {
		return nil, err
	}
	t, err := s.previewTenant(ctx, in.Tenant, asked)
	if err != nil {
		return nil, err
	}
	end, err := s.previews.begin(t.ID)
	if err != nil {
		return nil, err
	}
	defer end()
	sc, m, err := s.previewMapping(ctx, &t, asked)
	if err != nil {
		return nil, err
	}
	sources, err := s.previewSources(ctx, t.ID, asked)
	if err != nil {
		return nil, err
	}
	out, err := s.previewTables(ctx, &t, sc, m, asked, sources)
	if err != nil && errors.Is(context.Cause(ctx), errLate) {
		return nil, newProblem(http.StatusServiceUnavailable, "the preview did not end within "+previewTimeout.String(), "ask for fewer or smaller files")
	}
	return out, err
}

// previewTenant is the tenant whose mapping and files are meant.
func (s *Server) previewTenant(ctx context.Context, slug string, asked *previewRequest) (ingest.Tenant, error) {
	var id ingest.TenantID
	var err error
	if asked.RequestID != "" {
		if asked.imp, err = s.findImport(ctx, asked.RequestID); err != nil {
			return ingest.Tenant{}, err
		}
		id = asked.imp.Tenant
		if slug != "" && slug != string(id) {
			return ingest.Tenant{}, noImport()
		}
	} else if id, err = oneTenant(ctx, slug); err != nil {
		return ingest.Tenant{}, err
	}
	t, err := s.cfg.Ledger.Tenant(ctx, id)
	if err == nil && !t.Enabled {
		err = ingest.WithHint(ingest.Errorf(ingest.Denied, "api.preview", "the tenant %s is switched off", id), "switch it on first")
	}
	return t, orAbsent(err, noTenant())
}

// previewMapping reads the mapping that is to be tried; nil is none.
func (s *Server) previewMapping(ctx context.Context, t *ingest.Tenant, asked *previewRequest) (*schema.Schema, *mapping.Mapping, error) {
	sc, ok := s.cfg.Schemas.Lookup(t.Schema)
	if !ok {
		return nil, nil, ingest.Errorf(ingest.Conflict, "api.preview", "this server does not have the schema %s", t.Schema)
	}
	yaml := []byte(asked.Mapping)
	if asked.Mapping == "" {
		version := ingest.LatestVersion
		if asked.MappingVersion != nil {
			version = *asked.MappingVersion
		}
		stored, err := s.cfg.Ledger.Mapping(ctx, t.ID, version)
		if err != nil {
			return nil, nil, orAbsent(err, noMapping())
		}
		yaml = stored.YAML
	}
	if len(yaml) == 0 {
		return sc, nil, nil
	}
	m, err := mapping.Parse(mappingFile, yaml, sc)
	if err != nil {
		return nil, nil, faultyMapping(err)
	}
	return sc, m, nil
}

// previewTables maps the files.
func (s *Server) previewTables(ctx context.Context, t *ingest.Tenant, sc *schema.Schema, m *mapping.Mapping, asked *previewRequest, sources []previewSource,
) (*previewOutput, error) {
	location, err := time.LoadLocation(t.TimeZone)
	if err != nil {
		return nil, ingest.E(ingest.Internal, "api.preview", err)
	}
	pieces := &previewPieces{server: s, tenant: t.ID, schema: sc}
	defer pieces.close()
	mapper, err := mapping.New(sc, m, mapping.Options{Location: location, Lookup: pieces.lookup(ctx)})
	if err != nil {
		return nil, err
	}
	out := &previewOutput{Body: Preview{Tables: []PreviewTable{}, Notes: []string{}}}
	if err := pieces.open(ctx, mapper, sources); err != nil {
		return nil, err
	}
	out.Body.Notes = append(out.Body.Notes, pieces.notes...)
	for _, refused := range pieces.refused {
		out.Body.Tables = append(out.Body.Tables, previewTableOf(&refused))
	}
	tables, err := preview.Run(ctx, mapper, pieces.files, preview.Options{Rows: asked.Rows, Bytes: previewBytes})
	if err != nil {
		return nil, err
	}
	for i := range tables {
		out.Body.Tables = append(out.Body.Tables, previewTableOf(&tables[i]))
	}
	return out, nil
}

func previewTableOf(t *preview.Table) PreviewTable {
	out := PreviewTable{
		File: t.File, Output: t.Output, Table: t.Table, Columns: append([]string{}, t.Columns...), Rows: t.Rows,
		RowsRead: t.Read, RowsRejected: t.Refused, Whole: t.Whole, FirstErrors: rejectsOf(t.Rejects),
		IgnoredColumns: append([]string{}, t.Ignored...), Notes: append([]string{}, t.Notes...), Code: t.Code, Error: t.Error,
		Sources: []PreviewSource{},
	}
	if out.Rows == nil {
		out.Rows = [][]*string{}
	}
	if t.Explanation != nil {
		for _, c := range t.Explanation.Columns {
			if c.How != mapping.HowAbsent {
				out.Sources = append(out.Sources, PreviewSource{Column: c.Column, How: string(c.How), Headers: append([]string{}, c.Headers...), Value: c.Value})
			}
		}
	}
	return out
}

// previewRequest is what is asked for, however it was sent.
type previewRequest struct {
	PreviewRequest
	imp  ingest.Import // RequestID's
	sent []previewSource
}

// previewAsked reads the request.
func previewAsked(in *previewInput) (*previewRequest, error) {
	asked := &previewRequest{}
	kind, _, _ := strings.Cut(in.ContentType, ";")
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case "application/json":
		decoder := json.NewDecoder(bytes.NewReader(in.RawBody))
		decoder.DisallowUnknownFields()
		var whole map[string]any // what is said twice, or is not UTF-8
		if err := errors.Join(unmarshalStrictly(in.RawBody, &whole), decoder.Decode(&asked.PreviewRequest)); err != nil {
			return nil, newProblem(http.StatusUnprocessableEntity, "the request is not valid", "see PreviewRequest in /openapi.json",
				ProblemError{Location: "body", Message: err.Error()})
		}
	case "multipart/form-data":
		if err := asked.readForm(in.ContentType, in.RawBody); err != nil {
			return nil, err
		}
	default:
		return nil, newProblem(http.StatusUnsupportedMediaType, "the body is neither JSON nor a form", "send application/json or multipart/form-data")
	}
	ways := 0
	for _, given := range []bool{asked.RequestID != "", len(asked.Drops) > 0, len(asked.sent) > 0} {
		if given {
			ways++
		}
	}
	switch {
	case ways != 1:
		return nil, invalidField("requestId", "name an import with requestId, or drops, or send files: one of these", "requestId is that of an import of files")
	case asked.Mapping != "" && asked.MappingVersion != nil:
		return nil, invalidField("mappingVersion", "give either mapping or mappingVersion", "leave one out")
	case asked.MappingVersion != nil && *asked.MappingVersion < 0:
		return nil, invalidField("mappingVersion", "must not be negative", "0 is no mapping")
	case asked.Rows < 0 || asked.Rows > maxPreviewRows:
		return nil, invalidField("rows", "must be from 0 to 100", "0 is 10")
	case len(asked.Drops) > maxPreviewFiles || len(asked.sent) > maxPreviewFiles:
		return nil, invalidField("drops", "too many files", "at most 50 are tried at a time")
	}
	return asked, nil
}

// previewSources finds the stored files that are meant.
func (s *Server) previewSources(ctx context.Context, tenant ingest.TenantID, asked *previewRequest) ([]previewSource, error) {
	sources := asked.sent
	for _, id := range asked.Drops {
		if !ingest.DropID(id).Valid() {
			return nil, noDrop()
		}
		d, err := s.cfg.Ledger.Drop(ctx, tenant, ingest.DropID(id))
		if err != nil {
			return nil, orAbsent(err, noDrop())
		}
		sources = append(sources, s.storedSource(d.Path, d.Key, d.Size))
	}
	if asked.RequestID == "" {
		return sources, nil
	}
	if asked.imp.Database != nil {
		return nil, ingest.WithHint(ingest.Errorf(ingest.Conflict, "api.preview", "the import reads a database"), "a dry run says what an import from it would find")
	}
	files := slices.DeleteFunc(slices.Clone(asked.imp.Files), func(f ingest.ImportFile) bool {
		return f.Container != 0 || f.State == ingest.FileDuplicate || f.Key == ""
	})
	for _, f := range files {
		sources = append(sources, s.storedSource(f.Path, f.Key, f.Size))
	}
	return sources, nil
}
