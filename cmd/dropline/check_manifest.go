package main

import (
	"context"

	"dropline/ingest"
	"dropline/mapping/manifest"
	"dropline/schema"
)

// manifests reads the manifests among the files, as the schema may have them, and notes what they say of the others.
func (c *checker) manifests(ctx context.Context) error {
	if c.schema.Manifest == nil {
		return nil
	}
	var paths []string
	var found []*checkedFile
	for _, f := range c.files {
		if f.Code != "" || !manifest.Is(c.schema, f.inbox) {
			continue
		}
		f.Used = true
		if f.Output <= 1 {
			paths, found = append(paths, f.inbox), append(found, f)
		}
	}
	for n, f := range found {
		var subject []*checkedFile
		var files []manifest.File
		for _, other := range c.files {
			if other.Used || manifest.Scope(paths, other.inbox) != n {
				continue
			}
			table, _ := c.mapper.TableOf(other.what(false)) // a refusal comes again when the file is read
			subject, files = append(subject, other), append(files, manifest.File{Path: other.inbox, Table: table})
		}
		verdict, err := c.readManifest(ctx, f, files)
		if err != nil {
			return err
		}
		for i, mode := range verdict.Modes {
			subject[i].mode = mode
		}
	}
	return nil
}

// readManifest reads one manifest, and refuses it where it cannot be followed.
func (c *checker) readManifest(ctx context.Context, f *checkedFile, files []manifest.File) (manifest.Verdict, error) {
	pack, err := c.unpack(ctx, f)
	if err != nil {
		return manifest.Verdict{}, f.refuse(err)
	}
	defer quietly(pack.Close)
	text, err := pack.Text(ctx, f.member)
	if err != nil {
		return manifest.Verdict{}, f.refuse(err)
	}
	defer quietly(text.Close)
	m, err := manifest.Read(c.schema, f.inbox, text)
	if err != nil {
		return manifest.Verdict{}, f.refuse(err)
	}
	verdict := m.Judge(files)
	f.Notes = append(f.Notes, verdict.Notes...)
	if verdict.Refusal != nil {
		return verdict, f.refuse(verdict.Refusal)
	}
	return verdict, nil
}

// held are a file's rows, held to what its manifest says of it, and what that is.
func (c *checker) held(f *checkedFile, rows *pieceReader) (ingest.Rows, func() []string) {
	if c.schema.Manifest == nil {
		return rows, rows.Notes
	}
	held := manifest.NewRows(c.schema, rows.Table(), f.mode, rows)
	return held, func() []string { return append(held.Notes(), rows.Notes()...) }
}

// goes reports whether a row says that it is to be deleted.
func goes(t *schema.Table, row *ingest.Row) bool {
	col := t.DeletedBy()
	return col != nil && string(row.Values[col.Index].Text) == col.Deletes && !row.Values[col.Index].Null
}
