package ledger

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"

	"golang.org/x/crypto/argon2"
)

// Costs of argon2id: above the least that OWASP's password storage cheat sheet asks for (19 MiB, two passes), and some
// 30 ms of one core here, so that a login stays unnoticed and guessing is slow. They are stored with each password.
const (
	passwordMemory = 24 * 1024 // KiB
	passwordPasses = 2
	passwordLanes  = 1
	passwordSalt   = 16 // bytes
	passwordHash   = 32 // bytes

	// maxHashing bounds how many passwords are hashed at once: a hundred logins take 2 × 24 MiB and their turn, not 2.4 GiB.
	maxHashing = 2
)

// hashPassword returns the argon2id hash in PHC form, such as "$argon2id$v=19$m=24576,t=2,p=1$salt$hash". The salt is the
// tenant's: all of a tenant's passwords are then checked with one computation, so that a login takes the same time whether
// there is one password, several, or no such user.
func (l *Ledger) hashPassword(ctx context.Context, password string, salt []byte) ([]byte, error) {
	select {
	case l.hashing <- struct{}{}:
		defer func() { <-l.hashing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	hash := argon2.IDKey([]byte(password), salt, passwordPasses, passwordMemory, passwordLanes, passwordHash)
	b64 := base64.RawStdEncoding
	return fmt.Appendf(nil, "$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, passwordMemory, passwordPasses,
		passwordLanes, b64.EncodeToString(salt), b64.EncodeToString(hash)), nil
}

// sameSecret compares without telling by its time where the difference is.
func sameSecret(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

// newSecret returns 256 random bits as text, with a prefix by which scanners for leaked secrets can know it, and the SHA-256
// of the whole, which is what is stored: of so many bits no slow hash is needed.
func newSecret(prefix string) (secret string, hash []byte) {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	secret = prefix + base64.RawURLEncoding.EncodeToString(b[:])
	return secret, secretHash(secret)
}

func secretHash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return bytes.Clone(sum[:])
}
