//go:build linux

package main_test

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"dropline/api"
	"dropline/internal/devstack"
	"dropline/internal/devstack/devtest"

	"github.com/google/go-cmp/cmp"
)

// exportDir writes a sample export with some spoiled rows.
func exportDir(t *testing.T) string {
	t.Helper()
	binary, err := build()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "export")
	if out, err := exec.Command(binary, "sample", dir, "--rows", "WorkItem=8000", "--seed", "7", "--errors", "9").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dir
}

// newInstanceOn is newInstance on servers that the test may kill.
func newInstanceOn(t *testing.T, stack *devstack.Stack) *instance {
	t.Helper()
	binary, err := build()
	if err != nil {
		t.Fatal(err)
	}
	s3 := stack.S3()
	i := &instance{t: t, binary: binary, database: stack.DatabaseURL(), data: t.TempDir()}
	i.env = environment(i.database, devtest.S3Server{
		Endpoint: s3.Endpoint, Region: s3.Region, AccessKey: s3.AccessKey, SecretKey: s3.SecretKey, Bucket: s3.Bucket,
	})
	t.Cleanup(i.kill)
	i.start()
	i.signIn()
	return i
}

// awaitBusy waits until the tenant's import is being worked on.
func (i *instance) awaitBusy() {
	i.t.Helper()
	deadline := time.Now().Add(settleWithin)
	for time.Now().Before(deadline) {
		var page api.ImportPage
		if i.call(http.MethodGet, "/etl/imports?tenant=acme", nil, &page) == http.StatusOK && len(page.Items) > 0 {
			if page.Items[0].State != "queued" {
				return
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	i.t.Fatal("the import was never taken up")
}

func killProcess(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// TestServersKilledInTheMiddle kills S3 while an import is loaded, PostgreSQL while another is, and PostgreSQL once more
// while that one stands staged. Nothing is failed for it, nothing is lost, and the rows are those of a calm run.
func TestServersKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	dir := exportDir(t)
	calm := newInstance(t)
	calm.send(dir)
	calm.promote(calm.await("staged").RequestID)
	want := calm.outcomeOf(calm.await("promoted"))
	calm.kill()

	for name, kill := range map[string]func(*testing.T, *devstack.Stack){
		"S3":         func(t *testing.T, s *devstack.Stack) { killProcess(t, s.S3PID()) },
		"PostgreSQL": func(t *testing.T, s *devstack.Stack) { killProcess(t, s.PostgresPID()) },
	} {
		t.Run(name, func(t *testing.T) {
			stack := devtest.Stack(t)
			i := newInstanceOn(t, stack)
			i.send(dir)
			i.awaitBusy()
			kill(t, stack)
			status := i.await("staged")

			kill(t, stack)
			var rows api.RowPage
			i.eventually("the staged rows can be looked at", func() bool {
				return i.call(http.MethodGet, "/etl/imports/"+status.RequestID+"/rows?table=WorkItem&limit=5", nil, &rows) == http.StatusOK
			})
			if len(rows.Items) != 5 {
				t.Errorf("%d rows after the crash", len(rows.Items))
			}
			i.eventually("the promotion is accepted", func() bool { return i.tryPromote(status.RequestID) == http.StatusAccepted })
			if diff := cmp.Diff(want, i.outcomeOf(i.await("promoted"))); diff != "" {
				t.Errorf("it ended otherwise (-calm +killed):\n%s", diff)
			}
			i.kill()
		})
	}
}

func (i *instance) eventually(what string, ok func() bool) {
	i.t.Helper()
	deadline := time.Now().Add(settleWithin)
	for !ok() {
		if time.Now().After(deadline) {
			i.t.Fatalf("never: %s", what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
