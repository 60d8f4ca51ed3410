//go:build linux

package devstack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// firstBackoff and lastBackoff bound the wait before a server that died is started again: at once for a single
	// death, without spinning on one that cannot start.
	firstBackoff = 50 * time.Millisecond
	lastBackoff  = 2 * time.Second
	// healthyAfter is how long a server must live for its death to count as the first again.
	healthyAfter = 2 * time.Second
	// giveUpAfter is how long a server may keep dying before the stack is declared lost. Backends that outlive their
	// postmaster and a full disk that somebody clears take less.
	giveUpAfter = 2 * time.Minute
	// hopelessDeaths in a row fail a start that somebody waits for, after about five seconds: what heals by itself
	// has healed by then.
	hopelessDeaths = 7
	// answerTimeout bounds one question to a server that is starting; what answers slower is asked again.
	answerTimeout = 5 * time.Second
)

// child keeps one server process alive until told to stop.
type child struct {
	name string
	log  *slog.Logger
	// prepare makes the next start possible and says how to start it. It runs before every start.
	prepare func(ctx context.Context) (*exec.Cmd, error)
	// gentle asks the process to end cleanly, harsh to end now.
	gentle, harsh syscall.Signal
	// lastWords tells what the process said before it died.
	lastWords func() string

	ctx    context.Context //nolint:containedctx // the child's life. Ends when stop is called: waits between starts must not delay it
	cancel context.CancelFunc
	done   chan struct{} // closed when the child will not be started again
	err    error         // why, if not by stop; read after done

	mu       sync.Mutex
	process  *os.Process
	stopping bool
	deaths   int   // since the last healthy life
	lastErr  error // of the latest death
}

// run starts the process and starts it again whenever it dies.
func (c *child) run() {
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.done = make(chan struct{})
	go c.supervise()
}

// supervise stays on one operating system thread for as long as the child lives: the kernel sends the parent-death
// signal when the *thread* that started the child ends, and Go ends idle threads.
func (c *child) supervise() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(c.done)
	defer c.cancel()
	backoff := firstBackoff
	var failingSince time.Time
	for {
		started := time.Now()
		err := c.runOnce()
		healthy := time.Since(started) > healthyAfter
		if c.isStopping() {
			return
		}
		if healthy {
			backoff, failingSince = firstBackoff, time.Time{}
		}
		c.noteDeath(err, healthy)
		if failingSince.IsZero() {
			failingSince = time.Now()
		}
		if time.Since(failingSince) > giveUpAfter {
			c.err = &Error{Op: "devstack: " + c.name + " keeps ending", Err: err, Hint: "its log is in the data directory"}
			c.log.Error("server keeps ending, giving up", "server", c.name, "error", err)
			return
		}
		c.log.Warn("server ended, starting it again", "server", c.name, "error", err, "after", backoff)
		select {
		case <-time.After(backoff):
		case <-c.ctx.Done():
			return
		}
		backoff = min(2*backoff, lastBackoff)
	}
}

// runOnce starts the process and waits for its end, whose cause it returns.
func (c *child) runOnce() error {
	cmd, err := c.prepare(c.ctx)
	if err != nil {
		return err
	}
	c.mu.Lock()
	if c.stopping {
		c.mu.Unlock()
		return nil
	}
	err = cmd.Start()
	if err == nil {
		c.process = cmd.Process
	}
	c.mu.Unlock()
	if err != nil {
		return err
	}
	err = cmd.Wait()
	c.mu.Lock()
	c.process = nil
	c.mu.Unlock()
	if err == nil {
		err = errors.New("exit status 0")
	}
	if words := c.lastWords(); words != "" {
		err = fmt.Errorf("%w: %s", err, words)
	}
	return err
}

// stop asks the process to end cleanly and waits; when ctx ends it is ended at once.
func (c *child) stop(ctx context.Context) error {
	c.mu.Lock()
	c.stopping = true
	p := c.process
	c.mu.Unlock()
	c.cancel()
	if p != nil {
		_ = p.Signal(c.gentle) // it may have ended by itself, which is as good
	}
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
	}
	if p != nil {
		_ = p.Signal(c.harsh)
	}
	<-c.done
	return &Error{Op: "devstack: stopping " + c.name, Err: context.Cause(ctx), Hint: "it was ended at once; it recovers at the next start"}
}

func (c *child) isStopping() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stopping
}

func (c *child) noteDeath(err error, healthy bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if healthy {
		c.deaths = 0
	}
	c.deaths++
	c.lastErr = err
}

// hopeless is the latest death's cause once there were too many in a row, else nil.
func (c *child) hopeless() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.deaths < hopelessDeaths {
		return nil
	}
	return c.lastErr
}

func (c *child) pid() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process == nil {
		return 0
	}
	return c.process.Pid
}

// await polls ready until it succeeds. It fails when ctx ends, or when the child is beyond help.
func (c *child) await(ctx context.Context, every time.Duration, ready func(context.Context) error) error {
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		if dead := c.hopeless(); dead != nil {
			return &Error{Op: "devstack: starting " + c.name, Err: dead, Hint: wordsHint(dead.Error())}
		}
		select {
		case <-time.After(every):
		case <-c.done:
			return c.err
		case <-ctx.Done():
			return &Error{Op: "devstack: waiting for " + c.name, Err: errors.Join(context.Cause(ctx), err), Hint: "its log is in the data directory"}
		}
	}
}

// wordsHint says what to do about the causes that servers name in words only.
func wordsHint(words string) string {
	words = strings.ToLower(words)
	switch {
	case strings.Contains(words, "no space left"), strings.Contains(words, "quota exceeded"):
		return "the disk is full: make room and start again, nothing is lost"
	case strings.Contains(words, "permission denied"):
		return "the data directory must be readable by the account that PostgreSQL runs as"
	case strings.Contains(words, "incompatible with server"), strings.Contains(words, "was initialized by postgresql version"):
		return "the data directory was made by another PostgreSQL version: install that one, or upgrade it with pg_upgrade"
	case strings.Contains(words, "invalid primary checkpoint record"), strings.Contains(words, "could not locate a valid checkpoint"):
		return "the cluster is damaged: restore the data directory from a backup"
	}
	return "its log is in the data directory"
}
