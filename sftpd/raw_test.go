package sftpd_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"dropline/ingest"
	"dropline/sftpd"

	"golang.org/x/crypto/ssh"
)

// raw speaks SFTP packet by packet, as no well-behaved client would.
type raw struct {
	t    testing.TB
	conn *ssh.Client
	in   io.WriteCloser
	out  io.Reader
	id   uint32
}

const (
	write, appendFlag, create, trunc, excl = 0x02, 0x04, 0x08, 0x10, 0x20
)

func (r *rig) raw() *raw {
	r.t.Helper()
	w := r.subsystem(r.dial(acme, password))
	w.sendRaw(1, []byte{0, 0, 0, 3})
	if kind, body := w.receive(); kind != 2 || !bytes.Contains(body, []byte("limits@openssh.com")) || bytes.Contains(body, []byte("hardlink")) {
		r.t.Fatalf("VERSION: %d %q", kind, body)
	}
	return w
}

func (r *rig) subsystem(conn *ssh.Client) *raw {
	r.t.Helper()
	session, err := conn.NewSession()
	check(r.t, err)
	in, err := session.StdinPipe()
	check(r.t, err)
	out, err := session.StdoutPipe()
	check(r.t, err)
	check(r.t, session.RequestSubsystem("sftp"))
	return &raw{t: r.t, conn: conn, in: in, out: out}
}

func field(s string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(s))), s...)
}

func u32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
func u64(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }

func (w *raw) sendRaw(kind byte, body []byte) {
	w.t.Helper()
	packet := append(append(u32(uint32(len(body)+1)), kind), body...)
	if _, err := w.in.Write(packet); err != nil {
		w.t.Fatalf("sending: %v", err)
	}
}

// send sends a request and returns its id.
func (w *raw) send(kind byte, parts ...[]byte) uint32 {
	w.t.Helper()
	w.id++
	w.sendRaw(kind, slices.Concat(append([][]byte{u32(w.id)}, parts...)...))
	return w.id
}

func (w *raw) receive() (byte, []byte) {
	w.t.Helper()
	kind, body, err := w.tryReceive()
	check(w.t, err)
	return kind, body
}

func (w *raw) tryReceive() (byte, []byte, error) {
	var head [5]byte
	if _, err := io.ReadFull(w.out, head[:]); err != nil {
		return 0, nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(head[:])-1)
	_, err := io.ReadFull(w.out, body)
	return head[4], body, err
}

// status waits for one answer and returns its code and text.
func (w *raw) status() (uint32, string) {
	w.t.Helper()
	kind, body := w.receive()
	if kind != 101 {
		w.t.Fatalf("answer %d, want a status", kind)
	}
	n := binary.BigEndian.Uint32(body[8:])
	return binary.BigEndian.Uint32(body[4:]), string(body[12 : 12+n])
}

func (w *raw) want(code uint32, text string) {
	w.t.Helper()
	if got, said := w.status(); got != code || !strings.Contains(said, text) {
		w.t.Errorf("status %d %q, want %d %q", got, said, code, text)
	}
}

func (w *raw) open(path string, flags uint32) string {
	w.t.Helper()
	w.send(3, field(path), u32(flags), u32(0))
	kind, body := w.receive()
	if kind != 102 {
		w.t.Fatalf("open %s: %d %q", path, kind, body)
	}
	return string(body[8:])
}

func (w *raw) write(handle string, offset uint64, data []byte) {
	w.t.Helper()
	w.send(6, field(handle), u64(offset), field(string(data)))
}

func (w *raw) close(handle string) { w.t.Helper(); w.send(4, field(handle)) }

func sample(n int) []byte {
	data := make([]byte, n)
	g := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range data {
		data[i] = byte(g.Uint32())
	}
	return data
}

