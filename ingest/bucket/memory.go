package bucket

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// smallChunk is what an upload takes first, and bigChunk once it has smallPart bytes: hundreds of sessions with a
	// small file each hold little, and a part is a few pieces.
	smallChunk = 64 << 10
	bigChunk   = 1 << 20
	smallPart  = 4 * smallChunk
	// idleAfter is how long an upload's client must be silent for its memory to count no longer against the others:
	// longer than a busy machine makes a living client wait, shorter than one notices.
	idleAfter = 3 * time.Second
	// slowAfter is how long, for each firstPartSize of it, a part may take to fill before it does not count either: who
	// sends a byte now and then is never idle. It is 140 KB/s, under which few lines are.
	slowAfter = time.Minute
)

// budget is the memory that all uploads share. Up to smallPart bytes an upload takes as it needs; before more it reserves
// what the part will have when full, and waits its turn for that. Who has reserved can therefore always go on and give
// back, so that uploads never wait for each other in a circle.
//
// A client may stop in the middle of a part, or trickle, and hold its reservation for as long as its session lasts. Once it
// is idle or too slow, and others wait, its reservation is handed on: memory then exceeds the budget by what such clients
// have sent of a part, which ingest.MaxUploads bounds for each tenant, and those who do send are not held up.
type budget struct {
	small, big sync.Pool
	slow       time.Duration // slowAfter, but in tests

	mu    sync.Mutex
	limit int64
	free  int64 // below zero while idle or small parts exceed the budget
	taken int64 // what chunks really take, counted or not
	peak  int64
	holds map[*part]bool
	queue []*waiter
}

type waiter struct {
	p     *part
	n     int64
	ready chan struct{} // closed when the reservation is made
}

func newBudget(limit int64) *budget {
	return &budget{
		free: limit, limit: limit, slow: slowAfter, holds: make(map[*part]bool),
		small: sync.Pool{New: func() any { b := make([]byte, smallChunk); return &b }},
		big:   sync.Pool{New: func() any { b := make([]byte, bigChunk); return &b }},
	}
}

// extend adds a chunk to p, the part with that number, which will have full bytes at most.
func (b *budget) extend(ctx context.Context, p *part, number int32, full int64) error {
	size, pool := int64(bigChunk), &b.big
	if number == 1 && p.size < smallPart {
		size, pool = smallChunk, &b.small
	} else if !p.reserved {
		if err := b.reserve(ctx, p, full); err != nil {
			return err
		}
		p.reserved = true
	}
	b.mu.Lock()
	b.taken += size
	b.peak = max(b.peak, b.taken)
	b.mu.Unlock()
	p.add(*pool.Get().(*[]byte))
	return nil
}

// reserve waits for n bytes.
func (b *budget) reserve(ctx context.Context, p *part, n int64) error {
	w := &waiter{p: p, n: min(n, b.limit), ready: make(chan struct{})}
	b.mu.Lock()
	b.queue = append(b.queue, w)
	b.serve()
	b.mu.Unlock()
	ticker := time.NewTicker(idleAfter / 4)
	defer ticker.Stop()
	for {
		select {
		case <-w.ready:
			return nil
		case <-ticker.C:
			b.mu.Lock()
			b.passOver()
			b.serve()
			b.mu.Unlock()
		case <-ctx.Done():
			b.mu.Lock()
			defer b.mu.Unlock()
			select {
			case <-w.ready: // just now, after all: give releases it
				return nil
			default:
			}
			b.queue = slices.DeleteFunc(b.queue, func(o *waiter) bool { return o == w })
			b.serve()
			return context.Cause(ctx)
		}
	}
}

// serve grants what there is, first come first served. The lock is held.
func (b *budget) serve() {
	for len(b.queue) > 0 && b.free >= b.queue[0].n {
		w := b.queue[0]
		b.queue = b.queue[1:]
		b.free -= w.n
		w.p.counted = w.n
		w.p.granted = time.Now()
		w.p.touched.Store(w.p.granted.UnixNano())
		b.holds[w.p] = true
		close(w.ready)
	}
}

// passOver takes the reservations of idle and slow parts off the budget. The lock is held.
func (b *budget) passOver() {
	now := time.Now()
	for p := range b.holds {
		idle := now.UnixNano()-p.touched.Load() > int64(idleAfter)
		slow := now.Sub(p.granted) > b.slow*time.Duration(1+p.counted/firstPartSize)
		if (idle || slow) && !p.sending.Load() {
			b.free += p.counted
			p.counted = 0
			delete(b.holds, p)
		}
	}
}

// give takes a part's memory back.
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
	p.chunks, p.size, p.before = nil, 0, 0
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken -= n
	b.free += p.counted
	p.counted = 0
	delete(b.holds, p)
	b.serve()
}

// use is what is taken now and what was at most, in bytes.
func (b *budget) use() (now, peak int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.taken, b.peak
}

// part is a run of bytes in chunks, all full but the last. It is written once, then read any number of times.
type part struct {
	chunks [][]byte
	size   int64
	before int64 // bytes in all chunks but the last

	reserved bool         // its owner's: a reservation was made
	counted  int64        // the budget's: what is reserved for it now
	granted  time.Time    // the budget's: when that was reserved
	touched  atomic.Int64 // when it was last written to
	sending  atomic.Bool  // it is complete
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

// Seek implements io.Seeker: the SDK rewinds a part to send it again.
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
