package mssql

import (
	"context"
	"time"
)

// takeSnapshot takes the one session of the snapshot, beginning one where there is none. Its errors may be the driver's.
func (c *Client) takeSnapshot(ctx context.Context) (*session, error) {
	select {
	case <-c.reading:
	case <-ctx.Done():
		return nil, Translate(ctx.Err(), c.conn)
	}
	c.mu.Lock()
	closed := c.closed
	c.mu.Unlock()
	if closed {
		c.reading <- struct{}{}
		return nil, errClosed()
	}
	if s := c.snapshot; s != nil {
		if s.usable() && (!s.doubted || c.stillOpen(ctx, s)) {
			return s, nil
		}
		_ = s.close()
		c.snapshot = nil
	}
	s, err := c.beginSnapshot(ctx)
	if err != nil {
		c.reading <- struct{}{}
		return nil, err
	}
	c.snapshot = s
	return s, nil
}

// giveSnapshot gives the session back; err is how the reading went. A failed statement may have ended the transaction, and the
// rest would be read outside of it.
func (c *Client) giveSnapshot(s *session, err error) {
	s.doubted = s.doubted || err != nil
	c.mu.Lock()
	closed := c.closed
	c.mu.Unlock()
	if closed || !s.usable() {
		_ = s.close()
		c.snapshot = nil
	}
	c.reading <- struct{}{}
}

// beginSnapshot connects and begins the transaction. The bound for rowversions is read before: what is committed later has a
// higher one, and is not in the snapshot.
func (c *Client) beginSnapshot(ctx context.Context) (*session, error) {
	c.closeIdle() // of the survey before: a snapshot takes long
	s, err := c.connect(ctx)
	if err != nil {
		return nil, err
	}
	mark, err := s.highMark(ctx, c.options.QueryTimeout)
	if err == nil {
		if err = s.begin(ctx, c.options.QueryTimeout); err != nil && !s.lost(ctx, err) {
			err = &snapshotError{err}
		}
	}
	if err != nil {
		_ = s.close()
		return nil, err
	}
	if n, err := s.scalar(ctx, c.options.QueryTimeout, "SELECT @@TRANCOUNT"); err == nil {
		open, ok := n.(int64)
		s.counts = ok && open > 0
	}
	c.mu.Lock()
	c.snapshots++
	if c.snapshots == 1 {
		c.mark = mark
	}
	c.mu.Unlock()
	return s, nil
}

// snapshotError is a server that does not begin a snapshot.
type snapshotError struct{ err error }

func (e *snapshotError) Error() string { return "the server begins no snapshot: " + e.err.Error() }

func (e *snapshotError) Unwrap() error { return e.err }

// begin starts the transaction, in two statements that any server can read.
func (s *session) begin(ctx context.Context, timeout time.Duration) error {
	if err := s.exec(ctx, timeout, "SET TRANSACTION ISOLATION LEVEL SNAPSHOT"); err != nil {
		return err
	}
	return s.exec(ctx, timeout, "BEGIN TRANSACTION")
}

// stillOpen asks whether the transaction outlived an error.
func (c *Client) stillOpen(ctx context.Context, s *session) bool {
	if s.counts {
		n, err := s.scalar(ctx, c.options.QueryTimeout, "SELECT @@TRANCOUNT")
		if open, ok := n.(int64); err != nil || !ok || open == 0 {
			return false
		}
	}
	s.doubted = false
	return true
}

// HighMark is the rowversion up to which everything is committed, as "0x" and 16 hex digits: what a Read leaves out because
// it is above, the next finds. Under a snapshot it is that of the first snapshot. It is "" where the server does not say.
func (c *Client) HighMark(ctx context.Context) (string, error) {
	if c.readsSnapshot() {
		s, err := c.takeSnapshot(ctx)
		if err == nil {
			c.giveSnapshot(s, nil)
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.mark, nil
		}
		if !noSnapshot(err) || c.options.Isolation == IsolationSnapshot {
			return "", Translate(err, c.conn)
		}
		c.leaveSnapshot(nil, c.reason(err))
	}
	s, err := c.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer c.release(s)
	mark, err := s.highMark(ctx, c.options.QueryTimeout)
	if err != nil {
		return "", Translate(err, c.conn)
	}
	return mark, nil
}

// highMark returns an error only where the session is lost.
func (s *session) highMark(ctx context.Context, timeout time.Duration) (string, error) {
	v, err := s.scalar(ctx, timeout, "SELECT MIN_ACTIVE_ROWVERSION()")
	if s.lost(ctx, err) {
		return "", err
	}
	b, ok := v.([]byte)
	if err != nil || !ok || len(b) != rowversionBytes {
		return "", nil
	}
	return below(b), nil
}
