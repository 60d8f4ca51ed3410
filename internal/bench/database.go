package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	_ "github.com/microsoft/go-mssqldb" // the yardstick's driver

	"dropline/api"
	"dropline/internal/sample"
	"dropline/internal/sampledb"
	"dropline/internal/tdstest"
	"dropline/schema"
)

const (
	templateRows = 10_000    // work items that the database's repeat, under other keys
	memoryRows   = 5_000_000 // of the table that is read in bounded memory
	speedBar     = 0.7       // of a bare loop's speed, the least that an import must come to
	servedFlag   = "-serve-database"
)

// serveDatabase serves a database of one table of work items until its input ends. It is a process of its own, so that what it
// costs is not the yardstick's.
func serveDatabase(rows int, keyed bool) error {
	efimis := schema.Efimis10()
	tables, err := sampledb.Tables(context.Background(), efimis, sample.Config{
		Seed: 1, Rows: map[string]int64{"WorkItem": templateRows}, Tables: []string{"WorkItem"},
	})
	if err != nil {
		return err
	}
	var items tdstest.Table
	for _, t := range tables {
		if t.Name == "WorkItem" {
			items = t
		}
	}
	templates := items.Rows
	items.Rows, items.Count, items.Cached = nil, rows, !keyed
	if !keyed {
		items.PrimaryKey = nil // as a heap it is read in one piece, as the yardstick reads it
	}
	items.Generate = func(i int, dst []any) {
		copy(dst, templates[i%len(templates)])
		dst[0] = fmt.Sprintf("W-%08d", i+1)
	}
	server, err := tdstest.New(tdstest.Options{Tables: []tdstest.Table{items}, Encryption: tdstest.NotSupported})
	if err != nil {
		return err
	}
	defer server.Close()
	fmt.Println(server.ConnectionString())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// database starts the process that serves a database, and returns its connection string.
func (b *bench) database(ctx context.Context, rows int, keyed bool) (text string, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, self, servedFlag, strconv.Itoa(rows), strconv.FormatBool(keyed)) //nolint:gosec // this program
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = in.Close()
		_ = cmd.Wait() // it ends with its input
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, errors.Join(errors.New("the database did not start"), err)
	}
	text = strings.TrimSpace(line)
	if !strings.Contains(strings.ToLower(text), "encrypt=") {
		text += ";Encrypt=False"
	}
	return text, stop, nil
}

