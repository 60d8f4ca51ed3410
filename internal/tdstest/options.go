package tdstest

import "crypto/tls"

// Encryption is what the server wants of a connection's pre-login negotiation.
type Encryption int

// Off encrypts the login alone unless the client asks for more; On and Required insist on full encryption;
// NotSupported has no TLS at all. A client may speak TDS 8 (TLS before anything else) unless it is NotSupported.
const (
	Off Encryption = iota
	On
	Required
	NotSupported
)

// Options says what a server serves and how it behaves. The zero value is an empty database.
type Options struct {
	Tables []Table
	// User, Password and Database default to "reader", "secret-of-test" and "practice".
	User, Password, Database string
	Encryption               Encryption
	// Certificate is the server's; nil makes a self-signed one for 127.0.0.1 and localhost, see Server.CAPEM.
	Certificate *tls.Certificate
	// Snapshot is ALLOW_SNAPSHOT_ISOLATION; without it a snapshot transaction's first access to a table is error 3952.
	Snapshot bool
	// ReadCommittedSnapshot is what sys.databases says of it.
	ReadCommittedSnapshot bool
	// NoCatalog answers sys.* with error 208, NoInformationSchema the same for INFORMATION_SCHEMA.*.
	NoCatalog, NoInformationSchema bool
	// ZeroPartitions makes sys.partitions and sys.dm_db_partition_stats count 0 rows everywhere.
	ZeroPartitions bool
	// HideNullability says of every column, in results and in the catalogue, that it may be NULL.
	HideNullability bool
	// Denied names relations ("schema.name", "name" or "schema.*", also "sys.partitions" or "sys.*") on which SELECT is
	// denied: error 229. The catalogue does not show them, unless ShowDenied, which is as if VIEW DEFINITION were granted.
	Denied     []string
	ShowDenied bool
	// Collation is the database's; the empty one is Latin1. A column may have its own: "varchar(20) COLLATE …".
	Collation Collation
	Faults    Faults
	// Instance is the name of the instance, which the SQL Browser tells; it defaults to "PRACTICE".
	Instance string
	// Browser answers SQL Browser requests on a free UDP port, see Server.BrowserAddr.
	Browser bool
	// Log, where set, is told of what happens. It is called from many goroutines.
	Log func(Event)
}

// Collation is the name of a collation, which decides the code page of char, varchar and text.
type Collation string

// The collations the server knows: code pages 1252, 1251, 1250 and UTF-8.
const (
	Latin1        Collation = "SQL_Latin1_General_CP1_CI_AS"
	Cyrillic      Collation = "Cyrillic_General_CI_AS"
	CentralEurope Collation = "Czech_CI_AS"
	UTF8          Collation = "Latin1_General_100_CI_AS_SC_UTF8"
)

const (
	defaultLogin    = "reader"
	defaultSecret   = "secret-of-test"
	defaultDatabase = "practice"
	defaultInstance = "PRACTICE"
)

// Table is a table or a view with its rows.
type Table struct {
	// Schema defaults to "dbo".
	Schema, Name string
	View         bool
	Columns      []Column
	// Rows are in the order of Columns. Values are int64 (or any Go integer), float64, string (decimals, money,
	// uniqueidentifier and text), bool, time.Time, []byte, nil and Variant.
	Rows [][]any
	// Generate, where set, makes row i of Count instead of Rows. It is called from many goroutines and must give
	// the rows ascending by the primary key where there is one, so that a range of keys is found without a scan.
	Generate func(i int, dst []any)
	Count    int
	// PrimaryKey names the columns of the primary key, clustered unless Nonclustered.
	PrimaryKey   []string
	Nonclustered bool
	// Cached keeps the encoded rows of a generated table in memory and replays them to the queries after the first
	// with the same columns.
	Cached bool
}

// Column is one column of a table.
type Column struct {
	Name string
	// Type is as in T-SQL: "nvarchar(100)", "decimal(19,4)", "datetime2(3)", "rowversion", "varchar(20) COLLATE …".
	// A rowversion's values are given by the server, whatever the rows say.
	Type                        string
	NotNull, Computed, Identity bool
}

// Variant is a value of a sql_variant column, with its base type as in T-SQL.
type Variant struct {
	Type  string
	Value any
}

// Event is something that happened: Kind is "connect", "login", "refused", "query", "attention", "fault", "close".
type Event struct {
	Kind string
	// Conn numbers the connections from 1.
	Conn int
	// Text is the query, or what happened. It never holds a password.
	Text string
}

// Login is what a client said of itself when it logged in.
type Login struct {
	User, Database, AppName, Host, Library, Server string
	ReadOnlyIntent                                 bool
	// Encrypted is true where everything is, and not the login alone.
	Encrypted bool
	// LoginEncrypted is true where at least the login came through TLS.
	LoginEncrypted bool
	// Strict is true for TDS 8.
	Strict     bool
	PacketSize int
	Refused    bool
}

func (o *Options) fill() {
	if o.User == "" {
		o.User = defaultLogin
	}
	if o.Password == "" {
		o.Password = defaultSecret
	}
	if o.Database == "" {
		o.Database = defaultDatabase
	}
	if o.Collation == "" {
		o.Collation = Latin1
	}
	if o.Instance == "" {
		o.Instance = defaultInstance
	}
}
