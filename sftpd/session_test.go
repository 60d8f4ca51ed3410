package sftpd_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/sftpd"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

func TestBrokenConnectionLeavesAPartialAndNoDrop(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	whole := sample(900_000)
	w := r.raw()
	handle := w.open("/inbox/A.csv", write|create|trunc)
	w.write(handle, 0, whole[:200_000])
	w.want(0, "")
	w.write(handle, 300_000, whole[300_000:400_000]) // beyond a hole: not kept
	w.want(0, "")
	w.open("/inbox/B.csv", write|create|trunc) // nothing sent: nothing kept
	check(t, w.conn.Close())
	client := r.client()
	eventually(t, "the partial is kept", func() bool {
		info, err := client.Stat("/inbox/A.csv")
		return err == nil && info.Size() == 200_000
	})
	list, err := client.ReadDir("/inbox")
	check(t, err)
	if len(list) != 0 || len(r.ledger.registered()) != 0 {
		t.Errorf("listed %v, drops %v", list, r.ledger.registered())
	}
	if _, err := client.Stat("/inbox/B.csv"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty partial: %v", err)
	}
	check(t, os.WriteFile(filepath.Join(r.dir, "A.csv"), whole, 0o600))
	r.mustSFTP("reput A.csv /inbox/A.csv\n")
	if got := r.only("/inbox/A.csv"); !bytes.Equal(got, whole) || r.ledger.registered()[0].SHA256 != sha256.Sum256(whole) {
		t.Error("the resumed file or its hash differs")
	}
}

func TestEndOfSessionWithoutCloseRegistersNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.raw()
	handle := w.open("/inbox/A.csv", write|create|trunc)
	w.write(handle, 0, sample(1000))
	w.want(0, "")
	check(t, w.in.Close()) // an orderly end of the channel
	if _, _, err := w.tryReceive(); !errors.Is(err, io.EOF) {
		t.Errorf("%v", err)
	}
	if len(r.ledger.registered()) != 0 {
		t.Error("a drop was registered")
	}
	if e, err := r.ledger.Lookup(t.Context(), acme, "/inbox/A.csv"); err != nil || e.Kind != ingest.EntryPartial || e.Size != 1000 {
		t.Errorf("%+v %v", e, err)
	}
}

func TestCloseFailsWhenAStoreFails(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		arm    func(r *rig)
		text   string
		logged bool
	}{
		{"PostgreSQL is away", func(r *rig) {
			r.ledger.setFault(func(op, _ string) error {
				if op == "register" {
					return ingest.Errorf(ingest.Unavailable, "fake", "secret address of the database")
				}
				return nil
			})
		}, "try again later", true},
		{"S3 is away", func(r *rig) {
			r.bucket.setFault(func(op string, _ int64) error {
				if op == "commit" {
					return ingest.Errorf(ingest.Unavailable, "fake", "secret address of the store")
				}
				return nil
			})
		}, "try again later", true},
		{"the disk is full", func(r *rig) {
			r.bucket.setFault(func(op string, _ int64) error {
				if op == "commit" {
					return ingest.WithHint(ingest.Errorf(ingest.Exhausted, "fake", "the store is full"), "tell the operator")
				}
				return nil
			})
		}, "the store is full; tell the operator", true},
		{"a fault of ours", func(r *rig) {
			r.bucket.setFault(func(op string, _ int64) error {
				if op == "commit" {
					return errors.New("secret detail")
				}
				return nil
			})
		}, "internal error", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			w := r.raw()
			handle := w.open("/inbox/A.csv", write|create|trunc)
			w.write(handle, 0, sample(1000))
			w.want(0, "")
			test.arm(r)
			w.close(handle)
			code, text := w.status()
			if code != 4 || !strings.Contains(text, test.text) || strings.Contains(text, "secret") {
				t.Errorf("%d %q, want %q", code, text, test.text)
			}
			if len(r.ledger.registered()) != 0 {
				t.Error("a drop was registered")
			}
			r.ledger.setFault(nil)
			r.bucket.setFault(nil)
			handle = w.open("/inbox/A.csv", write|create|trunc)
			w.write(handle, 0, sample(1000))
			w.want(0, "")
			w.close(handle)
			w.want(0, "")
			if !bytes.Equal(r.only("/inbox/A.csv"), sample(1000)) {
				t.Error("the bytes differ")
			}
		})
	}
}

