package seal_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/internal/seal"
)

const (
	secret = "Server=db.example.org;User Id=reader;Password=hunter2hunter2"
	whose  = "acme/import_0123456789abcdef0123456789abcdef"
)

// within bounds a test in time.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func newFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secrets.key")
	if err := seal.NewKeyFile(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func openFile(t *testing.T, path string) *seal.Keyring {
	t.Helper()
	k, err := seal.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func openKMS(t *testing.T, f *fakeKMS, arn string) *seal.Keyring {
	t.Helper()
	k, err := seal.OpenKMS(within(t), "aws-kms://"+arn, f.config())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sealed(t *testing.T, k *seal.Keyring, plaintext, associated string) []byte {
	t.Helper()
	out, err := k.Seal(within(t), []byte(plaintext), associated)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// pair is a keyring and another of the same sort with another key.
type pair struct{ own, other *seal.Keyring }

// keyrings are one pair of each sort: what is true of one is true of all.
func keyrings(t *testing.T) map[string]pair {
	t.Helper()
	f := newFakeKMS(t, nil)
	return map[string]pair{
		"file": {openFile(t, newFile(t)), openFile(t, newFile(t))},
		"kms":  {openKMS(t, f, testKey), openKMS(t, f, otherKey)},
	}
}

// wantError holds an error to its kind, and to what no error may hold.
func wantError(t *testing.T, what string, err error, kind ingest.Kind) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("%s: no error", what)
	case ingest.KindOf(err) != kind:
		t.Errorf("%s: %s error in place of %s: %v", what, ingest.KindOf(err), kind, err)
	case strings.Contains(err.Error()+ingest.HintOf(err), "hunter2"):
		t.Errorf("%s: the error tells the secret", what)
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for sort, k := range keyrings(t) {
		for _, plaintext := range []string{"", "x", secret, strings.Repeat("\x00\xff", seal.MaxPlaintext/2)} {
			one, two := sealed(t, k.own, plaintext, whose), sealed(t, k.own, plaintext, whose)
			if bytes.Equal(one, two) {
				t.Errorf("%s: sealed twice, it is the same: whoever reads the database can compare secrets", sort)
			}
			if len(plaintext) > 8 && bytes.Contains(one, []byte(plaintext[:8])) {
				t.Errorf("%s: the plaintext is in what is sealed", sort)
			}
			got, err := k.own.Open(within(t), one, whose)
			if err != nil || string(got) != plaintext {
				t.Errorf("%s: %d bytes come back as %d: %v", sort, len(plaintext), len(got), err)
			}
		}
		if err := k.own.Check(within(t)); err != nil {
			t.Errorf("%s: %v", sort, err)
		}
	}
}

func TestOpensForNobodyElse(t *testing.T) {
	t.Parallel()
	for sort, k := range keyrings(t) {
		raw := sealed(t, k.own, secret, whose)
		for _, other := range []string{"globex/" + whose[5:], whose + "0", whose[:len(whose)-1], strings.ToUpper(whose)} {
			_, err := k.own.Open(within(t), raw, other)
			wantError(t, sort+" for "+other, err, ingest.Internal)
		}
		_, err := k.other.Open(within(t), raw, whose)
		wantError(t, sort+" with another key", err, ingest.Internal)
		if ingest.HintOf(err) == "" {
			t.Errorf("%s: no hint what to do about another key", sort)
		}
	}
}

func TestChangedAnywhereItDoesNotOpen(t *testing.T) {
	t.Parallel()
	for sort, k := range keyrings(t) {
		raw := sealed(t, k.own, secret, whose)
		for i := range raw {
			changed := bytes.Clone(raw)
			changed[i] ^= 1 << (i % 8)
			_, err := k.own.Open(within(t), changed, whose)
			wantError(t, fmt.Sprintf("%s, byte %d", sort, i), err, ingest.Internal)
		}
		for _, n := range []int{0, 1, 2, 3, 6, 7, len(raw) / 2, len(raw) - 1} {
			_, err := k.own.Open(within(t), raw[:n], whose)
			wantError(t, fmt.Sprintf("%s, cut to %d", sort, n), err, ingest.Internal)
		}
		_, err := k.own.Open(within(t), append(bytes.Clone(raw), 0), whose)
		wantError(t, sort+", with a byte more", err, ingest.Internal)
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	for sort, k := range keyrings(t) {
		_, err := k.own.Seal(within(t), make([]byte, seal.MaxPlaintext+1), whose)
		wantError(t, sort+": too long", err, ingest.Invalid)
		_, err = k.own.Open(within(t), bytes.Repeat([]byte{1}, 2*seal.MaxPlaintext), whose)
		wantError(t, sort+": too long to open", err, ingest.Internal)
		for _, associated := range []string{"", "\xff", strings.Repeat("x", seal.MaxAssociated+1)} {
			_, err = k.own.Seal(within(t), []byte(secret), associated)
			wantError(t, sort+": associated data", err, ingest.Internal)
		}
		if _, err := k.own.Seal(within(t), []byte(secret), strings.Repeat("é", seal.MaxAssociated/2)); err != nil {
			t.Errorf("%s: the longest associated data: %v", sort, err)
		}
	}
}

// TestOtherSortOfKey: the error tells an operator who went from a file to KMS what is the matter.
func TestOtherSortOfKey(t *testing.T) {
	t.Parallel()
	k := keyrings(t)
	_, err := k["kms"].own.Open(within(t), sealed(t, k["file"].own, secret, whose), whose)
	wantError(t, "file's with KMS", err, ingest.Internal)
	if err == nil || !strings.Contains(err.Error(), "sealed with a key file, and an AWS KMS key is configured") {
		t.Errorf("does not say what is the matter: %v", err)
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	for sort, k := range keyrings(t) {
		ctx := within(t)
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				for j := range 20 {
					associated, plaintext := fmt.Sprintf("tenant %d", i), fmt.Sprintf("%s %d %d", secret, i, j)
					raw, err := k.own.Seal(ctx, []byte(plaintext), associated)
					if err != nil {
						t.Errorf("%s: %v", sort, err)
						return
					}
					if got, err := k.own.Open(ctx, raw, associated); err != nil || string(got) != plaintext {
						t.Errorf("%s: not what was sealed: %v", sort, err)
					}
				}
			})
		}
		all.Wait()
	}
}

// TestShowsNoKey: however a keyring is printed, it is the key's name.
func TestShowsNoKey(t *testing.T) {
	t.Parallel()
	for sort, k := range keyrings(t) {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			if got := fmt.Sprintf(verb, k.own); got != k.own.KeyID() {
				t.Errorf("%s: %s prints %s", sort, verb, got)
			}
		}
	}
}
