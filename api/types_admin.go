package api

import "time"

// TokenResponse is the answer of POST /oauth2/token (RFC 6749, section 5.1).
type TokenResponse struct {
	AccessToken string `json:"access_token" doc:"Send it as Authorization: Bearer …"`
	TokenType   string `json:"token_type" enum:"Bearer"`
	ExpiresIn   int    `json:"expires_in" doc:"Seconds" example:"43200"`
}

// TokenError is an error of POST /oauth2/token (RFC 6749, section 5.2).
type TokenError struct {
	Error       string `json:"error" enum:"invalid_request,invalid_client,unsupported_grant_type,invalid_scope,temporarily_unavailable,server_error"`
	Description string `json:"error_description,omitempty"`
}

// Tenant is a client organisation and its settings.
type Tenant struct {
	Slug               string    `json:"slug" doc:"Names the tenant for good; also its SFTP user" example:"acme"`
	Name               string    `json:"name" example:"Acme Legal"`
	Schema             string    `json:"schema" example:"efimis-1.0"`
	TimeZone           string    `json:"timeZone" doc:"IANA name; times without a zone are in it" example:"Australia/Sydney"`
	Enabled            bool      `json:"enabled" doc:"When false its credentials are refused and nothing is loaded"`
	QuietPeriodSeconds float64   `json:"quietPeriodSeconds" doc:"A batch is closed when nothing has arrived for so long; 0 imports each file by itself at once" example:"10"`
	RejectLimit        float64   `json:"rejectLimit" doc:"Share of an import's rows, 0 to 1, above which the import is rejected" example:"0.1"`
	QuotaBytes         int64     `json:"quotaBytes" doc:"Of stored files; 0 is unlimited"`
	AutoMap            bool      `json:"autoMap" doc:"Without a mapping: one that is proposed for the first files and leaves nothing open is taken into use without being asked"`
	CreatedAt          time.Time `json:"createdAt"`
	Usage              *Usage    `json:"usage,omitempty" doc:"Not in lists"`
}

// Usage is what a tenant has stored.
type Usage struct {
	Bytes int64 `json:"bytes"`
	Files int64 `json:"files"`
}

// TenantCreate makes a tenant. What is left out takes its default.
type TenantCreate struct {
	Slug               string   `json:"slug" pattern:"^[a-z][a-z0-9_]{0,30}$" patternDescription:"a lower-case letter, then up to 30 lower-case letters, digits and underscores" example:"acme"`
	Name               string   `json:"name" minLength:"1" maxLength:"200" example:"Acme Legal"`
	Schema             string   `json:"schema,omitempty" doc:"Id of an ETL schema; default efimis-1.0" example:"efimis-1.0" maxLength:"100"`
	TimeZone           string   `json:"timeZone,omitempty" doc:"Default UTC" example:"Australia/Sydney" maxLength:"100"`
	Enabled            *bool    `json:"enabled,omitempty" doc:"Default true"`
	QuietPeriodSeconds *float64 `json:"quietPeriodSeconds,omitempty" minimum:"0" maximum:"86400" doc:"Default 10"`
	RejectLimit        *float64 `json:"rejectLimit,omitempty" minimum:"0" maximum:"1" doc:"Default 0.1"`
	QuotaBytes         *int64   `json:"quotaBytes,omitempty" minimum:"0" doc:"Default 0, unlimited"`
	AutoMap            bool     `json:"autoMap,omitempty" doc:"Default false"`
}

// TenantChange changes a tenant's settings; what is left out stays as it is.
type TenantChange struct {
	Name               *string  `json:"name,omitempty" minLength:"1" maxLength:"200"`
	TimeZone           *string  `json:"timeZone,omitempty" minLength:"1" maxLength:"100"`
	Enabled            *bool    `json:"enabled,omitempty" doc:"Operator only"`
	QuietPeriodSeconds *float64 `json:"quietPeriodSeconds,omitempty" minimum:"0" maximum:"86400"`
	RejectLimit        *float64 `json:"rejectLimit,omitempty" minimum:"0" maximum:"1" doc:"Operator only"`
	QuotaBytes         *int64   `json:"quotaBytes,omitempty" minimum:"0" doc:"Operator only"`
	AutoMap            *bool    `json:"autoMap,omitempty"`
}

// TenantPage is one page of tenants in the order of their slugs.
type TenantPage struct {
	Items      []Tenant `json:"items" nullable:"false"`
	NextCursor string   `json:"nextCursor,omitempty" doc:"Give it as cursor for the next page; absent at the end"`
}

// Production is what a tenant has in production.
type Production struct {
	Tenant string            `json:"tenant" example:"acme"`
	Schema string            `json:"schema" example:"efimis-1.0"`
	Rows   int64             `json:"rows" doc:"In all tables"`
	Tables []ProductionTable `json:"tables" nullable:"false" doc:"In the schema's order"`
}

// ProductionTable is one table of production.
type ProductionTable struct {
	Name string `json:"name" example:"Matter"`
	Rows int64  `json:"rows"`
}

// Credential is a way in. Its secret is never in it.
type Credential struct {
	ID          string     `json:"id" doc:"For a client also its client_id" example:"cred_0123456789abcdef0123456789abcdef"`
	Tenant      string     `json:"tenant,omitempty" doc:"Absent: the operator's" example:"acme"`
	Kind        string     `json:"kind" enum:"password,public_key,client"`
	Label       string     `json:"label" example:"nightly export"`
	Fingerprint string     `json:"fingerprint,omitempty" doc:"Of a public key" example:"SHA256:…"`
	CreatedAt   time.Time  `json:"createdAt"`
	ExpiresAt   *time.Time `json:"expiresAt,omitempty"`
	RevokedAt   *time.Time `json:"revokedAt,omitempty"`
	LastUsedAt  *time.Time `json:"lastUsedAt,omitempty"`
}

