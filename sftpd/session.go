package sftpd

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"dropline/ingest"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

const (
	// operationTimeout bounds what a request may wait for the ledger.
	operationTimeout = time.Minute
)

// session is one SFTP session or command: a channel of a connection.
type session struct {
	*connection
	ctx   context.Context //nolint:containedctx // pkg/sftp's handlers have none of their own
	notes *notes

	mu         sync.Mutex
	paths      map[string][]*upload // open uploads by path, the latest last
	open       int                  // handles
	maxHandles int
}

// newSession returns a session whose operations end with ctx.
func newSession(ctx context.Context, c *connection, channel ssh.Channel) *session {
	s := &session{
		connection: c, ctx: ctx, paths: map[string][]*upload{}, maxHandles: c.cfg.MaxOpenFilesPerSession,
	}
	// Only OpenSSH's client is known to show standard error to the person in front of it.
	if strings.Contains(c.clientVersion, "OpenSSH") {
		s.notes = newNotes(channel.Stderr())
	}
	return s
}

// serveSFTP speaks SFTP on the channel until the client ends or is gone.
func (s *session) serveSFTP(channel ssh.Channel) {
	w := newWire(s, channel)
	// No allocator: it would hold a page of 256 KiB for each small request, and WRITE packets do not get there.
	server := sftp.NewRequestServer(w, tree{s}.handlers(), sftp.WithRSMaxTxPacket(maxData))
	err := server.Serve()
	w.finish()
	if err != nil {
		s.log.LogAttrs(s.ctx, slog.LevelDebug, "session ended", slog.Any("error", err))
	}
}

// guard runs one operation with a time limit, translates its error once, and survives its panic.
func guard[T any](s *session, op, path string, fn func(ctx context.Context) (T, error)) (v T, err error) {
	s.busy(1)
	defer s.busy(-1)
	ctx, cancel := context.WithTimeout(s.ctx, operationTimeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			s.panicked(op, p)
			err = errPanic
		}
		err = s.translate(op, path, err)
	}()
	// What cannot be checked is left to the operation, which will find the ledger away, or do without it.
	if err := s.checkAccess(ctx); err != nil && ingest.KindOf(err) == ingest.Denied {
		return v, err
	}
	return fn(ctx)
}

// onUpload runs an operation of an upload. A panic spoils the upload, not the process.
func (s *session) onUpload(u *upload, fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.panicked("upload", p)
			u.err, err = errPanic, errPanic
		}
		if err = s.translate("upload", u.path, err); err != nil && u.err != nil {
			u.err = err // as a status: it is logged and told once, however many packets are behind it
		}
	}()
	return fn()
}

// translate makes a status of err, logs what the client is not told, and tells OpenSSH's user, whose client shows no more
// than "Failure", why.
func (s *session) translate(op, path string, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	if _, ok := errors.AsType[*statusError](err); ok {
		return err
	}
	kind, status := ingest.KindOf(err), statusOf(err)
	switch kind {
	case ingest.Internal, ingest.Unavailable:
		if !errors.Is(err, context.Canceled) { // by the end of the connection
			s.log.LogAttrs(s.ctx, slog.LevelError, "operation failed", slog.String("op", op), slog.String("path", printable(path)), slog.Any("error", err))
		}
	case ingest.Denied, ingest.Exhausted:
		s.log.LogAttrs(s.ctx, slog.LevelInfo, "operation refused", slog.String("op", op), slog.String("path", printable(path)), slog.Any("error", err))
	case ingest.Invalid, ingest.NotFound, ingest.Conflict:
	}
	// What is not there OpenSSH says well enough, and that a folder is there already it takes for a success.
	if s.notes != nil && kind != ingest.NotFound && (kind != ingest.Conflict || op != "Mkdir") {
		s.notes.say(path + ": " + status.Error())
	}
	return status
}

func (s *session) panicked(op string, v any) {
	s.metrics.panics.Inc()
	s.log.LogAttrs(s.ctx, slog.LevelError, "panic in a session", slog.String("op", op), slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
}

func (s *session) takeHandle() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open >= s.maxHandles {
		return ingest.WithHint(ingest.Errorf(ingest.Conflict, "sftpd.Open", "%d files are open in this session", s.open), "close some first")
	}
	s.open++
	return nil
}

func (s *session) giveHandle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
}

func (s *session) opened(u *upload) {
	s.inFlight.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paths[u.path] = append(s.paths[u.path], u)
}

func (s *session) closed(u *upload) {
	s.giveHandle()
	s.mu.Lock()
	left := slices.DeleteFunc(s.paths[u.path], func(o *upload) bool { return o == u })
	if s.paths[u.path] = left; len(left) == 0 {
		delete(s.paths, u.path)
	}
	s.mu.Unlock()
	s.inFlight.Add(-1)
}

// openAt returns the latest open upload of this session at the path, or nil.
func (s *session) openAt(p string) *upload {
	s.mu.Lock()
	defer s.mu.Unlock()
	if open := s.paths[p]; len(open) > 0 {
		return open[len(open)-1]
	}
	return nil
}
