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
// column holds before or after the point. Equal values have equal forms: the number of digits after the point that is
// told is the column's, as PostgreSQL would make it.
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
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) // length and header
	first := len(dst)
	// Whole digits are grouped from the point leftwards, so the first group may be short.
	for len(whole) > 0 {
		n := (len(whole)-1)%numericGroup + 1
		group, ok := digits(whole[:n])
		if !ok {
			return dst[:start], errNotCanonical
		}
		dst = append(dst, byte(group>>8), byte(group))
		whole = whole[n:]
	}
	weight := (len(dst)-first)/2 - 1
	for len(fraction) > 0 {
		n := min(numericGroup, len(fraction))
		group, ok := digits(fraction[:n])
		if !ok {
			return dst[:start], errNotCanonical
		}
		group *= filling[n]
		dst = append(dst, byte(group>>8), byte(group))
		fraction = fraction[n:]
	}
	// Groups of zero at either end are not told; those at the front only move the weight.
	end, zeros := len(dst), 0
	for end > first && dst[end-1]|dst[end-2] == 0 {
		end -= 2
	}
	for at := first; at < end && dst[at]|dst[at+1] == 0; at += 2 {
		zeros += 2
	}
	if zeros > 0 {
		end = first + copy(dst[first:], dst[first+zeros:end])
	}
	dst = dst[:end]
	if count := (end - first) / 2; count > 0 {
		weight -= zeros / 2
	} else {
		weight, sign = 0, 0 // zero
	}
	head := dst[start:]
	binary.BigEndian.PutUint32(head, uint32(numericHeader+end-first))
	binary.BigEndian.PutUint16(head[4:], uint16((end-first)/2))
	binary.BigEndian.PutUint16(head[6:], uint16(int16(weight)))
	binary.BigEndian.PutUint16(head[8:], sign)
	binary.BigEndian.PutUint16(head[10:], uint16(maxFraction))
	return dst, nil
}

// filling is what a last group of so many digits is multiplied by, as the digits that it lacks are zeros.
var filling = [numericGroup + 1]uint{1: 1000, 2: 100, 3: 10, 4: 1}

// digits is the number that up to four digits stand for.
func digits(text []byte) (uint, bool) {
	n := uint(0)
	for _, c := range text {
		d := c - '0'
		if d > 9 {
			return 0, false
		}
		n = n*10 + uint(d)
	}
	return n, true
}
