// Package unpack opens what a delivered file is packed in: compression, archives, encryption and workbooks. What comes out is text
// that package mapping reads, in bounded memory and within limits that no archive made to fill the server gets past. A file that is
// packed in nothing costs one look at its first bytes.
package unpack

import (
	"bufio"
	"context"
	"errors"
	"io"

	"dropline/ingest"
)

// Stored is a file as it was delivered.
type Stored struct {
	Name string // path below the inbox, for people: the bytes alone say what a file is
	Size int64
	// Open reads from an offset on. It is called as often as needed.
	Open func(ctx context.Context, offset int64) (io.ReadCloser, error)
}

// Config is what an Unpacker needs to know.
type Config struct {
	// TempDir is where a workbook's texts, or an archive that was encrypted, are put while they are read; "" is the system's. Such
	// files are private, bounded by MaxSpool and without a name.
	TempDir string
}

// Unpacker opens files. It is safe for concurrent use.
type Unpacker struct{ cfg Config }

// New returns an Unpacker.
func New(cfg Config) *Unpacker { return &Unpacker{cfg: cfg} }

// Options are of the files of one import.
type Options struct {
	Budget *Budget // what they may become together; nil: a new one for each file
	// Keys returns the keys of whose files they are. It is called where a file is encrypted or signed; nil: there are none.
	Keys func(ctx context.Context) (Keyring, error)
}

// Member is one file of an archive, or one sheet of a workbook.
type Member struct {
	Name string // its path within, cleaned: no leading slash, no "..", no control characters; or the sheet's name
	Size int64  // of its text where that is known, else -1
}

// Package is a file that has been looked at. It may be used by one goroutine at a time, the Texts that it opened included.
type Package struct {
	unpacker *Unpacker
	stored   Stored
	options  Options
	kind     kind
	first    io.ReadCloser // the look at its beginning, for the first Text
	archive  *archive
	book     *workbook
	spooled  io.Closer
	notes    []string
}

// Open looks at how a file begins. The error is a *ingest.FileRefusal if the file is at fault (damaged, made to fill the server,
// encrypted without a key), and otherwise Stored's own.
func (u *Unpacker) Open(ctx context.Context, file Stored, o Options) (*Package, error) {
	if o.Budget == nil {
		o.Budget = NewBudget()
	}
	p := &Package{unpacker: u, stored: file, options: o}
	in, head, err := p.begin(ctx)
	if err != nil {
		return nil, err
	}
	p.kind = kindOf(head)
	switch p.kind {
	case plain, gzipped, zstandard, bzipped, xzipped:
		p.first = in
		return p, nil
	case foreign:
		err = refused("the file is %s", foreignName(head))
	case zipped:
		_ = in.Close() // it was only looked at
		err = p.openZIP(ctx, newRanges(ctx, file), file.Size)
		in = nil
	case encrypted:
		err = p.openMessage(ctx, in)
	}
	if err != nil {
		if in != nil {
			_ = in.Close() // nothing depends on it
		}
		_ = p.Close()
		return nil, err
	}
	return p, nil
}

// opened is a stored file that is being read from its beginning.
type opened struct {
	*bufio.Reader
	from *source
}

// Close implements io.Closer.
func (o *opened) Close() error { return o.from.body.Close() }

// begin opens the file and looks at its first bytes.
func (p *Package) begin(ctx context.Context) (*opened, []byte, error) {
	body, err := p.stored.Open(ctx, 0)
	if err != nil {
		return nil, nil, err
	}
	o := &opened{from: &source{body: body}}
	o.Reader = bufio.NewReaderSize(o.from, headBytes)
	head, err := o.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		_ = body.Close() // nothing depends on it
		return nil, nil, err
	}
	return o, head, nil
}

// Members lists what is in an archive or workbook; nil for a file that is one table's text, compressed or not.
func (p *Package) Members() []Member {
	switch {
	case p.archive != nil:
		return p.archive.members
	case p.book != nil:
		return p.book.members()
	}
	return nil
}

// Notes are remarks for people: what of an archive is not read, who signed.
func (p *Package) Notes() []string { return p.notes }

func (p *Package) note(text string) { p.notes = append(p.notes, text) }

// Exact reports whether a member's text is CSV that Dropline writes itself (of a workbook's sheet): in UTF-8, separated by commas,
// quoted as RFC 4180 has it, with the sheet's first row that is not empty as its header; so there is nothing to detect but that.
func (p *Package) Exact(_ string) bool { return p.book != nil }

// Text opens a member, or with "" the file that is one itself. A damaged or overlarge one ends in a *ingest.FileRefusal, which may
// come at its end only: what was read of it before must then be given up.
func (p *Package) Text(ctx context.Context, member string) (*Text, error) {
	switch {
	case p.archive != nil:
		return p.archive.text(member)
	case p.book != nil:
		return p.book.text(member)
	case member != "":
		return nil, ingest.Errorf(ingest.Internal, "unpack.Text", "the file has no members, and not %q", member)
	case p.kind == encrypted:
		return p.messageText(ctx)
	}
	var in *opened
	if first, ok := p.first.(*opened); ok {
		in, p.first = first, nil
	} else {
		var err error
		if in, _, err = p.begin(ctx); err != nil {
			return nil, err
		}
	}
	if p.kind == plain {
		return &Text{r: in, from: in.from, close: []func(){func() { _ = in.Close() }}}, nil
	}
	return p.unpacked(in, in.from, p.kind, func() { _ = in.Close() })
}

// unpacked is the text of a compressed file.
func (p *Package) unpacked(r *opened, from *source, k kind, last func()) (*Text, error) {
	own := func() int64 { return MaxExpansion * p.stored.Size }
	in := bufio.NewReaderSize(r, readBuffer)
	out, release, err := uncompressed("the file", p.stored.Name, k, in, from, own, p.options.Budget)
	if err != nil {
		last()
		return nil, err
	}
	return newText(out, from, release, last), nil
}

const readBuffer = 64 << 10

// newText reads r ahead. What is to be given back is, in that order, once r is no longer read.
func newText(r io.Reader, from *source, release ...func()) *Text {
	a := readAhead(r)
	return &Text{r: a, from: from, close: append([]func(){func() { _ = a.Close() }}, release...)}
}

// Close gives back what was opened.
func (p *Package) Close() error {
	if p.first != nil {
		_ = p.first.Close() // it was only looked at
		p.first = nil
	}
	if p.book != nil {
		p.book.close()
	}
	if p.archive != nil {
		p.archive.close()
	}
	if p.spooled != nil {
		return p.spooled.Close()
	}
	return nil
}

// Text is text that package mapping can read.
type Text struct {
	r     io.Reader
	from  *source
	count func() int64 // of a member: from what of its archive has been read
	close []func()
}

// Read implements io.Reader.
func (t *Text) Read(b []byte) (int, error) { return t.r.Read(b) }

// BytesRead is about how many bytes of the stored file have been read so far, for progress.
func (t *Text) BytesRead() int64 {
	switch {
	case t.count != nil:
		return t.count()
	case t.from != nil:
		return t.from.n.Load()
	}
	return 0
}

// Close ends the reading. It may be called more than once.
func (t *Text) Close() error {
	for _, f := range t.close {
		if f != nil {
			f()
		}
	}
	t.close = nil
	return nil
}
