package unpack

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	"dropline/ingest"
)

// source reads the stored bytes. It remembers an error of the store, so that this is not taken for a fault of the file.
type source struct {
	body io.ReadCloser
	n    atomic.Int64 // it is read in one goroutine, and asked for in another
	err  error
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.body.Read(p)
	s.n.Add(int64(n))
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// guarded reads what is unpacked, as far as it may expand. An error of the store comes as it is; any other is the file's.
type guarded struct {
	what    string // for people
	name    string // in the budget
	from    *source
	decoder io.Reader
	own     func() int64 // bytes that it may become by itself
	budget  *Budget
	size    int64
}

// Read implements io.Reader.
func (g *guarded) Read(p []byte) (int, error) {
	n, err := g.decoder.Read(p)
	if g.size += int64(n); g.size > MaxExpansion<<10 { // what is small does no harm
		if over := g.size - g.own(); over > 0 && !g.budget.take(g.name, over) {
			return 0, tooLarge(g.what)
		}
	}
	return n, g.judge(err)
}

// judge says whose fault an error is.
func (g *guarded) judge(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	if g.from != nil && g.from.err != nil {
		return g.from.err
	}
	var refusal *ingest.FileRefusal
	if errors.As(err, &refusal) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errClosed) {
		return err
	}
	return damaged(g.what, err)
}

const (
	aheadBlocks = 4         // unpacked ahead of who reads
	aheadBytes  = 256 << 10 // each
)

var errClosed = errors.New("the text was closed")

// ahead unpacks in a goroutine of its own, so that it runs beside the mapping of what was unpacked before.
type ahead struct {
	full  chan []byte
	empty chan []byte
	quit  chan struct{}
	done  chan struct{}
	err   error // of the source, valid once full is closed
	held  []byte
	at    int
}

func readAhead(r io.Reader) *ahead {
	a := &ahead{
		full: make(chan []byte, aheadBlocks), empty: make(chan []byte, aheadBlocks), quit: make(chan struct{}), done: make(chan struct{}),
	}
	for range aheadBlocks {
		a.empty <- make([]byte, aheadBytes)
	}
	go a.fill(r)
	return a
}

func (a *ahead) fill(r io.Reader) {
	defer close(a.done)
	defer close(a.full)
	for {
		var block []byte
		select {
		case block = <-a.empty:
		case <-a.quit:
			a.err = errClosed
			return
		}
		n, err := io.ReadFull(r, block[:aheadBytes])
		if n > 0 {
			a.full <- block[:n] // there is room: as many blocks as places
		}
		if err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) && isBare(err) {
				err = io.EOF
			}
			a.err = err
			return
		}
	}
}

// isBare reports whether an error is io.ErrUnexpectedEOF itself, which io.ReadFull makes of the end of the text.
func isBare(err error) bool { return err == io.ErrUnexpectedEOF } //nolint:errorlint // identity is what is asked

// Read implements io.Reader.
func (a *ahead) Read(p []byte) (int, error) {
	for a.at == len(a.held) {
		if a.held != nil {
			a.empty <- a.held // there is room
			a.held, a.at = nil, 0
		}
		block, ok := <-a.full
		if !ok {
			return 0, a.err
		}
		a.held, a.at = block, 0
	}
	n := copy(p, a.held[a.at:])
	a.at += n
	return n, nil
}

// Close ends the unpacking and waits for its end.
func (a *ahead) Close() error {
	close(a.quit)
	<-a.done
	return nil
}
