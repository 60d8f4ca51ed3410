package sftpd_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

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
	read, write, appendFlag, create, trunc, excl = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
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
