package ingest

import (
	"context"
	"time"
)

// Ledger is the PostgreSQL record of all that Dropline knows. Consumers ask for the smallest part that serves them. All
// parts are safe for concurrent use. A thing that does not exist, or belongs to a tenant other than the one named, is an
// error of kind NotFound; PostgreSQL out of reach is Unavailable.
type Ledger interface {
	Tenants
	Credentials
	Mappings
	Files
	Tree
	Batches
	Imports
	Databases
	Settings
	// Healthy reports whether PostgreSQL can be reached and its schema is the one this program expects.
	Healthy(ctx context.Context) error
}

// Tenants is the part of the ledger that holds tenants.
type Tenants interface {
	// CreateTenant records a tenant. Conflict if the slug is taken, Invalid if a setting is out of bounds. Zero QuietPeriod
	// and RejectLimit are taken as they are: the caller fills in defaults.
	CreateTenant(ctx context.Context, t Tenant) (Tenant, error)
	Tenant(ctx context.Context, id TenantID) (Tenant, error)
	// ListTenants returns up to limit tenants in the order of their slugs, from the first after the given one.
	ListTenants(ctx context.Context, after TenantID, limit int) ([]Tenant, error)
	ChangeTenant(ctx context.Context, id TenantID, change TenantChange) (Tenant, error)
	// Usage returns what the tenant has stored.
	Usage(ctx context.Context, id TenantID) (Usage, error)
}

// Credentials is the part of the ledger that holds credentials and tokens. Secrets go in and are verified; none comes out.
type Credentials interface {
	// AddPassword stores an SFTP password (argon2id). Invalid if it is shorter than MinPassword characters or longer than
	// MaxPassword bytes. A nil expires never expires.
	AddPassword(ctx context.Context, tenant TenantID, label, password string, expires *time.Time) (Credential, error)
	// AddPublicKey stores an SFTP key, given as a line of authorized_keys. Options before the key are refused, and RSA
	// keys under 2048 bits and DSA keys.
	AddPublicKey(ctx context.Context, tenant TenantID, label, authorizedKey string, expires *time.Time) (Credential, error)
	// AddClient makes an API client and returns its secret, which is shown this once. An empty tenant is the operator.
	AddClient(ctx context.Context, tenant TenantID, label string, expires *time.Time) (Credential, string, error)
	// ListCredentials returns the tenant's (an empty one: the operator's) credentials, revoked ones included, oldest first.
	ListCredentials(ctx context.Context, tenant TenantID) ([]Credential, error)
	// RevokeCredential ends a credential and every token got with it.
	RevokeCredential(ctx context.Context, tenant TenantID, id CredentialID) error

	// VerifyPassword returns who signs in to SFTP as user. Denied when nothing matches, whatever the cause (unknown user,
	// disabled tenant, expired or revoked credential), after the same work and time.
	VerifyPassword(ctx context.Context, user, password string) (Identity, error)
	// VerifyPublicKey is VerifyPassword for a key in SSH wire format. It does not verify a signature.
	VerifyPublicKey(ctx context.Context, user string, key []byte) (Identity, error)
	// IssueToken verifies an API client and returns a bearer token of that lifetime.
	IssueToken(ctx context.Context, client CredentialID, secret string, lifetime time.Duration) (string, error)
	// VerifyToken returns whose token it is. Denied when it is unknown, expired, or its credential has ended.
	VerifyToken(ctx context.Context, token string) (Identity, error)
}

// Bounds of an SFTP password.
const (
	MinPassword = 12   // characters
	MaxPassword = 1024 // bytes
)

// Mappings is the part of the ledger that holds mapping files.
type Mappings interface {
	// PutMapping stores a new version, which later imports use. The same bytes as the latest version's store nothing new. The
	// tenant's unmapped imports are queued under the new version, oldest first, in the same transaction.
	PutMapping(ctx context.Context, tenant TenantID, yaml []byte, by string) (MappingVersion, error)
	// Mapping returns a version; version -1 is the latest. Version 0 is always there, with no YAML.
	Mapping(ctx context.Context, tenant TenantID, version int) (MappingVersion, error)
	// ListMappings returns the versions without their YAML, newest first.
	ListMappings(ctx context.Context, tenant TenantID) ([]MappingVersion, error)
}

// LatestVersion stands for the latest version of a tenant's mapping.
const LatestVersion = -1

