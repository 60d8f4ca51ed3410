package ingest

import "time"

// Defaults of a tenant's settings.
const (
	DefaultSchema      = "efimis-1.0"
	DefaultTimeZone    = "UTC"
	DefaultQuietPeriod = 10 * time.Second
	DefaultRejectLimit = 0.10 // of an import's rows
)

// Tenant is a client organisation.
type Tenant struct {
	ID          TenantID
	Name        string
	Schema      string        // id of its ETL schema, "efimis-1.0"
	TimeZone    string        // IANA name; times without a zone are in it
	Enabled     bool          // when false, its SFTP and API credentials are refused and nothing is loaded
	QuietPeriod time.Duration // a batch is closed when nothing has arrived for so long; 0 imports each file by itself at once
	RejectLimit float64       // share of an import's rows, 0 to 1, above which the import is rejected
	QuotaBytes  int64         // of stored drops; 0 is unlimited
	AutoMap     bool          // a proposed mapping that leaves nothing open is taken into use without being asked
	CreatedAt   time.Time
}

// TenantChange holds the settings to change; nil leaves one as it is.
type TenantChange struct {
	Name        *string
	TimeZone    *string
	Enabled     *bool
	QuietPeriod *time.Duration
	RejectLimit *float64
	QuotaBytes  *int64
	AutoMap     *bool
}

// CredentialKind says what a credential opens and how.
type CredentialKind string

const (
	// Password signs in to SFTP. The user name is the tenant's slug.
	Password CredentialKind = "password"
	// PublicKey signs in to SFTP. The user name is the tenant's slug.
	PublicKey CredentialKind = "public_key"
	// Client signs in to the API by OAuth 2.0 client credentials. The client id is the credential's id.
	Client CredentialKind = "client"
)

// Credential is a way in. Its secret is never in it. A tenant may have several of each kind, which is how one is rotated
// without downtime: add the new, switch over, revoke the old.
type Credential struct {
	ID          CredentialID
	Tenant      TenantID // empty: the operator (kind Client only)
	Kind        CredentialKind
	Label       string
	Fingerprint string // PublicKey: "SHA256:…"
	CreatedAt   time.Time
	ExpiresAt   *time.Time
	RevokedAt   *time.Time
	LastUsedAt  *time.Time
}

// Operator reports whether the credential is the operator's rather than a tenant's.
func (c Credential) Operator() bool { return c.Tenant == "" }

// Identity is who a request comes from, once a credential or a token has been verified.
type Identity struct {
	Credential CredentialID
	Tenant     TenantID // empty: the operator
	Label      string
}

// MappingVersion is one stored version of a tenant's mapping file. Version 0 is no mapping: the schema's own names.
type MappingVersion struct {
	Tenant    TenantID
	Version   int
	YAML      []byte
	CreatedAt time.Time
	CreatedBy string
}
