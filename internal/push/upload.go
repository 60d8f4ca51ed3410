package push

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
)

// held is a file that waits at the server.
type held struct {
	Size   int64
	SHA256 string // lower-case hex; empty where the server does not say
}

// destination is where parts go.
type destination interface {
	// name says where it is, for people and for the state: no secret is in it.
	name() string
	// prepare finds out for whom is pushed, and with HTTPS what the server knows of the tenant.
	prepare(ctx context.Context) (Tenant, error)
	held(ctx context.Context, batch string) (map[string]held, error)
	// send sends all of body. If that fails, or body does, nothing of it counts.
	send(ctx context.Context, batch, name string, body io.Reader) (held, error)
	// deliver makes an import of what is there; files are in the order of the plan.
	deliver(ctx context.Context, run *running) (delivery, error)
	discard(ctx context.Context, batch string) error
	// outcome says what became of what was delivered.
	outcome(ctx context.Context, p *pending) (outcome, error)
	// alive reports whether an import's rows are staged or in production.
	alive(ctx context.Context, id string) (live, promoted bool, err error)
	// mark is what deliver will need to find out later what became of it.
	mark(ctx context.Context) (string, error)
	close()
}

// delivery is what the server says of a delivered batch.
type delivery struct {
	Import     string // empty over SFTP, and where nothing was new
	Duplicates int    // files that equal the latest of their names
	Told       bool   // the server has said what is new
}

// outcome is what became of a delivered batch.
type outcome struct {
	Known  bool
	State  string          // of the import
	Import string          // its id
	Staged map[string]bool // files that were loaded without a refused row, by name
	Why    string          // where it is not known
}

// lazyBytes is how much of a part is held back before its upload begins: a reading that finds nothing needs none.
const lazyBytes = 64 << 10

var errGivenUp = errors.New("the upload was given up")

// upload takes a part as it is read, and sends it compressed.
type upload struct {
	begin   func(body io.Reader) (held, error)
	config  *Config
	early   []byte
	pipe    *io.PipeWriter
	packed  *compressor
	sent    chan struct{} // closed when the server has answered
	result  held
	failure error
}

func newUpload(cfg *Config, begin func(body io.Reader) (held, error)) *upload {
	return &upload{begin: begin, config: cfg}
}

// Write implements io.Writer.
func (u *upload) Write(p []byte) (int, error) {
	if u.packed == nil {
		if len(u.early)+len(p) < lazyBytes {
			u.early = append(u.early, p...)
			return len(p), nil
		}
		if err := u.start(); err != nil {
			return 0, err
		}
	}
	return u.packed.Write(p)
}

func (u *upload) start() error {
	body, pipe := io.Pipe()
	packed, err := newCompressor(pipe, u.config.Quiet)
	if err != nil {
		return err
	}
	u.pipe, u.packed, u.sent = pipe, packed, make(chan struct{})
	go func() {
		defer close(u.sent)
		u.result, u.failure = u.begin(body)
		err := u.failure
		if err == nil {
			err = errGivenUp // the server has answered although more was to come
		}
		_ = body.CloseWithError(err) // never fails
	}()
	_, err = packed.Write(u.early)
	u.early = nil
	return err
}

// seal completes the file as far as it can be without the server knowing that it is complete.
func (u *upload) seal() (held, error) {
	if u.packed == nil {
		if err := u.start(); err != nil {
			return held{}, err
		}
	}
	if err := u.packed.end(); err != nil {
		return held{}, err
	}
	return held{Size: u.packed.size, SHA256: hex.EncodeToString(u.packed.sum.Sum(nil))}, nil
}

// commit tells the server that the file is complete, and waits for its answer.
func (u *upload) commit(want held) error {
	_ = u.pipe.Close() // never fails
	<-u.sent
	if u.failure != nil {
		return u.failure
	}
	if u.result.Size != want.Size || u.result.SHA256 != "" && u.result.SHA256 != want.SHA256 {
		return &passing{err: errors.New("what arrived at the server is not what was sent")}
	}
	return nil
}

// abandon breaks the upload off. It returns why the server did not want it, if that was the cause.
func (u *upload) abandon(sealed bool) error {
	if u.packed == nil {
		return nil
	}
	_ = u.pipe.CloseWithError(errGivenUp) // never fails
	if !sealed {
		u.packed.giveUp()
	}
	<-u.sent
	if errors.Is(u.failure, errGivenUp) {
		return nil
	}
	return u.failure
}

// failed returns why the server has refused the file, if it has.
func (u *upload) failed() error {
	if u.sent == nil {
		return nil
	}
	select {
	case <-u.sent:
		return u.failure
	default:
		return nil
	}
}
