// Package bucket owns the S3 bucket: it implements ingest.Bucket through aws-sdk-go-v2, for Amazon's S3 and for servers
// that speak its protocol.
//
// Uploads are streamed from bounded memory without temporary files. What fits in one part is one PutObject; anything
// longer is a multipart upload whose parts grow with the object (see partSize), sent a few at a time. All uploads
// together hold at most Config.Memory; over it they wait for each other rather than grow (see budget for clients that idle).
//
// Metadata comes when an object is committed, but S3 takes a multipart upload's at its beginning. A multipart object
// therefore carries only a number of its own from the beginning, and its metadata is a small object under metaPrefix
// named by that number and stored just before the upload is completed: one request then makes both visible.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"

	"dropline/ingest"
)

// Config says which bucket and how to use it.
type Config struct {
	// Name is the bucket's name; the bucket exists. Required.
	Name string
	// Region is its region. Default "us-east-1", which most servers other than Amazon's expect.
	Region string
	// Credentials sign the requests. Required.
	Credentials aws.CredentialsProvider
	// Endpoint is the server's URL. Empty is Amazon's for the region.
	Endpoint string
	// HostStyle puts the bucket's name into the host name even with an Endpoint, as Amazon does. By default an
	// Endpoint gets path-style addresses, which every other server understands.
	HostStyle bool
	// NoChecksums leaves out the CRC-32 of each request, for servers that do not know it. The bytes are then as safe
	// as the connection.
	NoChecksums bool
	// FixedPartSize, in bytes, makes all parts but the last equal, for servers that insist on it (R2). An object can
	// then have 10,000 times as many bytes, and no more. 0 lets parts grow.
	FixedPartSize int64
	// Parallel is how many parts of one upload are on their way at once. Default DefaultParallel.
	Parallel int
	// Memory bounds the bytes that all uploads together hold. Default DefaultMemory.
	Memory int64
	// Proxy chooses a proxy for a request, as in http.Transport. Nil is none.
	Proxy func(*http.Request) (*url.URL, error)
	// Logger hears of what could not be cleaned up. Nil is silence.
	Logger *slog.Logger
}

const (
	// DefaultParallel hides a request's latency behind three others; measured, more gains nothing.
	DefaultParallel = 4
	// DefaultMemory is 64 parts of the first size: a dozen uploads at full speed.
	DefaultMemory = 512 << 20
	// minMemory lets one upload fill a part of the first size while another is on its way.
	minMemory = 2 * firstPartSize

	// maxAttempts and maxBackoff bound the retries of one request to a few seconds, so that a client of ours hears of
	// an outage before it gives up by itself.
	maxAttempts = 6
	maxBackoff  = 2 * time.Second
	// dialTimeout is for a server that does not answer at all.
	dialTimeout = 5 * time.Second
	// idleConnections are kept open to the server: a few per worker and session.
	idleConnections = 64
	// socketBuffer makes for few system calls per part.
	socketBuffer = 128 << 10
	// smallTimeout bounds requests that carry no body, with their retries.
	smallTimeout = 60 * time.Second
	// slowest is the throughput in bytes per second below which sending a part counts as an outage.
	slowest = 64 << 10
	// completeTimeout bounds a completion: servers that keep files copy the whole object together before they answer.
	completeTimeout = 2 * time.Hour
	// healthTimeout bounds Healthy: whoever asks wants to know now.
	healthTimeout = 5 * time.Second
)

