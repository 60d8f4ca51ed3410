package main

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones are known wherever the program runs

	"dropline/ingest"
	"dropline/mapping"
	"dropline/mapping/unpack"
)

// checkCmd checks files.
type checkCmd struct {
	Files    []string `arg:"" help:"Files or directories." name:"file" placeholder:"FILE"`
	Mapping  string   `help:"Mapping file (YAML)." placeholder:"FILE"`
	TimeZone string   `help:"Zone of times that have none (UTC)." default:"UTC" placeholder:"ZONE"`
	NoRefs   bool     `help:"Do not look for what rows refer to: it is in production already." name:"no-references"`
	Rows     int      `help:"Show the first rows of each table as they would be staged." default:"-1" placeholder:"N"`
	PGPKey   string   `help:"OpenPGP private key, without a passphrase, for encrypted files." name:"pgp-key" placeholder:"FILE"`
	Limit    int      `help:"Show at most so many refused rows; 0 is all." default:"50"`
	schemaChoice
}

// Help is kong's long text.
func (checkCmd) Help() string {
	return `Checks files as an import would, without a server and without a database: which table each belongs to, which header
went to which column, what is ignored, and every row that would be refused, with line, column and reason. Keys must not be
repeated, and references must name a row in the files given (those to tables of which no file is given are not looked at).
The schema's declared checks are run too: those on a row by itself, and sums, such as that the lines of a ledger entry
balance, where the files of both tables are given. What is in production already is not known here: where a sum may count it,
a note says so and nothing is refused. Any size of file is read in bounded memory. Archives, workbooks and compressed files are
unpacked as an import would; with --mapping the first rows of each table are shown as they would be staged.

Exit status 3 if there are faults.

Examples:

  dropline check Matters.csv
  dropline check export --mapping acme.yaml --time-zone Australia/Sydney
  dropline check export.zip --mapping acme.yaml --rows 20
  dropline check export/*.csv --json --limit 0 | jq '.rejects[].code'`
}

// Run carries the command out.
func (c *checkCmd) Run(a *app) error {
	if c.Limit < 0 {
		return usageError("such as --limit 50; 0 is all", "the limit is negative")
	}
	ck, err := c.checker(a)
	if err != nil {
		return err
	}
	if err := ck.run(a.ctx); err != nil {
		return err
	}
	rejects := make([]ingest.Reject, 0, len(ck.rejects))
	for _, p := range ck.rejects {
		rejects = append(rejects, p.reject)
	}
	bad := ck.total > 0
	for _, f := range ck.files {
		bad = bad || f.Error != ""
	}
	err = a.emit(struct {
		Schema    string          `json:"schema"`
		Valid     bool            `json:"valid"`
		Files     []*checkedFile  `json:"files"`
		Refused   int64           `json:"refused"`
		Rejects   []ingest.Reject `json:"rejects"`
		Unchecked []string        `json:"uncheckedReferences,omitempty"`
		LeftOut   []string        `json:"leftOut,omitempty"`
		Notes     []string        `json:"notes,omitempty"`
	}{ck.schema.ID(), !bad, ck.files, ck.total, rejects, ck.unchecked(), ck.leftOut, ck.notes}, func(w io.Writer) { showChecked(w, ck, rejects) })
	if err == nil && bad {
		err = faultsFound()
	}
	return err
}

// checker makes ready what the command line asks for.
func (c *checkCmd) checker(a *app) (*checker, error) {
	s, err := c.choose(a)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(c.TimeZone)
	if err != nil || c.TimeZone == "" {
		return nil, usageError("such as Australia/Sydney", "there is no time zone %q", c.TimeZone)
	}
	var m *mapping.Mapping
	if c.Mapping != "" {
		if m, err = readMapping(c.Mapping, s); err != nil {
			return nil, err
		}
	}
	ck := &checker{schema: s, references: !c.NoRefs, limit: c.Limit, rows: c.shown(), unpacker: unpack.New(unpack.Config{})}
	if ck.mapper, err = mapping.New(s, m, mapping.Options{Location: zone, Lookup: ck.lookup}); err != nil {
		return nil, err
	}
	if c.PGPKey != "" {
		if ck.keyring, err = readPrivateKey(c.PGPKey); err != nil {
			return nil, err
		}
	}
	files, err := namedFiles(c.Files)
	if err != nil {
		return nil, err
	}
	for _, path := range files {
		if err := ck.addFiles(path); err != nil {
			return nil, err
		}
	}
	if len(ck.files) == 0 {
		return nil, failed("name files, or a directory with files", "there is no file to check")
	}
	if err := ck.spread(a.ctx); err != nil {
		return nil, err
	}
	return ck, ck.manifests(a.ctx)
}

