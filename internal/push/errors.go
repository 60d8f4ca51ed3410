package push

import (
	"context"
	"errors"
	"time"
)

// passing is an error of the destination that passes: worth trying again, after a while if the server says so.
type passing struct {
	err   error
	after time.Duration // 0: not said
}

// Error implements error.
func (p *passing) Error() string { return p.err.Error() }

// Unwrap lets errors.Is and errors.As see the cause.
func (p *passing) Unwrap() error { return p.err }

// errAnew says that the server no longer has what was sent.
var errAnew = errors.New("the server no longer has all that was sent")

const (
	longestWait = time.Minute
	// A server that is told to restart is away for a minute or two, a line for longer.
	usualTries = 10
	usualWait  = time.Second
)

// patience is how often something is tried that failed for a reason that passes, and how long is waited before: twice as long
// each time.
type patience struct {
	left int
	wait time.Duration
}

func (c *Config) patience() patience { return patience{c.Tries, c.Wait} }

// bears waits before the next try; false if there is to be none.
func (p *patience) bears(ctx context.Context, err error) bool {
	p.left--
	if p.left <= 0 || ctx.Err() != nil {
		return false
	}
	wait := p.wait
	var passes *passing
	if errors.As(err, &passes) && passes.after > 0 {
		wait = passes.after
	}
	p.wait = min(2*p.wait, longestWait)
	t := time.NewTimer(min(wait, 5*longestWait))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// again tries f until it does not fail for a reason that passes.
func (c *Config) again(ctx context.Context, f func() error) error {
	p := c.patience()
	for {
		err := f()
		var passes *passing
		if err == nil || !errors.As(err, &passes) {
			return err
		}
		if !p.bears(ctx, err) {
			return err
		}
		c.tell("trying again: " + told(err))
	}
}
