package sftpd

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strconv"
	"time"

	"dropline/ingest"

	"github.com/pkg/sftp"
)

// open answers OPEN for writing once all that the client asked before is done: it may have made or removed the place.
func (w *wire) open(id uint32, path string, flags uint32) {
	clean, err := ingest.CleanPath(path)
	w.mu.Lock()
	w.await(func() bool { return w.forwarded == 0 && w.committing[clean] == 0 })
	w.mu.Unlock()
	u, err := guard(w.s, "open", path, func(ctx context.Context) (*upload, error) {
		if err != nil {
			return nil, err
		}
		if w.s.draining.Load() {
			return nil, &statusError{sftp.ErrSSHFxFailure, "the server is being stopped; try again later"}
		}
		return w.s.openUpload(ctx, clean, flags)
	})
	if err != nil {
		w.status(id, err)
		return
	}
	w.mu.Lock()
	w.handles++
	handle := "w" + strconv.Itoa(w.handles) // pkg/sftp's are numbers
	w.uploads[handle] = u
	w.mu.Unlock()
	w.s.opened(u)
	w.send(seal(appendString(answer(fxpHandle, id), handle)))
}

// onUpload answers a packet about the handle of an upload.
func (w *wire) onUpload(kind byte, id uint32, u *upload, handle string, f *fields) {
	switch kind {
	case fxpWrite:
		offset, data := f.uint64(), f.bytes()
		if f.bad {
			w.status(id, &statusError{nil, "packet cut short"})
			return
		}
		w.status(id, w.s.onUpload(u, func() error { return u.write(offset, data) }))
	case fxpFstat:
		b := binary.BigEndian.AppendUint32(answer(fxpAttrs, id), attrSize|attrOwner|attrPermissions|attrTimes)
		info := u.info()
		b = binary.BigEndian.AppendUint64(b, uint64(info.size))
		b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, info.Uid()), info.Gid())
		b = binary.BigEndian.AppendUint32(b, 0o100000|uint32(info.mode.Perm()))
		b = binary.BigEndian.AppendUint32(b, uint32(info.modTime.Unix()))
		w.send(seal(binary.BigEndian.AppendUint32(b, uint32(info.modTime.Unix()))))
	case fxpFsetstat:
		a := f.attributes()
		if f.bad {
			w.status(id, &statusError{nil, "attributes cut short"})
			return
		}
		w.status(id, w.s.onUpload(u, func() error { return u.set(a) }))
	case fxpRead:
		w.read(id, u, f)
	case fxpClose:
		w.close(id, u, handle)
	}
}

func (u *upload) set(a attributes) error {
	if a.flags&attrSize != 0 {
		if err := u.truncate(a.size); err != nil {
			return err
		}
	}
	if a.flags&attrTimes != 0 {
		u.setModTime(time.Unix(int64(a.mtime), 0))
	}
	return nil
}

// close commits in the background, so that other files of the session go on meanwhile.
func (w *wire) close(id uint32, u *upload, handle string) {
	w.mu.Lock()
	delete(w.uploads, handle)
	w.committing[u.path]++
	w.mu.Unlock()
	w.s.busy(1)
	go func() {
		defer w.s.busy(-1)
		err := w.s.onUpload(u, u.commit)
		w.s.closed(u)
		w.status(id, err)
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.committing[u.path]--; w.committing[u.path] == 0 {
			delete(w.committing, u.path)
		}
		w.changed.Broadcast()
	}()
}

func (w *wire) fsync(id uint32, u *upload) {
	if u == nil {
		w.status(id, &statusError{nil, "no such handle"})
		return
	}
	w.status(id, w.s.onUpload(u, u.sync))
}

// read answers READ of a handle that is open for writing too. It is done on the goroutine of the wire, so that it stands in
// order with the writes.
func (w *wire) read(id uint32, u *upload, f *fields) {
	offset, length := f.uint64(), f.uint32()
	if f.bad {
		w.status(id, &statusError{nil, "packet cut short"})
		return
	}
	b := appendString(answer(fxpData, id), "") // to be followed by the data, whose length is then known
	head := len(b)
	b = append(b, make([]byte, min(length, maxData))...)
	n := 0
	err := w.s.onUpload(u, func() (err error) {
		n, err = u.read(b[head:], offset)
		return err
	})
	switch {
	case errors.Is(err, io.EOF):
		w.send(statusPacket(id, statusEOF, "end of file"))
	case err != nil:
		w.status(id, err)
	default:
		binary.BigEndian.PutUint32(b[head-4:], uint32(n))
		w.send(seal(b[:head+n]))
	}
}

// read reads what was stored when the file was opened, as long as nothing has been written. Mounts open files for both to do
// either, and what is on its way in is nowhere to be read from.
func (u *upload) read(p []byte, offset uint64) (int, error) {
	switch {
	case u.err != nil:
		return 0, u.err
	case u.flags&openRead == 0:
		return 0, &statusError{nil, "this handle is not open for reading"}
	case offset >= uint64(u.size()):
		return 0, io.EOF
	case u.in != nil || !u.early.empty():
		return 0, &statusError{sftp.ErrSSHFxOpUnsupported, "a file cannot be read while it is being sent"}
	}
	if u.old == nil {
		if err := u.session.takeHandle(); err != nil {
			return 0, err
		}
		u.old = newDownload(u.session, u.entry)
	}
	return u.old.ReadAt(p, int64(offset))
}

// closeOld ends the reading of what is stored.
func (u *upload) closeOld() {
	if u.old != nil {
		_ = u.old.Close() // cannot fail
	}
}
