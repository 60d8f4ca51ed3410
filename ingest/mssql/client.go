package mssql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"time"

	"dropline/ingest"
)

// Isolation levels that Options may demand.
const (
	// IsolationAuto reads one snapshot where the database allows it, and each statement by itself where not.
	IsolationAuto = "auto"
	// IsolationSnapshot reads one snapshot or not at all.
	IsolationSnapshot = "snapshot"
	// IsolationReadCommitted reads each statement by itself, several at once.
	IsolationReadCommitted = "read_committed"
)

// Options are how a server is read. The zero value is good.
type Options struct {
	Isolation     string        // one of the constants above; "" is IsolationAuto
	Sessions      int           // connections that read at once, 1 to 32; 0 is 3. A snapshot is read over one
	PartRows      int64         // rows of a part of a large relation; 0 is 500,000
	StallTimeout  time.Duration // no row for so long, and the connection counts as lost; 0 is two minutes
	QueryTimeout  time.Duration // for each statement of a survey; 0 is 30 seconds
	MaxValueBytes int64         // the server is asked to cut what is longer: see textSize. 0 is 16 MiB, at most 512 MiB

	Clock func() time.Time // nil is time.Now

	// Wanted says which relations a survey looks at more closely. The others are listed without columns, and with -1 rows:
	// each look costs a round trip or two. nil is all.
	Wanted func(schema, name string) bool
}

const (
	defaultSessions = 3
	mostSessions    = 32
	defaultPartRows = 500_000
	defaultStall    = 2 * time.Minute
	defaultQuery    = 30 * time.Second
	defaultValue    = 16 << 20
	mostValue       = 512 << 20
	mostIdle        = time.Minute // firewalls forget connections that say nothing
)

func (o Options) withDefaults() (Options, error) {
	if o.Isolation == "" {
		o.Isolation = IsolationAuto
	}
	if o.Sessions == 0 {
		o.Sessions = defaultSessions
	}
	if o.PartRows == 0 {
		o.PartRows = defaultPartRows
	}
	if o.StallTimeout == 0 {
		o.StallTimeout = defaultStall
	}
	if o.QueryTimeout == 0 {
		o.QueryTimeout = defaultQuery
	}
	if o.MaxValueBytes == 0 {
		o.MaxValueBytes = defaultValue
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	switch {
	case o.Isolation != IsolationAuto && o.Isolation != IsolationSnapshot && o.Isolation != IsolationReadCommitted:
		return o, fmt.Errorf("isolation is %q: it must be auto, snapshot or read_committed", o.Isolation)
	case o.Sessions < 1 || o.Sessions > mostSessions:
		return o, fmt.Errorf("sessions is %d: it must be from 1 to %d", o.Sessions, mostSessions)
	case o.PartRows < 1, o.StallTimeout < 0, o.QueryTimeout < 0:
		return o, errors.New("part rows and the timeouts must be positive")
	case o.MaxValueBytes < 1 || o.MaxValueBytes > mostValue:
		return o, fmt.Errorf("the longest value is %d bytes: it must be from 1 to %d", o.MaxValueBytes, mostValue)
	}
	return o, nil
}

// Client reads one database. Its methods may be called at once. It writes nothing, and takes no lock that a plain SELECT
// does not.
type Client struct {
	connector driver.Connector
	conn      *Connection
	options   Options

	slots    chan struct{} // one for each plain session that may be open
	reading  chan struct{} // whoever has its one element may use the snapshot's session
	snapshot *session      // guarded by reading; nil until the first Read, and after a loss

	mu        sync.Mutex
	closed    bool
	idle      []*session
	isolation isolation
	snapshots int
	mark      string // the first snapshot's bound for rowversions
	bare      bool   // the server ends connections over statements that set options
	dialect   dialect
	known     map[string]known // by full name
}

// Open connects, decides the isolation and returns a client with one session open. Its errors are Translate's; Invalid also
// for options out of range, and where a snapshot is demanded and the database allows none.
func Open(ctx context.Context, connector driver.Connector, conn *Connection, o Options) (*Client, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, ingest.E(ingest.Invalid, "mssql.Open", err)
	}
	c := &Client{
		connector: connector, conn: conn, options: o,
		slots: make(chan struct{}, o.Sessions), reading: make(chan struct{}, 1), known: map[string]known{},
	}
	for range o.Sessions {
		c.slots <- struct{}{}
	}
	c.reading <- struct{}{}
	s, err := c.acquire(ctx)
	if err != nil {
		return nil, err
	}
	is, err := c.decide(ctx, s)
	c.release(s)
	if err != nil {
		c.Close() //nolint:errcheck // err says more
		return nil, err
	}
	c.isolation = is
	return c, nil
}

// Close ends the sessions that are not in use, and those in use once they are given back.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	idle := c.idle
	c.idle = nil
	c.mu.Unlock()
	var errs []error
	for _, s := range idle {
		errs = append(errs, s.close())
	}
	select {
	case <-c.reading:
		if c.snapshot != nil {
			errs = append(errs, c.snapshot.close())
			c.snapshot = nil
		}
		c.reading <- struct{}{}
	default: // its reader ends it
	}
	return errors.Join(errs...)
}

// closeIdle ends the plain sessions that nobody uses.
func (c *Client) closeIdle() {
	c.mu.Lock()
	idle := c.idle
	c.idle = nil
	c.mu.Unlock()
	for _, s := range idle {
		_ = s.close()
	}
}

// Sessions is how many Reads may run at once: 1 under a snapshot, which connections cannot share.
func (c *Client) Sessions() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.isolation.snapshot {
		return 1
	}
	return c.options.Sessions
}

// Snapshots is how many snapshots were read so far: more than one after a connection was lost, and 0 without snapshots.
func (c *Client) Snapshots() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.snapshots
}

// PartRows is how many rows a part of a large relation should have.
func (c *Client) PartRows() int64 { return c.options.PartRows }

// Isolation returns under what is read, and why, as Survey does. It can change with a Read that finds a snapshot refused.
func (c *Client) Isolation() (level, note string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.isolation.level, c.isolation.note
}

func (c *Client) readsSnapshot() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.isolation.snapshot
}

// acquire takes a plain session, connecting where none is idle. It waits while all are in use.
func (c *Client) acquire(ctx context.Context) (*session, error) {
	select {
	case <-c.slots:
	case <-ctx.Done():
		return nil, Translate(ctx.Err(), c.conn)
	}
	for {
		c.mu.Lock()
		if c.closed {
			c.mu.Unlock()
			c.slots <- struct{}{}
			return nil, errClosed()
		}
		n := len(c.idle)
		if n == 0 {
			c.mu.Unlock()
			break
		}
		s := c.idle[n-1]
		c.idle = c.idle[:n-1]
		c.mu.Unlock()
		if s.usable() && c.options.Clock().Sub(s.used) < mostIdle {
			return s, nil
		}
		_ = s.close()
	}
	s, err := c.connect(ctx)
	if err != nil {
		c.slots <- struct{}{}
		return nil, err
	}
	return s, nil
}

// release gives a plain session back.
func (c *Client) release(s *session) {
	defer func() { c.slots <- struct{}{} }()
	s.used = c.options.Clock()
	c.mu.Lock()
	keep := !c.closed && s.usable()
	if keep {
		c.idle = append(c.idle, s)
	}
	c.mu.Unlock()
	if !keep {
		_ = s.close()
	}
}

func errClosed() error {
	return ingest.Errorf(ingest.Internal, "mssql", "the client was closed")
}
