package unpack

import (
	"bytes"
	"encoding/binary"
)

// kind is what a file is packed in.
type kind uint8

const (
	plain kind = iota // nothing, or what package mapping refuses as no text
	gzipped
	zstandard
	bzipped
	xzipped
	zipped // an archive or a workbook
	encrypted
	foreign // what is not unpacked: foreignName says what it is
)

// headBytes is how much of a file is looked at to tell what it is packed in: a tar archive says so in its 257th byte.
const headBytes = 512

// zstdSkippable begins frames of zstd that hold no data; the last digit varies.
const zstdSkippable = 0x184D2A50

// kindOf tells by a file's first bytes what it is packed in. Its name does not matter.
func kindOf(head []byte) kind {
	has := func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }
	switch {
	case has("\x1f\x8b\x08"):
		return gzipped
	case has("\x28\xb5\x2f\xfd"), len(head) >= 4 && binary.LittleEndian.Uint32(head)&^0xF == zstdSkippable:
		return zstandard
	case len(head) >= 10 && has("BZh") && head[3] >= '1' && head[3] <= '9' && (string(head[4:10]) == "1AY&SY" || string(head[4:10]) == "\x17rE8P\x90"):
		return bzipped
	case has("\xfd7zXZ\x00"):
		return xzipped
	case has("PK\x03\x04"), has("PK\x05\x06"), has("PK\x07\x08PK"):
		return zipped
	case isPGP(head):
		return encrypted
	case foreignName(head) != "":
		return foreign
	}
	return plain
}

// foreignName says what a file is that is not unpacked, and what to do; empty for others.
func foreignName(head []byte) string {
	for _, f := range []struct{ magic, name string }{
		{"7z\xbc\xaf\x27\x1c", "a 7-Zip archive: send a ZIP archive"},
		{"Rar!\x1a\x07", "a RAR archive: send a ZIP archive"},
		{"MSCF", "a Windows cabinet: send a ZIP archive"},
		{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook, or one with a password: save it as .xlsx without a password, or as CSV"},
		{"\x09\x08\x10\x00\x00\x06\x05\x00", "an old Excel workbook: save it as .xlsx or as CSV"},
		{"%PDF-", "a PDF document: send CSV"},
		{"SQLite format 3\x00", "an SQLite database: export its tables as CSV"},
		{"\x5d\x00\x00\x80\x00", "compressed with LZMA: use xz, zstd or gzip"},
		{"\x1f\x9d", "compressed with compress (.Z): use gzip, zstd or xz"},
		{"\x04\x22\x4d\x18", "compressed with LZ4: use gzip, zstd or xz"},
		{"PAR1", "a Parquet file: send CSV"},
		{"Obj\x01", "an Avro file: send CSV"},
	} {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return f.name
		}
	}
	if len(head) >= 262 && string(head[257:262]) == "ustar" {
		return "a tar archive: send a ZIP archive"
	}
	return ""
}

// isPGP tells an OpenPGP message by its armour, or by the packets that one begins with: encrypted session keys, encrypted data, a
// signature, a one-pass signature, or compressed data (RFC 9580, section 4.2). Text has no byte above 127 in that place that is
// followed by a version that such packets have.
func isPGP(head []byte) bool {
	if bytes.HasPrefix(bytes.TrimLeft(head, "\ufeff \t\r\n"), []byte("-----BEGIN PGP ")) {
		return true
	}
	if len(head) < 6 || head[0]&0x80 == 0 {
		return false
	}
	tag, body := int(head[0]&0x3F), 0
	if head[0]&0x40 != 0 { // the present format
		switch n := head[1]; {
		case n < 192, n >= 224 && n < 255:
			body = 2
		case n < 224:
			body = 3
		default:
			body = 6
		}
	} else { // the old one, which GnuPG writes for most packets
		tag, body = int(head[0]&0x3C)>>2, []int{2, 3, 5, 1}[head[0]&3]
	}
	if body >= len(head) {
		return false
	}
	switch version := head[body]; tag {
	case 1: // session key for a public key
		return version == 3 || version == 6
	case 3: // session key for a password
		return version >= 4 && version <= 6
	case 4: // one-pass signature
		return version == 3 || version == 6
	case 18: // encrypted and protected data
		return version == 1 || version == 2
	case 2: // signature
		return version >= 3 && version <= 6
	case 8: // compressed data: by its algorithm
		return version <= 3 && head[0] != 0xA3 || head[0] == 0xA3 && version >= 1 && version <= 3
	}
	return false
}
