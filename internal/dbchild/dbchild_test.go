//go:build linux

package dbchild_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/ingest/mssql"
	"dropline/internal/dbchild"
	"dropline/internal/tdstest"
)

// helperArg makes the test binary a program that starts a process, says its number and waits to be killed.
const helperArg = "dbchild-helper"

func TestMain(m *testing.M) {
	if dbchild.RunChild() {
		return
	}
	if len(os.Args) == 2 && os.Args[1] == helperArg {
		p, err := new(dbchild.Starter).Start(context.Background())
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(pid(p))
		_, _ = io.Copy(io.Discard, os.Stdin)
		return
	}
	os.Exit(m.Run())
}

func pid(p mssql.Process) int { return p.(interface{ PID() int }).PID() }

func start(t *testing.T, s *dbchild.Starter) mssql.Process {
	t.Helper()
	p, err := s.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

// proc reads a file about a process. What the process does to itself it has done by the time that it takes a connection.
func proc(t *testing.T, pid int, name string) string {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func gone(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(raw), ") Z ")
}

func eventually(t *testing.T, what string, within time.Duration, is func() bool) {
	t.Helper()
	for until := time.Now().Add(within); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("not within %s: %s", within, what)
		}
	}
}

func TestAProcessHasLittle(t *testing.T) {
	t.Parallel()
	given := map[string]string{"TZ": "Europe/Vienna", "SSL_CERT_DIR": "/roots", "AWS_SECRET_ACCESS_KEY": "secret", "DROPLINE_DATABASE_URL": "secret", "PATH": "/bin"}
	p := start(t, &dbchild.Starter{Memory: 512 << 20, Lookup: func(name string) (string, bool) {
		v, ok := given[name]
		return v, ok
	}})
	conn, err := p.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// The answer shows that it is past its beginnings.
	if _, err := io.WriteString(conn, "POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "404") {
		t.Fatalf("%q, %v", line, err)
	}
	env := strings.Split(strings.TrimSuffix(proc(t, pid(p), "environ"), "\x00"), "\x00")
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		if name != "TZ" && name != "SSL_CERT_DIR" && name != "GOMEMLIMIT" && name != "GOTRACEBACK" {
			t.Errorf("it is given %s", name)
		}
	}
	if len(env) != 4 {
		t.Errorf("it is given %q", env)
	}
	if args := proc(t, pid(p), "cmdline"); args != "dropline\x00__read-database\x00536870912\x00" {
		t.Errorf("arguments %q", args)
	}
	status := proc(t, pid(p), "status")
	if !strings.Contains(status, "NoNewPrivs:\t1") {
		t.Errorf("it may gain privileges")
	}
	limits := proc(t, pid(p), "limits")
	for _, want := range []string{"Max data size 536870912 536870912", "Max core file size 0 0", "Max file size 0 0", "Max open files 256 256"} {
		if !strings.Contains(strings.Join(strings.Fields(limits), " "), want) {
			t.Errorf("not %s:\n%s", want, limits)
		}
	}
	if score := strings.TrimSpace(proc(t, pid(p), "oom_score_adj")); score != "800" {
		t.Errorf("the kernel's score is %s", score)
	}
	if group, err := syscall.Getpgid(pid(p)); err != nil || group != pid(p) {
		t.Errorf("its group is %d, %v", group, err)
	}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid(p)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		to, _ := os.Readlink(filepath.Join(fmt.Sprintf("/proc/%d/fd", pid(p)), f.Name()))
		if !strings.HasPrefix(to, "socket:") && !strings.HasPrefix(to, "pipe:") && !strings.HasPrefix(to, "anon_inode:") && to != "/dev/null" &&
			!strings.HasPrefix(to, "/sys/fs/cgroup") && !strings.HasPrefix(to, "/proc/") {
			t.Errorf("it has %s open", to)
		}
	}
}

