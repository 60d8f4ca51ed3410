package mapping

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"

	"dropline/schema"
)

// charEncoding is how a file's bytes are text. The zero value is UTF-8.
type charEncoding struct {
	name    string
	charset *charset // a single-byte encoding in which ASCII stands for itself; nil otherwise
	utf16   bool
	big     bool              // UTF-16 with the high byte first
	several encoding.Encoding // in which a character has one or several bytes, some of which are ASCII's; nil otherwise
}

// charset is a single-byte encoding: the UTF-8 of each byte. A byte that means nothing becomes invalidByte.
type charset [256]struct {
	text [utf8.UTFMax]byte
	size uint8
}

// invalidByte stands in decoded text for what is no character of the file's encoding. It never occurs in UTF-8, so that
// the check of text finds it.
const invalidByte = 0xFF

// encodingNamed finds an encoding by one of its usual names. ISO 8859-1 is read as windows-1252, which has it within, as
// browsers do: hardly any file means the control characters in which they differ.
func encodingNamed(name string) (charEncoding, bool) {
	folded := schema.NormalizeName(name)
	switch folded {
	case "", "utf8", "ascii", "usascii":
		return charEncoding{name: "utf-8"}, true
	case "utf16", "utf16le", "unicode":
		return charEncoding{name: "utf-16le", utf16: true}, true
	case "utf16be":
		return charEncoding{name: "utf-16be", utf16: true, big: true}, true
	case "latin1", "iso88591", "ansi":
		folded = "windows1252"
	case "macroman":
		folded = "macintosh"
	}
	if e := severalNamed(folded); e != nil {
		return charEncoding{name: strings.ToLower(name), several: e}, true
	}
	for _, prefix := range []string{"cp125", "win125"} {
		if rest, ok := strings.CutPrefix(folded, prefix); ok {
			folded = "windows125" + rest
		}
	}
	if rest, ok := strings.CutPrefix(folded, "cp"); ok {
		folded = "ibmcodepage" + rest
	}
	if rest, ok := strings.CutPrefix(folded, "ibm"); ok && !strings.HasPrefix(rest, "codepage") {
		folded = "ibmcodepage" + rest
	}
	for _, e := range charmap.All {
		c, ok := e.(*charmap.Charmap)
		if !ok || schema.NormalizeName(c.String()) != folded {
			continue
		}
		if set, ok := newCharset(c); ok {
			return charEncoding{name: strings.ToLower(name), charset: set}, true
		}
	}
	return charEncoding{}, false
}

// newCharset tables an encoding, unless its ASCII is not ASCII: separators could not be found in it.
func newCharset(c *charmap.Charmap) (*charset, bool) {
	var set charset
	for b := range 256 {
		r := c.DecodeByte(byte(b))
		if b < utf8.RuneSelf && r != rune(b) {
			return nil, false
		}
		if r == utf8.RuneError {
			set[b].text[0], set[b].size = invalidByte, 1
			continue
		}
		set[b].size = uint8(utf8.EncodeRune(set[b].text[:], r))
	}
	return &set, true
}

// decode appends the text as UTF-8.
func (c *charset) decode(to, text []byte) []byte {
	for _, b := range text {
		if b < utf8.RuneSelf {
			to = append(to, b)
			continue
		}
		d := &c[b]
		to = append(to, d.text[:d.size]...)
	}
	return to
}

// isASCII reports whether every byte is below 128.
func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// notText names what the file is, by how it begins, when that is something other than text.
func notText(head []byte) string {
	for _, kind := range []struct{ magic, name string }{
		{"PK\x03\x04", "a ZIP archive or an Excel workbook"},
		{"\x1f\x8b", "compressed with gzip"},
		{"\x28\xb5\x2f\xfd", "compressed with zstd"},
		{"BZh", "compressed with bzip2"},
		{"\xd0\xcf\x11\xe0", "an old Excel workbook"},
		{"%PDF-", "a PDF document"},
		{"\xff\xfe\x00\x00", "in UTF-32"},
		{"\x00\x00\xfe\xff", "in UTF-32"},
	} {
		if strings.HasPrefix(string(head), kind.magic) {
			return kind.name
		}
	}
	return markup(head)
}

