package unpack_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"

	"dropline/ingest"
	"dropline/mapping/unpack"
)

// pgp are the parties of an encrypted exchange.
type pgp struct {
	own            unpack.Key
	sender, other  *openpgp.Entity
	senderKey      unpack.Key
	keys, unsigned unpack.Keyring // with the sender's public key, and without
}

func newPGP(t testing.TB) *pgp {
	t.Helper()
	var p pgp
	var err error
	if p.own, err = unpack.NewKey("acme", time.Now().Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	for _, e := range []**openpgp.Entity{&p.sender, &p.other} {
		if *e, err = openpgp.NewEntity("client", "", "client@example.com", nil); err != nil {
			t.Fatal(err)
		}
	}
	var public bytes.Buffer
	if err := p.sender.Serialize(&public); err != nil {
		t.Fatal(err)
	}
	if p.senderKey, err = unpack.ReadSender(public.Bytes(), time.Now()); err != nil {
		t.Fatal(err)
	}
	p.unsigned = unpack.Keyring{Private: [][]byte{p.own.Private}}
	p.keys = unpack.Keyring{Private: p.unsigned.Private, Senders: [][]byte{p.senderKey.Public}}
	return &p
}

// encrypt encrypts to the tenant's key; signer may be nil.
func (p *pgp) encrypt(t testing.TB, text []byte, signer *openpgp.Entity, armoured bool) []byte {
	t.Helper()
	to, err := openpgp.ReadKeyRing(bytes.NewReader(p.own.Public))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	var out io.Writer = &b
	var closing io.Closer
	if armoured {
		w, err := armor.Encode(&b, "PGP MESSAGE", nil)
		if err != nil {
			t.Fatal(err)
		}
		out, closing = w, w
	}
	w, err := openpgp.Encrypt(out, to, signer, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	write(t, w, text)
	if closing != nil {
		if err := closing.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func keyring(k unpack.Keyring) unpack.Options {
	return unpack.Options{Keys: func(context.Context) (unpack.Keyring, error) { return k, nil }}
}

func TestEncrypted(t *testing.T) {
	t.Parallel()
	p := newPGP(t)
	zipped := zipOf(t, member{"a.csv", csv}, member{"b.csv", "x\n"})
	for name, c := range map[string]struct {
		content []byte
		keys    unpack.Keyring
		want    string
	}{
		"signed":           {p.encrypt(t, []byte(csv), p.sender, false), p.keys, csv},
		"armoured":         {p.encrypt(t, []byte(csv), p.sender, true), p.keys, csv},
		"nobody signs":     {p.encrypt(t, []byte(csv), nil, false), p.unsigned, csv},
		"compressed first": {p.encrypt(t, gz(t, []byte(csv)), p.sender, false), p.keys, csv},
		"archive":          {p.encrypt(t, zipped, p.sender, false), p.keys, "a.csv: " + csv + "b.csv: x\n"},
		"large":            {p.encrypt(t, bytes.Repeat([]byte(csv), 50_000), p.sender, false), p.keys, strings.Repeat(csv, 50_000)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := readAll(t, stored("a.csv.pgp", c.content), keyring(c.keys))
			if err != nil || got != c.want {
				t.Errorf("%d bytes, want %d; %v", len(got), len(c.want), err)
			}
		})
	}
}

func TestEncryptedRefused(t *testing.T) {
	t.Parallel()
	p := newPGP(t)
	good := p.encrypt(t, bytes.Repeat([]byte(csv), 1000), p.sender, false)
	changed := bytes.Clone(good)
	changed[len(changed)-40] ^= 1
	var password bytes.Buffer
	w, err := openpgp.SymmetricallyEncrypt(&password, []byte("secret"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	write(t, w, []byte(csv))
	for name, c := range map[string]struct {
		content []byte
		keys    unpack.Keyring
		want    string
	}{
		"no key":       {good, unpack.Keyring{}, "there is no key to open it"},
		"another key":  {good, unpack.Keyring{Private: [][]byte{newPGP(t).own.Private}}, "to another key"},
		"not signed":   {p.encrypt(t, []byte(csv), nil, false), p.keys, "not signed"},
		"a stranger":   {p.encrypt(t, []byte(csv), p.other, false), p.keys, "not stored here"},
		"changed":      {changed, p.keys, "changed"},
		"cut off":      {good[:len(good)-30], p.keys, "not whole"},
		"password":     {password.Bytes(), p.keys, "password"},
		"twice":        {p.encrypt(t, good, p.sender, false), p.keys, "packed twice"},
		"bomb":         {p.encrypt(t, gz(t, make([]byte, 600<<20)), p.sender, false), p.keys, "200 times"},
		"not a packet": {[]byte("-----BEGIN PGP MESSAGE-----\n\nAAAA\n-----END PGP MESSAGE-----\n"), p.keys, "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := readAll(t, stored("a.csv.pgp", c.content), keyring(c.keys))
			var refusal *ingest.FileRefusal
			if !errors.As(err, &refusal) || !strings.Contains(refusal.Message, c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestSenderKeys(t *testing.T) {
	t.Parallel()
	p := newPGP(t)
	armoured, err := unpack.Armoured(p.senderKey.Public)
	if err != nil {
		t.Fatal(err)
	}
	if k, err := unpack.ReadSender([]byte(armoured), time.Now()); err != nil || k.Fingerprint != p.senderKey.Fingerprint || len(k.Fingerprint) != 40 {
		t.Errorf("%+v, %v", k, err)
	}
	for name, text := range map[string][]byte{
		"nothing": nil, "junk": []byte("ssh-ed25519 AAAA"), "private": p.own.Private, "two": append(bytes.Clone(p.senderKey.Public), p.own.Public...),
	} {
		if _, err := unpack.ReadSender(text, time.Now()); ingest.KindOf(err) != ingest.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
