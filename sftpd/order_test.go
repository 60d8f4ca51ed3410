package sftpd_test

import (
	"bytes"
	"crypto/sha256"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"dropline/sftpd"
)

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
			w.want(failure, "not open for reading")
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