// markup names the kind of document that begins with an element, as what some programs call a workbook is one.
func markup(head []byte) string {
	const looked = 64
	begin := strings.ToLower(strings.TrimLeft(strings.TrimPrefix(string(head[:min(len(head), looked)]), "\uFEFF"), " \t\r\n"))
	for _, element := range []string{"<!doctype html", "<html", "<table", "<style", "<head"} {
		if strings.HasPrefix(begin, element) {
			return "an HTML page"
		}
	}
	if strings.HasPrefix(begin, "<?xml") {
		return "an XML document"
	}
	return ""
}

// counter counts the bytes read from a file.
type counter struct {
	source io.Reader
	n      int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.source.Read(p)
	if n < 0 || n > len(p) {
		return 0, fmt.Errorf("reader returned %d bytes for a buffer of %d", n, len(p))
	}
	c.n += int64(n)
	return n, err
}

const utf16Buffer = 64 << 10

// utf16Source transcodes UTF-16 to UTF-8 such that the length in the file of any piece of the text can be told from the
// text alone: a lone surrogate becomes its three bytes, which UTF-8 does not allow, and an odd last byte invalidByte.
type utf16Source struct {
	source io.Reader
	big    bool
	buf    [utf16Buffer]byte
	at, n  int
	err    error
}

// Read fills p, of at least utf8.UTFMax bytes, with text.
func (u *utf16Source) Read(p []byte) (int, error) {
	out := 0
	for len(p)-out >= utf8.UTFMax {
		r, size := u.character()
		switch {
		case size == 0 && u.err == nil:
			if out > 0 {
				return out, nil // what there is first: the source may block
			}
			u.n = copy(u.buf[:], u.buf[u.at:u.n])
			u.at = 0
			var n int
			n, u.err = u.source.Read(u.buf[u.n:])
			u.n += n
			if n == 0 && u.err == nil {
				return 0, nil
			}
			continue
		case size == 0:
			return out, u.err
		case size == 1:
			p[out] = invalidByte
			out++
		case r >= surrogateFirst && r <= surrogateLast:
			p[out], p[out+1], p[out+2] = 0xE0|byte(r>>12), 0x80|byte(r>>6)&0xBF, 0x80|byte(r)&0xBF
			out += 3
		default:
			out += utf8.EncodeRune(p[out:], r)
		}
		u.at += size
	}
	return out, nil
}

const (
	surrogateFirst, surrogateLow, surrogateLast = 0xD800, 0xDC00, 0xDFFF
	surrogateBits                               = 10
)

// character decodes the next character and returns its length in the file: 0 where more must be read first.
func (u *utf16Source) character() (rune, int) {
	held := u.buf[u.at:u.n]
	ended := errors.Is(u.err, io.EOF)
	switch {
	case len(held) == 1 && ended:
		return 0, 1
	case len(held) < 2:
		return 0, 0
	}
	first := u.unit(held)
	if first < surrogateFirst || first >= surrogateLow {
		return first, 2
	}
	if len(held) < 4 {
		if ended {
			return first, 2
		}
		return 0, 0
	}
	second := u.unit(held[2:])
	if second < surrogateLow || second > surrogateLast {
		return first, 2
	}
	return (first-surrogateFirst)<<surrogateBits | (second - surrogateLow) + 0x10000, 4
}

func (u *utf16Source) unit(b []byte) rune {
	if u.big {
		return rune(b[0])<<8 | rune(b[1])
	}
	return rune(b[1])<<8 | rune(b[0])
}

// utf16Size is the length in the file of text from a utf16Source.
func utf16Size(text []byte) int64 {
	var n int64
	for _, b := range text {
		switch {
		case b == invalidByte:
			n++
		case b >= 0xF0:
			n += 4
		case b < 0x80 || b >= 0xC0:
			n += 2
		}
	}
	return n
}
