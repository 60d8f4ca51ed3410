package sftpd

import (
	"errors"
	"slices"
	"sync/atomic"
)

// Bounds of what waits for bytes before it. Clients with many requests in flight send out of order by at most their window:
// pkg/sftp's and rclone's is 64 packets of 32 KiB, other clients' less. A file that needs more than this is sparse.
const (
	maxPendingBytes  = 16 << 20 // of one upload
	maxPendingChunks = 4096     // of one upload, so that tiny writes cannot cost more than their bytes
	maxPendingAhead  = 64 << 20 // from the first missing byte
)

var (
	errRewrite = errors.New("bytes that were sent already are sent again; this server takes each byte of a file once")
	errSparse  = errors.New("too many bytes were sent ahead of ones that are missing; files with gaps are not taken")
	errReorder = errors.New("the server has too many bytes waiting for ones before them; send the file in order")
	errGap     = errors.New("a part in the middle of the file was never sent")
)

// budget bounds the bytes that wait in all uploads together.
type budget struct {
	used atomic.Int64
	max  int64
}

func (b *budget) take(n int) bool {
	if b.used.Add(int64(n)) > b.max {
		b.used.Add(-int64(n))
		return false
	}
	return true
}

func (b *budget) give(n int) { b.used.Add(-int64(n)) }

type chunk struct {
	offset int64
	data   []byte
}

func (c chunk) end() int64 { return c.offset + int64(len(c.data)) }

// reorder keeps chunks that came too early, in the order of their offsets.
type reorder struct {
	budget *budget
	chunks []chunk
	bytes  int
}

// add keeps a copy of data, which belongs at offset; next is the first byte that is missing.
func (r *reorder) add(next, offset int64, data []byte) error {
	at, _ := slices.BinarySearchFunc(r.chunks, offset, func(c chunk, offset int64) int {
		if c.end() <= offset {
			return -1
		}
		return 1
	})
	switch {
	case at < len(r.chunks) && r.chunks[at].offset < offset+int64(len(data)):
		return errRewrite
	case offset+int64(len(data))-next > maxPendingAhead, r.bytes+len(data) > maxPendingBytes, len(r.chunks) >= maxPendingChunks:
		return errSparse
	case !r.budget.take(len(data)):
		return errReorder
	}
	r.chunks = slices.Insert(r.chunks, at, chunk{offset, slices.Clone(data)})
	r.bytes += len(data)
	return nil
}

// next takes out the first chunk if it begins at offset. It is an error if the first chunk begins before it.
func (r *reorder) next(offset int64) ([]byte, error) {
	if len(r.chunks) == 0 || r.chunks[0].offset > offset {
		return nil, nil
	}
	if r.chunks[0].offset < offset {
		return nil, errRewrite
	}
	data := r.chunks[0].data
	r.chunks = slices.Delete(r.chunks, 0, 1)
	r.bytes -= len(data)
	r.budget.give(len(data))
	return data, nil
}

func (r *reorder) empty() bool { return len(r.chunks) == 0 }

// clear forgets all chunks.
func (r *reorder) clear() {
	r.budget.give(r.bytes)
	r.chunks, r.bytes = nil, 0
}
