package sftpd_test

import (
	"bytes"
	"context"
	"io"
	"slices"
	"sync"

	"dropline/ingest"
)

// memoryBucket keeps objects in memory, or forgets their bytes if discard is set.
type memoryBucket struct {
	ingest.Bucket // what is not implemented panics

	discard bool
	short   int64 // if not 0, every object ends there
	mu      sync.Mutex
	objects map[string][]byte
	opened  int
	fault   func(op string, size int64) error
}

func newMemoryBucket() *memoryBucket { return &memoryBucket{objects: map[string][]byte{}} }

func (b *memoryBucket) setFault(fault func(op string, size int64) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fault = fault
}

func (b *memoryBucket) check(op string, size int64) error {
	b.mu.Lock()
	fault := b.fault
	b.mu.Unlock()
	if fault == nil {
		return nil
	}
	return fault(op, size)
}

func (b *memoryBucket) object(key string) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.objects[key]
}

func (b *memoryBucket) Create(_ context.Context, key string) (ingest.ObjectWriter, error) {
	return &memoryWriter{b: b, key: key}, b.check("create", 0)
}

func (b *memoryBucket) Append(_ context.Context, key, from string, size int64) (ingest.ObjectWriter, error) {
	return &memoryWriter{b: b, key: key, data: slices.Clone(b.object(from)[:size]), size: size}, b.check("append", size)
}

func (b *memoryBucket) Open(_ context.Context, key string, offset, length int64, _ string) (io.ReadCloser, ingest.Object, error) {
	if err := b.check("open", length); err != nil {
		return nil, ingest.Object{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.opened++
	data, ok := b.objects[key]
	if !ok {
		return nil, ingest.Object{}, ingest.Errorf(ingest.NotFound, "fake", "no object")
	}
	if b.short > 0 {
		length = max(min(length, b.short-offset), 0)
	}
	return io.NopCloser(bytes.NewReader(data[offset : offset+length])), ingest.Object{Key: key, Size: int64(len(data)), ETag: "e"}, nil
}

func (b *memoryBucket) Delete(_ context.Context, key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.objects, key)
	return nil
}

type memoryWriter struct {
	b    *memoryBucket
	key  string
	data []byte
	size int64
	err  error
}

func (w *memoryWriter) Write(p []byte) (int, error) {
	if w.err == nil {
		w.err = w.b.check("write", w.size)
	}
	if w.err != nil {
		return 0, w.err
	}
	if !w.b.discard {
		w.data = append(w.data, p...)
	}
	w.size += int64(len(p))
	return len(p), nil
}

func (w *memoryWriter) Size() int64 { return w.size }

func (w *memoryWriter) Commit(context.Context, map[string]string) (ingest.Object, error) {
	if w.err == nil {
		w.err = w.b.check("commit", w.size)
	}
	if w.err != nil {
		return ingest.Object{}, w.err
	}
	w.b.mu.Lock()
	defer w.b.mu.Unlock()
	w.b.objects[w.key] = w.data
	return ingest.Object{Key: w.key, Size: w.size}, nil
}

func (w *memoryWriter) Abort(context.Context) error { return nil }
