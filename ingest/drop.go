package ingest

import "time"

// Via says how a drop arrived.
type Via string

// The ways in.
const (
	ViaSFTP   Via = "sftp"
	ViaHTTP   Via = "http"
	ViaBucket Via = "bucket" // written straight into the bucket
)

// DropState says what has become of a drop.
type DropState string

const (
	// DropPending waits for its batch to close.
	DropPending DropState = "pending"
	// DropImported belongs to an import, whose state says the rest.
	DropImported DropState = "imported"
	// DropDuplicate has the same bytes as the latest drop of its name, which is live or promoted; it is not loaded again.
	DropDuplicate DropState = "duplicate"
	// DropSuperseded was sent again under the same name before its import started.
	DropSuperseded DropState = "superseded"
	// DropWithdrawn was removed by the client before its import started, or was read from a database whose import started over.
	DropWithdrawn DropState = "withdrawn"
)

// Drop is one delivered file, immutable once registered.
type Drop struct {
	ID          DropID
	Tenant      TenantID
	Path        string // as delivered, "/inbox/daily/Matters.csv"
	Key         string // of the object in the bucket
	Size        int64
	SHA256      [32]byte
	Via         Via
	By          string // label or id of the credential
	State       DropState
	Import      ImportID // DropImported
	DuplicateOf DropID   // DropDuplicate
	ReceivedAt  time.Time
}

// EntryKind says what an entry of a tenant's tree is.
type EntryKind string

// The kinds of entries.
const (
	EntryDir       EntryKind = "dir"
	EntryDrop      EntryKind = "drop"      // a registered drop, in /inbox or /archive
	EntryTemporary EntryKind = "temporary" // complete, under a temporary name: counts once renamed
	EntryPartial   EntryKind = "partial"   // what a broken connection left; hidden from listings, gone after PartialLifetime
	EntryReport    EntryKind = "report"    // written by Dropline in /reports
)

// Entry is one name in a tenant's virtual tree.
type Entry struct {
	Path      string // canonical, see CleanPath
	Kind      EntryKind
	Size      int64
	ModTime   time.Time
	Key       string   // of the object; empty for a directory
	Drop      DropID   // EntryDrop
	SHA256    [32]byte // of a drop or a temporary file
	HashState []byte   // the SHA-256 state after the last byte (crypto/sha256's MarshalBinary), for appending; may be nil
}

// PartialLifetime is how long what a broken connection left may be resumed.
const PartialLifetime = 24 * time.Hour

// Delivery says where an upload is going and from whom.
type Delivery struct {
	Tenant TenantID
	Path   string // canonical path below /inbox
	Via    Via
	By     string
	Origin string // ViaBucket: key, entity tag and time of the foreign object, by which the sweep knows it again
}

// Registration is what Receiver hands the ledger once the object is durable.
type Registration struct {
	Delivery
	ID         DropID
	Key        string
	Size       int64
	SHA256     [32]byte
	HashState  []byte
	BeganAt    time.Time // when its upload began; zero where that is not known
	ReceivedAt time.Time
}

// Usage is what a tenant has stored and may store.
type Usage struct {
	Bytes int64
	Quota int64 // 0 is unlimited
	Files int64
}