// shown is how many rows are shown of each table: some where a mapping is tried.
func (c *checkCmd) shown() int {
	switch {
	case c.Rows >= 0:
		return c.Rows
	case c.Mapping != "":
		return 5
	}
	return 0
}

// addFiles adds a file, or those with data in a directory.
func (ck *checker) addFiles(root string) error {
	info, err := os.Stat(root)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		ck.files = append(ck.files, newCheckedFile(root, filepath.Base(root)))
		return nil
	}
	found, leftOut, err := dataFiles(root)
	for _, below := range found {
		ck.files = append(ck.files, newCheckedFile(filepath.Join(root, filepath.FromSlash(below)), below))
	}
	for _, below := range leftOut {
		ck.leftOut = append(ck.leftOut, filepath.Join(root, filepath.FromSlash(below)))
	}
	return err
}

func newCheckedFile(path, inbox string) *checkedFile {
	return &checkedFile{Path: path, file: path, inbox: inbox, Columns: []mapping.ColumnSource{}, Ignored: []string{}, Notes: []string{}, Warned: []checkedWarning{}}
}

func showChecked(w io.Writer, ck *checker, rejects []ingest.Reject) {
	for _, f := range ck.files {
		if f.Error != "" {
			put(w, "%s: refused as a whole: %s (%s)\n", printable(f.Path, maxText), printable(f.Error, maxText), f.Code)
			continue
		}
		if f.Used {
			put(w, "%s: the manifest\n", printable(f.Path, maxText))
			for _, note := range f.Notes {
				put(w, "  note: %s\n", printable(note, maxText))
			}
			continue
		}
		if f.Table == "" {
			put(w, "%s: %s\n", printable(f.Path, maxText), printable(strings.Join(f.Notes, "; "), maxText))
			continue
		}
		put(w, "%s: table %s, %s, %s refused\n", printable(f.Path, maxText), f.Table, plural(f.Rows, "row", "rows"), thousands(f.Refused))
		showColumns(w, f.Columns)
		showRows(w, f.Shown)
		if len(f.Ignored) > 0 {
			put(w, "  ignored: %s\n", printable(strings.Join(f.Ignored, ", "), maxText))
		}
		for _, note := range f.Notes {
			put(w, "  note: %s\n", printable(note, maxText))
		}
		for _, warning := range f.Warned {
			put(w, "  warning: %s, in %s, the first in line %d: %s\n", warning.Code, plural(warning.Rows, "row", "rows"), warning.Line, warning.Message)
		}
	}
	if len(ck.leftOut) > 0 {
		put(w, "left out, as no data by their extension: %s\n", printable(strings.Join(ck.leftOut, ", "), maxText))
	}
	if names := ck.unchecked(); len(names) > 0 {
		put(w, "references to %s were not looked at: no file of theirs is given\n", strings.Join(names, ", "))
	}
	for _, note := range ck.notes {
		put(w, "note: %s\n", printable(note, maxText))
	}
	if ck.total == 0 {
		return
	}
	put(w, "\nrefused rows (%d of %s):\n", len(rejects), thousands(ck.total))
	rows := make([][]string, 0, len(rejects))
	for _, r := range rejects {
		rows = append(rows, []string{printable(r.File, maxText), strconv.FormatInt(r.Line, 10), r.Column, r.Code, printable(r.Value, 24), printable(r.Message, 160)})
	}
	wideTable(w, []string{"FILE", "LINE", "COLUMN", "CODE", "VALUE", "MESSAGE"}, rows)
}

// showColumns says what feeds each column; those fed by a header of their own name share a line.
func showColumns(w io.Writer, columns []mapping.ColumnSource) {
	var same []string
	for _, c := range columns {
		switch from := columnSource(c); from {
		case "":
		case c.Column:
			same = append(same, from)
		default:
			put(w, "  %s <- %s\n", c.Column, from)
		}
	}
	if len(same) > 0 {
		put(w, "  by their own names: %s\n", strings.Join(same, ", "))
	}
}

// columnSource says in words where a column's values come from; empty if the file has nothing for it.
func columnSource(c mapping.ColumnSource) string {
	headers := printable(strings.Join(c.Headers, ", "), maxText)
	switch c.How {
	case mapping.HowHeader, mapping.HowMapping:
		return headers
	case mapping.HowJoin:
		return headers + " (joined)"
	case mapping.HowProduct:
		return headers + " (multiplied)"
	case mapping.HowHash:
		return headers + " (hashed)"
	case mapping.HowComputed:
		return printable(c.Value, maxText) + " (computed)"
	case mapping.HowConstant:
		return strconv.Quote(c.Value)
	case mapping.HowDefault:
		return strconv.Quote(c.Value) + " (default)"
	case mapping.HowAbsent:
	}
	return ""
}
