package tdstest

import (
	"encoding/binary"
	"math"
	"math/big"
	"time"
)

const (
	shortNull = 0xffff
	plpNull   = 0xffffffffffffffff
	// plpChunk is how much of a max value goes into one chunk.
	plpChunk = 8000
)

// textPointer is what comes before a text, ntext or image: a pointer and a timestamp, which clients skip.
var textPointer = append(append([]byte{16}, "dummy textptr\x00\x00\x00"...), "dummyTS\x00"...)

// appendValue appends a value, which convert has made of type t, as it stands in a row.
func (t sqlType) appendValue(b []byte, v any, nullable bool) []byte {
	if v == nil {
		return t.appendNull(b)
	}
	if fixedWire[t.kind][0] != 0 {
		if nullable {
			b = append(b, byte(facts[t.kind].bytes))
		}
		return t.appendBare(b, v)
	}
	switch {
	case t.kind == kindVariant:
		return appendVariant(b, v.(Variant))
	case t.isLOB():
		at := len(b) + len(textPointer)
		b = append(append(b, textPointer...), 0, 0, 0, 0)
		b = t.appendBare(b, v)
		binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at-4))
		return b
	case t.kind == kindXML || t.length < 0:
		return appendPLP(b, t.appendBare(nil, v))
	case t.isText() || t.isBinary():
		at := len(b)
		b = t.appendBare(append(b, 0, 0), v)
		binary.LittleEndian.PutUint16(b[at:], uint16(len(b)-at-2))
		return b
	default:
		at := len(b)
		b = t.appendBare(append(b, 0), v)
		b[at] = byte(len(b) - at - 1)
		return b
	}
}

func (t sqlType) appendNull(b []byte) []byte {
	switch {
	case t.kind == kindVariant:
		return append(b, 0, 0, 0, 0)
	case t.kind == kindXML || t.length < 0:
		return binary.LittleEndian.AppendUint64(b, plpNull)
	case !t.isLOB() && (t.isText() || t.isBinary()):
		return binary.LittleEndian.AppendUint16(b, shortNull)
	default:
		return append(b, 0)
	}
}

// appendPLP appends a max value with its length known, in chunks.
func appendPLP(b, data []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(len(data)))
	for len(data) > 0 {
		n := min(len(data), plpChunk)
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
		b = append(b, data[:n]...)
		data = data[n:]
	}
	return append(b, 0, 0, 0, 0)
}

// appendBare appends the bytes of a value without any length.
func (t sqlType) appendBare(b []byte, v any) []byte {
	switch x := v.(type) {
	case bool:
		if x {
			return append(b, 1)
		}
		return append(b, 0)
	case int64:
		switch t.kind {
		case kindTinyInt:
			return append(b, byte(x))
		case kindSmallInt:
			return binary.LittleEndian.AppendUint16(b, uint16(x))
		case kindInt:
			return binary.LittleEndian.AppendUint32(b, uint32(x))
		default:
			return binary.LittleEndian.AppendUint64(b, uint64(x))
		}
	case float64:
		if t.kind == kindReal {
			return binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(x)))
		}
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
	case decimalText:
		return t.appendDecimal(b, x)
	case guidText:
		w := x.wire()
		return append(b, w[:]...)
	case time.Time:
		return t.appendTime(b, x)
	case string:
		if t.isWide() || t.kind == kindXML {
			return appendUTF16(b, x)
		}
		return append(b, t.collation.encode(x)...)
	case []byte:
		return append(b, x...)
	default:
		return b
	}
}

// appendDecimal appends a decimal (sign, then the digits little-endian) or money (the high half first).
func (t sqlType) appendDecimal(b []byte, d decimalText) []byte {
	negative, n := d.digits()
	if t.kind == kindMoney || t.kind == kindSmallMoney {
		m := int64(n.Uint64())
		if negative {
			m = -m
		}
		if t.kind == kindMoney {
			b = binary.LittleEndian.AppendUint32(b, uint32(uint64(m)>>32))
		}
		return binary.LittleEndian.AppendUint32(b, uint32(m))
	}
	sign := byte(1)
	if negative {
		sign = 0
	}
	b = append(b, sign)
	size := decimalSize(t.prec) - 1
	if n.IsUint64() {
		b = binary.LittleEndian.AppendUint64(b, n.Uint64())
		if size < 8 {
			return b[:len(b)-8+size]
		}
		return append(b, make([]byte, size-8)...)
	}
	return appendBig(b, n, size)
}

func appendBig(b []byte, n *big.Int, size int) []byte {
	digits := make([]byte, size)
	n.FillBytes(digits)
	for i := len(digits) - 1; i >= 0; i-- {
		b = append(b, digits[i])
	}
	return b
}
