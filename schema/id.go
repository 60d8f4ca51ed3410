package schema

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// ObjectID is the production id of the tenant's object of that import id: the prefix, an underscore and 32 hex digits. It
// is computed, not assigned: the same object has the same id whenever and wherever it is loaded, and a reference can be
// resolved without looking anything up.
func ObjectID(tenant, prefix, importID string) string {
	return string(AppendObjectID(nil, tenant, prefix, []byte(importID)))
}

// AppendObjectID appends the production id to dst. It allocates only to grow dst, or for names beyond any schema's bounds.
func AppendObjectID(dst []byte, tenant, prefix string, importID []byte) []byte {
	digits := ObjectDigits(tenant, prefix, importID)
	dst = append(dst, prefix...)
	dst = append(dst, '_')
	return hex.AppendEncode(dst, digits[:])
}

// ObjectDigits are the sixteen bytes that a production id's digits stand for. It does not allocate, but for names beyond any
// schema's bounds: a load computes them for the key of every row.
func ObjectDigits(tenant, prefix string, importID []byte) [16]byte {
	// Each part is preceded by its length, so that no two triples make the same text. One-byte lengths keep the usual
	// triple within SHA-256's first block, where half the time of a second would be spent.
	var buffer [256]byte
	text := binary.AppendUvarint(buffer[:0], uint64(len(tenant)))
	text = append(text, tenant...)
	text = binary.AppendUvarint(text, uint64(len(prefix)))
	text = append(text, prefix...)
	text = binary.AppendUvarint(text, uint64(len(importID)))
	text = append(text, importID...)
	sum := sha256.Sum256(text)
	return [16]byte(sum[:16])
}

// ParseObjectID reads the digits of what has the form of a production id of that prefix.
func ParseObjectID(prefix string, b []byte) (digits [16]byte, ok bool) {
	if !IsObjectID(prefix, b) {
		return digits, false
	}
	_, err := hex.Decode(digits[:], b[len(prefix)+1:])
	return digits, err == nil
}

// IsObjectID reports whether b has the form of a production id of that prefix.
func IsObjectID(prefix string, b []byte) bool {
	if len(b) != len(prefix)+idDigits || string(b[:len(prefix)]) != prefix || b[len(prefix)] != '_' {
		return false
	}
	for _, c := range b[len(prefix)+1:] {
		if !isDigit(c) && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
