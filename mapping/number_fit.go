package mapping

import (
	"bytes"

	"dropline/ingest"
)

// fit brings a number to at most scale digits after the point and checks that it has at most whole before it. The digits
// may be changed in place.
func (n *number) fit(whole, scale int, round bool) string {
	for n.places > scale && len(n.digits) > 0 && n.digits[len(n.digits)-1] == '0' {
		n.digits = n.digits[:len(n.digits)-1]
		n.places--
	}
	if len(n.digits) == 0 {
		*n = number{}
		return ""
	}
	if n.places > scale {
		if !round {
			return ingest.CodePrecision
		}
		n.roundTo(scale)
		if len(n.digits) == 0 {
			*n = number{}
			return ""
		}
	}
	if len(n.digits)-n.places > whole {
		return ingest.CodeOutOfRange
	}
	return ""
}

// roundTo rounds half away from zero.
func (n *number) roundTo(scale int) {
	keep := len(n.digits) - (n.places - scale)
	n.places = scale
	if keep < 0 {
		n.digits = n.digits[:0]
		return
	}
	up := n.digits[keep] >= '5'
	n.digits = n.digits[:keep]
	if !up {
		return
	}
	for i := keep - 1; i >= 0; i-- {
		if n.digits[i] != '9' {
			n.digits[i]++
			return
		}
		n.digits[i] = '0'
	}
	// All nines, or no digit kept: the place that was cut holds the carry.
	n.digits = n.digits[:keep+1]
	copy(n.digits[1:], n.digits[:keep])
	n.digits[0] = '1'
}

// appendTo appends the canonical text of a number that fits.
func (n *number) appendTo(to []byte) []byte {
	if len(n.digits) == 0 {
		return append(to, '0')
	}
	if n.negative {
		to = append(to, '-')
	}
	if n.places <= 0 {
		to = append(to, n.digits...)
		for range -n.places {
			to = append(to, '0')
		}
		return to
	}
	whole := len(n.digits) - n.places
	if whole <= 0 {
		to = append(to, '0', '.')
		for range -whole {
			to = append(to, '0')
		}
		return append(to, n.digits...)
	}
	to = append(to, n.digits[:whole]...)
	to = append(to, '.')
	return append(to, n.digits[whole:]...)
}

// times multiplies by another number. The digits of the product are appended to the arena, which is returned.
func (n *number) times(by number, arena []byte) []byte {
	n.negative = n.negative != by.negative
	n.places += by.places
	start, width := len(arena), len(n.digits)+len(by.digits)
	for range width {
		arena = append(arena, 0)
	}
	product := arena[start:]
	for i := len(n.digits) - 1; i >= 0; i-- {
		carry := 0
		for j := len(by.digits) - 1; j >= 0; j-- {
			sum := int(product[i+j+1]) + int(n.digits[i]-'0')*int(by.digits[j]-'0') + carry
			product[i+j+1], carry = byte(sum%10), sum/10
		}
		product[i] += byte(carry)
	}
	for i := range product {
		product[i] += '0'
	}
	n.digits = bytes.TrimLeft(product, "0")
	return arena
}

// maxFactorDigits bounds the work of a product: twice what a decimal column holds.
const maxFactorDigits = 76

// integer returns a whole number that fits 64 bits.
func (n *number) integer() (int64, bool) {
	var u uint64
	const most = 1 << 63
	width := len(n.digits) - n.places
	if width > len("9223372036854775808") {
		return 0, false
	}
	for i := range width {
		d := uint64(0)
		if i < len(n.digits) {
			d = uint64(n.digits[i] - '0')
		}
		if u > (most-d)/10 {
			return 0, false
		}
		u = u*10 + d
	}
	if n.negative {
		return -int64(u), true
	}
	return int64(u), u < most
}

// plainInteger reads an optional sign and at most 18 digits: what nearly every integer is.
func plainInteger(text []byte) (int64, bool) {
	i := 0
	if len(text) > 0 && text[0] == '-' {
		i = 1
	}
	if n := len(text) - i; n == 0 || n > 18 {
		return 0, false
	}
	var v int64
	for _, c := range text[i:] {
		if c-'0' > 9 {
			return 0, false
		}
		v = v*10 + int64(c-'0')
	}
	if i == 1 {
		v = -v
	}
	return v, true
}
