package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"strconv"
	"strings"

	"dropline/ingest"
	"dropline/mapping"
	"dropline/mapping/manifest"
	"dropline/mapping/preview"
	"dropline/mapping/unpack"
	"dropline/schema"
)

// previewSource is a file as it was delivered, or sent with the request.
type previewSource struct {
	name string // below the inbox
	size int64
	open func(ctx context.Context, offset int64) (io.ReadCloser, error)
}

// storedSource is a file in the bucket.
func (s *Server) storedSource(file, key string, size int64) previewSource {
	return previewSource{strings.TrimPrefix(file, ingest.Inbox+"/"), size, func(ctx context.Context, offset int64) (io.ReadCloser, error) {
		body, _, err := s.cfg.Bucket.Open(ctx, key, offset, -1, "")
		if err != nil && ingest.KindOf(err) == ingest.NotFound {
			return nil, &ingest.FileRefusal{Code: ingest.CodeUnreadable, Message: "the file is no longer stored"}
		}
		return body, err
	}}
}

// sentSource is a file of the request.
func sentSource(name string, content []byte) previewSource {
	return previewSource{name, int64(len(content)), func(_ context.Context, offset int64) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content[min(offset, int64(len(content))):])), nil
	}}
}

// readForm reads a request that brings files.
func (p *previewRequest) readForm(contentType string, body []byte) error {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil || params["boundary"] == "" {
		return newProblem(http.StatusBadRequest, "the form has no boundary", "send multipart/form-data as curl -F does")
	}
	form := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for {
		part, err := form.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return newProblem(http.StatusBadRequest, "the form is damaged", "send multipart/form-data as curl -F does")
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return newProblem(http.StatusBadRequest, "the form broke off", "send it again")
		}
		if err := p.field(part, content); err != nil {
			return err
		}
	}
}

func (p *previewRequest) field(part *multipart.Part, content []byte) error {
	number := func(into **int) error {
		n, err := strconv.Atoi(strings.TrimSpace(string(content)))
		if err != nil {
			return invalidField(part.FormName(), "must be a number", "such as 3")
		}
		*into = &n
		return nil
	}
	switch part.FormName() {
	case "mapping":
		p.Mapping = string(content)
	case "mappingVersion":
		return number(&p.MappingVersion)
	case "rows":
		var n *int
		if err := number(&n); err != nil {
			return err
		}
		p.Rows = *n
	case "file":
		// Part.FileName drops folders, which say something here.
		_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
		if err != nil || params["filename"] == "" {
			return invalidField("file", "a file needs a name", "name it as it would be below the inbox")
		}
		name, err := inboxPath(params["filename"])
		if err != nil {
			return err
		}
		p.sent = append(p.sent, sentSource(strings.TrimPrefix(name, ingest.Inbox+"/"), content))
	default:
		return invalidField(part.FormName(), "there is no such field", "mapping, mappingVersion, rows and file are known")
	}
	return nil
}

// previewPieces are the files of a preview, unpacked.
type previewPieces struct {
	server  *Server
	tenant  ingest.TenantID
	schema  *schema.Schema
	packs   []*unpack.Package
	files   []preview.File
	lookups []preview.File
	refused []preview.Table // what could not be unpacked
	notes   []string
}

// open lists what the sources hold. They stay open until close.
func (p *previewPieces) open(ctx context.Context, m *mapping.Mapper, sources []previewSource) error {
	budget := unpack.NewBudget()
	for i, source := range sources {
		if i == maxPreviewFiles || len(p.files) >= maxPreviewParts {
			p.notes = append(p.notes, fmt.Sprintf("only the first %d files were looked at", i))
			break
		}
		pack, err := p.server.unpacker.Open(ctx, unpack.Stored{Name: source.name, Size: source.size, Open: source.open},
			unpack.Options{Budget: budget, Keys: p.keys})
		var refusal *ingest.FileRefusal
		switch {
		case errors.As(err, &refusal):
			p.refused = append(p.refused, preview.Table{File: source.name, Code: refusal.Code, Error: refusal.Message})
			continue
		case err != nil:
			return err
		}
		p.packs = append(p.packs, pack)
		for _, note := range pack.Notes() {
			p.notes = append(p.notes, source.name+": "+note)
		}
		p.list(m, source.name, pack)
	}
	return nil
}

// list adds what a package holds.
func (p *previewPieces) list(m *mapping.Mapper, name string, pack *unpack.Package) {
	members := pack.Members()
	if members == nil {
		members = []unpack.Member{{}}
	}
	for _, member := range members {
		f := preview.File{
			Path: path.Join(name, member.Name), Exact: pack.Exact(member.Name),
			Open: func(ctx context.Context) (io.ReadCloser, error) {
				text, err := pack.Text(ctx, member.Name)
				if err != nil {
					return nil, err
				}
				return text, nil
			},
		}
		switch {
		case m.IsLookup(f.Path):
			p.lookups = append(p.lookups, f)
		case manifest.Is(p.schema, f.Path): // what it says of the files is a matter of all of them
			p.notes = append(p.notes, f.Path+" is a manifest: an import holds the files against it")
		case len(p.files) == maxPreviewParts:
			p.notes = append(p.notes, fmt.Sprintf("only the first %d of the files in %s were looked at", maxPreviewParts, name))
			return
		default:
			p.files = append(p.files, f)
		}
	}
}

// lookup opens the files of which the mapping takes lookup tables, which are among those of the preview.
func (p *previewPieces) lookup(ctx context.Context) func(pattern string) (io.ReadCloser, error) {
	return func(pattern string) (io.ReadCloser, error) {
		for _, f := range p.lookups {
			if mapping.MatchFile(pattern, f.Path) {
				return f.Open(ctx)
			}
		}
		return nil, &ingest.FileRefusal{
			Code: ingest.CodeUnreadable, Message: "the mapping looks values up in " + pattern + ", and no such file is among those of the preview",
		}
	}
}

func (p *previewPieces) keys(ctx context.Context) (unpack.Keyring, error) {
	if p.server.cfg.Keys == nil {
		return unpack.Keyring{}, nil
	}
	return p.server.cfg.Keys(ctx, p.tenant)
}

func (p *previewPieces) close() {
	for _, pack := range p.packs {
		_ = pack.Close() // only read: nothing depends on it
	}
}
