package loader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"regexp"
	"strings"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"dropline/ingest"
	"dropline/mapping"
)

const (
	// PartWindow is the window, in bytes, with which dropline push compresses. Larger ones are refused: reading takes as much
	// memory.
	PartWindow = 1 << 20
	// MaxExpansion is how many times as large a compressed file that a client sent may become. Rows compress ten times, those of a
	// file that is made to fill the server thousands of times.
	MaxExpansion = 200
	// FreeExpansion is how many bytes the files of an import may become beyond that, taken together.
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
	switch {
	case !isPart:
		relation, table, isPart = pushed(f.Path)
	case table == "": // a new attempt begins with clean counts
		if rel := r.planned(relation); rel != nil {
			table, f.Ignored = rel.Table, rel.Ignored
		}
	}
	o := &opened{}
	if !isPart {
		if err := r.openText(ctx, o, f); err != nil {
			return nil, err
		}
		return o, nil
	}
	body, _, err := r.l.cfg.Bucket.Open(ctx, f.Key, 0, -1, "")
	if err != nil {
		return nil, ingest.E(ingest.KindOf(err), "loader.open", err)
	}
	o.body = body
	if err := r.openPart(o, f, relation, table, body); err != nil {
		_ = o.body.Close() // nothing depends on it
		return nil, err
	}
	if o.bytes == nil {
		o.bytes = o.BytesRead
	}
	return o, nil
}

// planned returns what the plan says of a relation, or nil.
func (r *run) planned(relation string) *ingest.PlannedRelation {
	if d := r.imp.Database; d != nil && d.Plan != nil {
		for i := range d.Plan.Relations {
			if d.Plan.Relations[i].Name == relation {
				return &d.Plan.Relations[i]
			}
		}
	}
	return nil
}

// Close ends the reading.
func (o *opened) Close() error { return o.body.Close() }

// openPart opens a part of a relation of a database, compressed or not.
func (r *run) openPart(o *opened, f *ingest.ImportFile, relation, table string, body io.ReadCloser) (err error) {
	var source io.Reader = body
	if open := decompressor(f.Path); open != nil {
		raw := &countingReader{r: body}
		expanding := &expanding{raw: raw, open: open, own: MaxExpansion * f.Size, more: func(n int64) bool { return r.expand(f.Number, n) }}
		if f.Relation != "" { // written here: what it becomes is known, and was bounded then
			expanding.own = math.MaxInt64
		}
		o.body, o.bytes = &both{expanding, body}, func() int64 { return raw.n }
		source = expanding
	}
	o.Reader, err = r.openRelation(relation, table, source)
	return err
}

// expand tells whether a file may become n bytes larger than it may by itself. What it has become before counts once, however
// often the file is read.
func (r *run) expand(number int, n int64) bool {
	r.listing.Lock()
	defer r.listing.Unlock()
	if r.expanded == nil {
		r.expanded = map[int]int64{}
	}
	r.expanded[number] = max(r.expanded[number], n)
	total := int64(0)
	for _, n := range r.expanded {
		total += n
	}
	return total <= FreeExpansion
}

// decompressor returns what decompresses a file of that name, or nil: what we keep ourselves is gzip, what dropline push sends is
// zstd.
func decompressor(path string) func(io.Reader) (io.ReadCloser, error) {
	switch {
	case strings.HasSuffix(path, ".gz"):
		return func(r io.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) }
	case strings.HasSuffix(path, ".zst"):
		return func(r io.Reader) (io.ReadCloser, error) {
			d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(PartWindow))
			if err != nil {
				return nil, err
			}
			return d.IOReadCloser(), nil
		}
	}
	return nil
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
var pushedPath = regexp.MustCompile(`^` + ingest.Inbox + `/` + ingest.PushFolder + `/([A-Za-z0-9_]+)/([^/]+)\.[0-9]+\.csv(?:\.gz|\.zst)?$`)

// pushed reads from a file's path what relation of a client's database it holds, and for which table.
func pushed(path string) (relation, table string, ok bool) {
	m := pushedPath.FindStringSubmatch(path)
	if m == nil {
		return "", "", false
	}
	relation, err := url.PathUnescape(m[2])
	return relation, m[1], err == nil
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

// expanding reads what is compressed, as far as it may expand, and says of what is wrong with it that the file is.
type expanding struct {
	raw     io.Reader
	open    func(io.Reader) (io.ReadCloser, error)
	decoder io.ReadCloser      // nil before the first Read
	own     int64              // bytes that it may become
	more    func(n int64) bool // whether it may become that many more
	size    int64
}

// Read implements io.Reader.
func (e *expanding) Read(p []byte) (n int, err error) {
	if e.decoder == nil {
		e.decoder, err = e.open(e.raw)
	}
	if err == nil {
		n, err = e.decoder.Read(p)
	}
	if e.size += int64(n); e.size > e.own && !e.more(e.size-e.own) {
		return 0, &ingest.FileRefusal{
			Code: ingest.CodeUnreadable, Message: fmt.Sprintf("the file becomes more than %d times as large when it is decompressed: send it uncompressed", MaxExpansion),
		}
	}
	if isCorrupt(err) {
		return n, &ingest.FileRefusal{Code: ingest.CodeUnreadable, Message: "the compressed file is damaged or not whole: send it again"}
	}
	return n, err
}

// isCorrupt tells whether the file is at fault, and not the store that it comes from.
func isCorrupt(err error) bool {
	if err == nil || errors.Is(err, io.EOF) {
		return false
	}
	for _, fault := range []error{
		gzip.ErrHeader, gzip.ErrChecksum, io.ErrUnexpectedEOF, zstd.ErrMagicMismatch, zstd.ErrReservedBlockType, zstd.ErrCompressedSizeTooBig,
		zstd.ErrBlockTooSmall, zstd.ErrUnexpectedBlockSize, zstd.ErrWindowSizeExceeded, zstd.ErrWindowSizeTooSmall,
		zstd.ErrDecoderSizeExceeded, zstd.ErrUnknownDictionary, zstd.ErrFrameSizeExceeded, zstd.ErrFrameSizeMismatch, zstd.ErrCRCMismatch,
	} {
		if errors.Is(err, fault) {
			return true
		}
	}
	var corrupt flate.CorruptInputError
	return errors.As(err, &corrupt)
}

// Close implements io.Closer.
func (e *expanding) Close() error {
	if e.decoder == nil {
		return nil
	}
	return e.decoder.Close()
}

// both closes two.
type both struct{ first, second io.Closer }

// Close implements io.Closer.
func (b *both) Close() error { return errors.Join(b.first.Close(), b.second.Close()) }

// refusalOf returns the refusal that err is, or nil.
func refusalOf(err error) *ingest.FileRefusal {
	var refusal *ingest.FileRefusal
	if errors.As(err, &refusal) {
		return refusal
	}
	return nil
}