// CredentialCreate makes a credential. A tenant may have several of each kind: add the new one, switch over, revoke the old.
type CredentialCreate struct {
	Kind      string     `json:"kind" enum:"password,public_key,client" doc:"password and public_key sign in to SFTP as the tenant's slug; client signs in to this API"`
	Label     string     `json:"label,omitempty" maxLength:"200" doc:"For people; default the kind" example:"nightly export"`
	Password  string     `json:"password,omitempty" maxLength:"1024" doc:"Kind password only; at least 12 characters. Left out, one is made and shown once."`
	PublicKey string     `json:"publicKey,omitempty" maxLength:"16384" doc:"Kind public_key only: a line as in authorized_keys, without options" example:"ssh-ed25519 AAAA… me@example.org"`
	ExpiresAt *time.Time `json:"expiresAt,omitempty" doc:"Default never"`
}

// CredentialCreated is a new credential with the secret that was made for it. It is shown this once.
type CredentialCreated struct {
	Credential
	ClientID     string `json:"clientId,omitempty" doc:"Kind client: the client_id of POST /oauth2/token"`
	ClientSecret string `json:"clientSecret,omitempty" doc:"Kind client: its client_secret, shown this once"`
	Password     string `json:"password,omitempty" doc:"Kind password, where none was given: shown this once"`
}

// CredentialList is all credentials of a tenant or of the operator, oldest first, revoked ones included.
type CredentialList struct {
	Items []Credential `json:"items" nullable:"false"`
}

// MappingVersion is one stored version of a tenant's mapping.
type MappingVersion struct {
	Version   int        `json:"version" doc:"0 is no mapping: the schema's own names"`
	CreatedAt *time.Time `json:"createdAt,omitempty"`
	CreatedBy string     `json:"createdBy,omitempty"`
	YAML      string     `json:"yaml,omitempty" doc:"The mapping file; not in lists"`
}

// MappingList is all versions of a tenant's mapping, newest first.
type MappingList struct {
	Items []MappingVersion `json:"items" nullable:"false"`
}

// MappingStored is the answer to a mapping that was accepted.
type MappingStored struct {
	Version int  `json:"version" doc:"The version now in force; with dryRun the one in force before"`
	Stored  bool `json:"stored" doc:"False with dryRun, and where the file equals the version in force"`
	DryRun  bool `json:"dryRun"`
}

// ServerInfo says what server this is and how files reach it.
type ServerInfo struct {
	Version   string        `json:"version"`
	Roles     []string      `json:"roles" nullable:"false" doc:"What this process does" example:"[\"sftp\",\"api\",\"worker\"]"`
	Schemas   []string      `json:"schemas" nullable:"false" example:"[\"efimis-1.0\"]"`
	SFTP      SFTPInfo      `json:"sftp"`
	Databases DatabasesInfo `json:"databases"`
	Tenant    string        `json:"tenant,omitempty" doc:"Of the token; absent for the operator's" example:"acme"`
}

// DatabasesInfo is what a client must know to have a database imported.
type DatabasesInfo struct {
	Enabled         bool     `json:"enabled" doc:"Whether connection strings are taken in"`
	EgressAddresses []string `json:"egressAddresses" nullable:"false" doc:"From which the service connects, for clients' firewalls; empty where the operator does not say" example:"[\"198.51.100.7\"]"`
}

// SFTPInfo is what an SFTP client must know.
type SFTPInfo struct {
	Host         string   `json:"host" example:"sftp.example.org"`
	Port         int      `json:"port" example:"2022"`
	Fingerprints []string `json:"fingerprints" nullable:"false" doc:"Of the host keys, as OpenSSH shows them" example:"[\"SHA256:…\"]"`
}

// SchemaList is the ETL schemas that the server offers.
type SchemaList struct {
	Items []SchemaInfo `json:"items" nullable:"false"`
}

// SchemaInfo is one ETL schema and where its files are.
type SchemaInfo struct {
	ID          string        `json:"id" example:"efimis-1.0"`
	Name        string        `json:"name" example:"Efimis"`
	Version     string        `json:"version" example:"1.0"`
	Title       string        `json:"title,omitempty"`
	Description string        `json:"description,omitempty"`
	Links       SchemaLinks   `json:"links"`
	Tables      []SchemaTable `json:"tables" nullable:"false"`
}

// SchemaLinks are the paths of a schema's files.
type SchemaLinks struct {
	SQLServer  string `json:"sqlServer" example:"/etl/schema/Efimis-1.0.sql"`
	PostgreSQL string `json:"postgreSQL" example:"/etl/schema/Efimis-1.0.postgres.sql"`
	JSON       string `json:"json" example:"/etl/schema/Efimis-1.0.json"`
	Reference  string `json:"reference" example:"/etl/schema/Efimis-1.0/reference"`
}

// SchemaTable is one table of a schema.
type SchemaTable struct {
	Name      string `json:"name" example:"Matter"`
	Group     string `json:"group,omitempty" example:"Practice"`
	Columns   int    `json:"columns"`
	Reference string `json:"reference" example:"/etl/schema/Efimis-1.0/reference/Matter"`
	Template  string `json:"template" example:"/etl/schema/Efimis-1.0/templates/Matter.csv"`
}

// Health is the answer of /healthz and /readyz.
type Health struct {
	Status string `json:"status" enum:"ok"`
}
