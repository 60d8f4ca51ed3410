package api

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"dropline/ingest"
)

// rejectsHeader is the first line of a rejects file.
func rejectsHeader() []string {
	return []string{
		"file", "table", "record", "line", "column", "header", "code", "message", "value", "importId", "offset", "length", "output",
	}
}

// firstFields is how many fields the records of a rejects file had before a file could feed several tables.
const firstFields = 12

// maxRejectRecord bounds one record of a rejects file: a path, a value and an id are at most a few kilobytes, a message of
// many faults may be longer.
const maxRejectRecord = 1 << 20

// rejectFile reads the rejects that a worker wrote, in bounded memory, from the beginning of any record. encoding/csv will
// not do: it turns the CR LF within a value into LF, and a value is shown as it was received.
type rejectFile struct {
	r      *bufio.Reader
	offset int64 // in the object, of the next byte
	fields [][]byte
	text   []byte
}

// newRejectFile reads from r, which begins at offset of the object.
func newRejectFile(r io.Reader, offset int64) *rejectFile {
	return &rejectFile{r: bufio.NewReaderSize(r, 64<<10), offset: offset}
}

// next returns the next reject; io.EOF at the end.
func (f *rejectFile) next() (ingest.Reject, error) {
	first := f.offset == 0
	if err := f.read(); err != nil {
		return ingest.Reject{}, err
	}
	if first {
		if err := f.checkHeader(); err != nil {
			return ingest.Reject{}, err
		}
		if err := f.read(); err != nil {
			return ingest.Reject{}, err
		}
	}
	return f.reject()
}

func (f *rejectFile) checkHeader() error {
	for i, name := range rejectsHeader()[:firstFields] {
		if i >= len(f.fields) || string(f.fields[i]) != name {
			return fmt.Errorf("the rejects file begins with %q", f.fields)
		}
	}
	return nil
}

func (f *rejectFile) reject() (ingest.Reject, error) {
	if len(f.fields) < firstFields {
		return ingest.Reject{}, fmt.Errorf("a record of the rejects file before byte %d has %d fields", f.offset, len(f.fields))
	}
	text := func(i int) string { return string(f.fields[i]) }
	var errs []error
	number := func(i int) int64 {
		n, err := strconv.ParseInt(text(i), 10, 64)
		errs = append(errs, err)
		return n
	}
	r := ingest.Reject{
		File: text(0), Table: text(1), Record: number(2), Line: number(3), Column: text(4), Header: text(5), Code: text(6),
		Message: text(7), Value: text(8), ImportID: text(9), Offset: number(10), Length: number(11),
	}
	if len(f.fields) > firstFields {
		r.Output = int(number(firstFields))
	}
	return r, errors.Join(errs...)
}

// read parses one record of RFC 4180: it ends at a line feed outside of quotes, with or without a carriage return before it.
func (f *rejectFile) read() error {
	f.text, f.fields = f.text[:0], f.fields[:0]
	var ends []int // of each field, in text
	quoted, begun := false, false
	for n := 0; ; n++ {
		c, err := f.r.ReadByte()
		switch {
		case errors.Is(err, io.EOF) && n == 0:
			return io.EOF
		case errors.Is(err, io.EOF):
			return io.ErrUnexpectedEOF // the last record ends in a line feed as all do
		case err != nil:
			return err
		case n == maxRejectRecord:
			return fmt.Errorf("a record of the rejects file is longer than %d bytes", maxRejectRecord)
		}
		f.offset++
		switch {
		case quoted && c == '"':
			if next, err := f.r.Peek(1); err == nil && next[0] == '"' {
				_, _ = f.r.Discard(1) // it was just peeked
				f.offset++
				f.text = append(f.text, '"')
				continue
			}
			quoted = false
		case quoted:
			f.text = append(f.text, c)
		case c == '"' && !begun:
			quoted, begun = true, true
		case c == ',':
			ends = append(ends, len(f.text))
			begun = false
		case c == '\n':
			f.finish(append(ends, len(f.text)))
			return nil
		case c == '\r' && f.atLineFeed():
		default:
			begun = true
			f.text = append(f.text, c)
		}
	}
}

func (f *rejectFile) atLineFeed() bool {
	next, err := f.r.Peek(1)
	return err == nil && next[0] == '\n'
}

func (f *rejectFile) finish(ends []int) {
	from := 0
	for _, end := range ends {
		f.fields = append(f.fields, slices.Clone(f.text[from:end]))
		from = end
	}
}
