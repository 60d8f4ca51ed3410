package staging

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// maxLanes is how many connections one file is copied over. A backend takes longer to write rows than a reader to make
	// them, and two keep two cores busy; a third has nothing to do.
	maxLanes = 2
	// secondLane is after how many buffers a file is large enough for its second connection.
	secondLane = 16
	// laneWait bounds the wait for a second connection. It must not be waited for long: others may hold one and do the same.
	laneWait = 200 * time.Millisecond
)

// lanes are the connections over which one file is copied, each in a transaction of its own; the first is the one that
// commits last and with the record of the file. Buffers go to whichever lane is free.
type lanes struct {
	store   *Store
	target  Target
	open    []*lane
	buffers int // sent so far
	full    chan []byte
	free    chan []byte
	ended   chan error // one per COPY under way
	copying int
	only    bool // no second lane was to be had
}

type lane struct {
	conn *pgxpool.Conn
	tx   pgx.Tx
}

func newLanes(store *Store, target Target) *lanes {
	return &lanes{store: store, target: target, free: make(chan []byte, maxLanes+2), ended: make(chan error, maxLanes)}
}

// first returns the first lane's transaction, opening it if need be. No COPY may be under way.
func (l *lanes) first(ctx context.Context) (pgx.Tx, error) {
	if len(l.open) == 0 {
		if err := l.add(ctx, ctx); err != nil {
			return nil, err
		}
	}
	return l.open[0].tx, nil
}

// add opens a lane. Its lock is what tells a later attempt at the same import whom to end.
func (l *lanes) add(ctx, wait context.Context) error {
	conn, err := l.store.pool.Acquire(wait)
	if err != nil {
		return err
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		conn.Release()
		return err
	}
	l.open = append(l.open, &lane{conn: conn, tx: tx})
	if err := l.store.settings(ctx, tx); err != nil {
		return err
	}
	return l.store.holdImport(ctx, tx, l.target)
}

// send hands a buffer over and returns an empty one. sql starts a COPY where none is under way.
func (l *lanes) send(ctx context.Context, sql string, buf []byte) ([]byte, error) {
	if _, err := l.first(ctx); err != nil {
		return buf, err
	}
	l.buffers++
	if l.copying == 0 {
		l.full = make(chan []byte)
	}
	if l.buffers == secondLane && !l.only {
		// Its failure is no fault: the first lane does all the work alone.
		wait, cancel := context.WithTimeout(ctx, laneWait)
		before := len(l.open)
		if err := l.add(ctx, wait); err != nil {
			l.only = true
			if len(l.open) > before {
				cancel()
				return buf, err
			}
		}
		cancel()
	}
	for l.copying < len(l.open) {
		l.start(ctx, l.open[l.copying], sql)
	}
	select {
	case l.full <- buf:
	case err := <-l.ended:
		l.copying--
		if err == nil {
			err = errors.New("a COPY ended before its rows did")
		}
		return buf, err
	case <-ctx.Done():
		return buf, ctx.Err()
	}
	select {
	case next := <-l.free:
		return next, nil
	default:
		return make([]byte, 0, cap(buf)), nil
	}
}

func (l *lanes) start(ctx context.Context, one *lane, sql string) {
	l.copying++
	stream := &stream{full: l.full, free: l.free}
	go func() {
		_, err := one.conn.Conn().PgConn().CopyFrom(ctx, stream, sql)
		l.ended <- err
	}()
}

// finish ends the COPYs under way and waits for them.
func (l *lanes) finish() error {
	var errs []error
	if l.copying > 0 {
		close(l.full)
	}
	for ; l.copying > 0; l.copying-- {
		errs = append(errs, <-l.ended)
	}
	return errors.Join(errs...)
}

// alone sends encoded rows by a COPY of their own over the first lane.
func (l *lanes) alone(ctx context.Context, sql string, encoded []byte) error {
	if err := l.finish(); err != nil {
		return err
	}
	if _, err := l.first(ctx); err != nil {
		return err
	}
	full := make(chan []byte, 1)
	full <- encoded
	close(full)
	_, err := l.open[0].conn.Conn().PgConn().CopyFrom(ctx, &stream{full: full}, sql)
	return err
}

// commit makes all of it durable, the first lane last: what the others wrote does not count before.
func (l *lanes) commit(ctx context.Context) error {
	if err := l.finish(); err != nil {
		return err
	}
	for len(l.open) > 0 {
		last := l.open[len(l.open)-1]
		if err := last.tx.Commit(ctx); err != nil {
			return err
		}
		last.conn.Release()
		l.open = l.open[:len(l.open)-1]
	}
	return nil
}

// abandon undoes all of it and gives the connections back.
func (l *lanes) abandon(ctx context.Context) {
	_ = l.finish()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackWait)
	defer cancel()
	for _, one := range l.open {
		_ = one.tx.Rollback(ctx) // a lost connection has been rolled back by its end
		one.conn.Release()
	}
	l.open = nil
}

// rollbackWait bounds the wait for PostgreSQL to undo what a failed COPY wrote, which is a matter of a moment.
const rollbackWait = 10 * time.Second

// stream is the buffers as the one byte stream that a binary COPY is: header, rows, trailer.
type stream struct {
	full    <-chan []byte
	free    chan<- []byte
	buf     []byte // being read, to be given back
	rest    []byte
	started bool
	ended   bool
}

// Read takes from the buffer in hand, or waits for the next.
func (s *stream) Read(p []byte) (int, error) {
	for len(s.rest) == 0 {
		if s.buf != nil && s.free != nil {
			select {
			case s.free <- s.buf[:0]:
			default: // there are enough of them
			}
			s.buf = nil
		}
		if !s.started {
			s.started, s.rest = true, copyHeader
			continue
		}
		if s.ended {
			return 0, io.EOF
		}
		buf, more := <-s.full
		if !more {
			s.ended, s.rest = true, copyTrailer
			continue
		}
		s.buf, s.rest = buf, buf
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}
