package bucket

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"dropline/ingest"
)

// writer implements ingest.ObjectWriter.
type writer struct {
	b   *Bucket
	ctx context.Context //nolint:containedctx // it is the lifetime of an io.Writer, whose Write takes none
	end context.CancelFunc
	key string

	size   int64
	number int32 // of the part that is being filled
	fill   *part
	err    error // what ended the upload
	done   bool  // committed

	upload  string // id of the multipart upload, once there is one
	nonce   string // what its object will carry as numberKey
	sending sync.WaitGroup
	slots   chan struct{} // one for each part on its way

	mu      sync.Mutex
	parts   []types.CompletedPart
	sendErr error // the first failure of a part
}

// Create implements ingest.Bucket. Nothing is sent before the first part is full.
func (b *Bucket) Create(ctx context.Context, key string) (ingest.ObjectWriter, error) {
	return b.newWriter(ctx, key)
}

func (b *Bucket) newWriter(ctx context.Context, key string) (*writer, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, translate("bucket.Create", key, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	return &writer{b: b, ctx: ctx, end: cancel, key: key, number: 1, fill: &part{}, slots: make(chan struct{}, b.cfg.Parallel)}, nil
}

// Size implements ingest.ObjectWriter.
func (w *writer) Size() int64 { return w.size }

// Write implements io.Writer. It waits while as many parts as may be are on their way.
func (w *writer) Write(p []byte) (int, error) {
	written := 0
	w.fill.touched.Store(time.Now().UnixNano())
	for len(p) > 0 {
		if err := w.failed(); err != nil {
			return written, err
		}
		if w.limit() == 0 || w.size >= maxSize {
			return written, w.fail("bucket.Write", ingest.Errorf(ingest.Exhausted, "bucket.Write",
				"the object has reached the largest size that can be stored, %d bytes", w.size))
		}
		// A full part is sent only when more follows, so that an object of exactly one part is one PutObject.
		if w.fill.size == w.limit() {
			if err := w.send(); err != nil {
				return written, w.fail("bucket.Write", err)
			}
			continue
		}
		room := w.fill.room()
		if len(room) == 0 {
			if err := w.b.memory.extend(w.ctx, w.fill, w.number, w.limit()); err != nil {
				return written, w.fail("bucket.Write", err)
			}
			continue
		}
		room = room[:min(int64(len(room)), w.limit()-w.fill.size)]
		n := copy(room, p)
		p = p[n:]
		w.fill.size += int64(n)
		w.size += int64(n)
		written += n
	}
	return written, nil
}

func (w *writer) limit() int64 { return partSize(w.number, w.b.cfg.FixedPartSize) }

// send sets off the part and starts the next. It waits for a slot, not for the part.
func (w *writer) send() error {
	w.fill.sending.Store(true) // it waits for us from here on, not for its client
	if err := w.begin(w.ctx); err != nil {
		return err
	}
	select {
	case w.slots <- struct{}{}:
	case <-w.ctx.Done():
		return context.Cause(w.ctx)
	}
	p, number := w.fill, w.number
	w.fill, w.number = &part{}, w.number+1
	w.sending.Go(func() {
		done, err := w.b.uploadPart(w.ctx, w.key, w.upload, number, p)
		w.b.memory.give(p)
		w.note(done, err)
		<-w.slots
	})
	return nil
}

func (w *writer) note(done types.CompletedPart, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		w.parts = append(w.parts, done)
	} else if w.sendErr == nil {
		w.sendErr = err
	}
}

// begin makes the multipart upload unless there is one.
func (w *writer) begin(ctx context.Context) error {
	if w.upload != "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, smallTimeout)
	defer cancel()
	number := make([]byte, 16)
	_, _ = rand.Read(number) // crypto/rand.Read never fails: it ends the program instead
	w.nonce = hex.EncodeToString(number)
	in := &s3.CreateMultipartUploadInput{Bucket: &w.b.cfg.Name, Key: &w.key, Metadata: map[string]string{numberKey: w.nonce}}
	if !w.b.cfg.NoChecksums {
		in.ChecksumAlgorithm = types.ChecksumAlgorithmCrc32
	}
	out, err := w.b.client.CreateMultipartUpload(ctx, in)
	if err != nil {
		return err
	}
	w.upload = aws.ToString(out.UploadId)
	w.b.setLive(w.upload, true)
	return nil
}

// uploadPart sends one part, retrying within bounds.
func (b *Bucket) uploadPart(ctx context.Context, key, upload string, number int32, p *part) (types.CompletedPart, error) {
	ctx, cancel := context.WithTimeout(ctx, bodyTimeout(p.size))
	defer cancel()
	in := &s3.UploadPartInput{
		Bucket: &b.cfg.Name, Key: &key, UploadId: &upload, PartNumber: &number, Body: p.reader(), ContentLength: &p.size,
	}
	if !b.cfg.NoChecksums {
		in.ChecksumCRC32 = aws.String(p.crc32())
	}
	out, err := b.client.UploadPart(ctx, in, b.bodyOptions)
	if err != nil {
		return types.CompletedPart{}, err
	}
	return types.CompletedPart{PartNumber: &number, ETag: out.ETag, ChecksumCRC32: in.ChecksumCRC32}, nil
}

func bodyTimeout(size int64) time.Duration {
	return smallTimeout + time.Duration(size/slowest)*time.Second
}

