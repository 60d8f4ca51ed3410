package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"dropline/ingest"
)

const (
	// DefaultDryRunTimeout is how long a dry run may take, which somebody waits for.
	DefaultDryRunTimeout = 2 * time.Minute

	maxDryRuns       = 8 // at a time; each holds connections to a client's server
	maxTenantDryRuns = 2
)

// dryRuns bounds how many dry runs there are at a time, so that no tenant has the service call on servers without end.
type dryRuns struct {
	what  string // of which there are so many; "" is dry runs
	mu    sync.Mutex
	all   int
	byOne map[ingest.TenantID]int
}

// begin takes a place, which the returned function gives back.
func (d *dryRuns) begin(tenant ingest.TenantID) (func(), error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	what := cmp.Or(d.what, "dry runs")
	switch {
	case d.byOne[tenant] >= maxTenantDryRuns, d.byOne[tenant] > 0 && d.all >= maxDryRuns/2: // the rest is for those who have none
		return nil, newProblem(http.StatusTooManyRequests, what+" of the tenant are under way already", "wait for their answers").
			with("Retry-After", "5")
	case d.all >= maxDryRuns:
		return nil, newProblem(http.StatusServiceUnavailable, "there are too many "+what+" at the moment", "try again in a few seconds").
			with("Retry-After", "5")
	}
	if d.byOne == nil {
		d.byOne = map[ingest.TenantID]int{}
	}
	d.all++
	d.byOne[tenant]++
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.all--
		if d.byOne[tenant]--; d.byOne[tenant] == 0 {
			delete(d.byOne, tenant)
		}
	}, nil
}

// dryRunTimeout is how long a dry run may take here.
func (s *Server) dryRunTimeout() time.Duration {
	if s.cfg.Databases != nil && s.cfg.Databases.DryRunTimeout > 0 {
		return s.cfg.Databases.DryRunTimeout
	}
	return DefaultDryRunTimeout
}

func (s *Server) dryRun(ctx context.Context, in *databaseInput) (*dryRunOutput, error) {
	tenant, err := oneTenant(ctx, in.Tenant)
	if err != nil {
		return nil, err
	}
	b := &in.Body
	if err := eitherOr(b); err != nil {
		return nil, err
	}
	if b.Source != "" {
		return s.dryRunSource(ctx, tenant, b.Source, b.Isolation)
	}
	c, err := s.connectionOf(b.ConnectionString, b.CertificateAuthority)
	if err != nil {
		return nil, err
	}
	return s.dryRunWith(ctx, tenant, c.secret, b.Isolation, "body.connectionString")
}

func (s *Server) dryRunSource(ctx context.Context, tenant ingest.TenantID, id, isolation string) (*dryRunOutput, error) {
	source, err := s.findSource(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	if err := s.takesDatabases(); err != nil {
		return nil, err
	}
	secret, err := s.unseal(ctx, source.Sealed, tenant, string(source.ID))
	if err != nil {
		return nil, err
	}
	if isolation == "" {
		isolation = source.Isolation
	}
	return s.dryRunWith(ctx, tenant, secret, isolation, "")
}

// dryRunWith connects to the database. What the client's server refuses is the client's to mend. at is where the request has
// the connection string, empty where it has none.
func (s *Server) dryRunWith(ctx context.Context, id ingest.TenantID, secret ingest.DatabaseSecret, isolation, at string,
) (*dryRunOutput, error) {
	tenant, err := s.cfg.Ledger.Tenant(ctx, id)
	if err != nil {
		return nil, orAbsent(err, noTenant())
	}
	if !tenant.Enabled {
		return nil, ingest.WithHint(ingest.Errorf(ingest.Denied, "api.dryRun", "the tenant %s is switched off", id), "switch it on first")
	}
	end, err := s.dryRuns.begin(id)
	if err != nil {
		return nil, err
	}
	defer end()
	found, err := s.cfg.Databases.DryRun(ctx, id, secret, ingest.DatabaseOptions{Isolation: isolation, Full: true})
	if err != nil {
		return nil, s.dryRunProblem(ctx, err, at)
	}
	return &dryRunOutput{Body: dryRunOf(found)}, nil
}

// dryRunProblem tells errors of the client's database from those of Dropline.
func (s *Server) dryRunProblem(ctx context.Context, err error, at string) error {
	var source interface{ OfSource() bool }
	if !errors.As(err, &source) || !source.OfSource() {
		return err
	}
	message, hint := told(err), s.withEgress(err)
	if errors.Is(context.Cause(ctx), errLate) {
		message = "the database did not answer all that a dry run asks within " + s.dryRunTimeout().String()
		hint = "try when it is less busy, or import from it, which may take as long as it takes"
	}
	p := newProblem(http.StatusBadRequest, message, hint)
	if at != "" {
		p.Errors = []ProblemError{{Location: at, Message: message}}
	}
	p.cause = err
	return p
}

// withEgress is the hint of an error of a client's database: of one that does not answer, also from where the service connects.
func (s *Server) withEgress(err error) string {
	hint := ingest.HintOf(err)
	if ingest.KindOf(err) != ingest.Unavailable || len(s.cfg.Databases.Egress) == 0 {
		return hint
	}
	if hint != "" {
		hint += "; "
	}
	return hint + "the service connects from " + strings.Join(s.cfg.Databases.Egress, ", ") + ", which a firewall must let in"
}

func dryRunOf(found *ingest.DryRun) DryRun {
	out := DryRun{
		ImportDatabase: *databaseOf(&ingest.Database{Server: found.Server, Name: found.Database, Plan: &found.Plan}),
		Refused:        make([]RefusedRelation, 0, len(found.Plan.Refused)), Samples: make([]Sample, 0, len(found.Samples)),
		Loads: len(found.Plan.Refused) == 0 && len(found.Plan.Relations) > 0,
	}
	for _, r := range found.Plan.Refused {
		out.Refused = append(out.Refused, RefusedRelation(r))
	}
	for _, sample := range found.Samples {
		out.Samples = append(out.Samples, Sample{
			Name: sample.Relation, Table: sample.Table, RowsRead: sample.Read, RowsRejected: sample.Rejected, FirstErrors: rejectsOf(sample.Rejects),
		})
	}
	return out
}
