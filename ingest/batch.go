package ingest

import (
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
)

// BatchID names files that are sent one after the other and delivered together: 1 to 64 letters, digits, "-" and "_", chosen by
// the sender.
type BatchID string

var batchPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Valid reports whether id has a batch id's form.
func (id BatchID) Valid() bool { return batchPattern.MatchString(string(id)) }

// suffix ends the temporary name under which a file waits for its batch, whichever way it was sent.
func (id BatchID) suffix() string { return "." + string(id) + ".part" }

// Held is the path under which a file waits for its batch to be delivered.
func (id BatchID) Held(path string) string { return path + id.suffix() }

// Final is the reverse of Held; false where the path does not wait for that batch.
func (id BatchID) Final(path string) (string, bool) {
	final, ok := strings.CutSuffix(path, id.suffix())
	return final, ok && final != "" && !strings.HasSuffix(final, "/")
}

// MaxBatchFiles is how many files may be delivered together.
const MaxBatchFiles = 10_000

// Delivered is a batch that was delivered.
type Delivered struct {
	Drops  []Drop
	Import ImportID // of them; empty if every file equals what was delivered before
}

// Hold takes in all of body as one file that waits for its batch to be delivered. Sent again it replaces itself.
func (r *Receiver) Hold(ctx context.Context, d Delivery, batch BatchID, body io.Reader) (Entry, error) {
	const op = "ingest.Hold"
	if !batch.Valid() {
		return Entry{}, WithHint(Errorf(Invalid, op, "%q cannot be a batch's name", string(batch)),
			"use 1 to 64 letters, digits, - and _")
	}
	d.Path = batch.Held(d.Path)
	u, err := r.Create(ctx, d)
	if err != nil {
		return Entry{}, err
	}
	defer u.share.leave(false) // should body panic
	if _, err := io.CopyBuffer(struct{ io.Writer }{u}, struct{ io.Reader }{body}, make([]byte, receiveBuffer)); err != nil {
		return Entry{}, errors.Join(err, u.Abort(context.WithoutCancel(ctx)))
	}
	_, entry, err := u.Commit(ctx)
	return entry, err
}
