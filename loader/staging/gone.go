package staging

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"dropline/ingest"
	"dropline/schema"

	"github.com/jackc/pgx/v5"
)

// A promotion deletes rows of production of two kinds: those of which a staged row says that they are to be deleted, and those that
// are missing where the import has all rows that a table should have. What it deletes is kept beside the before-images, in a table
// "work_item_n_gone", from which a rollback brings it back.
//
// Nothing that stays may refer to what goes. A missing row that something refers to stays; one that is said to go stops the promotion.

// maxKeepRounds is how many links of a chain of references are followed to find what must stay: a session of a session of a session.
// Beyond that nothing is deleted that is merely missing.
const maxKeepRounds = 50

func goneName(t *schema.Table, seq int64) string { return fmt.Sprintf("%s_%d_gone", t.SQLName, seq) }

func (n names) gone(t *schema.Table, seq int64) string { return quoted(n.staging, goneName(t, seq)) }

// kept is a condition on a staged row: it does not say that it is to be deleted.
func kept(t *schema.Table, alias string) string {
	c := t.DeletedBy()
	if c == nil {
		return "true"
	}
	return fmt.Sprintf("%s.%s is distinct from %s", alias, schema.QuoteIdent(c.SQLName), literal(c.Deletes))
}

// deletes reports whether rows of the import may say of the table's rows that they are to be deleted.
func (o *overlay) deletes(t *schema.Table) bool { return o.own[t] && t.DeletedBy() != nil }

