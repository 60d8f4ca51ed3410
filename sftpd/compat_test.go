package sftpd_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/sftpd"

	"github.com/prometheus/client_golang/prometheus"
)

func TestRawMkdirOfWhatIsThereIsNoMatterOfPermission(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.raw()
	// As asyncssh's makedirs and others do for /inbox/2026/11: each folder in turn, going on after a Failure.
	for _, path := range []string{"/", "", ".", "/inbox", "/inbox/", "/archive", "/reports"} {
		w.send(14, field(path), u32(0))
		w.want(4, "is there already")
	}
	for _, path := range []string{"/inbox/2026", "/inbox/2026/11"} {
		w.send(14, field(path), u32(0))
		w.want(0, "")
	}
	w.send(14, field("/inbox/2026"), u32(0))
	w.want(4, "")
	w.send(14, field("/archive/2026"), u32(0))
	w.want(3, "only what is below /inbox can")
}

func TestRawHandlesAreGoodForWhatTheyWereOpenedFor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	data := sample(1000)
	r.store(ingest.EntryDrop, "/inbox/A.csv", data)
	w := r.raw()
	reading := w.open("/inbox/A.csv", read)
	w.write(reading, 0, sample(10))
	w.want(4, "not open for writing")
	w.send(11, field("/inbox"))
	_, body := w.receive()
	w.write(string(body[8:]), 0, sample(10))
	w.want(4, "not open for writing")
	writing := w.open("/inbox/A.csv", write)
	w.send(5, field(writing), u64(0), u32(100))
	w.want(4, "not open for reading")
}

// As mounts and editors do, which open a file for both and then may only look at it, or at its end before they append.
func TestRawReadThroughAHandleForBoth(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	data := sample(300_000)
	r.store(ingest.EntryDrop, "/inbox/A.csv", data[:299_000])
	w := r.raw()
	get := func(handle string, offset uint64, length uint32, want []byte) {
		t.Helper()
		w.send(5, field(handle), u64(offset), u32(length))
		if kind, body := w.receive(); kind != 103 || !bytes.Equal(body[8:], want) {
			t.Fatalf("READ at %d: %d, %d bytes, want %d", offset, kind, len(body)-8, len(want))
		}
	}
	handle := w.open("/inbox/A.csv", read|write)
	get(handle, 0, 1000, data[:1000])
	get(handle, 298_990, 1000, data[298_990:299_000])
	get(handle, 5, 1<<32-1, data[5:5+255<<10])
	for _, offset := range []uint64{299_000, 1 << 63, 1<<64 - 1} {
		w.send(5, field(handle), u64(offset), u32(10))
		w.want(1, "")
	}
	w.send(5, field(handle), u64(0)) // cut short
	w.want(4, "cut short")
	w.close(handle)
	w.want(0, "")
	if n := len(r.ledger.registered()); n != 0 {
		t.Fatalf("%d drops of a file that was only read", n)
	}

	handle = w.open("/inbox/A.csv", read|write|appendFlag)
	get(handle, 298_000, 2000, data[298_000:299_000])
	w.write(handle, 299_000, data[299_000:])
	w.want(0, "")
	w.send(5, field(handle), u64(0), u32(10))
	w.want(8, "cannot be read while it is being sent")
	w.close(handle)
	w.want(0, "")
	if !bytes.Equal(r.only("/inbox/A.csv"), data) {
		t.Error("the bytes differ")
	}
	for range 200 { // no handle is left behind by them
		handle = w.open("/inbox/A.csv", read|write)
		get(handle, 0, 1, data[:1])
		w.close(handle)
		w.want(0, "")
	}
	handle = w.open("/inbox/new.csv", read|write|create)
	w.send(5, field(handle), u64(0), u32(10))
	w.want(1, "")
}

