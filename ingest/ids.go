package ingest

import (
	"crypto/rand"
	"encoding/hex"
	"regexp"
)

type (
	// TenantID is a tenant's slug: [a-z][a-z0-9_]{0,30}. It names the tenant's schemas and its SFTP user, and never changes.
	TenantID string
	// DropID is "drop_" and 32 hex digits.
	DropID string
	// ImportID is "import_" and 32 hex digits. It is the API's requestId.
	ImportID string
	// CredentialID is "cred_" and 32 hex digits. For the API it is the OAuth client id.
	CredentialID string
	// SourceID is "source_" and 32 hex digits.
	SourceID string
)

var (
	tenantPattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,30}$`)
	importPattern = regexp.MustCompile(`^import_[0-9a-f]{32}$`)
	dropPattern   = regexp.MustCompile(`^drop_[0-9a-f]{32}$`)
	credPattern   = regexp.MustCompile(`^cred_[0-9a-f]{32}$`)
	sourcePattern = regexp.MustCompile(`^source_[0-9a-f]{32}$`)
)

// Valid reports whether the slug has a tenant slug's form.
func (id TenantID) Valid() bool { return tenantPattern.MatchString(string(id)) }

// Valid reports whether id has an import id's form.
func (id ImportID) Valid() bool { return importPattern.MatchString(string(id)) }

// Valid reports whether id has a drop id's form.
func (id DropID) Valid() bool { return dropPattern.MatchString(string(id)) }

// Valid reports whether id has a credential id's form.
func (id CredentialID) Valid() bool { return credPattern.MatchString(string(id)) }

// Valid reports whether id has a source id's form.
func (id SourceID) Valid() bool { return sourcePattern.MatchString(string(id)) }

// NewSourceID returns a new random id.
func NewSourceID() SourceID { return SourceID("source_" + randomHex()) }

// NewDropID returns a new random id.
func NewDropID() DropID { return DropID("drop_" + randomHex()) }

// NewImportID returns a new random id.
func NewImportID() ImportID { return ImportID("import_" + randomHex()) }

// NewCredentialID returns a new random id.
func NewCredentialID() CredentialID { return CredentialID("cred_" + randomHex()) }

// randomHex returns 128 random bits as 32 hex digits. crypto/rand.Read never fails since Go 1.24.
func randomHex() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
