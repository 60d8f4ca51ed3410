package main

import (
	"encoding/csv"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"

	"dropline/internal/sample"
)

// sampleCmd writes a sample export.
type sampleCmd struct {
	Dir        string   `arg:"" help:"Directory to write to; it is made if it does not exist." placeholder:"DIR"`
	Rows       []string `help:"Rows in all (a number), or of one table (WorkItem=2000000). May be repeated." placeholder:"N|TABLE=N"`
	Scale      float64  `help:"Size of the firm: 1 is a hundred matters and some five thousand rows." placeholder:"X"`
	Seed       uint64   `help:"Another seed gives another firm; the same one the same files." default:"1"`
	Errors     int64    `help:"Rows to spoil." default:"0" placeholder:"N"`
	ErrorsList string   `help:"Write the list of spoiled rows to this CSV file, outside of DIR, in place of standard output." placeholder:"FILE"`
	Tables     []string `help:"Write only these tables." placeholder:"TABLE,…"`
}

// Help is kong's long text.
func (sampleCmd) Help() string {
	return `Writes the export of a law firm that does not exist, one CSV file per table of Efimis-1.0. Every reference resolves
within the export, ledger entries balance, invoices add up and no trust ledger falls below zero: a server takes all of it.
The same seed and sizes give the same bytes. Files that are there already are replaced.

With --errors N, N rows are spoiled, in many ways, each so that it alone is refused. Which ones is listed: file, table,
record, line, column, the code to expect, and the row's ImportId. (A repeated key spoils two rows: both are refused.)

With --tables, rows still refer to the tables that are left out; the same seed and sizes write those another time.

Examples:

  dropline sample export
  dropline sample export --errors 12
  dropline sample big --rows WorkItem=2000000 --tables WorkItem
  dropline sample big --rows 1000000 --seed 7 --errors 500 --errors-list spoiled.csv`
}

// Run carries the command out.
func (c *sampleCmd) Run(a *app) error {
	cfg := sample.Config{Seed: c.Seed, Scale: c.Scale, Errors: c.Errors, Tables: c.Tables}
	if err := c.rows(&cfg); err != nil {
		return err
	}
	if cfg.Total > 0 && c.Scale != 0 {
		return usageError("", "give either a number of rows or a scale")
	}
	e, err := sample.New(cfg)
	if err != nil {
		return usageError("dropline sample --help", "%v", err)
	}
	var spoiled []sample.Spoiled
	list, closeList, err := c.list(&spoiled)
	if err != nil {
		return err
	}
	if err := errors.Join(e.Write(a.ctx, c.Dir, list), closeList()); err != nil {
		return err
	}
	if spoiled == nil {
		spoiled = []sample.Spoiled{}
	}
	return a.emit(struct {
		Dir     string           `json:"dir"`
		Seed    uint64           `json:"seed"`
		Tables  []sample.Table   `json:"tables"`
		Spoiled []sample.Spoiled `json:"spoiled"`
	}{c.Dir, c.Seed, e.Tables(), spoiled}, func(w io.Writer) {
		var rows int64
		for _, t := range e.Tables() {
			rows += t.Rows
		}
		put(w, "wrote %s in %s to %s (seed %d)\n", plural(rows, "row", "rows"),
			plural(int64(len(e.Tables())), "file", "files"), c.Dir, c.Seed)
		c.show(w, spoiled)
	})
}

func (c *sampleCmd) show(w io.Writer, spoiled []sample.Spoiled) {
	if c.Errors == 0 {
		return
	}
	if c.ErrorsList != "" {
		put(w, "spoiled %s, listed in %s\n", plural(c.Errors, "row", "rows"), c.ErrorsList)
		return
	}
	put(w, "spoiled %s:\n", plural(c.Errors, "row", "rows"))
	rows := make([][]string, 0, len(spoiled))
	for _, s := range spoiled {
		rows = append(rows, spoiledFields(s))
	}
	table(w, spoiledHeader(), rows)
}

func spoiledHeader() []string {
	return []string{"file", "table", "record", "line", "column", "code", "importId"}
}

func spoiledFields(s sample.Spoiled) []string {
	return []string{
		s.File, s.Table, strconv.FormatInt(s.Record, 10), strconv.FormatInt(s.Line, 10), s.Column, s.Code, s.ImportID,
	}
}

// rows reads --rows.
func (c *sampleCmd) rows(cfg *sample.Config) error {
	for _, text := range c.Rows {
		name, count, isTable := strings.Cut(text, "=")
		if !isTable {
			name, count = "", text
		}
		n, err := strconv.ParseInt(strings.ReplaceAll(count, "_", ""), 10, 64)
		if err != nil || n < 0 || (!isTable && n == 0) {
			return usageError("such as --rows 5000 or --rows WorkItem=2000000", "%q is no number of rows", text)
		}
		if !isTable {
			cfg.Total = n
			continue
		}
		if cfg.Rows == nil {
			cfg.Rows = map[string]int64{}
		}
		cfg.Rows[strings.TrimSpace(name)] = n
	}
	return nil
}

// list returns where spoiled rows go: to the file asked for, or gathered in memory.
func (c *sampleCmd) list(into *[]sample.Spoiled) (func(sample.Spoiled) error, func() error, error) {
	if c.ErrorsList == "" {
		return func(s sample.Spoiled) error {
			*into = append(*into, s)
			return nil
		}, func() error { return nil }, nil
	}
	f, err := os.Create(c.ErrorsList)
	if err != nil {
		return nil, nil, err
	}
	w := csv.NewWriter(f)
	write := func(s sample.Spoiled) error { return w.Write(spoiledFields(s)) }
	err = w.Write(spoiledHeader())
	return write, func() error {
		w.Flush()
		return errors.Join(w.Error(), f.Close())
	}, err
}
