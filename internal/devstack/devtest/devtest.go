//go:build linux

// Package devtest gives tests a real PostgreSQL and real S3 servers, with nothing to set up: call Postgres, S3 or
// FakeS3 in a test and use what they return. The servers are started once per test binary, each test gets a database
// or bucket of its own, and nothing stays behind. What is missing on the machine fails the test, never skips it.
package devtest

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/jackc/pgx/v5"
	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"
	"golang.org/x/sys/unix"

	"dropline/internal/devstack"
)

// S3Server is an S3 server with an empty bucket: plain HTTP on loopback, path-style addresses.
type S3Server struct {
	Endpoint, Region, AccessKey, SecretKey, Bucket string
}

// startTimeout bounds a server's start on a machine whose cores all run tests.
const startTimeout = 2 * time.Minute

// Postgres is a connection string to a new, empty database, whose role may create schemas, roles and databases. It is
// dropped when the test ends. The server has fsync off.
func Postgres(t testing.TB) string {
	t.Helper()
	base := shared.postgres(t).DatabaseURL()
	name := fmt.Sprintf("t%d_%d", os.Getpid(), shared.serial.Add(1))
	execSQL(t, base, "create database "+name)
	t.Cleanup(func() { execSQL(t, base, "drop database if exists "+name+" with (force)") })
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal("devtest: the server's address does not parse")
	}
	u.Path = "/" + name
	return u.String()
}

func execSQL(t testing.TB, dsn, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err == nil {
		_, err = conn.Exec(ctx, sql)
		err = errors.Join(err, conn.Close(ctx))
	}
	if err != nil {
		t.Fatalf("devtest: %s: %v", sql, err)
	}
}

// S3 is a new bucket on the S3 server that dropline embeds, emptied and removed when the test ends.
func S3(t testing.TB) S3Server {
	t.Helper()
	stack := shared.s3(t)
	server := S3Server(stack.S3())
	server.Bucket = newBucket(t, server)
	t.Cleanup(func() {
		if err := os.RemoveAll(filepath.Join(shared.s3Dir, "s3", "buckets", server.Bucket)); err != nil {
			t.Errorf("devtest: removing the bucket: %v", err)
		}
	})
	return server
}

// FakeS3 is a new bucket on another implementation of S3, within this process and in memory; it checks no signatures.
func FakeS3(t testing.TB) S3Server {
	t.Helper()
	web := httptest.NewServer(gofakes3.New(s3mem.New()).Server())
	t.Cleanup(web.Close)
	server := S3Server{Endpoint: web.URL, Region: "us-east-1", AccessKey: "fake", SecretKey: "fakefake"}
	server.Bucket = newBucket(t, server)
	return server
}

func newBucket(t testing.TB, server S3Server) string {
	t.Helper()
	name := fmt.Sprintf("t%d-%d", os.Getpid(), shared.serial.Add(1))
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if _, err := server.Client().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(name)}); err != nil {
		t.Fatalf("devtest: creating a bucket: %v", err)
	}
	return name
}

// Client is an SDK client for the server, to look at what the code under test did.
func (s S3Server) Client() *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(s.Endpoint), Region: s.Region, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""),
	})
}

// Stack is a PostgreSQL and an S3 server of the test's own, to kill and restart at will. They are stopped when the test
// ends. Without fsync, as Postgres.
func Stack(t testing.TB) *devstack.Stack {
	t.Helper()
	return StackIn(t, t.TempDir())
}

// StackIn is Stack on a given data directory, which is kept: stop the stack and start another on it to see what lasts.
func StackIn(t testing.TB, dir string) *devstack.Stack {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	stack, err := devstack.Start(ctx, devstack.Config{DataDir: dir, Ephemeral: true, S3Command: []string{S3Command(t)}})
	if err != nil {
		fatal(t, err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		if err := stack.Stop(ctx); err != nil {
			t.Errorf("devtest: stopping: %v", err)
		}
	})
	return stack
}

