package ledger

import (
	"context"
	"path"
	"strings"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
)

// Rename moves a file or folder below the inbox. A temporary file renamed to a name that is not temporary becomes a drop, and a
// drop that has not started and is given a temporary name becomes a temporary file again.
func (l *Ledger) Rename(ctx context.Context, tenant ingest.TenantID, from, to string, replace bool) error {
	const op = "ledger.Rename"
	for _, p := range []string{from, to} {
		if err := checkBelowInbox(p); err != nil {
			return fault(op, err)
		}
	}
	err := l.inTx(ctx, op, func(tx pgx.Tx) error {
		if err := lockInbox(ctx, tx, tenant); err != nil {
			return err
		}
		n, err := lookAt(ctx, tx, tenant, from)
		if err != nil {
			return err
		}
		switch {
		case n.kind == "" && n.partial:
			return ingest.WithHint(ingest.Errorf(ingest.Denied, "", "the upload of %s was not completed", from),
				"resume the upload or send the file again, then rename it")
		case n.kind == "":
			return missing(pgx.ErrNoRows, "file or folder")
		case from == to:
			return nil
		}
		if err := needParent(ctx, tx, tenant, to); err != nil {
			return err
		}
		if n.kind == ingest.EntryDir {
			return l.renameFolder(ctx, tx, tenant, from, to)
		}
		return l.renameFile(ctx, tx, tenant, n, from, to, replace)
	})
	if err == nil {
		l.announceArrival(ctx, tenant)
	}
	return err
}

func (l *Ledger) renameFile(ctx context.Context, tx pgx.Tx, tenant ingest.TenantID, n node, from, to string, replace bool,
) error {
	target, err := lookAt(ctx, tx, tenant, to)
	switch {
	case err != nil:
		return err
	case target.kind == ingest.EntryDir:
		return ingest.Errorf(ingest.Conflict, "", "%s is a folder", to)
	case target.kind != "" && !replace:
		return ingest.Errorf(ingest.Conflict, "", "%s is there already", to)
	}
	if n.kind == ingest.EntryDrop {
		started, err := dropState(ctx, tx, n.drop)
		if err != nil {
			return err
		}
		if started == underWay {
			return underWayError(from)
		}
		if started == notStarted && ingest.TemporaryName(to) {
			if n, err = l.recall(ctx, tx, n); err != nil {
				return err
			}
		}
	}
	if n.kind == ingest.EntryTemporary && !ingest.TemporaryName(to) {
		return l.registerTemporary(ctx, tx, tenant, n, from, to)
	}
	if err := l.removeFile(ctx, tx, tenant, to, target, ingest.DropSuperseded); err != nil {
		return err
	}
	return move(ctx, tx, tenant, n, from, to)
}

// registerTemporary makes a temporary file the drop that it was sent to be. What is at to is dealt with as by any drop.
func (l *Ledger) registerTemporary(ctx context.Context, tx pgx.Tx, tenant ingest.TenantID, n node, from, to string) error {
	if err := deleteEntry(ctx, tx, tenant, from); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `SELECT dropline.stored($1, -1, -$2::bigint, NULL)`, tenant, n.size) // register counts it again
	if err != nil {
		return err
	}
	r := ingest.Registration{
		Delivery:  ingest.Delivery{Tenant: tenant, Path: to, Via: ingest.Via(n.via), By: n.by},
		ID:        n.drop,
		Key:       n.key,
		Size:      n.size,
		HashState: n.state,
	}
	copy(r.SHA256[:], n.sha)
	r.ReceivedAt = l.now()
	_, err = l.register(ctx, tx, r)
	return err
}

