package ingest

import (
	"context"
	"regexp"
	"time"
)

// PGPKey is an OpenPGP key of a tenant: one of its own, to which its files may be encrypted, or that of a sender, who may sign them.
type PGPKey struct {
	Tenant      TenantID
	Fingerprint string // hex digits in upper case
	User        string // whose the key says that it is
	Sender      bool
	Public      []byte
	Sealed      []byte // the private part, encrypted; nil of a sender's
	CreatedAt   time.Time
	CreatedBy   string
	RevokedAt   *time.Time // from then on it opens and vouches for nothing
}

// MaxPGPKeys is how many keys a tenant may have, revoked ones included.
const MaxPGPKeys = 50

var fingerprintPattern = regexp.MustCompile(`^[0-9A-F]{40}([0-9A-F]{24})?$`)

// ValidFingerprint reports whether text has the form of a key's fingerprint.
func ValidFingerprint(text string) bool { return fingerprintPattern.MatchString(text) }

// SealedFor says whose a sealed private key is and what for, which binds it to that.
func (k *PGPKey) SealedFor() string { return string(k.Tenant) + " pgp " + k.Fingerprint }

// PGPKeys is the part of the ledger that holds OpenPGP keys.
type PGPKeys interface {
	// AddPGPKey stores a key. Conflict if the tenant has it, or MaxPGPKeys.
	AddPGPKey(ctx context.Context, k PGPKey) (PGPKey, error)
	// ListPGPKeys returns the tenant's keys, oldest first, revoked ones included.
	ListPGPKeys(ctx context.Context, tenant TenantID) ([]PGPKey, error)
	// RevokePGPKey ends a key, and forgets the private part of one of the tenant's own.
	RevokePGPKey(ctx context.Context, tenant TenantID, fingerprint string) error
}
