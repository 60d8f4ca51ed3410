package tdstest

import "encoding/binary"

// typeOf is the type a bare value has.
func typeOf(v any) sqlType {
	name := "nvarchar(4000)"
	switch x := v.(type) {
	case bool:
		name = "bit"
	case int64:
		if name = "bigint"; x == int64(int32(x)) {
			name = "int"
		}
	case float64:
		name = "float"
	case decimalText:
		return decimalType(x)
	case guidText:
		name = "uniqueidentifier"
	case []byte:
		name = "varbinary(8000)"
	case Variant:
		if t, err := parseType(x.Type, collations[Latin1]); err == nil {
			return t
		}
	case interface{ Unix() int64 }:
		name = "datetime2(7)"
	}
	t, err := parseType(name, collations[Latin1])
	if err != nil {
		return sqlType{kind: kindNVarChar, length: 4000, collation: collations[Latin1]}
	}
	return t
}

// decimalType is the numeric(p,s) a decimal literal has.
func decimalType(d decimalText) sqlType {
	_, n := d.digits()
	scale := 0
	for i := range len(d) {
		if d[i] == '.' {
			scale = len(d) - i - 1
		}
	}
	return sqlType{kind: kindNumeric, length: 17, prec: uint8(max(len(n.String()), scale, 1)), scale: uint8(scale)}
}

func convertVariant(v Variant, t sqlType) (any, *Error) {
	base, err := parseType(v.Type, collations[Latin1])
	if err != nil || base.kind == kindVariant || base.isLOB() || base.kind == kindXML || base.length < 0 {
		return nil, &Error{206, 2, 16, "Operand type clash: " + v.Type + " is incompatible with sql_variant"}
	}
	inner, e := convert(v.Value, base)
	if e != nil || inner == nil {
		return nil, e
	}
	if t.kind == kindVariant {
		return Variant{Type: v.Type, Value: inner}, nil
	}
	return convert(inner, t)
}

func toVariant(v any) (any, *Error) {
	t := typeOf(v)
	name := t.name()
	switch {
	case t.isDecimal():
		name += "(" + plainText(int64(t.prec)) + "," + plainText(int64(t.scale)) + ")"
	case t.kind == kindNVarChar:
		name = "nvarchar(4000)"
	case t.kind == kindVarBinary:
		name = "varbinary(8000)"
	}
	return convertVariant(Variant{Type: name, Value: v}, sqlType{kind: kindVariant})
}

// appendVariant appends a sql_variant: its length, base type, properties and bytes; MS-TDS 2.2.5.5.4.
func appendVariant(b []byte, v Variant) []byte {
	t, err := parseType(v.Type, collations[Latin1])
	if err != nil {
		return append(b, 0, 0, 0, 0)
	}
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	var properties []byte
	wire := byte(0)
	if fixed := fixedWire[t.kind]; fixed[0] != 0 {
		wire = fixed[0]
	} else {
		info := t.appendInfo(nil, true)
		wire = info[0]
		switch {
		case t.isDecimal():
			properties = []byte{t.prec, t.scale}
		case t.kind == kindTime || t.kind == kindDateTime2 || t.kind == kindDateTimeOffset:
			properties = []byte{t.scale}
		case t.isText():
			properties = append(append(properties, info[3:8]...), info[1], info[2])
		case t.isBinary():
			properties = []byte{info[1], info[2]}
		}
	}
	b = append(b, wire, byte(len(properties)))
	b = append(b, properties...)
	b = t.appendBare(b, v.Value)
	binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b
}
