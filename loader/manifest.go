package loader

import (
	"context"

	"dropline/ingest"
	"dropline/mapping"
	"dropline/mapping/manifest"
	"dropline/schema"
)

// announced is what the manifests of an import say of its files.
type announced struct {
	modes map[int]manifest.Mode // by file
	seen  int                   // files among which manifests have been looked for
	any   bool                  // there was a manifest
}

// readManifests reads the manifests among the files that have been listed since it was called last, and notes what they say of the
// files of their folders. A manifest that cannot be followed is refused.
func (r *run) readManifests(ctx context.Context) error {
	s, first := r.target.Schema, r.announced.seen
	r.announced.seen = len(r.imp.Files)
	if s.Manifest == nil || first == len(r.imp.Files) {
		return nil
	}
	if r.announced.modes == nil {
		r.announced.modes = map[int]manifest.Mode{}
	}
	var paths []string
	var at []int
	for i := first; i < len(r.imp.Files); i++ {
		switch f := &r.imp.Files[i]; {
		case !r.isManifest(f):
		case f.Output > 1: // read for the first of the tables that a mapping would make of it
			r.progress.begin(f)
			f.State = ingest.FileUsed
			r.progress.end(f)
		default:
			paths, at = append(paths, f.Name()), append(at, i)
		}
	}
	for n, i := range at {
		if err := r.readManifest(ctx, i, r.subjectTo(paths, n, first)); err != nil {
			return err
		}
	}
	return nil
}

// isManifest reports whether a file is a manifest that has not been read.
func (r *run) isManifest(f *ingest.ImportFile) bool {
	return f.State == ingest.FileWaiting && f.Relation == "" && manifest.Is(r.target.Schema, f.Name())
}

// subjectTo are the files, by index, that a manifest is about.
func (r *run) subjectTo(manifests []string, which, first int) []int {
	var subject []int
	for i := first; i < len(r.imp.Files); i++ {
		f := &r.imp.Files[i]
		if f.State == ingest.FileWaiting && !r.isManifest(f) && manifest.Scope(manifests, f.Name()) == which {
			subject = append(subject, i)
		}
	}
	return subject
}

// readManifest reads the manifest at an index, which is about others.
func (r *run) readManifest(ctx context.Context, index int, subject []int) error {
	f := &r.imp.Files[index]
	r.progress.begin(f)
	files := make([]manifest.File, len(subject))
	for i, at := range subject {
		files[i] = manifest.File{Path: r.imp.Files[at].Name(), Table: r.tableByName(&r.imp.Files[at])}
	}
	m, err := r.openManifest(ctx, f)
	if err == nil {
		verdict := m.Judge(files)
		for i, mode := range verdict.Modes {
			r.announced.modes[r.imp.Files[subject[i]].Number] = mode
		}
		f.Notes = verdict.Notes
		if verdict.Refusal != nil {
			err = verdict.Refusal
		}
	}
	if err := judge(f, err); err != nil {
		return err
	}
	if f.State == ingest.FileLoaded {
		f.State = ingest.FileUsed
	}
	if f.Container == 0 {
		f.Bytes = f.Size
	}
	r.announced.any = true
	r.progress.end(f)
	return nil
}

// tableByName is the table of which a file is by its name or its rule, or nil.
func (r *run) tableByName(f *ingest.ImportFile) *schema.Table {
	t, refusal := r.mapper.TableOf(mapping.File{Path: inboxPath(f.Name()), Output: f.Output})
	if refusal != nil {
		return nil
	}
	return t
}

func (r *run) openManifest(ctx context.Context, f *ingest.ImportFile) (*manifest.Manifest, error) {
	pack, err := r.openPackage(ctx, f)
	if err != nil {
		return nil, err
	}
	text, err := pack.Text(ctx, f.Member)
	if err != nil {
		return nil, err
	}
	defer text.Close() //nolint:errcheck // read to its end or given up: nothing depends on it
	return manifest.Read(r.target.Schema, inboxPath(f.Name()), text)
}

// held are a file's rows, held to what its manifest says of it, and what there is to note on the file. Without manifests they are the
// reader's.
func (r *run) held(f *ingest.ImportFile, reader *mapping.Reader) (ingest.Rows, func() []string) {
	if r.target.Schema.Manifest == nil || f.Relation != "" || isPushed(f.Path) {
		return reader, reader.Notes
	}
	mode := r.announced.modes[f.Number]
	rows := manifest.NewRows(r.target.Schema, reader.Table(), mode, reader)
	return rows, func() []string {
		notes := rows.Notes()
		switch {
		case mode == manifest.Unsaid && r.announced.any:
			notes = append(notes, "no manifest says what the file is: "+manifest.NoneDeleted)
		case mode == manifest.Unsaid:
			notes = append(notes, "no manifest came with the file: "+manifest.NoneDeleted)
		}
		return append(notes, reader.Notes()...)
	}
}

// noteWhole tells staging of which tables all rows have come: those of which each file is said to be bulk. A file that was refused
// may have been of any.
func (r *run) noteWhole(ctx context.Context) error {
	whole, broken := map[string]bool{}, map[string]bool{}
	for i := range r.imp.Files {
		f := &r.imp.Files[i]
		switch {
		case f.State == ingest.FileRefused:
			return nil
		case f.State != ingest.FileLoaded || r.announced.modes[f.Number] == manifest.Absent:
		case r.announced.modes[f.Number] == manifest.Bulk:
			whole[f.Table] = true
		default:
			broken[f.Table] = true
		}
	}
	var tables []string
	for name := range whole {
		if !broken[name] {
			tables = append(tables, name)
		}
	}
	if len(tables) == 0 {
		return nil
	}
	return r.l.cfg.Store.SetWhole(ctx, r.target, tables)
}
