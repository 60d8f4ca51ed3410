package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"dropline/ingest"
)

const (
	// copyPart is the size of the parts that the server copies: few requests for the largest prefix, each short.
	copyPart = 1 << 30
	// copyTimeout bounds the copying of one of them; a server that reads and writes it itself does so at 10 MB/s.
	copyTimeout = 2 * time.Minute
)

// Append implements ingest.Bucket. The server copies the prefix; only one shorter than S3's least part comes back through
// here, and, where all parts must be equal, the remainder.
func (b *Bucket) Append(ctx context.Context, key, from string, size int64) (ingest.ObjectWriter, error) {
	const op = "bucket.Append"
	if key == from || size < 0 {
		return nil, ingest.Errorf(ingest.Invalid, op, "cannot append %d bytes of %s to %s", size, from, key)
	}
	w, err := b.newWriter(ctx, key)
	if err != nil || size == 0 {
		return w, err
	}
	if err := w.prefix(ctx, from, size); err != nil {
		err = translate(op, from, err)
		return nil, errors.Join(err, w.Abort(context.WithoutCancel(ctx)))
	}
	return w, nil
}

// prefix starts the upload with the first size bytes of the object from.
func (w *writer) prefix(ctx context.Context, from string, size int64) error {
	headCtx, cancel := context.WithTimeout(ctx, smallTimeout)
	defer cancel()
	source, _, err := w.b.head(headCtx, from)
	if err != nil {
		return err
	}
	if source.Size < size {
		return ingest.Errorf(ingest.Conflict, "bucket.Append", "the stored object has %d bytes, not %d", source.Size, size)
	}
	copied := int64(0)
	if size >= max(minPart, w.b.cfg.FixedPartSize) {
		ranges := copyRanges(size, w.b.cfg.FixedPartSize)
		if err := w.copyParts(source, ranges); err != nil {
			return err
		}
		copied = ranges[len(ranges)-1].end
		w.size, w.number = copied, int32(len(ranges))+1 // at most maxParts: checked there
	}
	if copied == size {
		return nil
	}
	body, _, err := w.b.Open(ctx, from, copied, size-copied, source.ETag)
	if err != nil {
		return err
	}
	n, err := io.Copy(w, body)
	if err == nil && n != size-copied {
		err = ingest.Errorf(ingest.Unavailable, "bucket.Append", "read %d of %d bytes of the stored object", n, size-copied)
	}
	return errors.Join(err, body.Close())
}

type byteRange struct{ start, end int64 }

// copyRanges divides size bytes, of which there are as many as the least part has or more, into parts that may be copied
// and followed by others. With a fixed part size what does not fill a part is left over.
func copyRanges(size, fixed int64) []byteRange {
	step := int64(copyPart)
	if fixed > 0 {
		step, size = fixed, size-size%fixed
	}
	var ranges []byteRange
	for start := int64(0); start < size; start = ranges[len(ranges)-1].end {
		end := min(start+step, size)
		if size-end < minPart {
			end = size // no remainder too short to be a part
		}
		ranges = append(ranges, byteRange{start, end})
	}
	return ranges
}

func (w *writer) copyParts(source ingest.Object, ranges []byteRange) error {
	if len(ranges) > maxParts {
		return ingest.Errorf(ingest.Exhausted, "bucket.Append", "the object has reached the largest size that can be stored, %d bytes", source.Size)
	}
	if err := w.begin(w.ctx); err != nil {
		return err
	}
	w.parts = make([]types.CompletedPart, len(ranges))
	group, ctx := errgroup.WithContext(w.ctx)
	group.SetLimit(w.b.cfg.Parallel)
	for i, r := range ranges {
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, copyTimeout)
			defer cancel()
			number := int32(i + 1)
			out, err := w.b.client.UploadPartCopy(ctx, &s3.UploadPartCopyInput{
				Bucket: &w.b.cfg.Name, Key: &w.key, UploadId: &w.upload, PartNumber: &number,
				CopySource:        aws.String(copySource(w.b.cfg.Name, source.Key)),
				CopySourceIfMatch: &source.ETag,
				CopySourceRange:   aws.String(fmt.Sprintf("bytes=%d-%d", r.start, r.end-1)),
			})
			if err != nil {
				return err
			}
			w.parts[i] = types.CompletedPart{PartNumber: &number, ETag: out.CopyPartResult.ETag}
			if !w.b.cfg.NoChecksums {
				w.parts[i].ChecksumCRC32 = out.CopyPartResult.ChecksumCRC32
			}
			return nil
		})
	}
	return group.Wait()
}

// copySource names an object in a header: the slashes stay, all else is escaped, the plus too, as some servers read it as a
// space.
func copySource(bucket, key string) string {
	segments := strings.Split(key, "/")
	for i, s := range segments {
		segments[i] = strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
	}
	return bucket + "/" + strings.Join(segments, "/")
}
