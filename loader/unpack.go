package loader

import (
	"context"
	"fmt"
	"io"
	"path"
	"strings"

	"dropline/ingest"
	"dropline/mapping"
	"dropline/mapping/unpack"
)

// maxPieces bounds the files that those of an import may become: each has a row in the ledger and a line in the receipt.
const maxPieces = 50_000

// unpack lists what is in archives and workbooks, and the tables of files that feed several, as files of their own, before any row
// is read. A file whose name says that it is text is looked into only when it is read.
func (r *run) unpack(ctx context.Context) error {
	delivered := len(r.imp.Files)
	for i := range delivered {
		f := &r.imp.Files[i]
		if f.Relation != "" || isPushed(f.Path) || named(f.Path) && r.mapper.Outputs(inboxPath(f.Path)) == 1 {
			continue
		}
		if err := r.spread(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// named reports whether a file's name says that it is text.
func named(file string) bool {
	switch strings.ToLower(path.Ext(file)) {
	case ".csv", ".tsv", ".tab", ".txt", ".psv", ".dat":
		return true
	}
	return false
}

// isPushed reports whether a path is of a part of a database that dropline push sent.
func isPushed(path string) bool {
	_, _, is := pushed(path)
	return is
}

// inboxPath is a file's path below the inbox, as mappings have it.
func inboxPath(path string) string { return strings.TrimPrefix(path, ingest.Inbox+"/") }

// spread lists the pieces of the file at an index of the import's, unless it is one piece and read as it is. What cannot be opened
// is refused.
func (r *run) spread(ctx context.Context, index int) error {
	f := &r.imp.Files[index]
	pack, err := r.openPackage(ctx, f)
	if err != nil {
		r.progress.begin(f)
		err = judge(f, err)
		r.progress.end(f)
		return err
	}
	pieces, err := r.pieces(f, pack.Members())
	if err != nil || len(pieces) == 0 {
		return err
	}
	if err := r.l.cfg.Ledger.RecordUnpacked(ctx, r.imp.ID, r.imp.Attempt, pieces); err != nil {
		return err
	}
	r.progress.begin(f)
	f.State, f.Notes = ingest.FileUnpacked, pack.Notes()
	r.progress.end(f)
	r.imp.Files = append(r.imp.Files, pieces...)
	return nil
}

// pieces are the files to list for what a file holds; none where it is one piece itself.
func (r *run) pieces(f *ingest.ImportFile, members []unpack.Member) ([]ingest.ImportFile, error) {
	names := []string{""}
	if members != nil {
		names = names[:0]
		for _, m := range members {
			names = append(names, m.Name)
		}
	}
	next := 1
	for i := range r.imp.Files {
		next = max(next, r.imp.Files[i].Number+1)
	}
	var list []ingest.ImportFile
	for _, name := range names {
		piece := ingest.ImportFile{
			Drop: f.Drop, Path: f.Path, Key: f.Key, Size: f.Size, SHA256: f.SHA256, ReceivedAt: f.ReceivedAt,
			Container: f.Number, Member: name, State: ingest.FileWaiting,
		}
		outputs := r.mapper.Outputs(inboxPath(piece.Name()))
		for o := range outputs {
			if outputs > 1 {
				piece.Output = o + 1
			}
			piece.Number = next
			next++
			list = append(list, piece)
		}
	}
	if len(list) == 1 && members == nil {
		return nil, nil
	}
	if len(r.imp.Files)+len(list) > maxPieces {
		return nil, ingest.WithHint(ingest.Errorf(ingest.Invalid, "loader.unpack", "the files become more than %d when they are unpacked", maxPieces),
			"send them in several batches")
	}
	return list, nil
}

// packed is the package that was opened last. The pieces of one are read one after the other, and looking into it each time would
// cost more than they do.
type packed struct {
	key string
	*unpack.Package
}

// openPackage opens what a file is packed in.
func (r *run) openPackage(ctx context.Context, f *ingest.ImportFile) (*unpack.Package, error) {
	if r.packed.Package != nil && r.packed.key == f.Key {
		return r.packed.Package, nil
	}
	r.closePackage()
	pack, err := r.l.unpacker.Open(ctx, r.stored(f), unpack.Options{Budget: r.budget, Keys: r.keys})
	if err != nil {
		return nil, err
	}
	r.packed = packed{f.Key, pack}
	return pack, nil
}

// stored is a file as it lies in the bucket.
func (r *run) stored(f *ingest.ImportFile) unpack.Stored {
	key := f.Key
	return unpack.Stored{Name: inboxPath(f.Path), Size: f.Size, Open: func(ctx context.Context, offset int64) (io.ReadCloser, error) {
		body, _, err := r.l.cfg.Bucket.Open(ctx, key, offset, -1, "")
		if err != nil {
			return nil, ingest.E(ingest.KindOf(err), "loader.open", err)
		}
		return body, nil
	}}
}

// keys are those of the tenant with which its files may be encrypted and signed.
func (r *run) keys(ctx context.Context) (unpack.Keyring, error) {
	if r.l.cfg.Keys == nil {
		return unpack.Keyring{}, nil
	}
	return r.l.cfg.Keys(ctx, r.imp.Tenant)
}

// closePackage removes what the package that was opened last has put on disk.
func (r *run) closePackage() {
	if r.packed.Package != nil {
		_ = r.packed.Close() // it was only read
	}
	r.packed = packed{}
}

// openText opens a delivered file, or a piece of one, as mapping reads it.
func (r *run) openText(ctx context.Context, o *opened, f *ingest.ImportFile) error {
	pack, err := r.openPackage(ctx, f)
	if err != nil {
		return err
	}
	if f.Container == 0 && pack.Members() != nil {
		return errPacked
	}
	what := mapping.File{Path: inboxPath(f.Name()), Output: f.Output, Exact: pack.Exact(f.Member)}
	var text *unpack.Text
	file, err := r.mapper.OpenSettled(ctx, what, func() (io.ReadCloser, error) {
		text, err = pack.Text(ctx, f.Member)
		return text, err
	})
	if err != nil {
		return err
	}
	o.Reader, o.body, o.bytes = file.Reader, file, text.BytesRead
	return nil
}

// errPacked tells that what was taken for text by its name is an archive or workbook.
var errPacked = fmt.Errorf("the file is not one piece")

// share is how many of the bytes that have been read of a file count as progress: where several tables are made of it, it is read
// once for each.
func (r *run) share(f *ingest.ImportFile, read int64) int64 {
	if f.Output > 0 {
		read /= int64(r.mapper.Outputs(inboxPath(f.Name())))
	}
	if f.Container == 0 || f.Relation != "" {
		return read
	}
	room := f.Size
	for i := range r.imp.Files {
		if other := &r.imp.Files[i]; other.Container == f.Container && other.Number != f.Number {
			room -= other.Bytes
		}
	}
	return min(read, max(room, 0))
}

// restBytes gives what of an archive belongs to none of its members to itself, so that all of it counts as read.
func (r *run) restBytes() {
	for i := range r.imp.Files {
		f := &r.imp.Files[i]
		if f.State != ingest.FileUnpacked {
			continue
		}
		f.Bytes = f.Size
		for j := range r.imp.Files {
			if r.imp.Files[j].Container == f.Number {
				f.Bytes -= r.imp.Files[j].Bytes
			}
		}
		f.Bytes = max(f.Bytes, 0)
	}
}
