package ledger

import (
	"context"
	"crypto/rsa"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"golang.org/x/crypto/ssh"

	"dropline/ingest"
)

const (
	clientSecretPrefix = "dlsecret_"
	tokenPrefix        = "dltoken_"

	minRSA = 2048 // bits; NIST SP 800-131A disallows less

	// lastUsedEvery is how old the record of a credential's last use may be: often enough to see what is in use, and not
	// a write for each login.
	lastUsedEvery = time.Minute

	maxTokenLifetime = 24 * time.Hour // a token that leaked should not be of use for long
	tokenPurge       = 100            // expired tokens removed with each new one: more than come in, few enough not to be felt
)

const credentialColumns = `id, coalesce(tenant, ''), kind, label, fingerprint, created_at, expires_at, revoked_at,
	last_used_at`

// AddPassword stores an SFTP password. Invalid if it is too short or too long.
func (l *Ledger) AddPassword(ctx context.Context, tenant ingest.TenantID, label, password string,
	expires *time.Time,
) (ingest.Credential, error) {
	const op = "ledger.AddPassword"
	if utf8.RuneCountInString(password) < ingest.MinPassword || len(password) > ingest.MaxPassword {
		return ingest.Credential{}, ingest.Errorf(ingest.Invalid, op, "a password must have at least %d characters and at most %d bytes",
			ingest.MinPassword, ingest.MaxPassword)
	}
	var salt []byte
	err := l.pool.QueryRow(ctx, `SELECT password_salt FROM dropline.tenants WHERE id = $1`, tenant).Scan(&salt)
	if err != nil {
		return ingest.Credential{}, fault(op, missing(err, "tenant"))
	}
	hash, err := l.hashPassword(ctx, password, salt)
	if err != nil {
		return ingest.Credential{}, fault(op, err)
	}
	return l.addCredential(ctx, op, ingest.Credential{
		Tenant: tenant, Kind: ingest.Password, Label: label, ExpiresAt: expires,
	}, hash)
}

// AddPublicKey stores an SFTP key, given as a line of authorized_keys.
func (l *Ledger) AddPublicKey(ctx context.Context, tenant ingest.TenantID, label, authorizedKey string,
	expires *time.Time,
) (ingest.Credential, error) {
	const op = "ledger.AddPublicKey"
	key, err := parseKey(authorizedKey)
	if err != nil {
		return ingest.Credential{}, fault(op, err)
	}
	return l.addCredential(ctx, op, ingest.Credential{
		Tenant: tenant, Kind: ingest.PublicKey, Label: label, ExpiresAt: expires,
		Fingerprint: ssh.FingerprintSHA256(key),
	}, key.Marshal())
}

// AddClient makes an API client and returns its secret, which is shown this once. An empty tenant is the operator.
func (l *Ledger) AddClient(ctx context.Context, tenant ingest.TenantID, label string, expires *time.Time,
) (ingest.Credential, string, error) {
	secret, hash := newSecret(clientSecretPrefix)
	c, err := l.addCredential(ctx, "ledger.AddClient", ingest.Credential{
		Tenant: tenant, Kind: ingest.Client, Label: label, ExpiresAt: expires,
	}, hash)
	if err != nil {
		return ingest.Credential{}, "", err
	}
	return c, secret, nil
}

// ListCredentials returns the tenant's (an empty one: the operator's) credentials, revoked ones included, oldest first.
func (l *Ledger) ListCredentials(ctx context.Context, tenant ingest.TenantID) ([]ingest.Credential, error) {
	const op = "ledger.ListCredentials"
	if tenant != "" {
		if _, err := l.Tenant(ctx, tenant); err != nil {
			return nil, fault(op, err)
		}
	}
	rows, err := l.pool.Query(ctx, `SELECT `+credentialColumns+` FROM dropline.credentials
		WHERE tenant IS NOT DISTINCT FROM nullif($1, '') ORDER BY seq`, tenant)
	list, err := collect(rows, err, scanCredential)
	return list, fault(op, err)
}

