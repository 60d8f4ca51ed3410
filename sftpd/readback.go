package sftpd

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/pkg/sftp"
)

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