// Scripts and mounts empty a file by its name before they write it anew.
func TestRawTruncateByName(t *testing.T) {
	t.Parallel()
	const size, times = 1, 8
	r := newRig(t)
	r.store(ingest.EntryDrop, "/inbox/A.csv", sample(1000))
	r.store(ingest.EntryTemporary, "/inbox/.B.csv", sample(1000))
	r.store(ingest.EntryPartial, "/inbox/C.csv", sample(1000))
	w := r.raw()
	w.send(9, field("/inbox/A.csv"), u32(size|times), u64(0), u32(5), u32(7))
	w.want(0, "")
	w.send(9, field("/inbox/.B.csv"), u32(size), u64(0))
	w.want(0, "")
	if got := r.only("/inbox/A.csv"); len(got) != 0 {
		t.Errorf("%d bytes", len(got))
	}
	for _, path := range []string{"/inbox/A.csv", "/inbox/.B.csv"} {
		w.send(17, field(path))
		if kind, body := w.receive(); kind != 105 || binary.BigEndian.Uint64(body[8:]) != 0 {
			t.Errorf("STAT %s: %d % x", path, kind, body)
		}
	}
	if info, err := r.client().Stat("/inbox/A.csv"); err != nil || info.ModTime().Unix() != 7 {
		t.Errorf("%v %v", info, err)
	}
	handle := w.open("/inbox/A.csv", write)
	w.write(handle, 0, sample(10))
	w.want(0, "")
	w.send(9, field("/inbox/A.csv"), u32(size), u64(0)) // while it is open
	w.want(8, "")
	w.close(handle)
	w.want(0, "")
	if got, _ := r.stored("/inbox/A.csv"); !bytes.Equal(got, sample(10)) {
		t.Errorf("%d bytes", len(got))
	}
	w.send(9, field("/inbox/C.csv"), u32(size), u64(0)) // a partial is no file, and does not become one
	w.want(8, "not completed")
	w.send(9, field("/inbox/A.csv"), u32(size), u64(5))
	w.want(8, "")
	w.send(9, field("/inbox/none.csv"), u32(size), u64(0))
	w.want(2, "")
	w.send(9, field("/inbox"), u32(size), u64(0))
	w.want(8, "")
	r.store(ingest.EntryDrop, "/archive/D.csv", sample(10))
	w.send(9, field("/archive/D.csv"), u32(size), u64(0))
	w.want(3, "only what is below /inbox can")
}

// As a script does that pipes its requests into ssh -s.
func TestRawEveryRequestBeforeTheEndIsAnswered(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	conn := r.dial(acme, password)
	for range 300 {
		w := r.subsystem(conn)
		w.sendRaw(1, []byte{0, 0, 0, 3})
		for range 3 {
			w.send(17, field("/inbox"))
		}
		check(t, w.in.Close())
		answers := 0
		for {
			if _, _, err := w.tryReceive(); err != nil {
				break
			}
			answers++
		}
		if answers != 4 {
			t.Fatalf("%d answers to INIT and three requests", answers)
		}
	}
}

// One READ that takes its time must not let the answers to thousands after it pile up in memory.
func TestRawAnswersThatWaitAreBounded(t *testing.T) {
	t.Parallel()
	const requests, most = 2000, 40 << 20
	registry := prometheus.NewRegistry()
	r := newRig(t, func(c *sftpd.Config) { c.Metrics = registry })
	r.store(ingest.EntryDrop, "/inbox/slow.csv", sample(1000))
	r.store(ingest.EntryDrop, "/inbox/fast.csv", sample(1<<20))
	release := make(chan struct{})
	r.bucket.setFault(func(op string, size int64) error {
		if op == "open" && size == 1000 {
			<-release
		}
		return nil
	})
	w := r.raw()
	slow, fast := w.open("/inbox/slow.csv", read), w.open("/inbox/fast.csv", read)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		w.send(5, field(slow), u64(0), u32(1000))
		for i := range requests {
			w.send(5, field(fast), u64(uint64(i%4)*(256<<10)), u32(255<<10))
		}
	}()
	served := func() (bytes float64) {
		families, err := registry.Gather()
		check(t, err)
		for _, f := range families {
			if strings.Contains(f.GetName(), "sent") {
				bytes = f.GetMetric()[0].GetCounter().GetValue()
			}
		}
		return bytes
	}
	last := -1.0
	for now := served(); now != last || now == 0; now = served() {
		last = now
		time.Sleep(200 * time.Millisecond)
	}
	if last > most {
		t.Errorf("%.0f bytes wait for the answer to the first READ", last)
	}
	close(release)
	for range requests + 1 {
		if kind, body := w.receive(); kind != 103 {
			t.Fatalf("%d %q", kind, body)
		}
	}
	<-sent
}
