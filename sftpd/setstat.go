package sftpd

import (
	"context"
	"time"

	"dropline/ingest"

	"github.com/pkg/sftp"
)

// setstat honours times, takes owner and permissions for nothing, and changes the size of a stored file to nothing only.
func (t tree) setstat(ctx context.Context, r *sftp.Request, p string) error {
	flags, attrs := r.AttrFlags(), r.Attributes()
	if attrs == nil {
		return &statusError{sftp.ErrSSHFxBadMessage, "attributes cut short"}
	}
	size, mtime := int64(-1), time.Unix(int64(attrs.Mtime), 0)
	u := t.s.openAt(p)
	if u != nil {
		size = u.size()
	} else {
		info, err := t.s.stat(ctx, p)
		if err != nil {
			return err
		}
		if !info.IsDir() {
			size = info.Size()
		}
	}
	if flags.Size && attrs.Size == 0 && size > 0 && u == nil {
		if err := t.s.empty(ctx, p); err != nil {
			return err
		}
	} else if flags.Size && attrs.Size != uint64(size) {
		return &statusError{sftp.ErrSSHFxOpUnsupported, "the size of a stored file cannot be changed; send it again"}
	}
	switch {
	case !flags.Acmodtime, size < 0: // a folder's time is not kept
		return nil
	case u != nil:
		u.setModTime(mtime)
		return nil
	case !ingest.InInbox(p):
		return denied(p)
	}
	return t.s.ledger.SetModTime(ctx, t.s.tenant, p, mtime)
}

// empty replaces the file at p, which is there, by one without bytes, as any other upload does. A partial is no file.
func (s *session) empty(ctx context.Context, p string) error {
	entry, err := s.ledger.Stat(ctx, s.tenant, p)
	switch {
	case err != nil:
		return err
	case !ingest.InInbox(p):
		return denied(p)
	case entry.Kind == ingest.EntryPartial:
		return &statusError{sftp.ErrSSHFxOpUnsupported, "the upload of this file was not completed; resume it, or send it again"}
	}
	in, err := s.receiver.Create(ctx, s.delivery(p))
	if err != nil {
		return err
	}
	_, _, err = in.Commit(ctx)
	return err
}