// SetWhole notes of which tables, by published name, an import brings all rows that there should be, so that its promotion deletes the
// others, and forgets what an earlier call said. A table of which rows are refused loses none all the same: the rows that
// are meant might be among them.
func (s *Store) SetWhole(ctx context.Context, t Target, tables []string) error {
	const op = "staging.SetWhole"
	if err := t.validate(op); err != nil {
		return err
	}
	return s.inTx(ctx, op, func(tx pgx.Tx) error {
		if err := s.holdImport(ctx, tx, t); err != nil {
			return err
		}
		n := namesOf(t.Tenant)
		there, err := tableExists(ctx, tx, n, "_whole")
		if err != nil || !there && len(tables) == 0 {
			return err
		}
		if !there { // the tenant's records are from before there were such imports
			if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock($1)", lockKey("provision", t.Tenant, 0)); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, wholeDDL(n)); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, "delete from "+n.own("_whole")+" where seq = $1", t.Seq); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "insert into "+n.own("_whole")+" (seq, table_name) select distinct $1::bigint, unnest($2::text[])", t.Seq, tables)
		return err
	})
}

func wholeDDL(n names) string {
	return "create table if not exists " + n.own("_whole") + ` (
    seq bigint not null,
    table_name text not null,
    primary key (seq, table_name)
)`
}

// wholeTables finds the tables of which the import has all rows, and none was refused.
func (p *promotion) wholeTables(ctx context.Context) (map[string]bool, error) {
	whole := map[string]bool{}
	if there, err := tableExists(ctx, p.tx, p.names, "_whole"); err != nil || !there {
		return whole, err
	}
	rows, err := p.tx.Query(ctx, fmt.Sprintf(`select w.table_name from %s w join %s t using (seq, table_name)
where w.seq = $1 and (select sum(f.staged) = t.staged and sum(f.rejected) = 0 from %s f where f.seq = w.seq and f.table_name = w.table_name)`,
		p.names.own("_whole"), p.names.own("_tables"), p.names.own("_files")), p.seq)
	if err != nil {
		return nil, err
	}
	var name string
	_, err = pgx.ForEachRow(rows, []any{&name}, func() error {
		whole[name] = true
		return nil
	})
	return whole, err
}

// remove deletes what is to go, once all that comes has been written.
func (p *promotion) remove(ctx context.Context) error {
	going, err := p.findGone(ctx)
	if err != nil || len(going) == 0 {
		return err
	}
	if err := p.keepReferred(ctx, going); err != nil {
		return err
	}
	for _, t := range going {
		if err := p.refuseReferred(ctx, t, going); err != nil {
			return err
		}
	}
	for _, t := range going {
		if err := p.removeFrom(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// findGone keeps, for each table, the rows of production that are to go, and returns the tables that have any.
func (p *promotion) findGone(ctx context.Context) ([]*schema.Table, error) {
	whole, err := p.wholeTables(ctx)
	if err != nil {
		return nil, err
	}
	var going []*schema.Table
	for _, t := range p.tables {
		key, packed := schema.QuoteIdent(t.Key.SQLName), p.names.packed(t, p.seq)
		var branches []string
		if t.DeletedBy() != nil {
			branches = append(branches, fmt.Sprintf("select p.*, true as _said from %s p where exists (select from %s s where s.%[3]s = p.%[3]s and not (%[4]s))",
				p.names.live(t), packed, key, kept(t, "s")))
		}
		if whole[t.Name] {
			branches = append(branches, fmt.Sprintf("select p.*, false as _said from %s p where p._import <> %s and not exists (select from %s s where s.%[4]s = p.%[4]s)",
				p.names.live(t), literal(SeedImport), packed, key))
		}
		if len(branches) == 0 {
			continue
		}
		gone := p.names.gone(t, p.seq)
		tag, err := p.tx.Exec(ctx, "create table "+gone+noVacuum+" as "+strings.Join(branches, "\nunion all\n"))
		if err != nil {
			return nil, err
		}
		if tag.RowsAffected() > 0 {
			going = append(going, t)
			continue
		}
		if _, err := p.tx.Exec(ctx, "drop table "+gone); err != nil {
			return nil, err
		}
	}
	return going, nil
}

// referrersIn are the columns of the schema that refer to a table.
func (p *promotion) referrersIn(t *schema.Table) (tables []*schema.Table, columns []*schema.Column) {
	for _, other := range p.target.Schema.Tables {
		for _, c := range referencesOf(other) {
			if c.References == t {
				tables, columns = append(tables, other), append(columns, c)
			}
		}
	}
	return tables, columns
}

// staying renders what the rows of production that stay refer to by a column: their key and what they refer to.
func (p *promotion) staying(t *schema.Table, ref *schema.Column, going []*schema.Table) string {
	value := "r." + schema.QuoteIdent(ref.SQLName)
	if ref.Kind == schema.List {
		value = "unnest(" + value + ")"
	}
	from := fmt.Sprintf("select r.%s as key, %s as ref from %s r where r.%s is not null", schema.QuoteIdent(t.Key.SQLName), value, p.names.live(t),
		schema.QuoteIdent(ref.SQLName))
	for _, g := range going {
		if g == t {
			from += fmt.Sprintf(" and not exists (select from %s x where x.id = r.id)", p.names.gone(t, p.seq))
		}
	}
	return "(" + from + ")"
}

// keepReferred lets those of the missing rows stay to which something refers that stays, and what they refer to, and so on.
func (p *promotion) keepReferred(ctx context.Context, going []*schema.Table) error {
	for range maxKeepRounds {
		var stay int64
		for _, t := range going {
			tables, columns := p.referrersIn(t)
			for i, ref := range columns {
				tag, err := p.tx.Exec(ctx, fmt.Sprintf("delete from %s g where not g._said and g.id in (select s.ref from %s s)",
					p.names.gone(t, p.seq), p.staying(tables[i], ref, going)))
				if err != nil {
					return err
				}
				stay += tag.RowsAffected()
			}
		}
		if stay == 0 {
			return nil
		}
	}
	for _, t := range going {
		if _, err := p.tx.Exec(ctx, "delete from "+p.names.gone(t, p.seq)+" where not _said"); err != nil {
			return err
		}
	}
	return nil
}

// refuseReferred is a Conflict if something that stays refers to a row of the table that is said to go.
func (p *promotion) refuseReferred(ctx context.Context, t *schema.Table, going []*schema.Table) error {
	tables, columns := p.referrersIn(t)
	for i, ref := range columns {
		var from, to string
		err := p.tx.QueryRow(ctx, fmt.Sprintf("select s.key, g.%s from %s s join %s g on g.id = s.ref order by s.key limit 1",
			schema.QuoteIdent(t.Key.SQLName), p.staying(tables[i], ref, going), p.names.gone(t, p.seq))).Scan(&from, &to)
		if errors.Is(err, pgx.ErrNoRows) {
			continue
		}
		if err != nil {
			return err
		}
		return ingest.WithHint(
			ingest.Errorf(ingest.Conflict, "staging.Promote", "%s %s is to be deleted, and %s of %s %s refers to it", t.Name, to, ref.Name, tables[i].Name, from),
			"production is untouched; cancel the import, and send it again with what refers to the row deleted too, or changed")
	}
	return nil
}

// removeFrom deletes the rows of a table that go.
func (p *promotion) removeFrom(ctx context.Context, t *schema.Table) error {
	gone := p.names.gone(t, p.seq)
	var all, said int64
	if err := p.tx.QueryRow(ctx, "select count(*), count(*) filter (where _said) from "+gone).Scan(&all, &said); err != nil {
		return err
	}
	if all == 0 {
		_, err := p.tx.Exec(ctx, "drop table "+gone)
		return err
	}
	tag, err := p.tx.Exec(ctx, fmt.Sprintf("delete from %s p using %s g where p.id = g.id", p.names.live(t), gone))
	if err := wrote(tag.RowsAffected(), all, t, err); err != nil {
		return err
	}
	counts := p.counts[t.Name]
	counts.Deleted = all
	counts.Unchanged -= said // of the staged rows
	p.counts[t.Name] = counts
	return nil
}

// bringBack puts back what a promotion deleted from a table.
func (p *promotion) bringBack(ctx context.Context, t *schema.Table) error {
	gone, live := p.names.gone(t, p.seq), p.names.live(t)
	if there, err := tableExists(ctx, p.tx, p.names, goneName(t, p.seq)); err != nil || !there {
		return err
	}
	key := schema.QuoteIdent(t.Key.SQLName)
	var again int64
	err := p.tx.QueryRow(ctx, fmt.Sprintf("select count(*) from %s g join %s p on p.%[3]s = g.%[3]s", gone, live, key)).Scan(&again)
	if err != nil {
		return err
	}
	if again > 0 {
		return ingest.Errorf(ingest.Conflict, "staging.Rollback", "%d rows that the promotion deleted from table %s have been made again since", again, t.Name)
	}
	var names []string
	for _, c := range t.ProductionColumns() {
		names = append(names, schema.QuoteIdent(c.Name))
	}
	list := strings.Join(names, ", ")
	if _, err := p.tx.Exec(ctx, fmt.Sprintf("insert into %s (%s) select %[2]s from %[3]s", live, list, gone)); err != nil {
		return err
	}
	_, err = p.tx.Exec(ctx, "drop table "+gone)
	return err
}
