package mapping

import (
	"bytes"
	"io"

	"dropline/ingest"
)

// more reads on. It returns false at the end of the source, after its error, and when the record has reached the limit.
func (s *scanner) more() bool {
	if s.eof || s.err != nil || s.full {
		return false
	}
	if s.end-s.start >= s.limit+bufferSlack { // what follows the longest record must be seen to know that it ends
		s.full = true
		return false
	}
	if len(s.buf)-s.end < bufferSlack {
		s.makeRoom()
	}
	for range emptyReads {
		n, err := s.source.Read(s.buf[s.end:])
		s.end += n
		switch {
		case err == io.EOF:
			s.eof = true
		case err != nil:
			s.err = err
			return false
		}
		if n > 0 || s.eof {
			return n > 0
		}
	}
	s.err = io.ErrNoProgress
	return false
}

// makeRoom moves the record to the front of the buffer, and enlarges the buffer if that was not enough.
func (s *scanner) makeRoom() {
	held := s.buf[s.start:s.end]
	target := s.buf
	if len(held) > len(s.buf)/2 {
		target = make([]byte, min(2*len(s.buf), s.limit+2*bufferSlack))
	}
	s.end = copy(target, held)
	s.start, s.buf = 0, target
}

// skipBlankLines goes to the first byte of a record, if there is one.
func (s *scanner) skipBlankLines() bool {
	for {
		if s.start == s.end && !s.more() {
			return false
		}
		if c := s.buf[s.start]; c != '\n' && c != '\r' {
			return true
		}
		n, isEnd := s.lineEnd(0)
		if !isEnd {
			return true
		}
		s.pass(n, s.sourceSize(s.buf[s.start:s.start+n]))
		s.line++
	}
}

// skipLine leaves the rest of a line behind, however long.
func (s *scanner) skipLine() {
	for s.start < s.end || s.more() {
		i, n := s.findLineEnd(0)
		s.pass(i+n, s.sourceSize(s.buf[s.start:s.start+i+n]))
		if n > 0 {
			s.line++
			return
		}
	}
}

// findLineEnd returns the place and length of the first line end from i on; a length of 0 means that the buffer ends
// before it.
func (s *scanner) findLineEnd(i int) (int, int) {
	for {
		b := s.buf[s.start:s.end]
		j := bytes.IndexByte(b[i:], '\n')
		if s.ends != lineEndsLF {
			j = bytes.IndexAny(b[i:], "\r\n")
		}
		if j < 0 {
			return len(b), 0
		}
		i += j
		if s.ends == lineEndsLF {
			if i > 0 && b[i-1] == '\r' {
				return i - 1, 2
			}
			return i, 1
		}
		if n, isEnd := s.lineEnd(i); isEnd {
			return i, n
		}
		i++
	}
}

// countLines counts the line ends in the text of a quoted field.
func (s *scanner) countLines(b []byte) int64 {
	n := bytes.Count(b, []byte{'\n'})
	if s.ends == lineEndsCR {
		n += bytes.Count(b, []byte{'\r'}) - bytes.Count(b, []byte("\r\n"))
	}
	return int64(n)
}

// misplaced refuses a record for what follows the closing quote at i of the field that opens at open. Where the field runs
// over several lines it was most likely opened by a stray quote, and the quote found belongs to a later record: only the
// line with the opening quote is refused, and the others are read again as records of their own.
func (s *scanner) misplaced(open, i int) outcome {
	if end, n := s.findLineEnd(open); n > 0 && end < i {
		return s.refuseLine(open, scannedUnclosed)
	}
	return s.refuseLine(i, scannedQuote)
}

// unclosed refuses a record for the quote at open, which nothing closes within the limit or the file. A record that
// reaches the limit without a line end is one that is too long.
func (s *scanner) unclosed(open int) outcome {
	if s.full {
		if _, n := s.findLineEnd(open); n == 0 || s.exact {
			return s.tooLong()
		}
	}
	return s.refuseLine(open, scannedUnclosed)
}

// refuseLine ends the record with the first line end from i on.
func (s *scanner) refuseLine(i int, o outcome) outcome {
	for {
		end, n := s.findLineEnd(i)
		if n > 0 || !s.more() {
			if s.full && n == 0 {
				s.tooLong()
				return o
			}
			b := s.buf[s.start : s.start+end+n]
			s.count, s.lines = 0, s.countLines(b)
			if s.ends == lineEndsUnknown {
				s.lines = 0
			}
			s.length = len(b)
			s.size = s.sourceSize(b)
			return o
		}
		i = end
	}
}

// tooLong skips a record that has reached the limit up to its next line end, in bounded memory.
func (s *scanner) tooLong() outcome {
	b := s.buf[s.start:s.end]
	s.head = append(s.head[:0], b[:min(len(b), 2*ingest.MaxRejectValue)]...)
	s.count = 0
	offset, line := s.offset, s.line
	s.full = false
	if s.exact {
		s.skipRecord()
	} else {
		if i, n := s.findLineEnd(0); n > 0 && i < len(b) {
			// A record of several lines, all of them within quotes: it goes on after what is buffered.
			s.line += s.countLines(b)
			s.pass(len(b), s.sourceSize(b))
		}
		s.skipLine()
	}
	s.size, s.lines = s.offset-offset, s.line-line
	s.offset, s.line = offset, line
	s.length = 0
	return scannedTooLong
}

// skipRecord leaves the present record behind: up to the first line end outside of quotes.
func (s *scanner) skipRecord() {
	within := false
	for s.start < s.end || s.more() {
		b := s.buf[s.start:s.end]
		for i, c := range b {
			switch {
			case c == s.quote:
				within = !within
			case c != '\n':
			case within:
				s.line++
			default:
				s.line++
				s.pass(i+1, s.sourceSize(b[:i+1]))
				return
			}
		}
		s.pass(len(b), s.sourceSize(b))
	}
}

// sourceSize is the length in the file of text in the buffer.
func (s *scanner) sourceSize(b []byte) int64 {
	if s.sizeOf == nil {
		return int64(len(b))
	}
	return s.sizeOf(b)
}
