package sftpd_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"dropline/sftpd"
)

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
		"length 0":           {0, 0, 0, 0},
		"length 1":           {0, 0, 0, 1, 3},
		"length too large":   {0xff, 0xff, 0xff, 0xff, 6, 1, 2, 3},
		"a little too large": append(u32(256<<10+1), 6),
		"text":               []byte("GET / HTTP/1.1\r\n\r\n"),
		"an open cut short":  append(u32(9), 3, 0, 0, 0, 1, 0, 0, 0, 99),
		"a type of answers":  append(u32(5), 2, 0, 0, 0, 1),
	} {
		w := r.raw()
		_, err := w.in.Write(bytes)
		if err == nil {
			err = w.in.Close()
		}
		if !errors.Is(err, io.EOF) { // the server may have ended the session by then
			check(t, err)
		}
		for err = nil; err == nil; {
			_, _, err = w.tryReceive()
		}
		if !errors.Is(err, io.EOF) {
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
