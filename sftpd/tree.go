package sftpd

import (
	"context"
	"io"
	"io/fs"
	"path"

	"dropline/ingest"

	"github.com/pkg/sftp"
)

// listPage is how many entries of a folder are fetched and held at a time.
const listPage = 500

// statvfsBlock is the block size in which room is told.
const statvfsBlock = 4096

// unlimitedBytes is the room that a tenant without a quota is told of: 1 EiB, which no client's arithmetic overflows.
const unlimitedBytes = 1 << 60

// tree serves what is not an upload, by pkg/sftp's interfaces. Every method of it is guarded: those goroutines are the
// library's, and a panic on one would end the process.
type tree struct{ s *session }

func (t tree) handlers() sftp.Handlers {
	return sftp.Handlers{FileGet: t, FilePut: t, FileCmd: t, FileList: t}
}

// Fileread implements sftp.FileReader.
func (t tree) Fileread(r *sftp.Request) (io.ReaderAt, error) {
	return guard(t.s, "open", r.Filepath, func(ctx context.Context) (io.ReaderAt, error) {
		p, err := ingest.CleanPath(r.Filepath)
		if err != nil {
			return nil, err
		}
		entry, err := t.s.ledger.Stat(ctx, t.s.tenant, p)
		if err != nil {
			return nil, err
		}
		if entry.Kind == ingest.EntryDir {
			return nil, ingest.Errorf(ingest.Conflict, "sftpd.Open", "%q is a folder", p)
		}
		if err := t.s.takeHandle(); err != nil {
			return nil, err
		}
		return newDownload(t.s, entry), nil
	})
}

// Filewrite implements sftp.FileWriter. The wire takes every OPEN for writing: nothing comes here.
func (t tree) Filewrite(*sftp.Request) (io.WriterAt, error) { return nil, errUnsupported }

// Filecmd implements sftp.FileCmder.
func (t tree) Filecmd(r *sftp.Request) error {
	_, err := guard(t.s, r.Method, r.Filepath, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, t.command(ctx, r)
	})
	return err
}

// PosixRename implements sftp.PosixRenameFileCmder: a rename that replaces.
func (t tree) PosixRename(r *sftp.Request) error {
	_, err := guard(t.s, r.Method, r.Filepath, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, t.rename(ctx, r, true)
	})
	return err
}

func (t tree) command(ctx context.Context, r *sftp.Request) error {
	if r.Method == "Symlink" || r.Method == "Link" {
		return errUnsupported
	}
	if r.Method == "Rename" {
		return t.rename(ctx, r, false)
	}
	p, err := ingest.CleanPath(r.Filepath)
	if err != nil {
		return err
	}
	if r.Method == "Setstat" {
		return t.setstat(ctx, r, p)
	}
	if r.Method == "Mkdir" && ownFolder(p) {
		// Clients that make a path step by step take Failure, but not Permission denied, for "it is there, go on".
		return ingest.Errorf(ingest.Conflict, "sftpd.Mkdir", "%q is there already", p)
	}
	if !ingest.InInbox(p) {
		return denied(p)
	}
	switch r.Method {
	case "Mkdir":
		return t.s.ledger.Mkdir(ctx, t.s.tenant, p)
	case "Rmdir":
		return t.s.ledger.Rmdir(ctx, t.s.tenant, p)
	case "Remove":
		return t.s.ledger.Remove(ctx, t.s.tenant, p)
	}
	return errUnsupported
}

func (t tree) rename(ctx context.Context, r *sftp.Request, replace bool) error {
	from, err := ingest.CleanPath(r.Filepath)
	if err != nil {
		return err
	}
	to, err := ingest.CleanPath(r.Target)
	if err != nil {
		return err
	}
	for _, p := range []string{from, to} {
		if !ingest.InInbox(p) {
			return denied(p)
		}
	}
	return t.s.ledger.Rename(ctx, t.s.tenant, from, to, replace)
}

// StatVFS implements sftp.StatVFSFileCmder: the tenant's quota as a file system.
func (t tree) StatVFS(r *sftp.Request) (*sftp.StatVFS, error) {
	return guard(t.s, r.Method, r.Filepath, func(ctx context.Context) (*sftp.StatVFS, error) {
		usage, err := t.s.ledger.Usage(ctx, t.s.tenant)
		if err != nil {
			return nil, err
		}
		total := usage.Quota
		if total == 0 {
			total = unlimitedBytes
		}
		free := uint64(max(total-usage.Bytes, 0)) / statvfsBlock
		const files = 1 << 40 // names are not limited
		return &sftp.StatVFS{
			Bsize: statvfsBlock, Frsize: statvfsBlock, Blocks: uint64(total) / statvfsBlock, Bfree: free, Bavail: free,
			Files: files, Ffree: files - uint64(usage.Files), Favail: files - uint64(usage.Files), Namemax: ingest.MaxNameBytes,
		}, nil
	})
}