func TestRawAnyOrderWithinAWindow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.raw()
	data := sample(9<<20 + 12345)
	handle := w.open("/inbox/A.csv", write|create|trunc)
	// Packets of many sizes, shuffled within windows of 64 as a client with so many requests in flight might.
	type piece struct{ from, to int }
	var pieces []piece
	g := rand.New(rand.NewPCG(7, 7))
	for at := 0; at < len(data); {
		to := min(at+1+g.IntN(60_000), len(data))
		pieces = append(pieces, piece{at, to})
		at = to
	}
	for from := 0; from < len(pieces); from += 64 {
		window := pieces[from:min(from+64, len(pieces))]
		g.Shuffle(len(window), func(i, j int) { window[i], window[j] = window[j], window[i] })
		for _, p := range window {
			w.write(handle, uint64(p.from), data[p.from:p.to])
		}
		for range window {
			w.want(0, "")
		}
	}
	w.close(handle)
	w.want(0, "")
	if got := r.only("/inbox/A.csv"); !bytes.Equal(got, data) || r.ledger.registered()[0].SHA256 != sha256.Sum256(data) {
		t.Error("the bytes or their hash differ")
	}
}

func TestRawRefusals(t *testing.T) {
	t.Parallel()
	const failure = 4
	block := sample(100)
	tests := map[string]func(w *raw, handle string){
		"a hole": func(w *raw, h string) {
			w.write(h, 0, block)
			w.want(0, "")
			w.write(h, 200, block)
			w.want(0, "")
		},
		"only a tail": func(w *raw, h string) {
			w.write(h, 5000, block)
			w.want(0, "")
		},
		"a huge offset": func(w *raw, h string) {
			w.write(h, math.MaxUint64-10, block)
			w.want(failure, "gaps")
		},
		"a large offset": func(w *raw, h string) {
			w.write(h, 1<<40, block)
			w.want(failure, "gaps")
		},
		"the same bytes twice": func(w *raw, h string) {
			w.write(h, 0, block)
			w.want(0, "")
			w.write(h, 0, block)
			w.want(failure, "once")
		},
		"an overlap of what waits": func(w *raw, h string) {
			w.write(h, 200, block)
			w.want(0, "")
			w.write(h, 150, block)
			w.want(failure, "once")
		},
		"an overlap found when the hole is filled": func(w *raw, h string) {
			w.write(h, 50, block)
			w.want(0, "")
			w.write(h, 0, block)
			w.want(failure, "once")
		},
		"more than may wait": func(w *raw, h string) {
			big := make([]byte, 200_000)
			var last string
			for i := range 100 {
				w.write(h, uint64(1+i*len(big)), big)
				_, last = w.status()
			}
			if !strings.Contains(last, "missing") {
				w.t.Errorf("%q", last)
			}
		},
		"too many pieces that wait": func(w *raw, h string) {
			var last string
			for i := range 5000 {
				w.write(h, uint64(2+2*i), []byte{1})
				_, last = w.status()
			}
			if !strings.Contains(last, "missing") {
				w.t.Errorf("%q", last)
			}
		},
		"a write cut short": func(w *raw, h string) {
			w.write(h, 5, block) // a hole, so that CLOSE has something to refuse
			w.want(0, "")
			w.send(6, field(h), u64(0), u32(1000), []byte("short"))
			w.want(failure, "cut short")
		},
		"fsync over a hole": func(w *raw, h string) {
			w.write(h, 5, block)
			w.want(0, "")
			w.send(200, field("fsync@openssh.com"), field(h))
			w.want(failure, "never sent")
		},
		"a read of it": func(w *raw, h string) {
			w.write(h, 5, block)
			w.want(0, "")
			w.send(5, field(h), u64(0), u32(10))
			w.want(8, "cannot be read")
		},
	}
	for name, attack := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			w := r.raw()
			handle := w.open("/inbox/A.csv", write|create|trunc)
			attack(w, handle)
			w.close(handle)
			w.want(failure, "")
			if n := len(r.ledger.registered()); n != 0 {
				t.Errorf("%d drops", n)
			}
			// The session goes on.
			handle = w.open("/inbox/B.csv", write|create|trunc)
			w.write(handle, 0, block)
			w.want(0, "")
			w.close(handle)
			w.want(0, "")
			if !bytes.Equal(r.only("/inbox/B.csv"), block) {
				t.Error("the bytes differ")
			}
		})
	}
}