// RevokeCredential ends a credential and every token got with it. Revoking one again is no error.
func (l *Ledger) RevokeCredential(ctx context.Context, tenant ingest.TenantID, id ingest.CredentialID) error {
	return l.inTx(ctx, "ledger.RevokeCredential", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE dropline.credentials SET revoked_at = coalesce(revoked_at, $3)
			WHERE id = $1 AND tenant IS NOT DISTINCT FROM nullif($2, '')`, id, tenant, l.now())
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return missing(pgx.ErrNoRows, "credential")
		}
		_, err = tx.Exec(ctx, `DELETE FROM dropline.tokens WHERE credential = $1`, id)
		return err
	})
}

func (l *Ledger) addCredential(ctx context.Context, op string, c ingest.Credential, secret []byte,
) (ingest.Credential, error) {
	if err := checkLabel("label", c.Label); err != nil {
		return ingest.Credential{}, fault(op, err)
	}
	c.ID, c.CreatedAt = ingest.NewCredentialID(), l.now()
	if c.ExpiresAt != nil {
		at := c.ExpiresAt.UTC().Truncate(time.Microsecond)
		if !at.After(c.CreatedAt) {
			return ingest.Credential{}, ingest.Errorf(ingest.Invalid, op, "the time of expiry is past")
		}
		c.ExpiresAt = &at
	}
	if c.Tenant != "" {
		if _, err := l.Tenant(ctx, c.Tenant); err != nil {
			return ingest.Credential{}, fault(op, err)
		}
	}
	tag, err := l.pool.Exec(ctx, `INSERT INTO dropline.credentials
		(id, tenant, kind, label, fingerprint, secret, created_at, expires_at)
		VALUES ($1, nullif($2, ''), $3, $4, $5, $6, $7, $8)
		ON CONFLICT (tenant, fingerprint) WHERE kind = 'public_key' AND revoked_at IS NULL DO NOTHING`,
		c.ID, c.Tenant, c.Kind, c.Label, c.Fingerprint, secret, c.CreatedAt, c.ExpiresAt)
	if err == nil && tag.RowsAffected() == 0 {
		err = ingest.WithHint(ingest.Errorf(ingest.Conflict, "", "the tenant has this key already"),
			"revoke the credential that holds it first")
	}
	if err != nil {
		return ingest.Credential{}, fault(op, err)
	}
	return c, nil
}

// parseKey reads one line of authorized_keys that holds a plain key strong enough.
func parseKey(line string) (ssh.PublicKey, error) {
	key, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(line))
	switch {
	case err != nil:
		return nil, ingest.WithHint(ingest.Errorf(ingest.Invalid, "", "this is not an SSH public key"),
			`give the content of a file such as id_ed25519.pub: "ssh-ed25519 AAAA… comment"`)
	case len(options) > 0:
		return nil, ingest.Errorf(ingest.Invalid, "", "options before a key are not supported: %s", text(strings.Join(options, ",")))
	case strings.TrimSpace(string(rest)) != "":
		return nil, ingest.Errorf(ingest.Invalid, "", "give one key at a time")
	}
	switch key.Type() {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384,
		ssh.KeyAlgoECDSA521:
		return key, nil
	case ssh.KeyAlgoRSA:
		crypto, ok := key.(ssh.CryptoPublicKey)
		if !ok {
			break
		}
		if public, ok := crypto.CryptoPublicKey().(*rsa.PublicKey); ok && public.N.BitLen() >= minRSA {
			return key, nil
		}
		return nil, ingest.Errorf(ingest.Invalid, "", "an RSA key must have at least %d bits", minRSA)
	}
	return nil, ingest.WithHint(ingest.Errorf(ingest.Invalid, "", "keys of type %s are not accepted", key.Type()),
		"make one with: ssh-keygen -t ed25519")
}

func scanCredential(row pgx.Row) (ingest.Credential, error) {
	var c ingest.Credential
	err := row.Scan(&c.ID, &c.Tenant, &c.Kind, &c.Label, &c.Fingerprint, &c.CreatedAt, &c.ExpiresAt, &c.RevokedAt,
		&c.LastUsedAt)
	utc(&c.CreatedAt, c.ExpiresAt, c.RevokedAt, c.LastUsedAt)
	return c, err
}