// recall makes a drop that has not started a temporary file: its name says that it does not count. The object stays where it
// is and passes to the temporary file, which has a new id, as the drop's is spent.
func (l *Ledger) recall(ctx context.Context, tx pgx.Tx, n node) (node, error) {
	err := tx.QueryRow(ctx, `SELECT via, delivered_by FROM dropline.drops WHERE id = $1`, n.drop).Scan(&n.via, &n.by)
	if err != nil {
		return n, err
	}
	if err := endDrop(ctx, tx, n.drop, ingest.DropWithdrawn, l.now()); err != nil {
		return n, err
	}
	if _, err := tx.Exec(ctx, `UPDATE dropline.drops SET released_at = $2 WHERE id = $1`, n.drop, l.now()); err != nil {
		return n, err
	}
	old := n.drop
	n.kind, n.drop = ingest.EntryTemporary, ingest.NewDropID()
	_, err = tx.Exec(ctx, `UPDATE dropline.entries SET kind = 'temporary', drop_id = $2, via = $3, delivered_by = $4
		WHERE drop_id = $1`, old, n.drop, n.via, n.by)
	return n, err
}

// move gives an entry, and its drop, another path. Nothing is at to.
func move(ctx context.Context, tx pgx.Tx, tenant ingest.TenantID, n node, from, to string) error {
	fromFolder, fromName := split(from)
	toFolder, toName := split(to)
	_, err := tx.Exec(ctx, `UPDATE dropline.entries SET folder = $4, name = $5
		WHERE tenant = $1 AND folder = $2 AND name = $3`, tenant, fromFolder, fromName, toFolder, toName)
	if err == nil && n.kind == ingest.EntryDrop {
		_, err = tx.Exec(ctx, `UPDATE dropline.drops SET path = $2 WHERE id = $1`, n.drop, to)
	}
	return err
}

// renameFolder moves a folder with all that is in it. Nothing may be at to, whatever the client asks to replace.
func (l *Ledger) renameFolder(ctx context.Context, tx pgx.Tx, tenant ingest.TenantID, from, to string) error {
	if strings.HasPrefix(to, from+"/") {
		return ingest.Errorf(ingest.Invalid, "", "a folder cannot be moved into itself")
	}
	target, err := lookAt(ctx, tx, tenant, to)
	if err != nil {
		return err
	}
	if target.kind != "" || target.partial {
		return ingest.Errorf(ingest.Conflict, "", "%s is there already", to)
	}
	// All folders from "from/" up to, but without, "from0", which is what follows "from/…" in byte order.
	rows, err := tx.Query(ctx, `SELECT folder || '/' || name, kind, drop_id FROM dropline.entries
		WHERE tenant = $1 AND (folder = $2 OR folder >= $2 || '/' AND folder < $2 || '0')`, tenant, from)
	type file struct {
		path string
		kind ingest.EntryKind
		drop ingest.DropID
	}
	files, err := collect(rows, err, func(row pgx.Row) (file, error) {
		var f file
		err := row.Scan(&f.path, &f.kind, &f.drop)
		return f, err
	})
	if err != nil {
		return err
	}
	for _, f := range files {
		if len(f.path)-len(from)+len(to) > ingest.MaxPathBytes {
			return ingest.Errorf(ingest.Invalid, "", "%s would have too long a path", path.Base(f.path))
		}
		if f.kind != ingest.EntryDrop {
			continue
		}
		started, err := dropState(ctx, tx, f.drop)
		if err != nil {
			return err
		}
		if started == underWay {
			return underWayError(f.path)
		}
	}
	return moveFolder(ctx, tx, tenant, from, to)
}

func moveFolder(ctx context.Context, tx pgx.Tx, tenant ingest.TenantID, from, to string) error {
	const within = ` WHERE tenant = $1 AND (folder = $2 OR folder >= $2 || '/' AND folder < $2 || '0')`
	for _, sql := range []string{
		`UPDATE dropline.drops d SET path = $3 || substr(d.path, length($2) + 1) FROM dropline.entries e
			WHERE e.tenant = $1 AND (e.folder = $2 OR e.folder >= $2 || '/' AND e.folder < $2 || '0') AND e.kind = 'drop'
			AND d.id = e.drop_id`,
		`UPDATE dropline.entries SET folder = $3 || substr(folder, length($2) + 1)` + within,
		`UPDATE dropline.partials SET folder = $3 || substr(folder, length($2) + 1)` + within,
	} {
		if _, err := tx.Exec(ctx, sql, tenant, from, to); err != nil {
			return err
		}
	}
	return move(ctx, tx, tenant, node{kind: ingest.EntryDir}, from, to)
}
