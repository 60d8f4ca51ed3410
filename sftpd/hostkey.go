package sftpd

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"os"

	"dropline/ingest"

	"golang.org/x/crypto/ssh"
)

// hostKeySetting is the name under which the host key is kept in the ledger.
const hostKeySetting = "sftp_host_key"

// HostKey returns the installation's SSH host key, an ed25519 key that is made the first time it is asked for and then kept
// in settings, in OpenSSH's PEM form. All processes of an installation get the same.
func HostKey(ctx context.Context, settings ingest.Settings) (ssh.Signer, error) {
	const op = "sftpd.HostKey"
	text, err := settings.Setting(ctx, hostKeySetting, newHostKey)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(text)
	return signer, ingest.E(ingest.Internal, op, err)
}

// HostKeyFile reads a host key from an unencrypted private key file, as ssh-keygen writes it.
func HostKeyFile(name string) (ssh.Signer, error) {
	const op = "sftpd.HostKeyFile"
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, ingest.E(ingest.Invalid, op, err)
	}
	signer, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return nil, ingest.WithHint(ingest.Errorf(ingest.Invalid, op, "%s is no usable private key: %w", name, err),
			`make one without a passphrase: ssh-keygen -t ed25519 -N "" -f `+name)
	}
	return signer, nil
}

// Fingerprint returns the fingerprint of a host key as clients show it, "SHA256:…".
func Fingerprint(signer ssh.Signer) string { return ssh.FingerprintSHA256(signer.PublicKey()) }

func newHostKey() ([]byte, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	block, err := ssh.MarshalPrivateKey(key, "dropline host key")
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(block), nil
}

// modernSigner keeps an RSA host key from signing with SHA-1.
func modernSigner(signer ssh.Signer) (ssh.Signer, error) {
	if signer.PublicKey().Type() != ssh.KeyAlgoRSA {
		return signer, nil
	}
	if s, ok := signer.(ssh.AlgorithmSigner); ok {
		return ssh.NewSignerWithAlgorithms(s, []string{ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512})
	}
	return nil, ingest.Errorf(ingest.Invalid, "sftpd.New", "an RSA host key can sign with SHA-1 only")
}