func (c *Config) validate() error {
	const op = "bucket.New"
	switch {
	case c.Name == "":
		return ingest.Errorf(ingest.Invalid, op, "no bucket name given")
	case c.Credentials == nil:
		return ingest.WithHint(ingest.Errorf(ingest.Invalid, op, "no S3 credentials given"), "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	case c.FixedPartSize != 0 && (c.FixedPartSize < minPart || c.FixedPartSize > maxPart):
		return ingest.Errorf(ingest.Invalid, op, "the fixed part size is %d bytes, but S3's parts are of 5 MiB to 5 GiB", c.FixedPartSize)
	case c.Parallel < 0 || c.Memory < 0:
		return ingest.Errorf(ingest.Invalid, op, "a limit is negative")
	}
	if c.Endpoint != "" {
		u, err := url.Parse(c.Endpoint)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return ingest.WithHint(ingest.Errorf(ingest.Invalid, op, "the S3 endpoint %q is not a URL", c.Endpoint),
				"it looks like https://s3.example.com")
		}
	}
	if c.Region == "" {
		c.Region = "us-east-1"
	}
	if c.Parallel == 0 {
		c.Parallel = DefaultParallel
	}
	if c.Memory == 0 {
		c.Memory = DefaultMemory
	}
	c.Memory = max(c.Memory, minMemory, 2*c.FixedPartSize)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Bucket implements ingest.Bucket.
type Bucket struct {
	cfg    Config
	client *s3.Client
	memory *budget

	mu   sync.Mutex
	live map[string]bool // ids of the multipart uploads at work here, which AbortStale leaves alone
}

var _ ingest.Bucket = (*Bucket)(nil)

// New returns a Bucket. It sends no request: see Healthy.
func New(cfg Config) (*Bucket, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	options := s3.Options{
		Region: cfg.Region, Credentials: cfg.Credentials, UsePathStyle: cfg.Endpoint != "" && !cfg.HostStyle,
		HTTPClient: &http.Client{Transport: transport(cfg.Proxy)},
		// Waiting for the server's leave to send costs a round trip for each part.
		ContinueHeaderThresholdBytes: -1,
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff = maxAttempts, maxBackoff
			// The SDK's budget of retries, once used up by an outage, would fail requests long after it.
			o.RateLimiter = ratelimit.None
		}),
		DisableLogOutputChecksumValidationSkipped: true,
	}
	if cfg.Endpoint != "" {
		options.BaseEndpoint = &cfg.Endpoint
	}
	// Bodies carry a CRC-32 of ours; the SDK's own would be computed on top of it.
	options.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	options.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenSupported
	if cfg.NoChecksums {
		options.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	}
	return &Bucket{cfg: cfg, client: s3.New(options), memory: newBudget(cfg.Memory), live: make(map[string]bool)}, nil
}

func transport(proxy func(*http.Request) (*url.URL, error)) *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}
	return &http.Transport{
		Proxy: proxy, DialContext: dialer.DialContext, TLSHandshakeTimeout: 2 * dialTimeout,
		MaxIdleConns: 2 * idleConnections, MaxIdleConnsPerHost: idleConnections, IdleConnTimeout: 60 * time.Second,
		WriteBufferSize: socketBuffer, ReadBufferSize: socketBuffer, DisableCompression: true,
	}
}

// bodyOptions are for requests with a body. Its CRC-32 guards it; hashing it once more for the signature would cost as
// much as everything else we do with it. Over plain HTTP to another machine the signature is all there is against
// tampering, so there it stays.
func (b *Bucket) bodyOptions(o *s3.Options) {
	u, err := url.Parse(b.cfg.Endpoint)
	if err == nil && u.Scheme == "http" && !isLoopback(u.Hostname()) {
		return
	}
	o.APIOptions = append(o.APIOptions, v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Stat implements ingest.Bucket.
func (b *Bucket) Stat(ctx context.Context, key string) (ingest.Object, error) {
	const op = "bucket.Stat"
	ctx, cancel := context.WithTimeout(ctx, smallTimeout)
	defer cancel()
	o, stored, err := b.head(ctx, key)
	if err != nil {
		return ingest.Object{}, translate(op, key, err)
	}
	o.Metadata, err = b.metadata(ctx, stored)
	return o, translate(op, key, err)
}

// head returns the object without its metadata, and what is stored as such.
func (b *Bucket) head(ctx context.Context, key string) (ingest.Object, map[string]string, error) {
	out, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.cfg.Name, Key: &key})
	if err != nil {
		return ingest.Object{}, nil, err
	}
	return ingest.Object{
		Key: key, Size: aws.ToInt64(out.ContentLength), ETag: aws.ToString(out.ETag), ModTime: aws.ToTime(out.LastModified),
	}, out.Metadata, nil
}

