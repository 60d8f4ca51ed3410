package tdstest

import (
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// loginTime is how long a client may take to log in.
const loginTime = 30 * time.Second

var (
	// errAttention ends a request that the client has cancelled.
	errAttention = errors.New("cancelled by the client")
	// errGone ends a session without another word.
	errGone = errors.New("the connection is to be closed")
)

// session is one connection.
type session struct {
	server *Server
	number int
	spid   uint16
	raw    net.Conn
	link   *link
	reader net.Conn
	out    *packetWriter
	who    Login

	database  string
	isolation isolation
	tran      uint64
	began     isolation // the level at which the transaction began
	snapshot  *state    // what a snapshot transaction sees, from its first access on
	prepared  map[int32]preparedText
	handles   int32

	messages chan message
	gone     chan struct{} // closed when the client can no longer be read
	poke     chan struct{} // one attention may wait here
	received atomic.Int64  // attentions read
	handled  int64         // attentions answered
	ahead    int           // attentions answered before their message was taken from the queue
}

// serve runs a connection from its pre-login to its end.
func (c *session) serve() {
	_ = c.raw.SetDeadline(time.Now().Add(loginTime))
	var err error
	if c.link, err = c.server.prelogin(c.raw, c.spid); err != nil {
		return
	}
	if ok, err := c.login(); !ok || err != nil {
		return
	}
	_ = c.raw.SetDeadline(time.Time{})
	c.isolation = readCommitted
	c.prepared = map[int32]preparedText{}
	c.messages, c.gone, c.poke = make(chan message, 1), make(chan struct{}), make(chan struct{}, 1)
	ended := make(chan struct{})
	go c.receive(ended)
	defer close(ended)
	for {
		select {
		case m := <-c.messages:
			if c.handle(m) != nil {
				return
			}
		case <-c.gone:
			return
		}
	}
}

// receive reads messages while requests run, so that an attention is seen at once.
func (c *session) receive(ended <-chan struct{}) {
	defer close(c.gone)
	for {
		m, err := readMessage(c.reader)
		if err != nil {
			return
		}
		if m.kind == packetAttention {
			c.received.Add(1)
			c.server.noteAttention(c.number)
			select {
			case c.poke <- struct{}{}:
			default:
			}
		}
		select {
		case c.messages <- m:
		case <-ended:
			return
		}
	}
}

// cancelled is true when an attention waits to be answered.
func (c *session) cancelled() bool { return c.received.Load() != c.handled }

// handle answers one message.
func (c *session) handle(m message) error {
	if m.kind == packetAttention {
		if c.ahead > 0 {
			c.ahead--
			return nil
		}
		return c.acknowledge()
	}
	if m.reset {
		c.reset()
	}
	if m.ignored {
		c.done(tokenDone, doneError, 0, 0)
		return c.out.end()
	}
	var err error
	switch m.kind {
	case packetBatch:
		err = c.batch(m.data)
	case packetRPC:
		err = c.rpc(m.data)
	case packetTran:
		err = c.transaction(m.data)
	default:
		return errProtocol
	}
	switch {
	case errors.Is(err, errAttention):
		// The response that was cut off is a message of its own, and its acknowledgement another: there are clients that
		// wait for just that.
		c.ahead++
		c.done(tokenDone, 0, 0, 0)
		if err := c.out.end(); err != nil {
			return err
		}
		return c.acknowledge()
	case err != nil:
		return err
	default:
		return c.out.end()
	}
}

// acknowledge answers an attention.
func (c *session) acknowledge() error {
	c.handled++
	select {
	case <-c.poke:
	default:
	}
	c.done(tokenDone, doneAttention, 0, 0)
	return c.out.end()
}

// reset is what RESETCONNECTION asks for: the session as it was after the login.
func (c *session) reset() {
	if c.tran != 0 {
		c.endTransaction(envRollback)
	}
	c.isolation = readCommitted
	clear(c.prepared)
	if !sameName(c.database, c.who.Database) {
		c.useDatabase(c.who.Database)
	}
	c.envBytes(envReset, nil, nil)
}

// useDatabase changes the database and tells of it.
func (c *session) useDatabase(name string) {
	before := c.database
	if sameName(name, c.server.o.Database) {
		name = c.server.o.Database
	}
	c.database = name
	c.envText(envDatabase, name, before)
	c.writeInfo(&Error{5701, 2, 0, "Changed database context to '" + name + "'."})
}

// batch runs the text of a SQL batch.
func (c *session) batch(data []byte) error {
	in := cursor{b: data}
	in.headers()
	if in.bad {
		return errProtocol
	}
	return c.run(fromUTF16(in.b), nil, false)
}

// fail writes an error and the DONE after it.
func (c *session) fail(e *Error, done byte, more bool) error {
	c.writeError(e)
	if e.Number == 1205 || e.Number == 3960 || e.Number == 3961 {
		if c.tran != 0 {
			c.endTransaction(envRollback)
		}
	}
	status := uint16(doneError)
	if more {
		status |= doneMore
	}
	if e.Class >= 20 {
		c.done(done, status|doneSrvError, 0, 0)
		_ = c.out.end()
		return errGone
	}
	c.done(done, status, 0, 0)
	return nil
}
