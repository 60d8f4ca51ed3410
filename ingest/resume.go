package ingest

import (
	"context"
	"encoding"
	"errors"
	"io"
)

// Resume starts a new file at d's path that begins with what is stored there: a partial, a temporary file or a drop. Where
// nothing is stored it is Create. Upload.Size tells how much there is.
func (r *Receiver) Resume(ctx context.Context, d Delivery) (*Upload, error) {
	const op = "ingest.Resume"
	entry, err := r.ledger.Lookup(ctx, d.Tenant, d.Path)
	switch {
	case KindOf(err) == NotFound && err != nil:
		return r.Create(ctx, d)
	case err != nil:
		return nil, err
	case entry.Kind == EntryDir:
		return nil, Errorf(Conflict, op, "%q is a folder", d.Path)
	case entry.Size == 0:
		return r.Create(ctx, d)
	}
	u, err := r.start(ctx, d)
	if err != nil {
		return nil, err
	}
	if err := u.prefix(ctx, entry); err != nil {
		u.share.leave(false)
		return nil, err
	}
	return u, nil
}

// prefix begins the upload with what is stored. A partial or temporary file is gone once the upload is in, so its bytes are
// no further use of the quota.
func (u *Upload) prefix(ctx context.Context, entry Entry) (err error) {
	if entry.Kind == EntryPartial || entry.Kind == EntryTemporary {
		u.share.replaces(entry.Size)
	}
	if !u.share.take(entry.Size) {
		return WithHint(Errorf(Exhausted, "ingest.Resume", "the quota of %d bytes is used up", u.quota), "ask the operator for more room")
	}
	if err := u.restoreHash(ctx, entry); err != nil {
		return err
	}
	if u.w, err = u.r.bucket.Append(ctx, u.key, entry.Key, entry.Size); err != nil {
		return E(KindOf(err), "ingest.Resume", err)
	}
	return nil
}

// restoreHash brings the hash to the state it had after the stored prefix; only where that is not known is the prefix read.
func (u *Upload) restoreHash(ctx context.Context, entry Entry) error {
	const op = "ingest.Resume"
	if entry.HashState != nil {
		return E(Internal, op, u.hash.(encoding.BinaryUnmarshaler).UnmarshalBinary(entry.HashState))
	}
	body, _, err := u.r.bucket.Open(ctx, entry.Key, 0, entry.Size, "")
	if err != nil {
		return E(KindOf(err), op, err)
	}
	_, err = io.Copy(u.hash, body)
	return E(KindOf(err), op, errors.Join(err, body.Close()))
}
