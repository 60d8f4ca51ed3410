package bucket

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"sync"
)

const (
	// smallChunk is what an upload takes first, and bigChunk from smallParts bytes on: hundreds of sessions with a
	// small file each hold little, and a part is a few pieces.
	smallChunk = 64 << 10
	bigChunk   = 1 << 20
	smallParts = 4 * smallChunk
)

// budget is the memory that all uploads share, taken in chunks.
//
// Uploads hold chunks while they wait for more, so a plain semaphore could lock up: all of it held by parts too short
// to be sent, waiting for each other's. It never does: an upload waits only while some part is on its way to the
// server, as that one's chunks come back. When none is, the next chunk is granted over the budget. That takes many
// clients that stop in the middle of a part at once, and each of them can hold a part at most.
type budget struct {
	small, big sync.Pool

	mu      sync.Mutex
	free    int64
	flying  int           // parts on their way
	changed chan struct{} // closed and replaced when chunks come back
	peak    int64         // the most that was taken at once
	limit   int64
}

func newBudget(limit int64) *budget {
	return &budget{
		free: limit, limit: limit, changed: make(chan struct{}),
		small: sync.Pool{New: func() any { b := make([]byte, smallChunk); return &b }},
		big:   sync.Pool{New: func() any { b := make([]byte, bigChunk); return &b }},
	}
}

// take returns a chunk of size bytes, smallChunk or bigChunk. full is called, without waiting, when the budget is used
// up: it returns true if the caller can free memory by sending what it has, and take then fails with errSendFirst.
func (b *budget) take(ctx context.Context, size int64, full func() bool) ([]byte, error) {
	for {
		b.mu.Lock()
		if b.free >= size || b.flying == 0 {
			canSend := b.free < size && full()
			if !canSend {
				b.free -= size
				b.peak = max(b.peak, b.limit-b.free)
			}
			b.mu.Unlock()
			if canSend {
				return nil, errSendFirst
			}
			pool := &b.big
			if size == smallChunk {
				pool = &b.small
			}
			return *pool.Get().(*[]byte), nil
		}
		changed := b.changed
		b.mu.Unlock()
		if full() {
			return nil, errSendFirst
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// errSendFirst tells an upload to send the part it is filling, though it could be longer.
var errSendFirst = errors.New("the memory for uploads is used up")

// launched and landed count the parts on their way to the server.
func (b *budget) launched() {
	b.mu.Lock()
	b.flying++
	b.mu.Unlock()
}

func (b *budget) landed(p *part) {
	b.mu.Lock()
	b.flying--
	b.mu.Unlock()
	b.give(p)
}

// give takes a part's chunks back.
func (b *budget) give(p *part) {
	var n int64
	for _, c := range p.chunks {
		n += int64(cap(c))
		if cap(c) == smallChunk {
			b.small.Put(&c)
		} else {
			b.big.Put(&c)
		}
	}
	*p = part{}
	b.mu.Lock()
	b.free += n
	close(b.changed)
	b.changed = make(chan struct{})
	b.mu.Unlock()
}

// part is a run of bytes in chunks, all full but the last. It is written once, then read any number of times.
type part struct {
	chunks [][]byte
	size   int64
	before int64 // bytes in all chunks but the last
}

// room is the unused end of the last chunk.
func (p *part) room() []byte {
	if len(p.chunks) == 0 {
		return nil
	}
	last := p.chunks[len(p.chunks)-1]
	return last[p.size-p.before:]
}

// add appends a chunk; the one before is full.
func (p *part) add(chunk []byte) {
	p.before = p.size
	p.chunks = append(p.chunks, chunk)
}

// nextChunk is the size of the chunk to add to the part of that number.
func (p *part) nextChunk(number int32) int64 {
	if number == 1 && p.size < smallParts {
		return smallChunk
	}
	return bigChunk
}

// crc32 is the checksum of the bytes as S3 writes it.
func (p *part) crc32() string {
	left, sum := p.size, uint32(0)
	for _, c := range p.chunks {
		n := min(left, int64(len(c)))
		sum = crc32.Update(sum, crc32.IEEETable, c[:n])
		left -= n
	}
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum))
}

func (p *part) reader() io.ReadSeeker { return &partReader{p: p} }

// partReader reads a part; the SDK seeks it to the start for each attempt.
type partReader struct {
	p     *part
	at    int64 // from the part's start
	chunk int   // the one that holds at
	off   int64 // of at in that chunk
}

func (r *partReader) Read(b []byte) (int, error) {
	total := 0
	for total < len(b) && r.at < r.p.size {
		c := r.p.chunks[r.chunk]
		n := copy(b[total:], c[r.off:min(int64(len(c)), r.off+r.p.size-r.at)])
		total += n
		r.at += int64(n)
		if r.off += int64(n); r.off == int64(len(c)) {
			r.chunk, r.off = r.chunk+1, 0
		}
	}
	if total == 0 && len(b) > 0 {
		return 0, io.EOF
	}
	return total, nil
}

func (r *partReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.p.size
	}
	if offset < 0 || offset > r.p.size {
		return 0, errors.New("seek outside the part")
	}
	r.at, r.off, r.chunk = offset, offset, 0
	for r.chunk < len(r.p.chunks) && r.off >= int64(len(r.p.chunks[r.chunk])) {
		r.off -= int64(len(r.p.chunks[r.chunk]))
		r.chunk++
	}
	return offset, nil
}
