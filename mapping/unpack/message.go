package unpack

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"dropline/ingest"
)

// Keyring are the OpenPGP keys of a tenant.
type Keyring struct {
	Private [][]byte // key pairs that files are encrypted to: transferable secret keys without a passphrase, binary
	Senders [][]byte // public keys of who may sign, binary. Where there are any, a file must be signed by one of them
}

// message is an OpenPGP message that is being read. Its integrity and its signature are known at its end only, and EOF is not told
// before they hold.
type message struct {
	p       *Package
	in      *opened
	details *openpgp.MessageDetails
	senders openpgp.EntityList
	r       *bufio.Reader // of the guarded content
	kind    kind
	ended   error
}

// openMessage decrypts what begins at in, as far as it takes to know what is inside. An archive or workbook is put on disk, whole and
// verified, before it is looked into.
func (p *Package) openMessage(ctx context.Context, in *opened) error {
	m, err := p.message(ctx, in)
	if err != nil {
		return err
	}
	if len(m.senders) == 0 {
		p.note("who signed the file was not checked: no public key of a sender is stored")
	}
	if m.kind != zipped {
		p.first = m
		return nil
	}
	defer m.Close() //nolint:errcheck // it was only read
	s, err := newSpool(p.unpacker.cfg.TempDir)
	if err != nil {
		return err
	}
	if _, err := io.Copy(s, m.r); err != nil {
		_ = s.Close() // nothing depends on it
		return err
	}
	p.spooled = s
	return p.openZIP(ctx, s, s.size)
}

// message begins to read a message.
func (p *Package) message(ctx context.Context, in *opened) (*message, error) {
	m := &message{p: p, in: in}
	keys, err := p.keys(ctx)
	if err != nil {
		return nil, err
	}
	private, err := entities(keys.Private)
	if err != nil {
		return nil, err
	}
	if m.senders, err = entities(keys.Senders); err != nil {
		return nil, err
	}
	body, err := dearmoured(in.Reader)
	if err != nil {
		return nil, m.judge(err)
	}
	password := false
	m.details, err = openpgp.ReadMessage(body, append(append(openpgp.EntityList{}, private...), m.senders...), func(_ []openpgp.Key, symmetric bool) ([]byte, error) {
		password = password || symmetric
		return nil, pgperrors.ErrKeyIncorrect
	}, &packet.Config{})
	switch {
	case err == nil:
	case in.from.err != nil:
		return nil, in.from.err
	case password:
		return nil, refused("the file is encrypted with a password: encrypt it to the public key that Dropline has for you")
	case errors.Is(err, pgperrors.ErrKeyIncorrect) && len(private) == 0:
		return nil, refused("the file is encrypted, and there is no key to open it: have a key made, and encrypt to its public part")
	case errors.Is(err, pgperrors.ErrKeyIncorrect):
		return nil, refused("the file is encrypted to another key than yours here: encrypt it to the public key that Dropline has for you")
	default:
		return nil, m.judge(err)
	}
	if len(m.senders) > 0 && !m.details.IsSigned {
		return nil, refused("the file is not signed, and files must be: sign it with one of the keys whose public part is stored here")
	}
	m.r = bufio.NewReaderSize(&guarded{
		what: "the file", name: p.stored.Name, decoder: &noEOF{m}, from: in.from,
		own: func() int64 { return MaxExpansion * p.stored.Size }, budget: p.options.Budget,
	}, readBuffer)
	head, err := m.r.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if m.kind = kindOf(head); m.kind == encrypted || m.kind == foreign {
		return nil, nested("the encrypted file", m.kind, head)
	}
	return m, nil
}

func (p *Package) keys(ctx context.Context) (Keyring, error) {
	if p.options.Keys == nil {
		return Keyring{}, nil
	}
	return p.options.Keys(ctx)
}

func entities(keys [][]byte) (openpgp.EntityList, error) {
	var list openpgp.EntityList
	for _, key := range keys {
		e, err := openpgp.ReadKeyRing(bytes.NewReader(key))
		if err != nil {
			return nil, ingest.E(ingest.Internal, "unpack.keys", err)
		}
		list = append(list, e...)
	}
	return list, nil
}

