package push

import (
	"io"
	"time"

	"dropline/ingest"
)

// RelationName is relationName.
var RelationName = relationName

// FileName is fileName.
var FileName = fileName

// NameFits is nameFits.
var NameFits = nameFits

// Compress compresses what write writes to a compressor.
func Compress(out io.Writer, quiet time.Duration, write func(w io.Writer) error) error {
	c, err := newCompressor(out, quiet)
	if err != nil {
		return err
	}
	if err := write(c); err != nil {
		c.giveUp()
		return err
	}
	return c.end()
}

// LockState locks and reads a state as a run does, until the returned function is called.
func LockState(path string) (func(), error) {
	s, err := openStore(path)
	if err != nil {
		return nil, err
	}
	if _, err := s.read(); err != nil {
		s.close()
		return nil, err
	}
	return s.close, nil
}

// Planned is a relation of that name and table.
func Planned(table, name string) *ingest.PlannedRelation {
	return &ingest.PlannedRelation{Name: name, Table: table}
}
