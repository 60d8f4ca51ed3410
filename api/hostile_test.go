package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"dropline/api"
	"dropline/ingest"
)

func TestUnknownPathsAndMethods(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, path := range []string{"/", "/etl", "/etl/", "/etl/imports/", "/nope", "/etl/import-status/", "/docs/../etl", "/etl/schema/", "/openapi-3.0.json", "/schemas/Problem.json"} {
		a := f.do(http.MethodGet, path, f.operator, nil)
		if a.status != http.StatusBadRequest || !strings.Contains(path, "..") {
			a.problem(http.StatusNotFound)
		}
	}
	for _, c := range []struct{ method, path, allow string }{
		{"DELETE", "/etl/imports", "GET, HEAD"},
		{"GET", "/etl/promote-to-production", "POST"},
		{"POST", "/etl/files/x.csv", "PUT"},
		{"OPTIONS", "/etl/imports", "GET, HEAD"},
		{"GET", "/oauth2/token", "POST"},
		{"GET", "/etl/import", "POST"},
		{"PUT", "/etl/sources", "GET, HEAD, POST"},
		{"BREW", "/healthz", "GET, HEAD"},
	} {
		a := f.do(c.method, c.path, f.operator, nil)
		a.problem(http.StatusMethodNotAllowed)
		if a.header.Get("Allow") != c.allow {
			t.Errorf("%s %s: Allow is %q", c.method, c.path, a.header.Get("Allow"))
		}
		if a.header.Get("Access-Control-Allow-Origin") != "" {
			t.Error("other origins are let in")
		}
	}
}

func TestMalformedBodies(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := string(f.addImport("acme", ingest.Staged).ID)
	for name, c := range map[string]struct {
		body, contentType string
		status            int
	}{
		"nothing":             {"", "application/json", 400},
		"half":                {`{"requestId":`, "application/json", 400},
		"no JSON":             {"requestId=" + id, "application/json", 400},
		"trailing":            {`{"requestId":"` + id + `"} x`, "application/json", 400},
		"two values":          {`{"requestId":"` + id + `"}{}`, "application/json", 400},
		"name twice":          {`{"requestId":"x","requestId":"` + id + `"}`, "application/json", 400},
		"name twice, by case": {`{"requestId":"x","RequestID":"` + id + `"}`, "application/json", 400},
		"name twice, escaped": {`{"requestId":"x","request\u0049d":"` + id + `"}`, "application/json", 400},
		"NUL":                 {`{"requestId":"` + id + `","override":"a\u0000b"}`, "application/json", 400},
		"not UTF-8":           {"{\"requestId\":\"" + id + "\",\"override\":\"\xff\"}", "application/json", 400},
		"deep":                {strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000), "application/json", 400},
		"null":                {"null", "application/json", 422},
		"a form":              {"requestId=" + id, "application/x-www-form-urlencoded", 415},
		"text":                {`{"requestId":"` + id + `"}`, "text/plain", 415},
		"odd type":            {`{"requestId":"` + id + `"}`, ";+", 415},
		"too large":           {`{"requestId":"` + strings.Repeat("x", 1<<20) + `"}`, "application/json", 413},
	} {
		t.Run(name, func(t *testing.T) {
			a := f.do(http.MethodPost, "/etl/promote-to-production", f.acme, c.body, "Content-Type: "+c.contentType)
			if p := a.problem(c.status); p.Hint == "" || p.Detail == "validation failed" {
				t.Errorf("the problem does not say what to do: %s", a.body)
			}
			if len(a.body) > 4000 {
				t.Errorf("the answer has %d bytes", len(a.body))
			}
		})
	}
	f.do(http.MethodPost, "/etl/promote-to-production", f.acme, io.MultiReader(strings.NewReader(strings.Repeat("x", 2<<20)))).
		problem(http.StatusRequestEntityTooLarge) // of no said length
	for _, body := range []io.Reader{ // of strangers, who get less
		strings.NewReader(strings.Repeat("x", 17<<10)), io.MultiReader(strings.NewReader(strings.Repeat("x", 17<<10))),
	} {
		f.do(http.MethodPost, "/oauth2/token", "", body, "Content-Type: application/x-www-form-urlencoded").
			problem(http.StatusRequestEntityTooLarge)
	}
	absent := f.do(http.MethodPost, "/etl/promote-to-production", f.acme, `{"requestId":"import_0"}`)
	if p := absent.problem(http.StatusNotFound); p.Hint == "" {
		t.Errorf("the problem does not say what to do: %s", absent.body)
	}
	if len(f.ledger.requests) > 0 {
		t.Errorf("something was done: %v", f.ledger.requests)
	}
	f.do(http.MethodPost, "/etl/promote-to-production", f.acme, `{"requestId":"`+id+`"}`).want(http.StatusAccepted) // no type said
}

