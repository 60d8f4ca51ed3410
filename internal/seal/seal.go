// Package seal encrypts small secrets, such as connection strings, for keeping. Each secret has a data key of its own, which
// is kept beside it, wrapped by a key that the operator holds: in a file, or in AWS KMS. Whoever has the database and not
// that key has nothing.
package seal

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/tink-crypto/tink-go/v2/aead"

	"dropline/ingest"
)

const (
	// MaxPlaintext is how many bytes a secret may have.
	MaxPlaintext = 64 << 10
	// MaxAssociated is how many bytes associated data may have: KMS takes 8 KiB of it, and it is a few identifiers.
	MaxAssociated = 1 << 10
	// maxSealed is the longest that Seal returns: a secret, its wrapped data key (which tink bounds) and what is around them.
	maxSealed = MaxPlaintext + 4096 + 64
	// sealedVersion is the first byte of what is sealed, for the day on which it is made up differently.
	sealedVersion = 1
	// headerBytes stand before tink's envelope: the version, and which sort of key wrapped the data key.
	headerBytes = 2
)

// wrapper wraps data keys. Both methods return errors of this package's making, without anything secret.
type wrapper interface {
	wrap(ctx context.Context, dataKey, associated []byte) ([]byte, error)
	unwrap(ctx context.Context, wrapped, associated []byte) ([]byte, error)
	// sort is the byte that tells what is sealed by a key of this sort.
	sort() byte
	id() string
}

// Keyring seals secrets and opens them again. It is safe for concurrent use. It holds the operator's key, or the means to ask
// for its use, and has no text form that shows it.
type Keyring struct {
	key wrapper
}

// KeyID says to people which key seals: the number of a key file's newest key, or a KMS key's ARN. It is no secret.
func (k *Keyring) KeyID() string { return k.key.id() }

// String is KeyID, so that a Keyring that strays into a log shows nothing else.
func (k *Keyring) String() string { return k.KeyID() }

// GoString is String.
func (k *Keyring) GoString() string { return k.KeyID() }

// Check tries the key on a text of its own, and returns what Seal and Open would: a server can so tell at its start that
// secrets cannot be sealed.
func (k *Keyring) Check(ctx context.Context) error {
	const probe = "probe"
	sealed, err := k.Seal(ctx, []byte(probe), probe)
	if err != nil {
		return err
	}
	opened, err := k.Open(ctx, sealed, probe)
	if err == nil && string(opened) != probe {
		err = ingest.Errorf(ingest.Internal, "seal.Check", "what was sealed opened as something else")
	}
	return err
}

// Seal encrypts plaintext, of at most MaxPlaintext bytes, else the error is Invalid. associated says whose the secret is and
// what for (tenant, import or source), so that what was sealed for one cannot be passed off as another's: Open takes the
// same text, of at most MaxAssociated bytes of UTF-8. It is no secret: KMS logs it. The error is Unavailable where KMS is out
// of reach, Denied where it refuses, and never holds any of the plaintext.
func (k *Keyring) Seal(ctx context.Context, plaintext []byte, associated string) ([]byte, error) {
	const op = "seal.Seal"
	if len(plaintext) > MaxPlaintext {
		return nil, ingest.Errorf(ingest.Invalid, op, "a secret has %d bytes, and at most %d can be kept", len(plaintext), MaxPlaintext)
	}
	envelope, err := k.envelope(op, associated)
	if err != nil {
		return nil, err
	}
	sealed, err := envelope.EncryptWithContext(ctx, plaintext, []byte(associated))
	if err != nil {
		return nil, known(op, err, errors.New("a secret could not be encrypted"), "")
	}
	return append([]byte{sealedVersion, k.key.sort()}, sealed...), nil
}

// Open decrypts what Seal returned for the same associated data. The error is Internal where it was changed, was sealed for
// something else or with a key that is gone; Unavailable where KMS is out of reach and Denied where it refuses.
func (k *Keyring) Open(ctx context.Context, sealed []byte, associated string) ([]byte, error) {
	const op = "seal.Open"
	if len(sealed) <= headerBytes || len(sealed) > maxSealed || sealed[0] != sealedVersion {
		return nil, known(op, nil, errors.New("what should be a sealed secret is none"), hintAgain)
	}
	if sealed[1] != k.key.sort() {
		return nil, known(op, nil, fmt.Errorf("a secret was sealed with %s, and %s is configured", sortName(sealed[1]), sortName(k.key.sort())),
			"configure the key with which it was sealed, or store the connection string again")
	}
	envelope, err := k.envelope(op, associated)
	if err != nil {
		return nil, err
	}
	plaintext, err := envelope.DecryptWithContext(ctx, sealed[headerBytes:], []byte(associated))
	if err != nil {
		return nil, known(op, err, errSealed, hintAgain)
	}
	return plaintext, nil
}

var errSealed = errors.New("a sealed secret does not open: it was changed, sealed for something else, or sealed with a key that is not configured")

const hintAgain = "configure the key with which it was sealed, if that is another, or store the connection string again"

// envelope makes tink's envelope for one use. Tink hands no associated data to the key that wraps, so it is bound here.
func (k *Keyring) envelope(op, associated string) (*aead.KMSEnvelopeAEADWithContext, error) {
	if associated == "" || len(associated) > MaxAssociated || !utf8.ValidString(associated) {
		return nil, ingest.Errorf(ingest.Internal, op, "associated data is 1 to %d bytes of UTF-8", MaxAssociated)
	}
	envelope, err := aead.NewKMSEnvelopeAEADWithContext(aead.AES256GCMKeyTemplate(), bound{k.key, []byte(associated)})
	return envelope, ingest.E(ingest.Internal, op, err)
}

// bound is a wrapping key for one secret: it implements tink.AEADWithContext.
type bound struct {
	key        wrapper
	associated []byte
}

// EncryptWithContext wraps a data key.
func (b bound) EncryptWithContext(ctx context.Context, plaintext, _ []byte) ([]byte, error) {
	return b.key.wrap(ctx, plaintext, b.associated)
}

// DecryptWithContext unwraps a data key.
func (b bound) DecryptWithContext(ctx context.Context, ciphertext, _ []byte) ([]byte, error) {
	return b.key.unwrap(ctx, ciphertext, b.associated)
}

// known passes on an error that a wrapper made, and puts told in the place of any other: a library's might quote what it
// was given.
func known(op string, err, told error, hint string) error {
	var own *ingest.Error
	if errors.As(err, &own) {
		return own
	}
	return &ingest.Error{Kind: ingest.Internal, Op: op, Err: told, Hint: hint}
}

// The sorts of keys.
const (
	sortFile = 'f'
	sortKMS  = 'k'
)

func sortName(sort byte) string {
	switch sort {
	case sortFile:
		return "a key file"
	case sortKMS:
		return "an AWS KMS key"
	}
	return "an unknown sort of key"
}
