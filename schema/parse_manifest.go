package schema

import "gopkg.in/yaml.v3"

// maxDelta bounds the columns that a delta must have: they are looked at in every row.
const maxDelta = 10

// manifest reads how deliveries say what their files are.
func (p *reader) manifest(n *yaml.Node) {
	if n == nil {
		return
	}
	f := p.mapping(n, "manifest", "file", "name", "format", "version", "delta")
	m := &Manifest{
		File: p.text(f["file"], "file"), Name: p.text(f["name"], "name"), Format: p.text(f["format"], "format"),
		Version: p.text(f["version"], "version"), Delta: p.texts(f["delta"], "delta", maxDelta),
	}
	if m.File == "" || len(m.File) > maxName {
		p.fault(or(f["file"], n), "manifest needs the name of its file, such as manifest.csv")
	}
	if !isPublished(m.Name) || len(m.Name) > maxName {
		p.fault(or(f["name"], n), "manifest needs the name of the standard, such as oneroster")
	}
	if !versionForm.MatchString(m.Format) {
		p.fault(or(f["format"], n), "manifest: format must be numbers with points, such as 1.0")
	}
	if !versionForm.MatchString(m.Version) {
		p.fault(or(f["version"], n), "manifest: version must be numbers with points, such as 1.1")
	}
	for _, name := range m.Delta {
		for _, t := range p.schema.Tables {
			if t.Column(name) == nil {
				p.fault(f["delta"], "manifest: table %s has no column %s, which rows of a delta must have", t.Name, brief(name))
			}
		}
	}
	p.schema.Manifest = m
}
