//go:build linux

// Package dbchild starts processes in which clients' databases are read, and is what runs in them. A hostile server can make the
// driver ask for more memory than there is, which ends a process: it shall be one that holds nothing of anybody else's.
package dbchild

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"dropline/ingest"
	"dropline/ingest/mssql"

	"golang.org/x/sys/unix"
)

const (
	// childArg as the first argument makes RunChild read a database. The second is the memory in bytes.
	childArg = "__read-database"
	// A process needs some 60 MB of memory for 5 million rows, and for values of 16 MiB, the longest that are asked for, up to a
	// GiB over three sessions. Twice that is what it gets.
	baseMemory    = 1 << 30
	sessionMemory = 352 << 20
	usualSessions = 3
	leastMemory   = 256 << 20
	// dialPatience is how long a process may leave a connection untaken.
	dialPatience = 5 * time.Second
	// slotPatience is how long a start waits while Most processes run.
	slotPatience = 30 * time.Second
	// mostWords bounds what is kept of a process's last words, in bytes.
	mostWords = 4 << 10
	// wordsPatience is for the rest of them, when something else has inherited the pipe.
	wordsPatience = time.Second
)

// MemoryFor is what a process may use that reads over so many sessions, in bytes: 2 GiB for the usual three or fewer.
func MemoryFor(sessions int) int64 {
	return baseMemory + int64(max(sessions, usualSessions))*sessionMemory
}

// Starter starts processes. It must not be copied once used.
type Starter struct {
	Lookup func(name string) (string, bool) // of the environment; nil: there is none
	Memory int64                            // bytes that a process may use; 0 is MemoryFor the usual sessions; at least 256 MiB
	Most   int                              // processes at once; 0 is any number

	once  sync.Once
	slots chan struct{}
}

// Start is an mssql.StartProcess. The process is this program, whose main must call RunChild. It ends with this process, or
// when killed. While as many run as may, it waits half a minute.
func (s *Starter) Start(ctx context.Context) (mssql.Process, error) {
	free, err := s.slot(ctx)
	if err != nil {
		return nil, err
	}
	p, err := s.launch()
	if err != nil {
		free()
		return nil, err
	}
	go func() {
		<-p.ended
		free()
	}()
	return p, nil
}

func (s *Starter) slot(ctx context.Context) (free func(), err error) {
	if s.Most <= 0 {
		return func() {}, nil
	}
	s.once.Do(func() { s.slots = make(chan struct{}, s.Most) })
	patience := time.NewTimer(slotPatience)
	defer patience.Stop()
	select {
	case s.slots <- struct{}{}:
		return func() { <-s.slots }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-patience.C:
		return nil, ingest.WithHint(ingest.Errorf(ingest.Unavailable, "dbchild.Start", "%d databases are being looked at already", s.Most),
			"try again later")
	}
}

func (s *Starter) launch() (*process, error) {
	memory := s.Memory
	if memory == 0 {
		memory = MemoryFor(usualSessions)
	}
	memory = max(memory, leastMemory)
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close() //nolint:errcheck // the process has its own
	p := &process{control: ours, ended: make(chan struct{})}
	cmd := exec.Command("/proc/self/exe") //nolint:noctx // it outlives the context of its start
	cmd.Args = []string{"dropline", childArg, strconv.FormatInt(memory, 10)}
	cmd.Dir = "/"
	cmd.Env = append(s.environment(), "GOMEMLIMIT="+strconv.FormatInt(memory/2, 10), "GOTRACEBACK=none")
	cmd.Stdin, cmd.Stderr = theirs, &p.words
	cmd.WaitDelay = wordsPatience
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error, 1)
	go p.live(cmd, started)
	if err := <-started; err != nil {
		_ = ours.Close()
		return nil, err
	}
	return p, nil
}

