package loader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"

	"github.com/klauspost/compress/zstd"

	"dropline/ingest"
	"dropline/mapping"
)

const (
	// storedWindow is the most memory that reading a compressed part of a database back may take for its window. What we
	// write has a smaller one, and what dropline push writes too.
	storedWindow = 8 << 20
	// PartWindow is the window, in bytes, with which parts of databases are compressed.
	PartWindow = storedWindow / 8
	// MaxExpansion is how many times as large a compressed file that a client sent may become; FreeExpansion bytes it may in
	// any case. Rows compress ten times, those of a file that is made to fill the server thousands of times.
	MaxExpansion  = 200
	FreeExpansion = 256 << 20
)

// opened is a file of an import as mapping reads it.
type opened struct {
	*mapping.Reader
	body  io.Closer
	bytes func() int64 // of the stored file that have been read
}

// openFile opens a file of the import. A refusal of the file is a *ingest.FileRefusal.
func (r *run) openFile(ctx context.Context, f *ingest.ImportFile) (*opened, error) {
	relation, table, isPart := f.Relation, f.Table, f.Relation != ""
	if !isPart {
		relation, table, isPart = pushed(f.Path)
	}
	body, _, err := r.l.cfg.Bucket.Open(ctx, f.Key, 0, -1, "")
	if err != nil {
		return nil, ingest.E(ingest.KindOf(err), "loader.open", err)
	}
	o := &opened{body: body}
	if !isPart {
		o.Reader, err = r.mapper.Open(strings.TrimPrefix(f.Path, ingest.Inbox+"/"), body)
	} else {
		err = r.openPart(o, f, relation, table, body)
	}
	if err != nil {
		_ = body.Close() // nothing depends on it
		return nil, err
	}
	if o.bytes == nil {
		o.bytes = o.BytesRead
	}
	return o, nil
}

// Close ends the reading.
func (o *opened) Close() error { return o.body.Close() }

// openPart opens a part of a relation of a database, compressed or not.
func (r *run) openPart(o *opened, f *ingest.ImportFile, relation, table string, body io.ReadCloser) (err error) {
	var source io.Reader = body
	if strings.HasSuffix(f.Path, ".zst") {
		raw := &countingReader{r: body}
		decoder, err := zstd.NewReader(raw, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(storedWindow),
			zstd.WithDecoderMaxMemory(storedWindow))
		if err != nil {
			return ingest.E(ingest.Internal, "loader.open", err)
		}
		o.body, o.bytes = &decompressed{decoder, body}, func() int64 { return raw.n }
		source = &expanding{decoder: decoder, left: max(FreeExpansion, MaxExpansion*f.Size)}
	}
	o.Reader, err = r.openRelation(relation, table, source)
	if err != nil && o.body != body {
		o.body.(*decompressed).Decoder.Close()
	}
	return err
}

// openRelation reads rows of a relation of a database into the table of the schema.
func (r *run) openRelation(relation, table string, source io.Reader) (*mapping.Reader, error) {
	t := r.target.Schema.Table(table)
	if t == nil {
		return nil, &ingest.FileRefusal{Code: ingest.CodeUnknownTable, Message: fmt.Sprintf("%s has no table %q", r.target.Schema.ID(), table)}
	}
	return r.mapper.OpenRelation(relation, t, source)
}

// pushedPath is where dropline push puts the parts of a database's relations: below a folder for the schema's table, named for
// the relation and numbered.
var pushedPath = regexp.MustCompile(`^` + ingest.Inbox + `/` + ingest.PushFolder + `/([A-Za-z0-9_]+)/([^/]+)\.[0-9]+\.csv(?:\.zst)?$`)

// pushed reads from a file's path what relation of a client's database it holds, and for which table.
func pushed(path string) (relation, table string, ok bool) {
	m := pushedPath.FindStringSubmatch(path)
	if m == nil {
		return "", "", false
	}
	relation, err := url.PathUnescape(m[2])
	return relation, m[1], err == nil
}

// decompressed is a decoder with what it reads from.
type decompressed struct {
	*zstd.Decoder
	body io.Closer
}

// Close implements io.Closer.
func (d *decompressed) Close() error {
	d.Decoder.Close()
	return d.body.Close()
}

type countingReader struct {
	r io.Reader
	n int64
}

// Read implements io.Reader.
func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// expanding reads what a client compressed, as far as it may expand, and says of what is wrong with it that the file is.
type expanding struct {
	decoder *zstd.Decoder
	left    int64
}

// Read implements io.Reader.
func (e *expanding) Read(p []byte) (int, error) {
	n, err := e.decoder.Read(p)
	if e.left -= int64(n); e.left < 0 {
		return 0, &ingest.FileRefusal{
			Code: ingest.CodeUnreadable, Message: fmt.Sprintf("the file becomes more than %d times as large when it is decompressed: send it uncompressed", MaxExpansion),
		}
	}
	for _, fault := range []error{
		zstd.ErrMagicMismatch, zstd.ErrReservedBlockType, zstd.ErrCompressedSizeTooBig, zstd.ErrBlockTooSmall, zstd.ErrUnexpectedBlockSize,
		zstd.ErrWindowSizeExceeded, zstd.ErrWindowSizeTooSmall, zstd.ErrDecoderSizeExceeded, zstd.ErrUnknownDictionary,
		zstd.ErrFrameSizeExceeded, zstd.ErrFrameSizeMismatch, zstd.ErrCRCMismatch, io.ErrUnexpectedEOF,
	} {
		if errors.Is(err, fault) {
			return n, &ingest.FileRefusal{Code: ingest.CodeUnreadable, Message: "the file is not whole zstd: " + fault.Error() + ": send it again"}
		}
	}
	return n, err
}

// refusalOf returns the refusal that err is, or nil.
func refusalOf(err error) *ingest.FileRefusal {
	var refusal *ingest.FileRefusal
	if errors.As(err, &refusal) {
		return refusal
	}
	return nil
}
