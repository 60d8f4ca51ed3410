package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"dropline/schema"

	"github.com/jackc/pgx/v5"
)

const walBar = 0.01 // of the production table's size: next to nothing

// benchPromote promotes work items onto as many of them, of which none, one in a hundred and all have changed, and compares
// that with the delta written by hand on a copy of the same production table.
func benchPromote(ctx context.Context, b *bench) error {
	s, err := b.startServer(ctx)
	if err != nil {
		return err
	}
	defer s.stop() //nolint:errcheck // of no consequence to what was measured
	dir, err := b.sample("export", b.rows)
	if err != nil {
		return err
	}
	file := sampleFile(dir, "WorkItem")
	if err := s.createTenant("promo", 2); err != nil {
		return err
	}
	if err := s.parents("promo", dir, workItemParents(schema.Efimis10())...); err != nil {
		return err
	}
	first, err := s.load("promo", map[string]string{"WorkItem_first.csv": file})
	if err != nil {
		return err
	}
	if _, err := s.promote(first.RequestID); err != nil {
		return err
	}
	if err := s.forget(ctx, first.RequestID); err != nil {
		return err
	}
	pairs := 1
	if b.full {
		pairs = 3
	}
	for _, share := range []struct {
		name  string
		every int // one row in so many is changed; 0: none
	}{{"0", 0}, {"1", 100}, {"100", 1}} {
		var quotients []float64
		for i := range pairs {
			name := fmt.Sprintf("WorkItem_%s_%d.csv", share.name, i)
			changed := filepath.Join(b.dir, name)
			if err := changeRows(file, changed, share.every, fmt.Sprintf(" (%s.%d)", share.name, i)); err != nil {
				return err
			}
			q, err := b.promotePair(ctx, s, name, changed, share.every == 0 && i == 0, i%2 == 1)
			if err != nil {
				return err
			}
			quotients = append(quotients, q)
			if err := os.Remove(changed); err != nil {
				return err
			}
		}
		b.atMost("promote-"+share.name, "the delta by hand, "+share.name+" % of the rows changed (time)", median(quotients), 1.3)
	}
	return nil
}

// promotePair stages the file, and times its promotion and the same by hand.
func (b *bench) promotePair(ctx context.Context, s *server, name, file string, wal, oursFirst bool) (float64, error) {
	status, err := s.load("promo", map[string]string{name: file})
	if err != nil {
		return 0, err
	}
	conn, err := s.db(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx) //nolint:errcheck // of no consequence
	var seq int64
	if err := conn.QueryRow(ctx, "select seq from dropline.imports where id = $1", status.RequestID).Scan(&seq); err != nil {
		return 0, err
	}
	err = execAll(
		ctx, conn, "create schema if not exists yardstick", "drop table if exists yardstick.production, yardstick.staging",
		"vacuum full production_promo.work_item",
		// By hand, both tables hold just what production is to hold.
		"create table yardstick.production (like production_promo.work_item including all)",
		"alter table yardstick.production drop column _digest, drop column _written",
		fmt.Sprintf("insert into yardstick.production select %s from production_promo.work_item", handColumns()),
		"vacuum analyze yardstick.production", "vacuum analyze production_promo.work_item",
		fmt.Sprintf("create unlogged table yardstick.staging as select id, %s from staging_promo.work_item_%d", listOf(""), seq),
		"vacuum analyze yardstick.staging", fmt.Sprintf("vacuum analyze staging_promo.work_item_%d_rows", seq), "checkpoint",
	)
	if err != nil {
		return 0, err
	}
	var ours, hand float64
	measure := []func() error{
		func() error { hand, err = deltaByHand(ctx, conn); return err },
		func() error { ours, err = b.promoteOurs(ctx, s, conn, status.RequestID, wal); return err },
	}
	if oursFirst {
		measure[0], measure[1] = measure[1], measure[0]
	}
	for _, m := range measure {
		if err := errors.Join(m(), execAll(ctx, conn, "checkpoint")); err != nil {
			return 0, err
		}
	}
	fmt.Printf("  %s: ours %.2f s, by hand %.2f s\n", name, ours, hand)
	return ours / hand, errors.Join(execAll(ctx, conn, "drop table yardstick.production, yardstick.staging"), s.forget(ctx, status.RequestID))
}

