package sftpd

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"dropline/ingest"
)

// Bounds of a download. Clients keep many READs in flight, of which pkg/sftp serves eight at a time in any order.
const (
	downloadBlock  = 256 << 10
	downloadBlocks = 10 // kept behind the furthest byte read: eight READs that straddle blocks
	downloadAhead  = 4 << 20
	// downloadLag is how long a block is kept for a READ that has not come for it yet. While one of the eight is slow the
	// others take any number of later packets; without the wait they would leave it behind, and the object be opened again.
	downloadLag = 250 * time.Millisecond
)

// download reads an object in order through one request, and again from another place when a READ goes there.
type download struct {
	s     *session
	entry ingest.Entry

	mu     sync.Mutex
	body   io.ReadCloser
	stop   context.CancelFunc
	etag   string
	blocks []block // the bytes from start to end
	start  int64
	end    int64
	closed bool
	skips  bool       // the client leaves bytes out: nobody waits for those
	served *sync.Cond // bytes of a block that is waited for have been taken
}

// block is a piece of the object, and how many of its bytes no READ has taken yet.
type block struct {
	bytes []byte
	left  int
}

func newDownload(s *session, entry ingest.Entry) *download {
	d := &download{s: s, entry: entry}
	d.served = sync.NewCond(&d.mu)
	return d
}

// ReadAt implements io.ReaderAt. It is called by several goroutines.
func (d *download) ReadAt(p []byte, offset int64) (int, error) {
	n, err := guard(d.s, "read", d.entry.Path, func(context.Context) (int, error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.read(p, offset)
	})
	d.s.metrics.sent.Add(float64(n))
	return n, err
}

func (d *download) read(p []byte, offset int64) (int, error) {
	if offset < 0 || offset >= d.entry.Size {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), d.entry.Size-offset)]
	for n := 0; ; {
		if d.closed {
			return 0, io.EOF
		}
		if at := offset + int64(n); d.body == nil || at < d.start || at > d.end+downloadAhead {
			d.skips = d.skips && at >= d.start // it was late, not left out
			if err := d.reopen(at); err != nil {
				return 0, err
			}
		}
		n += d.buffered(p[n:], offset+int64(n))
		if n == len(p) {
			return n, nil
		}
		if d.awaited() {
			d.wait()
			continue // others have been at work meanwhile
		}
		if err := d.fill(); err != nil {
			d.shut()
			return 0, err
		}
	}
}

// awaited reports whether the block that would be let go of next has bytes that a READ under way will most likely want.
func (d *download) awaited() bool {
	return !d.skips && len(d.blocks) >= downloadBlocks && d.blocks[0].left > 0
}

// wait lets others at the oldest block, for a moment. Afterwards nobody awaits it, or what is held is another piece.
func (d *download) wait() {
	late := false
	timer := time.AfterFunc(downloadLag, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		late = true
		d.served.Broadcast()
	})
	defer timer.Stop()
	for start := d.start; !late && !d.closed && d.body != nil && d.start == start && d.awaited(); {
		d.served.Wait()
	}
	d.skips = d.skips || late
}

// buffered copies to p what is held from offset on.
func (d *download) buffered(p []byte, offset int64) (n int) {
	at := d.start
	for i := range d.blocks {
		b := &d.blocks[i]
		if from := offset + int64(n) - at; from >= 0 && from < int64(len(b.bytes)) {
			taken := copy(p[n:], b.bytes[from:])
			n += taken
			if b.left -= taken; i == 0 && b.left <= 0 {
				d.served.Broadcast()
			}
		}
		at += int64(len(b.bytes))
	}
	return n
}

// fill reads one more block and lets go of the oldest.
func (d *download) fill() error {
	var bytes []byte
	if len(d.blocks) >= downloadBlocks {
		bytes = d.blocks[0].bytes
		d.start += int64(len(bytes))
		d.blocks = append(d.blocks[:0], d.blocks[1:]...)
	}
	if cap(bytes) < downloadBlock {
		bytes = make([]byte, min(downloadBlock, d.entry.Size-d.end))
	}
	bytes = bytes[:min(int64(cap(bytes)), d.entry.Size-d.end)]
	n, err := io.ReadFull(d.body, bytes)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // the object is shorter than it was registered: not the file's end
	}
	if err != nil {
		return ingest.E(ingest.KindOf(err), "sftpd.Read", err)
	}
	d.blocks = append(d.blocks, block{bytes: bytes, left: len(bytes)})
	d.end += int64(n)
	return nil
}

// reopen starts over at offset. The request lives until the next one, Close or the end of the session, not only for the
// READ that caused it.
func (d *download) reopen(offset int64) error {
	d.shut()
	ctx, cancel := context.WithCancel(d.s.ctx)
	body, object, err := d.s.bucket.Open(ctx, d.entry.Key, offset, d.entry.Size-offset, d.etag)
	if err != nil {
		cancel()
		return err
	}
	d.body, d.stop, d.etag = body, cancel, object.ETag
	d.start, d.end = offset, offset
	return nil
}

func (d *download) shut() {
	if d.body != nil {
		d.stop()
		_ = d.body.Close() // nothing more is wanted of it
		d.body, d.blocks = nil, nil
		d.served.Broadcast()
	}
}

// Close implements io.Closer.
func (d *download) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.closed = true
		d.shut()
		d.served.Broadcast()
		d.s.giveHandle()
	}
	return nil
}
