package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
)

// receivingEvery is how often, at most, Receiving writes for a tenant: often enough for a quiet period of a second.
const receivingEvery = 250 * time.Millisecond

// Register records a durable object as a drop, in one transaction with all that follows from it. It takes one round trip
// beside those of the transaction; where the quiet period is 0, three more for the job.
func (l *Ledger) Register(ctx context.Context, r ingest.Registration) (ingest.Drop, error) {
	const op = "ledger.Register"
	if err := checkRegistration(r); err != nil {
		return ingest.Drop{}, fault(op, err)
	}
	var drop ingest.Drop
	err := l.inTx(ctx, op, func(tx pgx.Tx) error {
		var err error
		drop, err = l.register(ctx, tx, r)
		return err
	})
	if err != nil {
		return ingest.Drop{}, err
	}
	l.announceArrival(ctx, r.Tenant)
	return drop, nil
}

// register records a drop and, if an import was made of it, its job.
func (l *Ledger) register(ctx context.Context, tx pgx.Tx, r ingest.Registration) (ingest.Drop, error) {
	live, err := sameStates(ctx, tx, r)
	if err != nil {
		return ingest.Drop{}, err
	}
	id := ingest.NewImportID()
	folder, name := split(r.Path)
	drop, err := scanDrop(tx.QueryRow(ctx, `SELECT `+dropColumns+` FROM dropline.register($1, $2, $3, $4, $5, $6, $7, $8,
		$9, $10, $11, $12, $13, $14, $15) d`, r.Tenant, r.ID, folder, name, r.Key, r.Size, r.SHA256[:], r.HashState,
		string(r.Via), text(r.By), originHash(r.Origin), r.ReceivedAt, l.now(), id, live))
	if err != nil || drop.Import != id {
		return drop, err
	}
	return drop, l.enqueue(ctx, tx, id, ingest.LoadArgs{Import: id})
}

