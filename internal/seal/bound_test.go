package seal_test

import (
	"encoding/binary"
	"os"
	"testing"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/core/registry"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// TestDataKeysAreBound: the data key itself is wrapped for its owner, and is a new one for each secret.
func TestDataKeysAreBound(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	k := openFile(t, path)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(f))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := aead.New(handle)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for range 3 {
		raw := sealed(t, k, secret, whose)
		wrapped := raw[6 : 6+binary.BigEndian.Uint32(raw[2:6])]
		dataKey, err := keys.Decrypt(wrapped, []byte(whose))
		if err != nil {
			t.Fatal(err)
		}
		seen[string(dataKey)] = true
		own, err := registry.Primitive("type.googleapis.com/google.crypto.tink.AesGcmKey", dataKey)
		if err != nil {
			t.Fatal(err)
		}
		payload := raw[6+len(wrapped):]
		if got, err := own.(tink.AEAD).Decrypt(payload, []byte(whose)); err != nil || string(got) != secret {
			t.Errorf("the data key does not open the secret: %v", err)
		}
		if _, err := own.(tink.AEAD).Decrypt(payload, nil); err == nil {
			t.Error("the secret is not bound to whose it is")
		}
		for _, other := range []string{"", "globex"} {
			if _, err := keys.Decrypt(wrapped, []byte(other)); err == nil {
				t.Errorf("the data key is unwrapped for %q", other)
			}
		}
	}
	if len(seen) != 3 {
		t.Errorf("%d data keys for 3 secrets", len(seen))
	}
}
