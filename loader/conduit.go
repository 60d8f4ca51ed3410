package loader

import (
	"errors"
	"io"
	"sync"
)

const (
	conduitChunk  = 64 << 10 // bytes handed over at a time
	conduitChunks = 16       // that may wait: what one side is ahead of the other
)

// conduit is a pipe with room, so that reading a database, checking its rows and storing them go on side by side. One
// goroutine writes and one reads. Its memory is conduitChunk × conduitChunks.
type conduit struct {
	full chan []byte // waiting to be read
	free chan []byte
	done chan struct{} // closed when the reader wants no more

	rest []byte // of the chunk being read
	last []byte // that chunk whole
	once sync.Once
	err  error // why the writer ended; set before full is closed
	stop error // why the reader ended; set before done is closed
}

func newConduit() *conduit {
	c := &conduit{full: make(chan []byte, conduitChunks), free: make(chan []byte, conduitChunks), done: make(chan struct{})}
	for range conduitChunks {
		c.free <- nil // made when first needed: most relations are small
	}
	return c
}

// Write implements io.Writer. It waits for room, and fails with the reader's reason once that has given up.
func (c *conduit) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		var chunk []byte
		select {
		case chunk = <-c.free:
		case <-c.done:
			return written, c.stop
		}
		if chunk == nil {
			chunk = make([]byte, 0, conduitChunk)
		}
		n := min(len(p), conduitChunk)
		c.full <- append(chunk[:0], p[:n]...) // there is room: a chunk is in one channel at a time
		p, written = p[n:], written+n
	}
	return written, nil
}

// end tells the reader that nothing follows, or why nothing does. It is called once, by the writer.
func (c *conduit) end(err error) {
	if err == nil {
		err = io.EOF
	}
	c.err = err
	close(c.full)
}

// Read implements io.Reader.
func (c *conduit) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		if c.last != nil {
			c.free <- c.last
			c.last = nil
		}
		chunk, ok := <-c.full
		if !ok {
			return 0, c.err
		}
		c.last, c.rest = chunk, chunk
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

var errNoReader = errors.New("its reader has ended")

// abandon tells the writer that nobody reads on. It may be called at any time and more than once.
func (c *conduit) abandon(err error) {
	if err == nil {
		err = errNoReader
	}
	c.once.Do(func() {
		c.stop = err
		close(c.done)
	})
}
