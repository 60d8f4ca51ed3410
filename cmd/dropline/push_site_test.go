//go:build linux

package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"dropline/api"
	"dropline/ingest"
	"dropline/internal/push"
	"dropline/internal/sample"
	"dropline/internal/sampledb"
	"dropline/internal/seal"
	"dropline/internal/tdstest"
	"dropline/schema"
)

const (
	sqlPassword  = "Sql-Passw0rd-of-test" // must be in no output and no state
	sftpPassword = "sftp-password-of-test"
)

// site is a client's site beside a server: a database, and dropline push with a state of its own.
type site struct {
	*instance
	sql   *tdstest.Server
	dir   string
	conn  string // file
	state string
	said  bytes.Buffer // all that push wrote
}

// newSite makes a server with the tenant acme, and a client's site with the sample firm's database.
func newSite(t *testing.T, o tdstest.Options) *site {
	t.Helper()
	s := &site{dir: t.TempDir()}
	key := filepath.Join(s.dir, "secrets.key")
	if err := seal.NewKeyFile(key); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DROPLINE_SECRETS_KEY_FILE", key)
	t.Setenv("DROPLINE_MSSQL_ALLOW_NETWORKS", "127.0.0.0/8")
	s.instance = newInstance(t)
	o.Password = sqlPassword
	if o.Tables == nil {
		o.Tables = firm(t)
	}
	s.sql = tdstest.Start(t, o)
	s.conn, s.state = filepath.Join(s.dir, "practice.txt"), filepath.Join(s.dir, "state.json")
	if err := os.WriteFile(s.conn, []byte("\ufeff"+s.sql.ConnectionString()+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := s.call(http.MethodPost, "/etl/tenants", strings.NewReader(`{"slug":"acme","name":"Acme","quietPeriodSeconds":1}`), nil); got >= 300 {
		t.Fatalf("tenant: %d", got)
	}
	return s
}

// firm are the tables of the sample firm, with a work item table of some parts.
func firm(t *testing.T) []tdstest.Table {
	t.Helper()
	def, _ := schema.NewCatalogue().Lookup(ingest.DefaultSchema)
	tables, err := sampledb.Tables(t.Context(), def, sample.Config{Seed: 5, Rows: map[string]int64{"WorkItem": 5000}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range tables {
		if table := &tables[i]; table.Name == "Contact" {
			table.Columns = append(table.Columns, tdstest.Column{Name: "Version", Type: "rowversion", NotNull: true})
			for r := range table.Rows {
				table.Rows[r] = append(table.Rows[r], nil)
			}
		}
	}
	return tables
}

func rowsOf(tables []tdstest.Table) (n int64) {
	for i := range tables {
		n += int64(len(tables[i].Rows))
	}
	return n
}

// command is dropline push as it is called at the site.
func (s *site) command(args ...string) *exec.Cmd {
	cmd := exec.Command(s.binary, append([]string{
		"push", "--connection-string-file", s.conn, "--state", s.state, "--part-rows", "1000", "--json", "--data-dir", s.data,
	}, args...)...)
	cmd.Env = append(os.Environ(), "DROPLINE_URL=", "XDG_STATE_HOME="+s.dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// push runs it, and returns its result, what it said on standard error, and its exit status.
func (s *site) push(args ...string) (push.Result, string, int) {
	s.t.Helper()
	var out, errs bytes.Buffer
	cmd := s.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	timer := time.AfterFunc(settleWithin, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	_ = cmd.Run() // its status says how it ended
	s.said.Write(out.Bytes())
	s.said.Write(errs.Bytes())
	var r push.Result
	if out.Len() > 0 {
		if err := json.NewDecoder(&out).Decode(&r); err != nil {
			s.t.Fatalf("the result is no JSON: %v", err)
		}
	}
	return r, errs.String(), cmd.ProcessState.ExitCode()
}

// mustPush is push that ends well.
func (s *site) mustPush(args ...string) push.Result {
	s.t.Helper()
	r, errs, status := s.push(args...)
	if status != 0 {
		s.t.Fatalf("push ended with %d: %s", status, errs)
	}
	return r
}

// http are the arguments for the API.
func (s *site) http(args ...string) []string {
	return append([]string{"--url", s.url, "--tenant", "acme"}, args...)
}

// untilImport waits for an import.
func (s *site) untilImport(id, want string) api.ImportStatus {
	s.t.Helper()
	var status api.ImportStatus
	for deadline := time.Now().Add(settleWithin); time.Now().Before(deadline); time.Sleep(30 * time.Millisecond) {
		s.call(http.MethodGet, "/etl/import-status/"+id, nil, &status)
		if status.State == want {
			return status
		}
	}
	s.t.Fatalf("%s is %q, not %q: %s", id, status.State, want, status.Error)
	return status
}

// direct imports the same database from the server, promotes it, and returns its counts.
func (s *site) direct() api.PromotionCounts {
	s.t.Helper()
	body, err := json.Marshal(api.ImportRequest{ConnectionString: s.sql.ConnectionString()})
	if err != nil {
		s.t.Fatal(err)
	}
	var started api.Started
	if got := s.call(http.MethodPost, "/etl/import?tenant=acme", bytes.NewReader(body), &started); got != http.StatusAccepted {
		s.t.Fatalf("a direct import: %d", got)
	}
	s.untilImport(started.RequestID, "staged")
	return s.promoted(started.RequestID)
}

func (s *site) promoted(id string) api.PromotionCounts {
	s.t.Helper()
	s.promote(id)
	return s.untilImport(id, "promoted").Promotion.Counts
}

// newest waits until the tenant has that many imports, and returns the id of the newest.
func (s *site) newest(count int) string {
	s.t.Helper()
	for deadline := time.Now().Add(settleWithin); time.Now().Before(deadline); time.Sleep(30 * time.Millisecond) {
		var page api.ImportPage
		s.call(http.MethodGet, "/etl/imports?tenant=acme", nil, &page)
		if len(page.Items) > count {
			s.t.Fatalf("there are %d imports, not %d", len(page.Items), count)
		}
		if len(page.Items) == count {
			return page.Items[0].RequestID
		}
	}
	s.t.Fatalf("there are never %d imports", count)
	return ""
}

// keepsSecrets makes sure that no secret is in what push wrote, nor in its state.
func (s *site) keepsSecrets() {
	s.t.Helper()
	state, err := os.ReadFile(s.state)
	if err != nil {
		s.t.Fatal(err)
	}
	operator, err := os.ReadFile(filepath.Join(s.data, "operator.json"))
	if err != nil {
		s.t.Fatal(err)
	}
	var c struct{ ClientSecret string }
	if err := json.Unmarshal(operator, &c); err != nil || c.ClientSecret == "" {
		s.t.Fatal("no secret of the operator's")
	}
	for _, secret := range []string{sqlPassword, sftpPassword, c.ClientSecret} {
		if strings.Contains(s.said.String(), secret) || bytes.Contains(state, []byte(secret)) {
			s.t.Errorf("a secret was told: %s", s.said.String())
		}
	}
	if info, err := os.Stat(s.state); err != nil || info.Mode().Perm() != 0o600 {
		s.t.Errorf("the state's mode: %v, %v", info.Mode(), err)
	}
}

// change gives some contacts another name.
func (s *site) change(count int) {
	s.t.Helper()
	at := -1
	for _, table := range firm(s.t) {
		if table.Name == "Contact" {
			at = slices.IndexFunc(table.Columns, func(c tdstest.Column) bool { return c.Name == "LastName" })
		}
	}
	err := s.sql.Change("Contact", func(rows [][]any) [][]any {
		for i := range count {
			rows[i][at] = fmt.Sprint("Changed", i)
		}
		return rows
	})
	if err != nil || at < 0 {
		s.t.Fatal(err)
	}
}

// relay passes connections on to an address, and can be told to break one after so many bytes have gone to it.
type relay struct {
	listener net.Listener
	cut      atomic.Int64 // bytes after which the present connections break; 0: never
	cuts     atomic.Int64
}

func newRelay(t *testing.T, to string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: l}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				_ = in.Close()
				continue
			}
			go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
			go func() { r.pass(out, in); _ = out.Close(); _ = in.Close() }()
		}
	}()
	return r
}

func (r *relay) pass(out io.Writer, in io.Reader) {
	buffer := make([]byte, 4096)
	for {
		n, err := in.Read(buffer)
		if limit := r.cut.Load(); limit > 0 && r.cut.Add(-int64(n)) <= 0 {
			r.cut.Store(0)
			r.cuts.Add(1)
			return
		}
		if _, failed := out.Write(buffer[:n]); failed != nil || err != nil {
			return
		}
	}
}

func (r *relay) address() string { return r.listener.Addr().String() }

func hostOf(t *testing.T, raw string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// killAfter runs a push and kills it when so many parts of the large table have been delivered and the next is being read.
func (s *site) killAfter(parts int, args []string) {
	s.t.Helper()
	cmd := s.command(args...)
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	deadline := time.Now().Add(settleWithin)
	for delivered := 0; delivered < parts || s.reads("WorkItem") <= parts; time.Sleep(10 * time.Millisecond) {
		raw, _ := os.ReadFile(s.state)
		var state struct {
			Run struct{ Files []struct{ Name string } }
		}
		_ = json.Unmarshal(raw, &state)
		delivered = 0
		for _, f := range state.Run.Files {
			if strings.Contains(f.Name, "/WorkItem/") {
				delivered++
			}
		}
		if time.Now().After(deadline) {
			s.t.Fatal("the large table does not get on")
		}
	}
	time.Sleep(100 * time.Millisecond) // into the part
	if err := cmd.Process.Kill(); err != nil {
		s.t.Fatal(err)
	}
	_ = cmd.Wait()
}

// sftp are the arguments for SFTP, with a password in the environment.
func (s *site) sftp(args ...string) []string {
	s.t.Helper()
	s.t.Setenv("DROPLINE_SFTP_PASSWORD", sftpPassword)
	body := `{"kind":"password","label":"site","password":"` + sftpPassword + `"}`
	if got := s.call(http.MethodPost, "/etl/tenants/acme/credentials", strings.NewReader(body), nil); got >= 300 {
		s.t.Fatalf("a password: %d", got)
	}
	raw, err := os.ReadFile(filepath.Join(s.data, "server.json"))
	if err != nil {
		s.t.Fatal(err)
	}
	var at struct {
		SFTP         string
		Fingerprints []string
	}
	if err := json.Unmarshal(raw, &at); err != nil {
		s.t.Fatal(err)
	}
	return append([]string{"--sftp", at.SFTP, "--sftp-user", "acme", "--host-key", at.Fingerprints[0]}, args...)
}

// reads counts the queries for rows of a table.
func (s *site) reads(table string) (n int) {
	for _, q := range s.sql.Queries() {
		if strings.Contains(q, "["+table+"]") && strings.Contains(q, "ORDER BY") {
			n++
		}
	}
	return n
}

// operatorAt copies the operator's credential for another address of the server, and returns the directory.
func (s *site) operatorAt(address string) string {
	s.t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.data, "operator.json"))
	if err != nil {
		s.t.Fatal(err)
	}
	dir := s.t.TempDir()
	raw = bytes.ReplaceAll(raw, []byte(s.url), []byte("http://"+address))
	if err := os.WriteFile(filepath.Join(dir, "operator.json"), raw, 0o600); err != nil {
		s.t.Fatal(err)
	}
	return dir
}
