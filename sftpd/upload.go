package sftpd

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"dropline/ingest"
)

// Bounds of the ends of an upload, which go on after its connection is gone.
const (
	commitTimeout  = 15 * time.Minute // S3 takes minutes to complete an object of many parts
	suspendTimeout = time.Minute      // flushing one part and one row of the ledger
)

// upload is a file on its way in, as one handle sees it. Its methods are called by one goroutine at a time, but for size,
// modTime and setModTime.
type upload struct {
	session *session
	path    string
	flags   uint32
	base    int64 // size of what is stored at the path, -1 if nothing is
	began   time.Time

	ctx    context.Context //nolint:containedctx // the lifetime of the ingest.Upload, which outlives the connection
	cancel context.CancelFunc

	entry ingest.Entry // what is stored at the path, if base says that something is
	old   *download    // of that, once it has been read by this handle

	in    *ingest.Upload // nil until the first write says whether it begins or resumes
	next  int64          // the offset, as the client counts, of the first byte that is missing
	added int64          // bytes handed to in
	early reorder
	err   error // the first error; every later call returns it

	reached atomic.Int64
	mu      sync.Mutex
	mtime   time.Time // set by the client; zero if not
}

// openUpload opens path, which is canonical, for writing.
func (s *session) openUpload(ctx context.Context, path string, flags uint32) (*upload, error) {
	const op = "sftpd.Open"
	if !ingest.InInbox(path) {
		return nil, ingest.WithHint(ingest.Errorf(ingest.Denied, op, "%q cannot be written to", path), "files are sent to /inbox")
	}
	u := &upload{session: s, path: path, flags: flags, base: -1, began: s.clock(), early: reorder{budget: s.reorder}}
	look := s.ledger.Lookup
	if flags&openTrunc != 0 {
		look = s.ledger.Stat // one query less: a partial does not matter to what starts over
	}
	entry, err := look(ctx, s.tenant, path)
	switch {
	case err == nil && entry.Kind == ingest.EntryDir:
		return nil, ingest.Errorf(ingest.Conflict, op, "%q is a folder", path)
	case err == nil && entry.Kind != ingest.EntryPartial && flags&(openCreate|openExcl) == openCreate|openExcl:
		return nil, ingest.Errorf(ingest.Conflict, op, "%q is there already", path)
	case err == nil:
		u.base, u.entry = entry.Size, entry
	case ingest.KindOf(err) != ingest.NotFound:
		return nil, err
	case flags&openCreate == 0:
		return nil, err
	default:
		if err := s.needFolder(ctx, path); err != nil {
			return nil, err
		}
	}
	if err := s.takeHandle(); err != nil {
		return nil, err
	}
	u.ctx, u.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if flags&openTrunc != 0 || u.base <= 0 {
		if err := u.begin(); err != nil {
			u.cancel()
			s.giveHandle()
			return nil, err
		}
	} else {
		u.next = u.base // until the first write says otherwise
	}
	u.note()
	return u, nil
}

func (s *session) delivery(path string) ingest.Delivery {
	return ingest.Delivery{Tenant: s.tenant, Path: path, Via: ingest.ViaSFTP, By: s.by}
}

// begin starts a new file.
func (u *upload) begin() (err error) {
	u.in, err = u.session.receiver.Create(u.ctx, u.session.delivery(u.path))
	u.next = 0
	return err
}

// write takes in data, which belongs at offset.
func (u *upload) write(offset uint64, data []byte) error {
	if u.err != nil || len(data) == 0 {
		return u.err
	}
	u.err = u.place(offset, data)
	if u.err != nil {
		u.early.clear()
	}
	u.note()
	return u.err
}

func (u *upload) place(offset uint64, data []byte) error {
	if offset > math.MaxInt64-maxPacket {
		return invalid(errSparse)
	}
	at := int64(offset)
	if u.in == nil {
		if err := u.decide(at); err != nil {
			return err
		}
	}
	if u.in == nil || at > u.next {
		return invalid(u.early.add(u.next, at, data))
	}
	if at < u.next {
		return invalid(errRewrite)
	}
	for data != nil {
		n, err := u.in.Write(data)
		u.next += int64(n)
		u.added += int64(n)
		if err != nil {
			return err
		}
		if data, err = u.early.next(u.next); err != nil {
			return invalid(err)
		}
	}
	return nil
}

