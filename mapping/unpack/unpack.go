// Package unpack opens what a delivered file is packed in: compression, archives, encryption and workbooks. What comes out is text
// that package mapping reads, in bounded memory and within limits that no archive made to fill the server gets past. A file that is
// packed in nothing costs one look at its first bytes.
package unpack

import (
	"context"
	"io"
)

// Stored is a file as it was delivered.
type Stored struct {
	Name string // path below the inbox: extensions are a hint, the bytes decide
	Size int64
	// Open reads from an offset on. It is called as often as needed.
	Open func(ctx context.Context, offset int64) (io.ReadCloser, error)
}

// Config is what an Unpacker needs to know.
type Config struct {
	// TempDir is where a workbook, or an archive that was encrypted, is put while it is read; "" is the system's. Such files are
	// private, bounded by MaxSpool and gone when the Package is closed.
	TempDir string
}

// Unpacker opens files. It is safe for concurrent use.
type Unpacker struct{ cfg Config }

// New returns an Unpacker.
func New(cfg Config) *Unpacker { return &Unpacker{cfg: cfg} }

// Member is one file of an archive, or one sheet of a workbook.
type Member struct {
	Name string // its path within, cleaned: no leading slash, no "..", no control characters; or the sheet's name
	Size int64  // of its text where that is known, else -1
}

// Package is a file that has been looked at.
type Package struct {
	stored Stored
	notes  []string
}

// Open looks at how a file begins. The error is a *ingest.FileRefusal if the file is at fault (damaged, made to fill the server,
// encrypted without a key), and otherwise Stored's own.
func (u *Unpacker) Open(_ context.Context, file Stored) (*Package, error) {
	return &Package{stored: file}, nil
}

// Members lists what is in an archive or workbook; nil for a file that is one table's text, compressed or not.
func (p *Package) Members() []Member { return nil }

// Notes are remarks for people: what of an archive is not read, who signed.
func (p *Package) Notes() []string { return p.notes }

// Text opens a member, or with "" the file that is one itself. Err of a damaged or overlarge one is a *ingest.FileRefusal, which
// may come at its end only: what was read of it before must then be given up.
func (p *Package) Text(ctx context.Context, _ string) (*Text, error) {
	body, err := p.stored.Open(ctx, 0)
	if err != nil {
		return nil, err
	}
	return &Text{body: body}, nil
}

// Exact reports whether a member's text is CSV that Dropline writes itself (of a workbook's sheet): in UTF-8, separated by commas,
// quoted as RFC 4180 has it, with the sheet's first row that is not empty as its header; so there is nothing to detect but that.
func (p *Package) Exact(_ string) bool { return false }

// Close removes what was put on disk.
func (p *Package) Close() error { return nil }

// Text is text that package mapping can read.
type Text struct {
	body io.ReadCloser
	read int64
}

// Read implements io.Reader.
func (t *Text) Read(b []byte) (int, error) {
	n, err := t.body.Read(b)
	t.read += int64(n)
	return n, err
}

// BytesRead is how many bytes of the stored file have been read so far, for progress.
func (t *Text) BytesRead() int64 { return t.read }

// Close ends the reading.
func (t *Text) Close() error { return t.body.Close() }
