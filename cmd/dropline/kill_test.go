//go:build linux

package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"dropline/api"
	"dropline/internal/devstack/devtest"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

const (
	killPoints   = 12               // moments of an import at which the server is killed
	settleWithin = 90 * time.Second // for an import to end after a restart, on a machine that does much else
)

// buildDir is where the binary that is tested lies; it goes when the tests end.
var buildDir string

// TestMain removes what build made.
func TestMain(m *testing.M) {
	var err error
	if buildDir, err = os.MkdirTemp("", "dropline-test-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(buildDir)
	os.Exit(code)
}

// build makes the real binary, once for all tests.
var build = sync.OnceValues(func() (string, error) {
	path := filepath.Join(buildDir, "dropline")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// instance is a dropline that can be killed and started again on the same PostgreSQL and S3.
type instance struct {
	t        *testing.T
	binary   string
	database string
	env      []string
	data     string
	cmd      *exec.Cmd
	url      string
	token    string
	log      bytes.Buffer // of the present life; to be read once it is over
}

func newInstance(t *testing.T) *instance {
	t.Helper()
	binary, err := build()
	if err != nil {
		t.Fatal(err)
	}
	s3 := devtest.S3(t)
	i := &instance{t: t, binary: binary, database: devtest.Postgres(t), data: t.TempDir()}
	i.env = environment(i.database, s3)
	t.Cleanup(i.kill)
	i.start()
	i.signIn()
	return i
}

// environment makes the server use the given PostgreSQL and S3.
func environment(database string, s3 devtest.S3Server) []string {
	return append(
		os.Environ(), "DROPLINE_DATABASE_URL="+database, "DROPLINE_BUCKET="+s3.Bucket, "AWS_ENDPOINT_URL="+s3.Endpoint,
		"AWS_REGION="+s3.Region, "AWS_ACCESS_KEY_ID="+s3.AccessKey, "AWS_SECRET_ACCESS_KEY="+s3.SecretKey,
	)
}

// start runs the server and waits until it is ready.
func (i *instance) start() {
	i.t.Helper()
	server := filepath.Join(i.data, "server.json")
	_ = os.Remove(server)
	i.log.Reset()
	i.cmd = exec.Command(i.binary, "serve", "--data-dir", i.data, "--api-listen", "127.0.0.1:0", "--sftp-listen", "127.0.0.1:0")
	i.cmd.Env, i.cmd.Stdout, i.cmd.Stderr = i.env, io.Discard, &i.log
	i.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := i.cmd.Start(); err != nil {
		i.t.Fatal(err)
	}
	deadline := time.Now().Add(settleWithin)
	for time.Now().Before(deadline) {
		if body, err := os.ReadFile(server); err == nil {
			var at struct {
				URL string `json:"url"`
			}
			if json.Unmarshal(body, &at) == nil && at.URL != "" {
				i.url = at.URL
				if resp, err := http.Get(i.url + "/readyz"); err == nil {
					resp.Body.Close()
					if resp.StatusCode == http.StatusOK {
						return
					}
				}
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	i.kill()
	i.t.Fatalf("the server did not become ready:\n%s", i.log.String())
}

// kill ends the server as a power cut would.
func (i *instance) kill() {
	if i.cmd != nil && i.cmd.Process != nil {
		_ = i.cmd.Process.Kill()
		_ = i.cmd.Wait()
		i.cmd = nil
	}
}

func (i *instance) signIn() {
	i.t.Helper()
	body, err := os.ReadFile(filepath.Join(i.data, "operator.json"))
	if err != nil {
		i.t.Fatal(err)
	}
	var operator struct {
		ClientID     string `json:"clientId"`
		ClientSecret string `json:"clientSecret"`
	}
	if err := json.Unmarshal(body, &operator); err != nil {
		i.t.Fatal(err)
	}
	resp, err := http.PostForm(i.url+"/oauth2/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {operator.ClientID}, "client_secret": {operator.ClientSecret},
	})
	if err != nil {
		i.t.Fatal(err)
	}
	defer resp.Body.Close()
	var token api.TokenResponse
	if err := json.NewDecoder(resp.Body).Decode(&token); err != nil || token.AccessToken == "" {
		i.t.Fatalf("no token: %s, %v", resp.Status, err)
	}
	i.token = token.AccessToken
}

// call sends a request and decodes the answer; it returns the status.
func (i *instance) call(method, path string, in io.Reader, out any) int {
	i.t.Helper()
	req, err := http.NewRequest(method, i.url+path, in)
	if err != nil {
		i.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+i.token)
	if method != http.MethodPut {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0 // killed
	}
	defer resp.Body.Close()
	if out != nil && resp.StatusCode < 300 {
		if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
			return 0
		}
	}
	return resp.StatusCode
}

// send uploads every CSV of a directory to a new tenant.
func (i *instance) send(dir string) {
	i.t.Helper()
	if got := i.call(http.MethodPost, "/etl/tenants", strings.NewReader(`{"slug":"acme","name":"Acme","quietPeriodSeconds":0.5}`), nil); got >= 300 {
		i.t.Fatalf("tenant: %d", got)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.csv"))
	if err != nil || len(files) == 0 {
		i.t.Fatalf("no files: %v", err)
	}
	for _, path := range files {
		body, err := os.ReadFile(path)
		if err != nil {
			i.t.Fatal(err)
		}
		if got := i.call(http.MethodPut, "/etl/files/"+filepath.Base(path)+"?tenant=acme", bytes.NewReader(body), nil); got >= 300 || got == 0 {
			i.t.Fatalf("%s: %d", path, got)
		}
	}
}

// await waits until the tenant's one import is in the wanted state.
func (i *instance) await(want string) api.ImportStatus {
	i.t.Helper()
	deadline := time.Now().Add(settleWithin)
	var status api.ImportStatus
	for time.Now().Before(deadline) {
		var page api.ImportPage
		if i.call(http.MethodGet, "/etl/imports?tenant=acme", nil, &page) == http.StatusOK && len(page.Items) > 0 {
			if len(page.Items) > 1 {
				i.t.Fatalf("%d imports were made of one batch", len(page.Items))
			}
			i.call(http.MethodGet, "/etl/import-status/"+page.Items[0].RequestID, nil, &status)
			if status.State == want {
				return status
			}
		}
		time.Sleep(30 * time.Millisecond)
	}
	i.kill()
	i.t.Fatalf("the import is %q, not %q: %s\n%s", status.State, want, status.Error, i.log.String())
	return status
}

// outcome is what must be the same however often the server was killed.
type outcome struct {
	Counts  map[string][3]int64
	Rejects []string
	Rows    map[string]string // table → digest of its rows in production
}

func (i *instance) outcomeOf(status api.ImportStatus) outcome {
	i.t.Helper()
	o := outcome{Counts: map[string][3]int64{"": {status.RowsRead, status.RowsStaged, status.RowsRejected}}, Rows: map[string]string{}}
	for _, table := range status.Tables {
		o.Counts[table.Name] = [3]int64{table.RowsRead, table.RowsStaged, table.RowsRejected}
	}
	for _, r := range status.FirstErrors {
		o.Rejects = append(o.Rejects, fmt.Sprint(r.File, r.Record, r.Line, r.Column, r.Code, r.Message, r.Value))
	}
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, i.database)
	if err != nil {
		i.t.Fatal(err)
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `select table_name::text, string_agg(format('%I::text', column_name), ', ' order by ordinal_position)
		from information_schema.columns where table_schema = 'production_acme' and column_name not like '\_%' group by 1`)
	if err != nil {
		i.t.Fatal(err)
	}
	columns := map[string]string{}
	var name, list string
	if _, err := pgx.ForEachRow(rows, []any{&name, &list}, func() error { columns[name] = list; return nil }); err != nil {
		i.t.Fatal(err)
	}
	for name, list := range columns {
		var digest string
		sql := fmt.Sprintf(`select count(*) || ' ' || coalesce(md5(string_agg(md5(concat_ws('|', %s)), '' order by id)), '') from production_acme.%s`, list, name)
		if err := conn.QueryRow(ctx, sql).Scan(&digest); err != nil {
			i.t.Fatal(err)
		}
		o.Rows[name] = digest
	}
	return o
}

// TestKilledAnywhereItEndsTheSame kills the server at many moments of an import and of its promotion: after a restart it
// ends as if nothing had happened.
func TestKilledAnywhereItEndsTheSame(t *testing.T) {
	t.Parallel()
	dir := exportDir(t)
	calm := newInstance(t)
	calm.send(dir)
	began := time.Now()
	staged := calm.await("staged")
	loading := time.Since(began)
	if staged.RowsRejected == 0 || staged.RowsStaged == 0 {
		t.Fatalf("the sample proves nothing: %d staged, %d rejected", staged.RowsStaged, staged.RowsRejected)
	}
	began = time.Now()
	calm.promote(staged.RequestID)
	want := calm.outcomeOf(calm.await("promoted"))
	promoting := time.Since(began)
	calm.kill()

	for point := range killPoints {
		t.Run(fmt.Sprint(point), func(t *testing.T) {
			i := newInstance(t)
			i.send(dir)
			time.Sleep(loading * time.Duration(point) / (killPoints - 2)) // the last ones after it is staged
			i.kill()
			i.start()
			status := i.await("staged")
			i.promote(status.RequestID)
			time.Sleep(promoting * time.Duration(point) / (killPoints - 2))
			i.kill()
			i.start()
			if diff := cmp.Diff(want, i.outcomeOf(i.await("promoted"))); diff != "" {
				t.Errorf("killed at point %d it ended otherwise (-calm +killed):\n%s", point, diff)
			}
			i.kill()
		})
	}
}

// promote asks for the promotion. A kill may come before the answer, but not before it is recorded.
func (i *instance) promote(id string) {
	i.t.Helper()
	if got := i.tryPromote(id); got != http.StatusAccepted {
		i.t.Fatalf("promote: %d", got)
	}
}

func (i *instance) tryPromote(id string) int {
	i.t.Helper()
	return i.call(http.MethodPost, "/etl/promote-to-production", strings.NewReader(`{"requestId":"`+id+`"}`), nil)
}