// Commit implements ingest.ObjectWriter.
func (w *writer) Commit(ctx context.Context, metadata map[string]string) (ingest.Object, error) {
	const op = "bucket.Commit"
	if err := w.failed(); err != nil {
		return ingest.Object{}, err
	}
	if w.done {
		return ingest.Object{}, ingest.Errorf(ingest.Conflict, op, "%s was committed before", w.key)
	}
	// What ends ctx ends the last requests too, whose context is the writer's own.
	stop := context.AfterFunc(ctx, w.end)
	defer stop()
	var o ingest.Object
	var err error
	if w.upload == "" {
		o, err = w.put(ctx, metadata)
	} else {
		o, err = w.complete(ctx, metadata)
	}
	if err != nil {
		return ingest.Object{}, w.fail(op, err)
	}
	o.Metadata = metadata
	w.done = true
	w.release()
	return o, nil
}

// put stores the whole object in one request.
func (w *writer) put(ctx context.Context, metadata map[string]string) (ingest.Object, error) {
	ctx, cancel := context.WithTimeout(ctx, bodyTimeout(w.size))
	defer cancel()
	in := &s3.PutObjectInput{
		Bucket: &w.b.cfg.Name, Key: &w.key, Body: w.fill.reader(), ContentLength: &w.size, Metadata: metadata,
	}
	if !w.b.cfg.NoChecksums {
		in.ChecksumCRC32 = aws.String(w.fill.crc32())
	}
	w.fill.sending.Store(true)
	out, err := w.b.client.PutObject(ctx, in, w.b.bodyOptions)
	if err != nil {
		return ingest.Object{}, err
	}
	return ingest.Object{Key: w.key, Size: w.size, ETag: aws.ToString(out.ETag), ModTime: serverTime(out.ResultMetadata)}, nil
}

// complete ends the multipart upload: the last part, the metadata, then the object, which both become visible with.
func (w *writer) complete(ctx context.Context, metadata map[string]string) (ingest.Object, error) {
	if w.fill.size > 0 {
		if err := w.send(); err != nil {
			return ingest.Object{}, err
		}
	}
	w.sending.Wait()
	if err := w.failed(); err != nil {
		return ingest.Object{}, err
	}
	if len(metadata) > 0 {
		if err := w.b.putMetadata(ctx, w.nonce, metadata); err != nil {
			return ingest.Object{}, err
		}
	}
	slices.SortFunc(w.parts, func(a, b types.CompletedPart) int { return int(*a.PartNumber - *b.PartNumber) })
	completeCtx, cancel := context.WithTimeout(ctx, completeTimeout)
	defer cancel()
	_, err := w.b.client.CompleteMultipartUpload(completeCtx, &s3.CompleteMultipartUploadInput{
		Bucket: &w.b.cfg.Name, Key: &w.key, UploadId: &w.upload,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: w.parts},
	})
	if err != nil && codeOf(err) == "" {
		return ingest.Object{}, err
	}
	o, err := w.completed(ctx, err)
	if err != nil {
		return ingest.Object{}, err
	}
	w.b.setLive(w.upload, false)
	return o, nil
}

// completed returns the object that the upload has become, after the server answered its completion with err. An answer
// may get lost, and the second try is then refused: there is no such upload any more, or parts of it are gone already. A
// success is worth a look too when a client is about to be told that its file is safe. The number tells this object from
// any other under the key.
func (w *writer) completed(ctx context.Context, err error) (ingest.Object, error) {
	ctx, cancel := context.WithTimeout(ctx, smallTimeout)
	defer cancel()
	o, stored, headErr := w.b.head(ctx, w.key)
	if headErr == nil && stored[numberKey] == w.nonce && o.Size == w.size {
		return o, nil
	}
	switch {
	case err != nil && codeOf(err) != "NoSuchUpload":
		return ingest.Object{}, err
	case isMissing(headErr):
		return ingest.Object{}, errors.Join(err, ingest.Errorf(ingest.Unavailable, "bucket.Commit", "the S3 server has lost the upload"))
	case headErr != nil:
		return ingest.Object{}, errors.Join(err, headErr)
	}
	return ingest.Object{}, errors.Join(err, ingest.Errorf(ingest.Unavailable, "bucket.Commit",
		"the S3 server holds another object of %d bytes in place of these %d", o.Size, w.size))
}

// failed returns the error that ended the upload, or that a part has met.
func (w *writer) failed() error {
	if w.err != nil {
		return w.err
	}
	w.mu.Lock()
	err := w.sendErr
	w.mu.Unlock()
	if err != nil {
		return w.fail("bucket.Write", err)
	}
	return nil
}

// fail makes err what every further call returns. The parts on their way are called back.
func (w *writer) fail(op string, err error) error {
	if w.err == nil {
		w.err = translate(op, w.key, err)
	}
	w.end()
	return w.err
}

// Abort implements ingest.ObjectWriter.
func (w *writer) Abort(ctx context.Context) error {
	if w.done {
		return nil
	}
	_ = w.fail("bucket.Write", ingest.Errorf(ingest.Conflict, "bucket.Write", "the upload was aborted"))
	w.sending.Wait()
	w.release()
	if w.upload == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, smallTimeout)
	defer cancel()
	// The metadata may have been stored before the completion failed. It goes last: an object that was completed after
	// all, its answer lost, keeps it.
	_, err := w.b.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &w.b.cfg.Name, Key: &w.key, UploadId: &w.upload}, briefly)
	if isMissing(err) {
		err = nil
	} else if err == nil {
		_, err = w.b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &w.b.cfg.Name, Key: aws.String(metaPrefix + w.nonce)}, briefly)
	}
	if err == nil {
		w.b.setLive(w.upload, false)
		w.upload = ""
	}
	return translate("bucket.Abort", w.key, err)
}

// briefly is for cleaning up after a failure: who waits for its answer has waited for retries before, and AbortStale
// does what it leaves.
func briefly(o *s3.Options) { o.RetryMaxAttempts = 2 }

// release gives back what the upload holds.
func (w *writer) release() {
	w.end()
	w.b.memory.give(w.fill)
}
