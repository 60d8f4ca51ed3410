package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
)

// node is an entry or partial as the operations on the tree need it, with what is to become of its drop.
type node struct {
	kind    ingest.EntryKind
	size    int64
	key     string
	drop    ingest.DropID
	sha     []byte
	state   []byte
	via     string
	by      string
	partial bool // there is a partial at the path
}

// Mkdir makes a folder below the inbox. Conflict if something is there, NotFound if its parent is not.
func (l *Ledger) Mkdir(ctx context.Context, tenant ingest.TenantID, path string) error {
	const op = "ledger.Mkdir"
	if fixed(path) {
		return ingest.Errorf(ingest.Conflict, op, "%s is there already", path)
	}
	if err := checkBelowInbox(path); err != nil {
		return fault(op, err)
	}
	return l.inTx(ctx, op, func(tx pgx.Tx) error {
		if err := lockInbox(ctx, tx, tenant); err != nil {
			return err
		}
		if err := needParent(ctx, tx, tenant, path); err != nil {
			return err
		}
		n, err := lookAt(ctx, tx, tenant, path)
		if err != nil {
			return err
		}
		if n.kind != "" || n.partial {
			return ingest.Errorf(ingest.Conflict, "", "%s is there already", path)
		}
		folder, name := split(path)
		_, err = tx.Exec(ctx, `INSERT INTO dropline.entries (tenant, folder, name, kind, mod_time)
			VALUES ($1, $2, $3, 'dir', $4)`, tenant, folder, name, l.now())
		return err
	})
}

// Rmdir removes an empty folder below the inbox. Conflict if it is not empty; partials, which nobody sees in it, go with it.
func (l *Ledger) Rmdir(ctx context.Context, tenant ingest.TenantID, path string) error {
	const op = "ledger.Rmdir"
	if err := checkBelowInbox(path); err != nil {
		return fault(op, err)
	}
	return l.inTx(ctx, op, func(tx pgx.Tx) error {
		if err := lockInbox(ctx, tx, tenant); err != nil {
			return err
		}
		n, err := lookAt(ctx, tx, tenant, path)
		switch {
		case err != nil:
			return err
		case n.kind == "":
			return missing(pgx.ErrNoRows, "folder")
		case n.kind != ingest.EntryDir:
			return ingest.Errorf(ingest.Conflict, "", "%s is not a folder", path)
		}
		var full bool
		err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM dropline.entries WHERE tenant = $1 AND folder = $2)`, tenant, path).
			Scan(&full)
		if err != nil {
			return err
		}
		if full {
			return ingest.Errorf(ingest.Conflict, "", "the folder %s is not empty", path)
		}
		if err := l.dropPartials(ctx, tx, tenant, path, ""); err != nil {
			return err
		}
		return deleteEntry(ctx, tx, tenant, path)
	})
}

// dropPartials removes the partials of a folder, or the one of that name in it, and gives up their objects.
func (l *Ledger) dropPartials(ctx context.Context, tx pgx.Tx, tenant ingest.TenantID, folder, name string) error {
	_, err := tx.Exec(ctx, `WITH gone AS (DELETE FROM dropline.partials WHERE tenant = $1 AND folder = $2
			AND ($3 = '' OR name = $3) RETURNING key, size),
		given AS (INSERT INTO dropline.discarded (key, tenant, due_at) SELECT key, $1, $4 FROM gone ON CONFLICT DO NOTHING)
		SELECT dropline.stored($1, -count(*), -coalesce(sum(size), 0)::bigint, NULL) FROM gone HAVING count(*) > 0`,
		tenant, folder, name, l.now())
	return err
}

// lookAt returns what is at a path; its kind is empty if nothing is.
func lookAt(ctx context.Context, tx pgx.Tx, tenant ingest.TenantID, path string) (node, error) {
	folder, name := split(path)
	var n node
	err := tx.QueryRow(ctx, `SELECT kind, size, key, drop_id, sha256, hash_state, via, delivered_by FROM dropline.entries
		WHERE tenant = $1 AND folder = $2 AND name = $3`, tenant, folder, name).
		Scan(&n.kind, &n.size, &n.key, &n.drop, &n.sha, &n.state, &n.via, &n.by)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return node{}, err
	}
	err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM dropline.partials WHERE tenant = $1 AND folder = $2 AND name = $3)`,
		tenant, folder, name).Scan(&n.partial)
	return n, err
}

// needParent refuses a path whose folder does not exist.
func needParent(ctx context.Context, tx pgx.Tx, tenant ingest.TenantID, path string) error {
	folder, _ := split(path)
	if fixed(folder) {
		return nil
	}
	n, err := lookAt(ctx, tx, tenant, folder)
	if err == nil && n.kind != ingest.EntryDir {
		err = ingest.Errorf(ingest.NotFound, "", "there is no folder %s", folder)
	}
	return err
}

func deleteEntry(ctx context.Context, tx pgx.Tx, tenant ingest.TenantID, path string) error {
	folder, name := split(path)
	_, err := tx.Exec(ctx, `DELETE FROM dropline.entries WHERE tenant = $1 AND folder = $2 AND name = $3`,
		tenant, folder, name)
	return err
}

// checkBelowInbox refuses changes to what is Dropline's own, and paths that are not canonical.
func checkBelowInbox(path string) error {
	clean, err := ingest.CleanPath(path)
	if err != nil {
		return err
	}
	if clean != path {
		return ingest.Errorf(ingest.Invalid, "", "the path is not canonical")
	}
	if !ingest.InInbox(path) {
		return ingest.WithHint(ingest.Errorf(ingest.Denied, "", "%s cannot be changed", path),
			fmt.Sprintf("only what is in %s can be changed", ingest.Inbox))
	}
	return nil
}
