package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dropline/api"
	"dropline/ingest"
)

// acmes are things of acme's that stand for the parameters of paths.
func (f *fixture) acmes() map[string]string {
	f.t.Helper()
	imp := f.addImport("acme", ingest.Staged)
	var drop api.Drop
	f.do(http.MethodPut, "/etl/files/x.csv", f.acme, "a,b\n").want(http.StatusCreated, &drop)
	f.do(http.MethodPut, "/etl/tenants/acme/mapping", f.acme, aMapping).want(http.StatusOK)
	f.bucket.put(ingest.ReportPrefix+"acme/"+string(imp.ID)+"/proposal.json", `{"mapping": "version: 1\n", "clear": true}`)
	credentials, err := f.ledger.ListCredentials(f.t.Context(), "acme")
	if err != nil {
		f.t.Fatal(err)
	}
	f.ledger.held = map[ingest.TenantID][]ingest.Entry{"acme": {{Path: ingest.BatchID("nightly").Held("/inbox/daily/Matters.csv"), Size: 7}}}
	var source api.Source
	f.do(http.MethodPost, "/etl/sources", f.acme, api.SourceCreate{Name: "N" + itoa(len(f.ledger.sources)), ConnectionString: goodString}).
		want(http.StatusCreated, &source)
	return map[string]string{
		"requestId": string(imp.ID), "slug": "acme", "name": "y.csv", "version": "1", "schema": "Efimis-1.0", "table": "Matter",
		"drop": drop.ID, "credential": string(credentials[0].ID), "source": source.ID,
		"batch": "nightly",
	}
}

// nobodys are well-formed names of nothing.
func nobodys() map[string]string {
	return map[string]string{
		"requestId": string(ingest.NewImportID()), "slug": "nobody", "name": "y.csv", "version": "1", "schema": "Efimis-1.0",
		"table": "Matter", "drop": string(ingest.NewDropID()), "credential": string(ingest.NewCredentialID()),
		"source": string(ingest.NewSourceID()), "batch": "nightly",
	}
}

// pgpFingerprint is of no key, or of one that a test stores.
const pgpFingerprint = "0123456789ABCDEF0123456789ABCDEF01234567"

// request is an operation of the API made into a request about the given things.
func requestFor(method, path string, op specEntry, things map[string]string) (string, string, any, []string) {
	for name, value := range things {
		path = strings.ReplaceAll(path, "{"+name+"}", value)
	}
	id := things["credential"]
	if strings.Contains(path, "/drops/") {
		id = things["drop"]
	}
	if strings.Contains(path, "/sources/") {
		id = things["source"]
	}
	path = strings.ReplaceAll(path, "{id}", id)
	path = strings.ReplaceAll(path, "{fingerprint}", pgpFingerprint)
	var body any
	switch op.OperationID {
	case "promoteToProduction":
		body = api.PromoteRequest{RequestID: things["requestId"]}
	case "createPGPKey":
		body = api.PGPKeyCreate{}
	case "suggestMapping":
		body = api.SuggestRequest{RequestID: things["requestId"]}
	case "previewMapping":
		body = api.PreviewRequest{RequestID: things["requestId"]}
	case "createTenant":
		body = api.TenantCreate{Slug: "cosmo", Name: "Cosmo"}
	case "changeTenant":
		body = map[string]any{"name": "New"}
	case "createCredential", "createOperatorCredential":
		body = api.CredentialCreate{Kind: "client"}
	case "putMapping":
		body = aMapping
	case "uploadFile":
		body = "a,b\n"
	case "importDatabase", "dryRunDatabase":
		body = api.ImportRequest{ConnectionString: goodString}
	case "createSource":
		body = api.SourceCreate{Name: "Practice " + things["source"], ConnectionString: goodString}
	case "deliverBatch":
		body = api.BatchDeliver{Files: 1}
	case "changeSource":
		body = map[string]any{"name": "Other"}
	case "listRows":
		path += "?table=Matter"
	}
	var options []string
	if body != nil {
		options = append(options, "Content-Type: application/json")
	}
	if op.OperationID == "putMapping" {
		options = []string{"Content-Type: application/yaml"}
	}
	return strings.ToUpper(method), path, body, options
}

