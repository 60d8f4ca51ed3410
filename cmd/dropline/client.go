package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"dropline/api"
)

const (
	clientDialTimeout   = 10 * time.Second
	clientHeaderTimeout = 5 * time.Minute // an upload is answered once it is durable, which a slow store takes its time for
	clientTries         = 4               // of a request that found the server unavailable
	clientMaxWait       = 10 * time.Second
	maxAnswer           = 64 << 20 // bytes of a JSON answer: a page of 500 wide rows is far below
)

// client talks to a server's API on behalf of one command.
type client struct {
	ctx    context.Context //nolint:containedctx // the run's own, as in app
	base   string
	id     string
	secret string
	token  string
	http   *http.Client
}

// client returns a client for the server that the settings point to: its URL and credential are those of the settings, or
// those of operator.json in the data directory.
func (a *app) client() (*client, error) {
	c := &client{
		ctx: a.ctx, base: a.settings.text(keyURL), id: a.settings.text(keyClientID), secret: a.settings.text(keyClientSecret),
	}
	if (c.id == "") != (c.secret == "") {
		return nil, usageError("set both DROPLINE_CLIENT_ID and DROPLINE_CLIENT_SECRET", "only one half of the API client is set")
	}
	if c.base == "" || c.id == "" {
		dir := a.settings.text(keyDataDir)
		op, err := readOperator(dir)
		switch {
		case errors.Is(err, fs.ErrPermission):
			return nil, failed("run this as the user who runs the server, or set DROPLINE_CLIENT_ID and DROPLINE_CLIENT_SECRET",
				"the operator's credential in %s cannot be read: %w", dir, err)
		case errors.Is(err, fs.ErrNotExist):
			return nil, failed("start a server with `dropline serve`, name its data directory with --data-dir, or set DROPLINE_URL, DROPLINE_CLIENT_ID and DROPLINE_CLIENT_SECRET",
				"there is no operator credential in %s", dir)
		case err != nil:
			return nil, err
		}
		if c.base == "" {
			c.base = op.URL
		}
		if c.id == "" {
			if op.URL != c.base && a.settings.given(keyURL) {
				return nil, failed("set DROPLINE_CLIENT_ID and DROPLINE_CLIENT_SECRET for that server",
					"the operator credential in %s is for %s, not for %s", dir, op.URL, c.base)
			}
			c.id, c.secret = op.ClientID, op.ClientSecret
		}
	}
	return a.connect(c), nil
}

// clientFor returns a client with a known credential.
func (a *app) clientFor(op operatorCredential) *client {
	return a.connect(&client{ctx: a.ctx, base: op.URL, id: op.ClientID, secret: op.ClientSecret})
}

// connect completes a client.
func (a *app) connect(c *client) *client {
	c.base = strings.TrimSuffix(c.base, "/")
	c.http = &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: clientDialTimeout}).DialContext,
		ResponseHeaderTimeout: clientHeaderTimeout, TLSHandshakeTimeout: clientDialTimeout, ForceAttemptHTTP2: true,
		WriteBufferSize: 256 << 10,
	}}
	return c
}

// request is one call of the API.
type request struct {
	method, path string
	query        url.Values
	body         any       // sent as JSON
	raw          io.Reader // sent as it is
	length       int64     // of raw
	contentType  string
	accept       string
	key          bool // with an Idempotency-Key, so that it can be sent again
}

func (c *client) get(path string, query url.Values, out any) error {
	return c.call(request{method: http.MethodGet, path: path, query: query}, out)
}

func (c *client) post(path string, body, out any) error {
	return c.call(request{method: http.MethodPost, path: path, body: body, key: true}, out)
}

// postFor is post on behalf of a tenant, which a tenant's own credential need not name.
func (c *client) postFor(tenant, path string, body, out any) error {
	return c.call(request{method: http.MethodPost, path: path, query: tenantQuery(tenant), body: body, key: true}, out)
}

