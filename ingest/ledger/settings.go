package ledger

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// Setting returns the value kept under name, or makes it by calling create and keeps that. Of several processes that do so at
// once, all get the same value. It does not stay in memory here.
func (l *Ledger) Setting(ctx context.Context, name string, create func() ([]byte, error)) ([]byte, error) {
	const op = "ledger.Setting"
	const read = `SELECT value FROM dropline.settings WHERE name = $1`
	var value []byte
	err := l.pool.QueryRow(ctx, read, name).Scan(&value)
	if !errors.Is(err, pgx.ErrNoRows) {
		return value, fault(op, err)
	}
	made, err := create()
	if err != nil {
		return nil, fault(op, err)
	}
	if made == nil {
		made = []byte{}
	}
	_, err = l.pool.Exec(ctx, `INSERT INTO dropline.settings (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING`, name, made)
	if err == nil {
		err = l.pool.QueryRow(ctx, read, name).Scan(&value)
	}
	return value, fault(op, err)
}
