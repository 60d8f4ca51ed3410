package sftpd_test

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"testing"

	"dropline/ingest"
)

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
