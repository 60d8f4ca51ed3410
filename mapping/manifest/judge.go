package manifest

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"dropline/ingest"
	"dropline/schema"
)

// Mode is what a manifest says of a file.
type Mode uint8

// The modes.
const (
	Unsaid Mode = iota // no manifest says anything of it: its rows come to those that are there
	Absent             // it is not in the delivery
	Bulk               // it has all rows of its table
	Delta              // it has the rows that have changed
)

var modes = map[string]Mode{"absent": Absent, "bulk": Bulk, "delta": Delta}

// String is the mode as manifests write it.
func (m Mode) String() string {
	for name, mode := range modes {
		if mode == m {
			return name
		}
	}
	return "unsaid"
}

// File is a file of a delivery.
type File struct {
	Path  string        // by which people know it; a member's of an archive is below the archive's
	Table *schema.Table // of which it is, nil where its name does not tell
}

// Verdict is what comes of a manifest for the files of its delivery.
type Verdict struct {
	Refusal *ingest.FileRefusal // of the manifest itself: what it says is not so. Nil if all is well
	Notes   []string            // on the manifest, for people
	Modes   []Mode              // of the files, in their order
}

// Judge holds the files that a manifest is about to what it says.
func (m *Manifest) Judge(files []File) Verdict {
	j := &judge{Manifest: m, verdict: Verdict{Modes: make([]Mode, len(files))}, tables: map[*schema.Table]bool{}}
	for _, f := range files {
		j.tables[f.Table] = true
	}
	j.versions()
	said := map[*schema.Table]Mode{}
	for _, p := range m.properties {
		j.property(p, said)
	}
	if len(j.missing) > 0 {
		j.refuse("it says that %s in the delivery, and there is no such file: send it too, or say absent", isOrAre(j.missing))
	}
	for i, f := range files {
		if f.Table != nil {
			j.verdict.Modes[i] = said[f.Table]
		}
	}
	if len(j.faults) > 0 {
		j.verdict.Refusal = refusal("%s", strings.Join(j.faults, "; "))
	}
	return j.verdict
}

// judge is one judgement under way.
type judge struct {
	*Manifest
	verdict Verdict
	tables  map[*schema.Table]bool // of which there are files
	missing []string
	faults  []string
}

func (j *judge) refuse(format string, args ...any) {
	j.faults = append(j.faults, fmt.Sprintf(format, args...))
}

func (j *judge) note(format string, args ...any) {
	j.verdict.Notes = append(j.verdict.Notes, fmt.Sprintf(format, args...))
}

const (
	formatProperty = "manifest.version"
	versionSuffix  = ".version"
	filePrefix     = "file."
	sourcePrefix   = "source."
)

// versions sees that the manifest is of the form and the standard that the schema is of.
func (j *judge) versions() {
	want, name := j.schema.Manifest, j.schema.Manifest.Name+versionSuffix
	switch i := j.find(formatProperty); {
	case i < 0:
		j.note("it does not say %s, which is taken to be %s", formatProperty, want.Format)
	case j.properties[i].value != want.Format:
		j.refuse("%s is %q, and only %s is known", formatProperty, j.properties[i].value, want.Format)
	}
	i := j.find(name)
	if i < 0 {
		j.note("it does not say %s, which is taken to be %s", name, want.Version)
		return
	}
	if v := strings.TrimPrefix(strings.ToLower(j.properties[i].value), "v"); v != want.Version && !strings.HasPrefix(v, want.Version+".") {
		j.refuse("%s is %q, and the schema is %s: export version %s, or load it under the schema of that version, which a tenant is created with",
			name, j.properties[i].value, j.schema.ID(), want.Version)
	}
}

// property takes in one line.
func (j *judge) property(p property, said map[*schema.Table]Mode) {
	name := strings.TrimRight(p.name, "* ")
	lower := strings.ToLower(name)
	switch {
	case lower == formatProperty, lower == strings.ToLower(j.schema.Manifest.Name+versionSuffix), strings.HasPrefix(lower, sourcePrefix):
		return
	case !strings.HasPrefix(lower, filePrefix):
		j.note("%s is unknown and ignored", brief(name))
		return
	}
	mode, ok := modes[strings.ToLower(p.value)]
	t := j.table(name[len(filePrefix):])
	switch {
	case !ok:
		j.refuse("%s is %q, and must be absent, bulk or delta", brief(name), brief(p.value))
	case t == nil && mode != Absent:
		j.note("%s is %s, but %s has no such file: ignored", brief(name), mode, j.schema.ID())
	case t != nil:
		said[t] = mode
		if mode != Absent && !j.tables[t] {
			j.missing = append(j.missing, t.TemplateName())
		}
	}
}

// table finds the table whose files have a name.
func (j *judge) table(name string) *schema.Table {
	folded := schema.NormalizeName(strings.TrimSuffix(strings.ToLower(name), ".csv"))
	for _, t := range j.schema.Tables {
		if slices.Contains(t.MatchNames(), folded) {
			return t
		}
	}
	return nil
}

func isOrAre(names []string) string {
	if len(names) == 1 {
		return names[0] + " is"
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1] + " are"
}

// brief shortens what a manifest says for use in a message.
func brief(s string) string { return ingest.CutText(s, 100) }

// Scope finds the manifest that a file is subject to: that in its own folder, or in the nearest above. manifests are their paths. It is -1
// where there is none.
func Scope(manifests []string, file string) int {
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		for i, m := range manifests {
			if path.Dir(m) == dir {
				return i
			}
		}
		if dir == "." || dir == "/" {
			return -1
		}
	}
}
