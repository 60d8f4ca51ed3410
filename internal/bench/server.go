package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"dropline/api"
	"dropline/internal/devstack"

	"github.com/jackc/pgx/v5"
)

const (
	startTimeout  = 90 * time.Second
	importTimeout = 10 * time.Minute
	clockTicks    = 100 // per second, in /proc/<pid>/stat; the kernel's USER_HZ on every Linux architecture Go runs on
)

// server is a running dropline with the PostgreSQL and S3 of its own, which this process started so that it can ask them.
type server struct {
	stack *devstack.Stack
	cmd   *exec.Cmd
	dir   string
	api   string
	sftp  string // host:port
	token string
}

// startServer starts PostgreSQL, S3 and the real binary on them.
func (b *bench) startServer(ctx context.Context) (*server, error) {
	dir, err := os.MkdirTemp(b.dir, "server-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // see run
		return nil, err
	}
	stack, err := devstack.Start(ctx, devstack.Config{DataDir: filepath.Join(dir, "stack")})
	if err != nil {
		return nil, err
	}
	s := &server{stack: stack, dir: dir}
	if err := s.startBinary(ctx); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

func (s *server) startBinary(ctx context.Context) error {
	httpAddr, err := freeAddress()
	if err != nil {
		return err
	}
	if s.sftp, err = freeAddress(); err != nil {
		return err
	}
	s.api = "http://" + httpAddr
	data := filepath.Join(s.dir, "data")
	logFile, err := os.Create(filepath.Join(s.dir, "serve.log")) //nolint:gosec // a path of our own
	if err != nil {
		return err
	}
	defer logFile.Close() //nolint:errcheck // the child has its own handle
	info := s.stack.S3()
	if err := exec.Command("build/dropline", "config", "new-key", filepath.Join(s.dir, "secrets.key")).Run(); err != nil { //nolint:gosec // our own binary
		return err
	}
	s.cmd = exec.Command("build/dropline", "serve", "--api-listen", httpAddr, "--sftp-listen", s.sftp, "--data-dir", data)
	s.cmd.Env = append(
		os.Environ(), "DROPLINE_DATABASE_URL="+s.stack.DatabaseURL(), "DROPLINE_BUCKET="+info.Bucket,
		"AWS_ENDPOINT_URL="+info.Endpoint, "AWS_REGION="+info.Region, "AWS_ACCESS_KEY_ID="+info.AccessKey,
		"AWS_SECRET_ACCESS_KEY="+info.SecretKey, "DROPLINE_SECRETS_KEY_FILE="+filepath.Join(s.dir, "secrets.key"),
		"DROPLINE_MSSQL_ALLOW_NETWORKS=127.0.0.0/8",
	)
	s.cmd.Stdout, s.cmd.Stderr = logFile, logFile
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	deadline := time.Now().Add(startTimeout)
	for {
		resp, err := http.Get(s.api + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return fmt.Errorf("dropline did not become ready: see %s", logFile.Name())
		}
		time.Sleep(100 * time.Millisecond)
	}
	return s.signIn(data)
}

// signIn gets a token with the operator's credential that the first start wrote.
func (s *server) signIn(data string) error {
	body, err := os.ReadFile(filepath.Join(data, "operator.json")) //nolint:gosec // a path of our own
	if err != nil {
		return err
	}
	var operator struct {
		ClientID     string `json:"clientId"`
		ClientSecret string `json:"clientSecret"`
	}
	if err := json.Unmarshal(body, &operator); err != nil {
		return err
	}
	resp, err := http.PostForm(s.api+"/oauth2/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {operator.ClientID}, "client_secret": {operator.ClientSecret},
	})
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // read
	var token api.TokenResponse
	if err := json.NewDecoder(resp.Body).Decode(&token); err != nil {
		return err
	}
	if token.AccessToken == "" {
		return fmt.Errorf("no token: %s", resp.Status)
	}
	s.token = token.AccessToken
	return nil
}