func TestRawWaitingBytesAreBoundedAcrossUploads(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *sftpd.Config) { c.ReorderBytes = 1 << 20 })
	w := r.raw()
	greedy, modest := w.open("/inbox/A.csv", write|create), w.open("/inbox/B.csv", write|create)
	refused := 0
	for i := range 8 {
		w.write(greedy, uint64(1+i*200_000), make([]byte, 200_000))
		if code, _ := w.status(); code != 0 {
			refused++
		}
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
	// The refused upload has given its bytes back.
	w.write(modest, 500_000, make([]byte, 200_000))
	w.want(0, "")
	w.write(modest, 0, make([]byte, 200_000))
	w.want(0, "")
}

func TestRawResume(t *testing.T) {
	t.Parallel()
	whole := sample(10_000)
	tests := []struct {
		name   string
		flags  uint32
		stored int
		writes [][2]int // from and to of whole
		shift  int      // what the client leaves away from its offsets
		want   []byte   // nil: refused
	}{
		{"PuTTY", write, 4000, [][2]int{{4000, 8000}, {8000, 10_000}}, 0, whole},
		{"out of order", write, 4000, [][2]int{{8000, 10_000}, {4000, 8000}}, 0, whole},
		{"append", write | create | appendFlag, 4000, [][2]int{{4000, 10_000}}, 0, whole},
		{"append counted from 0", write | appendFlag, 4000, [][2]int{{4000, 8000}, {8000, 10_000}}, 4000, whole},
		{"replaced from 0", write | create, 4000, [][2]int{{0, 3000}}, 0, whole[:3000]},
		{"neither", write, 4000, [][2]int{{5000, 6000}}, 0, nil},
		{"append elsewhere", write | appendFlag, 4000, [][2]int{{5000, 6000}}, 0, nil},
		{"TRUNC starts over", write | create | trunc, 4000, [][2]int{{0, 10_000}}, 0, whole},
		{"TRUNC at the end", write | create | trunc, 4000, [][2]int{{4000, 10_000}}, 0, nil},
		{"nothing stored", write | create | appendFlag, 0, [][2]int{{0, 10_000}}, 0, whole},
		{"untouched", write, 4000, nil, 0, whole[:4000]},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			if test.stored > 0 {
				r.store(ingest.EntryDrop, "/inbox/A.csv", whole[:test.stored])
			}
			w := r.raw()
			handle := w.open("/inbox/A.csv", test.flags)
			for _, x := range test.writes {
				w.write(handle, uint64(x[0]-test.shift), whole[x[0]:x[1]])
				w.want(0, "")
			}
			w.close(handle)
			code, text := w.status()
			if (code == 0) != (test.want != nil) {
				t.Fatalf("CLOSE: %d %s", code, text)
			}
			if test.want == nil {
				test.want = whole[:test.stored] // as before
			}
			got, sum := r.stored("/inbox/A.csv")
			if !bytes.Equal(got, test.want) || sum != sha256.Sum256(test.want) {
				t.Error("the bytes or their hash differ")
			}
		})
	}
}

func TestRawPartialBehindAnOlderDropIsWhatIsResumed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	whole := sample(9000)
	r.store(ingest.EntryDrop, "/inbox/A.csv", sample(5000))
	r.store(ingest.EntryPartial, "/inbox/A.csv", whole[:2000])
	info, err := r.client().Stat("/inbox/A.csv")
	check(t, err)
	if info.Size() != 2000 {
		t.Errorf("STAT shows %d bytes, want the partial's 2000", info.Size())
	}
	w := r.raw()
	handle := w.open("/inbox/A.csv", write|create|appendFlag)
	w.write(handle, 5000, whole[5000:]) // at the end of the old drop: would mix two files
	w.want(0, "")
	w.close(handle)
	w.want(4, "never sent")
	handle = w.open("/inbox/A.csv", write|create|appendFlag)
	w.write(handle, 2000, whole[2000:])
	w.want(0, "")
	w.close(handle)
	w.want(0, "")
	if !bytes.Equal(r.only("/inbox/A.csv"), whole) {
		t.Error("the bytes differ")
	}
}

