package unpack

import (
	"errors"
	"os"

	"dropline/ingest"
)

// spool is a private file on disk without a name: it is gone with the process, whatever ends it.
type spool struct {
	f     *os.File
	size  int64
	named bool // it could not be removed while it is open
}

func newSpool(dir string) (*spool, error) {
	f, err := os.CreateTemp(dir, "dropline-*")
	if err != nil {
		return nil, ingest.E(ingest.Exhausted, "unpack.spool", err)
	}
	return &spool{f: f, named: os.Remove(f.Name()) != nil}, nil
}

// Write implements io.Writer.
func (s *spool) Write(p []byte) (int, error) {
	if s.size+int64(len(p)) > MaxSpool {
		return 0, refused("the file becomes larger than %d MB when it is unpacked, which is the most for one that must be read from disk: send it in several",
			MaxSpool>>20)
	}
	n, err := s.f.Write(p)
	s.size += int64(n)
	if err != nil {
		return n, ingest.E(ingest.Exhausted, "unpack.spool", err)
	}
	return n, nil
}

// ReadAt implements io.ReaderAt.
func (s *spool) ReadAt(p []byte, off int64) (int, error) { return s.f.ReadAt(p, off) }

func (s *spool) failed() error { return nil }

// Close implements io.Closer.
func (s *spool) Close() error {
	err := s.f.Close()
	if s.named {
		return errors.Join(err, os.Remove(s.f.Name()))
	}
	return err
}
