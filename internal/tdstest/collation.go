package tdstest

import (
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/text/encoding/charmap"
)

// collation is how a character type is written on the wire.
type collation struct {
	name   Collation
	info   uint32 // LCID, flags and version
	sortID byte
	page   *charmap.Charmap // nil for UTF-8
}

const (
	// ignoreAll is "not case-, kana- and width-sensitive" in the flags of a collation.
	ignoreAll = 0x00d00000
	flagUTF8  = 0x04000000
	version2  = 0x20000000

	lcidEnglish = 0x0409
	lcidCzech   = 0x0405
	lcidRussian = 0x0419
)

var collations = map[Collation]*collation{
	Latin1:        {Latin1, lcidEnglish | ignoreAll, 52, charmap.Windows1252},
	Cyrillic:      {Cyrillic, lcidRussian | ignoreAll, 0, charmap.Windows1251},
	CentralEurope: {CentralEurope, lcidCzech | ignoreAll, 0, charmap.Windows1250},
	UTF8:          {UTF8, lcidEnglish | ignoreAll | flagUTF8 | version2, 0, nil},
}

func collationNamed(name string) (*collation, error) {
	for n, c := range collations {
		if strings.EqualFold(string(n), name) {
			return c, nil
		}
	}
	return nil, fmt.Errorf("the collation %q is not one the test server knows", name)
}

func (c *collation) bytes() [5]byte {
	var b [5]byte
	if c == nil {
		c = collations[Latin1]
	}
	binary.LittleEndian.PutUint32(b[:], c.info)
	b[4] = c.sortID
	return b
}

// readCollation reads a parameter's collation; one that is not known is taken for Latin1.
func readCollation(c *cursor) *collation {
	info, sortID := c.uint32(), c.uint8()
	for _, known := range collations {
		if known.info == info && known.sortID == sortID {
			return known
		}
	}
	if info&flagUTF8 != 0 {
		return collations[UTF8]
	}
	if info&0xffff == lcidRussian {
		return collations[Cyrillic]
	}
	return collations[Latin1]
}

// encode writes text in the code page; what it lacks becomes a question mark, as in SQL Server.
func (c *collation) encode(s string) []byte {
	if c == nil {
		c = collations[Latin1]
	}
	if c.page == nil || isASCII(s) {
		return []byte(s)
	}
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if e, ok := c.page.EncodeRune(r); ok {
			b = append(b, e)
		} else {
			b = append(b, '?')
		}
	}
	return b
}

func (c *collation) decode(b []byte) string {
	if c == nil || c.page == nil {
		return strings.ToValidUTF8(string(b), "\ufffd")
	}
	out, err := c.page.NewDecoder().Bytes(b)
	if err != nil {
		return string(b)
	}
	return string(out)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
