package staging

import (
	"context"
	"errors"
	"fmt"

	"dropline/ingest"
	"dropline/schema"

	"github.com/jackc/pgx/v5"
)

// differing renders the staged rows that are about to be written. Those that equal production's need no second look: what
// production has is sound by the promotions before.
func (p *promotion) differing(t *schema.Table) string {
	counts := p.counts[t.Name]
	if counts.Unchanged <= counts.Inserted+counts.Updated {
		return p.staged(t, p.seq) // picking rows out would take longer than looking at all
	}
	return fmt.Sprintf("(select s.* from %s b join %s s on s.ctid = b._spot)", p.names.before(t, p.seq), p.staged(t, p.seq))
}

// recheck sees that what the checks found still holds. Other imports may have been rolled back, or rejected, since.
func (p *promotion) recheck(ctx context.Context) error {
	for _, t := range p.tables {
		if c := p.counts[t.Name]; c.Inserted+c.Updated == 0 {
			continue
		}
		for _, ref := range referencesOf(t) {
			if may, _, err := p.mayDangle(ctx, p.tx, t, ref); err != nil {
				return err
			} else if !may {
				continue
			}
			err := p.none(ctx, fmt.Sprintf("from %s t where %s", p.differing(t), p.dangling(t, ref)), t,
				fmt.Sprintf("%s names a %s that is neither in the import nor in production any more", ref.Name, ref.References.Name))
			if err != nil {
				return err
			}
		}
	}
	version, err := productionVersion(ctx, p.tx, p.target.Tenant)
	if err != nil || version == *p.record.checked {
		return err
	}
	for _, t := range p.tables {
		for _, set := range t.Unique {
			for _, where := range p.uniqueConditions(t, set) {
				err := p.none(ctx, fmt.Sprintf("from %s t where %s", p.staged(t, p.seq), where), t, columnList(set)+" must be unique, and production has the same")
				if err != nil {
					return err
				}
			}
		}
	}
	return p.recheckWholes(ctx)
}

func (p *promotion) recheckWholes(ctx context.Context) error {
	run := func(ctx context.Context, sql string) (int64, error) {
		tag, err := p.tx.Exec(ctx, sql)
		return tag.RowsAffected(), err
	}
	for _, r := range p.wholeChecks(p.target.Schema, schema.Error) {
		found, err := p.findFailing(ctx, run, r)
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		for _, member := range p.members(r) {
			if err := p.none(ctx, fmt.Sprintf("from %s t where %s", p.staged(member.table, p.seq), member.where), member.table, r.check.Message); err != nil {
				return err
			}
		}
	}
	return nil
}

// none is a Conflict that names an example if a query on staged rows t finds any.
func (p *promotion) none(ctx context.Context, from string, t *schema.Table, problem string) error {
	var key string
	var src []byte
	err := p.tx.QueryRow(ctx, fmt.Sprintf("select t.%s, t.%s %s limit 1", schema.QuoteIdent(t.Key.SQLName), sourceColumn, from)).Scan(&key, &src)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	s, err := parseSource(src)
	if err != nil {
		return err
	}
	paths, err := filePaths(ctx, p.tx, p.target)
	if err != nil {
		return err
	}
	return ingest.WithHint(
		ingest.Errorf(ingest.Conflict, "staging.Promote", "production has changed since the import was checked: %s %s (line %d of %s): %s",
			t.Name, key, s.Line, paths[s.File], problem),
		"production is untouched; promote what the import rests on first, or send the files again")
}
