package api

import "time"

// ImportRequest asks for an import from a SQL Server database.
type ImportRequest struct {
	ConnectionString     string `json:"connectionString,omitempty" doc:"As ADO.NET, ODBC, JDBC or a URL has it. It is kept encrypted, and no longer than the import needs it" example:"Server=tcp:sql.example.org,1433;Database=Practice;User Id=dropline_reader;Password=<password>;Encrypt=True" maxLength:"8192"`
	Source               string `json:"source,omitempty" doc:"In place of a connection string: the id of a stored source" example:"source_0123456789abcdef0123456789abcdef" maxLength:"64"`
	CertificateAuthority string `json:"certificateAuthority,omitempty" doc:"Certificates (PEM) of private authorities, one of which signed the server's" maxLength:"32768"`
	Isolation            string `json:"isolation,omitempty" enum:"auto,snapshot,read_committed" doc:"snapshot: one consistent snapshot or nothing; read_committed: several tables at once, each by itself; auto: a snapshot where the database allows it"`
	Full                 bool   `json:"full,omitempty" doc:"Of a source: read everything, not what has changed since its last import"`
}

// SourceCreate stores a database to import from again.
type SourceCreate struct {
	Name                 string `json:"name" doc:"Unique within the tenant" example:"Practice database" minLength:"1" maxLength:"100"`
	ConnectionString     string `json:"connectionString" doc:"As for POST /etl/import. It is kept encrypted and never shown again" maxLength:"8192"`
	CertificateAuthority string `json:"certificateAuthority,omitempty" doc:"Certificates (PEM) of private authorities, one of which signed the server's" maxLength:"32768"`
	Isolation            string `json:"isolation,omitempty" enum:"auto,snapshot,read_committed" doc:"As for POST /etl/import"`
}

// SourceChange changes what is given. A connection string is given whole, with its certificate authority if it needs one.
type SourceChange struct {
	Name                 *string `json:"name,omitempty" doc:"Unique within the tenant" minLength:"1" maxLength:"100"`
	ConnectionString     *string `json:"connectionString,omitempty" doc:"Takes the place of the one before, and of its certificate authority" maxLength:"8192"`
	CertificateAuthority *string `json:"certificateAuthority,omitempty" maxLength:"32768" doc:"Goes with a connection string"`
	Isolation            *string `json:"isolation,omitempty" enum:"auto,snapshot,read_committed" doc:"As for POST /etl/import"`
}

// SourceImport asks for an import from a source.
type SourceImport struct {
	Full bool `json:"full,omitempty" doc:"Read everything, not what has changed since the last import"`
}

// Source is a stored database. Its connection string is never shown.
type Source struct {
	ID         string    `json:"id" example:"source_0123456789abcdef0123456789abcdef"`
	Tenant     string    `json:"tenant" example:"acme"`
	Name       string    `json:"name" example:"Practice database"`
	Kind       string    `json:"kind" enum:"sqlserver"`
	Server     string    `json:"server" doc:"Host, instance and port" example:"sql.example.org:1433"`
	Database   string    `json:"database" example:"Practice"`
	Isolation  string    `json:"isolation" enum:"auto,snapshot,read_committed"`
	CreatedAt  time.Time `json:"createdAt"`
	CreatedBy  string    `json:"createdBy,omitempty"`
	ChangedAt  time.Time `json:"changedAt"`
	LastImport string    `json:"lastImport,omitempty" doc:"requestId of its latest import" example:"import_0123456789abcdef0123456789abcdef"`
}

// SourceList is a tenant's sources, in the order of their names.
type SourceList struct {
	Items []Source `json:"items" nullable:"false"`
}

// ImportDatabase says what an import read of a database.
type ImportDatabase struct {
	Source        string             `json:"source,omitempty" doc:"The stored source; absent where the connection string was posted"`
	Server        string             `json:"server" example:"sql.example.org:1433"`
	Database      string             `json:"database" example:"Practice"`
	Version       string             `json:"version,omitempty" doc:"Of the server, as it says"`
	Isolation     string             `json:"isolation,omitempty" doc:"Under which it was read: snapshot, read committed snapshot or read committed" example:"snapshot"`
	IsolationNote string             `json:"isolationNote,omitempty" doc:"Why"`
	Snapshots     int                `json:"snapshots,omitempty" doc:"How many snapshots were used: more than 1 where the connection broke in between, and then the rows are not of one moment"`
	IncrementalOf string             `json:"incrementalOf,omitempty" doc:"The source's earlier import, of whose rows only those changed since were read"`
	Relations     []ImportedRelation `json:"relations" nullable:"false" doc:"The tables, views and queries that are read"`
	Missing       []string           `json:"missing" nullable:"false" doc:"Tables of the schema that the database has not, or that the login may not see"`
	Ignored       []string           `json:"ignored" nullable:"false" doc:"Tables and views of the database that are no table of the schema"`
	Notes         []string           `json:"notes" nullable:"false"`
}

// ImportedRelation is a table, view or query of a database.
type ImportedRelation struct {
	Name           string   `json:"name" example:"dbo.Matter"`
	Table          string   `json:"table" doc:"Of the schema" example:"Matter"`
	RowsExpected   *int64   `json:"rowsExpected,omitempty" doc:"As the database says; absent where it does not"`
	Since          string   `json:"since,omitempty" doc:"Only rows changed since were read: a row version or a time"`
	Parts          int      `json:"parts" doc:"Read so far"`
	Done           bool     `json:"done"`
	Columns        []string `json:"columns" nullable:"false" doc:"That are read"`
	IgnoredColumns []string `json:"ignoredColumns" nullable:"false" doc:"That are not: they match no column of the table"`
}

// DryRun is what an import from a database would find.
type DryRun struct {
	ImportDatabase
	Refused []RefusedRelation `json:"refused" nullable:"false" doc:"Relations that cannot be read as they are: the import would be rejected"`
	Samples []Sample          `json:"samples" nullable:"false" doc:"The first rows of each relation, as they would be staged or refused. What is checked across rows (keys, references, sums) is not"`
	Loads   bool              `json:"loads" doc:"Nothing was found that would have the import fail or be rejected as a whole"`
}

// RefusedRelation is a relation that cannot be read as it is.
type RefusedRelation struct {
	Name    string `json:"name" example:"dbo.Matter"`
	Table   string `json:"table,omitempty" example:"Matter"`
	Code    string `json:"code" example:"missing_column"`
	Message string `json:"message"`
}

// Sample is what came of the first rows of a relation.
type Sample struct {
	Name         string   `json:"name" example:"dbo.Matter"`
	Table        string   `json:"table" example:"Matter"`
	RowsRead     int64    `json:"rowsRead"`
	RowsRejected int64    `json:"rowsRejected"`
	FirstErrors  []Reject `json:"firstErrors" nullable:"false" doc:"The first 20 refused rows"`
}
