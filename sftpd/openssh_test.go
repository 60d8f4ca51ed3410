package sftpd_test

import (
	"bytes"
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dropline/ingest"
)

func TestOpenSSHPutGet(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	data := r.file("Matters.csv", 3<<20+17)
	r.mustSFTP("put Matters.csv /inbox/Matters.csv\nget /inbox/Matters.csv back.csv\n")
	if !bytes.Equal(r.only("/inbox/Matters.csv"), data) || !bytes.Equal(r.read("back.csv"), data) {
		t.Error("the bytes differ")
	}
	drop := r.ledger.registered()[0]
	if drop.SHA256 != sha256.Sum256(data) || drop.By != "key" || drop.Via != ingest.ViaSFTP || drop.Tenant != acme {
		t.Errorf("registered %+v", drop)
	}
}

func TestOpenSSHUploadIntoRootIsInbox(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	data := r.file("A.csv", 1000)
	out := r.mustSFTP("pwd\nput A.csv\nls -l A.csv\nls /\nls /inbox\nget A.csv back\n")
	if !bytes.Equal(r.only("/inbox/A.csv"), data) || !bytes.Equal(r.read("back"), data) {
		t.Error("the bytes differ")
	}
	for _, want := range []string{"Remote working directory: /\n", "/archive", "/inbox", "/reports", "/inbox/A.csv"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
}

func TestOpenSSHEmptyFile(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.file("empty.csv", 0)
	r.mustSFTP("put empty.csv /inbox/\nget /inbox/empty.csv back\n")
	if got := r.only("/inbox/empty.csv"); len(got) != 0 || len(r.read("back")) != 0 {
		t.Errorf("%d bytes", len(got))
	}
}

func TestOpenSSHFolders(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	data := r.file("A.csv", 5000)
	r.mustSFTP(`mkdir /inbox/daily
put A.csv /inbox/daily/A.csv
rename /inbox/daily/A.csv /inbox/B.csv
rmdir /inbox/daily
get /inbox/B.csv b
chmod 600 /inbox/B.csv
chown 1000 /inbox/B.csv
chgrp 1000 /inbox/B.csv
chmod 700 /inbox
rm /inbox/B.csv
`)
	if !bytes.Equal(r.read("b"), data) {
		t.Error("the bytes differ")
	}
	if out, err := r.sftp("ls /inbox/B.csv\n"); err == nil {
		t.Errorf("ls of a removed file: %s", out)
	}
	if out, err := r.sftp("put A.csv /inbox/nowhere/A.csv\n"); err == nil || !strings.Contains(out, "No such file") {
		t.Errorf("put into no folder: %v %s", err, out)
	}
	if out, err := r.sftp("mkdir /inbox/x\nrename /inbox/x /archive/x\n"); err == nil || !strings.Contains(out, "Permission denied") {
		t.Errorf("rename out of the inbox: %v %s", err, out)
	}
}

func TestOpenSSHRecursive(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	check(t, os.MkdirAll(filepath.Join(r.dir, "export/sub"), 0o700))
	a, b := r.file("export/A.csv", 70000), r.file("export/sub/B.csv", 10)
	r.mustSFTP("put -pR export /inbox/\nget -pR /inbox/export back\n")
	if !bytes.Equal(r.read("back/A.csv"), a) || !bytes.Equal(r.read("back/sub/B.csv"), b) {
		t.Error("the bytes differ")
	}
}

func TestOpenSSHPreservesTimes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.file("A.csv", 100)
	then := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
	check(t, os.Chtimes(filepath.Join(r.dir, "A.csv"), then, then))
	r.mustSFTP("put -p A.csv /inbox/A.csv\n")
	info, err := r.client().Stat("/inbox/A.csv")
	check(t, err)
	if !info.ModTime().Equal(then) || info.Size() != 100 {
		t.Errorf("%v, %d bytes", info.ModTime(), info.Size())
	}
}

func TestOpenSSHResume(t *testing.T) {
	t.Parallel()
	for _, stored := range []ingest.EntryKind{ingest.EntryPartial, ingest.EntryDrop, ingest.EntryTemporary} {
		t.Run(string(stored), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			name := "A.csv"
			if stored == ingest.EntryTemporary {
				name = "A.csv.filepart"
			}
			data := r.file(name, 1<<20)
			r.store(stored, "/inbox/"+name, data[:400_001])
			r.mustSFTP("reput " + name + " /inbox/" + name + "\n")
			got, sum := r.stored("/inbox/" + name)
			if !bytes.Equal(got, data) || sum != sha256.Sum256(data) {
				t.Error("the bytes or their hash differ")
			}
		})
	}
}

// store puts a file into the stores without the server.
func (r *rig) store(kind ingest.EntryKind, path string, data []byte) {
	r.ledger.mu.Lock()
	defer r.ledger.mu.Unlock()
	reg := ingest.Registration{
		Delivery: ingest.Delivery{Tenant: acme, Path: path}, ID: ingest.NewDropID(), Key: "drops/acme/" + path, Size: int64(len(data)),
		SHA256: sha256.Sum256(data), ReceivedAt: time.Now(),
	}
	r.ledger.put(kind, reg)
	r.bucket.mu.Lock()
	defer r.bucket.mu.Unlock()
	r.bucket.objects[reg.Key] = data
}

