package staging

import (
	"context"
	"fmt"
	"strings"

	"dropline/ingest"
	"dropline/schema"

	"github.com/jackc/pgx/v5"
)

// conclude takes the refused rows out of staging, and tells of them, of the warnings and of what remains.
func (c *checker) conclude(ctx context.Context) error {
	if err := c.remove(ctx); err != nil {
		return err
	}
	if err := c.prerequisites(ctx); err != nil {
		return err
	}
	if err := c.tellRefused(ctx); err != nil {
		return err
	}
	if err := c.tellWarnings(ctx); err != nil {
		return err
	}
	n := c.names
	if _, err := c.tx.Exec(ctx, "drop table if exists "+n.rejected(c.seq)); err != nil {
		return err
	}
	version := c.version
	if len(c.result.Prerequisites) > 0 {
		version = neverProduction
	}
	_, err := c.tx.Exec(ctx, "update "+n.own("_imports")+" set checked_version = $2 where seq = $1", c.seq, version)
	return err
}

// neverProduction stands for the version of production where an import was checked against what is not in production yet:
// whatever is there when it is promoted, it has changed since.
const neverProduction = -1

// remove deletes the refused rows and records how many remain. The numbers must add up: rows that vanished unaccounted for
// would be a loss.
func (c *checker) remove(ctx context.Context) error {
	if err := c.countByFile(ctx); err != nil {
		return err
	}
	if _, err := c.tx.Exec(ctx, "delete from "+c.names.own("_tables")+" where seq = $1", c.seq); err != nil {
		return err
	}
	for _, t := range c.tables {
		count := TableCount{Staged: c.copied[t] - c.refused[t], Rejected: c.refused[t]}
		c.result.Tables[t.Name] = count
		staged := c.names.packed(t, c.seq)
		if count.Rejected > 0 {
			if err := c.keepLost(ctx, t); err != nil {
				return err
			}
			tag, err := c.tx.Exec(ctx, fmt.Sprintf("delete from %s t using refused gone where gone.tbl = %d and gone.spot = t.ctid",
				staged, c.number[t]))
			if err != nil {
				return err
			}
			if tag.RowsAffected() != count.Rejected {
				return ingest.Errorf(ingest.Internal, "staging.Check", "of %d refused rows of table %s, %d were there", count.Rejected, t.Name, tag.RowsAffected())
			}
		}
		if count.Staged == 0 {
			if _, err := c.tx.Exec(ctx, "drop table "+staged+" cascade"); err != nil {
				return err
			}
			delete(c.own, t)
			continue
		}
		_, err := c.tx.Exec(ctx, "insert into "+c.names.own("_tables")+" (seq, table_name, staged) values ($1, $2, $3)", c.seq, t.Name, count.Staged)
		if err != nil {
			return err
		}
	}
	// A file whose rows were all refused may have left an empty table: one of another file's, undone, too.
	var empty []string
	for _, t := range c.target.Schema.Tables {
		if !c.own[t] {
			empty = append(empty, packedName(t, c.seq))
		}
	}
	kept := c.tables[:0]
	for _, t := range c.tables {
		if c.own[t] {
			kept = append(kept, t)
		}
	}
	c.tables = kept
	return dropTables(ctx, c.tx, c.names, empty)
}

func (c *checker) countByFile(ctx context.Context) error {
	if !c.made {
		return nil
	}
	rows, err := c.tx.Query(ctx, fmt.Sprintf(
		"select %s, count(*) from refused group by 1", fileIn("source")))
	if err != nil {
		return err
	}
	var file int
	var count, sum int64
	_, err = pgx.ForEachRow(rows, []any{&file, &count}, func() error {
		c.result.RejectedByFile[file] = count
		sum += count
		return nil
	})
	if err == nil && sum != c.total() {
		err = ingest.Errorf(ingest.Internal, "staging.Check", "%d rows were refused, but %d are on the list", c.total(), sum)
	}
	return err
}

// prerequisites finds the earlier imports that the remaining rows rest on.
func (c *checker) prerequisites(ctx context.Context) error {
	if len(c.earlier) == 0 {
		return nil
	}
	c.refused = map[*schema.Table]int64{} // they are gone: what is in staging is what counts
	for _, t := range c.tables {
		for _, ref := range referencesOf(t) {
			target := ref.References
			if len(c.earlier[target]) == 0 {
				continue
			}
			only := overlay{names: c.names, seq: c.seq, own: c.own}
			from, id := c.staged(t, c.seq)+" t", "t."+schema.QuoteIdent(ref.SQLName)
			if ref.Kind == schema.List {
				from, id = c.items(t, ref)+" item", itemRef
			}
			for i := len(c.earlier[target]) - 1; i >= 0; i-- { // the oldest that has the row is the one that is needed
				e := c.earlier[target][i]
				if c.needed[e.id] {
					continue
				}
				older := only
				older.earlier = map[*schema.Table][]earlier{target: c.earlier[target][i+1:]}
				any, err := c.any(ctx, fmt.Sprintf("select 1 from %s where %s and exists (select from %s prior where prior.id = %s)",
					from, older.missing(ref, id), c.staged(target, e.seq), id))
				if err != nil {
					return err
				}
				if any {
					c.needed[e.id] = true
				}
			}
		}
	}
	if err := c.dependsOn(ctx); err != nil {
		return err
	}
	for _, t := range c.older {
		if c.needed[t.Import] {
			c.result.Prerequisites = append(c.result.Prerequisites, t.Import)
		}
	}
	return nil
}

