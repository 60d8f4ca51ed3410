package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// session is a connection of its own, outside the pool: what lasts as long as its holder works must not use up the pool that
// the work needs.
type session struct {
	conn *pgx.Conn
}

// sessionClose bounds how long ending a session may take: it is only politeness, as the server notices the end by itself.
const sessionClose = 2 * time.Second

// openSession connects with the pool's settings.
func (l *Ledger) openSession(ctx context.Context) (session, error) {
	cfg := l.pool.Config()
	conn := cfg.ConnConfig.Copy()
	if cfg.BeforeConnect != nil { // may fetch a fresh password
		if err := cfg.BeforeConnect(ctx, conn); err != nil {
			return session{}, err
		}
	}
	c, err := pgx.ConnectConfig(ctx, conn)
	if err != nil {
		return session{}, err
	}
	// A holder whose machine is gone shall lose its locks within half a minute, not in the two hours that TCP takes.
	_, err = c.Exec(ctx, `SELECT set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false),
		set_config('tcp_keepalives_count', '3', false), set_config('application_name', 'dropline session', false)`)
	if err != nil {
		session{c}.close()
		return session{}, err
	}
	return session{c}, nil
}

// close ends the session and with it its locks.
func (s session) close() {
	ctx, cancel := context.WithTimeout(context.Background(), sessionClose)
	defer cancel()
	_ = s.conn.Close(ctx) // whatever it says, the connection is closed
}
