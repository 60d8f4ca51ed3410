package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"sync"
	"time"

	"dropline/ingest"
)

// memoryBucket keeps objects in memory.
type memoryBucket struct {
	mu      sync.Mutex
	objects map[string][]byte
	pending int   // writers neither committed nor aborted
	broken  error // answered by every method
	cutAt   int   // bytes after which reading fails; 0: never
}

func newMemoryBucket() *memoryBucket { return &memoryBucket{objects: map[string][]byte{}} }

func (b *memoryBucket) put(key, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.objects[key] = []byte(text)
}

func (b *memoryBucket) open() (objects, pending int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.objects), b.pending
}

func (b *memoryBucket) object(key string) (ingest.Object, []byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	data, ok := b.objects[key]
	switch {
	case b.broken != nil:
		return ingest.Object{}, nil, b.broken
	case !ok:
		return ingest.Object{}, nil, absent("object")
	}
	sum := sha256.Sum256(data)
	return ingest.Object{Key: key, Size: int64(len(data)), ETag: `"` + hex.EncodeToString(sum[:8]) + `"`}, data, nil
}

func (b *memoryBucket) Create(_ context.Context, key string) (ingest.ObjectWriter, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pending++
	return &memoryWriter{bucket: b, key: key}, b.broken
}

func (b *memoryBucket) Append(context.Context, string, string, int64) (ingest.ObjectWriter, error) {
	return nil, ingest.Errorf(ingest.Internal, "fake", "not asked for")
}

func (b *memoryBucket) Open(_ context.Context, key string, offset, length int64, ifMatch string) (io.ReadCloser, ingest.Object, error) {
	o, data, err := b.object(key)
	if err != nil {
		return nil, o, err
	}
	if ifMatch != "" && ifMatch != o.ETag || offset > o.Size {
		return nil, o, ingest.Errorf(ingest.Conflict, "fake", "changed")
	}
	data = data[offset:]
	if length >= 0 {
		data = data[:min(length, int64(len(data)))]
	}
	var r io.Reader = bytes.NewReader(data)
	if b.cutAt > 0 {
		r = io.MultiReader(bytes.NewReader(data[:min(b.cutAt, len(data))]), failingReader{})
	}
	return io.NopCloser(r), o, nil
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) {
	return 0, ingest.Errorf(ingest.Unavailable, "fake", "S3 went away at 10.0.0.7")
}

func (b *memoryBucket) Stat(_ context.Context, key string) (ingest.Object, error) {
	o, _, err := b.object(key)
	return o, err
}

func (b *memoryBucket) Delete(_ context.Context, key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.objects, key)
	return b.broken
}

func (b *memoryBucket) List(_ context.Context, prefix, _ string, yield func(ingest.Object) bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key, data := range b.objects {
		if strings.HasPrefix(key, prefix) && !yield(ingest.Object{Key: key, Size: int64(len(data))}) {
			break
		}
	}
	return b.broken
}

func (b *memoryBucket) AbortStale(context.Context, time.Time) error { return b.broken }

func (b *memoryBucket) Healthy(context.Context) error { return b.broken }

type memoryWriter struct {
	bucket *memoryBucket
	key    string
	data   bytes.Buffer
	done   bool
}

func (w *memoryWriter) Write(p []byte) (int, error) { return w.data.Write(p) }

func (w *memoryWriter) Size() int64 { return int64(w.data.Len()) }

func (w *memoryWriter) Commit(context.Context, map[string]string) (ingest.Object, error) {
	w.finish()
	w.bucket.put(w.key, w.data.String())
	return ingest.Object{Key: w.key, Size: w.Size()}, nil
}

func (w *memoryWriter) Abort(context.Context) error {
	w.finish()
	return nil
}

func (w *memoryWriter) finish() {
	w.bucket.mu.Lock()
	defer w.bucket.mu.Unlock()
	if !w.done {
		w.done = true
		w.bucket.pending--
	}
}
