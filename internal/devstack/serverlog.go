//go:build linux

package devstack

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"sync/atomic"
)

const (
	// maxLog is the size at which a server's log starts over, keeping the old one beside it: enough to find what
	// happened, not enough to fill a disk.
	maxLog = 8 << 20
	// maxWords bounds what of a log goes into an error.
	maxWords = 600
)

// serverLog is a file that a server writes straight to, so that it can go on logging when we are gone.
type serverLog struct {
	path string
	f    *os.File
	from atomic.Int64 // where the latest start's words begin
}

func openLog(path string) (*serverLog, error) {
	if fi, err := os.Stat(path); err == nil && fi.Size() > maxLog {
		_ = os.Rename(path, path+".1") // an old log that stays where it is does no harm
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, &Error{Op: "devstack: opening " + path, Err: err, Hint: diskHint(err)}
	}
	return &serverLog{path: path, f: f}, nil
}

// mark notes that a start begins here, and empties a log that has grown too long: the servers append, so they go on
// writing at the new end.
func (l *serverLog) mark() {
	fi, err := l.f.Stat()
	if err != nil {
		return
	}
	if fi.Size() > maxLog && l.f.Truncate(0) == nil {
		l.from.Store(0)
		return
	}
	l.from.Store(fi.Size())
}

// lastWords is the end of what was said since the latest start, on one line.
func (l *serverLog) lastWords() string {
	fi, err := l.f.Stat()
	if err != nil {
		return ""
	}
	from := max(l.from.Load(), fi.Size()-maxWords)
	buf := make([]byte, max(fi.Size()-from, 0))
	n, err := l.f.ReadAt(buf, from)
	if err != nil && !errors.Is(err, io.EOF) {
		return ""
	}
	return strings.Join(strings.Fields(string(bytes.ToValidUTF8(buf[:n], []byte("?")))), " ")
}

func (l *serverLog) close() error { return l.f.Close() }
