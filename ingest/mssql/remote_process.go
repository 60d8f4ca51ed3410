package mssql

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"dropline/ingest"
)

const (
	// endPatience is how long a process whose connection broke may take to end, so that it can be said why.
	endPatience = 2 * time.Second
	// mostHeader bounds the header of an answer, in bytes.
	mostHeader = 16 << 10
)

// peer is a process that reads the database of a Remote.
type peer struct {
	process Process
	client  *http.Client

	// Guarded by the Remote's mu:
	serial    uint64 // of the state that it told last
	snapshots int
	read      bool // something was to be
	buried    bool
}

func newPeer(process Process) *peer {
	return &peer{process: process, client: &http.Client{
		Transport: &http.Transport{
			DialContext:        func(ctx context.Context, _, _ string) (net.Conn, error) { return process.Dial(ctx) },
			DisableCompression: true, MaxIdleConnsPerHost: mostSessions, MaxResponseHeaderBytes: mostHeader,
			ReadBufferSize: writeSize,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// post sends an order. Errors are of the process's end and the context's.
func (p *peer) post(ctx context.Context, path string, in any) (io.ReadCloser, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://reader"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		return nil, errUnusable
	}
	return resp.Body, nil
}

// close ends the process, gently at first.
func (p *peer) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closePatience)
	defer cancel()
	if body, err := p.post(ctx, pathClose, nothing{}); err == nil {
		_ = body.Close()
		select {
		case <-p.process.Ended():
		case <-ctx.Done():
		}
	}
	p.discard()
}

// discard ends the process at once.
func (p *peer) discard() {
	p.process.Kill()
	p.client.CloseIdleConnections()
}

// reach returns the process that is there, or starts one and opens the database in it.
func (r *Remote) reach(ctx context.Context) (*peer, error) {
	select {
	case <-r.turn:
		defer func() { r.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, Translate(ctx.Err(), r.conn)
	}
	r.mu.Lock()
	p, closed, ends := r.peer, r.closed, r.ends
	r.mu.Unlock()
	switch {
	case closed:
		return nil, errClosed()
	case p != nil:
		return p, nil
	case ends >= mostEnds:
		return nil, &ingest.Error{
			Kind: ingest.Invalid, Op: "mssql.Remote",
			Err: fmt.Errorf("the process that read the database ended: it has %d times, and no more are started", ends), Hint: hintProcess,
		}
	}
	process, err := r.start(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, Translate(ctx.Err(), r.conn)
		}
		return nil, ingest.E(ingest.Unavailable, "mssql.Remote", fmt.Errorf("%w: %w", ErrNoProcess, err))
	}
	p = newPeer(process)
	if err := r.openIn(ctx, p); err != nil {
		p.discard()
		return nil, err
	}
	r.mu.Lock()
	closed = r.closed
	if !closed {
		r.peer = p
	}
	r.mu.Unlock()
	if closed {
		p.close()
		return nil, errClosed()
	}
	return p, nil
}

func (r *Remote) openIn(ctx context.Context, p *peer) error {
	a, err := exchange[nothing](ctx, p, pathOpen, r.order)
	if err == nil && (!r.take(p, a.State) || a.Error == nil && a.State.Serial == 0) {
		err = errUnusable
	}
	if err != nil {
		return r.ended(ctx, p, err)
	}
	return a.Error.here()
}

// ask has an order done in the process.
func ask[In, Out any](ctx context.Context, r *Remote, path string, in In, usable func(Out) bool) (Out, error) {
	var none Out
	p, err := r.reach(ctx)
	if err != nil {
		return none, err
	}
	a, err := exchange[Out](ctx, p, path, in)
	if err == nil && (!r.take(p, a.State) || a.Error == nil && !usable(a.Result)) {
		err = errUnusable
	}
	if err != nil {
		return none, r.ended(ctx, p, err)
	}
	if a.Error != nil {
		return none, a.Error.here()
	}
	return a.Result, nil
}

func exchange[Out, In any](ctx context.Context, p *peer, path string, in In) (answer[Out], error) {
	body, err := p.post(ctx, path, in)
	if err != nil {
		return answer[Out]{}, err
	}
	defer body.Close() //nolint:errcheck // it was read, or is not worth it
	return decodeAnswer[Out](body)
}

const hintProcess = "the server sent what no memory can hold, or what SQL Server would not send: check server name and port; " +
	"if a SQL Server is there, look for very large values in what is read, and tell us its version"

// ended makes an error of a process that gave no answer, or one that cannot be used, and has it ended where it has not. The
// context's end is told first: that process may live on.
func (r *Remote) ended(ctx context.Context, p *peer, err error) error {
	if ctx.Err() != nil {
		return Translate(ctx.Err(), r.conn)
	}
	r.mu.Lock()
	closed := r.closed
	r.mu.Unlock()
	if closed {
		return errClosed()
	}
	reason := "it was stopped, as " + errUnusable.Error()
	if !errors.Is(err, errUnusable) {
		patience := time.NewTimer(endPatience)
		defer patience.Stop()
		select {
		case <-p.process.Ended():
			reason = ""
		case <-patience.C:
			reason = "it was stopped, as it broke off an answer"
		}
	}
	p.discard()
	why, words := p.process.Why()
	if reason == "" {
		reason = clean(why, mostText)
	}
	r.bury(p, reason, words, err)
	return &ingest.Error{
		Kind: ingest.Unavailable, Op: "mssql.Remote", Hint: hintProcess,
		Err: &plainError{text: "the process that read the database ended: " + reason},
	}
}

// bury forgets a process that ended, and counts it, once.
func (r *Remote) bury(p *peer, reason, words string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.buried {
		return
	}
	p.buried = true
	r.ends++
	if r.peer == p {
		r.peer = nil
		if p.read && r.state.Level == levelSnapshot {
			p.snapshots = max(p.snapshots, 1) // of which it did not come to tell
		}
		r.before += p.snapshots
		r.state.Snapshots = 0
	}
	r.logger.Warn("the process that read a client's database ended", "server", r.conn.Server(), "reason", reason,
		"words", clean(redact(words, r.conn), longestQuote),
		"err", clean(redact(err.Error(), r.conn), longestQuote))
}
