package api

import (
	"io"

	"dropline/ingest"
)

// ReadRejects reads a rejects file from an offset to its end, for the fuzz test. It returns where each reject ended.
func ReadRejects(r io.Reader, offset int64) (rejects []ingest.Reject, ends []int64, err error) {
	file := newRejectFile(r, offset)
	for {
		reject, err := file.next()
		if err != nil {
			return rejects, ends, err
		}
		rejects, ends = append(rejects, reject), append(ends, file.offset)
	}
}
