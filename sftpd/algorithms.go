package sftpd

import (
	"slices"
	"strings"

	"dropline/ingest"

	"golang.org/x/crypto/ssh"
)

// DefaultCiphers returns the ciphers that are offered unless Config says otherwise. In SSH the client's order decides.
// chacha20-poly1305, the first choice of most OpenSSH clients, is left out because it costs the server nearly three times
// the CPU of AES; every client that has it has AES too. With what remains OpenSSH before 10 takes aes128-ctr and later ones
// aes128-gcm, which is a fifth cheaper still. Offering gcm alone would force it, and shut out PuTTY and WinSCP before 2024,
// JSch and older paramiko: Config.Ciphers can do so where the clients are known.
func DefaultCiphers() []string {
	return []string{
		ssh.CipherAES128GCM, ssh.CipherAES256GCM,
		ssh.CipherAES128CTR, ssh.CipherAES192CTR, ssh.CipherAES256CTR,
	}
}

func checkCiphers(names []string) error {
	known := ssh.SupportedAlgorithms().Ciphers
	for _, name := range names {
		if !slices.Contains(known, name) {
			return ingest.WithHint(ingest.Errorf(ingest.Invalid, "sftpd.New", "unknown cipher %q", name),
				"one or more of "+strings.Join(known, ", "))
		}
	}
	return nil
}

// setAlgorithms fills in the lists of algorithms: all that x/crypto knows and holds for sound, without SHA-1.
func setAlgorithms(sc *ssh.ServerConfig, cfg *Config) {
	all := ssh.SupportedAlgorithms()
	sc.KeyExchanges = withoutSHA1(all.KeyExchanges)
	sc.MACs = withoutSHA1(all.MACs)
	sc.PublicKeyAuthAlgorithms = all.PublicKeyAuths
	sc.Ciphers = cfg.Ciphers
	if len(sc.Ciphers) == 0 {
		sc.Ciphers = DefaultCiphers()
		if cfg.Compatible {
			sc.Ciphers = append(sc.Ciphers, ssh.CipherChaCha20Poly1305)
		}
	}
	if cfg.Compatible {
		sc.KeyExchanges = append(sc.KeyExchanges, ssh.InsecureKeyExchangeDH14SHA1)
		sc.MACs = append(sc.MACs, ssh.HMACSHA1)
		sc.PublicKeyAuthAlgorithms = append(sc.PublicKeyAuthAlgorithms, ssh.KeyAlgoRSA)
	}
}

func withoutSHA1(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return strings.HasSuffix(name, "sha1") || strings.Contains(name, "sha1-")
	})
}