// Filelist implements sftp.FileLister.
func (t tree) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	return guard(t.s, r.Method, r.Filepath, func(ctx context.Context) (sftp.ListerAt, error) {
		p, err := ingest.CleanPath(r.Filepath)
		if err != nil {
			return nil, err
		}
		if r.Method == "Readlink" {
			return nil, errUnsupported
		}
		info, err := t.s.stat(ctx, p)
		if err != nil || r.Method != "List" {
			return single{info}, err
		}
		if !info.IsDir() {
			return nil, ingest.Errorf(ingest.Conflict, "sftpd.Opendir", "%q is no folder", p)
		}
		if err := t.s.takeHandle(); err != nil {
			return nil, err
		}
		return &lister{s: t.s, folder: p}, nil
	})
}

// RealPath implements sftp.RealPathFileLister.
func (t tree) RealPath(p string) (string, error) {
	return guard(t.s, "Realpath", p, func(context.Context) (string, error) { return ingest.CleanPath(p) })
}

// LookupUserName implements sftp.NameLookupFileLister: the owner that `ls -l` shows.
func (t tree) LookupUserName(string) string { return string(t.s.tenant) }

// LookupGroupName implements sftp.NameLookupFileLister.
func (t tree) LookupGroupName(string) string { return string(t.s.tenant) }

// ownFolder reports whether p is one of the folders that every tenant has.
func ownFolder(p string) bool {
	return p == "/" || p == ingest.Inbox || p == ingest.Archive || p == ingest.Reports
}

func denied(p string) error {
	return ingest.WithHint(ingest.Errorf(ingest.Denied, "sftpd", "%q cannot be changed", p), "only what is below /inbox can")
}

// stat tells of an upload of this session first, then of a partial or what the tree holds.
func (s *session) stat(ctx context.Context, p string) (fileInfo, error) {
	if u := s.openAt(p); u != nil {
		return u.info(), nil
	}
	var entry ingest.Entry
	var err error
	if ingest.InInbox(p) {
		// A partial is newer than a file of its name, and what a client that asks means to resume.
		entry, err = s.ledger.Lookup(ctx, s.tenant, p)
	} else {
		entry, err = s.ledger.Stat(ctx, s.tenant, p)
	}
	return infoOf(entry), err
}

func (u *upload) info() fileInfo {
	info := fileInfo{name: path.Base(u.path), size: u.size(), mode: modeInboxFile, modTime: u.modTime()}
	if info.modTime.IsZero() {
		info.modTime = u.began
	}
	return info
}

// needFolder reports an error unless the folder that path is in is there.
func (s *session) needFolder(ctx context.Context, p string) error {
	folder := path.Dir(p)
	if folder == ingest.Inbox {
		return nil
	}
	entry, err := s.ledger.Stat(ctx, s.tenant, folder)
	if err == nil && entry.Kind != ingest.EntryDir {
		err = ingest.Errorf(ingest.Conflict, "sftpd.Open", "%q is no folder", folder)
	}
	return err
}

// lister pages through a folder.
type lister struct {
	s      *session
	folder string
	page   []ingest.Entry
	after  string
	last   bool
	closed bool
}

// ListAt implements sftp.ListerAt. It is called in order, by one goroutine.
func (l *lister) ListAt(to []fs.FileInfo, _ int64) (int, error) {
	return guard(l.s, "readdir", l.folder, func(ctx context.Context) (int, error) {
		if len(l.page) == 0 && !l.last {
			page, err := l.s.ledger.List(ctx, l.s.tenant, l.folder, l.after, listPage)
			if err != nil {
				return 0, err
			}
			l.page, l.last = page, len(page) < listPage
		}
		n := min(len(to), len(l.page))
		for i, entry := range l.page[:n] {
			to[i] = infoOf(entry)
			l.after = path.Base(entry.Path)
		}
		l.page = l.page[n:]
		if n == 0 {
			return 0, io.EOF
		}
		return n, nil
	})
}

// Close implements io.Closer.
func (l *lister) Close() error {
	if !l.closed {
		l.closed = true
		l.s.giveHandle()
	}
	return nil
}
