package loader

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"

	"dropline/ingest"
	"dropline/mapping"
)

// storedWindow is the most memory that reading a stored part of a database back may take for its window. The encoder's is
// smaller.
const storedWindow = 8 << 20

// openFile opens a file of the import as mapping reads it. A refusal of the file is a *ingest.FileRefusal; the closer is nil
// after any error.
func (r *run) openFile(ctx context.Context, f *ingest.ImportFile) (*mapping.Reader, io.Closer, error) {
	body, _, err := r.l.cfg.Bucket.Open(ctx, f.Key, 0, -1, "")
	if err != nil {
		return nil, nil, ingest.E(ingest.KindOf(err), "loader.open", err)
	}
	var rows *mapping.Reader
	var source io.ReadCloser = body
	if f.Relation == "" {
		rows, err = r.mapper.Open(strings.TrimPrefix(f.Path, ingest.Inbox+"/"), body)
	} else {
		var decoder *zstd.Decoder
		decoder, err = zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(storedWindow))
		if err == nil {
			source = &decompressed{decoder, body}
			rows, err = r.openRelation(f.Relation, f.Table, source)
		}
	}
	if err != nil {
		_ = source.Close() // nothing depends on it
		return nil, nil, err
	}
	return rows, source, nil
}

// openRelation reads rows of a relation of a database as the plan has it.
func (r *run) openRelation(relation, table string, source io.Reader) (*mapping.Reader, error) {
	t := r.target.Schema.Table(table)
	if t == nil {
		return nil, ingest.Errorf(ingest.Internal, "loader.openRelation", "the schema has no table %s any more", table)
	}
	return r.mapper.OpenRelation(relation, t, source)
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

// refusalOf returns the refusal that err is, or nil.
func refusalOf(err error) *ingest.FileRefusal {
	var refusal *ingest.FileRefusal
	if errors.As(err, &refusal) {
		return refusal
	}
	return nil
}
