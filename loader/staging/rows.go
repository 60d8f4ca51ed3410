package staging

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"dropline/ingest"
	"dropline/schema"

	"github.com/jackc/pgx/v5"
)

const (
	// rowsWindow is how many pages of a table one look for rows goes through: about a thousand rows.
	rowsWindow = 64
	// tidBits is how much of a row's position is its place within the page. The rest is the page's number.
	tidBits = 16
)

// Rows returns up to limit staged rows of a table for people, from the first after a position (0: from the beginning), and
// the position of the last one; 0 means that there are no more. A row is a JSON object: "Id", then the columns by their
// published names, references as production ids, then "_file", "_record" and "_line". The rows are nearly in the order of
// the files. NotFound if the import has no such rows in staging.
func (s *Store) Rows(ctx context.Context, t Target, table string, after int64, limit int) ([]json.RawMessage, int64, error) {
	const op = "staging.Rows"
	if err := t.validate(op); err != nil {
		return nil, 0, err
	}
	def := t.Schema.Table(table)
	if def == nil {
		return nil, 0, ingest.Errorf(ingest.NotFound, op, "%s has no table %q", t.Schema.ID(), table)
	}
	if limit < 1 || limit > ingest.MaxPage || after < 0 {
		return nil, 0, ingest.Errorf(ingest.Invalid, op, "the limit must be between 1 and %d", ingest.MaxPage)
	}
	var found []json.RawMessage
	next := after
	err := s.inTx(ctx, op, func(tx pgx.Tx) error {
		n := namesOf(t.Tenant)
		there, err := tableExists(ctx, tx, n, packedName(def, t.Seq))
		if err != nil {
			return err
		}
		if !there {
			return ingest.Errorf(ingest.NotFound, op, "import %s has no staged rows of table %s", t.Import, table)
		}
		var pages int64
		err = tx.QueryRow(ctx, "select pg_relation_size($1::regclass) / current_setting('block_size')::int", n.packed(def, t.Seq)).Scan(&pages)
		if err != nil {
			return err
		}
		paths, err := filePaths(ctx, tx, t)
		if err != nil {
			return err
		}
		for page := after >> tidBits; page < pages && len(found) < limit; page = (next >> tidBits) {
			end := page + rowsWindow
			rows, last, err := rowsBetween(ctx, tx, t, def, paths, next, end, limit-len(found))
			if err != nil {
				return err
			}
			found = append(found, rows...)
			next = last
		}
		if len(found) < limit {
			next = 0
		}
		if len(found) == 0 && after == 0 {
			return unlessLost(ctx, tx, t, def)
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	return found, next, nil
}

// unlessLost tells rows that a crash of PostgreSQL has taken from rows that never were.
func unlessLost(ctx context.Context, tx pgx.Tx, t Target, table *schema.Table) error {
	_, counts, err := stagedTables(ctx, tx, t)
	if err != nil || counts[table.Name] == 0 {
		return err
	}
	return ingest.WithHint(
		ingest.Errorf(ingest.Unavailable, "staging.Rows", "the staged rows are being restored after a crash of PostgreSQL"),
		"try again in a moment")
}

func filePaths(ctx context.Context, tx pgx.Tx, t Target) (map[int]string, error) {
	rows, err := tx.Query(ctx, "select number, path from "+namesOf(t.Tenant).own("_files")+" where seq = $1", t.Seq)
	if err != nil {
		return nil, err
	}
	paths := map[int]string{}
	var number int
	var path string
	_, err = pgx.ForEachRow(rows, []any{&number, &path}, func() error {
		paths[number] = path
		return nil
	})
	return paths, err
}

// rowsBetween returns up to limit rows after a position and before a page, and the position from which to go on.
func rowsBetween(
	ctx context.Context, tx pgx.Tx, t Target, def *schema.Table, paths map[int]string, after, end int64, limit int,
) ([]json.RawMessage, int64, error) {
	var named strings.Builder
	named.WriteString(`t.id as "Id"`)
	for _, c := range def.Columns {
		named.WriteString(", t." + schema.QuoteIdent(c.SQLName) + " as " + schema.QuoteIdent(c.Name))
	}
	rows, err := tx.Query(ctx, fmt.Sprintf(
		"select t.ctid::text, t.%s, (select row_to_json(r)::text from (select %s) r) from %s t where t.ctid > $1::text::tid and t.ctid < $2::text::tid order by t.ctid limit $3",
		sourceColumn, named.String(), namesOf(t.Tenant).staged(def, t.Seq),
	), fmt.Sprintf("(%d,%d)", after>>tidBits, after&(1<<tidBits-1)), fmt.Sprintf("(%d,0)", end), limit)
	if err != nil {
		return nil, 0, err
	}
	var spot, row string
	var src []byte
	var found []json.RawMessage
	next := end << tidBits
	_, err = pgx.ForEachRow(rows, []any{&spot, &src, &row}, func() error {
		var page, place int64
		if _, err := fmt.Sscanf(spot, "(%d,%d)", &page, &place); err != nil {
			return err
		}
		from, err := parseSource(src)
		if err != nil {
			return err
		}
		path, err := json.Marshal(paths[from.File])
		if err != nil {
			return err
		}
		found = append(found, json.RawMessage(fmt.Sprintf(`%s,"_file":%s,"_record":%d,"_line":%d}`, strings.TrimSuffix(row, "}"), path, from.Record, from.Line)))
		if len(found) == limit {
			next = page<<tidBits | place
		}
		return nil
	})
	return found, next, err
}
