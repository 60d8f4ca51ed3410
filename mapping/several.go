package mapping

import (
	"bytes"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/transform"
)

// severalNamed finds an encoding whose characters have one or several bytes, by its normalised name. A separator cannot be looked for
// in the bytes of such: the second half of a character may be one.
func severalNamed(folded string) encoding.Encoding {
	switch folded {
	case "shiftjis", "sjis", "cp932", "windows31j", "mskanji":
		return japanese.ShiftJIS
	case "eucjp", "ujis":
		return japanese.EUCJP
	case "gb18030", "gb2312", "euccn", "cp936", "gbk":
		return simplifiedchinese.GB18030 // has the others within
	case "big5", "big5hkscs", "cp950":
		return traditionalchinese.Big5
	case "euckr", "cp949", "uhc", "ksc5601":
		return korean.EUCKR
	}
	return nil
}

// severalSource decodes such an encoding to UTF-8. What is no character of it becomes invalidByte, which the check of text finds.
type severalSource struct{ decoded io.Reader }

func newSeveralSource(r io.Reader, e encoding.Encoding) *severalSource {
	return &severalSource{transform.NewReader(r, e.NewDecoder())}
}

// replacement is how the decoders write what is no character.
const replacement = "\uFFFD"

// Read implements io.Reader. A replacement that a read cuts in two is no trouble: the decoders write whole characters, and p has room
// for one.
func (s *severalSource) Read(p []byte) (int, error) {
	n, err := s.decoded.Read(p)
	out := p[:0]
	for rest := p[:n]; ; {
		i := bytes.Index(rest, []byte(replacement))
		if i < 0 {
			out = append(out, rest...)
			break
		}
		out = append(append(out, rest[:i]...), invalidByte)
		rest = rest[i+len(replacement):]
	}
	return len(out), err
}

// severalSize is the length in the file of text that was decoded: it is encoded again. What could not be decoded counts one byte.
func severalSize(e encoding.Encoding) func([]byte) int64 {
	encoder := e.NewEncoder()
	var to []byte
	return func(text []byte) int64 {
		var n int64
		for len(text) > 0 {
			ascii := 0
			for ascii < len(text) && text[ascii] < utf8.RuneSelf {
				ascii++
			}
			n += int64(ascii)
			text = text[ascii:]
			high := 0
			for high < len(text) && text[high] >= utf8.RuneSelf && text[high] != invalidByte {
				high++
			}
			if high > 0 {
				if need := 4 * high; len(to) < need {
					to = make([]byte, need)
				}
				encoder.Reset()
				done, _, _ := encoder.Transform(to, text[:high], true) // it was decoded from that
				n += int64(done)
				text = text[high:]
			}
			for len(text) > 0 && text[0] == invalidByte {
				n++
				text = text[1:]
			}
		}
		return n
	}
}