// tellRefused streams the refused rows in the order of file and record.
func (c *checker) tellRefused(ctx context.Context) error {
	if !c.made {
		return nil
	}
	rows, err := c.tx.Query(ctx, "select tbl, source, key, code, col, detail, value, other from refused order by source")
	if err != nil {
		return err
	}
	var tbl int
	var src, other []byte
	var key, detail, value *string
	var code, column string
	_, err = pgx.ForEachRow(rows, []any{&tbl, &src, &key, &code, &column, &detail, &value, &other}, func() error {
		t := c.target.Schema.Tables[tbl]
		reject, err := c.reject(t, src, key, column)
		if err != nil {
			return err
		}
		reject.Code = code
		switch {
		case value != nil:
			reject.Value = ingest.CutText(*value, ingest.MaxRejectValue)
		case t.Column(column) == t.Key:
			reject.Value = ingest.CutText(reject.ImportID, ingest.MaxRejectValue)
		}
		reject.Message = c.message(t, &reject, detail, other)
		return c.sink(reject)
	})
	return err
}

// reject is a reject of a row but for its code, message and value.
func (c *checker) reject(t *schema.Table, src []byte, key *string, column string) (ingest.Reject, error) {
	s, err := parseSource(src)
	if err != nil {
		return ingest.Reject{}, err
	}
	r := ingest.Reject{
		File: c.paths[s.File], FileNumber: s.File, Table: t.Name, Record: s.Record, Line: s.Line, Column: column,
		Offset: s.Offset, Length: s.Length,
	}
	if key != nil {
		r.ImportID = *key
	}
	return r, nil
}

// message says what is wrong with a row and what to do.
func (c *checker) message(t *schema.Table, r *ingest.Reject, detail *string, other []byte) string {
	switch r.Code {
	case ingest.CodeDuplicateKey:
		where := "elsewhere"
		if s, err := parseSource(other); err == nil {
			where = fmt.Sprintf("in line %d of %s", s.Line, c.paths[s.File])
			if s.File == r.FileNumber {
				where = fmt.Sprintf("in line %d of the same file", s.Line)
			}
		}
		return fmt.Sprintf("%s %s occurs more than once, also %s: all of these records are refused. Send it once.", t.Key.Name, r.ImportID, where)
	case ingest.CodeDuplicateValue:
		return fmt.Sprintf("%s must be unique, and another %s has the same: change one of them, or send that one changed as well.", orEmpty(detail), t.Name)
	case ingest.CodeMissingRef:
		return fmt.Sprintf("%s names a %s that is neither in this import nor loaded before: send it too, or correct the reference.", r.Column, target(t, r.Column, detail))
	case ingest.CodeParentRejected:
		return fmt.Sprintf("%s names a %s that is refused itself: when that is mended, send both.", r.Column, target(t, r.Column, detail))
	}
	for _, owner := range c.target.Schema.Tables {
		for _, check := range owner.Checks {
			if check.Name == r.Code {
				return withDetail(check.Message, detail)
			}
		}
	}
	return r.Code
}

func withDetail(message string, detail *string) string {
	if detail == nil || *detail == "" {
		return message
	}
	return message + " (" + *detail + ")"
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// target is what a column refers to, and of a list which of them.
func target(t *schema.Table, column string, item *string) string {
	col := t.Column(column)
	switch {
	case col == nil || col.References == nil:
		return "row"
	case item != nil:
		return fmt.Sprintf("%s (%s)", col.References.Name, *item)
	}
	return col.References.Name
}

// tellWarnings streams the warnings on rows that remain: those on a row by itself, then those on wholes.
func (c *checker) tellWarnings(ctx context.Context) error {
	c.refused = map[*schema.Table]int64{}
	for _, t := range c.tables {
		for _, check := range t.Checks {
			if !c.suspect[t].warnings || check.Kind != schema.RowCheck || check.Severity != schema.Warning {
				continue
			}
			where := "(" + check.Expr.Postgres("t") + ") is false"
			if err := c.tellWarning(ctx, refusal{table: t, where: where, column: check.Column, value: valueOf(t, check.Column)}, check); err != nil {
				return err
			}
		}
	}
	for _, r := range c.wholeChecks(c.target.Schema, schema.Warning) {
		found, err := c.findFailing(ctx, c.run, r)
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		members := c.members(r)
		for i, member := range members {
			if i > 0 && members[0].table == r.table && r.check.Kind == schema.SumCheck {
				// Where the whole is there to be warned about, its parts are not.
				member.where = strings.Join([]string{member.where, fmt.Sprintf("not exists (select from %s whole where whole.id = t.%s)",
					c.staged(r.table, c.seq), schema.QuoteIdent(r.check.By.SQLName))}, " and ")
			}
			if err := c.tellWarning(ctx, member, r.check); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *checker) tellWarning(ctx context.Context, r refusal, check *schema.Check) error {
	rows, err := c.tx.Query(ctx, fmt.Sprintf("select t.%[1]s, t.%[2]s, %[3]s::text, %[4]s::text from %[5]s t where %[6]s order by t.%[1]s",
		sourceColumn, schema.QuoteIdent(r.table.Key.SQLName), orNull(r.detail), orNull(r.value), c.staged(r.table, c.seq), r.where))
	if err != nil {
		return err
	}
	var src []byte
	var key, detail, value *string
	_, err = pgx.ForEachRow(rows, []any{&src, &key, &detail, &value}, func() error {
		warning, err := c.reject(r.table, src, key, r.column)
		if err != nil {
			return err
		}
		warning.Code, warning.Message = check.Name, withDetail(check.Message, detail)
		if value != nil {
			warning.Value = ingest.CutText(*value, ingest.MaxRejectValue)
		}
		c.result.Warnings++
		return c.warn(warning)
	})
	return err
}
