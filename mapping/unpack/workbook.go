package unpack

import (
	"archive/zip"
	"bufio"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"dropline/ingest"
)

const (
	maxPart   = 16 << 20 // bytes of a workbook's lists of sheets and styles, whose contents are held in memory
	maxSheets = 1000
)

// workbook is an Excel workbook in Office Open XML (ECMA-376): sheets whose cells refer to shared texts and to styles.
type workbook struct {
	p       *Package
	at      readerAt
	files   map[string]*zip.File
	sheets  []sheet // visible ones with something in them
	texts   *texts  // shared; nil before they are needed
	formats []cellFormat
	from    base1904
}

type base1904 bool

// sheet is one sheet of a workbook.
type sheet struct {
	name string
	file *zip.File
}

// bookName names the kind of office document that an archive is; empty for an archive.
func bookName(z *zip.Reader) string {
	for _, f := range z.File {
		switch strings.ToLower(f.Name) {
		case "xl/workbook.xml":
			return "xlsx"
		case "xl/workbook.bin":
			return "a binary Excel workbook (.xlsb): save it as .xlsx or as CSV"
		case "word/document.xml":
			return "a Word document: send CSV or an Excel workbook"
		case "ppt/presentation.xml":
			return "a presentation: send CSV or an Excel workbook"
		case "meta-inf/manifest.xml":
			return "an OpenDocument file: save it as .xlsx or as CSV"
		case "index/document.iwa":
			return "a Numbers document: export it as CSV or Excel"
		}
	}
	return ""
}

func (p *Package) openBook(_ context.Context, z *zip.Reader, at readerAt) error {
	if name := bookName(z); name != "xlsx" {
		return refused("the file is %s", name)
	}
	b := &workbook{p: p, at: at, files: map[string]*zip.File{}}
	for _, f := range z.File {
		if fault := method(f); fault != "" {
			return refused("the workbook is %s", fault)
		}
		b.files[strings.ToLower(strings.TrimPrefix(f.Name, "/"))] = f
	}
	if err := b.read(); err != nil {
		b.close()
		return err
	}
	p.book = b
	return nil
}

// bookXML is what is read of xl/workbook.xml.
type bookXML struct {
	Properties struct {
		Date1904 string `xml:"date1904,attr"`
	} `xml:"workbookPr"`
	Sheets []struct {
		Name  string     `xml:"name,attr"`
		State string     `xml:"state,attr"`
		Attrs []xml.Attr `xml:",any,attr"` // r:id, in one of two namespaces
	} `xml:"sheets>sheet"`
}

// relationsXML is a part's list of the parts that it refers to.
type relationsXML struct {
	Relations []struct {
		ID     string `xml:"Id,attr"`
		Type   string `xml:"Type,attr"`
		Target string `xml:"Target,attr"`
	} `xml:"Relationship"`
}

// read finds the sheets, and the formats of cells.
func (b *workbook) read() error {
	var book bookXML
	var relations relationsXML
	if err := b.decode("xl/workbook.xml", &book); err != nil {
		return err
	}
	if err := b.decode("xl/_rels/workbook.xml.rels", &relations); err != nil {
		return err
	}
	b.from = base1904(book.Properties.Date1904 == "1" || strings.EqualFold(book.Properties.Date1904, "true"))
	targets := map[string]string{}
	for _, r := range relations.Relations {
		if strings.HasSuffix(r.Type, "/worksheet") {
			targets[r.ID] = partName(r.Target)
		}
	}
	if err := b.readStyles(); err != nil {
		return err
	}
	if len(book.Sheets) > maxSheets {
		return refused("the workbook has %d sheets, more than %d", len(book.Sheets), maxSheets)
	}
	seen := map[string]bool{}
	for _, s := range book.Sheets {
		name := strings.Map(func(r rune) rune {
			if r < ' ' || r == '/' || r == 0x7F {
				return '_'
			}
			return r
		}, ingest.CutText(s.Name, maxName))
		var file *zip.File
		for _, a := range s.Attrs {
			if a.Name.Local == "id" {
				file = b.files[targets[a.Value]]
			}
		}
		if file == nil || name == "" || seen[strings.ToLower(name)] {
			continue // a chart, or what no program writes
		}
		seen[strings.ToLower(name)] = true
		if s.State == "hidden" || s.State == "veryHidden" {
			b.p.note(fmt.Sprintf("the sheet %s is hidden and not read", quoted(name)))
			continue
		}
		filled, err := b.isFilled(sheet{name, file})
		if err != nil {
			return err
		}
		if filled {
			b.sheets = append(b.sheets, sheet{name, file})
		}
	}
	if len(b.sheets) == 0 {
		return &ingest.FileRefusal{Code: ingest.CodeEmptyFile, Message: "the workbook is empty: there is nothing in its visible sheets"}
	}
	return nil
}

