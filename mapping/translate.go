package mapping

import (
	"bytes"
	"io"
)

// Characters that stand in translated text for what the scanner has no eyes for. Hardly any file has them, and hardly any that does
// has delimiters of several characters.
const (
	unitSeparator   = 0x1F // the delimiter
	escapedLineFeed = 0x1E // a line feed that is escaped outside of quotes
	escapedReturn   = 0x1D // a carriage return likewise
)

// translator rewrites text with delimiters of several bytes, or with escaped characters, such that the scanner can split it: each
// delimiter becomes unitSeparator with spaces before it, which values lose; an escaped quote becomes a doubled one; other escapes stay
// and are resolved in the fields that have them. The text keeps its length, so that places in it are places in the file.
type translator struct {
	source    io.Reader
	delimiter []byte
	quote     byte
	escape    byte
	within    bool   // quotes
	began     bool   // the field has begun: a quote now is text
	held      []byte // read and not yet translated: what a delimiter or an escape may begin
	err       error
	buf       [32 << 10]byte
}

// Read implements io.Reader.
func (t *translator) Read(p []byte) (int, error) {
	room := min(len(p), len(t.buf)) - len(t.held)
	for room > 0 {
		if t.err != nil && len(t.held) == 0 {
			return 0, t.err
		}
		in := append(t.buf[:0], t.held...)
		if t.err == nil {
			n, err := t.source.Read(t.buf[len(in) : len(in)+room])
			in, t.err = t.buf[:len(in)+n], err
		}
		done := t.translate(p, in)
		t.held = append(t.held[:0], in[done:]...)
		if done > 0 || t.err != nil && len(t.held) == 0 {
			return done, nil
		}
	}
	return 0, io.ErrShortBuffer
}

// translate writes in to p, and returns how much: what may go on in the next piece is left.
func (t *translator) translate(p, in []byte) int {
	i := 0
	for i < len(in) {
		c := in[i]
		p[i] = c
		last := t.err == nil && i+max(len(t.delimiter), 2) > len(in)
		switch {
		case t.escape != 0 && c == t.escape:
			if last {
				return i
			}
			if i+1 < len(in) {
				i = t.escaped(p, in, i)
				continue
			}
		case t.quote != '\n' && c == t.quote:
			if !t.within && !t.began {
				t.within = true
			} else if t.within {
				t.within = false // a doubled one opens again
				if t.escape == 0 && i+1 < len(in) && in[i+1] == t.quote {
					t.within = true
					p[i+1] = c
					i++
				}
			}
			t.began = true
		case t.within:
		case c == t.delimiter[0] && (last || bytes.HasPrefix(in[i:], t.delimiter)):
			if last && !bytes.HasPrefix(in[i:], t.delimiter) {
				return i
			}
			end := i + len(t.delimiter) - 1
			for ; i < end; i++ {
				p[i] = ' '
			}
			p[i] = unitSeparator
			t.began = false
		case c == '\n' || c == '\r':
			t.began = false
		case c != ' ':
			t.began = true
		}
		i++
	}
	return i
}

// escaped writes an escape and the character after it.
func (t *translator) escaped(p, in []byte, i int) int {
	c := in[i+1]
	p[i], p[i+1] = t.escape, c
	t.began = true
	switch {
	case t.quote != '\n' && c == t.quote && t.within:
		p[i] = t.quote
	case !t.within && c == '\n':
		p[i+1] = escapedLineFeed
	case !t.within && c == '\r':
		p[i+1] = escapedReturn
	}
	return i + 2
}

// unescape resolves a field's escapes in place: the usual letters stand for control characters, any other character for itself.
func unescape(b []byte, escape byte) []byte {
	n := bytes.IndexByte(b, escape)
	if n < 0 {
		return b
	}
	for i := n; i < len(b); i++ {
		c := b[i]
		if c == escape && i+1 < len(b) {
			i++
			switch c = b[i]; c {
			case 'n', escapedLineFeed:
				c = '\n'
			case 'r', escapedReturn:
				c = '\r'
			case 't':
				c = '\t'
			case 'N':
				if len(b) == 2 { // as MySQL and PostgreSQL write an absent value
					return b[:0]
				}
			}
		}
		b[n] = c
		n++
	}
	return b[:n]
}
