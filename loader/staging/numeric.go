package staging

import (
	"encoding/binary"
	"errors"
)

// PostgreSQL's binary form of numeric: how many base-10000 digits follow, the power of 10000 of the first one, the sign,
// and how many decimal digits stand after the point.
const (
	numericHeader   = 8 // bytes: four int16
	numericNegative = 0x4000
	numericGroup    = 4 // decimal digits in one base-10000 digit
)

var errNotCanonical = errors.New("not a canonical decimal")

// appendNumeric appends a numeric's length and binary form. text is canonical as ingest.Value describes it; anything else
// is refused rather than sent, as PostgreSQL would end the whole COPY over it, and so is a value of more digits than the
// column holds before or after the point.
func appendNumeric(dst, text []byte, maxWhole, maxFraction int) ([]byte, error) {
	sign := uint16(0)
	if len(text) > 0 && text[0] == '-' {
		sign, text = numericNegative, text[1:]
	}
	point := len(text)
	for i, c := range text {
		if c == '.' {
			point = i
			break
		}
	}
	whole, fraction := text[:point], text[min(point+1, len(text)):]
	switch {
	case len(whole) == 0:
		return dst, errNotCanonical
	case len(whole) > maxWhole && string(whole) != "0", len(fraction) > maxFraction:
		return dst, errOutOfRange
	}
	start := len(dst)
	dst = append(dst, make([]byte, 4+numericHeader)...)
	count, weight := 0, (len(whole)+numericGroup-1)/numericGroup-1
	significant := len(dst) // end of the last group that is not zero

	// Whole digits are grouped from the point leftwards, so the first group may be short; leading zero groups only move the
	// weight.
	add := func(group int) {
		if count == 0 && group == 0 {
			weight--
			return
		}
		count++
		dst = binary.BigEndian.AppendUint16(dst, uint16(group))
		if group != 0 {
			significant = len(dst)
		}
	}
	first := len(whole) % numericGroup
	if first == 0 {
		first = numericGroup
	}
	for rest, n := whole, first; len(rest) > 0; rest, n = rest[n:], numericGroup {
		group, ok := digits(rest[:n], n)
		if !ok {
			return dst[:start], errNotCanonical
		}
		add(group)
		if len(rest) == n {
			break
		}
	}
	for rest := fraction; len(rest) > 0; {
		n := min(numericGroup, len(rest))
		group, ok := digits(rest[:n], numericGroup)
		if !ok {
			return dst[:start], errNotCanonical
		}
		add(group)
		rest = rest[n:]
	}
	dst = dst[:significant]
	count = (significant - start - 4 - numericHeader) / 2
	if count == 0 {
		weight, sign = 0, 0 // zero
	}
	head := dst[start:]
	binary.BigEndian.PutUint32(head, uint32(numericHeader+2*count))
	binary.BigEndian.PutUint16(head[4:], uint16(count))
	binary.BigEndian.PutUint16(head[6:], uint16(int16(weight)))
	binary.BigEndian.PutUint16(head[8:], sign)
	binary.BigEndian.PutUint16(head[10:], uint16(len(fraction)))
	return dst, nil
}

// digits is the number that text stands for, filled up with zeros on the right to width digits.
func digits(text []byte, width int) (int, bool) {
	n := 0
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	for range width - len(text) {
		n *= 10
	}
	return n, true
}