// Files is the part of the ledger by which files enter. Receiver is its one caller.
type Files interface {
	// Register records a durable object as a drop, in one transaction with all that follows from it: the tree's entry at
	// the path (which replaces a drop, partial or temporary file there); DropDuplicate if the bytes equal those of the
	// latest drop of that path and that one is live or promoted under the mapping version now in force; otherwise
	// DropPending, superseding a drop of that path whose import has not started (in a queued import the new drop takes the
	// old one's place). With a quiet period of 0 the import and its job are recorded too. Registering an ID twice is no
	// error and returns the drop. Origin, if not empty, is remembered.
	Register(ctx context.Context, r Registration) (Drop, error)
	// Park records a durable object as a temporary file or a partial at the path, replacing what such was there. A partial
	// whose upload began before a whole file of that path came is refused (Conflict): to show it, or to resume from it,
	// would put the older bytes before the newer.
	Park(ctx context.Context, kind EntryKind, r Registration) (Entry, error)
	// Receiving tells that bytes are still arriving for the tenant, so that its batch stays open.
	Receiving(ctx context.Context, tenant TenantID) error
	// Lookup returns the entry at a path of the inbox for appending: a partial if there is one, else what Tree.Stat
	// returns.
	Lookup(ctx context.Context, tenant TenantID, path string) (Entry, error)
	// Known reports whether the ledger refers to the object: a drop's, or a temporary file's or partial's not yet expired.
	Known(ctx context.Context, keys []string) ([]bool, error)
	// KnownOrigin reports whether a foreign object has been registered.
	KnownOrigin(ctx context.Context, origin string) (bool, error)
	// LatestDrop returns the tenant's latest drop of that path.
	LatestDrop(ctx context.Context, tenant TenantID, path string) (Drop, error)
	// ListHeld returns the files that wait for a batch to be delivered, under the paths they wait under.
	ListHeld(ctx context.Context, tenant TenantID, batch BatchID) ([]Entry, error)
	// Deliver makes drops of the files that wait for a batch, and one import of those that are no duplicates, in one
	// transaction. Conflict if they are not so many; Denied if the tenant is switched off.
	Deliver(ctx context.Context, tenant TenantID, batch BatchID, files int) (Delivered, error)
	// Discard removes the files that wait for a batch, and returns how many there were.
	Discard(ctx context.Context, tenant TenantID, batch BatchID) (int, error)
	// Expire forgets partials older than PartialLifetime, and returns the keys of up to limit objects that nothing refers to
	// any longer (replaced temporary files and partials; superseded and withdrawn drops after their retention).
	Expire(ctx context.Context, limit int) ([]string, error)
	// Drop returns one drop.
	Drop(ctx context.Context, tenant TenantID, id DropID) (Drop, error)
	// ListDrops returns up to limit of the tenant's drops, newest first, received before the given drop (empty: from the
	// newest).
	ListDrops(ctx context.Context, tenant TenantID, before DropID, limit int) ([]Drop, error)
}

// Tree is the part of the ledger that is a tenant's virtual tree. Paths are canonical. Partials are hidden from List; Stat
// shows one where nothing else is at the path.
//
// The root and its three folders always exist. A file leaves /inbox for /archive/<stem of its import>/ when its import is
// staged or rejected; for ten minutes after that, Stat, SetModTime and Open of its old path still find it, because clients
// look again at what they have just sent.
type Tree interface {
	Stat(ctx context.Context, tenant TenantID, path string) (Entry, error)
	// List returns up to limit entries of a folder in the order of their names, from the first after the given name.
	List(ctx context.Context, tenant TenantID, folder, after string, limit int) ([]Entry, error)
	// Mkdir makes a folder below the inbox. Conflict if something is there, NotFound if its parent is not.
	Mkdir(ctx context.Context, tenant TenantID, path string) error
	// Rmdir removes an empty folder below the inbox. Conflict if it is not empty.
	Rmdir(ctx context.Context, tenant TenantID, path string) error
	// Remove removes a file below the inbox. A drop whose import has not started, or is unmapped, is withdrawn (an import left without
	// files is cancelled); one whose import is under way, or an archived file or report, is Denied.
	Remove(ctx context.Context, tenant TenantID, path string) error
	// Rename moves a file or folder below the inbox. A temporary file renamed to a name that is not temporary becomes a
	// drop, as Register would. A drop whose import has not started, or is unmapped, is renamed; one whose import is under way is Denied. What
	// is at to is replaced if replace is set, else Conflict.
	Rename(ctx context.Context, tenant TenantID, from, to string, replace bool) error
	// SetModTime sets the time that Stat shows. It changes nothing else.
	SetModTime(ctx context.Context, tenant TenantID, path string, t time.Time) error
}

