package loader

import (
	"context"
	"io"
	"slices"

	"dropline/ingest"
	"dropline/ingest/mssql"
	"dropline/mapping"
)

// database is a client's database as it is read: an mssql.Client in this process, or an mssql.Remote in one of its own.
type database interface {
	Close() error
	Sessions() int
	Snapshots() int
	PartRows() int64
	Isolation() (level, note string)
	Survey(ctx context.Context) (*mssql.Survey, error)
	Describe(ctx context.Context, query string) ([]mssql.Column, error)
	Find(ctx context.Context, schema, name string) (mssql.Relation, bool, error)
	Read(ctx context.Context, p mssql.Part, w io.Writer, progress func(rows int64)) (mssql.PartResult, error)
	HighMark(ctx context.Context) (string, error)
}

// Databases is how clients' databases are reached.
type Databases struct {
	// Unseal decrypts a connection string; nil where no key is configured, and then no database is imported from.
	Unseal func(ctx context.Context, sealed []byte, bound string) ([]byte, error)
	// Start starts a process for each database that an import or a dry run reads. It must be set where servers are not to be
	// trusted, as they can end the process that reads them. nil is to read in this one.
	Start mssql.StartProcess
	// Connections says how servers are reached, and which may be.
	Connections mssql.Config
	Sessions    int   // connections to one database at a time; 0: the reader's default
	PartRows    int64 // rows of a part of a large relation; 0: the reader's default
	MaxParts    int   // parts of an import; 0: DefaultMaxParts
	// Local is at the client's own site, where a connection string may name files and use the identity of the process.
	Local bool
}

// Open connects to a database in this process. Errors are Translate's of package mssql.
func (d Databases) Open(ctx context.Context, secret ingest.DatabaseSecret, o ingest.DatabaseOptions, mapper *mapping.Mapper,
) (*mssql.Client, error) {
	conn, err := mssql.Parse(secret.ConnectionString, d.Local)
	if err != nil {
		return nil, err
	}
	connector, err := d.config(secret).Connector(conn)
	if err != nil {
		return nil, err
	}
	return mssql.Open(ctx, connector, conn, d.options(o, mapper))
}

// open connects to a database in a process of its own, where there is a Start, or in this one.
func (d Databases) open(ctx context.Context, secret ingest.DatabaseSecret, o ingest.DatabaseOptions, mapper *mapping.Mapper,
) (client database, err error) {
	if d.Start == nil {
		client, err = d.Open(ctx, secret, o, mapper)
	} else {
		client, err = mssql.OpenRemote(ctx, d.Start, secret.ConnectionString, d.config(secret), d.options(o, mapper))
	}
	if err != nil {
		return nil, err // and no interface with a nil in it
	}
	return client, nil
}

func (d Databases) config(secret ingest.DatabaseSecret) mssql.Config {
	cfg := d.Connections
	if secret.CertificateAuthority != "" {
		cfg.RootCAs = append(slices.Clone(cfg.RootCAs), []byte("\n"+secret.CertificateAuthority)...)
	}
	return cfg
}

func (d Databases) options(o ingest.DatabaseOptions, mapper *mapping.Mapper) mssql.Options {
	return mssql.Options{Isolation: o.Isolation, Sessions: d.Sessions, PartRows: d.PartRows, Wanted: Wanted(mapper)}
}
