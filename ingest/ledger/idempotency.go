package ledger

import (
	"bytes"
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
)

const (
	keyLifetime     = 24 * time.Hour // of a settled key: a client that tries again does so within the day
	reservationTime = time.Minute    // longer than any request that starts work takes; after it the server is taken for dead
	maxKey          = 255            // bytes of an Idempotency-Key, as other APIs have it
	keyPurge        = 50             // old keys removed with each new one
)

// Remember honours an Idempotency-Key for one caller. A nil Response reserves the key, which Settle then settles. Conflict if
// the first request is still under way, Invalid if it was another.
func (l *Ledger) Remember(ctx context.Context, caller, key string, request [32]byte) (*ingest.Response, error) {
	const op = "ledger.Remember"
	if key == "" || len(key) > maxKey || text(key) != key {
		return nil, ingest.Errorf(ingest.Invalid, op, "an Idempotency-Key must have 1 to %d bytes of text", maxKey)
	}
	var answer *ingest.Response
	err := l.inTx(ctx, op, func(tx pgx.Tx) error {
		answer = nil
		now := l.now()
		_, err := tx.Exec(ctx, `DELETE FROM dropline.idempotency WHERE (caller, key) IN (SELECT caller, key
			FROM dropline.idempotency WHERE reserved_at < $1 ORDER BY reserved_at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
			now.Add(-keyLifetime), keyPurge)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `INSERT INTO dropline.idempotency AS i (caller, key, request, reserved_at)
			VALUES ($1, $2, $3, $4) ON CONFLICT (caller, key) DO UPDATE
			SET request = $3, reserved_at = $4, settled = false, body = NULL
			WHERE NOT i.settled AND i.reserved_at <= $5 OR i.reserved_at < $6`,
			caller, key, request[:], now, now.Add(-reservationTime), now.Add(-keyLifetime))
		if err != nil || tag.RowsAffected() == 1 {
			return err
		}
		answer, err = remembered(ctx, tx, caller, key, request)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// Settle keeps what was answered under a reserved key, or, with nil, releases it.
func (l *Ledger) Settle(ctx context.Context, caller, key string, response *ingest.Response) error {
	const op = "ledger.Settle"
	if response == nil {
		_, err := l.pool.Exec(ctx, `DELETE FROM dropline.idempotency WHERE caller = $1 AND key = $2 AND NOT settled`,
			caller, key)
		return fault(op, err)
	}
	body := response.Body
	if body == nil {
		body = []byte{}
	}
	_, err := l.pool.Exec(ctx, `UPDATE dropline.idempotency SET settled = true, status = $3, content_type = $4, body = $5
		WHERE caller = $1 AND key = $2 AND NOT settled`, caller, key, response.Status, response.ContentType, body)
	return fault(op, err)
}

func remembered(ctx context.Context, tx pgx.Tx, caller, key string, request [32]byte) (*ingest.Response, error) {
	var first []byte
	var settled bool
	var r ingest.Response
	err := tx.QueryRow(ctx, `SELECT request, settled, status, content_type, body FROM dropline.idempotency
		WHERE caller = $1 AND key = $2`, caller, key).Scan(&first, &settled, &r.Status, &r.ContentType, &r.Body)
	switch {
	case err != nil:
		return nil, err
	case !bytes.Equal(first, request[:]):
		return nil, ingest.WithHint(ingest.Errorf(ingest.Invalid, "", "this Idempotency-Key was used with another request"),
			"use a new key for each request")
	case !settled:
		return nil, ingest.WithHint(ingest.Errorf(ingest.Conflict, "", "the request with this Idempotency-Key is still under way"),
			"ask again in a moment")
	}
	return &r, nil
}
