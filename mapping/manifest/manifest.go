// Package manifest reads the file with which a delivery says what its other files are: absent, all rows of their table (bulk), or what
// has changed (delta); and holds the files to it. Which file that is, and what it must say, the schema's definition declares.
package manifest

import (
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"sync"

	"dropline/ingest"
	"dropline/mapping"
	"dropline/schema"
)

// maxProperties bounds what is kept of a manifest: OneRoster's has two dozen lines.
const maxProperties = 500

// Manifest is what a delivery says of its files.
type Manifest struct {
	schema     *schema.Schema
	properties []property
}

type property struct {
	name  string // as written
	value string
}

// Is reports whether a schema has manifests and a file of that path is one.
func Is(s *schema.Schema, file string) bool {
	return s.Manifest != nil && strings.EqualFold(path.Base(file), s.Manifest.File)
}

// definition is how a manifest is read: as a file of a table of its own, so that it may be written in whatever way files may.
var definition = sync.OnceValue(func() *schema.Schema {
	s, err := schema.Parse("manifest.yaml", strings.NewReader(`
schema: Manifest
version: "1.0"
tables:
  - name: Property
    key: propertyName
    columns:
      - {name: propertyName, type: text(255), required: true}
      - {name: value, type: text(4000)}
`))
	if err != nil {
		panic("manifest: the embedded definition is faulty:\n" + err.Error()) // a build that fails its own tests
	}
	return s
})

// Read reads a manifest. The error is a *ingest.FileRefusal if it cannot be understood, and otherwise r's own.
func Read(s *schema.Schema, file string, r io.Reader) (*Manifest, error) {
	rules, err := mapping.Parse("manifest", []byte("version: 1\nfiles: [{pattern: '**', table: Property}]\n"), definition())
	if err != nil {
		return nil, ingest.E(ingest.Internal, "manifest.Read", err)
	}
	mapper, err := mapping.New(definition(), rules, mapping.Options{})
	if err != nil {
		return nil, err
	}
	rows, err := mapper.Open(file, r)
	if err != nil {
		return nil, err
	}
	m := &Manifest{schema: s}
	for rows.Next() {
		if rows.Row().Record > maxProperties {
			return nil, refusal("it has more than %d lines", maxProperties)
		}
		if reject := rows.Refused(); reject != nil {
			return nil, refusal("line %d: %s", reject.Line, reject.Message)
		}
		values := rows.Row().Values
		p := property{name: string(values[0].Text), value: string(values[1].Text)}
		if i := m.find(p.name); i < 0 {
			m.properties = append(m.properties, p)
		} else if m.properties[i].value != p.value {
			return nil, refusal("it says %s twice, as %q and as %q: say it once", p.name, m.properties[i].value, p.value)
		}
	}
	return m, rows.Err()
}

// find is the index of a property, whatever its case, or -1. An asterisk at the end of a name, which marks what is new in a table
// of the standard's text, is copied into some manifests.
func (m *Manifest) find(name string) int {
	fold := func(s string) string { return strings.ToLower(strings.TrimRight(s, "* ")) }
	return slices.IndexFunc(m.properties, func(p property) bool { return fold(p.name) == fold(name) })
}

func refusal(format string, args ...any) *ingest.FileRefusal {
	return &ingest.FileRefusal{Code: ingest.CodeManifest, Message: "the manifest cannot be followed: " + fmt.Sprintf(format, args...)}
}
