//go:build linux

package dbchild

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"

	"dropline/ingest/mssql"

	"golang.org/x/sys/unix"
)

const (
	// mostFiles is how many a process may have open: two for each session at most, and some.
	mostFiles = 256
	// reserved is what Go reserves of addresses and does not use, in bytes.
	reserved = 4 << 30
	// ballastSize is of memory that is never touched, and so is none, but counts when it is decided to collect garbage. Rows
	// are garbage at once: in a heap as small as theirs, collecting it takes nearly a third of the time.
	ballastSize = 32 << 20
	// oomScore lets the kernel, when it runs short, end this process before those that hold what others depend on.
	oomScore = "800"
)

// RunChild reads a database, and does not return before it ends, when the program was started as that process; it then returns
// true and main must return. In any other program it returns false at once. Call it first in main.
func RunChild() (handled bool) {
	if len(os.Args) != 3 || os.Args[1] != childArg {
		return false
	}
	if err := readDatabase(os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

func readDatabase(text string) error {
	memory, err := strconv.ParseInt(text, 10, 64)
	if err != nil || memory < leastMemory {
		return errors.New("dropline starts this by itself")
	}
	if err := confine(uint64(memory)); err != nil {
		return err
	}
	control, err := connOf(os.NewFile(0, "control"))
	if err != nil {
		return fmt.Errorf("dropline starts this by itself: %w", err)
	}
	ballast := make([]byte, ballastSize)
	err = mssql.Serve(&listener{control})
	runtime.KeepAlive(ballast)
	return err
}

// confine gives up what the process does not need, for good.
func confine(memory uint64) error {
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte(oomScore), 0) // a wish
	for _, limit := range []struct {
		resource int
		most     uint64
	}{
		{unix.RLIMIT_DATA, memory},
		{unix.RLIMIT_AS, memory + reserved}, // for kernels that count less as data
		{unix.RLIMIT_CORE, 0},
		{unix.RLIMIT_FSIZE, 0},
		{unix.RLIMIT_NOFILE, mostFiles},
	} {
		var now unix.Rlimit
		if err := unix.Getrlimit(limit.resource, &now); err != nil {
			return fmt.Errorf("limiting what it may use: %w", err)
		}
		most := min(limit.most, now.Max)
		if err := unix.Setrlimit(limit.resource, &unix.Rlimit{Cur: most, Max: most}); err != nil {
			return fmt.Errorf("limiting what it may use: %w", err)
		}
	}
	return nil
}

// listener returns the connections that are handed to this process.
type listener struct{ control *net.UnixConn }

// Accept implements net.Listener. Its error is io.EOF when who started the process is gone.
func (l *listener) Accept() (net.Conn, error) {
	var one [1]byte
	oob := make([]byte, unix.CmsgSpace(4))
	n, oobn, _, _, err := l.control.ReadMsgUnix(one[:], oob)
	if err == nil && n == 0 {
		err = io.EOF
	}
	if err != nil {
		return nil, err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil || len(messages) != 1 {
		return nil, errors.Join(err, errors.New("a connection that is none was handed over"))
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return nil, errors.Join(err, errors.New("a connection that is none was handed over"))
	}
	unix.CloseOnExec(fds[0])
	return connOf(os.NewFile(uintptr(fds[0]), "connection"))
}

// Close implements net.Listener.
func (l *listener) Close() error { return l.control.Close() }

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return l.control.LocalAddr() }