func TestStoreFullInTheMiddle(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.bucket.setFault(func(op string, size int64) error {
		if op == "write" && size >= 100_000 {
			return ingest.Errorf(ingest.Exhausted, "fake", "the store is full")
		}
		return nil
	})
	r.file("A.csv", 1<<20)
	out, err := r.sftp("put A.csv /inbox/A.csv\n")
	if err == nil || !strings.Contains(out, "the store is full") {
		t.Errorf("%v\n%s", err, out)
	}
	if len(r.ledger.registered()) != 0 {
		t.Error("a drop was registered")
	}
}

func TestPanicsDoNotEndTheProcess(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.store(ingest.EntryDrop, "/inbox/A.csv", sample(10))
	w := r.raw()
	handle := w.open("/inbox/C.csv", write|create|trunc)
	r.ledger.setFault(func(string, string) error { panic("injected") })
	r.bucket.setFault(func(string, int64) error { panic("injected") })
	for _, request := range []struct {
		name string
		send func()
	}{
		{"open", func() { w.send(3, field("/inbox/B.csv"), u32(write|create), u32(0)) }},
		{"read", func() { w.send(3, field("/inbox/A.csv"), u32(1), u32(0)) }},
		{"stat", func() { w.send(17, field("/inbox/A.csv")) }},
		{"lstat", func() { w.send(7, field("/inbox/A.csv")) }},
		{"setstat", func() { w.send(9, field("/inbox/A.csv"), u32(8), u32(1), u32(2)) }},
		{"opendir", func() { w.send(11, field("/inbox")) }},
		{"remove", func() { w.send(13, field("/inbox/A.csv")) }},
		{"mkdir", func() { w.send(14, field("/inbox/x"), u32(0)) }},
		{"rmdir", func() { w.send(15, field("/inbox/x")) }},
		{"rename", func() { w.send(18, field("/inbox/A.csv"), field("/inbox/B.csv")) }},
		{"posix-rename", func() { w.send(200, field("posix-rename@openssh.com"), field("/inbox/A.csv"), field("/inbox/B.csv")) }},
		{"statvfs", func() { w.send(200, field("statvfs@openssh.com"), field("/")) }},
		{"write", func() { w.write(handle, 0, sample(10)) }},
		{"close", func() { w.close(handle) }},
	} {
		request.send()
		if code, text := w.status(); code != 4 || !strings.Contains(text, "internal error") {
			t.Errorf("%s: %d %q", request.name, code, text)
		}
	}
	if _, err := r.tryDial("acme", ssh.Password(password)); err == nil {
		t.Error("signed in although the check panicked")
	}
	r.ledger.setFault(nil)
	r.bucket.setFault(nil)
	w.close(w.open("/inbox/B.csv", write|create))
	w.want(0, "")
	if !strings.Contains(r.log.String(), "injected") {
		t.Error("the panic is not in the log")
	}
}

func TestTenantsDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.store(ingest.EntryDrop, "/inbox/secret.csv", sample(10))
	r.store(ingest.EntryPartial, "/inbox/partial.csv", sample(10))
	other, err := sftp.NewClient(r.dial(globex, password+" too"))
	check(t, err)
	defer other.Close()
	for _, p := range []string{
		"/inbox/secret.csv", "secret.csv", "../acme/inbox/secret.csv", "/inbox/../../acme/inbox/secret.csv", "/drops/acme/inbox/secret.csv",
		"/acme/inbox/secret.csv", "/inbox/partial.csv", "//inbox//secret.csv",
	} {
		if _, err := other.Stat(p); err == nil {
			t.Errorf("%s can be seen", p)
		}
		if f, err := other.Open(p); err == nil {
			f.Close()
			t.Errorf("%s can be read", p)
		}
		if err := other.Remove(p); err == nil {
			t.Errorf("%s can be removed", p)
		}
		if err := other.PosixRename(p, "/inbox/mine"); err == nil {
			t.Errorf("%s can be renamed", p)
		}
	}
	list, err := other.ReadDir("/inbox")
	check(t, err)
	if len(list) != 0 {
		t.Errorf("listed %v", list)
	}
}

func TestAccessThatEndsMidSession(t *testing.T) {
	t.Parallel()
	past := time.Now()
	for name, end := range map[string]func(l *memoryLedger){
		"disabled": func(l *memoryLedger) { l.disabled[acme] = true },
		"has ended": func(l *memoryLedger) {
			l.revoked = map[ingest.CredentialID]*time.Time{"cred_1": &past, "cred_2": &past}
		},
		"key of this connection has ended": func(l *memoryLedger) {
			l.expiry = map[ingest.CredentialID]*time.Time{"cred_1": &past, "cred_2": &past}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			now := time.Now()
			r := newRig(t, func(c *sftpd.Config) {
				c.Clock = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
			})
			w := r.raw()
			under := w.open("/inbox/Under way.csv", write|create)
			r.ledger.mu.Lock()
			end(r.ledger)
			r.ledger.mu.Unlock()
			mu.Lock()
			now = now.Add(time.Minute)
			mu.Unlock()
			for kind, rest := range map[byte][]byte{
				3:  append(u32(write|create), u32(0)...), // OPEN
				7:  nil,                                  // LSTAT
				11: nil,                                  // OPENDIR
				13: nil,                                  // REMOVE
				14: u32(0),                               // MKDIR
				18: field("/inbox/B.csv"),                // RENAME
			} {
				w.send(kind, field("/inbox/A.csv"), rest)
				w.want(3, name)
			}
			w.write(under, 0, []byte("x"))
			w.want(0, "")
			w.close(under)
			w.want(0, "")
			r.only("/inbox/Under way.csv")
		})
	}
}

func TestGoClientConcurrentWritesAndReads(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	client := r.client(sftp.UseConcurrentWrites(true), sftp.UseConcurrentReads(true))
	data := sample(11<<20 + 7)
	f, err := client.Create("/inbox/A.csv")
	check(t, err)
	_, err = f.ReadFrom(bytes.NewReader(data))
	check(t, err)
	check(t, f.Close())
	if !bytes.Equal(r.only("/inbox/A.csv"), data) {
		t.Error("the bytes sent differ")
	}
	f, err = client.Open("/inbox/A.csv")
	check(t, err)
	defer f.Close()
	var back bytes.Buffer
	_, err = f.WriteTo(&back)
	check(t, err)
	if !bytes.Equal(back.Bytes(), data) {
		t.Error("the bytes read differ")
	}
	for _, at := range []int64{5 << 20, 0, 11 << 20, 3, 11<<20 + 6, 11<<20 + 7, 1 << 40} {
		p := make([]byte, 1000)
		n, err := f.ReadAt(p, at)
		want := data[min(at, int64(len(data))):min(at+1000, int64(len(data)))]
		if !bytes.Equal(p[:n], want) || errors.Is(err, io.EOF) != (len(want) < len(p)) {
			t.Errorf("at %d: %d bytes, %v", at, n, err)
		}
	}
}

func TestDownloadIsOneRequest(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	data := sample(20 << 20)
	r.store(ingest.EntryDrop, "/inbox/A.csv", data)
	r.mustSFTP("get /inbox/A.csv back\n")
	if !bytes.Equal(r.read("back"), data) {
		t.Error("the bytes differ")
	}
	if n := r.bucket.opened; n > 3 {
		t.Errorf("%d requests to the store", n)
	}
}

