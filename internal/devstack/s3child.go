//go:build linux

package devstack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/s3api"
	"github.com/versity/versitygw/s3api/middlewares"
	"golang.org/x/sys/unix"
)

const (
	s3ServerHeader = "VERSITYGW"
	// s3Connections and s3Requests bound what is served at once: a few for each of 200 sessions and workers.
	s3Connections = 4096
	s3Requests    = 2048
	// s3MaxParts and s3MaxCopy are Amazon's own limits: 10,000 parts, and 5 GiB for one copy. Left at zero, the
	// library refuses every copy.
	s3MaxParts = 10_000
	s3MaxCopy  = 5 << 30
	// s3Threads bounds concurrent file system calls, each of which may hold a thread.
	s3Threads = 256
	// s3IOBuffer is held by each request that moves a body.
	s3IOBuffer = 256 << 10
	// bucketTimeout bounds the making of the bucket at start: a handful of file system calls.
	bucketTimeout = 30 * time.Second
)

// RunChild becomes the S3 server, and does not return before it ends, when the program was started as that child; it
// then returns true and main must return. In any other program it returns false at once. Call it first in main: it has
// to come before anything that reads arguments or prints. It is a process of its own because the library changes the
// working directory and keeps its settings in globals.
func RunChild() (handled bool) {
	if len(os.Args) < 2 || os.Args[len(os.Args)-1] != s3ChildArg {
		return false
	}
	var order s3Order
	err := json.NewDecoder(os.Stdin).Decode(&order)
	if err == nil {
		err = serveS3(order)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

func serveS3(order s3Order) error {
	syscall.Umask(0o077)
	store, err := chooseMeta(order)
	if err != nil {
		return err
	}
	opts := posix.PosixOpts{
		CopyObjectThreshold: s3MaxCopy, Concurrency: s3Threads, IOBufferSize: s3IOBuffer,
		// One process owns the directory, so its own locks suffice for conditional writes.
		ForceNoObjLockFile: true,
		// ETags from the checksum that is computed anyway: MD5 would cost two CPU seconds per GiB.
		DataIntegrityEtag: true,
		// Joining parts by read and write is four times as fast as by the kernel's copy_file_range where that cannot
		// share blocks (measured on ext4: 0.5 against 1.9 CPU seconds per GiB). A copying function of ours is no way
		// out: the library overlooks its failure and stores a truncated object.
		ForceNoCopyFileRange: true,
	}
	opts.SetNewDirPerm(0o700)
	opts.SetNewFilePerm(0o600)
	inner, err := posix.New(order.Buckets, store, opts)
	if err != nil {
		return err
	}
	be := &durable{Posix: inner, ephemeral: order.Ephemeral}
	if store.maxParts == math.MaxInt {
		be.side = order.Meta
	}
	if err := errors.Join(be.resetCompletions(), makeBucket(be, order)); err != nil {
		return err
	}
	root := auth.Account{Access: order.AccessKey, Secret: order.SecretKey, Role: auth.RoleAdmin}
	server, err := s3api.New(be, middlewares.RootUserConfig{Access: root.Access, Secret: root.Secret}, s3Region,
		auth.NewIAMServiceSingle(root), nil, nil, nil, nil,
		s3api.WithConcurrencyLimiter(s3Connections, s3Requests), s3api.WithMpMaxParts(s3MaxParts), s3api.WithQuiet(),
		s3api.WithHealth(s3HealthPath), s3api.WithKeepAlive(), s3api.WithDisableACL())
	if err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	served := make(chan error, 1)
	go func() { served <- server.ServeMultiPort([]string{fmt.Sprintf("127.0.0.1:%d", order.Port)}) }()
	select {
	case err = <-served:
	case <-stop:
		err = server.ShutDown()
	}
	be.Shutdown()
	return err
}

// makeBucket makes the stack's bucket unless it exists, and completes one that an earlier start left half made.
func makeBucket(be *durable, order s3Order) error {
	ctx, cancel := context.WithTimeout(context.Background(), bucketTimeout)
	defer cancel()
	acl, err := json.Marshal(auth.ACL{Owner: order.AccessKey})
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(order.Buckets, order.Bucket)); errors.Is(err, fs.ErrNotExist) {
		return be.CreateBucket(ctx, &s3.CreateBucketInput{
			Bucket: &order.Bucket, CreateBucketConfiguration: &types.CreateBucketConfiguration{},
			ObjectOwnership: types.ObjectOwnershipBucketOwnerEnforced,
		}, acl)
	} else if err != nil {
		return err
	}
	if kept, err := be.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: &order.Bucket}); err == nil && len(kept) > 0 {
		return nil
	}
	return be.PutBucketAcl(ctx, order.Bucket, acl)
}

// chooseMeta keeps objects' attributes with the objects where the file system can, else in files of their own.
func chooseMeta(order s3Order) (correctedMeta, error) {
	const probe = "user.dropline-probe"
	if err := unix.Setxattr(order.Buckets, probe, []byte("1"), 0); err == nil {
		return correctedMeta{meta.XattrMeta{}, maxPartsAttribute}, unix.Removexattr(order.Buckets, probe)
	} else if !errors.Is(err, unix.ENOTSUP) && !errors.Is(err, unix.EPERM) {
		return correctedMeta{}, fmt.Errorf("trying extended attributes on %s: %w", order.Buckets, err)
	}
	side, err := meta.NewSideCar(order.Meta)
	return correctedMeta{side, math.MaxInt}, err
}