// dearmoured is the message in binary.
func dearmoured(r *bufio.Reader) (io.Reader, error) {
	head, err := r.Peek(1)
	if err != nil {
		return nil, err
	}
	if head[0]&0x80 != 0 {
		return r, nil
	}
	block, err := armor.Decode(r)
	if err != nil {
		return nil, err
	}
	switch block.Type {
	case "PGP MESSAGE":
		return block.Body, nil
	case "PGP SIGNED MESSAGE":
		return nil, refused("the file is signed as clear text, which changes line ends: sign it with gpg --sign, or encrypt and sign it")
	}
	return nil, refused("the file is a %s, not an encrypted file", ingest.CutText(block.Type, 40))
}

// judge says whose fault an error is.
func (m *message) judge(err error) error {
	var refusal *ingest.FileRefusal
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return err
	case m.in.from.err != nil:
		return m.in.from.err
	case errors.As(err, &refusal):
		return err
	}
	return refused("the encrypted file is damaged, not whole, or was changed on its way (%v): send it again", unexpected(err))
}

// Read reads what was encrypted.
func (m *message) Read(p []byte) (int, error) {
	if m.ended != nil {
		return 0, m.ended
	}
	n, err := m.details.UnverifiedBody.Read(p)
	if err == nil {
		return n, nil
	}
	if m.ended = m.judge(err); errors.Is(err, io.EOF) {
		m.ended = m.verify()
	}
	return n, m.ended
}

// verify checks the signature, once all has been read. io.EOF where it holds.
func (m *message) verify() error {
	if len(m.senders) == 0 {
		return io.EOF
	}
	d := m.details
	id := fmt.Sprintf("%016X", d.SignedByKeyId)
	if d.SignedBy == nil || !isSender(m.senders, d.SignedBy.Entity) {
		return refused("the file is signed by the key %s, whose public part is not stored here: store it, or sign with one that is", id)
	}
	if err := d.SignatureError; err != nil {
		switch {
		case errors.Is(err, pgperrors.ErrKeyExpired), errors.Is(err, pgperrors.ErrSignatureExpired):
			return refused("the signature, or the key %s that made it, has expired: sign it again with a key that is valid", id)
		case errors.Is(err, pgperrors.ErrKeyRevoked):
			return refused("the key %s that signed the file was revoked: sign it with another", id)
		}
		return refused("the signature of the key %s does not fit the file, which was changed after it was signed: send it again", id)
	}
	if d.Signature == nil {
		return refused("the file's signature is missing at its end: send it again")
	}
	return io.EOF
}

func isSender(senders openpgp.EntityList, e *openpgp.Entity) bool {
	for _, s := range senders {
		if s == e {
			return true
		}
	}
	return false
}

// Close implements io.Closer.
func (m *message) Close() error { return m.in.Close() }

// messageText is the text of an encrypted file.
func (p *Package) messageText(ctx context.Context) (*Text, error) {
	m, ok := p.first.(*message)
	p.first = nil
	if !ok {
		in, _, err := p.begin(ctx)
		if err != nil {
			return nil, err
		}
		if m, err = p.message(ctx, in); err != nil {
			_ = in.Close() // nothing depends on it
			return nil, err
		}
	}
	last := func() { _ = m.Close() } // it was only read
	if m.kind == plain {
		return newText(m.r, m.in.from, last), nil
	}
	own := func() int64 { return MaxExpansion * p.stored.Size }
	out, release, err := uncompressed("the encrypted file", p.stored.Name, m.kind, m.r, m.in.from, own, p.options.Budget)
	if err != nil {
		last()
		return nil, err
	}
	return newText(&drained{out, m.r}, m.in.from, release, last), nil
}

// drained reads what follows the compressed text before it tells of its end: the message is verified at its own.
type drained struct {
	io.Reader
	rest io.Reader
}

// Read implements io.Reader.
func (d *drained) Read(p []byte) (int, error) {
	n, err := d.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		if _, rest := io.Copy(io.Discard, d.rest); rest != nil {
			return n, rest
		}
	}
	return n, err
}
