package tdstest

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

func toText(v any, t sqlType) (any, *Error) {
	var s string
	switch x := v.(type) {
	case string:
		s = x
	case []byte:
		if t.isWide() {
			s = fromUTF16(x)
		} else {
			s = t.collation.decode(x)
		}
	default:
		s = plainText(v)
	}
	if t.length > 0 && !t.isLOB() && t.kind != kindXML {
		s = cut(s, t)
	}
	return s, nil
}

// cut makes a text fit its type: it is cut off, and char and nchar are padded with spaces.
func cut(s string, t sqlType) string {
	size := func(r rune) int {
		switch {
		case t.isWide() && r > 0xffff:
			return 2
		case !t.isWide() && t.collation != nil && t.collation.page == nil:
			return len(string(r))
		default:
			return 1
		}
	}
	n := 0
	for i, r := range s {
		if n+size(r) > t.length {
			s = s[:i]
			break
		}
		n += size(r)
	}
	if t.kind == kindChar || t.kind == kindNChar {
		s += strings.Repeat(" ", t.length-n)
	}
	return s
}

// plainText is a value as CONVERT(varchar) writes it without a style; dates are written as in ISO 8601.
func plainText(v any) string {
	switch x := v.(type) {
	case bool:
		if x {
			return "1"
		}
		return "0"
	case int64:
		return strconv.FormatInt(x, 10)
	case float64:
		return strconv.FormatFloat(x, 'g', 6, 64)
	case decimalText:
		return string(x)
	case guidText:
		return string(x)
	case time.Time:
		return x.Format("2006-01-02 15:04:05.9999999")
	case Variant:
		return plainText(x.Value)
	default:
		return fmt.Sprint(v)
	}
}

func toBinary(v any, t sqlType) (any, *Error) {
	var b []byte
	switch x := v.(type) {
	case []byte:
		b = x
	case int64:
		b = binary.BigEndian.AppendUint64(nil, uint64(x))
		if t.length > 0 && t.length < 8 {
			b = b[8-t.length:]
		}
	case string:
		b = t.collation.encode(x)
	case guidText:
		w := x.wire()
		b = w[:]
	default:
		return nil, cannotConvert(v, t)
	}
	if t.length > 0 && t.kind != kindImage && len(b) > t.length {
		b = b[:t.length]
	}
	if pad := t.length - len(b); t.kind == kindBinary && pad > 0 {
		b = append(append([]byte(nil), b...), make([]byte, pad)...)
	}
	return b, nil
}

func toGUID(v any, t sqlType) (any, *Error) {
	switch x := v.(type) {
	case guidText:
		return x, nil
	case string:
		if g, ok := parseGUID(x); ok {
			return g, nil
		}
		return nil, &Error{8169, 2, 16, "Conversion failed when converting from a character string to uniqueidentifier."}
	case []byte:
		if len(x) == 16 {
			return guidFromWire(x), nil
		}
	}
	return nil, cannotConvert(v, t)
}

func hexText(b []byte) string { return "0x" + strings.ToUpper(hex.EncodeToString(b)) }
