package ingest

import (
	"context"
	"io"
	"time"
)

// Keys in the bucket begin with one of these.
const (
	DropPrefix   = "drops/"   // drops/<hour of arrival>/<tenant>/<drop id>: written by Receiver only; see DropHour
	ReportPrefix = "reports/" // reports/<tenant>/<import id>/…: rejects and receipts
	InboxPrefix  = "inbox/"   // inbox/<tenant>/<path>: where others write straight into the bucket; the sweep reads it
)

// DropHour is the prefix of all drops that began to arrive within the hour of t. The hour comes first so that the sweep can
// look at what is recent without listing all that was ever received.
func DropHour(t time.Time) string { return DropPrefix + t.UTC().Format(keyHour) + "/" }

// keyHour is how an hour is written in keys: in the order of time.
const keyHour = "20060102T15"

// Object is what the bucket says of one object.
type Object struct {
	Key      string
	Size     int64
	ETag     string
	ModTime  time.Time
	Metadata map[string]string // as given to Commit; nil where none was given, or from List
}

// Bucket is the S3 bucket in which all bytes are kept. It is safe for concurrent use. Errors are of kind NotFound,
// Exhausted (the store is full), Conflict (a precondition failed), Unavailable (out of reach after bounded retries) or
// Internal.
type Bucket interface {
	// Create starts an object. Nothing can be seen under key until Commit.
	Create(ctx context.Context, key string) (ObjectWriter, error)
	// Append starts an object that begins with the first size bytes of the object from, copied within the store; at most
	// one part is read back. key and from differ.
	Append(ctx context.Context, key, from string, size int64) (ObjectWriter, error)
	// Open reads length bytes from offset; a negative length reads to the end. ifMatch, unless empty, is the entity tag the
	// object must have. The reader survives a broken connection by going on where it was, of the same entity tag.
	Open(ctx context.Context, key string, offset, length int64, ifMatch string) (io.ReadCloser, Object, error)
	// Stat returns the object with its metadata.
	Stat(ctx context.Context, key string) (Object, error)
	// Delete removes the object and its metadata. Removing what is not there is no error.
	Delete(ctx context.Context, key string) error
	// List calls yield for each object under prefix in the order of keys, from the first key after the given one, until
	// yield returns false.
	List(ctx context.Context, prefix, after string, yield func(Object) bool) error
	// AbortStale ends multipart uploads that began before the given time and were neither committed nor aborted.
	AbortStale(ctx context.Context, before time.Time) error
	// Healthy reports whether the bucket can be reached.
	Healthy(ctx context.Context) error
}

// ObjectWriter writes one object in order, in bounded memory: what fits in one part goes in a single request. It is not
// safe for concurrent use. After an error every further call returns that error; Abort must still be called.
type ObjectWriter interface {
	io.Writer
	// Size is the number of bytes so far, those of the stored prefix included.
	Size() int64
	// Commit makes the object durable under its key, together with the metadata (a few short ASCII values): both or
	// neither can be seen afterwards. Nil metadata stores none.
	Commit(ctx context.Context, metadata map[string]string) (Object, error)
	// Abort discards what was written. It may be called after any error, and does nothing after Commit succeeded.
	Abort(ctx context.Context) error
}