// Delete implements ingest.Bucket. The object goes first: metadata without it is never looked at.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	const op = "bucket.Delete"
	ctx, cancel := context.WithTimeout(ctx, smallTimeout)
	defer cancel()
	_, stored, err := b.head(ctx, key)
	if isMissing(err) {
		return nil
	} else if err != nil {
		return translate(op, key, err)
	}
	_, err = b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.cfg.Name, Key: &key})
	if err == nil && stored[numberKey] != "" {
		_, err = b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.cfg.Name, Key: aws.String(metaPrefix + stored[numberKey])})
	}
	if isMissing(err) {
		return nil
	}
	return translate(op, key, err)
}

// List implements ingest.Bucket.
func (b *Bucket) List(ctx context.Context, prefix, after string, yield func(ingest.Object) bool) error {
	in := &s3.ListObjectsV2Input{Bucket: &b.cfg.Name, Prefix: &prefix}
	if after != "" {
		in.StartAfter = &after
	}
	for {
		page, err := b.listPage(ctx, in)
		if err != nil {
			return translate("bucket.List", prefix, err)
		}
		for _, o := range page.Contents {
			key := aws.ToString(o.Key)
			if isOurs(key) {
				continue
			}
			if !yield(ingest.Object{Key: key, Size: aws.ToInt64(o.Size), ETag: aws.ToString(o.ETag), ModTime: aws.ToTime(o.LastModified)}) {
				return nil
			}
		}
		if !aws.ToBool(page.IsTruncated) || aws.ToString(page.NextContinuationToken) == "" {
			return nil
		}
		in.ContinuationToken = page.NextContinuationToken
	}
}

func (b *Bucket) listPage(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	ctx, cancel := context.WithTimeout(ctx, smallTimeout)
	defer cancel()
	return b.client.ListObjectsV2(ctx, in)
}

// Healthy implements ingest.Bucket.
func (b *Bucket) Healthy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	_, err := b.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &b.cfg.Name})
	if isMissing(err) {
		return ingest.WithHint(ingest.Errorf(ingest.Unavailable, "bucket.Healthy", "the bucket %q does not exist", b.cfg.Name),
			"create it, or name another")
	}
	return translate("bucket.Healthy", b.cfg.Name, err)
}

// AbortStale implements ingest.Bucket. It looks at the uploads under the prefixes that only Dropline writes to, and spares
// those of this process, however old.
func (b *Bucket) AbortStale(ctx context.Context, before time.Time) error {
	var errs []error
	for _, prefix := range []string{ingest.DropPrefix, ingest.ReportPrefix} {
		errs = append(errs, b.abortStale(ctx, prefix, before))
	}
	return translate("bucket.AbortStale", "", errors.Join(errs...))
}

func (b *Bucket) abortStale(ctx context.Context, prefix string, before time.Time) error {
	in := &s3.ListMultipartUploadsInput{Bucket: &b.cfg.Name, Prefix: &prefix}
	for {
		page, err := b.client.ListMultipartUploads(ctx, in)
		if codeOf(err) == "NotImplemented" {
			return nil // what the server cannot list, its own rules must clear
		}
		if err != nil {
			return fmt.Errorf("listing unfinished uploads: %w", err)
		}
		for _, u := range page.Uploads {
			if !aws.ToTime(u.Initiated).Before(before) || b.isLive(aws.ToString(u.UploadId)) {
				continue
			}
			_, err := b.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &b.cfg.Name, Key: u.Key, UploadId: u.UploadId})
			if err != nil && !isMissing(err) {
				return fmt.Errorf("ending the upload of %s: %w", aws.ToString(u.Key), err)
			}
		}
		if !aws.ToBool(page.IsTruncated) {
			return nil
		}
		in.KeyMarker, in.UploadIdMarker = page.NextKeyMarker, page.NextUploadIdMarker
	}
}

// MemoryInUse is what the uploads hold now and what they held at most, in bytes.
func (b *Bucket) MemoryInUse() (now, peak int64) { return b.memory.use() }

func (b *Bucket) setLive(upload string, alive bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if alive {
		b.live[upload] = true
	} else {
		delete(b.live, upload)
	}
}

func (b *Bucket) isLive(upload string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.live[upload]
}

// serverTime is when the server answered, for what S3 dates without saying so.
func serverTime(m middleware.Metadata) time.Time {
	t, _ := awsmiddleware.GetServerTime(m)
	return t.UTC()
}
