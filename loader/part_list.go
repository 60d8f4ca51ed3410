package loader

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"dropline/ingest"
)

// maxRelationName is how much of a relation's name is in the path of its file, in bytes.
const maxRelationName = 150

// newFile lists a file for the next part of a relation.
func (r *run) newFile(rel *ingest.PlannedRelation) *ingest.ImportFile {
	r.listing.Lock()
	defer r.listing.Unlock()
	f := ingest.ImportFile{
		Number: r.nextNumber(), Relation: rel.Name, Table: rel.Table, Ignored: rel.Ignored, ReceivedAt: r.l.cfg.Clock().UTC(),
	}
	f.Path = ingest.DatabaseRoot + "/" + r.fileName(rel) + ".csv.gz"
	f.Key = ingest.PartKey(f.ReceivedAt, r.imp.Tenant, r.imp.ID, r.imp.Attempt, f.Number)
	r.imp.Files = append(r.imp.Files, f) // so that its number is taken
	return &f
}

// keep puts a file in its place in the list.
func (r *run) keep(f *ingest.ImportFile) {
	r.listing.Lock()
	defer r.listing.Unlock()
	for i := range r.imp.Files {
		if r.imp.Files[i].Number == f.Number {
			r.imp.Files[i] = *f
		}
	}
}

func (r *run) forget(f *ingest.ImportFile) {
	r.listing.Lock()
	defer r.listing.Unlock()
	for i := range r.imp.Files {
		if r.imp.Files[i].Number == f.Number {
			r.imp.Files = append(r.imp.Files[:i], r.imp.Files[i+1:]...)
			return
		}
	}
}

// fileName is what a part of a relation is called in the client's tree. No two of an import have the same.
func (r *run) fileName(rel *ingest.PlannedRelation) string {
	name := plainName(rel.Name)
	relations := r.imp.Database.Plan.Relations
	for i := range relations {
		if &relations[i] == rel {
			break
		}
		if strings.EqualFold(plainName(relations[i].Name), name) {
			name = fmt.Sprintf("%s~~%d", name, slices.IndexFunc(relations, func(o ingest.PlannedRelation) bool { return o.Name == rel.Name })+1)
			break
		}
	}
	if rel.Key != "" {
		name = fmt.Sprintf("%s~%d", name, rel.Parts+1)
	}
	return name
}

// plainName is a relation's name as far as a file can have it. The sign "~" is ours.
func plainName(relation string) string {
	name := strings.Map(func(c rune) rune {
		if strings.ContainsRune("/\\~", c) || unicode.IsControl(c) || c == unicode.ReplacementChar {
			return '_'
		}
		return c
	}, relation)
	return strings.TrimLeft(ingest.CutText(name, maxRelationName), ". ")
}
