package detect

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// cellKind is what a cell looks like.
type cellKind uint8

const (
	cellText cellKind = iota
	cellEmpty
	cellNumber
	cellMoment // a date, a time, or both
	cellBoolean
	cellWord // an address on the net, an identifier, a name of one word
)

// isKnown reports whether a cell is a value of a kind that cells have, rather than a piece that a wrong delimiter has cut off.
func isKnown(c []byte) bool {
	c = bytes.TrimSpace(c)
	switch kindOf(c) {
	case cellText:
		return isPhrase(c)
	case cellEmpty, cellNumber, cellMoment, cellBoolean, cellWord:
	}
	return true
}

func kindOf(c []byte) cellKind {
	c = bytes.TrimSpace(c)
	switch {
	case len(c) == 0:
		return cellEmpty
	case isNumber(c):
		return cellNumber
	case isMoment(c):
		return cellMoment
	}
	if len(c) <= 5 {
		for _, word := range []string{"true", "false", "yes", "no", "y", "n", "null", "n/a", "na", "nan", "-"} {
			if strings.EqualFold(string(c), word) {
				return cellBoolean
			}
		}
	}
	if isWord(c) {
		return cellWord
	}
	return cellText
}

// isNumber tells numbers in any of the usual forms: 1,234.50  1.234,50  -3e8  (12.50)  12 %  $5.
func isNumber(c []byte) bool {
	digits, marks, others := 0, 0, 0
	last := rune(0)
	for _, r := range string(c) {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r == '.' || r == ',' || r == '\'' || r == ' ' || r == '\u00a0' || r == '\u202f':
			if last == r && r != ' ' {
				return false
			}
			marks++
		case r == '-' || r == '+' || r == '(' || r == ')' || r == '%' || r == 'E' || r == 'e' || unicode.Is(unicode.Sc, r):
			others++
		default:
			return false
		}
		last = r
	}
	return digits > 0 && others <= 3 && marks <= digits && last != ',' && last != ';'
}

// isMoment tells dates and times: groups of digits, and perhaps the name of a month, with the marks of dates between.
func isMoment(c []byte) bool {
	if len(c) < 4 || len(c) > 40 {
		return false
	}
	digits, marks, letters := 0, 0, 0
	for _, b := range c {
		switch {
		case b >= '0' && b <= '9':
			digits++
		case b == '-' || b == '/' || b == '.' || b == ':':
			marks++
		case b == ' ' || b == ',' || b == '+':
		case b|0x20 >= 'a' && b|0x20 <= 'z':
			letters++
		default:
			return false
		}
	}
	return digits >= 3 && (marks >= 2 && letters <= 10 || marks >= 1 && letters == 0 && digits >= 3 || letters >= 3 && letters <= 9 && digits >= 5) && digits*2 >= letters
}

// isWord tells identifiers, addresses and names of one word.
func isWord(c []byte) bool {
	for i := 0; i < len(c); {
		r, n := utf8.DecodeRune(c[i:])
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && bytes.IndexByte([]byte("_-.@/+&'#()=?%*!$"), c[i]) < 0 && r != utf8.RuneError {
			return false
		}
		i += n
	}
	return true
}

// isPhrase tells text as people write it: words with single spaces and the marks of sentences between, and none of the marks that
// separate cells.
func isPhrase(c []byte) bool {
	return !bytes.ContainsAny(c, ";|\t^~\"") && !bytes.ContainsAny(c[len(c)-1:], ",:") && !bytes.ContainsAny(c[:1], ",:;")
}
