package unpack

import (
	"bytes"
	"encoding/hex"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"dropline/ingest"
)

// Key is an OpenPGP key as it is stored: public, or with its private part.
type Key struct {
	Fingerprint string // hex digits in upper case
	Public      []byte // binary
	Private     []byte // binary, without a passphrase; nil of a sender's
	User        string // whose it says that it is
}

// maxKey bounds a public key: one with photographs and many signatures is larger than any that is needed.
const maxKey = 256 << 10

// minRSA is the fewest bits of an RSA key that signs.
const minRSA = 2048

// NewKey makes a key pair to which files are encrypted: Ed25519 and X25519 in the form that GnuPG 2.1 and later read.
func NewKey(name string, now time.Time) (Key, error) {
	const op = "unpack.NewKey"
	e, err := openpgp.NewEntity(name, "Dropline", "", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Time: func() time.Time { return now }})
	if err != nil {
		return Key{}, ingest.E(ingest.Internal, op, err)
	}
	var public, private bytes.Buffer
	if err := e.SerializePrivate(&private, nil); err != nil {
		return Key{}, ingest.E(ingest.Internal, op, err)
	}
	if err := e.Serialize(&public); err != nil {
		return Key{}, ingest.E(ingest.Internal, op, err)
	}
	return Key{fingerprint(e), public.Bytes(), private.Bytes(), userOf(e)}, nil
}

// ReadSender reads a public key with which files may be signed, armoured or binary. What cannot be used is Invalid.
func ReadSender(text []byte, now time.Time) (Key, error) {
	const op = "unpack.ReadSender"
	invalid := func(hint, format string, args ...any) (Key, error) {
		return Key{}, ingest.WithHint(ingest.Errorf(ingest.Invalid, op, format, args...), hint)
	}
	if len(text) > maxKey {
		return invalid("export it with gpg --armor --export-options export-minimal --export", "the key is larger than %d KiB", maxKey>>10)
	}
	list, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(text))
	if err != nil {
		list, err = openpgp.ReadKeyRing(bytes.NewReader(text))
	}
	switch {
	case err != nil || len(list) == 0:
		return invalid("export it with gpg --armor --export", "there is no OpenPGP public key in it")
	case len(list) > 1:
		return invalid("store them one by one", "there are %d keys in it", len(list))
	case list[0].PrivateKey != nil:
		return invalid("export the public key only, and take the private one for known to others", "this is a private key, which nobody else may have")
	}
	e := list[0]
	if bits, err := e.PrimaryKey.BitLength(); err == nil && e.PrimaryKey.PubKeyAlgo == packet.PubKeyAlgoRSA && bits < minRSA {
		return invalid("make a new key", "an RSA key of %d bits is too short", bits)
	}
	if e.Revoked(now) {
		return invalid("store the key that has taken its place", "the key was revoked")
	}
	if _, ok := e.SigningKey(now); !ok {
		return invalid("make one that signs, and is valid now", "the key has expired, or cannot sign")
	}
	var public bytes.Buffer
	if err := e.Serialize(&public); err != nil {
		return Key{}, ingest.E(ingest.Internal, op, err)
	}
	return Key{Fingerprint: fingerprint(e), Public: public.Bytes(), User: userOf(e)}, nil
}

func fingerprint(e *openpgp.Entity) string {
	return strings.ToUpper(hex.EncodeToString(e.PrimaryKey.Fingerprint))
}

func userOf(e *openpgp.Entity) string {
	if id := e.PrimaryIdentity(); id != nil {
		return ingest.CutText(strings.ToValidUTF8(id.Name, "?"), 200)
	}
	return ""
}

// Armoured is a public key as people pass it on.
func Armoured(public []byte) (string, error) {
	var b strings.Builder
	w, err := armor.Encode(&b, openpgp.PublicKeyType, nil)
	if err == nil {
		if _, err = w.Write(public); err == nil {
			err = w.Close()
		}
	}
	return b.String() + "\n", ingest.E(ingest.Internal, "unpack.Armoured", err)
}
