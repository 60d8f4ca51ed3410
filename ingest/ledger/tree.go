package ledger

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
)

// archivedStays is how long a file that went to the archive is still found at its old path: clients look again at what they
// have just sent.
const archivedStays = 10 * time.Minute

// Columns of entries, partials and drops as scanEntry reads them.
const (
	entryColumns = `folder || '/' || name, kind, size, mod_time, key, CASE WHEN kind = 'drop' THEN drop_id ELSE '' END,
		sha256, hash_state`
	partialColumns = `folder || '/' || name, 'partial', size, mod_time, key, '', sha256, hash_state`
	ghostColumns   = `path, 'drop', size, mod_time, key, id, sha256, NULL::bytea`
)

// Stat returns the entry at a path. Where nothing else is, it shows a partial, or the drop that was there until minutes ago.
func (l *Ledger) Stat(ctx context.Context, tenant ingest.TenantID, path string) (ingest.Entry, error) {
	const op = "ledger.Stat"
	if fixed(path) {
		t, err := l.Tenant(ctx, tenant)
		if err != nil {
			return ingest.Entry{}, fault(op, err)
		}
		return ingest.Entry{Path: path, Kind: ingest.EntryDir, ModTime: t.CreatedAt}, nil
	}
	folder, name := split(path)
	e, err := scanEntry(l.pool.QueryRow(ctx, `SELECT path, kind, size, mod_time, key, drop_id, sha256, hash_state FROM (
		(SELECT `+entryColumns+`, 1 AS rank FROM dropline.entries WHERE tenant = $1 AND folder = $2 AND name = $3)
		UNION ALL
		(SELECT `+partialColumns+`, 2 FROM dropline.partials WHERE tenant = $1 AND folder = $2 AND name = $3)
		UNION ALL
		(SELECT `+ghostColumns+`, 3 FROM (SELECT * FROM dropline.drops WHERE tenant = $1 AND path = $4
			ORDER BY seq DESC LIMIT 1) d WHERE archived_at > $5)
		) AS e(path, kind, size, mod_time, key, drop_id, sha256, hash_state, rank) ORDER BY rank LIMIT 1`,
		tenant, folder, name, path, l.now().Add(-archivedStays)))
	return e, fault(op, missing(err, "file or folder"))
}

// List returns up to limit entries of a folder in the order of their names, from the first after the given name.
func (l *Ledger) List(ctx context.Context, tenant ingest.TenantID, folder, after string, limit int,
) ([]ingest.Entry, error) {
	const op = "ledger.List"
	at, err := l.Stat(ctx, tenant, folder)
	if err != nil {
		return nil, fault(op, err)
	}
	if at.Kind != ingest.EntryDir {
		return nil, ingest.Errorf(ingest.NotFound, op, "%s is not a folder", folder)
	}
	if folder == "/" {
		var list []ingest.Entry
		for _, path := range []string{ingest.Archive, ingest.Inbox, ingest.Reports} { // in the order of names
			if path[1:] > after && len(list) < limit {
				list = append(list, ingest.Entry{Path: path, Kind: ingest.EntryDir, ModTime: at.ModTime})
			}
		}
		return list, nil
	}
	rows, err := l.pool.Query(ctx, `SELECT `+entryColumns+` FROM dropline.entries
		WHERE tenant = $1 AND folder = $2 AND name > $3 ORDER BY name LIMIT $4`, tenant, folder, after, max(limit, 0))
	list, err := collect(rows, err, scanEntry)
	return list, fault(op, err)
}

// SetModTime sets the time that Stat shows. It changes nothing else.
func (l *Ledger) SetModTime(ctx context.Context, tenant ingest.TenantID, path string, t time.Time) error {
	const op = "ledger.SetModTime"
	e, err := l.Stat(ctx, tenant, path)
	if err != nil {
		return fault(op, err)
	}
	folder, name := split(path)
	var batch pgx.Batch
	switch {
	case fixed(path): // the same for all time
		return nil
	case e.Kind == ingest.EntryDrop: // wherever it is by now
		batch.Queue(`UPDATE dropline.drops SET mod_time = $3 WHERE tenant = $1 AND id = $2`, tenant, e.Drop, t)
		batch.Queue(`UPDATE dropline.entries SET mod_time = $3 WHERE tenant = $1 AND drop_id = $2`, tenant, e.Drop, t)
	case e.Kind == ingest.EntryPartial:
		batch.Queue(`UPDATE dropline.partials SET mod_time = $4 WHERE tenant = $1 AND folder = $2 AND name = $3`,
			tenant, folder, name, t)
	default:
		batch.Queue(`UPDATE dropline.entries SET mod_time = $4 WHERE tenant = $1 AND folder = $2 AND name = $3`,
			tenant, folder, name, t)
	}
	return fault(op, l.pool.SendBatch(ctx, &batch).Close())
}

// fixed reports whether the path is the root or one of its three folders.
func fixed(path string) bool {
	return path == "/" || path == ingest.Inbox || path == ingest.Archive || path == ingest.Reports
}

// split parts a canonical path into its folder, without a slash at the end, and its name.
func split(path string) (folder, name string) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", path
	}
	return path[:i], path[i+1:]
}

func scanEntry(row pgx.Row) (ingest.Entry, error) {
	var e ingest.Entry
	var sum []byte
	err := row.Scan(&e.Path, &e.Kind, &e.Size, &e.ModTime, &e.Key, &e.Drop, &sum, &e.HashState)
	copy(e.SHA256[:], sum)
	e.ModTime = e.ModTime.UTC()
	return e, err
}
