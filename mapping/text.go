package mapping

import (
	"encoding/binary"
	"unicode"
	"unicode/utf8"
)

// trimSpace cuts white space off both ends: Unicode's, which has the no-break space that spreadsheets leave, and the
// byte order mark that a concatenated file has in its middle.
func trimSpace(b []byte) []byte {
	if n := len(b); n > 0 && b[0]-'!' < 0x7F-'!' && b[n-1]-'!' < 0x7F-'!' {
		return b // from one visible ASCII character to another: nearly every value
	}
	return trimTrailing(trimLeading(b))
}

func trimLeading(b []byte) []byte {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if !isSpace(r) {
			break
		}
		b = b[n:]
	}
	return b
}

func trimTrailing(b []byte) []byte {
	for len(b) > 0 {
		r, n := utf8.DecodeLastRune(b)
		if !isSpace(r) {
			break
		}
		b = b[:len(b)-n]
	}
	return b
}

func isSpace(r rune) bool { return unicode.IsSpace(r) || r == '\uFEFF' }

// textLength counts the characters of a text, if it is valid UTF-8 without NUL.
func textLength(b []byte) (int, bool) {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		v := binary.LittleEndian.Uint64(b[i:])
		if (v|(v-everyByte))&highBits != 0 { // a byte of 128 or more, or 0
			return textLengthSlow(b)
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c == 0 || c >= utf8.RuneSelf {
			return textLengthSlow(b)
		}
	}
	return len(b), true
}

func textLengthSlow(b []byte) (int, bool) {
	n := 0
	for i := 0; i < len(b); n++ {
		c := b[i]
		if c < utf8.RuneSelf {
			if c == 0 {
				return 0, false
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			return 0, false
		}
		i += size
	}
	return n, true
}

// hasControl reports whether valid UTF-8 has a control character, which no id may have.
func hasControl(b []byte) bool {
	for i := 0; i < len(b); {
		c := b[i]
		if c < utf8.RuneSelf {
			if c < ' ' || c == 0x7F {
				return true
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		if unicode.IsControl(r) {
			return true
		}
		i += size
	}
	return false
}

// foldInto appends the letters and digits of b in lower case, as schema.NormalizeName does.
func foldInto(to, b []byte) []byte {
	for i := 0; i < len(b); {
		c := b[i]
		switch {
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
			to = append(to, c)
		case 'A' <= c && c <= 'Z':
			to = append(to, c+'a'-'A')
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(b[i:])
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				to = utf8.AppendRune(to, unicode.ToLower(r))
			}
			i += size
			continue
		}
		i++
	}
	return to
}

// lowerInto appends b in lower case, in which the keys of a value table are compared.
func lowerInto(to, b []byte) []byte { return caseInto(to, b, unicode.ToLower) }

// upperInto appends b in upper case.
func upperInto(to, b []byte) []byte { return caseInto(to, b, unicode.ToUpper) }

// caseInto appends b with every letter changed. What is no UTF-8 stays as it is, for the check of text to find.
func caseInto(to, b []byte, change func(rune) rune) []byte {
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError {
			to = append(to, b[i:i+size]...)
		} else {
			to = utf8.AppendRune(to, change(r))
		}
		i += size
	}
	return to
}
