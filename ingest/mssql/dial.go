package mssql

import (
	"database/sql/driver"
	"errors"
	"log/slog"
	"time"
)

// Config is how connections are made.
type Config struct {
	Policy         Policy
	RootCAs        []byte        // PEM, trusted beside the system's
	ConnectTimeout time.Duration // for one sign-in, redirects included. Default 15 s
	IdleTimeout    time.Duration // the longest silence of a server that should speak. Default 10 min
	AppName        string        // default "dropline"
	Logger         *slog.Logger
	Clock          func() time.Time
}

// Connector returns what sql.OpenDB opens.
func (c Config) Connector(conn *Connection) (driver.Connector, error) {
	return nil, errors.New("not yet")
}
