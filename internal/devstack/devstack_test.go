//go:build linux

package devstack_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"dropline/internal/devstack"
	"dropline/internal/devstack/devtest"
)

func start(t *testing.T, cfg devstack.Config) *devstack.Stack {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	stack, err := devstack.Start(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, stack) })
	return stack
}

func stop(t *testing.T, stack *devstack.Stack) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := stack.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func query[T any](t *testing.T, dsn, sql string, args ...any) T {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	var v T
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func execute(t *testing.T, dsn, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err == nil {
		_, err = conn.Exec(t.Context(), sql)
		err = errors.Join(err, conn.Close(t.Context()))
	}
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func answers(t *testing.T, dsn string) bool {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	return err == nil && conn.Close(t.Context()) == nil
}

func put(t *testing.T, info devstack.S3Info, key, body string) {
	t.Helper()
	_, err := devtest.S3Server(info).Client().PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: &info.Bucket, Key: &key, Body: strings.NewReader(body), Metadata: map[string]string{"k": "v"},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, info devstack.S3Info, key string) string {
	t.Helper()
	out, err := devtest.S3Server(info).Client().GetObject(t.Context(), &s3.GetObjectInput{Bucket: &info.Bucket, Key: aws.String(key)})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(out.Body)
	if err := errors.Join(err, out.Body.Close()); err != nil || out.Metadata["k"] != "v" {
		t.Fatalf("%v, metadata %v", err, out.Metadata)
	}
	return string(body)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

func TestDataOutlivesRestarts(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "not yet there")
	stack := start(t, devstack.Config{DataDir: dir, Bucket: "things"})
	execute(t, stack.DatabaseURL(), "create table t as select 42 as x")
	put(t, stack.S3(), "a/b", "hello")
	url, info := stack.DatabaseURL(), stack.S3()
	stop(t, stack)
	select {
	case <-stack.Done():
		if stack.Err() != nil {
			t.Errorf("a stop is no failure: %v", stack.Err())
		}
	default:
		t.Error("Done is open after Stop")
	}
	stack = start(t, devstack.Config{DataDir: dir, Bucket: "things"})
	if stack.DatabaseURL() != url || stack.S3() != info {
		t.Error("the addresses changed")
	}
	if x := query[int](t, url, "select x from t"); x != 42 {
		t.Errorf("read %d", x)
	}
	if got := get(t, info, "a/b"); got != "hello" {
		t.Errorf("read %q", got)
	}
	for setting, want := range map[string]string{
		"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "data_checksums": "on",
		"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "server_encoding": "UTF8", "TimeZone": "UTC", "max_wal_size": "4GB",
	} {
		if got := query[string](t, url, "select current_setting($1)", setting); got != want {
			t.Errorf("%s is %q, want %q", setting, got, want)
		}
	}
	if query[bool](t, url, "select rolsuper from pg_roles where rolname = current_user") {
		t.Error("the application's role is a superuser")
	}
}

func TestSecretsArePrivate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stack := start(t, devstack.Config{DataDir: dir})
	u, err := url.Parse(stack.DatabaseURL())
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	for what, path := range map[string]string{
		"secrets": "secrets.json", "cluster": "postgres/data", "objects": "s3", "postgres' log": "log/postgres.log", "S3's log": "log/s3.log",
	} {
		fi, err := os.Stat(filepath.Join(dir, path))
		if err != nil {
			t.Fatal(err)
		}
		if fi.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: mode %v", what, fi.Mode())
		}
	}
	// Nothing that other users can see of the processes tells a secret.
	for _, pid := range []int{stack.PostgresPID(), stack.S3PID()} {
		for _, file := range []string{"cmdline", "environ"} {
			raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(raw), password) || strings.Contains(string(raw), stack.S3().SecretKey) {
				t.Errorf("%s of process %d tells a secret", file, pid)
			}
		}
	}
	u.User = url.UserPassword("dropline", "wrong")
	if conn, err := pgx.Connect(t.Context(), u.String()); err == nil {
		_ = conn.Close(t.Context())
		t.Error("a wrong password is let in")
	}
	bad := devtest.S3Server(stack.S3())
	bad.SecretKey = "wrong"
	if _, err := bad.Client().ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bad.Bucket}); err == nil {
		t.Error("a wrong S3 key is let in")
	}
}