// TestHostileRequestLines sends what clients' libraries would not.
func TestHostileRequestLines(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		line   string
		status int
	}{
		"up and out":       {"PUT /etl/files/../../etc/passwd", 400},
		"dot":              {"PUT /etl/files/./x.csv", 400},
		"two slashes":      {"PUT /etl/files//x.csv", 400},
		"two in front":     {"GET //etl/imports", 400},
		"backslashes":      {"PUT /etl/files/a\\..\\x.csv", 201}, // a name like any other, here
		"encoded up":       {"GET /etl/imports/%2e%2e/tenants", 404},
		"encoded slash":    {"GET /etl/imports%2F", 404},
		"NUL in an id":     {"GET /etl/imports/import_%00", 404},
		"long id":          {"GET /etl/imports/" + strings.Repeat("a", 8000), 404},
		"header in an id":  {"GET /etl/imports/x%0d%0aSet-Cookie:%20a=b", 404},
		"not UTF-8 slug":   {"GET /etl/tenants/%ff%fe", 404},
		"absolute":         {"GET http://evil.example/etl/imports", 200},
		"NUL in a query":   {"GET /etl/imports?tenant=%00", 404},
		"bad escape query": {"GET /etl/imports?limit=%zz", 400},
		"semicolon":        {"GET /etl/imports?limit=1;tenant=bravo", 400},
		"tenant twice":     {"GET /etl/imports?tenant=acme&tenant=bravo", 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.addImport("bravo", ingest.Staged)
			conn := f.raw(c.line + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\nAuthorization: Bearer " + f.acme + "\r\n\r\n")
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != c.status || strings.Contains(string(body), "bravo") {
				t.Errorf("status %d, want %d: %s", response.StatusCode, c.status, body)
			}
			if response.Header.Get("Set-Cookie") != "" || response.Header.Get(api.HeaderRequestID) == "" {
				t.Errorf("headers %v", response.Header)
			}
		})
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if got := f.do(http.MethodGet, "/healthz", "", nil, "X-Request-Id: 3f0c9a7e-1b2d").header.Get("X-Request-Id"); got != "3f0c9a7e-1b2d" {
		t.Errorf("the client's id became %q", got)
	}
	for _, id := range []string{"short", strings.Repeat("x", 65), "line break\"", "a=b c=d e=f"} {
		if got := f.do(http.MethodGet, "/healthz", "", nil, "X-Request-Id: "+id).header.Get("X-Request-Id"); got == id || !strings.HasPrefix(got, "req_") {
			t.Errorf("%q became %q", id, got)
		}
	}
}

func TestPanicIsAnswered(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ledger.before = func() { panic("at 10.0.0.7: the secret is hunter2") }
	a := f.do(http.MethodPost, "/etl/promote-to-production", f.acme, api.PromoteRequest{RequestID: string(f.addImport("acme", ingest.Staged).ID)})
	p := a.problem(http.StatusInternalServerError)
	if strings.Contains(string(a.body), "10.0.0.7") || p.Hint == "" {
		t.Errorf("%s", a.body)
	}
	if !strings.Contains(f.log.String(), a.header.Get("X-Request-Id")) || !strings.Contains(f.log.String(), "goroutine") {
		t.Error("the log does not have the panic")
	}
	f.ledger.before = nil
	f.do(http.MethodGet, "/healthz", "", nil).want(http.StatusOK)
}

// TestNoTokenInTheLog: neither tokens nor queries are logged.
func TestNoTokenInTheLog(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.do(http.MethodGet, "/etl/imports?tenant=acme", f.acme, nil).want(http.StatusOK)
	f.do(http.MethodGet, "/etl/imports?access_token="+url.QueryEscape(f.acme), "", nil).problem(http.StatusUnauthorized)
	if strings.Contains(f.log.String(), f.acme) {
		t.Error("the token is in the log")
	}
}

// TestIdleUnauthorizedBodyIsCutOff: who may not send cannot hold a connection open by sending nothing.
func TestIdleUnauthorizedBodyIsCutOff(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	conn := f.raw("PUT /etl/files/x.csv HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
	started := time.Now()
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(started); took > 40*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestManyCallersAtOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := string(f.addImport("acme", ingest.Staged).ID)
	done := make(chan error, 8)
	for range cap(done) {
		go func() {
			for range 20 {
				if a := f.do(http.MethodGet, "/etl/import-status/"+id, f.acme, nil); a.status != http.StatusOK {
					done <- fmt.Errorf("status %d", a.status)
					return
				}
			}
			done <- nil
		}()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
