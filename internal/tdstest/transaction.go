package tdstest

import "encoding/binary"

type isolation byte

// The levels as a transaction manager request numbers them.
const (
	keepIsolation isolation = iota
	readUncommitted
	readCommitted
	repeatableRead
	serializable
	snapshotIsolation
)

const (
	tranBegin    = 5
	tranCommit   = 7
	tranRollback = 8
	tranSave     = 9
)

// transaction answers a transaction manager request: MS-TDS 2.2.6.9.
func (c *session) transaction(data []byte) error {
	in := cursor{b: data}
	in.headers()
	request := in.uint16()
	if in.bad {
		return errProtocol
	}
	switch request {
	case tranBegin:
		level := isolation(in.uint8())
		if level > snapshotIsolation {
			return errProtocol
		}
		c.server.noteQuery(c.number, "BEGIN TRANSACTION "+level.name())
		c.begin(level)
		c.done(tokenDone, 0, commandBegin, 0)
	case tranCommit, tranRollback:
		in.take(int(in.uint8()))
		flags := in.uint8()
		if c.tran == 0 {
			return c.fail(noTransaction(request == tranCommit), tokenDone, false)
		}
		kind, command := byte(envCommit), uint16(commandCommit)
		if request == tranRollback {
			kind, command = envRollback, commandRollback
		}
		c.server.noteQuery(c.number, map[bool]string{true: "COMMIT", false: "ROLLBACK"}[request == tranCommit])
		c.endTransaction(kind)
		if flags&1 != 0 {
			c.begin(isolation(in.uint8()))
		}
		c.done(tokenDone, 0, command, 0)
	case tranSave:
		c.done(tokenDone, 0, 0, 0)
	default:
		return c.fail(&Error{3904, 1, 16, "The transaction manager request is not one the server has."}, tokenDone, false)
	}
	return nil
}

func noTransaction(commit bool) *Error {
	if commit {
		return &Error{3902, 1, 16, "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION."}
	}
	return &Error{3903, 1, 16, "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION."}
}

// begin starts a transaction and tells the client its descriptor. Nested ones count as the outer.
func (c *session) begin(level isolation) {
	if level != keepIsolation {
		c.isolation = level
	}
	if c.tran != 0 {
		return
	}
	c.tran = c.server.nextTransaction()
	c.began, c.snapshot = c.isolation, nil
	c.envBytes(envBegin, c.descriptor(), nil)
}

func (c *session) endTransaction(kind byte) {
	before := c.descriptor()
	c.tran, c.snapshot = 0, nil
	c.envBytes(kind, nil, before)
}

func (c *session) descriptor() []byte { return binary.LittleEndian.AppendUint64(nil, c.tran) }

func (i isolation) name() string {
	return [...]string{"", "READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE", "SNAPSHOT"}[i]
}

// view is the rows a statement sees: those of now, or those at a snapshot transaction's first access to a table.
func (c *session) view() (*state, *Error) {
	now := c.server.store.now()
	if c.isolation != snapshotIsolation {
		return now, nil
	}
	if !c.server.o.Snapshot {
		return nil, &Error{
			3952, 1, 16, "Snapshot isolation transaction failed accessing database '" + c.database +
				"' because snapshot isolation is not allowed in this database. Use ALTER DATABASE to allow snapshot isolation.",
		}
	}
	if c.tran == 0 {
		return now, nil
	}
	if c.began != snapshotIsolation {
		return nil, &Error{
			3951, 1, 16, "Transaction failed in database '" + c.database +
				"' because the statement was run under snapshot isolation but the transaction did not start in snapshot isolation.",
		}
	}
	if c.snapshot == nil {
		c.snapshot = now
	}
	return c.snapshot, nil
}
