//go:build linux

package devstack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	s3Region = "us-east-1"
	// s3ChildArg as the first argument makes RunChild become the S3 server.
	s3ChildArg = "__devstack-s3"
	// s3HealthPath answers 200 once the server accepts requests. It is no bucket's name: those have no leading dot.
	s3HealthPath = "/.devstack-health"
)

// s3Order is what the S3 child is told on its standard input; never by its arguments or environment, which others
// could read.
type s3Order struct {
	Port      int    `json:"port"`
	Buckets   string `json:"buckets"` // directory of the objects
	Meta      string `json:"meta"`    // directory of what does not fit in extended attributes
	Bucket    string `json:"bucket"`
	AccessKey string `json:"accessKey"`
	SecretKey string `json:"secretKey"`
	Ephemeral bool   `json:"ephemeral"`
}

// s3Server is the supervised S3 server.
type s3Server struct {
	*child
	cfg     *Config
	secrets *secrets
	log     *serverLog
}

func startS3(ctx context.Context, cfg *Config, sec *secrets) (*s3Server, error) {
	s := &s3Server{cfg: cfg, secrets: sec}
	for _, dir := range []string{s.order().Buckets, s.order().Meta} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, &Error{Op: "devstack: making " + dir, Err: err, Hint: diskHint(err)}
		}
	}
	if err := os.Chmod(filepath.Join(cfg.DataDir, "s3"), 0o700); err != nil {
		return nil, &Error{Op: "devstack: making the S3 server's directory private", Err: err, Hint: diskHint(err)}
	}
	if err := sec.choosePort(cfg.DataDir, &sec.S3Port); err != nil {
		return nil, err
	}
	var err error
	if s.log, err = openLog(filepath.Join(cfg.DataDir, "log", "s3.log")); err != nil {
		return nil, err
	}
	s.child = &child{
		name: "the S3 server", log: cfg.Logger, prepare: s.prepare, lastWords: s.log.lastWords,
		gentle: syscall.SIGTERM, harsh: syscall.SIGKILL,
	}
	s.run()
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.StartTimeout, errors.New("it did not answer in time"))
	defer cancel()
	if err := s.await(ctx, 10*time.Millisecond, s.ready); err != nil {
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), defaultStopTimeout)
		defer cancel()
		return nil, errors.Join(err, s.stop(stopCtx))
	}
	cfg.Logger.Info("the S3 server is up", "port", sec.S3Port, "pid", s.pid())
	return s, nil
}

func (s *s3Server) order() s3Order {
	dir := filepath.Join(s.cfg.DataDir, "s3")
	return s3Order{
		Port: s.secrets.S3Port, Buckets: filepath.Join(dir, "buckets"), Meta: filepath.Join(dir, "meta"),
		Bucket: s.cfg.Bucket, AccessKey: s.secrets.S3AccessKey, SecretKey: s.secrets.S3SecretKey, Ephemeral: s.cfg.Ephemeral,
	}
}

// prepare describes the next start, always on the same port: clients keep the one they know.
func (s *s3Server) prepare(context.Context) (*exec.Cmd, error) {
	order, err := json.Marshal(s.order())
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(s.cfg.S3Command[0], append(s.cfg.S3Command[1:len(s.cfg.S3Command):len(s.cfg.S3Command)], s3ChildArg)...) //nolint:noctx // it is ended by signals, gently first
	cmd.Dir = s.cfg.DataDir
	cmd.Env = []string{"PATH=/usr/bin:/bin", "TZ=UTC"}
	cmd.Stdin = bytes.NewReader(order)
	cmd.Stdout, cmd.Stderr = s.log.f, s.log.f
	// Killed with its parent: what it acknowledged is on disk, and the next one finds the port free at once.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	s.log.mark()
	return cmd, nil
}

func (s *s3Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d%s", s.order().Port, s3HealthPath), nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Server") != s3ServerHeader {
		return fmt.Errorf("something else answers on port %d: status %d", s.order().Port, resp.StatusCode)
	}
	return nil
}

func (s *s3Server) stop(ctx context.Context) error {
	return errors.Join(s.child.stop(ctx), s.log.close())
}

func (s *s3Server) pid() int {
	if s == nil {
		return 0
	}
	return s.child.pid()
}
