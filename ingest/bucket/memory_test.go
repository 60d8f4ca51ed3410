package bucket_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/internal/devstack/devtest"
)

// TestIdleUploadsBlockNobody leaves uploads lying that hold all the memory there is.
func TestIdleUploadsBlockNobody(t *testing.T) {
	t.Parallel()
	cfg := config(devtest.S3(t))
	cfg.Memory = 24 << 20
	b := open(t, cfg)
	var idle []ingest.ObjectWriter
	for i := range 10 {
		w := create(t, b, fmt.Sprintf("drops/t/idle%d", i))
		if _, err := w.Write(noise(uint64(i), 3<<20)); err != nil {
			t.Fatal(err)
		}
		idle = append(idle, w)
	}
	body := noise(99, 50<<20)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	w, err := b.Create(ctx, "drops/t/busy")
	if err != nil {
		t.Fatal(err)
	}
	write(t, w, body, nil)
	if got, _ := read(t, b, "drops/t/busy", 0, -1); !bytes.Equal(got, body) {
		t.Errorf("%d other bytes", len(got))
	}
	for i, w := range idle {
		if o := write(t, w, []byte("end"), nil); o.Size != 3<<20+3 {
			t.Errorf("idle upload %d ends with %d bytes", i, o.Size)
		}
	}
	if now, peak := b.MemoryInUse(); now != 0 || peak > cfg.Memory+10*(7<<19) {
		t.Errorf("%d bytes in use at the end, %d at most", now, peak)
	}
	// Open handles that nothing was written to hold nothing.
	for i := range 500 {
		create(t, b, fmt.Sprintf("drops/t/open%d", i))
	}
	if now, _ := b.MemoryInUse(); now != 0 {
		t.Errorf("500 idle handles hold %d bytes", now)
	}
}

// TestTricklingUploadsBlockNobody has uploads hold all the memory there is and write a byte now and then.
func TestTricklingUploadsBlockNobody(t *testing.T) {
	t.Parallel()
	cfg := config(devtest.S3(t))
	cfg.Memory = 24 << 20
	b := open(t, cfg)
	b.SetSlowAfter(time.Second)
	stop := make(chan struct{})
	var trickling sync.WaitGroup
	defer trickling.Wait()
	defer close(stop)
	for i := range 3 {
		w := create(t, b, fmt.Sprintf("drops/t/slow%d", i))
		if _, err := w.Write(noise(uint64(i), 1<<20)); err != nil {
			t.Fatal(err)
		}
		trickling.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(100 * time.Millisecond):
				}
				if _, err := w.Write([]byte("x")); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	body := noise(98, 20<<20)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	w, err := b.Create(ctx, "drops/t/busy")
	if err != nil {
		t.Fatal(err)
	}
	write(t, w, body, nil)
	if got, _ := read(t, b, "drops/t/busy", 0, -1); !bytes.Equal(got, body) {
		t.Errorf("%d other bytes", len(got))
	}
}
