package main

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"dropline/internal/push"
)

// maxSecretFile bounds a file with a key or a password, in bytes.
const maxSecretFile = 64 << 10

// sftp is how the flags say that is delivered over SFTP.
func (c *pushCmd) sftp(a *app) (*push.SFTP, error) {
	address := c.SFTP
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(address, "22")
	}
	out := &push.SFTP{Address: address, User: c.SFTPUser}
	if c.SFTPUser == "" {
		return nil, usageError("--sftp-user TENANT", "the user for SFTP is missing")
	}
	var err error
	if out.HostKey, out.HostKeyAlgorithms, err = c.hostKey(address); err != nil {
		return nil, err
	}
	if c.KeyFile != "" {
		if out.Key, err = readKey(c.KeyFile, a.settings.text(keySFTPPassphrase)); err != nil {
			return nil, err
		}
	}
	out.Password = a.settings.text(keySFTPPassword)
	if c.PasswordFile != "" {
		raw, err := readBounded(c.PasswordFile, maxSecretFile)
		if err != nil {
			return nil, err
		}
		out.Password = strings.TrimRight(string(raw), "\r\n")
	}
	if out.Key == nil && out.Password == "" {
		return nil, usageError("--key-file FILE, --password-file FILE, or DROPLINE_SFTP_PASSWORD in the environment",
			"neither a key nor a password for SFTP is given")
	}
	return out, nil
}

// hostKey is how the server is known again.
func (c *pushCmd) hostKey(address string) (ssh.HostKeyCallback, []string, error) {
	switch {
	case c.HostKey != "" && c.KnownHosts != "":
		return nil, nil, usageError("leave one out", "both --host-key and --known-hosts are given")
	case c.HostKey != "":
		want := strings.TrimSpace(c.HostKey)
		if !strings.HasPrefix(want, "SHA256:") || len(want) < 40 {
			return nil, nil, usageError("it begins with SHA256:, as `dropline serve` and ssh-keygen -lf show it", "--host-key is no fingerprint")
		}
		return func(_ string, _ net.Addr, key ssh.PublicKey) error {
			if subtle.ConstantTimeCompare([]byte(ssh.FingerprintSHA256(key)), []byte(want)) != 1 {
				return fmt.Errorf("its host key is %s", ssh.FingerprintSHA256(key))
			}
			return nil
		}, nil, nil
	case c.KnownHosts != "":
		check, err := knownhosts.New(c.KnownHosts)
		if err != nil {
			return nil, nil, usageError("a file as OpenSSH has it", "the file of known hosts cannot be read: %v", err)
		}
		return check, knownAlgorithms(check, address), nil
	}
	return nil, nil, usageError("--host-key SHA256:…, as the operator told it, or --known-hosts FILE",
		"the SFTP server's host key is not given, and data goes to nobody who is not known")
}

// knownAlgorithms are those of the keys that a file of known hosts has for the address: the server may have others beside.
func knownAlgorithms(check ssh.HostKeyCallback, address string) []string {
	var unknown *knownhosts.KeyError
	if !errors.As(check(address, &net.TCPAddr{IP: net.IPv4zero}, noKey{}), &unknown) {
		return nil
	}
	var out []string
	for _, k := range unknown.Want {
		switch t := k.Key.Type(); t {
		case ssh.KeyAlgoRSA:
			out = append(out, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
		default:
			out = append(out, t)
		}
	}
	return out
}

// noKey is a key that no file has.
type noKey struct{}

// Type implements ssh.PublicKey.
func (noKey) Type() string { return "none" }

// Marshal implements ssh.PublicKey.
func (noKey) Marshal() []byte { return []byte("none") }

// Verify implements ssh.PublicKey.
func (noKey) Verify([]byte, *ssh.Signature) error { return errors.New("it verifies nothing") }

func readKey(path, passphrase string) (ssh.Signer, error) {
	raw, err := readBounded(path, maxSecretFile)
	if err != nil {
		return nil, err
	}
	key, err := ssh.ParsePrivateKey(raw)
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		if passphrase == "" {
			return nil, failed("set DROPLINE_SFTP_PASSPHRASE", "the key in %s has a passphrase", path)
		}
		key, err = ssh.ParsePrivateKeyWithPassphrase(raw, []byte(passphrase))
	}
	if err != nil {
		return nil, failed("a private key in OpenSSH's or PEM's form, and its passphrase if it has one", "the key in %s cannot be read", path)
	}
	return key, nil
}