// Park records a durable object as a temporary file or a partial at the path, replacing what such was there. A partial whose
// upload began before a whole file of that path came is refused.
func (l *Ledger) Park(ctx context.Context, kind ingest.EntryKind, r ingest.Registration) (ingest.Entry, error) {
	const op = "ledger.Park"
	if kind != ingest.EntryTemporary && kind != ingest.EntryPartial {
		return ingest.Entry{}, ingest.Errorf(ingest.Internal, op, "a %s cannot be parked", kind)
	}
	if err := checkRegistration(r); err != nil {
		return ingest.Entry{}, fault(op, err)
	}
	folder, name := split(r.Path)
	err := l.inTx(ctx, op, func(tx pgx.Tx) error {
		if kind == ingest.EntryPartial {
			if err := refuseOvertaken(ctx, tx, r); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `SELECT dropline.park($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
			kind == ingest.EntryPartial, r.Tenant, r.ID, folder, name, r.Key, r.Size, r.SHA256[:], r.HashState,
			string(r.Via), text(r.By), originHash(r.Origin), r.ReceivedAt, l.now())
		return err
	})
	if err != nil {
		return ingest.Entry{}, err
	}
	return ingest.Entry{
		Path: r.Path, Kind: kind, Size: r.Size, ModTime: r.ReceivedAt.UTC().Truncate(time.Microsecond), Key: r.Key,
		SHA256: r.SHA256, HashState: bytes.Clone(r.HashState),
	}, nil
}

// refuseOvertaken refuses a partial of which the whole file has come since its upload began: a client whose connection hangs
// sends again over a new one, minutes before the old one is found to be dead.
func refuseOvertaken(ctx context.Context, tx pgx.Tx, r ingest.Registration) error {
	if err := lockInbox(ctx, tx, r.Tenant); err != nil || r.BeganAt.IsZero() {
		return err
	}
	folder, name := split(r.Path)
	var overtaken bool
	err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM dropline.drops WHERE tenant = $1 AND path = $2 AND received_at > $5)
		OR EXISTS (SELECT FROM dropline.entries WHERE tenant = $1 AND folder = $3 AND name = $4 AND kind = 'temporary'
			AND mod_time > $5)`, r.Tenant, r.Path, folder, name, r.BeganAt).Scan(&overtaken)
	if err == nil && overtaken {
		err = ingest.Errorf(ingest.Conflict, "", "%s has been sent whole since this upload of it began", r.Path)
	}
	return err
}

// Receiving tells that bytes are still arriving for the tenant, so that its batch stays open. It may be called often.
func (l *Ledger) Receiving(ctx context.Context, tenant ingest.TenantID) error {
	now := l.now()
	_, err := l.pool.Exec(ctx, `UPDATE dropline.inboxes SET arrived_at = $2 WHERE tenant = $1 AND arrived_at < $3`,
		tenant, now, now.Add(-receivingEvery))
	return fault("ledger.Receiving", err)
}

// Lookup returns the entry at a path of the inbox for appending: a partial if there is one, else what Stat returns.
func (l *Ledger) Lookup(ctx context.Context, tenant ingest.TenantID, path string) (ingest.Entry, error) {
	folder, name := split(path)
	rows, err := l.pool.Query(ctx, `SELECT `+partialColumns+` FROM dropline.partials
		WHERE tenant = $1 AND folder = $2 AND name = $3`, tenant, folder, name)
	list, err := collect(rows, err, scanEntry)
	if err != nil || len(list) == 0 {
		if err == nil {
			return l.Stat(ctx, tenant, path)
		}
		return ingest.Entry{}, fault("ledger.Lookup", err)
	}
	return list[0], nil
}

// checkRegistration refuses what a caller must never hand over.
func checkRegistration(r ingest.Registration) error {
	clean, err := ingest.CleanPath(r.Path)
	if err != nil {
		return err
	}
	if clean != r.Path || !ingest.InInbox(r.Path) || !r.ID.Valid() || r.Key == "" || r.Size < 0 {
		return ingest.Errorf(ingest.Invalid, "", "a registration needs an id, a key, a size and a canonical path below %s",
			ingest.Inbox)
	}
	return nil
}

// liveStates are the states of an import in which the same bytes again are a duplicate.
func liveStates() []string {
	var live []ingest.State
	for _, s := range ingest.States() {
		if s.Live() {
			live = append(live, s)
		}
	}
	return states(live)
}

// sameStates are the states of an import in which the bytes of a drop, sent again, are a duplicate. dropline push sends a table
// of which rows were refused again: they may refer to what has come since, so equal bytes may fare better now.
func sameStates(ctx context.Context, tx pgx.Tx, r ingest.Registration) ([]string, error) {
	live := liveStates()
	if !strings.HasPrefix(r.Path, ingest.Inbox+"/"+ingest.PushFolder+"/") {
		return live, nil
	}
	if err := lockInbox(ctx, tx, r.Tenant); err != nil {
		return nil, err
	}
	over := []string{string(ingest.Staged), string(ingest.Promoting), string(ingest.Promoted)}
	var refused bool
	err := tx.QueryRow(ctx, `SELECT coalesce((SELECT i.state = ANY ($3) AND f.rejected > 0
		FROM (SELECT id, import_id FROM dropline.drops WHERE tenant = $1 AND path = $2 AND state <> 'duplicate'
			ORDER BY seq DESC LIMIT 1) d
		JOIN dropline.imports i ON i.id = d.import_id JOIN dropline.import_files f ON f.import_id = i.id AND f.drop_id = d.id AND f.container = 0), false)`,
		r.Tenant, r.Path, over).Scan(&refused)
	if refused {
		live = slices.DeleteFunc(live, func(state string) bool { return slices.Contains(over, state) })
	}
	return live, err
}

func originHash(origin string) []byte {
	if origin == "" {
		return nil
	}
	sum := sha256.Sum256([]byte(origin))
	return sum[:]
}
