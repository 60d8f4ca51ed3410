package mssql

import (
	"context"
	"errors"
	"strings"

	"dropline/ingest"
)

// isolation is what a client reads under.
type isolation struct {
	snapshot bool
	level    string // as the receipt names it
	note     string // why
}

const (
	levelSnapshot      = IsolationSnapshot // callers compare with that
	levelRowVersions   = "read committed snapshot"
	levelReadCommitted = "read committed"
)

// decide finds out what the database allows.
func (c *Client) decide(ctx context.Context, s *session) (isolation, error) {
	d, err := s.databaseOptions(ctx, c)
	if err != nil {
		return isolation{}, Translate(err, c.conn)
	}
	is := isolation{level: levelReadCommitted}
	if d.known && d.versions {
		is.level = levelRowVersions
	}
	if c.options.Isolation == IsolationReadCommitted {
		is.note = "as asked for"
		return is, nil
	}
	if d.known && !d.snapshot {
		is.note = "the database does not allow snapshot isolation (ALLOW_SNAPSHOT_ISOLATION is off)"
	} else {
		// What a catalogue says is one thing: whether the server does it shows when it is tried.
		says := "the database allows snapshot isolation"
		if !d.known {
			says = "the server does not say whether the database allows snapshots"
		}
		err := s.trySnapshot(ctx, c)
		switch {
		case err == nil:
			return isolation{snapshot: true, level: levelSnapshot, note: says}, nil
		case ctx.Err() != nil:
			return isolation{}, Translate(ctx.Err(), c.conn)
		}
		is.note = says + ", but one was refused: " + c.reason(err)
	}
	if c.options.Isolation == IsolationSnapshot {
		return isolation{}, &ingest.Error{
			Kind: ingest.Invalid, Op: "mssql.Open",
			Err:  ingest.Errorf(ingest.Invalid, "", "a snapshot is demanded, but %s", is.note),
			Hint: "let the database's owner run ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON, or do not demand a snapshot",
		}
	}
	if d.readOnly {
		is.note += "; the database is read-only, so that nothing changes under the reading"
	}
	return is, nil
}

// databaseOptions is what sys.databases says of the database that the session is in.
type databaseOptions struct{ known, snapshot, versions, readOnly bool }

// databaseOptions returns an error only where the session is lost.
func (s *session) databaseOptions(ctx context.Context, c *Client) (d databaseOptions, err error) {
	name := c.databaseName(ctx, s)
	for _, text := range []string{
		"SELECT name, snapshot_isolation_state, is_read_committed_snapshot_on, is_read_only FROM sys.databases",
		"SELECT name, snapshot_isolation_state, is_read_committed_snapshot_on FROM sys.databases",
		"SELECT name, snapshot_isolation_state FROM sys.databases",
	} {
		err = s.each(ctx, c.options.QueryTimeout, mostRelations, text, func(r record) error {
			if !strings.EqualFold(r.text("name"), name) {
				return nil
			}
			state, ok := r.integer("snapshot_isolation_state")
			d = databaseOptions{known: ok, snapshot: ok && state == 1}
			versions, _ := r.integer("is_read_committed_snapshot_on")
			readOnly, _ := r.integer("is_read_only")
			d.versions, d.readOnly = versions == 1, readOnly == 1
			return nil
		})
		if err == nil {
			return d, nil
		}
		if s.lost(ctx, err) {
			return d, err
		}
	}
	return d, nil
}

// databaseName asks which database the session is in: the connection string may leave it to the login's default.
func (c *Client) databaseName(ctx context.Context, s *session) string {
	if v, err := s.scalar(ctx, c.options.QueryTimeout, "SELECT DB_NAME()"); err == nil {
		if name, ok := v.(string); ok && name != "" {
			return name
		}
	}
	if c.conn != nil {
		return c.conn.Database()
	}
	return ""
}

// trySnapshot begins a snapshot, reads in it, and ends it. Whether a snapshot is allowed shows with the first read.
func (s *session) trySnapshot(ctx context.Context, c *Client) error {
	err := s.begin(ctx, c.options.QueryTimeout)
	if err == nil {
		err = s.exec(ctx, c.options.QueryTimeout, "SELECT COUNT(*) FROM sys.objects")
		if err != nil && !s.lost(ctx, err) && !noSnapshot(err) {
			err = nil // what cannot be read here says nothing of snapshots: the first Read will tell
		}
		if s.usable() {
			if e := s.exec(ctx, c.options.QueryTimeout, "ROLLBACK TRANSACTION"); err == nil {
				err = e
			}
		}
	}
	if s.usable() {
		_ = s.exec(ctx, c.options.QueryTimeout, "SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
	}
	return err
}

// noSnapshot tells whether a statement was refused because it was in a snapshot.
func noSnapshot(err error) bool {
	var begin *snapshotError
	n := number(err)
	return n == numNoSnapshot || n == numNoSnapshotHere || errors.As(err, &begin)
}

// leaveSnapshot goes over to read committed, for the rest of the client's life.
func (c *Client) leaveSnapshot(s *session, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isolation = isolation{level: levelReadCommitted, note: "the server refused to read in a snapshot: " + why}
	if s != nil && !s.read {
		c.snapshots--
	}
}
