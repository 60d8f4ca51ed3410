//go:build linux

package devstack

import (
	"os"
	"strings"

	"github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/backend/meta"
)

const (
	// partsAttribute is where the library keeps the sizes of an object's parts, which only a GET by part number asks
	// for. ext4 has room for 4 KB of attributes in all, of which metadata may take 2; the sizes of 10,000 parts take
	// more, and the upload would fail at its end.
	partsAttribute    = "mp-metadata"
	maxPartsAttribute = 512 // bytes

	// checksumsAttribute is where the library keeps an object's checksums.
	checksumsAttribute = "checksums"
)

// correctedMeta is one of the library's stores of attributes, with two faults mended.
type correctedMeta struct {
	meta.MetadataStorer
	maxParts int // bytes that the sizes of the parts may take
}

// StoreAttribute implements meta.MetadataStorer. Of an object with very many parts it does not keep their sizes.
func (m correctedMeta) StoreAttribute(f *os.File, bucket, object, attribute string, value []byte) error {
	if attribute == partsAttribute && len(value) > m.maxParts {
		full, err := backend.UnmarshalMpUploadMetadata(value, false)
		if err != nil {
			return err
		}
		if value, err = backend.MarshalMpUploadMetadata(backend.MpUploadMetadata{UploadID: full.UploadID}, false); err != nil {
			return err
		}
	}
	return m.MetadataStorer.StoreAttribute(f, bucket, object, attribute, value)
}

// RetrieveAttribute implements meta.MetadataStorer. When a part is copied from a range of an object, the library would
// give the part the checksum of the whole object; it asks for that in a way of its own, a path in place of the bucket,
// and computes the part's when there is none.
func (m correctedMeta) RetrieveAttribute(f *os.File, bucket, object, attribute string) ([]byte, error) {
	if attribute == checksumsAttribute && object == "" && f == nil && strings.Contains(bucket, "/") {
		return nil, meta.ErrNoSuchKey
	}
	return m.MetadataStorer.RetrieveAttribute(f, bucket, object, attribute)
}
