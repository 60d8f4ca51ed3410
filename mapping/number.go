package mapping

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// numberSyntax is how a file writes numbers. The default is a decimal point, with groups of three set off by commas.
type numberSyntax struct {
	decimal byte
	group   rune // 0 for none; ' ' also stands for the no-break spaces
	pairs   bool // groups but the last may have two digits, as in India
	found   bool // it was found in the file, not set by the mapping
	round   bool // half away from zero to the column's scale, instead of refusing further digits
}

var defaultNumber = numberSyntax{decimal: '.', group: ','}

// number is a decimal number, exactly: digits × 10^-places.
type number struct {
	negative bool
	digits   []byte // without leading zeros; empty is zero
	places   int
}

const (
	percentPlaces = 2    // 12.5 % is 0.125
	maxExponent   = 1000 // of ten; beyond it no column holds the number, and an expansion would only cost memory
	groupDigits   = 3
)

// isPlainDecimal reports whether text is canonical as it stands and fits: the case of nearly every value.
func isPlainDecimal(text []byte, whole, scale int) bool {
	i := 0
	if len(text) > 0 && text[0] == '-' {
		i = 1
	}
	first := i
	for i < len(text) && text[i]-'0' <= 9 {
		i++
	}
	n := i - first
	if n == 0 || text[first] == '0' && (n > 1 || first > 0) || n > max(whole, 1) || n > whole && text[first] != '0' {
		return false // with "-0.5" among what is left to the longer way
	}
	if i == len(text) {
		return true
	}
	if text[i] != '.' {
		return false
	}
	i++
	places := len(text) - i
	if places == 0 || places > scale {
		return false
	}
	for ; i < len(text); i++ {
		if text[i]-'0' > 9 {
			return false
		}
	}
	return true
}

// parseNumber reads a number as accountants' exports write it: "1,234.50", "$12", "(12.50)", "12.50-", "1.5E+3". Its digits
// are appended to the arena, which is returned.
func parseNumber(text []byte, syntax *numberSyntax, arena []byte) (number, []byte, bool) {
	body, negative, ok := stripSign(text)
	if !ok {
		return number{}, arena, false
	}
	n := number{negative: negative}
	if body[len(body)-1] == '%' {
		if body = trimSpace(body[:len(body)-1]); len(body) == 0 {
			return number{}, arena, false
		}
		n.places = percentPlaces
	}
	mantissa, exponent, ok := splitExponent(body)
	if !ok {
		return number{}, arena, false
	}
	whole, fraction, hasPoint := bytes.Cut(mantissa, []byte{syntax.decimal})
	if hasPoint && len(whole)+len(fraction) == 0 || !hasPoint && len(whole) == 0 {
		return number{}, arena, false
	}
	start := len(arena)
	arena, ok = appendWhole(arena, whole, syntax)
	if !ok {
		return number{}, arena[:start], false
	}
	for _, c := range fraction {
		if c-'0' > 9 {
			return number{}, arena[:start], false
		}
		arena = append(arena, c)
	}
	n.places += len(fraction) - exponent
	n.digits = bytes.TrimLeft(arena[start:], "0")
	return n, arena, true
}

// stripSign takes off what surrounds a number's digits: one sign before or behind them or parentheses, and one currency
// symbol.
func stripSign(b []byte) (body []byte, negative, ok bool) {
	b = trimSpace(b)
	signed, currency := false, false
	if len(b) > 1 && b[0] == '(' && b[len(b)-1] == ')' {
		b, negative, signed = trimSpace(b[1:len(b)-1]), true, true
	}
	for range 2 {
		if n := leadingSign(b); n > 0 && !signed {
			negative, signed = b[0] != '+', true
			b = trimSpace(b[n:])
		}
		if n := leadingCurrency(b); n > 0 && !currency {
			currency = true
			b = trimSpace(b[n:])
		}
	}
	for range 2 {
		if n := trailingCurrency(b); n > 0 && !currency {
			currency = true
			b = trimSpace(b[:len(b)-n])
		}
		if n := len(b); n > 1 && b[n-1] == '-' && !signed {
			negative, signed = true, true
			b = trimSpace(b[:n-1])
		}
	}
	return b, negative, len(b) > 0
}

