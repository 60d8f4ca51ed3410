package mapping

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/bits"
)

// outcome says how the scanner's search for the next record ended.
type outcome uint8

const (
	scannedRecord   outcome = iota // fields holds the record
	scannedEnd                     // no more records, or an error of the source
	scannedQuote                   // a quote in the wrong place: the record is the line with it
	scannedUnclosed                // a quote is never closed: the record is the line where it opens
	scannedTooLong                 // longer than the limit: skipped up to its line end
)

// lineEnds is what ends a line of the file. The first line end decides, so that a stray carriage return in a file of line
// feeds is text, and a file of an old Macintosh is still read.
type lineEnds uint8

const (
	lineEndsUnknown lineEnds = iota
	lineEndsLF               // "\n" and "\r\n"
	lineEndsCR               // "\r" as well
)

// span is one field of the present record.
type span struct {
	start, end int32 // of the text within the record, enclosing quotes excluded
	quoted     bool
	doubled    bool // the text has doubled quotes
	resolved   bool // the text's escapes are resolved
}

const (
	firstBuffer = 256 << 10 // large enough that moving a record's beginning to the front costs nothing
	bufferSlack = 8         // bytes beyond the limit that are read; as many again are room for a transcoding source
	emptyReads  = 100       // reads in a row that may return nothing before the source is taken for broken
)

// scanner finds the records and fields of RFC 4180 text in one pass over the bytes and without allocating. It copies
// nothing: fields are positions in its buffer, valid until the next record.
type scanner struct {
	source     io.Reader
	sizeOf     func([]byte) int64 // of text in the file, where the source decodes it from another encoding; nil: as in the buffer
	exact      bool               // every quote is where it belongs: a record ends where they say, however long it is
	buf        []byte
	start, end int  // the present record begins at start; what was read ends at end
	eof, full  bool // the source has ended; the record reached the limit
	err        error

	delimiter, quote byte // quote is '\n' where nothing quotes
	limit            int  // bytes of a record
	ends             lineEnds
	delimiters       uint64 // the delimiter eight times over, to compare eight bytes at once
	quotes           uint64

	fields  []span // the first keep fields of the record
	count   int    // of all fields
	surplus bool   // a field beyond keep has content
	length  int    // of the record in the buffer, its line end included
	size    int64  // of the record in the file
	offset  int64  // of the record in the file
	line    int64  // where the record begins
	lines   int64  // line ends within the record
	head    []byte // the beginning of a record that was too long
}

func newScanner(source io.Reader, delimiter, quote byte, limit, keep int) *scanner {
	return &scanner{
		source: source, delimiter: delimiter, quote: quote, limit: limit, fields: make([]span, keep), line: 1,
		delimiters: uint64(delimiter) * everyByte, quotes: uint64(quote) * everyByte,
		buf: make([]byte, min(firstBuffer, limit+2*bufferSlack)),
	}
}

// next goes to the next record.
func (s *scanner) next() outcome {
	s.pass(s.length, s.size)
	s.line += s.lines
	s.length, s.size, s.lines, s.count, s.surplus, s.full = 0, 0, 0, 0, false, false
	s.head = s.head[:0]
	if !s.skipBlankLines() {
		return scannedEnd
	}
	o := s.record()
	if s.err != nil {
		return scannedEnd // what could not be read to its end is no record
	}
	return o
}

// pass leaves bytes behind, which makes room for more.
func (s *scanner) pass(length int, size int64) {
	s.full = false
	s.start += length
	s.offset += size
}

// bytes is the present record as it lies in the buffer, its line end included.
func (s *scanner) bytes() []byte { return s.buf[s.start : s.start+s.length] }

const (
	everyByte = 0x0101010101010101
	highBits  = 0x8080808080808080
	newlines  = '\n' * everyByte
	returns   = '\r' * everyByte
)

// special returns the index in b, from i on, of the first byte that ends or may end a field, or len(b).
func (s *scanner) special(b []byte, i int) int {
	delimiters, quotes := s.delimiters, s.quotes
	for ; i+8 <= len(b); i += 8 {
		v := binary.LittleEndian.Uint64(b[i:])
		d, q, n, r := v^delimiters, v^quotes, v^newlines, v^returns
		// A byte that is zero in one of the four sets its high bit; a borrow may set others, but only above it.
		m := ((d-everyByte)&^d | (q-everyByte)&^q | (n-everyByte)&^n | (r-everyByte)&^r) & highBits
		if m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c == s.delimiter || c == s.quote || c == '\n' || c == '\r' {
			return i
		}
	}
	return i
}

