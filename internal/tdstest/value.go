package tdstest

import (
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"strings"
)

// Inside the server a value is nil, bool, int64, float64, decimalText, guidText, string, time.Time, []byte or Variant,
// so that it says what it is without its type.
type (
	// decimalText is a decimal or money with as many digits after the point as its scale.
	decimalText string
	// guidText is a uniqueidentifier, upper case with hyphens.
	guidText string
)

// parseDecimal reads a number and writes it with scale digits after the point, rounded half away from zero.
func parseDecimal(s string, prec, scale uint8) (decimalText, bool) {
	s = strings.TrimSpace(s)
	if d, ok := plainDecimal(s, prec, scale); ok {
		return d, true
	}
	if !isNumber(s) {
		return "", false
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return "", false
	}
	return ratDecimal(r, prec, scale)
}

// isNumber says whether a text is a number without an exponent, which SQL Server takes for no decimal either.
func isNumber(s string) bool {
	for i := range len(s) {
		if strings.IndexByte("0123456789.+-", s[i]) < 0 {
			return false
		}
	}
	return len(s) > 0 && len(s) <= 100
}

// plainDecimal is parseDecimal for what needs no rounding and has no more digits than it may: most of what there is.
func plainDecimal(s string, prec, scale uint8) (decimalText, bool) {
	digits := strings.TrimPrefix(s, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	if whole == "" || len(whole) > int(prec-scale) || len(fraction) > int(scale) || whole[0] == '0' && len(whole) > 1 {
		return "", false
	}
	zero := true
	for _, part := range []string{whole, fraction} {
		for i := range len(part) {
			if part[i] < '0' || part[i] > '9' {
				return "", false
			}
			zero = zero && part[i] == '0'
		}
	}
	if zero && len(digits) < len(s) {
		return "", false
	}
	if len(fraction) == int(scale) && len(digits) == len(whole)+min(1, len(fraction))+len(fraction) {
		return decimalText(s), true
	}
	sign := s[:len(s)-len(digits)]
	if scale == 0 {
		return decimalText(sign + whole), true
	}
	return decimalText(sign + whole + "." + fraction + zeros[:int(scale)-len(fraction)]), true
}

const zeros = "00000000000000000000000000000000000000"

func ratDecimal(r *big.Rat, prec, scale uint8) (decimalText, bool) {
	text := r.FloatString(int(scale))
	digits := strings.TrimLeft(strings.NewReplacer("-", "", ".", "").Replace(text), "0")
	if len(digits) > int(prec) {
		return "", false
	}
	if digits == "" {
		text = strings.TrimPrefix(text, "-")
	}
	return decimalText(text), true
}

// digits gives the sign and the unscaled digits.
func (d decimalText) digits() (negative bool, n *big.Int) {
	s := string(d)
	if negative = strings.HasPrefix(s, "-"); negative {
		s = s[1:]
	}
	if n, ok := smallDigits(s); ok {
		return negative, new(big.Int).SetUint64(n)
	}
	n = new(big.Int)
	n.SetString(strings.Replace(s, ".", "", 1), 10)
	return negative, n
}

// smallDigits gives the unscaled digits where they fit.
func smallDigits(s string) (n uint64, ok bool) {
	if len(s) > 19 {
		return 0, false
	}
	for i := range len(s) {
		if s[i] != '.' {
			n = n*10 + uint64(s[i]-'0')
		}
	}
	return n, true
}

func (d decimalText) rat() *big.Rat {
	r, ok := new(big.Rat).SetString(string(d))
	if !ok {
		return new(big.Rat)
	}
	return r
}

// decimalSize is how many bytes a decimal takes: a sign and 4, 8, 12 or 16.
func decimalSize(prec uint8) int {
	switch {
	case prec <= 9:
		return 5
	case prec <= 19:
		return 9
	case prec <= 28:
		return 13
	default:
		return 17
	}
}

// parseGUID reads a uniqueidentifier, with braces or without.
func parseGUID(s string) (guidText, bool) {
	s = strings.ToUpper(strings.TrimSpace(s))
	if len(s) == 38 && s[0] == '{' && s[37] == '}' {
		s = s[1:37]
	}
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return "", false
	}
	if _, err := hex.DecodeString(strings.ReplaceAll(s, "-", "")); err != nil {
		return "", false
	}
	return guidText(s), true
}

// wire is the 16 bytes on the wire: the first three groups little-endian.
func (g guidText) wire() [16]byte {
	var w [16]byte
	b, err := hex.DecodeString(strings.ReplaceAll(string(g), "-", ""))
	if err != nil || len(b) != 16 {
		return w
	}
	copy(w[:], b)
	binary.LittleEndian.PutUint32(w[0:], binary.BigEndian.Uint32(b[0:]))
	binary.LittleEndian.PutUint16(w[4:], binary.BigEndian.Uint16(b[4:]))
	binary.LittleEndian.PutUint16(w[6:], binary.BigEndian.Uint16(b[6:]))
	return w
}

func guidFromWire(b []byte) guidText {
	var w [16]byte
	copy(w[:], b)
	binary.BigEndian.PutUint32(w[0:], binary.LittleEndian.Uint32(b[0:]))
	binary.BigEndian.PutUint16(w[4:], binary.LittleEndian.Uint16(b[4:]))
	binary.BigEndian.PutUint16(w[6:], binary.LittleEndian.Uint16(b[6:]))
	h := strings.ToUpper(hex.EncodeToString(w[:]))
	return guidText(h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:])
}

// sameName compares names as a case-insensitive database does.
func sameName(a, b string) bool { return strings.EqualFold(a, b) }
