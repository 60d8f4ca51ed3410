//go:build linux

package devstack_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"dropline/internal/devstack"
)

// helperArg makes the test binary a program that runs a stack on the directory that follows, until it is killed.
const helperArg = "devstack-helper"

func TestMain(m *testing.M) {
	if devstack.RunChild() {
		return
	}
	if len(os.Args) == 3 && os.Args[1] == helperArg {
		if err := helper(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

type helperSays struct {
	URL   string
	S3    devstack.S3Info
	PG    int
	Child int
}

func helper(dir string) error {
	stack, err := devstack.Start(context.Background(), devstack.Config{DataDir: dir})
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(helperSays{stack.DatabaseURL(), stack.S3(), stack.PostgresPID(), stack.S3PID()}); err != nil {
		return err
	}
	// Until the test closes our input, or kills us.
	_, _ = io.Copy(io.Discard, os.Stdin)
	return stack.Stop(context.Background())
}

// startHelper runs a stack in a process of its own.
func startHelper(t *testing.T, dir string, as *syscall.Credential) (*exec.Cmd, helperSays, io.Closer) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", helperArg, dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	var says helperSays
	if err == nil {
		err = json.Unmarshal(line, &says)
	}
	if err != nil {
		_ = cmd.Wait()
		t.Fatalf("the helper did not start: %v: %s", err, stderr.String())
	}
	return cmd, says, stdin
}

// TestKilledProgram kills a program that runs a stack outright, and starts another at once.
func TestKilledProgram(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for round := range 3 {
		cmd, says, _ := startHelper(t, dir, nil)
		if round == 0 {
			execute(t, says.URL, "create table t (x int)")
		}
		execute(t, says.URL, fmt.Sprintf("insert into t values (%d)", round))
		put(t, says.S3, fmt.Sprint("k", round), "x")
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			// The servers go by themselves, PostgreSQL cleanly.
			eventually(t, "the servers are gone", func() bool { return gone(says.PG) && gone(says.Child) })
			state := clusterState(t, filepath.Join(dir, "postgres", "data"))
			if state != "shut down" {
				t.Errorf("the cluster was left %q", state)
			}
		}
		_ = cmd.Wait() // it was killed
	}
	_, says, stdin := startHelper(t, dir, nil)
	if n := query[int](t, says.URL, "select count(*) from t"); n != 3 {
		t.Errorf("%d rows of 3", n)
	}
	for round := range 3 {
		if got := get(t, says.S3, fmt.Sprint("k", round)); got != "x" {
			t.Errorf("object %d: %q", round, got)
		}
	}
	if err := stdin.Close(); err != nil {
		t.Error(err)
	}
	eventually(t, "it stops", func() bool { return gone(says.PG) && gone(says.Child) })
}

func gone(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(raw), ") Z ")
}

func clusterState(t *testing.T, dataDir string) string {
	t.Helper()
	bins, err := filepath.Glob("/usr/lib/postgresql/*/bin/pg_controldata")
	if err != nil || len(bins) == 0 {
		t.Fatalf("no pg_controldata: %v", err)
	}
	out, err := exec.Command(bins[len(bins)-1], dataDir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if value, ok := strings.CutPrefix(line, "Database cluster state:"); ok {
			return strings.TrimSpace(value)
		}
	}
	t.Fatalf("no state in %s", out)
	return ""
}

// TestOrdinaryUser runs the whole stack as somebody who is not root.
func TestOrdinaryUser(t *testing.T) {
	t.Parallel()
	var as *syscall.Credential
	dir := t.TempDir()
	if os.Geteuid() == 0 {
		as = &syscall.Credential{Uid: 65534, Gid: 65534}
		top := filepath.Dir(dir)
		for path, mode := range map[string]os.FileMode{top: 0o755, dir: 0o700} {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chown(dir, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	_, says, stdin := startHelper(t, dir, as)
	execute(t, says.URL, "create table t as select 1 as x")
	put(t, says.S3, "a", "hello")
	if got := get(t, says.S3, "a"); got != "hello" {
		t.Errorf("read %q", got)
	}
	if err := stdin.Close(); err != nil {
		t.Error(err)
	}
	eventually(t, "it stops", func() bool { return gone(says.PG) && gone(says.Child) })
	if state := clusterState(t, filepath.Join(dir, "postgres", "data")); state != "shut down" {
		t.Errorf("the cluster was left %q", state)
	}
}
