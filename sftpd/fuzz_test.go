package sftpd_test

import (
	"io"
	"slices"
	"strings"
	"testing"

	"dropline/sftpd"

	"github.com/google/go-cmp/cmp"
)

func FuzzSplitWords(f *testing.F) {
	for _, seed := range []string{"md5sum 'a b'", `echo "x\"y" z\ w`, "echo ${A}$B$(c)", "'", `\`, "$", "${"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		words, err := sftpd.SplitWords(line)
		if err != nil {
			return
		}
		// Quoted, the words come back as they are.
		var again []string
		for _, w := range words {
			again = append(again, "'"+strings.ReplaceAll(w, "'", `'\''`)+"'")
		}
		got, err := sftpd.SplitWords(strings.Join(again, " "))
		if err != nil || !cmp.Equal(got, words) && len(words) > 0 {
			t.Errorf("%q: %q, then %q, %v", line, words, got, err)
		}
	})
}

// FuzzPackets sends any bytes as packets after the start of a session, and looks whether the server still serves.
func FuzzPackets(f *testing.F) {
	r := newRig(f)
	conn := r.dial(acme, password)
	id := u32(1)
	for _, seed := range [][]byte{
		slices.Concat([]byte{3}, id, field("/inbox/A.csv"), u32(write|create|trunc), u32(0)),
		slices.Concat([]byte{6}, id, field("w1"), u64(0), field("data")),
		slices.Concat([]byte{10}, id, field("w1"), u32(0x8000000f), u64(0)),
		slices.Concat([]byte{9}, id, field("/inbox/A.csv"), u32(0xffffffff), u64(0)),
		slices.Concat([]byte{200}, id, field("fsync@openssh.com"), field("w1")),
		slices.Concat([]byte{200}, id, field("statvfs@openssh.com"), field("/")),
		slices.Concat([]byte{11}, id, field("/")),
		slices.Concat([]byte{12}, id, field("1")),
		slices.Concat([]byte{20}, id, field("a"), field("b")),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		w := (&rig{t: t}).subsystem(conn)
		w.sendRaw(1, []byte{0, 0, 0, 3})
		if kind, _ := w.receive(); kind != 2 {
			t.Fatalf("answer %d", kind)
		}
		w.open("/inbox/F.csv", write|create)
		_, _ = w.in.Write(append(u32(uint32(len(packet))), packet...)) // a session may end over it
		_ = w.in.Close()
		_, _ = io.Copy(io.Discard, w.out)
		again := (&rig{t: t}).subsystem(conn)
		again.sendRaw(1, []byte{0, 0, 0, 3})
		if kind, _ := again.receive(); kind != 2 {
			t.Errorf("answer %d", kind)
		}
		_ = again.in.Close()
		_, _ = io.Copy(io.Discard, again.out) // until the channel is free again
	})
}
