package ledger

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/jackc/pgx/v5"

	"dropline/ingest"
)

// maxChain is how many imports of a source are looked at, and so how many may go on one from another. What comes after them
// reads everything, which also finds what was missed by whatever fault.
const maxChain = 1000

// liveLinks are the imports of source $1, newest first, whose rows are in production or on their way there, and whether they are
// what an import under schema $2 and mapping $3 would make of the source's present database. One that was rejected is of them
// once its promotion by override is asked for; one that is being rolled back no longer is.
const liveLinks = `SELECT d.import_id, d.base_id, CASE WHEN i.state = 'promoted' THEN coalesce(i.promotion_order, 0) ELSE 0 END,
		d.marks IS NOT NULL AND i.schema_id = $2 AND i.mapping_version = $3 AND i.time_zone = t.time_zone
		AND d.server = s.server AND d.database_name = s.database_name
	FROM dropline.sources s JOIN dropline.tenants t ON t.id = s.tenant
	JOIN dropline.import_databases d ON d.source_id = s.id AND d.source_id <> ''
	JOIN dropline.imports i ON i.id = d.import_id
	WHERE s.id = $1 AND i.state IN ('staged', 'promoting', 'promoted')
	ORDER BY d.seq DESC LIMIT $4`

// Marks returns how far a source's relations have been imported under a schema and a mapping version, and by which import: the
// latest of the source that is staged, being promoted or promoted, as are all that it went on from. An empty id: none is,
// and everything is to be read, as after a change of the source's database, the mapping or the tenant's time zone, and after
// 1,000 imports that went on one from another.
func (l *Ledger) Marks(ctx context.Context, source ingest.SourceID, schema string, mapping int,
) (ingest.ImportID, map[string]ingest.SourceMark, error) {
	const op = "ledger.Marks"
	rows, err := l.pool.Query(ctx, liveLinks, source, schema, mapping, maxChain)
	list, err := collect(rows, err, func(row pgx.Row) (*link, error) {
		k := &link{}
		err := row.Scan(&k.id, &k.base, &k.order, &k.fits)
		return k, err
	})
	if err != nil {
		return "", nil, fault(op, err)
	}
	base := newChain(list).latest(list)
	if base == "" {
		return "", nil, nil
	}
	var encoded []byte
	err = l.pool.QueryRow(ctx, `SELECT marks FROM dropline.import_databases WHERE import_id = $1`, base).Scan(&encoded)
	marks := map[string]ingest.SourceMark{}
	if err == nil {
		err = json.Unmarshal(encoded, &marks)
	}
	if err != nil {
		return "", nil, fault(op, err)
	}
	return base, marks, nil
}

// link is an import in a chain of those that went on one from another.
type link struct {
	id, base      ingest.ImportID // base is empty where everything was read
	order         int64           // of its promotion; 0 before that
	fits          bool            // may be gone on from, for its own part
	judged, whole bool
}

// chain holds imports that may be gone on from.
type chain map[ingest.ImportID]*link

// newChain leaves out, of links from the newest to the oldest, those that do not fit, and those over whose rows an older import
// has been promoted since, by override or after a retry: rows that the older has put back to what they were would stay so.
func newChain(links []*link) chain {
	all := make(chain, len(links))
	latest := int64(0) // promotion of all that are older
	for _, k := range slices.Backward(links) {
		if k.fits && (k.order == 0 || k.order > latest) {
			all[k.id] = k
		}
		latest = max(latest, k.order)
	}
	return all
}

// latest is the first of the links that is whole; empty where none is.
func (c chain) latest(links []*link) ingest.ImportID {
	for _, k := range links {
		if c.whole(k.id) {
			return k.id
		}
	}
	return ""
}

// whole reports whether an import and all that it went on from are in the chain.
func (c chain) whole(id ingest.ImportID) bool {
	k, ok := c[id]
	if !ok {
		return false
	}
	if !k.judged {
		k.judged = true // first, so that a circle, should there ever be one, is not whole and has an end
		k.whole = k.base == "" || c.whole(k.base)
	}
	return k.whole
}

// saveMarks records how far the relations of an import's database are with it, and wipes its connection string.
func saveMarks(ctx context.Context, tx pgx.Tx, id ingest.ImportID, marks map[string]ingest.SourceMark) error {
	var list any // NULL where nothing was planned, so that no later import goes on from it
	if marks != nil {
		encoded, err := json.Marshal(marks)
		if err != nil {
			return err
		}
		list = string(encoded)
	}
	_, err := tx.Exec(ctx, `UPDATE dropline.import_databases SET marks = $2, sealed = NULL WHERE import_id = $1`, id, list)
	return err
}
