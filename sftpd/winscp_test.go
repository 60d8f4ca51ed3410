package sftpd_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"dropline/ingest"
)

// WinSCP and FileZilla run on Windows, or with a screen, only: these are the packets that they send.

const (
	setSize, setPermissions, setTimes = 0x01, 0x04, 0x08
	winPacket                         = 32 << 10
)

// session signs in as WinSCP does, which offers version 6, and looks at the folder in which it starts.
func (r *rig) winSession() *raw {
	r.t.Helper()
	w := r.subsystem(r.dial(acme, password))
	w.sendRaw(1, u32(6))
	if kind, body := w.receive(); kind != 2 || binary.BigEndian.Uint32(body) != 3 {
		r.t.Fatalf("VERSION: %d % x", kind, body)
	}
	w.send(16, field("."))
	if kind, body := w.receive(); kind != 104 || !bytes.Contains(body, field("/")) {
		r.t.Fatalf("REALPATH: %d %q", kind, body)
	}
	w.list("/")
	return w
}

// list reads a folder to its end.
func (w *raw) list(path string) (names [][]byte) {
	w.t.Helper()
	w.send(11, field(path))
	kind, body := w.receive()
	if kind != 102 {
		w.t.Fatalf("OPENDIR %s: %d %q", path, kind, body)
	}
	handle := string(body[8:])
	for {
		w.send(12, field(handle))
		if kind, body = w.receive(); kind != 104 {
			break
		}
		names = append(names, body[8:])
	}
	if kind != 101 || binary.BigEndian.Uint32(body[4:]) != 1 {
		w.t.Fatalf("READDIR %s ends with %d % x", path, kind, body)
	}
	w.close(handle)
	w.want(0, "")
	return names
}

// stat returns the size of what is at path, or -1 if nothing is.
func (w *raw) stat(kind byte, path string) int64 {
	w.t.Helper()
	w.send(kind, field(path))
	answer, body := w.receive()
	switch {
	case answer == 105:
		return int64(binary.BigEndian.Uint64(body[8:]))
	case answer == 101 && binary.BigEndian.Uint32(body[4:]) == 2:
		return -1
	}
	w.t.Fatalf("STAT %s: %d %q", path, answer, body)
	return 0
}

// upload sends data from offset on, without waiting for the answers to the packets before.
func (w *raw) upload(handle string, offset int, data []byte) {
	w.t.Helper()
	packets := 0
	for at := offset; at < len(data); at += winPacket {
		w.write(handle, uint64(at), data[at:min(at+winPacket, len(data))])
		packets++
	}
	for range packets {
		w.want(0, "")
	}
}

func TestRawWinSCPUploadsUnderATemporaryName(t *testing.T) {
	t.Parallel()
	const part = "/inbox/Matters.csv.filepart"
	r := newRig(t)
	data := sample(300_000)
	r.store(ingest.EntryDrop, "/inbox/Matters.csv", []byte("yesterday's"))
	w := r.winSession()
	if w.stat(17, "/inbox/Matters.csv") != 11 || w.stat(7, part) != -1 {
		t.Error("the file before, or a part of it")
	}
	handle := w.open(part, write|create|trunc)
	w.upload(handle, 0, data[:200_000])
	check(t, w.conn.Close()) // the network is gone
	eventually(t, "the partial", func() bool {
		_, err := r.ledger.Lookup(t.Context(), acme, part)
		return err == nil
	})

	w = r.winSession()
	size := w.stat(17, part)
	if size != 200_000 {
		t.Fatalf("%d bytes to resume from", size)
	}
	handle = w.open(part, write) // neither CREAT nor APPEND
	w.send(8, field(handle))
	if kind, body := w.receive(); kind != 105 || int64(binary.BigEndian.Uint64(body[8:])) != size {
		t.Fatalf("FSTAT: %d % x", kind, body)
	}
	w.upload(handle, int(size), data)
	w.close(handle)
	w.want(0, "")
	if n := len(r.ledger.registered()); n != 0 {
		t.Fatalf("%d drops before the rename", n)
	}
	w.send(13, field("/inbox/Matters.csv")) // it replaces by removing first
	w.want(0, "")
	w.send(18, field(part), field("/inbox/Matters.csv"))
	w.want(0, "")
	w.send(9, field("/inbox/Matters.csv"), u32(setPermissions|setTimes), u32(0o644), u32(5), u32(7))
	w.want(0, "")
	if !bytes.Equal(r.only("/inbox/Matters.csv"), data) {
		t.Error("the bytes differ")
	}
	if w.stat(17, part) != -1 || len(w.list("/inbox")) != 1 {
		t.Error("the part is still there")
	}
}

func TestRawFileZillaMakesFoldersAndResumes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	data := sample(100_000)
	w := r.winSession()
	// It goes into each folder of a path by REALPATH and OPENDIR, and makes those that it cannot list.
	w.list("/inbox")
	for _, folder := range []string{"/inbox/2026", "/inbox/2026/11"} {
		w.send(11, field(folder))
		w.want(2, "")
		w.send(14, field(folder), u32(0))
		w.want(0, "")
		w.list(folder)
	}
	handle := w.open("/inbox/2026/11/A.csv", write|create|trunc)
	w.upload(handle, 0, data[:60_000])
	check(t, w.conn.Close())
	eventually(t, "the partial", func() bool {
		_, err := r.ledger.Lookup(t.Context(), acme, "/inbox/2026/11/A.csv")
		return err == nil
	})
	w = r.winSession()
	handle = w.open("/inbox/2026/11/A.csv", write)
	w.send(8, field(handle))
	if kind, body := w.receive(); kind != 105 || binary.BigEndian.Uint64(body[8:]) != 60_000 {
		t.Fatalf("FSTAT: %d % x", kind, body)
	}
	w.upload(handle, 60_000, data)
	w.send(10, field(handle), u32(setTimes), u32(5), u32(7))
	w.want(0, "")
	w.send(10, field(handle), u32(setSize), u64(100_000)) // as some say what they have sent
	w.want(0, "")
	w.close(handle)
	w.want(0, "")
	if !bytes.Equal(r.only("/inbox/2026/11/A.csv"), data) {
		t.Error("the bytes differ")
	}
}