// Batches is the part of the ledger that turns pending drops into imports.
type Batches interface {
	// CloseBatches makes one import with its job, in one transaction, of all pending drops of each enabled tenant for which
	// nothing has arrived for its quiet period (or whose oldest pending drop is older than MaxBatchWait). It returns the
	// imports made, and when to look again (zero: nothing is pending). It may run in several processes at once.
	CloseBatches(ctx context.Context) (made []ImportID, next time.Time, err error)
	// Arrivals returns a channel that receives something soon after a drop was registered anywhere. It is closed when ctx
	// ends.
	Arrivals(ctx context.Context) <-chan struct{}
	// Lease runs fn while this process holds the named lease, which one process at a time can; it returns false at once,
	// without running fn, if another has it. fn's context ends if the lease is lost.
	Lease(ctx context.Context, name string, fn func(ctx context.Context) error) (bool, error)
}

// MaxBatchWait bounds how long a batch stays open because files keep arriving.
const MaxBatchWait = time.Hour

// Imports is the part of the ledger that the API asks about imports, and by which it requests what a worker then does. A
// request is recorded together with its job in one transaction. An empty tenant means the operator: any tenant's import.
type Imports interface {
	// Import returns an import with its files, its tables, the files recognised as duplicates of its own, and its promotion.
	Import(ctx context.Context, tenant TenantID, id ImportID) (Import, error)
	// ListImports returns imports without their files and tables, newest first.
	ListImports(ctx context.Context, filter ImportFilter) ([]Import, error)
	// SampleRejects returns the first rejects of an import, in the order of file and record, up to limit, and warnings
	// likewise.
	SampleRejects(ctx context.Context, id ImportID, limit int) (rejects, warnings []Reject, err error)

	// RequestPromotion takes a staged import to promoting. A rejected one needs a reason in override. Conflict if the
	// import is in another state, or if an older import of the tenant is staged, promoting, unmapped or still being loaded: the
	// message names it. (An older rejected, failed, cancelled or rolled-back one is not in the way.)
	RequestPromotion(ctx context.Context, tenant TenantID, id ImportID, by, override string) (Import, error)
	// RequestRollback takes the tenant's last promoted import to rolling_back. Conflict if a later one is promoted, being
	// promoted or rolled back, or if the before-images have lapsed.
	RequestRollback(ctx context.Context, tenant TenantID, id ImportID, by string) (Import, error)
	// Cancel ends an import that is queued, loading, unmapped or validating, or gives up a staged one.
	Cancel(ctx context.Context, tenant TenantID, id ImportID, by string) (Import, error)
	// Retry takes a failed, cancelled or unmapped import back to queued. Conflict if no file of its own is left in it.
	Retry(ctx context.Context, tenant TenantID, id ImportID, by string) (Import, error)
	// Rerun makes a new import of an import's stored files, under a version of the tenant's mapping (LatestVersion: the latest).
	// The files are the new import's from then on; the old one stays on record. One that is staged or unmapped is cancelled in
	// the same transaction. Conflict while the import is worked on, if it has been re-run already, or read a database; NotFound if there is no such version.
	Rerun(ctx context.Context, tenant TenantID, id ImportID, version int, by string) (Import, error)

	// Remember honours an Idempotency-Key for one caller. The first call with a key returns a nil Response and reserves
	// it; the caller then calls Settle with what it answered (or nil to release the key after a failure that changed
	// nothing). Later calls return the response. Conflict if the first is still under way; Invalid if the key was used with
	// another request (by its hash). Keys are kept for 24 hours; a reservation that was never settled lapses after a minute.
	Remember(ctx context.Context, caller, key string, request [32]byte) (*Response, error)
	Settle(ctx context.Context, caller, key string, response *Response) error
}

// Response is an HTTP answer kept for its Idempotency-Key.
type Response struct {
	Status      int
	ContentType string
	Body        []byte
}

// Settings is the part of the ledger that keeps small facts of the installation, such as the SSH host key.
type Settings interface {
	// Setting returns the value kept under name, or makes it by calling create and keeps that. Of several processes that
	// do so at once, all get the same value.
	Setting(ctx context.Context, name string, create func() ([]byte, error)) ([]byte, error)
}

// StemOf returns the name under which an import's files are archived and its reports are found, such as
// "20261122T101503Z_import_0123…": in the order of time, and with the whole import id.
func StemOf(imp Import) string {
	return imp.CreatedAt.UTC().Format("20060102T150405Z") + "_" + string(imp.ID)
}
