package sftpd_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dropline/ingest"

	"golang.org/x/crypto/ssh"
)

func (r *rig) port() string {
	_, port, _ := net.SplitHostPort(r.address)
	return port
}

// putty runs one of PuTTY's programs, which signs in as acme by password.
func (r *rig) putty(program string, args ...string) (string, error) {
	r.t.Helper()
	var fingerprint string
	c, err := ssh.Dial("tcp", r.address, &ssh.ClientConfig{
		User: string(acme), Auth: []ssh.AuthMethod{ssh.Password(password)},
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			fingerprint = ssh.FingerprintSHA256(key)
			return nil
		},
	})
	check(r.t, err)
	check(r.t, c.Close())
	cmd := r.command(program, append([]string{"-P", r.port(), "-pw", password, "-batch", "-hostkey", fingerprint}, args...)...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestPSFTP(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	check(t, os.MkdirAll(filepath.Join(r.dir, "export/sub"), 0o700))
	a, b := r.file("export/A.csv", 300_000), r.file("export/sub/B.csv", 5)
	r.file("empty.csv", 0)
	resumed := r.file("resumed.csv", 200_000)
	r.store(ingest.EntryPartial, "/inbox/resumed.csv", resumed[:70_001])
	check(t, os.WriteFile(filepath.Join(r.dir, "batch"), []byte(`put export/A.csv A.csv.filepart
mv A.csv.filepart A.csv
cd /inbox
put -r export
put empty.csv
reput resumed.csv
ls export
chmod 600 A.csv
get A.csv a
reget A.csv a
get -r export back
mkdir sub
mv A.csv sub
mv sub/A.csv C.csv
rmdir sub
del empty.csv
`), 0o600))
	out, err := r.putty("psftp", "-b", "batch", string(acme)+"@127.0.0.1")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !bytes.Equal(r.read("a"), a) || !bytes.Equal(r.read("back/A.csv"), a) || !bytes.Equal(r.read("back/sub/B.csv"), b) {
		t.Error("the bytes that came back differ")
	}
	if got, _ := r.stored("/inbox/resumed.csv"); !bytes.Equal(got, resumed) {
		t.Error("the bytes that were resumed differ")
	}
	if got, _ := r.stored("/inbox/C.csv"); !bytes.Equal(got, a) {
		t.Error("the bytes that were renamed differ")
	}
}

func TestPSCP(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	data := r.file("A.csv", 100_000)
	if out, err := r.putty("pscp", "-p", "A.csv", "acme@127.0.0.1:/inbox/"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := r.putty("pscp", "acme@127.0.0.1:/inbox/A.csv", "back"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !bytes.Equal(r.only("/inbox/A.csv"), data) || !bytes.Equal(r.read("back"), data) {
		t.Error("the bytes differ")
	}
	if out, err := r.putty("pscp", "-scp", "A.csv", "acme@127.0.0.1:B.csv"); err == nil || !strings.Contains(out, "old scp protocol") {
		t.Errorf("the old protocol: %v\n%s", err, out)
	}
}

// rclone runs rclone, for which acme: is the server.
func (r *rig) rclone(args ...string) string {
	r.t.Helper()
	cmd := r.command("rclone", append([]string{"--config", filepath.Join(r.dir, "none"), "--retries", "1", "--low-level-retries", "1"}, args...)...)
	cmd.Env = append(cmd.Env, "RCLONE_CONFIG_ACME_TYPE=sftp", "RCLONE_CONFIG_ACME_HOST=127.0.0.1", "RCLONE_CONFIG_ACME_PORT="+r.port(),
		"RCLONE_CONFIG_ACME_USER="+string(acme), "RCLONE_CONFIG_ACME_KEY_FILE="+filepath.Join(r.dir, "id"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("rclone %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestRclone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	check(t, os.MkdirAll(filepath.Join(r.dir, "export/sub"), 0o700))
	a, b := r.file("export/A.csv", 3_000_000), r.file("export/sub/B.csv", 1000)
	r.file("export/empty.csv", 0)
	r.rclone("copy", "export", "acme:inbox/export")
	r.rclone("check", "export", "acme:inbox/export") // by checksums, which it gets by exec
	r.rclone("sync", "export", "acme:inbox/export")
	if n := len(r.ledger.registered()); n != 3 {
		t.Errorf("%d drops of 3 files: what has not changed was sent again", n)
	}
	if out := r.rclone("md5sum", "acme:inbox/export/sub"); !strings.Contains(out, fmt.Sprintf("%x", md5.Sum(b))) {
		t.Errorf("md5sum: %s", out)
	}
	if out := r.rclone("sha1sum", "acme:inbox/export"); !strings.Contains(out, fmt.Sprintf("%x", sha1.Sum(a))) {
		t.Errorf("sha1sum: %s", out)
	}
	check(t, os.Remove(filepath.Join(r.dir, "export/sub/B.csv")))
	r.rclone("sync", "export", "acme:inbox/export")
	r.rclone("moveto", "acme:inbox/export/A.csv", "acme:inbox/new/C.csv")
	r.rclone("copyto", "acme:inbox/new/C.csv", "back")
	if !bytes.Equal(r.read("back"), a) {
		t.Error("the bytes differ")
	}
	r.rclone("purge", "acme:inbox/export")
	if out := r.rclone("lsf", "-R", "acme:inbox"); out != "new/\nnew/C.csv\n" {
		t.Errorf("what is left: %q", out)
	}
}

func TestParamiko(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	script, err := filepath.Abs("testdata/with_paramiko.py")
	check(t, err)
	// The system's Python, for which the package is installed: another may come first in the path.
	cmd := r.command("/usr/bin/python3", "-W", "ignore", script, r.port(), string(acme), password)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
