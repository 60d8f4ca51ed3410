package ingest

import (
	"context"
	"crypto/sha256"
	"encoding"
	"errors"
	"hash"
	"io"
	"time"
)

// Defaults and fixed bounds of receiving.
const (
	DefaultMaxFileBytes = 500 << 30 // 500 GiB: the largest export seen in the field, well within S3's 5 TiB
	receiveBuffer       = 256 << 10 // bytes read at a time from a body; a few of these keep an S3 part filling
	touchEvery          = time.Second
)

// ReceiverConfig configures a Receiver.
type ReceiverConfig struct {
	MaxFileBytes int64            // of one file; 0 is DefaultMaxFileBytes
	Clock        func() time.Time // nil is time.Now
}

func (c *ReceiverConfig) validate() error {
	if c.MaxFileBytes < 0 {
		return Errorf(Invalid, "ingest.NewReceiver", "the largest file size is negative")
	}
	if c.MaxFileBytes == 0 {
		c.MaxFileBytes = DefaultMaxFileBytes
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	return nil
}

// receiverLedger is what a Receiver asks of the ledger.
type receiverLedger interface {
	Files
	Usage(ctx context.Context, id TenantID) (Usage, error)
}

// Receiver is the one door by which every file enters: it bounds, hashes and stores the bytes, then registers the drop.
// Nothing is registered that is not durable, and nothing is acknowledged that is not registered.
type Receiver struct {
	ledger receiverLedger
	bucket Bucket
	cfg    ReceiverConfig
	flows  *flows
}

// NewReceiver returns a Receiver that keeps bytes in bucket and facts in ledger.
func NewReceiver(ledger receiverLedger, bucket Bucket, cfg ReceiverConfig) (*Receiver, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Receiver{ledger: ledger, bucket: bucket, cfg: cfg, flows: newFlows()}, nil
}

// Receive takes in all of body as one file and returns its drop. If body fails nothing is kept.
func (r *Receiver) Receive(ctx context.Context, d Delivery, body io.Reader) (Drop, error) {
	if TemporaryName(d.Path) {
		return Drop{}, WithHint(
			Errorf(Invalid, "ingest.Receive", "%q is a name for unfinished uploads", d.Path),
			"send the file under its final name")
	}
	u, err := r.Create(ctx, d)
	if err != nil {
		return Drop{}, err
	}
	defer u.share.leave(false) // should body panic
	if _, err := io.CopyBuffer(struct{ io.Writer }{u}, struct{ io.Reader }{body}, make([]byte, receiveBuffer)); err != nil {
		return Drop{}, errors.Join(err, u.Abort(context.WithoutCancel(ctx)))
	}
	drop, _, err := u.Commit(ctx)
	return drop, err
}

// Create starts a new file at d's path. Nothing can be seen of it until Commit. The context governs the upload up to Commit,
// Suspend or Abort, one of which must be called. Conflict if MaxUploads of the tenant are under way.
func (r *Receiver) Create(ctx context.Context, d Delivery) (*Upload, error) {
	u, err := r.start(ctx, d)
	if err != nil {
		return nil, err
	}
	if u.w, err = r.bucket.Create(ctx, u.key); err != nil {
		u.share.leave(false)
		return nil, E(KindOf(err), "ingest.Create", err)
	}
	return u, nil
}

func (r *Receiver) start(ctx context.Context, d Delivery) (*Upload, error) {
	const op = "ingest.Create"
	if clean, err := CleanPath(d.Path); err != nil {
		return nil, err
	} else if clean != d.Path || !InInbox(clean) {
		return nil, WithHint(Errorf(Denied, op, "%q is not in the inbox", d.Path), "files are sent to /inbox")
	}
	share, ok := r.flows.enter(d.Tenant)
	if !ok {
		return nil, WithHint(Errorf(Conflict, op, "%d files are being sent at once", MaxUploads), "wait until some of them are in")
	}
	beside, mark := share.standing() // before the ledger is asked: what gets in meanwhile counts twice rather than never
	usage, err := r.ledger.Usage(ctx, d.Tenant)
	if err != nil {
		share.leave(false)
		return nil, err
	}
	u := &Upload{
		r: r, ctx: ctx, d: d, id: NewDropID(), hash: sha256.New(), share: share, quota: usage.Quota, began: r.cfg.Clock(),
	}
	u.key = DropHour(u.began) + string(d.Tenant) + "/" + string(u.id)
	if u.quota > 0 {
		share.limit(u.quota-usage.Bytes-beside, mark)
	}
	return u, nil
}

// Upload is one file on its way in. It is written in order and is not safe for concurrent use.
type Upload struct {
	r       *Receiver
	ctx     context.Context //nolint:containedctx // an upload outlives no call but its own: it is the lifetime of the io.Writer
	d       Delivery
	id      DropID
	key     string
	w       ObjectWriter
	hash    hash.Hash
	share   *share
	quota   int64
	began   time.Time
	touched time.Time
	err     error
}

// Size is the number of bytes so far, those resumed from included.
func (u *Upload) Size() int64 { return u.w.Size() }

// Path is the path at which the file will appear.
func (u *Upload) Path() string { return u.d.Path }

// Write adds bytes at the end. Exhausted when the tenant's quota or the size limit is reached; after an error every further
// Write and Commit returns it.
func (u *Upload) Write(p []byte) (int, error) {
	if u.err != nil {
		return 0, u.err
	}
	if u.err = u.admit(int64(len(p))); u.err != nil {
		return 0, u.err
	}
	n, err := u.w.Write(p)
	u.hash.Write(p[:n])
	if err != nil {
		u.err = E(KindOf(err), "ingest.Write", err)
		return n, u.err
	}
	// Batches stay open while bytes arrive; a file that comes in one write has no need to say so. Losing a note only closes a
	// batch early, so its error is no matter.
	if now := u.r.cfg.Clock(); n > 0 && u.w.Size() > int64(n) && now.Sub(u.touched) >= touchEvery {
		_ = u.r.ledger.Receiving(u.ctx, u.d.Tenant)
		u.touched = now
	}
	return n, nil
}

// admit counts n more bytes, or says why they cannot be taken.
func (u *Upload) admit(n int64) error {
	const op, hint = "ingest.Write", "ask the operator for more room, or split the file"
	switch {
	case u.w.Size()+n > u.r.cfg.MaxFileBytes:
		return WithHint(Errorf(Exhausted, op, "the file is larger than the limit of %d bytes", u.r.cfg.MaxFileBytes), hint)
	case !u.share.take(n):
		return WithHint(Errorf(Exhausted, op, "the quota of %d bytes is used up", u.quota), hint)
	}
	return nil
}

// Commit makes the file durable and registers it: as a drop, or under a temporary name as a temporary file, with an empty
// Drop. If PostgreSQL is out of reach the object stays and the sweep registers it unless a newer one of that path has come.
func (u *Upload) Commit(ctx context.Context) (_ Drop, _ Entry, err error) {
	defer func() { u.share.leave(err == nil) }()
	if u.err != nil {
		return Drop{}, Entry{}, errors.Join(u.err, u.Abort(ctx))
	}
	reg, err := u.registration()
	if err != nil {
		return Drop{}, Entry{}, errors.Join(err, u.Abort(ctx))
	}
	if _, err := u.w.Commit(ctx, metadataOf(reg)); err != nil {
		return Drop{}, Entry{}, errors.Join(E(KindOf(err), "ingest.Commit", err), u.Abort(ctx))
	}
	drop, entry, err := u.r.register(ctx, reg)
	return drop, entry, u.r.unlessRefused(ctx, reg.Key, err)
}

func (r *Receiver) register(ctx context.Context, reg Registration) (Drop, Entry, error) {
	if TemporaryName(reg.Path) {
		entry, err := r.ledger.Park(ctx, EntryTemporary, reg)
		return Drop{}, entry, err
	}
	drop, err := r.ledger.Register(ctx, reg)
	if err != nil {
		return Drop{}, Entry{}, err
	}
	return drop, Entry{
		Path: drop.Path, Kind: EntryDrop, Size: drop.Size, ModTime: drop.ReceivedAt, Key: drop.Key,
		Drop: drop.ID, SHA256: drop.SHA256,
	}, nil
}

// Suspend keeps what has arrived as a partial that can be resumed for PartialLifetime. It is for broken connections. Where
// the whole file has come since, over another connection, nothing is kept and the error is Conflict.
func (u *Upload) Suspend(ctx context.Context) (err error) {
	defer func() { u.share.leave(err == nil) }()
	if u.err != nil || u.w.Size() == 0 {
		return u.Abort(ctx)
	}
	reg, err := u.registration()
	if err != nil {
		return errors.Join(err, u.Abort(ctx))
	}
	// Without metadata, so that the sweep cannot take it for a whole file.
	if _, err := u.w.Commit(ctx, nil); err != nil {
		return errors.Join(E(KindOf(err), "ingest.Suspend", err), u.Abort(ctx))
	}
	_, err = u.r.ledger.Park(ctx, EntryPartial, reg)
	return u.r.unlessRefused(ctx, reg.Key, err)
}

// unlessRefused deletes the object of a registration that was refused for good (a folder is in the way, the tenant is gone):
// nothing will ever refer to it.
func (r *Receiver) unlessRefused(ctx context.Context, key string, err error) error {
	if err != nil && KindOf(err) != Unavailable && KindOf(err) != Internal {
		return errors.Join(err, r.bucket.Delete(ctx, key))
	}
	return err
}

// Abort discards what was written.
func (u *Upload) Abort(ctx context.Context) error {
	if u.err == nil {
		u.err = Errorf(Conflict, "ingest.Write", "the upload was aborted")
	}
	u.share.leave(false)
	return u.w.Abort(ctx)
}

func (u *Upload) registration() (Registration, error) {
	state, err := u.hash.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return Registration{}, E(Internal, "ingest.Commit", err)
	}
	reg := Registration{
		Delivery: u.d, ID: u.id, Key: u.key, Size: u.w.Size(), HashState: state, BeganAt: u.began,
		ReceivedAt: u.r.cfg.Clock(),
	}
	u.hash.Sum(reg.SHA256[:0])
	return reg, nil
}
