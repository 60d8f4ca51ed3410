package mssql

import (
	"context"
	"database/sql/driver"
	"io"
	"time"
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
	Isolation    string        // one of the constants above; "" is IsolationAuto
	Sessions     int           // connections at most, 1 to 32; 0 is 3. A snapshot is read over one
	PartRows     int64         // rows of a part of a large relation; 0 is 500,000
	StallTimeout time.Duration // no row for so long, and the connection counts as lost; 0 is two minutes
	QueryTimeout time.Duration // for each statement of a survey; 0 is 30 seconds
}

// Client reads one database. Its methods may be called at once.
type Client struct{}

// Open connects and decides the isolation.
func Open(ctx context.Context, connector driver.Connector, conn *Connection, o Options) (*Client, error) {
	return nil, nil
}

// Close ends the sessions.
func (c *Client) Close() error { return nil }

// Sessions is how many Reads may run at once: 1 under a snapshot.
func (c *Client) Sessions() int { return 1 }

// Snapshots is how many snapshots were used so far: more than one after a connection was lost, and 0 without snapshots.
func (c *Client) Snapshots() int { return 0 }

// PartRows is how many rows a part of a large relation should have.
func (c *Client) PartRows() int64 { return 0 }

// Survey lists what the login can see.
func (c *Client) Survey(ctx context.Context) (*Survey, error) { return nil, nil }

// Describe returns the columns of a query. It never runs it to its end.
func (c *Client) Describe(ctx context.Context, query string) ([]Column, error) { return nil, nil }

// Find looks for a relation where no catalogue can be read.
func (c *Client) Find(ctx context.Context, schema, name string) (Relation, bool, error) {
	return Relation{}, false, nil
}

// Read writes a part as CSV.
func (c *Client) Read(ctx context.Context, p Part, w io.Writer, progress func(rows int64)) (PartResult, error) {
	return PartResult{}, nil
}

// HighMark is the bound up to which rows can be read by rowversion and none be missed, or "".
func (c *Client) HighMark(ctx context.Context) (string, error) { return "", nil }
