package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
)

// known is what the ledger holds of a credential that is being verified.
type known struct {
	ingest.Identity
	secret   []byte
	valid    bool
	lastUsed *time.Time
}

// knownColumns select a known from credentials c and, where there is one, tenants t; $1 is the time.
const knownColumns = `c.id, coalesce(c.tenant, ''), c.label, c.secret, c.last_used_at,
	c.revoked_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > $1) AND coalesce(t.enabled, c.tenant IS NULL)`

// VerifyPassword returns who signs in to SFTP as user. Denied when nothing matches, after the same work.
func (l *Ledger) VerifyPassword(ctx context.Context, user, password string) (ingest.Identity, error) {
	const op = "ledger.VerifyPassword"
	if len(password) > ingest.MaxPassword { // no password is so long; hashing it would be work for the asking
		password = password[:ingest.MaxPassword] + "\x00"
	}
	list, err := l.known(ctx, `c.tenant = $2 AND c.kind = 'password'`, text(user))
	if err != nil {
		return ingest.Identity{}, fault(op, err)
	}
	salt := make([]byte, passwordSalt) // of nobody: an unknown user takes the same work
	err = l.pool.QueryRow(ctx, `SELECT coalesce((SELECT password_salt FROM dropline.tenants WHERE id = $1), $2)`,
		text(user), salt).Scan(&salt)
	if err != nil {
		return ingest.Identity{}, fault(op, err)
	}
	hash, err := l.hashPassword(ctx, password, salt)
	if err != nil {
		return ingest.Identity{}, fault(op, err)
	}
	return l.verified(ctx, op, list, hash)
}

// VerifyPublicKey is VerifyPassword for a key in SSH wire format. It does not verify a signature.
func (l *Ledger) VerifyPublicKey(ctx context.Context, user string, key []byte) (ingest.Identity, error) {
	const op = "ledger.VerifyPublicKey"
	list, err := l.known(ctx, `c.tenant = $2 AND c.kind = 'public_key'`, text(user))
	if err != nil {
		return ingest.Identity{}, fault(op, err)
	}
	return l.verified(ctx, op, list, key)
}

// IssueToken verifies an API client and returns a bearer token of that lifetime, which is more than zero and at most a day.
func (l *Ledger) IssueToken(ctx context.Context, client ingest.CredentialID, secret string, lifetime time.Duration,
) (string, error) {
	const op = "ledger.IssueToken"
	if lifetime <= 0 || lifetime > maxTokenLifetime {
		return "", ingest.Errorf(ingest.Invalid, op, "a token's lifetime must be at most %s", maxTokenLifetime)
	}
	list, err := l.known(ctx, `c.id = $2 AND c.kind = 'client'`, text(string(client)))
	if err != nil {
		return "", fault(op, err)
	}
	who, err := l.verified(ctx, op, list, secretHash(secret))
	if err != nil {
		return "", err
	}
	token, hash := newSecret(tokenPrefix)
	now := l.now()
	var batch pgx.Batch
	batch.Queue(`INSERT INTO dropline.tokens (hash, credential, expires_at) VALUES ($1, $2, $3)`,
		hash, who.Credential, now.Add(lifetime))
	batch.Queue(`DELETE FROM dropline.tokens WHERE hash IN (SELECT hash FROM dropline.tokens WHERE expires_at < $1
		ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)`, now, tokenPurge)
	if err := l.pool.SendBatch(ctx, &batch).Close(); err != nil {
		return "", fault(op, err)
	}
	return token, nil
}

// VerifyToken returns whose token it is. Denied when it is unknown, expired, or its credential has ended.
func (l *Ledger) VerifyToken(ctx context.Context, token string) (ingest.Identity, error) {
	const op = "ledger.VerifyToken"
	hash := secretHash(token)
	rows, err := l.pool.Query(ctx, `SELECT `+knownColumns+`, k.hash FROM dropline.tokens k
		JOIN dropline.credentials c ON c.id = k.credential LEFT JOIN dropline.tenants t ON t.id = c.tenant
		WHERE k.hash = $2 AND k.expires_at > $1`, l.now(), hash)
	list, err := collect(rows, err, func(row pgx.Row) (known, error) {
		var k known
		err := row.Scan(&k.Credential, &k.Tenant, &k.Label, new([]byte), &k.lastUsed, &k.valid, &k.secret)
		return k, err
	})
	if err != nil {
		return ingest.Identity{}, fault(op, err)
	}
	return l.verified(ctx, op, list, hash)
}

func (l *Ledger) known(ctx context.Context, where, value string) ([]known, error) {
	rows, err := l.pool.Query(ctx, `SELECT `+knownColumns+` FROM dropline.credentials c
		LEFT JOIN dropline.tenants t ON t.id = c.tenant WHERE `+where+` ORDER BY c.seq`, l.now(), value)
	return collect(rows, err, func(row pgx.Row) (known, error) {
		var k known
		err := row.Scan(&k.Credential, &k.Tenant, &k.Label, &k.secret, &k.lastUsed, &k.valid)
		return k, err
	})
}

// verified returns the valid credential with that secret. It looks at all of them, for the same time whichever it is.
func (l *Ledger) verified(ctx context.Context, op string, list []known, secret []byte) (ingest.Identity, error) {
	var found *known
	for i := range list {
		if sameSecret(list[i].secret, secret) && list[i].valid && found == nil {
			found = &list[i]
		}
	}
	if found == nil {
		return ingest.Identity{}, ingest.Errorf(ingest.Denied, op, "the credential is unknown, wrong, expired or revoked")
	}
	now := l.now()
	if found.lastUsed == nil || now.Sub(*found.lastUsed) >= lastUsedEvery {
		_, err := l.pool.Exec(ctx, `UPDATE dropline.credentials SET last_used_at = $2
			WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)`,
			found.Credential, now, now.Add(-lastUsedEvery))
		if err != nil {
			return ingest.Identity{}, fault(op, err)
		}
	}
	return found.Identity, nil
}
