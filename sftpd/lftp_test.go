package sftpd_test

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dropline/ingest"
)

// lftp runs commands with lftp, signed in as acme with the key.
func (r *rig) lftp(commands string) (string, error) {
	_, port, _ := net.SplitHostPort(r.address)
	connect := "ssh -a -x -F /dev/null -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o IdentitiesOnly=yes -i " + filepath.Join(r.dir, "id")
	script := "set cmd:fail-exit true\nset net:max-retries 1\nset net:timeout 20\nset sftp:connect-program \"" + connect + "\"\nopen -p " + port + " sftp://acme:@127.0.0.1\n" + commands
	check(r.t, os.WriteFile(filepath.Join(r.dir, "script"), []byte(script), 0o600))
	out, err := r.command("lftp", "-f", "script").CombinedOutput()
	return string(out), err
}

func TestLFTP(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	data := r.file("A.csv", 3<<20+5)
	out, err := r.lftp("cd /inbox\nput A.csv\nls\nget A.csv -o back\nmv A.csv B.csv\ncat B.csv > cat\nrm B.csv\nmkdir sub\nrmdir sub\nchmod 600 /inbox\n")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !bytes.Equal(r.only("/inbox/A.csv"), data) || !bytes.Equal(r.read("back"), data) || !bytes.Equal(r.read("cat"), data) {
		t.Error("the bytes differ")
	}
	if _, err := r.ledger.Stat(t.Context(), acme, "/inbox/B.csv"); ingest.KindOf(err) != ingest.NotFound {
		t.Errorf("not removed: %v", err)
	}
}

func TestLFTPResumes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	data := r.file("A.csv", 1<<20)
	r.store(ingest.EntryPartial, "/inbox/A.csv", data[:300_003])
	if out, err := r.lftp("put -c A.csv -o /inbox/A.csv\n"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !bytes.Equal(r.only("/inbox/A.csv"), data) {
		t.Error("the bytes differ")
	}
}

func TestLFTPTemporaryNames(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.store(ingest.EntryDrop, "/inbox/A.csv", []byte("old"))
	data := r.file("A.csv", 100_000)
	if out, err := r.lftp("set xfer:use-temp-file true\nput A.csv -o /inbox/A.csv\n"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !bytes.Equal(r.only("/inbox/A.csv"), data) { // once: by the rename
		t.Error("the bytes differ")
	}
}

func TestLFTPMirror(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	check(t, os.MkdirAll(filepath.Join(r.dir, "export/sub"), 0o700))
	a, b := r.file("export/A.csv", 50_000), r.file("export/sub/B.csv", 7)
	for range 2 { // the second time there is nothing to send
		if out, err := r.lftp("mirror -R export /inbox/export\n"); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	if out, err := r.lftp("mirror /inbox/export back\nrm -r /inbox/export\n"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !bytes.Equal(r.read("back/A.csv"), a) || !bytes.Equal(r.read("back/sub/B.csv"), b) {
		t.Error("the bytes differ")
	}
	if n := len(r.ledger.registered()); n != 2 {
		t.Errorf("%d drops, want 2", n)
	}
}

func TestLFTPShowsWhyAnUploadIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.ledger.mu.Lock()
	r.ledger.quota = 50_000
	r.ledger.mu.Unlock()
	r.file("A.csv", 100_000)
	out, err := r.lftp("put A.csv -o /inbox/A.csv\n")
	if err == nil || !strings.Contains(out, "the quota of 50000 bytes is used up") {
		t.Errorf("%v\n%s", err, out)
	}
}
