package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"dropline/ingest"
	"dropline/mapping"
	"dropline/mapping/suggest"
)

func (s *Server) registerSuggestions() {
	schemas := s.api.OpenAPI().Components.Schemas
	register(s, operation{access: anyCaller, patience: previewTimeout, bodyLimit: maxPreviewBody, Operation: huma.Operation{
		OperationID: "suggestMapping", Method: http.MethodPost, Path: "/etl/mappings/suggest", Tags: []string{tagTenants},
		Summary: "Draft a mapping",
		Description: "Drafts a mapping for files that nobody has mapped, and stores nothing: which file is of which table, and which header feeds " +
			"which column, by their names, by what the schema knows other systems to call them, and by the values. Each line has a confidence " +
			"from 0 to 1 and a reason; from 0.9 on it is right as far as can be told. The files are stored ones (of an import, or drops), or are " +
			"sent with the request, of each the first megabyte at least. Related files belong into one request: references are found by their values.",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/json": {Schema: schemaOf(schemas, SuggestRequest{}, "SuggestRequest")},
			"multipart/form-data": {Schema: &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{
				"file": {
					Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString, Format: "binary"},
					Description: "Files, or their beginnings up to a line's end, named as they would be below the inbox",
				},
			}}},
		}},
		SkipValidateBody: true,
		Errors:           []int{http.StatusNotFound, http.StatusForbidden, http.StatusConflict, http.StatusTooManyRequests},
	}}, s.suggest)
}

func (s *Server) suggest(ctx context.Context, in *previewInput) (*proposalOutput, error) {
	asked, err := previewAsked(in)
	if err != nil {
		return nil, err
	}
	if asked.Mapping != "" || asked.MappingVersion != nil || asked.Rows != 0 {
		return nil, invalidField("mapping", "a draft is made without a mapping", "send files only, or name stored ones")
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
	sc, ok := s.cfg.Schemas.Lookup(t.Schema)
	if !ok {
		return nil, ingest.Errorf(ingest.Conflict, "api.suggest", "this server does not have the schema %s", t.Schema)
	}
	sources, err := s.previewSources(ctx, t.ID, asked)
	if err != nil {
		return nil, err
	}
	mapper, err := mapping.New(sc, nil, mapping.Options{})
	if err != nil {
		return nil, err
	}
	pieces := &previewPieces{server: s, tenant: t.ID, schema: sc}
	defer pieces.close()
	if err := pieces.open(ctx, mapper, sources); err != nil {
		return nil, err
	}
	files := make([]suggest.File, 0, len(pieces.files))
	for _, f := range pieces.files {
		files = append(files, suggest.File{Path: f.Path, Open: f.Open, Exact: f.Exact})
	}
	found, err := suggest.Propose(ctx, sc, files)
	if err != nil {
		if errors.Is(context.Cause(ctx), errLate) {
			return nil, newProblem(http.StatusServiceUnavailable, "the draft was not made within "+previewTimeout.String(), "send fewer or smaller files")
		}
		return nil, err
	}
	for _, refused := range pieces.refused {
		found.Open = append(found.Open, suggest.Question{File: refused.File, Text: refused.Error})
		found.Clear = false
	}
	return &proposalOutput{Body: proposalOf(found)}, nil
}

func proposalOf(p *suggest.Proposal) Proposal {
	out := Proposal{Mapping: string(p.YAML), Clear: p.Clear, Lines: make([]ProposalLine, 0, len(p.Lines)), Open: make([]ProposalQuestion, 0, len(p.Open))}
	for _, l := range p.Lines {
		out.Lines = append(out.Lines, ProposalLine{
			File: l.File, Table: l.Table, Column: l.Column, From: l.From, Confidence: l.Confidence, Reason: l.Reason,
		})
	}
	for _, q := range p.Open {
		out.Open = append(out.Open, ProposalQuestion(q))
	}
	return out
}
