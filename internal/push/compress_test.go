package push_test

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"dropline/internal/push"
	"dropline/loader"
)

// decompress opens what was compressed as the server does.
func decompress(t *testing.T, r io.Reader) io.Reader {
	t.Helper()
	d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(loader.PartWindow))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// counted is a buffer whose length can be asked while it is written.
type counted struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (c *counted) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.b.Write(p)
}

func (c *counted) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.b.Len()
}

// TestSignsOfLife: while nothing is written, what was written comes out and then more, and the rows are the same.
func TestSignsOfLife(t *testing.T) {
	t.Parallel()
	var out counted
	grows := func(what string) {
		before := out.Len()
		for deadline := time.Now().Add(10 * time.Second); out.Len() == before; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: nothing came out", what)
			}
		}
	}
	err := push.Compress(&out, 10*time.Millisecond, func(w io.Writer) error {
		grows("before the first row")
		for _, rows := range []string{"a,b\n1,2\n", "3,4\n", "5,6\n"} {
			if _, err := io.WriteString(w, rows); err != nil {
				return err
			}
			grows("after rows")
			grows("after silence")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(decompress(t, &out.b))
	if err != nil || string(got) != "a,b\n1,2\n3,4\n5,6\n" {
		t.Errorf("it is %q, %v", got, err)
	}
}

// TestNothingIsAFile: without a row written, the file is one that can be read.
func TestNothingIsAFile(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := push.Compress(&out, time.Minute, func(io.Writer) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(decompress(t, &out)); err != nil || len(got) != 0 {
		t.Errorf("it is %q, %v", got, err)
	}
}

// TestRepetitiveRows are not taken for a file that is made to fill the server: it is no smaller than that expects.
func TestRepetitiveRows(t *testing.T) {
	t.Parallel()
	chunk := []byte(strings.Repeat("the same,row\n", 80_000))
	var out bytes.Buffer
	raw := int64(0)
	err := push.Compress(&out, time.Minute, func(w io.Writer) error {
		for raw <= loader.FreeExpansion {
			if _, err := w.Write(chunk); err != nil {
				return err
			}
			raw += int64(len(chunk))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if int64(out.Len())*loader.MaxExpansion < raw || int64(out.Len()) > raw/loader.MaxExpansion+1<<20 {
		t.Errorf("%d bytes became %d", raw, out.Len())
	}
	n, err := io.Copy(io.Discard, decompress(t, &out))
	if err != nil || n != raw {
		t.Errorf("of %d bytes %d came out: %v", raw, n, err)
	}
}
