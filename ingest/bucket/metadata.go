package bucket

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"dropline/ingest"
)

const (
	// metaPrefix is where the metadata of multipart objects is kept; List does not show it.
	metaPrefix = "meta/"
	// numberKey is the metadata that a multipart object has from its beginning: the number that names its own.
	numberKey = "dropline-number"
	// maxMetadata bounds what is read back as metadata: S3's own limit is 2 KiB.
	maxMetadata = 64 << 10
)

func isOurs(key string) bool { return strings.HasPrefix(key, metaPrefix) }

// metadata is what was given to Commit for the object that has stored as its S3 metadata.
func (b *Bucket) metadata(ctx context.Context, stored map[string]string) (map[string]string, error) {
	number := stored[numberKey]
	if number == "" {
		if len(stored) == 0 {
			return nil, nil
		}
		return stored, nil
	}
	key := metaPrefix + number
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.cfg.Name, Key: &key})
	if isMissing(err) {
		return nil, nil // it was committed with none
	} else if err != nil {
		return nil, err
	}
	defer func() { _ = out.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(out.Body, maxMetadata))
	if err != nil {
		return nil, err
	}
	var m map[string]string
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, ingest.E(ingest.Internal, "bucket.metadata", fmt.Errorf("%s: %w", key, err))
	}
	return m, nil
}

// putMetadata stores the metadata of the object with that number, which is about to be completed.
func (b *Bucket) putMetadata(ctx context.Context, number string, m map[string]string) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	key := metaPrefix + number
	_, err = b.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &b.cfg.Name, Key: &key, Body: bytes.NewReader(raw)})
	return err
}