func TestRawOpenFlags(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.store(ingest.EntryDrop, "/inbox/A.csv", []byte("a"))
	w := r.raw()
	for _, test := range []struct {
		path  string
		flags uint32
		code  uint32
	}{
		{"/inbox/A.csv", write | create | excl, 4},
		{"/inbox/none.csv", write, 2},
		{"/inbox/none.csv", write | trunc, 2},
		{"/inbox", write | create | trunc, 3},
		{"/", write | create, 3},
		{"/archive/x", write | create, 3},
		{"/inbox/no/A.csv", write | create, 2},
		{"/inbox/A.csv/B.csv", write | create, 4},
		{"/inbox/nul\x00.csv", write | create, 4},
		{"/inbox/\xff\xfe.csv", write | create, 4},
		{"/inbox/new\nline.csv", write | create, 4},
		{"/inbox/" + strings.Repeat("x", 256), write | create, 4},
		{"/inbox/" + strings.Repeat("x/", 600), write | create, 4},
	} {
		w.send(3, field(test.path), u32(test.flags), u32(0))
		if code, text := w.status(); code != test.code || text == "" {
			t.Errorf("%.40q with %#x: %d %q, want %d", test.path, test.flags, code, text, test.code)
		}
	}
	// A way out of the root leads back into it.
	w.close(w.open("../../../passwd", write|create))
	w.want(0, "")
	if got := r.only("/inbox/passwd"); len(got) != 0 {
		t.Errorf("%d bytes", len(got))
	}
}

func TestRawSetstat(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.raw()
	const size, times, permissions = 1, 8, 4
	handle := w.open("/inbox/A.csv", write|create|trunc)
	w.write(handle, 0, sample(100))
	w.want(0, "")
	w.send(10, field(handle), u32(size), u64(100)) // lftp, as it is
	w.want(0, "")
	w.send(10, field(handle), u32(size), u64(50))
	w.want(8, "")
	w.send(10, field(handle), u32(permissions), u32(0o600))
	w.want(0, "")
	w.send(10, field(handle), u32(times), u32(1000), u32(2000))
	w.want(0, "")
	w.send(10, field(handle), u32(times), u32(1000)) // cut short
	w.want(4, "")
	w.send(8, field(handle)) // FSTAT
	if kind, body := w.receive(); kind != 105 || binary.BigEndian.Uint64(body[8:]) != 100 || binary.BigEndian.Uint32(body[len(body)-4:]) != 2000 {
		t.Errorf("FSTAT: %d % x", kind, body)
	}
	w.send(17, field("/A.csv")) // STAT while it is being sent, by the name in the root
	if kind, body := w.receive(); kind != 105 || binary.BigEndian.Uint64(body[8:]) != 100 {
		t.Errorf("STAT: %d % x", kind, body)
	}
	w.send(10, field(handle), u32(size), u64(0)) // start over
	w.want(0, "")
	w.write(handle, 0, sample(30))
	w.want(0, "")
	w.close(handle)
	w.want(0, "")
	if got := r.only("/inbox/A.csv"); !bytes.Equal(got, sample(30)) {
		t.Errorf("%d bytes", len(got))
	}
	w.send(9, field("/inbox/A.csv"), u32(size), u64(30))
	w.want(0, "")
	w.send(9, field("/inbox/A.csv"), u32(size), u64(10))
	w.want(8, "")
	w.send(9, field("/inbox/A.csv"), u32(times), u32(1), u32(2))
	w.want(0, "")
	w.send(9, field("/inbox/A.csv"), u32(times), u32(1)) // cut short
	w.want(5, "")
	w.send(9, field("/inbox/none.csv"), u32(permissions), u32(0o600))
	w.want(2, "")
	w.send(9, field("/archive"), u32(times), u32(1), u32(2))
	w.want(0, "")
}

func TestRawHandlesAreTheSessionsOwn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	mine, other := r.raw(), r.raw()
	handle := mine.open("/inbox/A.csv", write|create|trunc)
	for _, guess := range []string{handle, "w1", "w2", "1", "", strings.Repeat("9", 300)} {
		other.write(guess, 0, sample(10))
		other.want(4, "")
		other.close(guess)
		other.want(4, "")
		other.send(200, field("fsync@openssh.com"), field(guess))
		other.want(4, "")
	}
	mine.write(handle, 0, sample(10))
	mine.want(0, "")
	mine.close(handle)
	mine.want(0, "")
	mine.close(handle) // a second time
	mine.want(4, "")
	mine.write(handle, 10, sample(10))
	mine.want(4, "")
	if !bytes.Equal(r.only("/inbox/A.csv"), sample(10)) {
		t.Error("the bytes differ")
	}
}

func TestRawOpensAreBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.raw()
	opened, refused := 0, 0
	for i := range 5000 {
		w.send(3, field(fmt.Sprintf("/inbox/%d.csv", i)), u32(write|create|trunc), u32(0))
		if kind, body := w.receive(); kind == 102 {
			opened++
		} else if refused++; !bytes.Contains(body, []byte("close some first")) {
			t.Fatalf("%q", body)
		}
	}
	if opened != sftpd.DefaultMaxOpenFilesPerSession || refused != 5000-opened {
		t.Errorf("%d opened, %d refused", opened, refused)
	}
	for range 500 {
		w.send(11, field("/inbox"))
		if kind, _ := w.receive(); kind == 102 {
			t.Fatal("a folder was opened beyond the limit")
		}
	}
	w.close("w1")
	w.want(0, "")
	w.close(w.open("/inbox/more.csv", write|create))
	w.want(0, "")
}

func TestRawGarbageEndsNoMoreThanItsSession(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for name, bytes := range map[string][]byte{
		"length 0":         {0, 0, 0, 0},
		"length 1":         {0, 0, 0, 1, 3},
		"length too large": {0xff, 0xff, 0xff, 0xff, 6, 1, 2, 3},
		"a little too large": append(u32(256<<10+1), 6),
		"text":             []byte("GET / HTTP/1.1\r\n\r\n"),
		"an open cut short": append(u32(9), 3, 0, 0, 0, 1, 0, 0, 0, 99),
		"a type of answers": append(u32(5), 2, 0, 0, 0, 1),
	} {
		w := r.raw()
		_, err := w.in.Write(bytes)
		check(t, err)
		check(t, w.in.Close())
		for err = nil; err == nil; {
			_, _, err = w.tryReceive()
		}
		if err != io.EOF {
			t.Errorf("%s: %v", name, err)
		}
	}
	w := r.raw()
	for _, kind := range []byte{21, 50, 99, 104, 201, 255} {
		w.send(kind, []byte("anything"))
		w.want(8, "")
	}
	w.send(200, field("unknown@example.com"), []byte("anything"))
	w.want(8, "")
	w.close(w.open("/inbox/A.csv", write|create))
	w.want(0, "")
}

func TestRawPacketsInPieces(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.raw()
	handle := w.open("/inbox/A.csv", write|create|trunc)
	data := sample(3000)
	var stream []byte
	packet := func(kind byte, parts ...[]byte) {
		body := slices.Concat(append([][]byte{{kind}, u32(7)}, parts...)...)
		stream = append(append(stream, u32(uint32(len(body)))...), body...)
	}
	packet(6, field(handle), u64(0), field(string(data)))
	packet(17, field("/inbox"))
	packet(16, field("."))
	packet(4, field(handle))
	packet(17, field("/inbox/A.csv"))
	for len(stream) > 0 {
		n := min(len(stream), 1+rand.IntN(40))
		_, err := w.in.Write(stream[:n])
		check(t, err)
		stream = stream[n:]
	}
	kinds := map[byte]int{}
	for range 5 {
		kind, _ := w.receive()
		kinds[kind]++
	}
	if kinds[101] != 2 || kinds[105] != 2 || kinds[104] != 1 {
		t.Errorf("answers %v", kinds)
	}
	if !bytes.Equal(r.only("/inbox/A.csv"), data) {
		t.Error("the bytes differ")
	}
}

func TestRawRequestsDoNotOvertakeEachOther(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.raw()
	handle := w.open("/inbox/A.csv.filepart", write|create|trunc)
	// All at once: a rename must not run before the commit, nor an open before the mkdir.
	w.write(handle, 0, sample(10))
	w.close(handle)
	w.send(18, field("/inbox/A.csv.filepart"), field("/inbox/A.csv"))
	w.send(14, field("/inbox/sub"), u32(0))
	w.send(3, field("/inbox/sub/B.csv"), u32(write|create), u32(0))
	for range 4 {
		w.want(0, "")
	}
	if kind, body := w.receive(); kind != 102 {
		t.Errorf("open: %d %q", kind, body)
	}
	if !bytes.Equal(r.only("/inbox/A.csv"), sample(10)) {
		t.Error("the bytes differ")
	}
}