const minusSign = "\u2212" // which typesetters, and some exports, use

func leadingSign(b []byte) int {
	switch {
	case len(b) > 0 && (b[0] == '-' || b[0] == '+'):
		return 1
	case bytes.HasPrefix(b, []byte(minusSign)):
		return len(minusSign)
	}
	return 0
}

// isCurrency tells a currency's sign.
func isCurrency(r rune) bool {
	return r == '$' || r == '£' || r == '€' || r == '¥' || r >= utf8.RuneSelf && unicode.Is(unicode.Sc, r)
}

// currencies are those that are written with letters, before or behind the number.
var currencies = [...]string{
	"USD", "EUR", "GBP", "AUD", "NZD", "CAD", "CHF", "JPY", "CNY", "INR", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "ZAR", "SGD", "HKD", "BRL", "MXN",
	"US$", "AU$", "NZ$", "CA$", "HK$", "A$", "C$", "R$", "S$", "kr.", "kr", "zł", "Kč", "Ft", "Fr.", "Rs.", "Rs",
}

func leadingCurrency(b []byte) int {
	if r, n := utf8.DecodeRune(b); isCurrency(r) {
		return n
	}
	if len(b) > 0 && b[0]-'0' > 9 {
		for _, c := range currencies {
			if bytes.HasPrefix(b, []byte(c)) {
				return len(c)
			}
		}
	}
	return 0
}

func trailingCurrency(b []byte) int {
	if r, n := utf8.DecodeLastRune(b); isCurrency(r) {
		return n
	}
	if len(b) > 0 && b[len(b)-1]-'0' > 9 {
		for _, c := range currencies {
			if bytes.HasSuffix(b, []byte(c)) {
				return len(c)
			}
		}
	}
	return 0
}

// splitExponent takes "E+3" off.
func splitExponent(b []byte) (mantissa []byte, exponent int, ok bool) {
	i := bytes.IndexAny(b, "eE")
	if i < 0 {
		return b, 0, true
	}
	mantissa, rest := b[:i], b[i+1:]
	negative := false
	if len(rest) > 0 && (rest[0] == '+' || rest[0] == '-') {
		negative = rest[0] == '-'
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return nil, 0, false
	}
	for _, c := range rest {
		if c-'0' > 9 {
			return nil, 0, false
		}
		exponent = min(exponent*10+int(c-'0'), maxExponent)
	}
	if negative {
		exponent = -exponent
	}
	return mantissa, exponent, true
}

// appendWhole appends the digits before the point. Group separators must set off groups of three, all or none.
func appendWhole(arena, whole []byte, syntax *numberSyntax) ([]byte, bool) {
	sinceGroup, groups := 0, 0
	for i := 0; i < len(whole); {
		c := whole[i]
		if c-'0' <= 9 {
			arena = append(arena, c)
			sinceGroup++
			i++
			continue
		}
		r, size := utf8.DecodeRune(whole[i:])
		if !isGroup(r, syntax.group) || sinceGroup == 0 || sinceGroup > groupDigits ||
			groups > 0 && sinceGroup != groupDigits && (!syntax.pairs || sinceGroup != groupDigits-1) {
			return arena, false
		}
		groups++
		sinceGroup = 0
		i += size
	}
	return arena, groups == 0 || sinceGroup == groupDigits
}

func isGroup(r, group rune) bool {
	if group == '\'' {
		return r == '\'' || r == '’'
	}
	if group == ' ' {
		return r == ' ' || r == '\u00A0' || r == '\u202F' || r == '\u2009'
	}
	return group != 0 && r == group
}
