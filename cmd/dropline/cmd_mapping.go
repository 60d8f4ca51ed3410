package main

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"dropline/api"
	"dropline/mapping"
	"dropline/schema"
)

// maxMappingFile is what is read of a mapping file before it is refused as too large; package mapping has its own, lower
// bound.
const maxMappingFile = 1 << 20

// mappingCmd is about mappings.
type mappingCmd struct {
	Put     mappingPutCmd     `cmd:"" help:"Store a mapping file as the tenant's new version."`
	Get     mappingGetCmd     `cmd:"" help:"Show a stored mapping file."`
	List    mappingListCmd    `cmd:"" help:"List the versions."`
	Check   mappingCheckCmd   `cmd:"" help:"Check a mapping file without a server."`
	Suggest mappingSuggestCmd `cmd:"" help:"Draft a mapping for files that nobody has mapped."`
	Preview mappingPreviewCmd `cmd:"" help:"Try a mapping on files that the server has stored."`
}

// Help is kong's long text.
func (mappingCmd) Help() string {
	return `A mapping file (YAML) says which table a file belongs to and how its columns become the schema's: headers, constants,
defaults, formats of dates and numbers, translations. Without one, names of files and headers are matched with the schema's
own. Each version is kept, and an import records the one it used. Try a mapping with dropline check --mapping,
or with dropline mapping preview on files that were received.

Examples:

  dropline mapping suggest export --out acme.yaml
  dropline mapping check acme.yaml
  dropline mapping put acme acme.yaml
  dropline mapping get acme > acme.yaml`
}

// mappingPutCmd stores a mapping.
type mappingPutCmd struct {
	Tenant string `arg:"" help:"The tenant."`
	File   string `arg:"" help:"Mapping file (YAML)."`
	DryRun bool   `help:"Have the server check it, and store nothing."`
}

// Help is kong's long text.
func (mappingPutCmd) Help() string {
	return `Stores a mapping file; imports that begin from now on use it, and those that wait for a mapping (unmapped) go on. A faulty one is refused with file, line and reason. The
same bytes as the version in force store nothing.

Examples:

  dropline mapping put acme acme.yaml
  dropline mapping put acme acme.yaml --dry-run`
}

// Run carries the command out.
func (m *mappingPutCmd) Run(a *app) error {
	raw, err := readBounded(m.File, maxMappingFile)
	if err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	r := request{
		method: http.MethodPut, path: pathf("/etl/tenants/%s/mapping", m.Tenant), raw: bytes.NewReader(raw),
		length: int64(len(raw)), contentType: "application/yaml",
	}
	if m.DryRun {
		r.query = url.Values{"dryRun": {"true"}}
	}
	var stored api.MappingStored
	if err := c.call(r, &stored); err != nil {
		return inFile(err, m.File)
	}
	return a.emit(stored, func(w io.Writer) {
		switch {
		case stored.DryRun:
			put(w, "%s is right; version %d stays in force\n", m.File, stored.Version)
		case stored.Stored:
			put(w, "stored as version %d\n", stored.Version)
		default:
			put(w, "the same as version %d, which stays in force\n", stored.Version)
		}
	})
}

// inFile names a mapping's file in what the server finds wrong with it, for it knows the content only.
func inFile(err error, file string) error {
	var f *failure
	if errors.As(err, &f) {
		for i := range f.details {
			if at, ok := strings.CutPrefix(f.details[i], "mapping.yaml:"); ok {
				f.details[i] = file + ":" + at
			}
		}
	}
	return err
}

func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer quietly(f.Close)
	raw, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(raw)) > limit {
		err = failed("", "%s is larger than %s", path, size(limit))
	}
	return raw, err
}

// mappingGetCmd shows a mapping.
type mappingGetCmd struct {
	Tenant  string `arg:"" help:"The tenant."`
	Version *int   `help:"This version in place of the latest." placeholder:"N"`
}

// Help is kong's long text.
func (mappingGetCmd) Help() string {
	return `Writes a stored mapping file to standard output, byte for byte.

Examples:

  dropline mapping get acme > acme.yaml
  dropline mapping get acme --version 3`
}

// Run carries the command out.
func (m *mappingGetCmd) Run(a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	path := pathf("/etl/tenants/%s/mapping", m.Tenant)
	if m.Version != nil {
		path += "/versions/" + strconv.Itoa(*m.Version)
	}
	var v api.MappingVersion
	if err := c.get(path, nil, &v); err != nil {
		return err
	}
	return a.emit(v, func(w io.Writer) {
		if v.Version == 0 {
			put(a.stderr, "there is no mapping: the schema's own names are used\n")
			return
		}
		_, _ = io.WriteString(w, v.YAML)
	})
}

// mappingListCmd lists versions.
type mappingListCmd struct {
	Tenant string `arg:"" help:"The tenant."`
}

// Help is kong's long text.
func (mappingListCmd) Help() string {
	return `Lists the versions of a tenant's mapping, newest first. Version 0 is no mapping: the schema's own names.

Examples:

  dropline mapping list acme`
}

// Run carries the command out.
func (m *mappingListCmd) Run(a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	var list api.MappingList
	if err := c.get(pathf("/etl/tenants/%s/mapping/versions", m.Tenant), nil, &list); err != nil {
		return err
	}
	return a.emit(list.Items, func(w io.Writer) {
		rows := make([][]string, 0, len(list.Items))
		for _, v := range list.Items {
			rows = append(rows, []string{strconv.Itoa(v.Version), moment(v.CreatedAt), v.CreatedBy})
		}
		table(w, []string{"VERSION", "STORED", "BY"}, rows)
	})
}

// mappingCheckCmd checks a mapping file.
type mappingCheckCmd struct {
	File string `arg:"" help:"Mapping file (YAML)."`
	schemaChoice
}

// Help is kong's long text.
func (mappingCheckCmd) Help() string {
	return `Checks a mapping file without a server: every fault is shown with file, line and reason. Exit status 3 if there are
any. dropline check FILE… --mapping FILE tries it on data.

Examples:

  dropline mapping check acme.yaml
  dropline mapping check acme.yaml --definition our-schema.yaml`
}

// Run carries the command out.
func (m *mappingCheckCmd) Run(a *app) error {
	s, err := m.choose(a)
	if err != nil {
		return err
	}
	if _, err := readMapping(m.File, s); err != nil {
		return err
	}
	return a.emit(map[string]any{"file": m.File, "valid": true}, func(w io.Writer) {
		put(w, "%s is right\n", m.File)
	})
}

// readMapping reads a mapping file; its faults are told one a line.
func readMapping(path string, s *schema.Schema) (*mapping.Mapping, error) {
	raw, err := readBounded(path, maxMappingFile)
	if err != nil {
		return nil, err
	}
	m, err := mapping.Parse(path, raw, s)
	if err == nil {
		return m, nil
	}
	f := &failure{message: "the mapping file is faulty", hint: "correct the lines named", status: exitFaults, cause: err}
	var faults schema.Faults
	if !errors.As(err, &faults) {
		f.message = err.Error()
		return nil, f
	}
	for _, fault := range faults {
		f.details = append(f.details, fault.String())
	}
	return nil, f
}
