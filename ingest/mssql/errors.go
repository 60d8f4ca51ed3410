package mssql

import "dropline/ingest"

// Translate turns any error of the driver, the network, TLS or a context into an ingest.Error for people. conn may be nil.
func Translate(err error, conn *Connection) error {
	if err == nil {
		return nil
	}
	return ingest.E(ingest.KindOf(err), "mssql", err)
}

// IsLost tells whether a connection was lost, so that connecting anew and reading the part again is worth it.
func IsLost(err error) bool { return ingest.KindOf(err) == ingest.Unavailable }
