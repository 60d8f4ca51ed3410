package tdstest

import "encoding/binary"

// The types on the wire: MS-TDS 2.2.5.4.
const (
	wireNull     = 0x1f
	wireInt1     = 0x30
	wireBit      = 0x32
	wireInt2     = 0x34
	wireInt4     = 0x38
	wireDateTim4 = 0x3a
	wireFlt4     = 0x3b
	wireMoney    = 0x3c
	wireDateTime = 0x3d
	wireFlt8     = 0x3e
	wireMoney4   = 0x7a
	wireInt8     = 0x7f

	wireGUID       = 0x24
	wireIntN       = 0x26
	wireBitN       = 0x68
	wireDecimalN   = 0x6a
	wireNumericN   = 0x6c
	wireFltN       = 0x6d
	wireMoneyN     = 0x6e
	wireDateTimeN  = 0x6f
	wireDateN      = 0x28
	wireTimeN      = 0x29
	wireDateTime2N = 0x2a
	wireOffsetN    = 0x2b

	wireVarBinary = 0xa5
	wireVarChar   = 0xa7
	wireBinary    = 0xad
	wireChar      = 0xaf
	wireNVarChar  = 0xe7
	wireNChar     = 0xef
	wireXML       = 0xf1

	wireText    = 0x23
	wireImage   = 0x22
	wireNText   = 0x63
	wireVariant = 0x62

	variantMax = 8009
	lobMax     = 0x7fffffff
)

// fixedWire are the wire types of the kinds that have one for columns that are never NULL: that, and the other.
var fixedWire = [len(facts)][2]byte{
	kindBit: {wireBit, wireBitN}, kindTinyInt: {wireInt1, wireIntN}, kindSmallInt: {wireInt2, wireIntN},
	kindInt: {wireInt4, wireIntN}, kindBigInt: {wireInt8, wireIntN}, kindFloat: {wireFlt8, wireFltN},
	kindReal: {wireFlt4, wireFltN}, kindMoney: {wireMoney, wireMoneyN}, kindSmallMoney: {wireMoney4, wireMoneyN},
	kindDateTime: {wireDateTime, wireDateTimeN}, kindSmallDateTime: {wireDateTim4, wireDateTimeN},
}

// appendInfo appends TYPE_INFO. The table name that text, ntext and image have after it is the caller's.
func (t sqlType) appendInfo(b []byte, nullable bool) []byte {
	if wire := fixedWire[t.kind]; wire[0] != 0 {
		if nullable {
			return append(b, wire[1], byte(facts[t.kind].bytes))
		}
		return append(b, wire[0])
	}
	switch t.kind {
	case kindDecimal:
		return append(b, wireDecimalN, byte(decimalSize(t.prec)), t.prec, t.scale)
	case kindNumeric:
		return append(b, wireNumericN, byte(decimalSize(t.prec)), t.prec, t.scale)
	case kindDate:
		return append(b, wireDateN)
	case kindTime:
		return append(b, wireTimeN, t.scale)
	case kindDateTime2:
		return append(b, wireDateTime2N, t.scale)
	case kindDateTimeOffset:
		return append(b, wireOffsetN, t.scale)
	case kindGUID:
		return append(b, wireGUID, 16)
	case kindXML:
		return append(b, wireXML, 0)
	case kindVariant:
		return binary.LittleEndian.AppendUint32(append(b, wireVariant), variantMax)
	case kindText:
		return t.appendCollation(binary.LittleEndian.AppendUint32(append(b, wireText), lobMax))
	case kindNText:
		return t.appendCollation(binary.LittleEndian.AppendUint32(append(b, wireNText), lobMax-1))
	case kindImage:
		return binary.LittleEndian.AppendUint32(append(b, wireImage), lobMax)
	default:
		return t.appendSized(b)
	}
}

// appendSized is TYPE_INFO of the character and binary types, whose length is in two bytes, 0xffff for max.
func (t sqlType) appendSized(b []byte) []byte {
	wire := map[kind]byte{
		kindChar: wireChar, kindVarChar: wireVarChar, kindNChar: wireNChar, kindNVarChar: wireNVarChar,
		kindBinary: wireBinary, kindVarBinary: wireVarBinary, kindRowversion: wireBinary,
	}[t.kind]
	b = binary.LittleEndian.AppendUint16(append(b, wire), uint16(t.maxLength()))
	if t.isBinary() {
		return b
	}
	return t.appendCollation(b)
}

func (t sqlType) appendCollation(b []byte) []byte {
	info := t.collation.bytes()
	return append(b, info[:]...)
}

// readInfo reads TYPE_INFO of a parameter.
func readInfo(c *cursor) (sqlType, bool) {
	wire := c.uint8()
	for k, w := range fixedWire {
		if wire == w[0] && wire != 0 {
			return sqlType{kind: kind(k), length: facts[k].bytes, prec: facts[k].prec, scale: facts[k].scale, wireFixed: true}, true
		}
	}
	switch wire {
	case wireNull:
		return sqlType{kind: kindNVarChar, length: 1, collation: collations[Latin1], nullOnly: true}, true
	case wireIntN, wireFltN, wireMoneyN, wireDateTimeN, wireBitN:
		return sizedKind(wire, int(c.uint8()))
	case wireDecimalN, wireNumericN:
		c.uint8()
		t := sqlType{kind: kindDecimal, length: 17, prec: c.uint8(), scale: c.uint8()}
		return t, t.prec >= 1 && t.prec <= 38 && t.scale <= t.prec
	case wireGUID:
		return sqlType{kind: kindGUID, length: 16}, c.uint8() == 16
	case wireDateN:
		return sqlType{kind: kindDate, length: 3, prec: 10}, true
	case wireTimeN, wireDateTime2N, wireOffsetN:
		k := map[byte]kind{wireTimeN: kindTime, wireDateTime2N: kindDateTime2, wireOffsetN: kindDateTimeOffset}[wire]
		t := sqlType{kind: k, scale: c.uint8()}
		return t, t.scale <= 7
	case wireVarBinary, wireBinary, wireVarChar, wireChar, wireNVarChar, wireNChar:
		return readSized(c, wire)
	case wireXML:
		return sqlType{kind: kindXML, length: -1}, c.uint8() == 0
	case wireText, wireNText, wireImage:
		c.uint32()
		t := sqlType{kind: map[byte]kind{wireText: kindText, wireNText: kindNText, wireImage: kindImage}[wire], length: 16}
		if wire != wireImage {
			t.collation = readCollation(c)
		}
		return t, true
	default:
		return sqlType{}, false
	}
}

func sizedKind(wire byte, size int) (sqlType, bool) {
	for k, w := range fixedWire {
		if wire == w[1] && facts[k].bytes == size {
			return sqlType{kind: kind(k), length: size, prec: facts[k].prec, scale: facts[k].scale}, true
		}
	}
	return sqlType{}, false
}

func readSized(c *cursor, wire byte) (sqlType, bool) {
	t := sqlType{kind: map[byte]kind{
		wireVarBinary: kindVarBinary, wireBinary: kindBinary, wireVarChar: kindVarChar, wireChar: kindChar,
		wireNVarChar: kindNVarChar, wireNChar: kindNChar,
	}[wire]}
	switch size := int(c.uint16()); {
	case size == 0xffff:
		t.length = -1
	case t.isWide():
		t.length = max(1, size/2)
	default:
		t.length = max(1, size)
	}
	if !t.isBinary() {
		t.collation = readCollation(c)
	}
	return t, !c.bad
}
