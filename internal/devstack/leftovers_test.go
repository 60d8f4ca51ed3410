//go:build linux

package devstack_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"dropline/internal/devstack"
)

// TestLeftoverInRecoveryIsNotWaitedFor: a postmaster that is told to shut down while it replays its log may never get to it. There
// is nothing to be gained by waiting: the next start replays the log too.
func TestLeftoverInRecoveryIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stop(t, start(t, devstack.Config{DataDir: dir, NoS3: true}))
	data := filepath.Join(dir, "postgres", "data")
	postmaster := pretend(t, data, "postgres")
	startup := pretend(t, data, "postgres: dropline: startup recovering 000000010000000000000001")
	if err := os.WriteFile(filepath.Join(data, "postmaster.pid"), fmt.Appendln(nil, postmaster), 0o644); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	start(t, devstack.Config{DataDir: dir, NoS3: true})
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
	if !gone(postmaster) || !gone(startup) {
		t.Error("they are still there")
	}
}

// pretend starts a process that looks like one of a server's on the cluster in data, and is deaf to SIGINT.
func pretend(t *testing.T, data, title string) int {
	t.Helper()
	sleep, err := os.ReadFile("/bin/sleep")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "postgres")
	if err := os.WriteFile(path, sleep, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "-c", `trap '' INT; exec -a "$1" "$2" 300`, "bash", title, path)
	cmd.Dir = data
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it is killed
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may be gone
		<-ended
	})
	eventually(t, "it has its name", func() bool {
		comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", cmd.Process.Pid))
		return err == nil && string(comm) == "postgres\n"
	})
	return cmd.Process.Pid
}
