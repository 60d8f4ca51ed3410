package api_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dropline/api"
	"dropline/ingest"
)

func TestUpload(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const text = "ImportId,Name\n1,x\n"
	sum := sha256.Sum256([]byte(text))
	var got api.Drop
	a := f.do(http.MethodPut, "/etl/files/daily/Matters%20of%202026.csv", f.acme, text).want(http.StatusCreated, &got)
	want := api.Drop{
		ID: got.ID, Tenant: "acme", Path: "/inbox/daily/Matters of 2026.csv", Size: int64(len(text)), SHA256: hex.EncodeToString(sum[:]),
		Via: "http", By: "label of acme", State: "pending", ReceivedAt: f.clock.Now(),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if a.header.Get("Location") != "/etl/drops/"+got.ID {
		t.Errorf("Location: %q", a.header.Get("Location"))
	}
	var again api.Drop
	f.do(http.MethodGet, a.header.Get("Location"), f.acme, nil).want(http.StatusOK, &again)
	if diff := cmp.Diff(got, again); diff != "" {
		t.Errorf("GET differs:\n%s", diff)
	}
	_, data, err := f.bucket.object(f.ledger.drops[0].Key)
	if err != nil || string(data) != text {
		t.Errorf("stored %q, %v", data, err)
	}
	f.do(http.MethodPut, "/etl/files/daily/Matters%20of%202026.csv", f.acme, text, "Content-Type: text/csv").want(http.StatusCreated, &again)
	if again.State != "duplicate" || again.DuplicateOf != got.ID {
		t.Errorf("the second is %+v", again)
	}
	f.do(http.MethodPut, "/etl/files/empty.csv", f.acme, "").want(http.StatusCreated, &again)
	if again.Size != 0 {
		t.Errorf("the empty one is %+v", again)
	}
	f.do(http.MethodPut, "/etl/files/daily%2Fchunked.csv?tenant=acme", f.operator, io.MultiReader(strings.NewReader("a"), strings.NewReader("b"))).
		want(http.StatusCreated, &again)
	if again.Path != "/inbox/daily/chunked.csv" || again.Size != 2 {
		t.Errorf("the chunked one is %+v", again)
	}
}

func TestUploadRefusals(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	digest := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
	}
	f.ledger.usage = ingest.Usage{Bytes: 90, Quota: 100}
	for name, c := range map[string]struct {
		path, token, body string
		options           []string
		status            int
	}{
		"nobody's":              {"x.csv?tenant=nobody", f.operator, "x", nil, 404},
		"no tenant":             {"x.csv", f.operator, "x", nil, 422},
		"another's":             {"x.csv?tenant=bravo", f.acme, "x", nil, 404},
		"up and out, escaped":   {"%2e%2e/%2e%2e/etc/passwd", f.acme, "x", nil, 422},
		"up, in the middle":     {"a/%2e%2e/b.csv", f.acme, "x", nil, 422},
		"slashes in the middle": {"a%2F%2Fb.csv", f.acme, "x", nil, 422},
		"NUL":                   {"a%00b.csv", f.acme, "x", nil, 422},
		"newline":               {"a%0d%0aSet-Cookie:x.csv", f.acme, "x", nil, 422},
		"not UTF-8":             {"a%ff%fe.csv", f.acme, "x", nil, 422},
		"overlong slash":        {"a%c0%afb.csv", f.acme, "x", nil, 422},
		"long name":             {strings.Repeat("x", 256), f.acme, "x", nil, 422},
		"long path":             {strings.Repeat("x/", 600) + "x", f.acme, "x", nil, 422},
		"temporary":             {"x.csv.part", f.acme, "x", nil, 422},
		"hidden":                {".x.csv", f.acme, "x", nil, 422},
		"encoded":               {"x.csv", f.acme, "x", []string{"Content-Encoding: gzip"}, 415},
		"digest of another":     {"x.csv", f.acme, "x", []string{"Content-Digest: " + digest("y")}, 422},
		"digest, second list":   {"x.csv", f.acme, "x", []string{"Repr-Digest: unknown=:eA==:, " + digest("y")}, 422},
		"digest is no base64":   {"x.csv", f.acme, "x", []string{"Content-Digest: sha-256=:!:"}, 400},
		"digest is too short":   {"x.csv", f.acme, "x", []string{"Content-Digest: sha-256=:eA==:"}, 400},
		"a part":                {"x.csv", f.acme, "x", []string{"Content-Range: bytes 1-1/2"}, 400},
		"over the quota":        {"x.csv", f.acme, strings.Repeat("x", 11), nil, 507},
	} {
		t.Run(name, func(t *testing.T) {
			p := f.do(http.MethodPut, "/etl/files/"+c.path, c.token, c.body, c.options...).problem(c.status)
			if p.Hint == "" && c.status != 404 {
				t.Errorf("no hint: %+v", p)
			}
		})
	}
	f.do(http.MethodPut, "/etl/files/x.csv", f.acme, io.MultiReader(strings.NewReader(strings.Repeat("x", 11)))).problem(507) // of no said length
	f.do(http.MethodPut, "/etl/files", f.acme, "x").problem(404)
	f.do(http.MethodPut, "/etl/files/", f.acme, "x").problem(422)
	if objects, pending := f.bucket.open(); len(f.ledger.drops) > 0 || objects > 0 || pending > 0 {
		t.Errorf("%d drops, %d objects and %d writers are left", len(f.ledger.drops), objects, pending)
	}
	f.do(http.MethodPut, "/etl/files/x.csv", f.acme, "x", "Content-Digest: sha-512=:z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==:").problem(422)
	f.do(http.MethodPut, "/etl/files/x.csv", f.acme, "x", "Content-Digest: "+digest("x")).want(http.StatusCreated)
}

