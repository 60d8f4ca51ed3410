package tdstest

import (
	"bytes"
	"cmp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// compare orders two values that are not NULL. Text is ordered by its capitals, code point by code point, without the
// spaces at the end; a real collation orders finer. It is false where the values cannot be compared.
func compare(a, b any) (int, bool) {
	if v, ok := a.(Variant); ok {
		a = v.Value
	}
	if v, ok := b.(Variant); ok {
		b = v.Value
	}
	switch x := a.(type) {
	case int64:
		if y, ok := b.(int64); ok {
			return cmp.Compare(x, y), true
		}
	case float64:
		if y, ok := b.(float64); ok {
			return cmp.Compare(x, y), true
		}
	case string:
		if y, ok := b.(string); ok {
			return compareText(x, y), true
		}
	case guidText:
		if y, ok := b.(guidText); ok {
			return compareGUID(x, y), true
		}
	case time.Time:
		if y, ok := b.(time.Time); ok {
			return x.Compare(y), true
		}
	case []byte:
		if y, ok := b.([]byte); ok {
			return compareBytes(x, y), true
		}
		if y, ok := b.(int64); ok {
			n, err := toInteger(x, sqlType{kind: kindBigInt})
			return cmp.Compare(n.(int64), y), err == nil
		}
	}
	if y, ok := b.([]byte); ok && a != nil {
		if x, isInt := a.(int64); isInt {
			n, ok := compare(y, x)
			return -n, ok
		}
	}
	x, okX := number(a)
	y, okY := number(b)
	if okX && okY {
		return x.Cmp(y), true
	}
	return 0, false
}

func compareText(a, b string) int {
	a, b = strings.TrimRight(a, " "), strings.TrimRight(b, " ")
	for a != "" && b != "" {
		x, y := rune(a[0]), rune(b[0])
		n, m := 1, 1
		if x >= 0x80 {
			x, n = utf8.DecodeRuneInString(a)
		}
		if y >= 0x80 {
			y, m = utf8.DecodeRuneInString(b)
		}
		if x != y {
			if c := cmp.Compare(upper(x), upper(y)); c != 0 {
				return c
			}
		}
		a, b = a[n:], b[m:]
	}
	return cmp.Compare(len(a), len(b))
}

func upper(r rune) rune {
	if r < 0x80 {
		if r >= 'a' && r <= 'z' {
			return r - 32
		}
		return r
	}
	return unicode.ToUpper(r)
}

// guidOrder is the order of significance SQL Server gives to the bytes of a uniqueidentifier.
var guidOrder = [16]int{10, 11, 12, 13, 14, 15, 8, 9, 6, 7, 4, 5, 0, 1, 2, 3}

func compareGUID(a, b guidText) int {
	x, y := a.wire(), b.wire()
	for _, i := range guidOrder {
		if c := cmp.Compare(x[i], y[i]); c != 0 {
			return c
		}
	}
	return 0
}

// compareBytes takes the shorter as if it had zeros after it.
func compareBytes(a, b []byte) int {
	n := max(len(a), len(b))
	pad := func(x []byte) []byte { return append(append(make([]byte, 0, n), x...), make([]byte, n-len(x))...) }
	return bytes.Compare(pad(a), pad(b))
}

// compareNullable puts NULL first, as ORDER BY does.
func compareNullable(a, b any) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	c, _ := compare(a, b)
	return c
}

// like matches a LIKE pattern: %, _, [a-z], [^a-z].
func like(s, pattern []rune, escape rune) bool {
	for len(pattern) > 0 {
		switch p := pattern[0]; {
		case escape != 0 && p == escape && len(pattern) > 1:
			if len(s) == 0 || upper(s[0]) != upper(pattern[1]) {
				return false
			}
			s, pattern = s[1:], pattern[2:]
		case p == '%':
			for i := 0; i <= len(s); i++ {
				if like(s[i:], pattern[1:], escape) {
					return true
				}
			}
			return false
		case len(s) == 0:
			return false
		case p == '[':
			n, ok := likeSet(s[0], pattern)
			if !ok {
				return false
			}
			s, pattern = s[1:], pattern[n:]
		case p != '_' && upper(p) != upper(s[0]):
			return false
		default:
			s, pattern = s[1:], pattern[1:]
		}
	}
	return strings.TrimRight(string(s), " ") == ""
}

// likeSet matches one character with a set, and says how long the set is.
func likeSet(r rune, pattern []rune) (int, bool) {
	i, not, found := 1, false, false
	if i < len(pattern) && pattern[i] == '^' {
		not = true
		i++
	}
	for ; i < len(pattern) && pattern[i] != ']'; i++ {
		low, high := pattern[i], pattern[i]
		if i+2 < len(pattern) && pattern[i+1] == '-' && pattern[i+2] != ']' {
			high = pattern[i+2]
			i += 2
		}
		found = found || upper(r) >= upper(low) && upper(r) <= upper(high)
	}
	return min(i+1, len(pattern)), found != not
}