// eachOperation calls fn for every operation that needs a token, each with a server of its own.
func eachOperation(t *testing.T, fn func(t *testing.T, f *fixture, method, path string, op specEntry)) {
	t.Helper()
	for path, methods := range newFixture(t).spec().Paths {
		for method, op := range methods {
			if !op.needsToken() {
				continue
			}
			t.Run(op.OperationID, func(t *testing.T) {
				t.Parallel()
				fn(t, newFixture(t), method, path, op)
			})
		}
	}
}

func TestEveryOperationNeedsAToken(t *testing.T) {
	t.Parallel()
	eachOperation(t, func(t *testing.T, f *fixture, method, path string, op specEntry) {
		things := f.acmes()
		before := len(f.ledger.requests)
		m, p, body, options := requestFor(method, path, op, things)
		for name, authorization := range map[string]string{
			"none": "", "unknown": "Bearer abc", "empty": "Bearer ", "basic": "Basic " + f.acme, "no scheme": f.acme,
			"odd": "Bearer " + f.acme + " x", "spaces": "Bearer  " + strings.Repeat("x", 600),
		} {
			o := options
			if authorization != "" {
				o = append(append([]string{}, options...), "Authorization: "+authorization)
			}
			a := f.do(m, p, "", body, o...)
			a.problem(http.StatusUnauthorized)
			if !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer ") {
				t.Errorf("%s: WWW-Authenticate is %q", name, a.header.Get("WWW-Authenticate"))
			}
		}
		if len(f.ledger.requests) != before || len(f.ledger.drops) != 1 {
			t.Error("something was done without a token")
		}
	})
}

// TestAnotherTenantsDoNotExist asks with bravo's token for what is acme's, and for what is nobody's: the answers are the same.
func TestAnotherTenantsDoNotExist(t *testing.T) {
	t.Parallel()
	eachOperation(t, func(t *testing.T, f *fixture, method, path string, op specEntry) {
		foreign, nothing := f.acmes(), nobodys()
		requests := len(f.ledger.requests)
		ask := func(things map[string]string) *answer {
			m, p, body, options := requestFor(method, path, op, things)
			return f.do(m, p, f.bravo, body, options...)
		}
		a, b := ask(foreign), ask(nothing)
		_, forbidden := op.Responses["403"]
		switch {
		case strings.Contains(path, "/operator/") || op.OperationID == "createTenant" || op.OperationID == "listTenants":
			if !forbidden {
				t.Error("403 is not described")
			}
			a.problem(http.StatusForbidden)
		case strings.Contains(path, "{requestId}"), strings.Contains(path, "{slug}"), strings.Contains(path, "{id}"),
			op.OperationID == "promoteToProduction", op.OperationID == "previewMapping", op.OperationID == "suggestMapping":
			if diff := cmp.Diff(withoutInstance(t, b.problem(http.StatusNotFound)), withoutInstance(t, a.problem(http.StatusNotFound))); diff != "" {
				t.Errorf("the answers differ (-nothing +another's):\n%s", diff)
			}
			for name := range a.header {
				if b.header[name] == nil {
					t.Errorf("only the one has the header %s", name)
				}
			}
			if strings.Contains(string(a.body), "The acme") {
				t.Errorf("it tells of another tenant: %s", a.body)
			}
		case op.OperationID == "importDatabase": // the caller's own
			if a.status != http.StatusAccepted || len(f.ledger.requests) != requests+2 || f.ledger.imports[len(f.ledger.imports)-1].Tenant != "bravo" {
				t.Errorf("status %d: %s", a.status, a.body)
			}
			requests += 2
		case op.OperationID == "deliverBatch": // acme's held file is not bravo's
			a.problem(http.StatusConflict)
		default: // lists and uploads are the caller's own
			if a.status >= 400 {
				t.Errorf("status %d: %s", a.status, a.body)
			}
			if strings.Contains(string(a.body), foreign["requestId"]) || strings.Contains(string(a.body), foreign["drop"]) {
				t.Errorf("it tells of another tenant: %s", a.body)
			}
		}
		if len(f.ledger.requests) != requests {
			t.Errorf("something was done with another tenant's: %v", f.ledger.requests[requests:])
		}
	})
}

