package tdstest

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// convert makes v a value of type t, as an assignment, CAST or CONVERT does. It takes any of Go's integers too.
func convert(v any, t sqlType) (any, *Error) {
	switch x := v.(type) {
	case nil:
		return nil, nil
	case int:
		v = int64(x)
	case int32:
		v = int64(x)
	case int16:
		v = int64(x)
	case uint8:
		v = int64(x)
	case float32:
		v = float64(x)
	case Variant:
		return convertVariant(x, t)
	}
	switch {
	case t.kind == kindBit:
		return toBit(v)
	case t.isInteger():
		return toInteger(v, t)
	case t.isDecimal():
		return toDecimal(v, t)
	case t.kind == kindFloat || t.kind == kindReal:
		return toFloat(v, t)
	case t.kind >= kindDate && t.kind <= kindDateTimeOffset:
		return toTime(v, t)
	case t.isText():
		return toText(v, t)
	case t.isBinary():
		return toBinary(v, t)
	case t.kind == kindGUID:
		return toGUID(v, t)
	default:
		return toVariant(v)
	}
}

func cannotConvert(v any, t sqlType) *Error {
	if s, ok := v.(string); ok && (t.isInteger() || t.kind == kindBit) {
		return &Error{245, 1, 16, fmt.Sprintf("Conversion failed when converting the varchar value '%.100s' to data type %s.", s, t.name())}
	}
	return &Error{8114, 5, 16, fmt.Sprintf("Error converting data type %s to %s.", typeOf(v).name(), t.name())}
}

func overflow(t sqlType) *Error {
	return &Error{8115, 2, 16, "Arithmetic overflow error converting expression to data type " + t.name() + "."}
}

// number gives a value as a rational, where it is a number.
func number(v any) (*big.Rat, bool) {
	switch x := v.(type) {
	case bool:
		if x {
			return big.NewRat(1, 1), true
		}
		return new(big.Rat), true
	case int64:
		return new(big.Rat).SetInt64(x), true
	case float64:
		r := new(big.Rat).SetFloat64(x)
		return r, r != nil
	case decimalText:
		return x.rat(), true
	default:
		return nil, false
	}
}

func toBit(v any) (any, *Error) {
	t := sqlType{kind: kindBit}
	if s, ok := v.(string); ok {
		switch strings.ToLower(strings.TrimSpace(s)) {
		case "true", "1":
			return true, nil
		case "false", "0", "":
			return false, nil
		}
		return nil, cannotConvert(v, t)
	}
	if r, ok := number(v); ok {
		return r.Sign() != 0, nil
	}
	return nil, cannotConvert(v, t)
}

func toInteger(v any, t sqlType) (any, *Error) {
	var n int64
	switch x := v.(type) {
	case int64:
		n = x
	case string:
		var err error
		if n, err = strconv.ParseInt(strings.TrimSpace(x), 10, 64); err != nil && strings.TrimSpace(x) != "" {
			return nil, cannotConvert(v, t)
		}
	case []byte:
		var b [8]byte
		if len(x) > 8 {
			x = x[len(x)-8:]
		}
		copy(b[8-len(x):], x)
		n = int64(binary.BigEndian.Uint64(b[:]))
	default:
		r, ok := number(v)
		if !ok {
			return nil, cannotConvert(v, t)
		}
		whole := new(big.Int).Quo(r.Num(), r.Denom())
		if !whole.IsInt64() {
			return nil, overflow(t)
		}
		n = whole.Int64()
	}
	low, high := int64(math.MinInt64), int64(math.MaxInt64)
	switch t.kind {
	case kindTinyInt:
		low, high = 0, math.MaxUint8
	case kindSmallInt:
		low, high = math.MinInt16, math.MaxInt16
	case kindInt:
		low, high = math.MinInt32, math.MaxInt32
	default:
	}
	if n < low || n > high {
		return nil, overflow(t)
	}
	return n, nil
}

func toDecimal(v any, t sqlType) (any, *Error) {
	prec := t.prec
	var d decimalText
	var ok bool
	switch x := v.(type) {
	case string:
		if d, ok = parseDecimal(x, prec, t.scale); !ok {
			if !isNumber(strings.TrimSpace(x)) {
				return nil, cannotConvert(v, t)
			}
		}
	default:
		var r *big.Rat
		if r, ok = number(v); !ok {
			return nil, cannotConvert(v, t)
		}
		d, ok = ratDecimal(r, prec, t.scale)
	}
	if !ok {
		return nil, overflow(t)
	}
	if t.kind == kindDecimal || t.kind == kindNumeric {
		return d, nil
	}
	if _, n := d.digits(); t.kind == kindMoney && !n.IsInt64() || t.kind == kindSmallMoney && n.BitLen() > 31 {
		if t.kind == kindMoney && d == "-922337203685477.5808" || t.kind == kindSmallMoney && d == "-214748.3648" {
			return d, nil
		}
		return nil, overflow(t)
	}
	return d, nil
}

func toFloat(v any, t sqlType) (any, *Error) {
	var f float64
	switch x := v.(type) {
	case float64:
		f = x
	case string:
		var err error
		if f, err = strconv.ParseFloat(strings.TrimSpace(x), 64); err != nil {
			return nil, cannotConvert(v, t)
		}
	default:
		r, ok := number(v)
		if !ok {
			return nil, cannotConvert(v, t)
		}
		f, _ = r.Float64()
	}
	if t.kind == kindReal {
		f = float64(float32(f))
	}
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, overflow(t)
	}
	return f, nil
}