func TestUploadTooLarge(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(c *api.Config) { c.MaxFileBytes = 1000 })
	f.do(http.MethodPut, "/etl/files/x.csv", f.acme, strings.Repeat("x", 1001)).problem(http.StatusRequestEntityTooLarge)
	f.do(http.MethodPut, "/etl/files/x.csv", f.acme, io.MultiReader(strings.NewReader(strings.Repeat("x", 1001)))).
		problem(http.StatusRequestEntityTooLarge)
	f.do(http.MethodPut, "/etl/files/x.csv", f.acme, strings.Repeat("x", 1000)).want(http.StatusCreated)
	if objects, pending := f.bucket.open(); objects != 1 || pending != 0 {
		t.Errorf("%d objects, %d writers", objects, pending)
	}
}

// raw sends bytes over a connection of its own, and returns the connection to read and close.
func (f *fixture) raw(text string) *net.TCPConn {
	f.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(c, text); err != nil {
		f.t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// TestBrokenUploadsLeaveNothing breaks off in every way a client can.
func TestBrokenUploadsLeaveNothing(t *testing.T) {
	t.Parallel()
	head := "PUT /etl/files/x.csv HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
	for name, c := range map[string]struct {
		rest  string
		reset bool
	}{
		"short of its length":  {"Content-Length: 100\r\n\r\nonly this", false},
		"reset":                {"Content-Length: 100\r\n\r\nonly this", true},
		"chunk cut":            {"Transfer-Encoding: chunked\r\n\r\n10\r\nonly", false},
		"no last chunk":        {"Transfer-Encoding: chunked\r\n\r\n4\r\nonly\r\n", false},
		"broken chunk":         {"Transfer-Encoding: chunked\r\n\r\n4\r\nonlyXX\r\n", false},
		"nothing of the body":  {"Content-Length: 100\r\n\r\n", false},
		"no length at all":     {"\r\na,b\n", false},
		"half closed too soon": {"Content-Length: 100\r\n\r\n" + strings.Repeat("x", 99), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			conn := f.raw(fmt.Sprintf(head, f.acme) + c.rest)
			if c.reset {
				_ = conn.SetLinger(0)
				_ = conn.Close()
			} else {
				_ = conn.CloseWrite()
				_, _ = io.Copy(io.Discard, conn)
			}
			f.await(func() bool { return strings.Contains(f.log.String(), "/etl/files/x.csv") })
			if objects, pending := f.bucket.open(); len(f.ledger.drops) > 0 || objects > 0 || pending > 0 {
				t.Errorf("%d drops, %d objects and %d writers are left", len(f.ledger.drops), objects, pending)
			}
		})
	}
}

// TestHalfClosedUploadCounts is of a client that sends all, closes its half of the connection and waits for the answer.
func TestHalfClosedUploadCounts(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	conn := f.raw("PUT /etl/files/x.csv HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + f.acme + "\r\nContent-Length: 4\r\n\r\na,b\n")
	_ = conn.CloseWrite()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated || len(f.ledger.drops) != 1 {
		t.Errorf("status %d, %d drops", response.StatusCode, len(f.ledger.drops))
	}
}

// TestContinueComesAfterTheToken: a client that asks first is not made to send a body for nothing.
func TestContinueComesAfterTheToken(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ask := func(token string) string {
		conn := f.raw("PUT /etl/files/x.csv HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token +
			"\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(line)
	}
	if got := ask("wrong"); got != "HTTP/1.1 401 Unauthorized" {
		t.Errorf("with a wrong token: %s", got)
	}
	if got := ask(f.acme); got != "HTTP/1.1 100 Continue" {
		t.Errorf("with a token: %s", got)
	}
}

// TestUploadKeepsConnection sends several requests over one connection, to see that no deadline of one is left for the next.
func TestUploadKeepsConnection(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var conns int
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conns++
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}
	f.client = &http.Client{Transport: transport}
	t.Cleanup(transport.CloseIdleConnections)
	for n := range 5 {
		f.do(http.MethodPut, fmt.Sprintf("/etl/files/%d.csv", n), f.acme, bytes.NewReader(make([]byte, 300_000))).want(http.StatusCreated)
		f.do(http.MethodGet, "/etl/drops", f.acme, nil).want(http.StatusOK)
	}
	if conns != 1 {
		t.Errorf("%d connections", conns)
	}
}

func TestDrops(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for n := range 12 {
		f.do(http.MethodPut, fmt.Sprintf("/etl/files/%d.csv", n), f.acme, "x").want(http.StatusCreated)
	}
	f.do(http.MethodPut, "/etl/files/b.csv", f.bravo, "x").want(http.StatusCreated)
	var paths []string
	for cursor := ""; ; {
		var page api.DropPage
		f.do(http.MethodGet, "/etl/drops?limit=5"+cursor, f.acme, nil).want(http.StatusOK, &page)
		for _, d := range page.Items {
			paths = append(paths, strings.TrimSuffix(strings.TrimPrefix(d.Path, "/inbox/"), ".csv"))
		}
		if page.NextCursor == "" {
			break
		}
		cursor = "&cursor=" + page.NextCursor
	}
	if diff := cmp.Diff("11 10 9 8 7 6 5 4 3 2 1 0", strings.Join(paths, " ")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	f.do(http.MethodGet, "/etl/drops", f.operator, nil).problem(http.StatusUnprocessableEntity)
	f.do(http.MethodGet, "/etl/drops?tenant=nobody", f.operator, nil).problem(http.StatusNotFound)
	f.do(http.MethodGet, "/etl/drops?tenant=bravo", f.acme, nil).problem(http.StatusNotFound)
	f.do(http.MethodGet, "/etl/drops?cursor=ZHJvcHM6eA", f.acme, nil).problem(http.StatusUnprocessableEntity)
	f.do(http.MethodGet, "/etl/drops/nonsense", f.acme, nil).problem(http.StatusNotFound)
}

// await waits until the server has come to something, for at most half a minute.
func (f *fixture) await(done func() bool) {
	f.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			f.t.Fatal("it never came to that")
		}
	}
}