// decide looks at the offset of a write to a file that is stored and was opened without TRUNC. PuTTY and WinSCP resume by
// writing at the end without APPEND, OpenSSH and lftp with it, all at the offset of the end; Go's client appends from 0.
func (u *upload) decide(at int64) (err error) {
	switch {
	case at == u.base:
		u.in, err = u.session.receiver.Resume(u.ctx, u.session.delivery(u.path))
		u.next = u.base
	case at == 0 && u.flags&openAppend != 0:
		u.in, err = u.session.receiver.Resume(u.ctx, u.session.delivery(u.path))
		u.next = 0
	case at == 0:
		return u.begin()
	default:
		return nil // a later write may say
	}
	if err == nil && u.in.Size() != u.base {
		return ingest.WithHint(ingest.Errorf(ingest.Conflict, "sftpd.Write", "%q has changed since it was opened", u.path),
			"look at its size again and resume from there")
	}
	return err
}

// truncate sets the size. Only starting over, and the size as it is, can be had.
func (u *upload) truncate(size uint64) error {
	switch {
	case u.err != nil:
		return u.err
	case size == uint64(u.size()) && u.early.empty():
		return nil
	case size != 0:
		return errUnsupported
	}
	u.early.clear()
	if u.in != nil {
		u.err = u.in.Abort(u.ctx)
		u.in = nil
	}
	if u.err == nil {
		u.err = u.begin()
	}
	u.added = 0
	u.note()
	return u.err
}

// sync reports whether all that was sent is with the store's writer.
func (u *upload) sync() error {
	if u.err == nil && !u.early.empty() {
		return invalid(errGap)
	}
	return u.err
}

// commit ends the upload as the client asked by CLOSE.
func (u *upload) commit() error {
	defer u.cancel()
	defer u.closeOld()
	ctx, cancel := context.WithTimeout(u.ctx, commitTimeout)
	defer cancel()
	if u.err == nil && !u.early.empty() {
		u.err = invalid(errGap)
	}
	u.early.clear()
	if u.err != nil {
		u.abort(ctx)
		return u.err
	}
	if u.in != nil {
		drop, entry, err := u.in.Commit(ctx)
		if err != nil {
			return err
		}
		u.session.uploaded(u, drop, entry)
	}
	if mtime := u.modTime(); !mtime.IsZero() {
		if err := u.session.ledger.SetModTime(ctx, u.session.tenant, u.path, mtime); err != nil {
			// The file is in; its time is for show.
			u.session.log.LogAttrs(ctx, slog.LevelDebug, "time of an upload not kept", slog.String("path", printable(u.path)), slog.Any("error", err))
		}
	}
	return nil
}

// suspend ends the upload when its connection is gone: nothing is registered, what came is kept to be resumed.
func (u *upload) suspend() {
	defer u.cancel()
	defer u.closeOld()
	ctx, cancel := context.WithTimeout(u.ctx, suspendTimeout)
	defer cancel()
	u.early.clear()
	if u.in == nil {
		return
	}
	if u.err != nil || u.added == 0 {
		u.abort(ctx)
		return
	}
	attrs := []slog.Attr{slog.String("path", printable(u.path)), slog.Int64("bytes", u.in.Size())}
	if err := u.in.Suspend(ctx); err != nil {
		u.session.log.LogAttrs(ctx, slog.LevelWarn, "upload broke off, nothing kept", append(attrs, slog.Any("error", err))...)
		return
	}
	u.session.log.LogAttrs(ctx, slog.LevelInfo, "upload broke off, kept to be resumed", attrs...)
}

func (u *upload) abort(ctx context.Context) {
	if u.in == nil {
		return
	}
	if err := u.in.Abort(ctx); err != nil {
		u.session.log.LogAttrs(ctx, slog.LevelWarn, "refused upload not cleaned up; the sweep will",
			slog.String("path", printable(u.path)), slog.Any("error", err))
	}
}

// size is the number of bytes so far, those resumed from included.
func (u *upload) size() int64 { return u.reached.Load() }

func (u *upload) note() {
	if u.in != nil {
		u.reached.Store(u.in.Size())
		return
	}
	u.reached.Store(max(u.base, 0))
}

func (u *upload) modTime() time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.mtime
}

func (u *upload) setModTime(t time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.mtime = t
}

// uploaded logs and counts a file that is in.
func (s *session) uploaded(u *upload, drop ingest.Drop, entry ingest.Entry) {
	s.metrics.uploads.Inc()
	s.metrics.received.Add(float64(u.added))
	s.log.LogAttrs(u.ctx, slog.LevelInfo, "upload registered",
		slog.String("path", printable(u.path)), slog.String("drop", string(drop.ID)), slog.String("state", string(drop.State)),
		slog.Int64("bytes", entry.Size), slog.String("sha256", hex.EncodeToString(entry.SHA256[:])),
		slog.Duration("took", s.clock().Sub(u.began)))
}

// invalid makes a client's fault of err.
func invalid(err error) error {
	if errors.Is(err, errReorder) {
		return ingest.E(ingest.Exhausted, "sftpd.Write", err)
	}
	return ingest.E(ingest.Invalid, "sftpd.Write", err)
}
