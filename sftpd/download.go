package sftpd

import (
	"context"
	"errors"
	"io"
	"sync"

	"dropline/ingest"
)

// Bounds of a download. Clients keep many READs in flight, of which pkg/sftp serves eight at a time in any order: at most
// eight packets of 255 KiB lie between the first and the last of them.
const (
	downloadBlock  = 256 << 10
	downloadBlocks = 10 // kept behind the furthest byte read: eight READs that straddle blocks
	downloadAhead  = 4 << 20
)

// download reads an object in order through one request, and again from another place when a READ goes there.
type download struct {
	s     *session
	entry ingest.Entry

	mu     sync.Mutex
	body   io.ReadCloser
	stop   context.CancelFunc
	etag   string
	blocks [][]byte // the bytes from start to end
	start  int64
	end    int64
	closed bool
}

func newDownload(s *session, entry ingest.Entry) *download { return &download{s: s, entry: entry} }

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
	if offset < 0 || offset >= d.entry.Size || d.closed {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), d.entry.Size-offset)]
	if d.body == nil || offset < d.start || offset > d.end+downloadAhead {
		if err := d.reopen(offset); err != nil {
			return 0, err
		}
	}
	for n := 0; ; {
		n += d.buffered(p[n:], offset+int64(n))
		if n == len(p) {
			return n, nil
		}
		if err := d.fill(); err != nil {
			d.shut()
			return 0, err
		}
	}
}

// buffered copies to p what is held from offset on.
func (d *download) buffered(p []byte, offset int64) (n int) {
	at := d.start
	for _, block := range d.blocks {
		if from := offset + int64(n) - at; from >= 0 && from < int64(len(block)) {
			n += copy(p[n:], block[from:])
		}
		at += int64(len(block))
	}
	return n
}

// fill reads one more block and lets go of the oldest.
func (d *download) fill() error {
	var block []byte
	if len(d.blocks) >= downloadBlocks {
		block = d.blocks[0]
		d.start += int64(len(block))
		d.blocks = append(d.blocks[:0], d.blocks[1:]...)
	}
	if cap(block) < downloadBlock {
		block = make([]byte, min(downloadBlock, d.entry.Size-d.end))
	}
	block = block[:min(int64(cap(block)), d.entry.Size-d.end)]
	n, err := io.ReadFull(d.body, block)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // the object is shorter than it was registered: not the file's end
	}
	if err != nil {
		return ingest.E(ingest.KindOf(err), "sftpd.Read", err)
	}
	d.blocks = append(d.blocks, block)
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
	}
}

// Close implements io.Closer.
func (d *download) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.closed = true
		d.shut()
		d.s.giveHandle()
	}
	return nil
}
