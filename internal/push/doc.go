// Package push reads a SQL Server database at the client's own site, as the server would, and delivers what it read over HTTPS
// or SFTP as one batch. A state file remembers what has been delivered, so that a run that was interrupted goes on where it
// stopped, and so that a later run reads only what has changed.
//
// Nothing touches the local disk but the state: rows are compressed while they are read and sent while they are compressed.
package push