// record scans the record at start.
func (s *scanner) record() outcome {
	b := s.buf[s.start:s.end]
	field, i := 0, 0
	for {
		i = s.special(b, i)
		if i == len(b) {
			if s.more() {
				b = s.buf[s.start:s.end]
				continue
			}
			if s.full {
				return s.tooLong()
			}
			s.add(b, field, i, false, false)
			return s.finish(i, 0)
		}
		switch c := b[i]; {
		case c == s.delimiter:
			if n := s.count; n < len(s.fields) { // add's usual case, here once for each field of the file
				s.fields[n] = span{start: int32(field), end: int32(i)}
				s.count++
			} else {
				s.add(b, field, i, false, false)
			}
			i++
			field = i
		case c == '\n' || c == '\r':
			n, isEnd := s.lineEnd(i)
			b = s.buf[s.start:s.end]
			if s.full {
				return s.tooLong()
			}
			if isEnd {
				s.add(b, field, i, false, false)
				return s.finish(i+n, 1)
			}
			i += n
		case !blank(b[field:i], s.delimiter):
			return s.refuseLine(i, scannedQuote) // a quote within unquoted text
		default:
			next, o := s.quoted(i)
			if next < 0 {
				return o
			}
			b = s.buf[s.start:s.end]
			i, field = next, next
		}
	}
}

// quoted scans a quoted field, whose opening quote is at open. It returns where the next field begins, or -1 where the
// record ended or was refused.
func (s *scanner) quoted(open int) (int, outcome) {
	b := s.buf[s.start:s.end]
	i, doubled := open+1, false
	for {
		j := bytes.IndexByte(b[i:], s.quote)
		if j < 0 {
			i = len(b)
			if !s.more() {
				return -1, s.unclosed(open)
			}
			b = s.buf[s.start:s.end]
			continue
		}
		i += j
		if i+1 == len(b) && s.more() {
			b = s.buf[s.start:s.end]
		}
		if i+1 == len(b) || b[i+1] != s.quote {
			break
		}
		i += 2
		doubled = true
	}
	closing := i
	s.lines += s.countLines(b[open:closing])
	for i++; ; i++ {
		if i == len(b) {
			if s.more() {
				b = s.buf[s.start:s.end]
			} else if s.full {
				return -1, s.tooLong()
			} else {
				s.add(b, open+1, closing, true, doubled)
				return -1, s.finish(i, 0)
			}
		}
		switch c := b[i]; {
		case c == s.delimiter:
			s.add(b, open+1, closing, true, doubled)
			return i + 1, scannedRecord
		case c == '\n' || c == '\r':
			n, isEnd := s.lineEnd(i)
			if s.full {
				return -1, s.tooLong()
			}
			if !isEnd {
				return -1, s.misplaced(open, i)
			}
			s.add(s.buf[s.start:s.end], open+1, closing, true, doubled)
			return -1, s.finish(i+n, 1)
		case c != ' ' && c != '\t':
			return -1, s.misplaced(open, i)
		}
	}
}

// lineEnd looks at the carriage return or line feed at i. It returns its length, and whether it ends a line.
func (s *scanner) lineEnd(i int) (int, bool) {
	if s.buf[s.start+i] == '\n' {
		s.decideEnds(lineEndsLF, i)
		return 1, true
	}
	if s.start+i+1 == s.end {
		s.more()
	}
	if s.start+i+1 < s.end && s.buf[s.start+i+1] == '\n' {
		s.decideEnds(lineEndsLF, i)
		return 2, true
	}
	s.decideEnds(lineEndsCR, i)
	return 1, s.ends == lineEndsCR
}

// decideEnds takes the line end at i for what ends the file's lines, if it is the first. Those within the quotes before it are
// counted only now.
func (s *scanner) decideEnds(e lineEnds, i int) {
	if s.ends == lineEndsUnknown {
		s.ends = e
		s.lines = s.countLines(s.buf[s.start : s.start+i])
	}
}

// add takes in a field.
func (s *scanner) add(b []byte, start, end int, quoted, doubled bool) {
	s.count++
	if s.count <= len(s.fields) {
		s.fields[s.count-1] = span{start: int32(start), end: int32(end), quoted: quoted, doubled: doubled}
		return
	}
	s.surplus = s.surplus || len(trimSpace(b[start:end])) > 0
}

// finish ends a record after length bytes, of which the last are its line end, if any.
func (s *scanner) finish(length int, lines int64) outcome {
	s.length = length
	s.lines += lines
	s.size = s.sourceSize(s.bytes())
	if length > s.limit { // and yet fits in the buffer
		s.head = append(s.head[:0], s.bytes()...)
		s.count = 0
		return scannedTooLong
	}
	return scannedRecord
}

// blank reports whether nothing but spaces precedes an opening quote, or the byte order mark that a concatenated file has
// where its parts meet.
func blank(b []byte, delimiter byte) bool {
	for _, c := range bytes.TrimPrefix(b, []byte("\uFEFF")) {
		if c != ' ' && (c != '\t' || delimiter == '\t') {
			return false
		}
	}
	return true
}
