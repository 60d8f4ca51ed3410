package mssql

import (
	"net"
	"sync/atomic"
	"time"
)

// idleConn gives up on a peer that is silent, or takes nothing, for too long.
type idleConn struct {
	net.Conn
	idle atomic.Int64 // a time.Duration; 0: the deadlines are somebody else's
	set  atomic.Int64 // when a deadline was set last, in Unix nanoseconds
}

// Read reads within the idle timeout.
func (c *idleConn) Read(b []byte) (int, error) {
	c.extend()
	return c.Conn.Read(b)
}

// Write writes within the idle timeout.
func (c *idleConn) Write(b []byte) (int, error) {
	c.extend()
	return c.Conn.Write(b)
}

// extend moves the deadline on, though not for every packet.
func (c *idleConn) extend() {
	idle := c.idle.Load()
	if idle == 0 {
		return
	}
	now := time.Now()
	if last := c.set.Load(); now.UnixNano()-last < idle/16 {
		return
	}
	c.set.Store(now.UnixNano())
	_ = c.SetDeadline(now.Add(time.Duration(idle)))
}

// browserWait is how long SQL Browser has for its answer, one datagram.
const browserWait = 5 * time.Second

// browserConn is a connection to SQL Browser, for which the driver would wait as long as for the whole sign-in.
type browserConn struct {
	net.Conn
	answered func()
}

// Read tells of an answer.
func (c browserConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err == nil {
		c.answered()
	}
	return n, err
}

// SetDeadline sets the deadline, or an earlier one.
func (c browserConn) SetDeadline(t time.Time) error {
	if soon := time.Now().Add(browserWait); t.IsZero() || t.After(soon) {
		t = soon
	}
	return c.Conn.SetDeadline(t)
}