func TestOnlyLoopbackListens(t *testing.T) {
	t.Parallel()
	stack := devtest.Stack(t)
	u, err := url.Parse(stack.DatabaseURL())
	if err != nil {
		t.Fatal(err)
	}
	endpoint, err := url.Parse(stack.S3().Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	// 127.0.0.2 is this machine's too, whatever interfaces it has.
	hosts := []string{"127.0.0.2"}
	for _, a := range addrs {
		if ip, ok := a.(*net.IPNet); ok && !ip.IP.IsLoopback() {
			hosts = append(hosts, ip.IP.String())
		}
	}
	for _, port := range []string{u.Port(), endpoint.Port()} {
		for _, host := range hosts {
			if conn, err := net.DialTimeout("tcp", net.JoinHostPort(host, port), 5*time.Second); err == nil {
				_ = conn.Close()
				t.Errorf("%s answers on port %s", host, port)
			}
		}
	}
}

func TestKilledPostgresComesBack(t *testing.T) {
	t.Parallel()
	stack := start(t, devstack.Config{DataDir: t.TempDir(), NoS3: true})
	pool, err := pgxpool.New(t.Context(), stack.DatabaseURL())
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(t.Context(), "create table t (x int)"); err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		if _, err := pool.Exec(t.Context(), "insert into t values ($1)", round); err != nil {
			t.Fatal(err)
		}
		// A backend that is busy when its postmaster dies keeps the old shared memory in use.
		busy := make(chan struct{})
		go func() {
			defer close(busy)
			_, _ = pool.Exec(t.Context(), "do $$ declare i int := 0; begin while i < 2000000000 loop i := i + 1; end loop; end $$")
		}()
		eventually(t, "the busy query runs", func() bool {
			var n int
			err := pool.QueryRow(t.Context(), "select count(*) from pg_stat_activity where state = 'active' and query like 'do $$%'").Scan(&n)
			return err == nil && n > 0
		})
		old := stack.PostgresPID()
		if err := syscall.Kill(old, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		// An orphaned backend may still answer: only a new connection tells.
		eventually(t, "PostgreSQL is back", func() bool { return answers(t, stack.DatabaseURL()) && stack.PostgresPID() != old })
		<-busy
		eventually(t, "the pool has found it", func() bool {
			var n int
			return pool.QueryRow(t.Context(), "select count(*) from t").Scan(&n) == nil && n == round+1
		})
	}
}

func TestKilledS3ComesBack(t *testing.T) {
	t.Parallel()
	stack := start(t, devstack.Config{DataDir: t.TempDir(), NoPostgres: true})
	for round := range 3 {
		key := fmt.Sprint("k", round)
		put(t, stack.S3(), key, key)
		old := stack.S3PID()
		if err := syscall.Kill(old, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the S3 server is back", func() bool { pid := stack.S3PID(); return pid != 0 && pid != old })
		for i := range round + 1 {
			eventually(t, "it answers", func() bool {
				conn, err := net.Dial("tcp", strings.TrimPrefix(stack.S3().Endpoint, "http://"))
				return err == nil && conn.Close() == nil
			})
			if got := get(t, stack.S3(), fmt.Sprint("k", i)); got != fmt.Sprint("k", i) {
				t.Errorf("read %q", got)
			}
		}
	}
}

func TestSecondInstanceIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stack := devtest.StackIn(t, dir)
	other, err := devstack.Start(t.Context(), devstack.Config{DataDir: dir})
	if err == nil {
		stop(t, other)
	}
	if !errors.Is(err, devstack.ErrInUse) || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("second start: %v", err)
	}
	if query[int](t, stack.DatabaseURL(), "select 1") != 1 {
		t.Error("the first one suffered")
	}
}

// TestUnreachableHome keeps the data where PostgreSQL's own account may not go, as root's home is.
func TestUnreachableHome(t *testing.T) {
	t.Parallel()
	parent := filepath.Join(t.TempDir(), strings.Repeat("a long name ", 15)) // and over the limit of a socket's path
	if err := os.Mkdir(parent, 0o700); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(parent, "data")
	stack := start(t, devstack.Config{DataDir: dir, NoS3: true})
	execute(t, stack.DatabaseURL(), "create table t as select 1 as x")
	old := stack.PostgresPID()
	if err := syscall.Kill(old, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "PostgreSQL is back", func() bool { return answers(t, stack.DatabaseURL()) && stack.PostgresPID() != old })
	stop(t, stack)
	stack = start(t, devstack.Config{DataDir: dir, NoS3: true})
	if query[int](t, stack.DatabaseURL(), "select x from t") != 1 {
		t.Error("the row is lost")
	}
}

func TestTakenPortsAreReplaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stack := start(t, devstack.Config{DataDir: dir, Ephemeral: true})
	url, info := stack.DatabaseURL(), stack.S3()
	stop(t, stack)
	for _, address := range []string{info.Endpoint, url} {
		_, rest, _ := strings.Cut(address, "127.0.0.1:")
		port, _, _ := strings.Cut(rest, "/")
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
	}
	stack = start(t, devstack.Config{DataDir: dir, Ephemeral: true})
	if stack.DatabaseURL() == url || stack.S3().Endpoint == info.Endpoint {
		t.Error("a taken port was used")
	}
	if query[int](t, stack.DatabaseURL(), "select 1") != 1 {
		t.Error("PostgreSQL does not answer")
	}
}

func TestFaultyStartsSaySo(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	damaged, other, cut := t.TempDir(), t.TempDir(), t.TempDir()
	for path, content := range map[string]string{
		filepath.Join(damaged, "secrets.json"):                   "{",
		filepath.Join(other, "postgres", "data", "PG_VERSION"):   "9\n",
		filepath.Join(cut, "postgres", "data.new", "PG_VERSION"): "half made",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		cfg  devstack.Config
		want string
	}{
		"no directory":      {devstack.Config{}, "no data directory"},
		"nothing to start":  {devstack.Config{DataDir: t.TempDir(), NoPostgres: true, NoS3: true}, "nothing to start"},
		"a file":            {devstack.Config{DataDir: file}, "not a directory"},
		"no binaries":       {devstack.Config{DataDir: t.TempDir(), PostgresBin: t.TempDir()}, "make deps"},
		"damaged secrets":   {devstack.Config{DataDir: damaged}, "backup"},
		"another version":   {devstack.Config{DataDir: other}, "pg_upgrade"},
		"S3 does not start": {devstack.Config{DataDir: t.TempDir(), NoPostgres: true, S3Command: []string{"/bin/false"}}, "exit status 1"},
		"no S3 program":     {devstack.Config{DataDir: t.TempDir(), NoPostgres: true, S3Command: []string{"/nonexistent"}}, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stack, err := devstack.Start(t.Context(), test.cfg)
			if err == nil {
				stop(t, stack)
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want something with %q", err, test.want)
			}
		})
	}
	// A first start that was cut short is begun again.
	start(t, devstack.Config{DataDir: cut, NoS3: true, Ephemeral: true})
}

func TestStartCanBeCancelled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if stack, err := devstack.Start(ctx, devstack.Config{DataDir: dir}); err == nil {
		stop(t, stack)
		t.Error("a start within a tenth of a second: the test is too patient")
	}
	start(t, devstack.Config{DataDir: dir, NoS3: true})
}

// TestNoExtendedAttributes keeps objects on a file system that has none, where it can make one.
func TestNoExtendedAttributes(t *testing.T) {
	t.Parallel()
	disk := filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(disk, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("ramfs", disk, "ramfs", 0, ""); err != nil {
		t.Logf("no file system without extended attributes to be had here: %v", err)
		return
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, 0) })
	cfg := devstack.Config{DataDir: disk, NoPostgres: true}
	stack := start(t, cfg)
	put(t, stack.S3(), "a/b", "hello")
	put(t, stack.S3(), "a/b", "hello again")
	info := stack.S3()
	client := devtest.S3Server(info).Client()
	created, err := client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{
		Bucket: &info.Bucket, Key: aws.String("a/parts"), Metadata: map[string]string{"k": "v"},
	})
	if err != nil {
		t.Fatal(err)
	}
	part, err := client.UploadPart(t.Context(), &s3.UploadPartInput{
		Bucket: &info.Bucket, Key: aws.String("a/parts"), UploadId: created.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("part"),
	})
	if err != nil {
		t.Fatal(err)
	}
	stop(t, stack)
	stack = start(t, cfg)
	_, err = client.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: &info.Bucket, Key: aws.String("a/parts"), UploadId: created.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{
			PartNumber: aws.Int32(1), ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32,
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"a/b": "hello again", "a/parts": "part"} {
		if got := get(t, stack.S3(), key); got != want {
			t.Errorf("%s: %q", key, got)
		}
	}
}
