package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"

	"dropline/ingest"
	"dropline/mapping"
	"dropline/mapping/unpack"
)

// spread lists what is in archives and workbooks, and the tables that files feed, as files of their own.
func (c *checker) spread(ctx context.Context) error {
	var all []*checkedFile
	for _, f := range c.files {
		pieces, err := c.pieces(ctx, f)
		if err != nil {
			return err
		}
		all = append(all, pieces...)
	}
	c.files = all
	return nil
}

func (c *checker) pieces(ctx context.Context, f *checkedFile) ([]*checkedFile, error) {
	if c.mapper.IsLookup(f.inbox) {
		c.lookups = append(c.lookups, f)
		if !c.mapper.IsTable(f.inbox) {
			return nil, nil
		}
	}
	pack, err := c.unpack(ctx, f)
	if err != nil {
		return []*checkedFile{f}, f.refuse(err)
	}
	defer quietly(pack.Close)
	members := pack.Members()
	if members == nil {
		members = []unpack.Member{{}}
	}
	var out []*checkedFile
	for _, m := range members {
		inbox, label := f.inbox, f.Path
		if m.Name != "" {
			inbox, label = path.Join(inbox, m.Name), label+"/"+m.Name
		}
		if c.mapper.IsLookup(inbox) {
			piece := newCheckedFile(label, inbox)
			piece.file, piece.member = f.file, m.Name
			c.lookups = append(c.lookups, piece)
			if !c.mapper.IsTable(inbox) {
				continue
			}
		}
		outputs := c.mapper.Outputs(inbox)
		for n := range outputs {
			piece := newCheckedFile(label, inbox)
			piece.file, piece.member, piece.exact = f.file, m.Name, pack.Exact(m.Name)
			if outputs > 1 {
				piece.Output = n + 1
			}
			if len(out) == 0 {
				piece.Notes = append(piece.Notes, pack.Notes()...)
			}
			out = append(out, piece)
		}
	}
	return out, nil
}

// unpack opens what a file is packed in.
func (c *checker) unpack(ctx context.Context, f *checkedFile) (*unpack.Package, error) {
	info, err := os.Stat(f.file)
	if err != nil {
		return nil, err
	}
	return c.unpacker.Open(ctx, unpack.Stored{Name: f.inbox, Size: info.Size(), Open: func(_ context.Context, offset int64) (io.ReadCloser, error) {
		in, err := os.Open(f.file)
		if err != nil {
			return nil, err
		}
		if _, err := in.Seek(offset, io.SeekStart); err != nil {
			return nil, errors.Join(err, in.Close())
		}
		return in, nil
	}}, unpack.Options{Keys: func(context.Context) (unpack.Keyring, error) { return c.keyring, nil }})
}

// what says which of the file's tables is read; exact: from a workbook's sheet.
func (f *checkedFile) what(exact bool) mapping.File {
	return mapping.File{Path: f.inbox, Output: f.Output, Exact: exact}
}

// pieceReader is a file's rows and what must be closed after them.
type pieceReader struct {
	*mapping.Opened
	pack *unpack.Package
}

// Close ends the reading.
func (p *pieceReader) Close() error { return errors.Join(p.Opened.Close(), p.pack.Close()) }

// open opens a file, or a piece of one.
func (c *checker) open(ctx context.Context, f *checkedFile) (*pieceReader, error) {
	pack, err := c.unpack(ctx, f)
	if err != nil {
		return nil, err
	}
	rows, err := c.mapper.OpenSettled(ctx, f.what(pack.Exact(f.member)), func() (io.ReadCloser, error) { return pack.Text(ctx, f.member) })
	if err != nil {
		quietly(pack.Close)
		return nil, err
	}
	return &pieceReader{rows, pack}, nil
}

// lookup opens a file among those given of which the mapping takes a lookup table.
func (c *checker) lookup(pattern string) (io.ReadCloser, error) {
	for _, f := range c.lookups {
		if mapping.MatchFile(pattern, f.inbox) {
			pack, err := c.unpack(context.Background(), f)
			if err != nil {
				return nil, err
			}
			text, err := pack.Text(context.Background(), f.member)
			if err != nil {
				quietly(pack.Close)
				return nil, err
			}
			return text, nil
		}
	}
	return nil, &ingest.FileRefusal{Code: ingest.CodeUnreadable, Message: "the mapping looks values up in " + pattern + ", and no such file is given"}
}

// showRows shows the first rows of a table.
func showRows(w io.Writer, shown *shownRows) {
	if shown == nil {
		return
	}
	const widest = 30
	rows := make([][]string, 0, len(shown.Rows))
	for _, row := range shown.Rows {
		var cells []string
		for _, v := range row {
			cell := ""
			if v != nil {
				cell = printable(*v, widest)
			}
			cells = append(cells, cell)
		}
		rows = append(rows, cells)
	}
	var b bytes.Buffer
	table(&b, shown.Columns, rows)
	for line := range strings.Lines(b.String()) {
		put(w, "    %s", line)
	}
}

// readPrivateKey reads an OpenPGP private key, armoured or binary.
func readPrivateKey(file string) (unpack.Keyring, error) {
	const most = 1 << 20
	raw, err := readBounded(file, most)
	if err != nil {
		return unpack.Keyring{}, err
	}
	keys, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(raw))
	if err != nil {
		if keys, err = openpgp.ReadKeyRing(bytes.NewReader(raw)); err != nil {
			return unpack.Keyring{}, failed("export it with gpg --export-secret-keys", "%s has no OpenPGP key", file)
		}
	}
	var out unpack.Keyring
	for _, k := range keys {
		if k.PrivateKey == nil || k.PrivateKey.Encrypted {
			return unpack.Keyring{}, failed("remove its passphrase first", "%s has no private key that can be used as it is", file)
		}
		var b bytes.Buffer
		if err := k.SerializePrivateWithoutSigning(&b, nil); err != nil {
			return unpack.Keyring{}, err
		}
		out.Private = append(out.Private, b.Bytes())
	}
	return out, nil
}
