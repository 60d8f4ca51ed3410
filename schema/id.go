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

// AppendObjectID appends the production id to dst. It allocates only to grow dst, or for names beyond any schema's bounds:
// a load computes one for every key and reference of every row.
func AppendObjectID(dst []byte, tenant, prefix string, importID []byte) []byte {
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
	dst = append(dst, prefix...)
	dst = append(dst, '_')
	return hex.AppendEncode(dst, sum[:16])
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