// partName is where a part is in the archive, by how xl/workbook.xml refers to it.
func partName(target string) string {
	if strings.HasPrefix(target, "/") {
		return strings.ToLower(path.Clean(target[1:]))
	}
	return strings.ToLower(path.Join("xl", target))
}

// decode reads one of the small parts.
func (b *workbook) decode(name string, into any) error {
	r, err := b.part(name)
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // it was only read
	bounded := &io.LimitedReader{R: r, N: maxPart}
	d := xml.NewDecoder(bufio.NewReader(bounded))
	d.Strict = false // attributes of newer programs
	d.Entity = map[string]string{}
	if err := d.Decode(into); err != nil {
		if bounded.N <= 0 {
			return refused("%s in the workbook is larger than %d MB", name, maxPart>>20)
		}
		return b.judge(name, err)
	}
	return nil
}

// part opens a part of the workbook, as far as it may expand.
func (b *workbook) part(name string) (io.ReadCloser, error) {
	f := b.files[strings.ToLower(name)]
	if f == nil {
		return nil, damaged("the workbook", fmt.Errorf("it has no %s", name))
	}
	return b.open(f)
}

func (b *workbook) open(f *zip.File) (io.ReadCloser, error) {
	body, err := f.Open()
	if err != nil {
		return nil, b.judge(f.Name, err)
	}
	return struct {
		io.Reader
		io.Closer
	}{&guarded{
		what: "the workbook", name: b.p.stored.Name + "/" + f.Name, decoder: &judged{body, func(err error) error { return b.judge(f.Name, err) }},
		own: func() int64 { return MaxExpansion * int64(f.CompressedSize64) }, budget: b.p.options.Budget,
	}, body}, nil
}

// judge says whose fault an error is.
func (b *workbook) judge(part string, err error) error {
	var refusal *ingest.FileRefusal
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return err
	case b.at.failed() != nil:
		return b.at.failed()
	case errors.As(err, &refusal), ingest.KindOf(err) == ingest.Exhausted, errors.Is(err, errClosed):
		return err
	}
	return damaged("the workbook", fmt.Errorf("%s: %w", part, unexpected(err)))
}

// members are the sheets; nil where there is one, which is the file's table.
func (b *workbook) members() []Member {
	if len(b.sheets) == 1 {
		return nil
	}
	list := make([]Member, 0, len(b.sheets))
	for _, s := range b.sheets {
		list = append(list, Member{Name: s.name, Size: -1})
	}
	return list
}

// text opens a sheet as CSV.
func (b *workbook) text(member string) (*Text, error) {
	for _, s := range b.sheets {
		if s.name != member && (member != "" || len(b.sheets) > 1) {
			continue
		}
		if err := b.readTexts(); err != nil {
			return nil, err
		}
		body, err := b.open(s.file)
		if err != nil {
			return nil, err
		}
		t := newText(newSheetText(b, s, body), nil, func() { _ = body.Close() }) // it was only read
		if r, ok := b.at.(*ranges); ok {
			before := r.read()
			t.count = func() int64 { return r.read() - before }
		}
		return t, nil
	}
	return nil, ingest.Errorf(ingest.Internal, "unpack.Text", "the workbook has no sheet %q any more", member)
}

func (b *workbook) close() {
	_ = b.at.Close() // it was only read
	if b.texts != nil {
		b.texts.close()
	}
}
