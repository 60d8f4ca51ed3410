package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"dropline/ingest"
	"dropline/mapping"
	"dropline/schema"
)

const mappingFile = "mapping.yaml" // what faults call the file

type (
	putMappingInput struct {
		Slug    string `path:"slug" doc:"The tenant" example:"acme"`
		DryRun  bool   `query:"dryRun" doc:"Check the file and store nothing"`
		RawBody []byte `contentType:"application/yaml"`
	}
	mappingVersionInput struct {
		Slug    string `path:"slug" doc:"The tenant" example:"acme"`
		Version string `path:"version" doc:"From 0, which is no mapping" example:"3"`
	}
	mappingStoredOutput struct{ Body MappingStored }
	mappingOutput       struct{ Body MappingVersion }
	mappingsOutput      struct{ Body MappingList }
)

func (s *Server) registerMappings() {
	const base = "/etl/tenants/{slug}/mapping"
	register(s, operation{access: anyCaller, Operation: huma.Operation{
		OperationID: "putMapping", Method: http.MethodPut, Path: base, Tags: []string{tagTenants},
		Summary: "Store a mapping",
		Description: "The body is a mapping file in YAML. It is checked first: every fault is in errors, as file:line and reason. It becomes a new " +
			"version, which imports use that are made from then on; the same file again stores nothing new.",
		Errors: []int{http.StatusNotFound},
	}}, s.putMapping)
	register(s, operation{access: anyCaller, Operation: huma.Operation{
		OperationID: "getMapping", Method: http.MethodGet, Path: base, Tags: []string{tagTenants},
		Summary: "Get the mapping in force", Description: "Version 0 is no mapping: the schema's own names.", Errors: []int{http.StatusNotFound},
	}}, func(ctx context.Context, in *tenantInput) (*mappingOutput, error) { return s.mapping(ctx, in.Slug, -1) })
	register(s, operation{access: anyCaller, Operation: huma.Operation{
		OperationID: "listMappings", Method: http.MethodGet, Path: base + "/versions", Tags: []string{tagTenants},
		Summary: "List a mapping's versions", Description: "Newest first, without the files.", Errors: []int{http.StatusNotFound},
	}}, s.listMappings)
	register(s, operation{access: anyCaller, Operation: huma.Operation{
		OperationID: "getMappingVersion", Method: http.MethodGet, Path: base + "/versions/{version}", Tags: []string{tagTenants},
		Summary: "Get one version of a mapping", Description: "With the file as it was stored.", Errors: []int{http.StatusNotFound},
	}}, func(ctx context.Context, in *mappingVersionInput) (*mappingOutput, error) {
		version, err := strconv.ParseInt(in.Version, 10, 32)
		if err != nil || version < 0 {
			return nil, noMapping()
		}
		return s.mapping(ctx, in.Slug, int(version))
	})
}

func (s *Server) putMapping(ctx context.Context, in *putMappingInput) (*mappingStoredOutput, error) {
	t, err := s.findTenant(ctx, in.Slug)
	if err != nil {
		return nil, err
	}
	sc, ok := s.cfg.Schemas.Lookup(t.Schema)
	if !ok {
		return nil, ingest.Errorf(ingest.Conflict, "api.putMapping", "this server does not have the schema %s", t.Schema)
	}
	if _, err := mapping.Parse(mappingFile, in.RawBody, sc); err != nil {
		return nil, faultyMapping(err)
	}
	before, err := s.cfg.Ledger.Mapping(ctx, t.ID, -1)
	if err != nil {
		return nil, orAbsent(err, noTenant())
	}
	if in.DryRun {
		return &mappingStoredOutput{Body: MappingStored{Version: before.Version, DryRun: true}}, nil
	}
	after, err := s.cfg.Ledger.PutMapping(ctx, t.ID, in.RawBody, callerName(ctx))
	if err != nil {
		return nil, orAbsent(err, noTenant())
	}
	return &mappingStoredOutput{Body: MappingStored{Version: after.Version, Stored: after.Version != before.Version}}, nil
}

// faultyMapping lists a mapping's faults, each with its place.
func faultyMapping(err error) error {
	p := newProblem(http.StatusUnprocessableEntity, "the mapping is faulty", "mend what errors names; nothing was stored")
	var faults schema.Faults
	if !errors.As(err, &faults) {
		p.Detail = err.Error()
		return p
	}
	for _, f := range faults {
		place := f.File
		if f.Line > 0 {
			place = fmt.Sprintf("%s:%d", f.File, f.Line)
		}
		p.Errors = append(p.Errors, ProblemError{Location: place, Message: f.Reason})
	}
	return p
}

func (s *Server) mapping(ctx context.Context, slug string, version int) (*mappingOutput, error) {
	t, err := s.findTenant(ctx, slug)
	if err != nil {
		return nil, err
	}
	m, err := s.cfg.Ledger.Mapping(ctx, t.ID, version)
	if err != nil {
		return nil, orAbsent(err, noMapping())
	}
	out := mappingOf(&m)
	out.YAML = string(m.YAML)
	return &mappingOutput{Body: out}, nil
}

func (s *Server) listMappings(ctx context.Context, in *tenantInput) (*mappingsOutput, error) {
	t, err := s.findTenant(ctx, in.Slug)
	if err != nil {
		return nil, err
	}
	versions, err := s.cfg.Ledger.ListMappings(ctx, t.ID)
	if err != nil {
		return nil, orAbsent(err, noTenant())
	}
	out := &mappingsOutput{Body: MappingList{Items: make([]MappingVersion, 0, len(versions))}}
	for i := range versions {
		out.Body.Items = append(out.Body.Items, mappingOf(&versions[i]))
	}
	return out, nil
}

func mappingOf(m *ingest.MappingVersion) MappingVersion {
	out := MappingVersion{Version: m.Version, CreatedBy: m.CreatedBy}
	if !m.CreatedAt.IsZero() {
		out.CreatedAt = ptr(m.CreatedAt.UTC())
	}
	return out
}