func TestAKilledProgramTakesItsProcessesAlong(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(cmd *exec.Cmd, stdin io.Closer) error{
		"killed":          func(cmd *exec.Cmd, _ io.Closer) error { return cmd.Process.Kill() },
		"without a word":  func(_ *exec.Cmd, stdin io.Closer) error { return stdin.Close() },
		"by another word": func(cmd *exec.Cmd, _ io.Closer) error { return cmd.Process.Signal(syscall.SIGTERM) },
	} {
		cmd := exec.Command("/proc/self/exe", helperArg)
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(stdout).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		child, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil || gone(child) {
			t.Fatalf("the process %d: %v", child, err)
		}
		if err := end(cmd, stdin); err != nil {
			t.Error(err)
		}
		eventually(t, name+": its process ends", 2*time.Second, func() bool { return gone(child) })
		_ = cmd.Wait() // it was killed
	}
}

// TestNothingIsLeftBehind opens and closes many. It is not parallel, as it counts.
func TestNothingIsLeftBehind(t *testing.T) {
	server := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{{
		Name: "T", Columns: []tdstest.Column{{Name: "id", Type: "int"}}, Rows: [][]any{{1}},
	}}})
	policy, err := mssql.ParsePolicy("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	cfg := mssql.Config{Policy: policy, RootCAs: server.CAPEM()}
	var s dbchild.Starter
	var pids []int
	round := func(crash bool) {
		var last mssql.Process
		r, err := mssql.OpenRemote(t.Context(), func(ctx context.Context) (mssql.Process, error) {
			p, err := s.Start(ctx)
			if err == nil {
				last = p
				pids = append(pids, pid(p))
			}
			return p, err
		}, server.ConnectionString(), cfg, mssql.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if res, err := r.Read(t.Context(), mssql.Part{Schema: "dbo", Name: "T"}, io.Discard, nil); err != nil || res.Rows != 1 {
			t.Fatalf("%d rows, %v", res.Rows, err)
		}
		if crash {
			if err := syscall.Kill(pid(last), syscall.SIGABRT); err != nil {
				t.Fatal(err)
			}
			<-last.Ended()
			if _, err := r.Survey(t.Context()); !mssql.IsLost(err) {
				t.Errorf("%v", err)
			}
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	count := func(what string) int {
		entries, err := os.ReadDir("/proc/self/" + what)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	round(false)
	files, threads := count("fd"), count("task")
	began := time.Now()
	for i := range 50 {
		round(i%10 == 9)
	}
	t.Logf("%s each", time.Since(began)/50)
	eventually(t, "its sockets are closed", 5*time.Second, func() bool { return count("fd") <= files })
	eventually(t, "its threads end", 5*time.Second, func() bool { return count("task") <= threads+20 })
	for _, pid := range pids {
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); err == nil {
			t.Errorf("the process %d is there", pid)
		}
	}
}

func TestNoMoreProcessesThanMay(t *testing.T) {
	t.Parallel()
	s := &dbchild.Starter{Most: 2}
	first := start(t, s)
	start(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Start(ctx); err == nil || ctx.Err() == nil {
		t.Errorf("a third is started: %v", err)
	}
	first.Kill()
	if why, _ := first.Why(); !strings.Contains(why, "signal killed") {
		t.Errorf("it ended as %q", why)
	}
	start(t, s)
}

// TestStartedByHand is who types the argument.
func TestStartedByHand(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"__read-database", "1000000000"}, {"__read-database", "x"}, {"__read-database", "1"}} {
		out, err := exec.Command("/proc/self/exe", args...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "dropline starts this by itself") {
			t.Errorf("%q: %v, %s", args, err, out)
		}
	}
}

// TestADeadProcessTakesNoConnection is dialled in vain, and without waiting.
func TestADeadProcessTakesNoConnection(t *testing.T) {
	t.Parallel()
	p := start(t, new(dbchild.Starter))
	p.Kill()
	if conn, err := p.Dial(t.Context()); err == nil {
		conn.Close()
		t.Error("a dead process is connected to")
	}
	stopped := start(t, new(dbchild.Starter))
	if err := syscall.Kill(pid(stopped), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	stopped.Kill()
	_, err := mssql.OpenRemote(t.Context(), func(context.Context) (mssql.Process, error) { return stopped, nil },
		"Server=db.example;Database=d;User Id=u;Password=p-of-test", mssql.Config{}, mssql.Options{})
	if ingest.KindOf(err) != ingest.Unavailable {
		t.Errorf("%v", err)
	}
}
