package schema_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"dropline/schema"
)

func TestObjectID(t *testing.T) {
	t.Parallel()
	// The form is stored in every production table: it must never change.
	sum := sha256.Sum256([]byte("\x04acme\x06matter\x02M1"))
	want := "matter_" + hex.EncodeToString(sum[:16])
	if got := schema.ObjectID("acme", "matter", "M1"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if want != "matter_24f44f61fe81653e3d25cfbae63c40b0" {
		t.Errorf("the recipe itself changed: %s", want)
	}
	ids := map[string]bool{}
	for _, triple := range [][3]string{
		{"a", "b", "c"},
		{"ab", "", "c"},
		{"", "ab", "c"},
		{"a", "", "bc"},
		{"a", "b", "C"},
		{"a", "b", ""},
		{"a", "b", strings.Repeat("x", 127)},
		{"a", "b", strings.Repeat("x", 128)},
		{"a", "b", strings.Repeat("x", 5000)},
	} {
		id := schema.ObjectID(triple[0], triple[1], triple[2])
		if digits := id[len(id)-32:]; ids[digits] {
			t.Errorf("%q has the digits of another", triple)
		} else {
			ids[digits] = true
		}
		if !schema.IsObjectID(triple[1], []byte(id)) {
			t.Errorf("%s is no production id of %q", id, triple[1])
		}
	}
}

func TestIsObjectID(t *testing.T) {
	t.Parallel()
	digits := "22635a10c993592cb52c083f346aa950"
	for text, want := range map[string]bool{
		"matter_" + digits:                  true,
		"matter_" + strings.ToUpper(digits): false,
		"matter-" + digits:                  false,
		"client_" + digits:                  false,
		"matter_" + digits + "0":            false,
		"matter_" + digits[1:]:              false,
		"matter_" + digits[1:] + "g":        false,
		"":                                  false,
		"M1":                                false,
	} {
		if got := schema.IsObjectID("matter", []byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestAppendObjectIDAllocatesNothing(t *testing.T) {
	dst, importID := make([]byte, 0, 64), []byte("WI-00012345")
	if n := testing.AllocsPerRun(100, func() {
		dst = schema.AppendObjectID(dst[:0], "acme", "work_item", importID)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAppendObjectID(b *testing.B) {
	dst, importID := make([]byte, 0, 64), []byte("WI-00012345")
	b.ReportAllocs()
	for b.Loop() {
		dst = schema.AppendObjectID(dst[:0], "acme_lawyers", "work_item", importID)
	}
}
