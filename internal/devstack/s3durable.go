//go:build linux

package devstack

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"
	"golang.org/x/sys/unix"
)

// durable is the library's file backend with the one thing it lacks: it answers that an object is stored only once the
// object, its attributes and its name are on disk. Parts of an upload in progress are not synced, the object that they
// become is. Deletes are not either: an object that a power cut brings back is one that nothing refers to.
type durable struct {
	*posix.Posix
	ephemeral bool
	side      string // directory of the attributes that are kept in files, or empty

	mu         sync.Mutex
	completing map[string]chan struct{} // by upload id; closed when that completion has ended
}

// PutObject implements backend.Backend. An object that is about to be replaced stays whole until the new one's bytes
// are on disk.
func (d *durable) PutObject(ctx context.Context, in s3response.PutObjectInput) (s3response.PutObjectOutput, error) {
	var out s3response.PutObjectOutput
	var err error
	if _, statErr := os.Lstat(filepath.Join(aws.ToString(in.Bucket), aws.ToString(in.Key))); statErr == nil && !d.ephemeral {
		out, err = d.PutObjectWithPostFunc(ctx, in, (*os.File).Sync)
	} else {
		out, err = d.Posix.PutObject(ctx, in)
	}
	if err == nil {
		err = d.syncObject(aws.ToString(in.Bucket), aws.ToString(in.Key))
	}
	return out, orFull(err)
}

// CreateMultipartUpload implements backend.Backend.
func (d *durable) CreateMultipartUpload(ctx context.Context, in s3response.CreateMultipartUploadInput) (s3response.InitiateMultipartUploadResult, error) {
	out, err := d.Posix.CreateMultipartUpload(ctx, in)
	return out, orFull(err)
}

// UploadPart implements backend.Backend.
func (d *durable) UploadPart(ctx context.Context, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	out, err := d.Posix.UploadPart(ctx, in)
	return out, orFull(err)
}

// UploadPartCopy implements backend.Backend.
func (d *durable) UploadPartCopy(ctx context.Context, in *s3.UploadPartCopyInput) (s3response.CopyPartResult, error) {
	out, err := d.Posix.UploadPartCopy(ctx, in)
	return out, orFull(err)
}

// fullBelow is the room, in bytes, in which nothing can be expected to succeed.
const fullBelow = 1 << 20

// orFull is err, or that the disk is full if a request failed on a full disk: the library says so of writes, but calls
// the same in making a directory or a name an internal error or a conflict.
func orFull(err error) error {
	if err == nil {
		return nil
	}
	var fs unix.Statfs_t
	full := unix.Statfs(".", &fs) == nil && (fs.Bavail*uint64(fs.Bsize) < fullBelow || fs.Files > 0 && fs.Ffree == 0) //nolint:gosec // a block size is positive
	if full || errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return s3err.GetAPIError(s3err.ErrNoSpaceLeftOnDevice)
	}
	return err
}

// CompleteMultipartUpload implements backend.Backend. The library answers success at once to a second completion while
// the first is still at work; here it waits for that one's end, as the client takes the answer for "stored".
func (d *durable) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput) (s3response.CompleteMultipartUploadResult, string, error) {
	release, err := d.claim(ctx, aws.ToString(in.UploadId))
	if err != nil {
		return s3response.CompleteMultipartUploadResult{}, "", err
	}
	defer release()
	out, version, err := d.Posix.CompleteMultipartUpload(ctx, in)
	if err == nil {
		err = d.syncObject(aws.ToString(in.Bucket), aws.ToString(in.Key))
	}
	return out, version, orFull(err)
}

// claim makes the caller the only one that completes the upload until it calls release.
func (d *durable) claim(ctx context.Context, upload string) (release func(), err error) {
	for {
		d.mu.Lock()
		if d.completing == nil {
			d.completing = make(map[string]chan struct{})
		}
		other, busy := d.completing[upload]
		if !busy {
			mine := make(chan struct{})
			d.completing[upload] = mine
			d.mu.Unlock()
			return func() {
				d.mu.Lock()
				delete(d.completing, upload)
				d.mu.Unlock()
				close(mine)
			}, nil
		}
		d.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// CopyObject implements backend.Backend.
func (d *durable) CopyObject(ctx context.Context, in s3response.CopyObjectInput) (s3response.CopyObjectOutput, error) {
	out, err := d.Posix.CopyObject(ctx, in)
	if err == nil {
		err = d.syncObject(aws.ToString(in.Bucket), aws.ToString(in.Key))
	}
	return out, orFull(err)
}

// CreateBucket implements backend.Backend.
func (d *durable) CreateBucket(ctx context.Context, in *s3.CreateBucketInput, acl []byte) error {
	err := d.Posix.CreateBucket(ctx, in, acl)
	if err == nil && !d.ephemeral {
		err = errors.Join(syncDir(aws.ToString(in.Bucket)), syncDir("."))
	}
	return err
}

// syncObject puts an object, its attributes and the directories above them on disk. Paths are relative to the working
// directory, as they are in the library. An object that is gone again was deleted by somebody, which is not this
// writer's failure.
func (d *durable) syncObject(bucket, key string) error {
	if d.ephemeral {
		return nil
	}
	if err := syncUp(".", filepath.Join(bucket, key)); err != nil {
		return err
	}
	if d.side == "" {
		return nil
	}
	attributes := filepath.Join(bucket, key, sideDir)
	entries, err := os.ReadDir(filepath.Join(d.side, attributes))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if err := syncDir(filepath.Join(d.side, attributes, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return syncUp(d.side, attributes)
}

// syncUp syncs path, which is relative to root, and every directory above it up to root.
func syncUp(root, path string) error {
	for ; ; path = filepath.Dir(path) {
		if err := syncDir(filepath.Join(root, path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if path == "." {
			return nil
		}
	}
}

const (
	// sideDir is the directory of an object's attribute files, in the library's layout.
	sideDir = "meta"
	// completing is what the library appends to the name of an upload's directory while it joins the parts.
	completing = ".inprogress"
)

// resetCompletions gives uploads whose completion the server's death cut short back their names. To the library they
// would look as if still at work, and it would answer every further completion with success.
func (d *durable) resetCompletions() error {
	uploads, err := filepath.Glob(filepath.Join("*", posix.MetaTmpMultipartDir, "*", "*"+completing))
	if err != nil {
		return err
	}
	for _, from := range uploads {
		id, _, _ := strings.Cut(filepath.Base(from), ".")
		to := filepath.Join(filepath.Dir(from), id)
		if err := os.Rename(from, to); err != nil {
			return err
		}
		if d.side == "" {
			continue
		}
		if err := os.Rename(filepath.Join(d.side, from), filepath.Join(d.side, to)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
