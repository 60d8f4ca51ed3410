package tdstest

import (
	"encoding/binary"
	"math"
	"math/big"
	"time"
)

// readValue reads a parameter's value.
func readValue(c *cursor, t sqlType) (any, bool) {
	b, null := rawValue(c, t)
	if c.bad {
		return nil, false
	}
	if null {
		return nil, true
	}
	v, ok := decodeValue(b, t)
	return v, ok
}

// rawValue reads a value's bytes, with the length its type has.
func rawValue(c *cursor, t sqlType) (b []byte, null bool) {
	switch {
	case t.nullOnly:
		return nil, true
	case t.wireFixed:
		return c.take(facts[t.kind].bytes), false
	case t.isLOB():
		n := c.uint32()
		if n == 0xffffffff {
			return nil, true
		}
		return c.take(int(n)), false
	case t.length < 0:
		return readPLP(c)
	case t.isText() || t.isBinary():
		n := c.uint16()
		if n == shortNull {
			return nil, true
		}
		return c.take(int(n)), false
	default:
		n := int(c.uint8())
		return c.take(n), n == 0
	}
}

func readPLP(c *cursor) (b []byte, null bool) {
	if c.uint64() == plpNull {
		return nil, true
	}
	b = []byte{}
	for {
		n := c.uint32()
		if n == 0 || c.bad {
			return b, false
		}
		b = append(b, c.take(int(n))...)
	}
}

// decodeValue is what appendBare undoes.
func decodeValue(b []byte, t sqlType) (any, bool) {
	switch {
	case t.kind == kindBit:
		return len(b) == 1 && b[0] != 0, len(b) == 1
	case t.isInteger() || t.kind == kindFloat || t.kind == kindReal || t.kind == kindMoney || t.kind == kindSmallMoney:
		if len(b) != facts[t.kind].bytes {
			return nil, false
		}
		return decodeFixed(b, t), true
	case t.isDecimal():
		return decodeDecimal(b, t)
	case t.kind == kindGUID:
		if len(b) != 16 {
			return nil, false
		}
		return guidFromWire(b), true
	case t.kind >= kindDate && t.kind <= kindDateTimeOffset:
		return decodeMoment(b, t)
	case t.isWide() || t.kind == kindXML:
		return fromUTF16(b), len(b)%2 == 0
	case t.isNarrow():
		return t.collation.decode(b), true
	default:
		return append([]byte{}, b...), true
	}
}

func decodeFixed(b []byte, t sqlType) any {
	var wide [8]byte
	copy(wide[:], b)
	n := binary.LittleEndian.Uint64(wide[:])
	switch t.kind {
	case kindTinyInt:
		return int64(n)
	case kindSmallInt:
		return int64(int16(n))
	case kindInt:
		return int64(int32(n))
	case kindReal:
		return float64(math.Float32frombits(uint32(n)))
	case kindFloat:
		return math.Float64frombits(n)
	case kindSmallMoney:
		return scaled(new(big.Int).SetInt64(int64(int32(n))), 4)
	case kindMoney:
		return scaled(new(big.Int).SetInt64(int64(n<<32|n>>32)), 4)
	default:
		return int64(n)
	}
}

func scaled(n *big.Int, scale uint8) decimalText {
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
	return decimalText(new(big.Rat).SetFrac(n, unit).FloatString(int(scale)))
}

func decodeDecimal(b []byte, t sqlType) (any, bool) {
	if len(b) < 2 {
		return nil, false
	}
	digits := make([]byte, 0, 16)
	for i := len(b) - 1; i > 0; i-- {
		digits = append(digits, b[i])
	}
	n := new(big.Int).SetBytes(digits)
	if b[0] == 0 {
		n.Neg(n)
	}
	return scaled(n, t.scale), true
}

func decodeMoment(b []byte, t sqlType) (any, bool) {
	switch t.kind {
	case kindDateTime:
		if len(b) != 8 {
			return nil, false
		}
		days, ticks := int32(binary.LittleEndian.Uint32(b)), binary.LittleEndian.Uint32(b[4:])
		return year19.AddDate(0, 0, int(days)).Add(durationOf(int64(ticks))), ticks < ticksPerDay
	case kindSmallDateTime:
		if len(b) != 4 {
			return nil, false
		}
		days, minutes := binary.LittleEndian.Uint16(b), binary.LittleEndian.Uint16(b[2:])
		return year19.AddDate(0, 0, int(days)).Add(time.Duration(minutes) * time.Minute), true
	default:
		return decodeNewMoment(b, t)
	}
}

// decodeNewMoment is for the types that came with date: days since year 1, and a time of so many units.
func decodeNewMoment(b []byte, t sqlType) (any, bool) {
	size := map[kind]int{
		kindDate: 3, kindTime: timeSize(t.scale), kindDateTime2: timeSize(t.scale) + 3, kindDateTimeOffset: timeSize(t.scale) + 5,
	}[t.kind]
	if len(b) != size {
		return nil, false
	}
	m := dayOne
	if t.kind != kindDate {
		n := uint64(0)
		for i := timeSize(t.scale) - 1; i >= 0; i-- {
			n = n<<8 | uint64(b[i])
		}
		if n > uint64(day/unitOf(t.scale)) {
			return nil, false
		}
		m = m.Add(time.Duration(n) * unitOf(t.scale))
		b = b[timeSize(t.scale):]
	}
	if len(b) >= 3 {
		m = m.AddDate(0, 0, int(b[0])|int(b[1])<<8|int(b[2])<<16)
	}
	if t.kind == kindDateTimeOffset {
		m = m.In(time.FixedZone("", 60*int(int16(binary.LittleEndian.Uint16(b[3:])))))
	}
	return m, m.Year() <= 9999
}
