package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"dropline/schema"
)

const memoryBar = 200 << 20 // bytes of the process while it loads a file of any size

// sample writes a law firm's export with that many work items, and returns its directory.
func (b *bench) sample(name string, rows int) (string, error) {
	dir := filepath.Join(b.dir, name)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	cmd := exec.Command("build/dropline", "sample", dir, "--rows", "WorkItem="+strconv.Itoa(rows), "--seed", "1") //nolint:gosec // our own binary
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("sample: %w: %s", err, out)
	}
	return dir, numberEnums(sampleFile(dir, "WorkItem"), schema.Efimis10().Table("WorkItem"))
}

// numberEnums rewrites a file so that its enumerations are numbers, which psql can read into a typed table as they are.
func numberEnums(file string, table *schema.Table) error {
	var columns []*schema.Column
	return rewrite(file, file+".numbered", func(n int, record []string) {
		for i, field := range record {
			if n == 0 {
				columns = append(columns, table.Column(field))
			} else if c := columns[i]; c != nil && c.Enum != nil {
				for _, v := range c.Enum.Values {
					if v.Name == field {
						record[i] = strconv.Itoa(int(v.Number))
					}
				}
			}
		}
	}, true)
}

// parents uploads and promotes all of the export but the work items, so that their references resolve in production.
func (s *server) parents(tenant, dir string, tables ...string) error {
	files := map[string]string{}
	for _, table := range tables {
		file := sampleFile(dir, table)
		files[filepath.Base(file)] = file
	}
	status, err := s.load(tenant, files)
	if err != nil {
		return err
	}
	_, err = s.promote(status.RequestID)
	return err
}

// workItemParents are the tables without which a work item's references do not resolve.
func workItemParents(efimis *schema.Schema) []string {
	need := map[*schema.Table]bool{}
	var visit func(t *schema.Table)
	visit = func(t *schema.Table) {
		for _, c := range t.Columns {
			if c.References != nil && !need[c.References] {
				need[c.References] = true
				visit(c.References)
			}
		}
	}
	visit(efimis.Table("WorkItem"))
	var names []string
	for _, t := range efimis.Tables {
		if need[t] && t.Name != "WorkItem" {
			names = append(names, t.Name)
		}
	}
	return names
}

// benchLoad compares the loading of work items from S3 with psql's \copy of the same file into a table of the same types,
// the set checks with the loading, and the process's memory with its bar.
func benchLoad(ctx context.Context, b *bench) error {
	s, err := b.startServer(ctx)
	if err != nil {
		return err
	}
	defer s.stop() //nolint:errcheck // of no consequence to what was measured
	dir, err := b.sample("export", b.rows)
	if err != nil {
		return err
	}
	if err := s.createTenant("load", 2); err != nil {
		return err
	}
	if err := s.parents("load", dir, workItemParents(schema.Efimis10())...); err != nil {
		return err
	}
	file := sampleFile(dir, "WorkItem")
	var ours, psql, checks []float64
	for i := range b.runs {
		if i%2 == 0 {
			t, err := s.psqlCopy(ctx, file)
			if err != nil {
				return err
			}
			psql = append(psql, t)
		}
		status, err := s.load("load", map[string]string{fmt.Sprintf("WorkItem_%d.csv", i+1): file})
		if err != nil {
			return err
		}
		if status.RowsStaged != int64(b.rows) {
			return fmt.Errorf("%d of %d rows were staged", status.RowsStaged, b.rows)
		}
		ours = append(ours, *status.Timings.Loading)
		checks = append(checks, *status.Timings.Validating)
		if i%2 == 1 {
			t, err := s.psqlCopy(ctx, file)
			if err != nil {
				return err
			}
			psql = append(psql, t)
		}
		fmt.Printf("  run %d: loading %.2f s, psql %.2f s, checks %.2f s\n", i+1, ours[i], psql[i], checks[i])
		if err := s.forget(ctx, status.RequestID); err != nil {
			return err
		}
	}
	peak, err := peakMemory(s.pid())
	if err != nil {
		return err
	}
	b.atLeast("load-workitem", `psql \copy of the same file into the same typed table (speed)`, median(ratios(psql, ours)), 1.3)
	b.atMost("load-checks", "the loading of the same rows (time)", median(ratios(checks, ours)), 1)
	b.atMost("load-memory", "200 MB, peak resident memory of the process", peak/memoryBar, 1)
	return nil
}

// psqlCopy loads the file with psql into an ordinary table of WorkItem's types, and returns the seconds it took.
func (s *server) psqlCopy(ctx context.Context, file string) (float64, error) {
	table := schema.Efimis10().Table("WorkItem")
	header, err := firstLine(file)
	if err != nil {
		return 0, err
	}
	var columns []schema.DBColumn
	var names []string
	for name := range strings.SplitSeq(header, ",") {
		c := table.Column(strings.Trim(name, `"`))
		if c == nil {
			return 0, fmt.Errorf("the sample's header %q is no column's name", name)
		}
		columns = append(columns, schema.DBColumn{Name: c.SQLName, Type: c.PostgresType(), Column: c})
		names = append(names, schema.QuoteIdent(c.SQLName))
	}
	conn, err := s.db(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx) //nolint:errcheck // of no consequence
	for _, sql := range []string{
		"create schema if not exists yardstick", "drop table if exists yardstick.work_item",
		schema.CreateTable("yardstick", "work_item", columns, false), "checkpoint",
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return 0, err
		}
	}
	began := time.Now()
	out, err := exec.CommandContext(ctx, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", s.stack.DatabaseURL(), //nolint:gosec // the yardstick
		"-c", fmt.Sprintf(`\copy yardstick.work_item (%s) from '%s' with (format csv, header)`, strings.Join(names, ", "), file)).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("psql: %w: %s", err, out)
	}
	took := time.Since(began).Seconds()
	_, err = conn.Exec(ctx, "drop table yardstick.work_item")
	return took, err
}

// forget drops an import's staging tables, so that later runs find the server as the first did.
func (s *server) forget(ctx context.Context, id string) error {
	conn, err := s.db(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(ctx) //nolint:errcheck // of no consequence
	var seq int64
	if err := conn.QueryRow(ctx, "select seq from dropline.imports where id = $1", id).Scan(&seq); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, fmt.Sprintf(`do $$ declare t record; begin
		for t in select schemaname, tablename from pg_tables where schemaname like 'staging\_%%' and tablename like '%%\_%d\_rows' loop
			execute format('truncate %%I.%%I', t.schemaname, t.tablename);
		end loop; end $$`, seq))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "checkpoint")
	return err
}

// sampleFile is where sample writes a table.
func sampleFile(dir, table string) string {
	return filepath.Join(dir, schema.Efimis10().Table(table).Plural+".csv")
}

func firstLine(file string) (string, error) {
	body := make([]byte, 4096)
	f, err := os.Open(file) //nolint:gosec // a path of our own
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // read only
	n, err := f.Read(body)
	line, _, _ := strings.Cut(string(body[:n]), "\n")
	return strings.TrimRight(line, "\r"), err
}