func withoutInstance(t *testing.T, p api.Problem) string {
	t.Helper()
	p.Instance = ""
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestOwnerAndOperatorMay asks for acme's things with acme's token and with the operator's.
func TestOwnerAndOperatorMay(t *testing.T) {
	t.Parallel()
	eachOperation(t, func(t *testing.T, f *fixture, method, path string, op specEntry) {
		ask := func(token, query string) *answer {
			things := f.acmes()
			switch op.OperationID {
			case "cancelImport":
				f.ledger.imports[len(f.ledger.imports)-1].State = ingest.Loading
			case "retryImport":
				f.ledger.imports[len(f.ledger.imports)-1].State = ingest.Failed
			case "rollbackImport":
				f.ledger.imports[len(f.ledger.imports)-1].State = ingest.Promoted
			case "revokeOperatorCredential":
				c, _, err := f.ledger.AddClient(t.Context(), "", "spare", nil)
				if err != nil {
					t.Fatal(err)
				}
				things["credential"] = string(c.ID)
			case "revokePGPKey":
				_, _ = f.pgp.AddPGPKey(t.Context(), ingest.PGPKey{Tenant: "acme", Fingerprint: pgpFingerprint})
			case "revokeCredential":
				c, _, err := f.ledger.AddClient(t.Context(), "acme", "spare", nil)
				if err != nil {
					t.Fatal(err)
				}
				things["credential"] = string(c.ID)
			}
			m, p, body, options := requestFor(method, path, op, things)
			return f.do(m, p+query, token, body, options...)
		}
		query := ""
		for _, p := range op.Parameters {
			if p.Name == "tenant" {
				query = "?tenant=acme"
			}
		}
		a := ask(f.operator, query)
		if _, described := op.Responses[itoa(a.status)]; a.status >= 300 || !described {
			t.Errorf("operator: status %d: %s", a.status, a.body)
		}
		if strings.Contains(path, "/operator/") || op.OperationID == "createTenant" || op.OperationID == "listTenants" {
			return
		}
		f.ledger.imports = nil // the operator's request left one staged, which is in the way
		if a := ask(f.acme, query); a.status >= 300 {
			t.Errorf("tenant: status %d: %s", a.status, a.body)
		}
	})
}

func TestLedgerOutOfReach(t *testing.T) {
	t.Parallel()
	eachOperation(t, func(t *testing.T, f *fixture, method, path string, op specEntry) {
		m, p, body, options := requestFor(method, path, op, f.acmes())
		for _, kind := range []ingest.Kind{ingest.Unavailable, ingest.Internal} {
			f.ledger.mu.Lock()
			f.ledger.broken = ingest.Errorf(kind, "fake", "dial 10.0.0.7: password=hunter2")
			f.ledger.mu.Unlock()
			a := f.do(m, p, f.operator, body, options...)
			if kind == ingest.Unavailable {
				a.problem(http.StatusServiceUnavailable)
				if a.header.Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
			} else {
				a.problem(http.StatusInternalServerError)
			}
			if strings.Contains(string(a.body), "10.0.0.7") || strings.Contains(string(a.body), "hunter2") {
				t.Errorf("it tells of the inside: %s", a.body)
			}
			if !strings.Contains(f.log.String(), a.header.Get(api.HeaderRequestID)) {
				t.Error("the log does not have the request's id")
			}
		}
	})
}
