package api_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dropline/api"
	"dropline/ingest"
)

func TestDryRun(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var got api.DryRun
	f.do(http.MethodPost, "/etl/import/dry-run", f.acme, api.ImportRequest{ConnectionString: goodString, Isolation: "read_committed"}).
		want(http.StatusOK, &got)
	if !got.Loads || got.Server != "sql.example.org,1433" || len(got.Relations) != 2 || len(got.Refused) != 0 {
		t.Errorf("%+v", got)
	}
	want := []api.Sample{{
		Name: "dbo.Matter", Table: "Matter", RowsRead: 200, RowsRejected: 1,
		FirstErrors: []api.Reject{{File: "dbo.Matter", Table: "Matter", Record: 7, Column: "Title", Code: "too_long", Message: "it is too long"}},
	}}
	if diff := cmp.Diff(want, got.Samples); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if f.databases.options.Isolation != "read_committed" || f.databases.secret.ConnectionString != goodString {
		t.Errorf("asked with %+v", f.databases.options)
	}
	f.databases.dryRun = func(context.Context, ingest.DatabaseSecret) (*ingest.DryRun, error) {
		found := aDryRun()
		found.Plan.Refused = []ingest.RefusedRelation{{Name: "dbo.Client", Table: "Client", Code: "missing_column", Message: "no ImportId"}}
		return found, nil
	}
	f.do(http.MethodPost, "/etl/import/dry-run", f.acme, api.ImportRequest{ConnectionString: goodString}).want(http.StatusOK, &got)
	if diff := cmp.Diff([]api.RefusedRelation{{Name: "dbo.Client", Table: "Client", Code: "missing_column", Message: "no ImportId"}}, got.Refused); diff != "" || got.Loads {
		t.Errorf("loads %t\n%s", got.Loads, diff)
	}
	if len(f.ledger.imports) > 0 || len(f.ledger.requests) > 0 {
		t.Error("something was queued")
	}
}

// TestDryRunErrors: those of the client's database are the client's, those of Dropline are not.
func TestDryRunErrors(t *testing.T) {
	t.Parallel()
	refused := ingest.WithHint(ingest.Errorf(ingest.Denied, "mssql", "the login reader was refused"), "check the password")
	lost := ingest.Errorf(ingest.Unavailable, "mssql", "sql.example.org does not answer")
	for name, c := range map[string]struct {
		err          error
		status       int
		detail, hint string
	}{
		"login":      {&ofSource{refused}, 400, "the login reader was refused", "check the password"},
		"away":       {&ofSource{lost}, 400, "sql.example.org does not answer", "the service connects from 198.51.100.7/32, which a firewall must let in"},
		"away, hint": {&ofSource{ingest.WithHint(lost, "is it on?")}, 400, "sql.example.org does not answer", "is it on?; the service connects from 198.51.100.7/32, which a firewall must let in"},
		"odd":        {&ofSource{errors.New("odd")}, 400, "odd", ""},
		"endless":    {&ofSource{errors.New(strings.Repeat("ä", 5000))}, 400, strings.Repeat("ä", 1999) + "…", ""},
		"ledger":     {ingest.Errorf(ingest.Unavailable, "ledger", "10.0.0.7"), 503, "a part of Dropline is out of reach for the moment", "try again in a few seconds"},
		"inside":     {errors.New("10.0.0.7"), 500, "something went wrong in Dropline", "try again; if it stays, tell the operator the X-Request-Id of this answer"},
		"mapping":    {ingest.WithHint(ingest.Errorf(ingest.Invalid, "dryRun", "line 3: no"), "store a corrected mapping"), 422, "line 3: no", "store a corrected mapping"},
		"no source":  {ingest.Errorf(ingest.Conflict, "x", "no"), 409, "no", ""},
	} {
		f := newFixture(t)
		f.databases.dryRun = func(context.Context, ingest.DatabaseSecret) (*ingest.DryRun, error) { return nil, c.err }
		p := f.do(http.MethodPost, "/etl/import/dry-run", f.acme, api.ImportRequest{ConnectionString: goodString}).problem(c.status)
		if p.Detail != c.detail || p.Hint != c.hint {
			t.Errorf("%s: %+v", name, p)
		}
		if (len(p.Errors) == 1 && p.Errors[0].Location == "body.connectionString") != (c.status == 400) {
			t.Errorf("%s: errors %+v", name, p.Errors)
		}
	}
}

func TestDryRunTakesItsTime(t *testing.T) {
	t.Parallel()
	const patience = 50 * time.Millisecond
	f := newFixture(t, func(c *api.Config) { c.AnswerTimeout, c.Databases.DryRunTimeout = patience, 3*patience })
	f.databases.dryRun = func(ctx context.Context, _ ingest.DatabaseSecret) (*ingest.DryRun, error) {
		time.Sleep(2 * patience)
		return aDryRun(), ctx.Err()
	}
	body := api.ImportRequest{ConnectionString: goodString}
	f.do(http.MethodPost, "/etl/import/dry-run", f.acme, body).want(http.StatusOK)
	f.databases.dryRun = func(ctx context.Context, _ ingest.DatabaseSecret) (*ingest.DryRun, error) {
		<-ctx.Done()
		return nil, &ofSource{ctx.Err()}
	}
	if p := f.do(http.MethodPost, "/etl/import/dry-run", f.acme, body).problem(http.StatusBadRequest); !strings.Contains(p.Detail, "within 150ms") || p.Hint == "" {
		t.Errorf("%+v", p)
	}
}

func TestDryRunsAreBounded(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	tokens := []string{f.acme, f.bravo}
	for _, id := range []ingest.TenantID{"cosmo", "delta", "echo", "foxtrot", "golf"} {
		tenant := f.ledger.tenants["acme"]
		tenant.ID = id
		f.ledger.tenants[id] = tenant
		tokens = append(tokens, f.newToken(id))
	}
	entered, leave := make(chan struct{}), make(chan struct{})
	f.databases.dryRun = func(context.Context, ingest.DatabaseSecret) (*ingest.DryRun, error) {
		entered <- struct{}{}
		<-leave
		return aDryRun(), nil
	}
	body := api.ImportRequest{ConnectionString: goodString}
	var wg sync.WaitGroup
	for i, token := range tokens[:6] { // two of the first two, and one of each of the others
		for range map[bool]int{true: 2, false: 1}[i < 2] {
			wg.Go(func() {
				if a := f.do(http.MethodPost, "/etl/import/dry-run", token, body); a.status != http.StatusOK {
					t.Errorf("%d %s", a.status, a.body)
				}
			})
			<-entered
		}
	}
	for _, token := range []string{f.acme, tokens[5]} {
		a := f.do(http.MethodPost, "/etl/import/dry-run", token, body)
		if a.problem(http.StatusTooManyRequests); a.header.Get("Retry-After") == "" {
			t.Errorf("%v", a.header)
		}
	}
	a := f.do(http.MethodPost, "/etl/import/dry-run", tokens[6], body)
	if a.problem(http.StatusServiceUnavailable); a.header.Get("Retry-After") == "" {
		t.Errorf("%v", a.header)
	}
	close(leave)
	wg.Wait()
	f.databases.dryRun = nil
	f.do(http.MethodPost, "/etl/import/dry-run", f.acme, body).want(http.StatusOK) // their places are free again
}
