package unpack

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// maxTag bounds one tag of a workbook's XML, maxCell the text between two: Excel's cells hold 32,767 characters.
const (
	maxTag  = 64 << 10
	maxCell = 1 << 20
)

var (
	errMarkup = errors.New("its XML is not that of a workbook")
	errUTF16  = errors.New("its XML is not in UTF-8")
)

// markup reads the XML of a workbook's sheets and texts, which is large and of a simple kind, tag by tag: encoding/xml takes ten times
// as long for it and allocates each name. It knows no document types, so that no entity stands for more than itself.
type markup struct {
	r    *bufio.Reader
	tag  []byte // the present tag: name and attributes
	name []byte // without its prefix
	// end tells that the tag closes an element, empty that it opens and closes one.
	end, empty bool
	text       []byte // of textTo
	opened     bool   // the "<" of the next tag has been read
}

func newMarkup(r io.Reader) *markup { return &markup{r: bufio.NewReaderSize(r, readBuffer)} }

// next goes to the next tag and leaves out what is before it. io.EOF at the end.
func (m *markup) next() error {
	for {
		if err := m.skipText(); err != nil {
			return err
		}
		if err := m.readTag(); err != nil {
			return unexpected(noEnd(err))
		}
		switch {
		case len(m.tag) == 0:
			return errMarkup
		case m.tag[0] == '?' || bytes.HasPrefix(m.tag, []byte("!--")):
			continue
		case m.tag[0] == '!':
			return errMarkup // a document type
		}
		m.split()
		return nil
	}
}

// noEnd makes the end of the text within a tag an unexpected one.
func noEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// skipText goes past the next "<".
func (m *markup) skipText() error {
	if m.opened {
		m.opened = false
		return nil
	}
	for {
		text, err := m.r.ReadSlice('<')
		if bytes.IndexByte(text, 0) >= 0 {
			return errUTF16
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// readTag reads up to the ">" that ends the tag: one within an attribute's quotes does not.
func (m *markup) readTag() error {
	m.tag = m.tag[:0]
	for {
		part, err := m.r.ReadSlice('>')
		m.tag = append(m.tag, part...)
		if len(m.tag) > maxTag {
			return errMarkup
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return err
		}
		if bytes.HasPrefix(m.tag, []byte("!--")) {
			if len(m.tag) < len("!---->") || !bytes.HasSuffix(m.tag, []byte("-->")) {
				continue
			}
		} else if bytes.Count(m.tag, []byte{'"'})%2 != 0 {
			continue
		}
		m.tag = m.tag[:len(m.tag)-1]
		return nil
	}
}

// split takes the tag apart.
func (m *markup) split() {
	m.end, m.empty = m.tag[0] == '/', m.tag[len(m.tag)-1] == '/'
	name := m.tag
	if m.end {
		name = name[1:]
	}
	if i := bytes.IndexAny(name, " \t\r\n/"); i >= 0 {
		name = name[:i]
	}
	if i := bytes.IndexByte(name, ':'); i >= 0 {
		name = name[i+1:]
	}
	m.name = name
}

func (m *markup) is(name string) bool { return string(m.name) == name }

// attribute returns an attribute's value as it is written; attributes with a prefix are found without it.
func (m *markup) attribute(name string) []byte {
	rest := m.tag
	for {
		i := bytes.IndexAny(rest, " \t\r\n")
		if i < 0 {
			return nil
		}
		rest = bytes.TrimLeft(rest[i:], " \t\r\n")
		key, after, ok := bytes.Cut(rest, []byte{'='})
		if !ok {
			return nil
		}
		after = bytes.TrimLeft(after, " \t\r\n")
		if len(after) == 0 || after[0] != '"' && after[0] != '\'' {
			return nil
		}
		value, tail, ok := bytes.Cut(after[1:], after[:1])
		if !ok {
			return nil
		}
		if string(bytes.TrimSpace(key)) == name {
			return value
		}
		rest = tail
	}
}

// textTo reads the text up to the next tag, which it leaves to next, and appends it to m.text.
func (m *markup) textTo() error {
	for {
		part, err := m.r.ReadSlice('<')
		if errors.Is(err, bufio.ErrBufferFull) || err == nil {
			full := err != nil
			if !full {
				part = part[:len(part)-1]
			}
			m.text = append(m.text, part...)
			if len(m.text) > maxCell {
				return fmt.Errorf("a cell has more than %d bytes", maxCell)
			}
			if full {
				continue
			}
			if data, err := m.characterData(); err != nil || !data {
				return err
			}
			continue
		}
		return unexpected(noEnd(err))
	}
}

// characterData appends a CDATA section that begins here, if one does; else the "<" that was read is of the next tag.
func (m *markup) characterData() (bool, error) {
	const open = "![CDATA["
	head, err := m.r.Peek(len(open))
	if err != nil || string(head) != open {
		m.opened = true // an error of the text comes again
		return false, nil
	}
	_, _ = m.r.Discard(len(open)) // it was just peeked
	for {
		c, err := m.r.ReadByte()
		if err != nil {
			return false, unexpected(noEnd(err))
		}
		if m.text = append(m.text, c); len(m.text) > maxCell {
			return false, fmt.Errorf("a cell has more than %d bytes", maxCell)
		}
		if bytes.HasSuffix(m.text, []byte("]]>")) {
			m.text = m.text[:len(m.text)-3]
			return true, nil
		}
	}
}

// unescape resolves XML's five entities and characters by their number in place, and the _x000D_ that Excel writes for control
// characters.
func unescape(b []byte) []byte {
	if bytes.IndexByte(b, '&') < 0 && !bytes.Contains(b, []byte("_x")) {
		return b
	}
	out := b[:0]
	for i := 0; i < len(b); {
		if b[i] == '&' {
			if end := bytes.IndexByte(b[i:min(len(b), i+12)], ';'); end > 0 {
				if r, ok := entity(b[i+1 : i+end]); ok {
					out = utf8.AppendRune(out, r) // never longer than what it stands for
					i += end + 1
					continue
				}
			}
		}
		if b[i] == '_' && i+7 <= len(b) && b[i+1] == 'x' && b[i+6] == '_' {
			if n, err := strconv.ParseUint(string(b[i+2:i+6]), 16, 16); err == nil {
				out = utf8.AppendRune(out, rune(n))
				i += 7
				continue
			}
		}
		out = append(out, b[i])
		i++
	}
	return out
}

func entity(name []byte) (rune, bool) {
	switch string(name) {
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	if len(name) < 2 || name[0] != '#' {
		return 0, false
	}
	digits, base := name[1:], 10
	if digits[0] == 'x' || digits[0] == 'X' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(string(digits), base, 32)
	if err != nil || n > utf8.MaxRune || n == 0 {
		return 0, false
	}
	return rune(n), true
}