// bareLoop reads the table as a program without further ado does: with database/sql, each row into variables of type any.
func bareLoop(ctx context.Context, text string, rows int) (float64, error) {
	db, err := sql.Open("sqlserver", text)
	if err != nil {
		return 0, err
	}
	defer db.Close() //nolint:errcheck // read only
	began := time.Now()
	result, err := db.QueryContext(ctx, "SELECT * FROM [dbo].[WorkItem]")
	if err != nil {
		return 0, err
	}
	defer result.Close() //nolint:errcheck // read to its end
	columns, err := result.Columns()
	if err != nil {
		return 0, err
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	n := 0
	for result.Next() {
		if err := result.Scan(into...); err != nil {
			return 0, err
		}
		n++
	}
	if n != rows && result.Err() == nil {
		return 0, fmt.Errorf("the loop read %d of %d rows", n, rows)
	}
	return time.Since(began).Seconds(), result.Err()
}

// benchDatabase compares the import of work items from a database with a bare loop over the same rows, and the memory it takes
// to import a large table with its bar.
func benchDatabase(ctx context.Context, b *bench) error {
	s, err := b.startServer(ctx)
	if err != nil {
		return err
	}
	defer s.stop() //nolint:errcheck // of no consequence to what was measured
	dir, err := b.sample("parents", templateRows)
	if err != nil {
		return err
	}
	if err := s.createTenant("db", 2); err != nil {
		return err
	}
	if err := s.parents("db", dir, workItemParents(schema.Efimis10())...); err != nil {
		return err
	}
	if err := b.databaseSpeed(ctx, s); err != nil {
		return err
	}
	return b.databaseMemory(ctx, s)
}

func (b *bench) databaseSpeed(ctx context.Context, s *server) error {
	rows := b.rows / 2
	text, stop, err := b.database(ctx, rows, false)
	if err != nil {
		return err
	}
	defer stop()
	if _, err := bareLoop(ctx, text, rows); err != nil { // the server makes its rows
		return err
	}
	var bare, loading, staged []float64
	for i := range b.runs {
		if i%2 == 0 {
			if bare, err = appendTime(bare)(bareLoop(ctx, text, rows)); err != nil {
				return err
			}
		}
		status, err := s.importDatabase("db", text)
		if err != nil {
			return err
		}
		if status.RowsStaged != int64(rows) {
			return fmt.Errorf("%d of %d rows were staged", status.RowsStaged, rows)
		}
		loading = append(loading, *status.Timings.Loading)
		staged = append(staged, *status.Timings.Loading+*status.Timings.Validating)
		if i%2 == 1 {
			if bare, err = appendTime(bare)(bareLoop(ctx, text, rows)); err != nil {
				return err
			}
		}
		fmt.Printf("  run %d: loading %.2f s, staged after %.2f s, bare loop %.2f s\n", i+1, loading[i], staged[i], bare[i])
		if err := s.forget(ctx, status.RequestID); err != nil {
			return err
		}
	}
	b.atLeast("database-loading", "a bare database/sql loop over the same rows (speed)", median(ratios(bare, loading)), speedBar)
	b.atLeast("database-staged", "the same, the checks of the rows included (speed)", median(ratios(bare, staged)), speedBar)
	return nil
}

func appendTime(list []float64) func(float64, error) ([]float64, error) {
	return func(t float64, err error) ([]float64, error) { return append(list, t), err }
}

func (b *bench) databaseMemory(ctx context.Context, s *server) error {
	rows := memoryRows
	if b.rows < 2_000_000 && !b.full {
		rows = b.rows // a quick look
	}
	text, stop, err := b.database(ctx, rows, true)
	if err != nil {
		return err
	}
	defer stop()
	before, err := peakMemory(s.pid())
	if err != nil {
		return err
	}
	watching, cancel := context.WithCancel(ctx)
	readers := make(chan float64, 1)
	go func() { readers <- peakOfChildren(watching, s.pid()) }()
	status, err := s.importDatabase("db", text)
	cancel()
	children := <-readers
	if err != nil {
		return err
	}
	if status.RowsStaged != int64(rows) {
		return fmt.Errorf("%d of %d rows were staged", status.RowsStaged, rows)
	}
	peak, err := peakMemory(s.pid())
	if err != nil {
		return err
	}
	fmt.Printf("  %d rows in %.0f s, process %.0f MB (before %.0f), reader %.0f MB\n", rows, *status.Timings.Total, peak/(1<<20), before/(1<<20), children/(1<<20))
	b.atMost("database-memory", "200 MB, peak resident memory of the process and the one that reads", (peak+children)/memoryBar, 1)
	return nil
}

// peakOfChildren watches the process's children until ctx ends, and returns the most that one had resident, in bytes.
func peakOfChildren(ctx context.Context, pid int) float64 {
	peak := 0.0
	for ctx.Err() == nil {
		lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) //nolint:errcheck // the pattern is well-formed
		for _, path := range lists {
			list, _ := os.ReadFile(path) //nolint:errcheck,gosec // of /proc; gone is none
			for child := range strings.FieldsSeq(string(list)) {
				if id, err := strconv.Atoi(child); err == nil {
					if m, err := peakMemory(id); err == nil {
						peak = max(peak, m)
					}
				}
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	return peak
}

// importDatabase posts a connection string and waits until its import is staged.
func (s *server) importDatabase(tenant, text string) (api.ImportStatus, error) {
	var started api.Started
	if err := s.post("/etl/import?tenant="+tenant, api.ImportRequest{ConnectionString: text}, &started); err != nil {
		return api.ImportStatus{}, err
	}
	if started.RequestID == "" {
		return api.ImportStatus{}, errors.New(http.StatusText(http.StatusAccepted) + " without a requestId")
	}
	return s.wait(started.RequestID, "staged")
}
