package schema

import (
	"math/big"
	"strings"
)

// Number is a decimal number, exactly, with as many digits after the point as PostgreSQL's numeric would show. The zero
// value is 0.
type Number struct {
	coefficient *big.Int // times 10 to the power of -scale; nil is 0
	scale       int
}

// NumberOf is a whole number.
func NumberOf(n int64) Number { return Number{coefficient: big.NewInt(n)} }

// ParseDecimal reads digits with an optional sign before and an optional point within, as they are in an ingested row.
func ParseDecimal(text string) (Number, bool) {
	whole, fraction, _ := strings.Cut(text, ".")
	n, ok := new(big.Int).SetString(whole+fraction, 10)
	if !ok {
		return Number{}, false
	}
	return Number{coefficient: n, scale: len(fraction)}, true
}

func (n Number) value() *big.Int {
	if n.coefficient == nil {
		return new(big.Int)
	}
	return n.coefficient
}

// withScale is the same number with at least so many digits after the point.
func (n Number) withScale(scale int) Number {
	if scale <= n.scale {
		return n
	}
	return Number{coefficient: new(big.Int).Mul(n.value(), powerOfTen(scale-n.scale)), scale: scale}
}

// smallPowers are what nearly every number needs.
var smallPowers = func() [32]*big.Int {
	var out [32]*big.Int
	for i := range out {
		out[i] = new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(i)), nil)
	}
	return out
}()

func powerOfTen(n int) *big.Int {
	if n < len(smallPowers) {
		return smallPowers[n]
	}
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// Sign is -1, 0 or 1.
func (n Number) Sign() int { return n.value().Sign() }

// Compare is -1, 0 or 1 as n is less than, equal to or greater than m.
func (n Number) Compare(m Number) int {
	scale := max(n.scale, m.scale)
	return n.withScale(scale).value().Cmp(m.withScale(scale).value())
}

// Plus is the sum.
func (n Number) Plus(m Number) Number {
	scale := max(n.scale, m.scale)
	return Number{coefficient: new(big.Int).Add(n.withScale(scale).value(), m.withScale(scale).value()), scale: scale}
}

// Negated is -n.
func (n Number) Negated() Number {
	return Number{coefficient: new(big.Int).Neg(n.value()), scale: n.scale}
}

func (n Number) absolute() Number {
	return Number{coefficient: new(big.Int).Abs(n.value()), scale: n.scale}
}

// maxScale is the most digits after the point that PostgreSQL keeps in a product or quotient.
const maxScale = 16383

func (n Number) times(m Number) Number {
	product := Number{coefficient: new(big.Int).Mul(n.value(), m.value()), scale: n.scale + m.scale}
	if product.scale > maxScale {
		return product.rounded(maxScale)
	}
	return product
}

// rounded has exactly so many digits after the point, half away from zero.
func (n Number) rounded(scale int) Number {
	if scale >= n.scale {
		return n.withScale(scale)
	}
	return Number{coefficient: roundedQuotient(n.value(), powerOfTen(n.scale-scale)), scale: scale}
}

// roundedQuotient is half away from zero. The divisor is not zero.
func roundedQuotient(a, b *big.Int) *big.Int {
	quotient, rest := new(big.Int).QuoRem(a, b, new(big.Int))
	if rest.Lsh(rest.Abs(rest), 1).CmpAbs(b) >= 0 {
		quotient.Add(quotient, big.NewInt(int64(a.Sign()*b.Sign())))
	}
	return quotient
}

// by is the quotient with the digits that PostgreSQL gives it: enough for 16 significant ones, counted by its own digits of
// 10,000, and no fewer than either operand shows. m is not zero.
func (n Number) by(m Number) Number {
	const minimum, perDigit, most = 16, 4, 1000
	weight1, first1 := n.firstDigit()
	weight2, first2 := m.firstDigit()
	weight := weight1 - weight2
	if first1 <= first2 {
		weight--
	}
	scale := min(max(minimum-weight*perDigit, n.scale, m.scale, 0), most)
	// n/10^s1 : m/10^s2 times 10^scale
	dividend, divisor := n.value(), m.value()
	if shift := scale - n.scale + m.scale; shift >= 0 {
		dividend = new(big.Int).Mul(dividend, powerOfTen(shift))
	} else {
		divisor = new(big.Int).Mul(divisor, powerOfTen(-shift))
	}
	return Number{coefficient: roundedQuotient(dividend, divisor), scale: scale}
}

// firstDigit is the first digit of n other than zero, written in base 10,000 with the point between two digits, and the
// power of the base that it stands for.
func (n Number) firstDigit() (weight, digit int) {
	const perDigit, perDigitBits = 4, 2
	if n.Sign() == 0 {
		return 0, 0
	}
	digits := new(big.Int).Abs(n.value()).String()
	places := len(digits) - n.scale // decimal digits before the point; negative with zeros behind it
	weight = (places - 1) >> perDigitBits
	take := places - weight*perDigit // 1 to 4 decimal digits are in the first one
	for i := range take {
		digit *= 10
		if i < len(digits) {
			digit += int(digits[i] - '0')
		}
	}
	return weight, digit
}

// String is the number as PostgreSQL writes it.
func (n Number) String() string {
	text := new(big.Int).Abs(n.value()).String()
	if n.scale > 0 {
		if missing := n.scale + 1 - len(text); missing > 0 {
			text = strings.Repeat("0", missing) + text
		}
		text = text[:len(text)-n.scale] + "." + text[len(text)-n.scale:]
	}
	if n.Sign() < 0 {
		return "-" + text
	}
	return text
}
