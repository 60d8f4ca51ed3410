package push

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"dropline/loader"
)

// quiet is how long a file that is being sent may stand still before a sign of life is put into it: servers, and whatever is in
// between, give up on a connection that is silent for a minute, which a database that sorts may well be.
const quiet = 15 * time.Second

// skippable begins a frame of zstd that stands for nothing, and is followed by its length in four bytes.
const skippable = 0x184D2A50

// compressor compresses what is written to it, counts and hashes what comes out, and keeps that flowing. Its memory is a few
// times loader.PartWindow.
type compressor struct {
	mu   sync.Mutex
	out  io.Writer
	enc  *zstd.Encoder
	open bool // the frame has something in it
	raw  int64
	size int64
	sum  hash.Hash
	last time.Time // of a byte that came out
	err  error
	stop chan struct{}
	over sync.WaitGroup
}

func newCompressor(out io.Writer, quiet time.Duration) (*compressor, error) {
	c := &compressor{out: out, sum: sha256.New(), stop: make(chan struct{}), last: time.Now()}
	var err error
	c.enc, err = zstd.NewWriter((*compressed)(c), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(loader.PartWindow), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	c.over.Go(func() { c.live(quiet) })
	return c, nil
}

// compressed is what takes a compressor's output. The compressor's lock is held.
type compressed compressor

// Write implements io.Writer.
func (c *compressed) Write(p []byte) (int, error) {
	n, err := c.out.Write(p)
	c.size += int64(n)
	c.sum.Write(p[:n])
	c.last = time.Now()
	return n, err
}

// Write implements io.Writer.
func (c *compressor) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return 0, c.err
	}
	c.raw += int64(len(p))
	c.open = true
	var n int
	n, c.err = c.enc.Write(p)
	return n, c.err
}

// live writes a sign of life whenever nothing came out for a while.
func (c *compressor) live(quiet time.Duration) {
	tick := time.NewTicker(quiet / 2)
	defer tick.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-tick.C:
			c.breathe(quiet)
		}
	}
}

func (c *compressor) breathe(quiet time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || time.Since(c.last) < quiet {
		return
	}
	if c.open { // what waits for more of its block is worth sending; the frame ends, and the next rows begin another
		c.err = c.enc.Close()
		c.enc.Reset((*compressed)(c))
		c.open = false
		return
	}
	c.err = c.skip(0)
}

// skip writes a frame that stands for nothing, of that many bytes.
func (c *compressor) skip(n int64) error {
	head := binary.LittleEndian.AppendUint32(nil, skippable)
	head = binary.LittleEndian.AppendUint32(head, uint32(n)) //nolint:gosec // below 4 GiB: a two-hundredth of a part
	if _, err := (*compressed)(c).Write(head); err != nil {
		return err
	}
	zeros := make([]byte, min(n, 64<<10))
	for n > 0 {
		written, err := (*compressed)(c).Write(zeros[:min(n, int64(len(zeros)))])
		if err != nil {
			return err
		}
		n -= int64(written)
	}
	return nil
}

// end completes the output. Rows that repeat themselves compress so well that the server takes the file for one that is made to
// fill it: such a file is stretched to what the server expects at least.
func (c *compressor) end() error {
	close(c.stop)
	c.over.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	if c.open || c.size == 0 {
		c.err = c.enc.Close()
	}
	if short := c.raw/loader.MaxExpansion + 1 - c.size; c.err == nil && short > 0 {
		c.err = c.skip(short)
	}
	return c.err
}

// giveUp lets go of what is not to be completed.
func (c *compressor) giveUp() {
	close(c.stop)
	c.over.Wait()
}
