package tdstest

import (
	"encoding/binary"
	"unicode/utf16"
)

// The tokens and their parts: MS-TDS 2.2.7.
const (
	tokenReturnStatus = 0x79
	tokenColumns      = 0x81
	tokenOrder        = 0xa9
	tokenError        = 0xaa
	tokenInfo         = 0xab
	tokenReturnValue  = 0xac
	tokenLoginAck     = 0xad
	tokenFeatureAck   = 0xae
	tokenRow          = 0xd1
	tokenNBCRow       = 0xd2
	tokenEnvChange    = 0xe3
	tokenDone         = 0xfd
	tokenDoneProc     = 0xfe
	tokenDoneInProc   = 0xff

	doneMore      = 0x01
	doneError     = 0x02
	doneInTran    = 0x04
	doneCount     = 0x10
	doneAttention = 0x20
	doneSrvError  = 0x100

	commandSelect   = 0xc1
	commandBegin    = 0xd4
	commandCommit   = 0xd5
	commandRollback = 0xd2
	commandSet      = 0xbe
	commandUse      = 0xe2

	envDatabase   = 1
	envLanguage   = 2
	envPacketSize = 4
	envCollation  = 7
	envBegin      = 8
	envCommit     = 9
	envRollback   = 10
	envReset      = 18

	versionMajor, versionMinor, versionBuild = 16, 0, 1000

	productName = "Microsoft SQL Server"
)

// token writes a token whose length is two bytes.
func (c *session) token(id byte, body []byte) {
	c.out.put(binary.LittleEndian.AppendUint16([]byte{id}, uint16(len(body))))
	c.out.put(body)
}

// done writes DONE, DONEPROC or DONEINPROC; inside a transaction the status says so.
func (c *session) done(id byte, status, command uint16, rows uint64) {
	if c.tran != 0 {
		status |= doneInTran
	}
	b := binary.LittleEndian.AppendUint16([]byte{id}, status)
	b = binary.LittleEndian.AppendUint16(b, command)
	c.out.put(binary.LittleEndian.AppendUint64(b, rows))
}

func (c *session) writeError(e *Error) { c.message(tokenError, e) }
func (c *session) writeInfo(e *Error)  { c.message(tokenInfo, e) }

func (c *session) message(id byte, e *Error) {
	b := binary.LittleEndian.AppendUint32(nil, uint32(e.Number))
	b = append(b, e.State, e.Class)
	text := []rune(e.Message)
	if len(text) > 2000 {
		text = text[:2000]
	}
	b = appendShortText(b, string(text))
	b = appendByteText(b, serverName)
	b = appendByteText(b, "")
	c.token(id, binary.LittleEndian.AppendUint32(b, 1))
}

func (c *session) envText(kind byte, now, before string) {
	c.token(tokenEnvChange, appendByteText(appendByteText([]byte{kind}, now), before))
}

func (c *session) envBytes(kind byte, now, before []byte) {
	b := append([]byte{kind, byte(len(now))}, now...)
	c.token(tokenEnvChange, append(append(b, byte(len(before))), before...))
}

// loginAck says SQL, the version of TDS (big-endian), and the product with its version.
func (c *session) loginAck(version uint32) {
	b := binary.BigEndian.AppendUint32([]byte{1}, version)
	b = appendByteText(b, productName)
	c.token(tokenLoginAck, append(b, versionMajor, versionMinor, versionBuild>>8, versionBuild&0xff))
}

// columns writes COLMETADATA.
func (c *session) columns(cols []resultColumn) {
	b := binary.LittleEndian.AppendUint16([]byte{tokenColumns}, uint16(len(cols)))
	for i := range cols {
		col := &cols[i]
		b = binary.LittleEndian.AppendUint32(b, col.typ.userType())
		b = binary.LittleEndian.AppendUint16(b, col.flags())
		b = col.typ.appendInfo(b, col.nullable)
		if col.typ.isLOB() {
			b = appendTableName(b, col.table)
		}
		b = appendByteText(b, col.name)
	}
	c.out.put(b)
}

// order writes the ORDER token: by which columns of the result (from 1) the rows are sorted.
func (c *session) order(columns []int) {
	var b []byte
	for _, n := range columns {
		b = binary.LittleEndian.AppendUint16(b, uint16(n))
	}
	c.token(tokenOrder, b)
}

// appendTableName writes the table a text, ntext or image comes from, as its parts.
func appendTableName(b []byte, parts []string) []byte {
	b = append(b, byte(len(parts)))
	for _, p := range parts {
		b = appendShortText(b, p)
	}
	return b
}

func appendByteText(b []byte, s string) []byte {
	u := utf16.Encode([]rune(s))
	if len(u) > 255 {
		u = u[:255]
	}
	return appendUnits(append(b, byte(len(u))), u)
}

func appendShortText(b []byte, s string) []byte {
	u := utf16.Encode([]rune(s))
	return appendUnits(binary.LittleEndian.AppendUint16(b, uint16(len(u))), u)
}

func appendUnits(b []byte, units []uint16) []byte {
	for _, u := range units {
		b = append(b, byte(u), byte(u>>8))
	}
	return b
}

// appendUTF16 appends s as UTF-16, little-endian.
func appendUTF16(b []byte, s string) []byte {
	for _, r := range s {
		switch {
		case r < 0x10000:
			b = append(b, byte(r), byte(r>>8))
		default:
			hi, lo := utf16.EncodeRune(r)
			b = append(b, byte(hi), byte(hi>>8), byte(lo), byte(lo>>8))
		}
	}
	return b
}

func fromUTF16(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}