// environment is what of ours a process needs to find roots, hosts and time zones. All else may hold secrets.
func (s *Starter) environment() []string {
	if s.Lookup == nil {
		return nil
	}
	var env []string
	for _, name := range []string{"SSL_CERT_FILE", "SSL_CERT_DIR", "LOCALDOMAIN", "RES_OPTIONS", "TZ", "ZONEINFO"} {
		if value, ok := s.Lookup(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// socketPair makes the socket over which connections are handed to a process, and whose end tells it that we are gone.
func socketPair() (*net.UnixConn, *os.File, error) {
	ours, theirs, err := pair()
	if err != nil {
		return nil, nil, err
	}
	conn, err := connOf(ours)
	if err != nil {
		return nil, nil, errors.Join(err, theirs.Close())
	}
	return conn, theirs, nil
}

func pair() (*os.File, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("making sockets: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs"), nil
}

// connOf makes a connection of a socket, which it closes.
func connOf(f *os.File) (*net.UnixConn, error) {
	defer f.Close() //nolint:errcheck // the connection has its own
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	u, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("a socket is a %T", conn), conn.Close())
	}
	return u, nil
}

// process is an mssql.Process.
type process struct {
	control *net.UnixConn
	words   words
	ended   chan struct{}
	handle  *os.Process // set before it is handed out
	reason  string      // set before ended is closed
}

// live starts the process and clears it away. It has an operating system thread for itself, which ends with it: the kernel kills
// the process when the thread that started it ends, and what the thread renounces is renounced for good.
func (p *process) live(cmd *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	_ = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) // where a kernel has none, there is the rest
	if err := cmd.Start(); err != nil {
		started <- err
		return
	}
	p.handle = cmd.Process
	started <- nil
	err := cmd.Wait()
	_ = p.control.Close()
	p.reason = reasonOf(err, p.words.String())
	close(p.ended)
}

// reasonOf says for people what ended a process.
func reasonOf(err error, words string) string {
	var exit *exec.ExitError
	errors.As(err, &exit)
	switch {
	case strings.Contains(words, "out of memory"), strings.Contains(words, "cannot allocate memory"), strings.Contains(words, "failed to create new OS thread"):
		return "it ran out of the memory that it may use"
	case exit == nil:
		return "it went before it was told to"
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return "it was ended by the signal " + status.Signal().String()
	}
	return "it met a fault of its own"
}

// Dial implements mssql.Process: it hands the process one end of a new pair of sockets. There is no address at which anybody
// else could connect.
func (p *process) Dial(ctx context.Context) (net.Conn, error) {
	ours, theirs, err := pair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close() //nolint:errcheck // the process has its own
	conn, err := connOf(ours)
	if err != nil {
		return nil, err
	}
	deadline := time.Now().Add(dialPatience)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	_ = p.control.SetWriteDeadline(deadline)
	if _, _, err := p.control.WriteMsgUnix([]byte{0}, unix.UnixRights(int(theirs.Fd())), nil); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// Ended implements mssql.Process.
func (p *process) Ended() <-chan struct{} { return p.ended }

// Why implements mssql.Process.
func (p *process) Why() (reason, words string) {
	<-p.ended
	return p.reason, p.words.String()
}

// Kill implements mssql.Process.
func (p *process) Kill() {
	_ = p.handle.Kill() // it may have ended, which is as good
	<-p.ended
}

// PID is the process's number.
func (p *process) PID() int { return p.handle.Pid }

// words keeps the first line that a process writes to its standard error: a dump of the runtime's has stacks beneath.
type words struct {
	mu   sync.Mutex
	kept []byte
	full bool
}

// Write implements io.Writer.
func (w *words) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.full {
		line, _, whole := bytes.Cut(b, []byte("\n"))
		line = line[:min(len(line), mostWords-len(w.kept))]
		w.kept = append(w.kept, line...)
		w.full = whole || len(w.kept) == mostWords
	}
	return len(b), nil
}

// String returns them.
func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.kept)
}
