package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"dropline/ingest"
)

const (
	// maxResumes is how often in a row, without a byte between, a broken read is taken up again; the pause before each
	// doubles from firstPause. A server that restarts is back within their sum, 12 s.
	maxResumes = 6
	firstPause = 200 * time.Millisecond
)

// Open implements ingest.Bucket.
func (b *Bucket) Open(ctx context.Context, key string, offset, length int64, ifMatch string) (io.ReadCloser, ingest.Object, error) {
	const op = "bucket.Open"
	if offset < 0 {
		return nil, ingest.Object{}, ingest.Errorf(ingest.Invalid, op, "the offset %d is negative", offset)
	}
	r := &reader{b: b, ctx: ctx, key: key, offset: offset, etag: ifMatch, end: -1}
	if length >= 0 {
		r.end = offset + length
	}
	var out *s3.GetObjectOutput
	var err error
	if length != 0 {
		out, err = r.get()
	}
	if length == 0 || codeOf(err) == "InvalidRange" {
		return b.openEmpty(ctx, key, ifMatch)
	}
	if err != nil {
		return nil, ingest.Object{}, translate(op, key, err)
	}
	o := ingest.Object{Key: key, Size: totalSize(out), ETag: aws.ToString(out.ETag), ModTime: aws.ToTime(out.LastModified)}
	if o.Metadata, err = b.metadata(ctx, out.Metadata); err != nil {
		return nil, ingest.Object{}, translate(op, key, errors.Join(err, out.Body.Close()))
	}
	r.etag = o.ETag
	if r.end < 0 || r.end > o.Size {
		r.end = o.Size
	}
	return r, o, nil
}

// openEmpty answers a read of no bytes, for which S3 has no request.
func (b *Bucket) openEmpty(ctx context.Context, key, ifMatch string) (io.ReadCloser, ingest.Object, error) {
	const op = "bucket.Open"
	o, err := b.Stat(ctx, key)
	if err != nil {
		return nil, ingest.Object{}, translate(op, key, err)
	}
	if ifMatch != "" && ifMatch != o.ETag {
		return nil, ingest.Object{}, ingest.Errorf(ingest.Conflict, op, "%s: the object is not the expected one", key)
	}
	return io.NopCloser(strings.NewReader("")), o, nil
}

// totalSize is the size of the whole object of which out holds all or a part.
func totalSize(out *s3.GetObjectOutput) int64 {
	if _, total, ok := strings.Cut(aws.ToString(out.ContentRange), "/"); ok {
		if n, err := strconv.ParseInt(total, 10, 64); err == nil {
			return n
		}
	}
	return aws.ToInt64(out.ContentLength)
}

// reader reads an object, going on where it was when the connection breaks.
type reader struct {
	b      *Bucket
	ctx    context.Context //nolint:containedctx // it is the lifetime of an io.Reader, whose Read takes none
	key    string
	etag   string // what every further request insists on
	offset int64  // of the next byte
	end    int64  // offset after the last byte
	body   io.ReadCloser
	tries  int // since the last byte
	err    error
}

// get asks for what is left and keeps the body.
func (r *reader) get() (*s3.GetObjectOutput, error) {
	in := &s3.GetObjectInput{Bucket: &r.b.cfg.Name, Key: &r.key}
	if r.etag != "" {
		in.IfMatch = &r.etag
	}
	switch {
	case r.end >= 0:
		in.Range = aws.String(fmt.Sprintf("bytes=%d-%d", r.offset, r.end-1))
	case r.offset > 0:
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", r.offset))
	}
	out, err := r.b.client.GetObject(r.ctx, in)
	if err != nil {
		return nil, err
	}
	r.body = out.Body
	return out, nil
}

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	for {
		if r.err != nil {
			return 0, r.err
		}
		if r.body == nil {
			if r.offset >= r.end {
				return 0, io.EOF
			}
			r.resume()
			continue
		}
		n, err := r.body.Read(p[:min(int64(len(p)), max(r.end-r.offset, 1))])
		if n > 0 {
			r.offset += int64(n)
			r.tries = 0
		}
		switch {
		case err == nil:
			return n, nil
		case errors.Is(err, io.EOF) && r.offset >= r.end:
			return n, io.EOF
		case isChecksumError(err):
			r.err = ingest.E(ingest.Internal, "bucket.Read", fmt.Errorf("%s: the stored bytes are not those that were sent: %w", r.key, err))
			return n, r.err
		}
		// Broken off; an EOF before the end is that too.
		_ = r.body.Close()
		r.body = nil
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if r.tries++; r.tries > maxResumes {
			r.err = translate("bucket.Read", r.key, err)
		}
		if n > 0 {
			return n, nil
		}
	}
}

// resume asks again for what is left, after a pause.
func (r *reader) resume() {
	select {
	case <-time.After(firstPause << max(r.tries-1, 0)):
	case <-r.ctx.Done():
		r.err = translate("bucket.Read", r.key, context.Cause(r.ctx))
		return
	}
	if _, err := r.get(); err != nil {
		err = translate("bucket.Read", r.key, err)
		if r.tries++; r.tries > maxResumes || ingest.KindOf(err) != ingest.Unavailable {
			r.err = err
		}
	}
}

// isChecksumError recognises the SDK's finding that an object's bytes do not have the checksum stored with it.
func isChecksumError(err error) bool {
	return strings.Contains(err.Error(), "checksum did not match")
}

// Close implements io.Closer.
func (r *reader) Close() error {
	if r.err == nil {
		r.err = errors.New("read of a closed object")
	}
	if r.body == nil {
		return nil
	}
	body := r.body
	r.body = nil
	return body.Close()
}
