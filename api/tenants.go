package api

import (
	"context"
	"math"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/danielgtaylor/huma/v2"

	"dropline/ingest"
)

type (
	tenantInput struct {
		Slug string `path:"slug" doc:"The tenant" example:"acme"`
	}
	tenantsInput struct {
		Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"Tenants on a page"`
		Cursor string `query:"cursor" maxLength:"512" doc:"nextCursor of the page before"`
	}
	createTenantInput struct{ Body TenantCreate }
	changeTenantInput struct {
		Slug string `path:"slug" doc:"The tenant" example:"acme"`
		Body TenantChange
	}
	tenantOutput     struct{ Body Tenant }
	tenantsOutput    struct{ Body TenantPage }
	productionOutput struct{ Body Production }
)

func (s *Server) registerTenants() {
	register(s, operation{access: operatorOnly, idempotent: true, Operation: huma.Operation{
		OperationID: "createTenant", Method: http.MethodPost, Path: "/etl/tenants", Tags: []string{tagTenants},
		DefaultStatus: http.StatusCreated, Summary: "Create a tenant",
		Description: "409 if the slug is taken. Give it credentials next.", Errors: []int{http.StatusConflict},
	}}, s.createTenant)
	register(s, operation{access: operatorOnly, Operation: huma.Operation{
		OperationID: "listTenants", Method: http.MethodGet, Path: "/etl/tenants", Tags: []string{tagTenants},
		Summary: "List tenants", Description: "In the order of their slugs.",
	}}, s.listTenants)
	register(s, operation{access: anyCaller, Operation: huma.Operation{
		OperationID: "getTenant", Method: http.MethodGet, Path: "/etl/tenants/{slug}", Tags: []string{tagTenants},
		Summary: "Get a tenant", Description: "Its settings, and what it has stored.", Errors: []int{http.StatusNotFound},
	}}, s.tenant)
	register(s, operation{access: anyCaller, Operation: huma.Operation{
		OperationID: "changeTenant", Method: http.MethodPatch, Path: "/etl/tenants/{slug}", Tags: []string{tagTenants},
		Summary: "Change a tenant's settings",
		Description: "A tenant may change its own name, time zone and quiet period; what is enabled, the reject limit and the quota are " +
			"the operator's to set.",
		Errors: []int{http.StatusNotFound, http.StatusForbidden},
	}}, s.changeTenant)
	register(s, operation{access: anyCaller, Operation: huma.Operation{
		OperationID: "getProduction", Method: http.MethodGet, Path: "/etl/tenants/{slug}/production", Tags: []string{tagTenants},
		Summary: "Count the rows in production", Description: "Of each table of the tenant's schema.", Errors: []int{http.StatusNotFound},
	}}, s.production)
}

// findTenant returns the tenant of that slug if the caller may know of it.
func (s *Server) findTenant(ctx context.Context, slug string) (ingest.Tenant, error) {
	id, err := slugOfPath(ctx, slug)
	if err != nil {
		return ingest.Tenant{}, err
	}
	t, err := s.cfg.Ledger.Tenant(ctx, id)
	return t, orAbsent(err, noTenant())
}

// slugOfPath is the tenant named in a path if it may be the caller's.
func slugOfPath(ctx context.Context, slug string) (ingest.TenantID, error) {
	if slug == "" {
		return "", noTenant()
	}
	return scopeOf(ctx, slug)
}

func (s *Server) createTenant(ctx context.Context, in *createTenantInput) (*tenantOutput, error) {
	b := &in.Body
	t := ingest.Tenant{
		ID: ingest.TenantID(b.Slug), Name: b.Name, Schema: ingest.DefaultSchema, TimeZone: ingest.DefaultTimeZone, Enabled: true,
		QuietPeriod: ingest.DefaultQuietPeriod, RejectLimit: ingest.DefaultRejectLimit, CreatedAt: s.cfg.Clock(),
	}
	if err := checkText("name", b.Name); err != nil {
		return nil, err
	}
	if b.Schema != "" {
		t.Schema = b.Schema
	}
	sc, ok := s.cfg.Schemas.Lookup(t.Schema)
	if !ok {
		return nil, invalidField("schema", "this server has no such schema", "GET /etl/schema lists them")
	}
	t.Schema = sc.ID()
	if b.TimeZone != "" {
		t.TimeZone = b.TimeZone
	}
	if err := checkTimeZone(t.TimeZone); err != nil {
		return nil, err
	}
	if b.Enabled != nil {
		t.Enabled = *b.Enabled
	}
	if b.QuietPeriodSeconds != nil {
		t.QuietPeriod = durationOf(*b.QuietPeriodSeconds)
	}
	if b.RejectLimit != nil {
		t.RejectLimit = *b.RejectLimit
	}
	if b.QuotaBytes != nil {
		t.QuotaBytes = *b.QuotaBytes
	}
	t.AutoMap = b.AutoMap
	created, err := s.cfg.Ledger.CreateTenant(ctx, t)
	if err != nil {
		return nil, err
	}
	return &tenantOutput{Body: tenantOf(&created, nil)}, nil
}

func (s *Server) listTenants(ctx context.Context, in *tenantsInput) (*tenantsOutput, error) {
	after, err := decodeCursor("tenants", in.Cursor)
	if err != nil {
		return nil, err
	}
	if after != "" && !ingest.TenantID(after).Valid() {
		return nil, badCursor()
	}
	tenants, err := s.cfg.Ledger.ListTenants(ctx, ingest.TenantID(after), in.Limit)
	if err != nil {
		return nil, err
	}
	out := &tenantsOutput{Body: TenantPage{Items: make([]Tenant, 0, len(tenants))}}
	for i := range tenants {
		out.Body.Items = append(out.Body.Items, tenantOf(&tenants[i], nil))
	}
	if len(tenants) == in.Limit {
		out.Body.NextCursor = encodeCursor("tenants", string(tenants[len(tenants)-1].ID))
	}
	return out, nil
}

func (s *Server) tenant(ctx context.Context, in *tenantInput) (*tenantOutput, error) {
	t, err := s.findTenant(ctx, in.Slug)
	if err != nil {
		return nil, err
	}
	return s.withUsage(ctx, &t)
}

func (s *Server) withUsage(ctx context.Context, t *ingest.Tenant) (*tenantOutput, error) {
	usage, err := s.cfg.Ledger.Usage(ctx, t.ID)
	if err != nil {
		return nil, orAbsent(err, noTenant())
	}
	return &tenantOutput{Body: tenantOf(t, &usage)}, nil
}

func (s *Server) changeTenant(ctx context.Context, in *changeTenantInput) (*tenantOutput, error) {
	id, err := slugOfPath(ctx, in.Slug)
	if err != nil {
		return nil, err
	}
	b := &in.Body
	if identityOf(ctx).Tenant != "" && (b.Enabled != nil || b.RejectLimit != nil || b.QuotaBytes != nil) {
		return nil, ingest.WithHint(
			ingest.Errorf(ingest.Denied, "api.changeTenant", "enabled, rejectLimit and quotaBytes are the operator's to set"), "ask the operator")
	}
	change := ingest.TenantChange{
		Name: b.Name, TimeZone: b.TimeZone, Enabled: b.Enabled, RejectLimit: b.RejectLimit, QuotaBytes: b.QuotaBytes, AutoMap: b.AutoMap,
	}
	if b.Name != nil {
		if err := checkText("name", *b.Name); err != nil {
			return nil, err
		}
	}
	if b.TimeZone != nil {
		if err := checkTimeZone(*b.TimeZone); err != nil {
			return nil, err
		}
	}
	if b.QuietPeriodSeconds != nil {
		change.QuietPeriod = ptr(durationOf(*b.QuietPeriodSeconds))
	}
	t, err := s.cfg.Ledger.ChangeTenant(ctx, id, change)
	if err != nil {
		return nil, orAbsent(err, noTenant())
	}
	return s.withUsage(ctx, &t)
}

func (s *Server) production(ctx context.Context, in *tenantInput) (*productionOutput, error) {
	t, err := s.findTenant(ctx, in.Slug)
	if err != nil {
		return nil, err
	}
	sc, ok := s.cfg.Schemas.Lookup(t.Schema)
	if !ok {
		return nil, ingest.Errorf(ingest.Conflict, "api.production", "this server does not have the schema %s", t.Schema)
	}
	counts, err := s.cfg.Counts(ctx, t)
	if err != nil {
		return nil, err
	}
	out := &productionOutput{Body: Production{Tenant: string(t.ID), Schema: t.Schema, Tables: make([]ProductionTable, 0, len(sc.Tables))}}
	for _, table := range sc.Tables {
		out.Body.Tables = append(out.Body.Tables, ProductionTable{Name: table.Name, Rows: counts[table.Name]})
		out.Body.Rows += counts[table.Name]
	}
	return out, nil
}

func tenantOf(t *ingest.Tenant, usage *ingest.Usage) Tenant {
	out := Tenant{
		Slug: string(t.ID), Name: t.Name, Schema: t.Schema, TimeZone: t.TimeZone, Enabled: t.Enabled,
		QuietPeriodSeconds: t.QuietPeriod.Seconds(), RejectLimit: t.RejectLimit, QuotaBytes: t.QuotaBytes, AutoMap: t.AutoMap, CreatedAt: t.CreatedAt.UTC(),
	}
	if usage != nil {
		out.Usage = &Usage{Bytes: usage.Bytes, Files: usage.Files}
	}
	return out
}

// durationOf is a number of seconds, to the millisecond. Its bounds have been checked.
func durationOf(seconds float64) time.Duration {
	return time.Duration(math.Round(seconds*1000)) * time.Millisecond
}

// checkTimeZone refuses what is no IANA name. "Local" is one machine's affair.
func checkTimeZone(name string) error {
	if _, err := time.LoadLocation(name); err != nil || name == "Local" || name == "" {
		return invalidField("timeZone", "not an IANA time zone", "use a name such as Australia/Sydney")
	}
	return nil
}

// checkText refuses what would break a line where people read it.
func checkText(field, text string) error {
	if strings.TrimSpace(text) == "" && text != "" || strings.ContainsFunc(text, unicode.IsControl) {
		return invalidField(field, "must be one line of text", "")
	}
	return nil
}

func invalidField(field, message, hint string) error {
	return newProblem(http.StatusUnprocessableEntity, "the request is not valid", hint, ProblemError{Location: "body." + field, Message: message})
}