// call sends a request and reads its JSON answer into out.
func (c *client) call(r request, out any) error {
	resp, err := c.send(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if out == nil || resp.StatusCode == http.StatusNoContent {
		_, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
		return err
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(out); err != nil {
		return failed("is it a Dropline server? see dropline config", "the answer of %s cannot be read: %w", c.base, err)
	}
	return nil
}

// send sends a request, again if the server was unavailable and it is safe, and returns the answer to a success.
func (c *client) send(r request) (*http.Response, error) {
	if err := c.signIn(); err != nil {
		return nil, err
	}
	var body []byte
	if r.body != nil {
		var err error
		if body, err = json.Marshal(r.body); err != nil {
			return nil, err
		}
		r.contentType = "application/json"
	}
	header := http.Header{"Authorization": {"Bearer " + c.token}}
	if r.key {
		header.Set(api.HeaderIdempotencyKey, rand.Text())
	}
	safe := r.raw == nil && (r.key || r.method == http.MethodGet)
	for try := 1; ; try++ {
		reader := r.raw
		if body != nil {
			reader = bytes.NewReader(body)
		}
		resp, err := c.once(r, header, reader)
		if err == nil && resp.StatusCode < 300 {
			return resp, nil
		}
		var wait time.Duration
		if err == nil {
			wait = retryAfter(resp)
			err = problemFailure(resp)
		}
		if !safe || wait == 0 || try == clientTries {
			return nil, err
		}
		select {
		case <-time.After(min(wait, clientMaxWait)):
		case <-c.ctx.Done():
			return nil, c.ctx.Err()
		}
	}
}

// once sends one request.
func (c *client) once(r request, header http.Header, body io.Reader) (*http.Response, error) {
	target := c.base + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(c.ctx, r.method, target, body)
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if r.raw != nil {
		req.ContentLength = r.length
	}
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	if r.accept != "" {
		req.Header.Set("Accept", r.accept)
	}
	req.Header.Set("User-Agent", "dropline/"+version)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(err)
	}
	return resp, nil
}

// unreachable says what to do about a server that does not answer.
func (c *client) unreachable(err error) error {
	if c.ctx.Err() != nil {
		return c.ctx.Err()
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return &failure{
		message: fmt.Sprintf("no server answers at %s: %v", c.base, err), status: exitFailed, cause: errors.Join(errNoServer, err),
		hint: "start one with `dropline serve`, or set DROPLINE_URL to where it is",
	}
}

var errNoServer = errors.New("no server answers")

// signIn fetches a token, once per run.
func (c *client) signIn() error {
	if c.token != "" {
		return nil
	}
	form := strings.NewReader(url.Values{"grant_type": {"client_credentials"}}.Encode())
	basic := http.Header{}
	probe := &http.Request{Header: basic}
	probe.SetBasicAuth(url.QueryEscape(c.id), url.QueryEscape(c.secret))
	resp, err := c.once(request{method: http.MethodPost, path: "/oauth2/token", contentType: "application/x-www-form-urlencoded"}, basic, form)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		var e api.TokenError
		if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&e); err != nil || e.Error == "" {
			return failed("is it a Dropline server? see dropline config", "%s answered %s to the sign-in", c.base, resp.Status)
		}
		hint := "check DROPLINE_CLIENT_ID and DROPLINE_CLIENT_SECRET, or operator.json in the data directory"
		if resp.StatusCode != http.StatusUnauthorized {
			hint = "try again in a while"
		}
		return failed(hint, "%s refused the sign-in: %s", c.base, e.Description)
	}
	var t api.TokenResponse
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&t); err != nil {
		return failed("is it a Dropline server? see dropline config", "the token of %s cannot be read: %w", c.base, err)
	}
	c.token = t.AccessToken
	return nil
}

// problemFailure reads the problem in an answer that is no success.
func problemFailure(resp *http.Response) error {
	defer func() { _ = resp.Body.Close() }()
	var p api.Problem
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&p); err != nil || p.Detail == "" {
		return failed("is it a Dropline server? see dropline config", "the server answered %s", resp.Status)
	}
	f := &failure{message: p.Detail, hint: p.Hint, status: exitFailed, cause: &statusError{resp.StatusCode}}
	for _, e := range p.Errors {
		line := e.Message
		if e.Location != "" {
			line = e.Location + ": " + e.Message
		}
		if e.Message == p.Detail && strings.HasPrefix(e.Location, "body.") {
			continue // it says where in the body, which is no matter here
		}
		if e.Location == "query.tenant" {
			f.hint = "name it: --tenant TENANT"
			continue // the words of the API, which has no flags
		}
		f.details = append(f.details, line)
	}
	if id := resp.Header.Get(api.HeaderRequestID); id != "" && resp.StatusCode >= 500 {
		f.details = append(f.details, "request "+id)
	}
	return f
}

// statusError is the HTTP status behind a failure.
type statusError struct{ status int }

// Error names the status.
func (e *statusError) Error() string { return http.StatusText(e.status) }

// hasStatus reports whether the API answered err with that status.
func hasStatus(err error, status int) bool {
	var e *statusError
	return errors.As(err, &e) && e.status == status
}

func retryAfter(resp *http.Response) time.Duration {
	if resp.StatusCode != http.StatusServiceUnavailable && resp.StatusCode != http.StatusTooManyRequests {
		return 0
	}
	n, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || n < 0 {
		return time.Second
	}
	return time.Duration(max(n, 1)) * time.Second
}

// pages calls page with the cursor of each page of a list until there is no further one or stop is reached.
func pages(page func(cursor string) (next string, more bool, err error)) error {
	cursor := ""
	for {
		next, more, err := page(cursor)
		if err != nil || !more || next == "" {
			return err
		}
		cursor = next
	}
}

// withCursor adds a page's cursor to a query.
func withCursor(q url.Values, cursor string, limit int) url.Values {
	out := url.Values{"limit": {strconv.Itoa(limit)}}
	for name, values := range q {
		out[name] = values
	}
	if cursor != "" {
		out.Set("cursor", cursor)
	}
	return out
}

// tenantQuery is the query that names a tenant, where one is given.
func tenantQuery(tenant string) url.Values {
	if tenant == "" {
		return nil
	}
	return url.Values{"tenant": {tenant}}
}

// pathf makes a path of the API, its parts escaped.
func pathf(format string, parts ...string) string {
	escaped := make([]any, len(parts))
	for i, part := range parts {
		escaped[i] = url.PathEscape(part)
	}
	return fmt.Sprintf(format, escaped...)
}
