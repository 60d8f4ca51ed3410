package loader

import (
	"context"
	"errors"
	"fmt"
	"io"

	"dropline/ingest"
	"dropline/mapping"
	"dropline/mapping/unpack"
)

// setAside marks the files that the mapping looks values up in: they are no table's, unless an item of its files is of them too. Those that came with an earlier import are listed
// with this one, so that its rows can be made again as they were.
func (r *run) setAside(ctx context.Context) error {
	for i := range r.imp.Files {
		f := &r.imp.Files[i]
		if f.State == ingest.FileWaiting && f.Relation == "" && r.mapper.IsLookup(inboxPath(f.Name())) && !r.mapper.IsTable(inboxPath(f.Name())) {
			r.progress.begin(f)
			f.State, f.Bytes, f.Notes = ingest.FileUsed, f.Size, []string{"the mapping looks values up in it"}
			r.progress.end(f)
		}
	}
	for _, pattern := range r.mapper.LookupFiles() {
		if r.lookupFile(pattern) != nil {
			continue
		}
		drop, err := r.l.cfg.Ledger.LatestMatching(ctx, r.imp.Tenant, func(path string) bool { return mapping.MatchFile(pattern, inboxPath(path)) })
		if errors.Is(err, io.EOF) {
			continue // the files that need it are refused
		}
		if err != nil {
			return err
		}
		next := 1
		for i := range r.imp.Files {
			next = max(next, r.imp.Files[i].Number+1)
		}
		f := ingest.ImportFile{
			Number: next, Drop: drop.ID, Path: drop.Path, Key: drop.Key, Size: drop.Size, SHA256: drop.SHA256, ReceivedAt: drop.ReceivedAt,
			Container: next, State: ingest.FileUsed, Notes: []string{"the mapping looks values up in it; it came with an earlier import"},
		}
		if err := r.l.cfg.Ledger.RecordUnpacked(ctx, r.imp.ID, r.imp.Attempt, []ingest.ImportFile{f}); err != nil {
			return err
		}
		r.imp.Files = append(r.imp.Files, f)
	}
	return nil
}

// lookupFile returns the import's file of that pattern that values are looked up in, the latest where there are several.
func (r *run) lookupFile(pattern string) *ingest.ImportFile {
	for i := len(r.imp.Files) - 1; i >= 0; i-- {
		f := &r.imp.Files[i]
		if (f.State == ingest.FileUsed || f.State != ingest.FileRefused && r.mapper.IsTable(inboxPath(f.Name()))) && mapping.MatchFile(pattern, inboxPath(f.Name())) {
			return f
		}
	}
	return nil
}

// openLookup opens the file that values are looked up in.
func (r *run) openLookup(ctx context.Context, pattern string) (io.ReadCloser, error) {
	f := r.lookupFile(pattern)
	if f == nil {
		return nil, &ingest.FileRefusal{
			Code:    ingest.CodeUnreadable,
			Message: fmt.Sprintf("the mapping looks values up in %s, and no such file was ever sent: send it, with these or before", pattern),
		}
	}
	pack, err := r.l.unpacker.Open(ctx, r.stored(f), unpack.Options{Budget: r.budget, Keys: r.keys})
	if err != nil {
		return nil, err
	}
	text, err := pack.Text(ctx, f.Member)
	if err != nil {
		return nil, errors.Join(err, pack.Close())
	}
	return &lookupText{text, pack}, nil
}

// lookupText is a lookup table's text and the package that it is in.
type lookupText struct {
	*unpack.Text
	pack *unpack.Package
}

// Close implements io.Closer.
func (t *lookupText) Close() error { return errors.Join(t.Text.Close(), t.pack.Close()) }
