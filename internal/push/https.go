package push

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"dropline/api"
	"dropline/ingest"
)

const (
	maxAnswer  = 64 << 20        // bytes of a JSON answer: a batch of ten thousand files is far below
	answerTime = 5 * time.Minute // for an answer that is no upload's
)

// HTTPS is a server's API as a destination.
type HTTPS struct {
	URL          string // "https://…"; plain HTTP to loopback only
	ClientID     string
	ClientSecret string
	Tenant       string // needed with the operator's credential
	Client       *http.Client
	UserAgent    string

	mu    sync.Mutex
	token string
}

// String implements fmt.Stringer, without the secret.
func (h *HTTPS) String() string { return h.URL }

// GoString implements fmt.GoStringer, without the secret.
func (h *HTTPS) GoString() string { return h.URL }

func (h *HTTPS) validate() error {
	const op = "push.HTTPS"
	u, err := url.Parse(h.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
		return ingest.WithHint(ingest.Errorf(ingest.Invalid, op, "the server's URL is none"), "such as https://dropline.example.com")
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return ingest.WithHint(ingest.Errorf(ingest.Invalid, op, "%s is not encrypted: clients' data does not go that way", h.URL), "use https://")
	}
	if h.ClientID == "" || h.ClientSecret == "" {
		return ingest.Errorf(ingest.Invalid, op, "the API client's id or secret is missing")
	}
	h.URL = strings.TrimSuffix(h.URL, "/")
	client := http.Client{}
	if h.Client != nil {
		client = *h.Client
	}
	// Data and credential go where they are sent and nowhere else.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	h.Client = &client
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (h *HTTPS) name() string { return h.URL }

// scoped adds the tenant to a query, where the credential is not one of its own.
func (h *HTTPS) scoped(query url.Values) url.Values {
	if h.Tenant != "" {
		query.Set("tenant", h.Tenant)
	}
	return query
}

func (h *HTTPS) close() { h.Client.CloseIdleConnections() }

// call is one request of the API.
type call struct {
	method, path string
	query        url.Values
	body         any       // sent as JSON
	raw          io.Reader // sent as it is
	key          string    // Idempotency-Key
}

// do sends a request and reads its JSON answer into out, which may be nil. An error that passes is a *passing.
func (h *HTTPS) do(ctx context.Context, c call, out any) error {
	if c.raw == nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, answerTime)
		defer cancel()
	}
	token, err := h.signIn(ctx)
	if err != nil {
		return err
	}
	target := h.URL + c.path
	if len(c.query) > 0 {
		target += "?" + c.query.Encode()
	}
	var body io.Reader
	switch {
	case c.raw != nil:
		body = struct{ io.Reader }{c.raw} // its length is not known, and it is closed by who made it
	case c.body != nil:
		raw, err := json.Marshal(c.body)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, c.method, target, body)
	if err != nil {
		return ingest.Errorf(ingest.Invalid, "push.do", "the server's URL cannot be used")
	}
	req.Header.Set("Authorization", "Bearer "+token)
	switch {
	case c.raw != nil:
		req.Header.Set("Content-Type", "application/zstd")
	case c.body != nil:
		req.Header.Set("Content-Type", "application/json")
	}
	if c.key != "" {
		req.Header.Set(api.HeaderIdempotencyKey, c.key)
	}
	resp, err := h.exchange(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // read as far as was wanted
	if resp.StatusCode == http.StatusUnauthorized {
		h.forget(token)
		return &passing{err: h.problem(resp)} // the token may have ended; should the client have, then signing in says so
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return h.problem(resp)
	}
	return h.decode(resp.Body, out)
}

func (h *HTTPS) decode(body io.Reader, out any) error {
	if out == nil {
		return nil
	}
	err := json.NewDecoder(io.LimitReader(body, maxAnswer)).Decode(out)
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax):
		return ingest.WithHint(ingest.Errorf(ingest.Invalid, "push.do", "what answers at %s is no Dropline server", h.URL), "check the URL")
	}
	return &passing{err: ingest.Errorf(ingest.Unavailable, "push.do", "the answer of %s broke off: %w", h.URL, bare(err))}
}

func (h *HTTPS) exchange(req *http.Request) (*http.Response, error) {
	if h.UserAgent != "" {
		req.Header.Set("User-Agent", h.UserAgent)
	}
	resp, err := h.Client.Do(req)
	if err == nil {
		return resp, nil
	}
	if errors.Is(err, errGivenUp) {
		return nil, errGivenUp
	}
	if cause := context.Cause(req.Context()); cause != nil && !errors.Is(cause, context.DeadlineExceeded) {
		return nil, cause
	}
	return nil, &passing{err: ingest.WithHint(ingest.Errorf(ingest.Unavailable, "push.do", "no server answers at %s: %w", h.URL, bare(err)),
		"check the URL, and that a firewall lets connections out to it")}
}

// bare is an error without the URL that net/http puts before it.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// problem is an answer that is no success.
func (h *HTTPS) problem(resp *http.Response) error {
	var p api.Problem
	kind := kindOf(resp.StatusCode)
	var err error
	if json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&p) != nil || p.Detail == "" {
		err = ingest.Errorf(kind, "push.do", "%s answered %s", h.URL, resp.Status)
	} else {
		detail, hint := p.Detail, p.Hint
		for _, e := range p.Errors {
			if e.Location == "query.tenant" {
				hint = "name it: --tenant TENANT"
			} else {
				detail += ": " + e.Message
			}
		}
		err = ingest.WithHint(ingest.Errorf(kind, "push.do", "the server: %s", detail), hint)
	}
	switch resp.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return &passing{err: err, after: retryAfter(resp)}
	}
	return err
}

func kindOf(status int) ingest.Kind {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return ingest.Denied
	case http.StatusNotFound:
		return ingest.NotFound
	case http.StatusConflict:
		return ingest.Conflict
	case http.StatusInsufficientStorage, http.StatusRequestEntityTooLarge:
		return ingest.Exhausted
	}
	if status >= http.StatusInternalServerError {
		return ingest.Unavailable
	}
	return ingest.Invalid
}

func retryAfter(resp *http.Response) time.Duration {
	n, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(min(n, 3600)) * time.Second
}

// signIn fetches a token unless there is one.
func (h *HTTPS) signIn(ctx context.Context) (string, error) {
	const op = "push.signIn"
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.token != "" {
		return h.token, nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	form := strings.NewReader(url.Values{"grant_type": {"client_credentials"}}.Encode())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL+"/oauth2/token", form)
	if err != nil {
		return "", ingest.Errorf(ingest.Invalid, op, "the server's URL cannot be used")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(h.ClientID), url.QueryEscape(h.ClientSecret))
	resp, err := h.exchange(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close() //nolint:errcheck // read as far as was wanted
	if resp.StatusCode != http.StatusOK {
		err := ingest.WithHint(ingest.Errorf(kindOf(resp.StatusCode), op, "%s refused the sign-in (%s)", h.URL, resp.Status),
			"check the id and the secret of the API client")
		if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= http.StatusInternalServerError {
			return "", &passing{err: err, after: retryAfter(resp)}
		}
		return "", err
	}
	var t api.TokenResponse
	if err := h.decode(resp.Body, &t); err != nil {
		return "", err
	}
	h.token = t.AccessToken
	return h.token, nil
}

// forget drops a token that the server no longer takes.
func (h *HTTPS) forget(token string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.token == token {
		h.token = ""
	}
}