func (b *bench) promoteOurs(ctx context.Context, s *server, conn *pgx.Conn, id string, wal bool) (float64, error) {
	const lsn = "select pg_current_wal_insert_lsn() - '0/0'::pg_lsn"
	var before, after, size float64
	if err := conn.QueryRow(ctx, lsn).Scan(&before); err != nil {
		return 0, err
	}
	status, err := s.promote(id)
	if err != nil {
		return 0, err
	}
	if err := conn.QueryRow(ctx, lsn).Scan(&after); err != nil {
		return 0, err
	}
	if wal {
		if err := conn.QueryRow(ctx, "select pg_table_size('production_promo.work_item')").Scan(&size); err != nil {
			return 0, err
		}
		b.atMost("promote-wal-0", "the size of the production table (write-ahead log at 0 %)", (after-before)/size, walBar)
	}
	return *status.Promotion.Seconds, nil
}

// deltaByHand is the yardstick: the changed rows by a join into a temporary table, then an upsert.
func deltaByHand(ctx context.Context, conn *pgx.Conn) (float64, error) {
	var set []string
	for _, c := range schema.Efimis10().Table("WorkItem").Columns {
		name := schema.QuoteIdent(c.SQLName)
		set = append(set, name+" = excluded."+name)
	}
	began := time.Now()
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		for _, sql := range []string{
			fmt.Sprintf(`create temp table d on commit drop as select s.* from yardstick.staging s
				left join yardstick.production p using (import_id) where p.import_id is null or (%s) is distinct from (%s)`,
				listOf("s."), listOf("p.")),
			fmt.Sprintf(`insert into yardstick.production (%s) select id, %s, 'by hand', now(), now() from d on conflict (import_id) do update set %s,
				_import = excluded._import, _updated_at = excluded._updated_at`, handColumns(), listOf(""), strings.Join(set, ", ")),
		} {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return err
			}
		}
		return nil
	})
	return time.Since(began).Seconds(), err
}

// handColumns are the columns of the production table by hand.
func handColumns() string { return "id, " + listOf("") + ", _import, _created_at, _updated_at" }

// listOf lists a work item's columns, each behind a prefix.
func listOf(prefix string) string {
	var names []string
	for _, c := range schema.Efimis10().Table("WorkItem").Columns {
		names = append(names, prefix+schema.QuoteIdent(c.SQLName))
	}
	return strings.Join(names, ", ")
}

func execAll(ctx context.Context, conn *pgx.Conn, statements ...string) error {
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

// changeRows copies a file of work items, with a mark behind the title of one row in every so many.
func changeRows(from, to string, every int, mark string) error {
	title := -1
	err := rewrite(from, to, func(n int, record []string) {
		if n == 0 {
			title = slices.Index(record, "Title")
		} else if every > 0 && n%every == 0 && title >= 0 {
			record[title] += mark
		}
	}, false)
	if err == nil && title < 0 {
		err = errors.New("the sample's work items have no Title")
	}
	return err
}

// rewrite copies a CSV file record by record through change, and puts the copy in the file's place if it is told to.
func rewrite(from, to string, change func(n int, record []string), replace bool) (err error) {
	in, err := os.Open(from) //nolint:gosec // a path of our own
	if err != nil {
		return err
	}
	defer in.Close()          //nolint:errcheck // read only
	out, err := os.Create(to) //nolint:gosec // a path of our own
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, out.Close()); err == nil && replace {
			err = os.Rename(to, from)
		}
	}()
	r, w := csv.NewReader(bufio.NewReaderSize(in, 1<<20)), csv.NewWriter(bufio.NewWriterSize(out, 1<<20))
	r.ReuseRecord = true
	for n := 0; ; n++ {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		change(n, record)
		if err := w.Write(record); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}