func (s *server) stop() error {
	var errs []error
	if s.cmd != nil && s.cmd.Process != nil {
		errs = append(errs, s.cmd.Process.Signal(syscall.SIGTERM))
		_ = s.cmd.Wait() // it ends by our signal
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	errs = append(errs, s.stack.Stop(ctx), os.RemoveAll(s.dir))
	return errors.Join(errs...)
}

func (s *server) pid() int { return s.cmd.Process.Pid }

// call sends a request to the API and decodes its answer into out, unless that is nil.
func (s *server) call(method, path string, in io.Reader, out any) error {
	req, err := http.NewRequest(method, s.api+path, in)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	if strings.HasPrefix(path, "/etl/files/") {
		req.Header.Set("Content-Type", "text/csv")
	} else if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // read
	if resp.StatusCode >= http.StatusBadRequest {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 2000))
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(out)
}

func (s *server) post(path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return s.call(http.MethodPost, path, bytes.NewReader(body), out)
}

func (s *server) patch(path string, in any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return s.call(http.MethodPatch, path, bytes.NewReader(body), nil)
}

// createTenant makes a tenant with the given quiet period.
func (s *server) createTenant(slug string, quiet float64) error {
	return s.post("/etl/tenants", api.TenantCreate{Slug: slug, Name: slug, QuietPeriodSeconds: &quiet}, nil)
}

// upload sends a file over HTTP.
func (s *server) upload(tenant, name, file string) (api.Drop, error) {
	f, err := os.Open(file) //nolint:gosec // a path of our own
	if err != nil {
		return api.Drop{}, err
	}
	defer f.Close() //nolint:errcheck // read only
	var drop api.Drop
	err = s.call(http.MethodPut, "/etl/files/"+name+"?tenant="+tenant, f, &drop)
	return drop, err
}

// load uploads files and waits until the import they make is staged.
func (s *server) load(tenant string, files map[string]string) (api.ImportStatus, error) {
	var drop api.Drop
	for name, file := range files {
		var err error
		if drop, err = s.upload(tenant, name, file); err != nil {
			return api.ImportStatus{}, err
		}
	}
	deadline := time.Now().Add(importTimeout)
	for drop.RequestID == "" {
		if err := s.call(http.MethodGet, "/etl/drops/"+drop.ID+"?tenant="+tenant, nil, &drop); err != nil {
			return api.ImportStatus{}, err
		}
		if time.Now().After(deadline) {
			return api.ImportStatus{}, fmt.Errorf("%s was never imported", drop.ID)
		}
		time.Sleep(50 * time.Millisecond)
	}
	return s.wait(drop.RequestID, "staged")
}

// wait waits until the import is in the wanted state, and fails if it ends in another.
func (s *server) wait(id, want string) (api.ImportStatus, error) {
	deadline := time.Now().Add(importTimeout)
	for {
		var status api.ImportStatus
		if err := s.call(http.MethodGet, "/etl/import-status/"+id, nil, &status); err != nil {
			return status, err
		}
		switch status.State {
		case want:
			return status, nil
		case "rejected", "failed", "cancelled", "unmapped":
			if len(status.FirstErrors) > 0 {
				return status, fmt.Errorf("import %s is %s: %s: %+v", id, status.State, status.Error, status.FirstErrors[0])
			}
			return status, fmt.Errorf("import %s is %s: %s", id, status.State, status.Error)
		}
		if time.Now().After(deadline) {
			return status, fmt.Errorf("import %s is still %s", id, status.State)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// promote promotes a staged import and waits for it.
func (s *server) promote(id string) (api.ImportStatus, error) {
	if err := s.post("/etl/promote-to-production", api.PromoteRequest{RequestID: id}, nil); err != nil {
		return api.ImportStatus{}, err
	}
	return s.wait(id, "promoted")
}

func (s *server) db(ctx context.Context) (*pgx.Conn, error) {
	return pgx.Connect(ctx, s.stack.DatabaseURL())
}

// cpuSeconds is what the process has used, its children not counted.
func cpuSeconds(pid int) (float64, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, err1 := strconv.ParseFloat(fields[11], 64)
	system, err2 := strconv.ParseFloat(fields[12], 64)
	return (user + system) / clockTicks, errors.Join(err1, err2)
}

// peakMemory is the process's largest resident set so far, in bytes.
func peakMemory(pid int) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib * 1024, err
		}
	}
	return 0, errors.New("no VmHWM")
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