// S3Command is a program to give to devstack.Config as S3Command in a test, built at the first call. The test binary
// itself will not do: it has no main that calls RunChild, and may be slowed down by the race detector.
func S3Command(t testing.TB) string {
	t.Helper()
	path, err := shared.command()
	if err != nil {
		fatal(t, err)
	}
	return path
}

func fatal(t testing.TB, err error) {
	t.Helper()
	t.Fatalf("devtest: %v\nrun `make deps` to install what the tests need", err)
}

// shared is what the tests of one binary have in common: it cannot be handed to them, as Go starts them one by one.
var shared sharedServers

type sharedServers struct {
	serial atomic.Int64

	commandOnce sync.Once
	commandPath string
	commandErr  error

	pgOnce sync.Once
	pg     *devstack.Stack
	pgErr  error

	s3Once sync.Once
	s3srv  *devstack.Stack
	s3Err  error
	s3Dir  string
}

func (s *sharedServers) postgres(t testing.TB) *devstack.Stack {
	t.Helper()
	s.pgOnce.Do(func() { s.pg, _, s.pgErr = startShared(devstack.Config{NoS3: true}) })
	if s.pgErr != nil {
		fatal(t, s.pgErr)
	}
	return s.pg
}

func (s *sharedServers) s3(t testing.TB) *devstack.Stack {
	t.Helper()
	command := S3Command(t)
	s.s3Once.Do(func() {
		s.s3srv, s.s3Dir, s.s3Err = startShared(devstack.Config{NoPostgres: true, S3Command: []string{command}})
	})
	if s.s3Err != nil {
		fatal(t, s.s3Err)
	}
	return s.s3srv
}

// startShared starts a stack that lives as long as this process, in a directory that goes away after it.
func startShared(cfg devstack.Config) (*devstack.Stack, string, error) {
	dir, err := os.MkdirTemp("", "dropline-devtest-")
	if err != nil {
		return nil, "", err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // PostgreSQL's own account passes through it
		return nil, "", err
	}
	if err := removeAfterUs(dir); err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	cfg.DataDir, cfg.Ephemeral = dir, true
	stack, err := devstack.Start(ctx, cfg)
	return stack, dir, err
}

// removeAfterUs leaves a shell behind that removes dir once this process has ended, in whatever way, and PostgreSQL,
// which the kernel then tells to shut down, has too.
func removeAfterUs(dir string) error {
	const script = `cat >/dev/null; i=0
while [ -e "$1/postgres/data/postmaster.pid" ] && [ $i -lt 300 ]; do sleep 0.1; i=$((i+1)); done
rm -rf "$1"`
	ours, theirs, err := pipe()
	if err != nil {
		return err
	}
	cmd := exec.Command("sh", "-c", script, "sh", dir)
	cmd.Stdin = theirs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // ^C must not reach it before us
	err = cmd.Start()
	keepOpen.Store(ours, nil)
	return errors.Join(err, theirs.Close())
}

// keepOpen holds the writing ends whose closing, by our end, starts the removal.
var keepOpen sync.Map

func pipe() (ours, theirs *os.File, err error) {
	theirs, ours, err = os.Pipe()
	return ours, theirs, err
}

// command builds the child's program, once for all test binaries: the go tool finds it up to date after the first.
func (s *sharedServers) command() (string, error) {
	s.commandOnce.Do(func() { s.commandPath, s.commandErr = buildCommand() })
	return s.commandPath, s.commandErr
}

func buildCommand() (string, error) {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("dropline-s3server-%d", os.Geteuid()))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", err
	}
	defer func() { _ = lock.Close() }()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "s3server")
	out, err := exec.Command("go", "build", "-o", path, "dropline/internal/devstack/devtest/s3server").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building the S3 server for tests: %w\n%s", err, strings.TrimSpace(string(out)))
	}
	return path, nil
}