// stored returns the bytes and the hash of what the tree has at path.
func (r *rig) stored(path string) ([]byte, [32]byte) {
	r.t.Helper()
	entry, err := r.ledger.Stat(r.t.Context(), acme, path)
	check(r.t, err)
	return r.bucket.object(entry.Key), entry.SHA256
}

func TestOpenSSHLinksAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.store(ingest.EntryDrop, "/inbox/A.csv", []byte("a"))
	for _, batch := range []string{"ln /inbox/A.csv /inbox/B.csv\n", "ln -s /inbox/A.csv /inbox/B.csv\n"} {
		if out, err := r.sftp(batch); err == nil {
			t.Errorf("%q: %s", batch, out)
		}
	}
}

func TestOpenSSHOnlyTheInboxIsWritten(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.file("A.csv", 10)
	for _, batch := range []string{
		"put A.csv /archive/A.csv\n", "put A.csv /reports/\n", "mkdir /archive/x\n", "mkdir /reports/x\n", "rm /reports/x\n", "rmdir /inbox\n", "rename /inbox /inbox2\n",
	} {
		if out, err := r.sftp(batch); err == nil || !strings.Contains(out, "ermission denied") {
			t.Errorf("%q: %v %s", batch, err, out)
		}
	}
	if n := len(r.ledger.registered()); n != 0 {
		t.Errorf("%d drops", n)
	}
}

func TestOpenSSHDiskFree(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if out := r.mustSFTP("df /inbox\n"); !strings.Contains(out, "0%") {
		t.Errorf("without a quota: %s", out)
	}
	r.ledger.mu.Lock()
	r.ledger.quota = 1 << 30
	r.ledger.mu.Unlock()
	if out := r.mustSFTP("df\n"); !strings.Contains(out, "1048576 ") {
		t.Errorf("with a quota of 1 GiB: %s", out)
	}
}

func TestOpenSSHSendsLargePackets(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.file("A.csv", 1<<20)
	out := r.mustSFTP("put A.csv /inbox/A.csv\n", "-vvv")
	if !strings.Contains(out, "using 261120 / 261120") {
		t.Errorf("limits@openssh.com is not used:\n%s", out)
	}
	if !strings.Contains(out, "fsync@openssh.com") {
		t.Error("fsync@openssh.com is not known")
	}
}

func TestOpenSSHFsync(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	data := r.file("A.csv", 300_000)
	r.mustSFTP("put -f A.csv /inbox/A.csv\n")
	if !bytes.Equal(r.only("/inbox/A.csv"), data) {
		t.Error("the bytes differ")
	}
}

func TestOpenSSHSaysWhyAnUploadIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.ledger.mu.Lock()
	r.ledger.quota = 500_000
	r.ledger.mu.Unlock()
	r.file("A.csv", 1_000_000)
	out, err := r.sftp("put A.csv /inbox/A.csv\n")
	if err == nil || !strings.Contains(out, "the quota of 500000 bytes is used up; ask the operator") {
		t.Errorf("%v\n%s", err, out)
	}
	if n := len(r.ledger.registered()); n != 0 {
		t.Errorf("%d drops", n)
	}
	r.file("B.csv", 100)
	r.mustSFTP("put B.csv /inbox/B.csv\n") // nothing else is harmed
}

func TestOpenSSHThousandsOfEntries(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i := range 2345 {
		r.store(ingest.EntryDrop, "/inbox/"+strings.Repeat("n", 40)+string(rune('a'+i%26))+time.Duration(i).String(), nil)
	}
	out := r.mustSFTP("ls -1 /inbox\n")
	if n := strings.Count(out, "/inbox/nnn"); n != 2345 {
		t.Errorf("%d entries of 2345", n)
	}
}

func TestOpenSSHRenameReplaces(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	data := r.file("A.csv", 10)
	r.store(ingest.EntryDrop, "/inbox/A.csv", []byte("old"))
	r.mustSFTP("put A.csv /inbox/A.csv.filepart\nrename /inbox/A.csv.filepart /inbox/A.csv\n")
	if got, _ := r.stored("/inbox/A.csv"); !bytes.Equal(got, data) {
		t.Errorf("%q", got)
	}
	if !bytes.Equal(r.only("/inbox/A.csv"), data) { // once, by the rename
		t.Error("the bytes differ")
	}
	r.mustSFTP("put A.csv /inbox/B.csv\n")
	if out, err := r.sftp("rename -l /inbox/A.csv /inbox/B.csv\n"); err == nil {
		t.Errorf("a legacy rename onto a file: %s", out)
	}
}

func TestSCP(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	data := r.file("A.csv", 200_000)
	if out, err := r.command("scp", append(r.options(), "-p", "A.csv", "acme@127.0.0.1:inbox/")...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := r.command("scp", append(r.options(), "acme@127.0.0.1:/inbox/A.csv", "back")...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !bytes.Equal(r.only("/inbox/A.csv"), data) || !bytes.Equal(r.read("back"), data) {
		t.Error("the bytes differ")
	}
	out, err := r.command("scp", append(r.options(), "-O", "A.csv", "acme@127.0.0.1:inbox/")...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "old scp protocol") {
		t.Errorf("scp -O: %v\n%s", err, out)
	}
}