func TestDownloadOfADamagedObjectFails(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(b *memoryBucket){
		"lost":  func(b *memoryBucket) { b.objects = map[string][]byte{} },
		"short": func(b *memoryBucket) { b.short = 300_000 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.store(ingest.EntryDrop, "/inbox/A.csv", sample(500_000))
			damage(r.bucket)
			if out, err := r.sftp("get /inbox/A.csv back\n"); err == nil {
				t.Errorf("served as whole: %s", out)
			}
			if _, errs, status := r.run("md5sum /inbox/A.csv", ""); status == 0 {
				t.Errorf("summed as whole: %s", errs)
			}
		})
	}
}

func TestMemoryOfFiftyUploads(t *testing.T) {
	r := newRig(t, func(c *sftpd.Config) { c.MaxSessionsPerTenant = 100 })
	r.bucket.discard = true
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var all sync.WaitGroup
	errs := make(chan error, 50)
	peak := uint64(0)
	for i := range 50 {
		client := r.client()
		all.Go(func() {
			f, err := client.Create("/inbox/" + strings.Repeat("x", i+1))
			if err == nil {
				_, err = io.CopyN(f, zeros{}, 20<<20)
				err = errors.Join(err, f.Close())
			}
			errs <- err
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	for running := true; running; {
		select {
		case <-done:
			running = false
		case <-time.After(20 * time.Millisecond):
			runtime.ReadMemStats(&during)
			peak = max(peak, during.HeapInuse)
		}
	}
	for range 50 {
		check(t, <-errs)
	}
	// 50 connections of Go's client are in the same heap. Without bounds it would be 1,000 MiB.
	used := int64(peak) - int64(before.HeapInuse)
	t.Logf("%d MiB in use at most, 1000 MiB sent", used>>20)
	if used > 400<<20 {
		t.Errorf("%d MiB in use", used>>20)
	}
	if n := len(r.ledger.registered()); n != 50 {
		t.Errorf("%d drops", n)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestShutdownLetsUploadsFinish(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w, idle := r.raw(), r.raw()
	handle := w.open("/inbox/A.csv", write|create|trunc)
	w.write(handle, 0, sample(1000))
	w.want(0, "")
	r.stop()
	if _, _, err := idle.tryReceive(); err == nil {
		t.Error("an idle session goes on")
	}
	w.send(3, field("/inbox/B.csv"), u32(write|create), u32(0))
	w.want(4, "try again later")
	w.write(handle, 1000, sample(500))
	w.want(0, "")
	w.close(handle)
	w.want(0, "")
	if len(r.only("/inbox/A.csv")) != 1500 {
		t.Error("the upload was cut")
	}
	check(t, <-r.served)
	r.served <- nil
}

func TestShutdownSuspendsWhatDoesNotFinish(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *sftpd.Config) { c.ShutdownGrace = 50 * time.Millisecond })
	w := r.raw()
	handle := w.open("/inbox/A.csv", write|create|trunc)
	w.write(handle, 0, sample(1000))
	w.want(0, "")
	r.stop()
	check(t, <-r.served)
	r.served <- nil
	if e, err := r.ledger.Lookup(t.Context(), acme, "/inbox/A.csv"); err != nil || e.Kind != ingest.EntryPartial || e.Size != 1000 {
		t.Errorf("%+v %v", e, err)
	}
	if len(r.ledger.registered()) != 0 {
		t.Error("a drop was registered")
	}
}

func TestIdleConnectionEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *sftpd.Config) { c.IdleTimeout = time.Second })
	w := r.raw()
	r.ledger.setFault(func(op, _ string) error { // an operation in progress is not idle
		if op == "mkdir" {
			time.Sleep(1500 * time.Millisecond)
		}
		return nil
	})
	w.send(14, field("/inbox/x"), u32(0))
	w.want(0, "")
	if _, _, err := w.tryReceive(); err == nil {
		t.Error("no end")
	}
}
