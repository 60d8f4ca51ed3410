package unpack

import (
	"context"
	"io"
	"sync"
)

const (
	// skipAhead is how far it is cheaper to read on in an open stream than to begin another.
	skipAhead = 1 << 20
	// maxStreams is how many streams of a file are open at a time: one for each member that is being read, and one for the directory.
	maxStreams = 3
)

// ranges reads a stored file from anywhere, as archives are. Reading on where it stopped goes on in the same stream: there is no
// request for each piece of it.
type ranges struct {
	ctx    context.Context //nolint:containedctx // io.ReaderAt has none
	stored Stored
	mu     sync.Mutex
	at     []*stream // used last first
	n      int64
	err    error
}

type stream struct {
	body io.ReadCloser
	pos  int64
}

func newRanges(ctx context.Context, stored Stored) *ranges { return &ranges{ctx: ctx, stored: stored} }

// ReadAt implements io.ReaderAt.
func (r *ranges) ReadAt(p []byte, off int64) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if off >= r.stored.Size {
		return 0, io.EOF
	}
	short := off+int64(len(p)) > r.stored.Size
	if short {
		p = p[:r.stored.Size-off]
	}
	s, err := r.streamAt(off)
	if err != nil {
		r.err = err
		return 0, err
	}
	n, err := io.ReadFull(s.body, p)
	s.pos += int64(n)
	r.n += int64(n)
	if err != nil { // the object is as long as its size says, so this is the store's
		r.err = err
		r.drop(s)
		return n, err
	}
	if short {
		return n, io.EOF
	}
	return n, nil
}

// streamAt returns a stream that stands at off.
func (r *ranges) streamAt(off int64) (*stream, error) {
	for i, s := range r.at {
		if s.pos > off || off-s.pos > skipAhead {
			continue
		}
		if n, err := io.CopyN(io.Discard, s.body, off-s.pos); err != nil {
			s.pos += n
			r.drop(s)
			return nil, err
		}
		s.pos = off
		copy(r.at[1:i+1], r.at[:i])
		r.at[0] = s
		return s, nil
	}
	if len(r.at) == maxStreams {
		r.drop(r.at[maxStreams-1])
	}
	body, err := r.stored.Open(r.ctx, off)
	if err != nil {
		return nil, err
	}
	r.at = append([]*stream{{body, off}}, r.at...)
	return r.at[0], nil
}

func (r *ranges) drop(s *stream) {
	_ = s.body.Close() // it was only read
	for i := range r.at {
		if r.at[i] == s {
			r.at = append(r.at[:i], r.at[i+1:]...)
			return
		}
	}
}

// read is how many bytes have been read.
func (r *ranges) read() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n
}

// failed returns the error of the store that there was, if any.
func (r *ranges) failed() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// Close ends all streams.
func (r *ranges) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.at) > 0 {
		r.drop(r.at[0])
	}
	return nil
}
