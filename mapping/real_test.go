package mapping_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dropline/mapping"
	"dropline/schema"
)

// realData is a folder of data that is not in the repository. The test is skipped, saying so, where it is absent.
func realData(t *testing.T, folder string) string {
	t.Helper()
	root := os.Getenv("DROPLINE_TESTDATA")
	if root == "" {
		root = "../../shared/data"
	}
	dir := filepath.Join(root, folder)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("SKIPPED: %s is not here; set DROPLINE_TESTDATA to the folder that has %s", dir, folder)
	}
	return dir
}

func open(t *testing.T, m *mapping.Mapper, name string, data []byte) *mapping.Reader {
	t.Helper()
	r, err := m.Open(name, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func newMapper(t testing.TB, s *schema.Schema, text string, o mapping.Options) *mapping.Mapper {
	t.Helper()
	var m *mapping.Mapping
	if text != "" {
		var err error
		if m, err = mapping.Parse("mapping.yaml", []byte(text), s); err != nil {
			t.Fatal(err)
		}
	}
	mapper, err := mapping.New(s, m, o)
	if err != nil {
		t.Fatal(err)
	}
	return mapper
}

// TestChinook reads a business whose export matches nobody's schema through the example mapping of the documentation.
func TestChinook(t *testing.T) {
	t.Parallel()
	dir := realData(t, "chinook")
	text, err := os.ReadFile("../docs/examples/chinook.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m := newMapper(t, schema.Efimis10(), string(text), mapping.Options{})
	for _, w := range []struct {
		file   string
		output int
		table  string
		rows   int64
	}{
		{"Customer.csv", 1, "Contact", 59},
		{"Customer.csv", 2, "ContactAddress", 59},
		{"Customer.csv", 3, "ContactPoint", 129},
		{"Customer.csv", 4, "Client", 59},
		{"Employee.csv", 0, "Employee", 8},
		{"Invoice.csv", 0, "Invoice", 412},
		{"InvoiceLine.csv", 0, "InvoiceLine", 2240},
	} {
		name := w.file
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		r, err := m.OpenFile(mapping.File{Path: "/inbox/" + name, Output: w.output}, bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if r.Table().Name != w.table {
			t.Errorf("%s is of table %s, want %s", name, r.Table().Name, w.table)
		}
		for r.Next() {
			if j := r.Refused(); j != nil {
				t.Errorf("%s line %d: %s: %s", name, j.Line, j.Column, j.Message)
			}
		}
		if r.Err() != nil || r.Row().Record != w.rows {
			t.Errorf("%s has %d rows, want %d; error %v", name, r.Row().Record, w.rows, r.Err())
		}
	}
	got := columnsOf(t, m, dir, "Invoice.csv", 1)
	if diff := cmp.Diff(map[string]string{
		"ImportId": `"2"`, "Number": `"CH-2"`, "InvoiceDate": "2021-01-02", "ClientId": `"4"`, "ContactId": `"4"`, "Total": "3.96",
		"Currency": `"USD"`, "BillingAddress": `"Ullevålsveien 14, Oslo, 0171, Norway"`,
	}, got); diff != "" {
		t.Errorf("second invoice (-want +got):\n%s", diff)
	}
	got = columnsOf(t, m, dir, "InvoiceLine.csv", 0)
	if diff := cmp.Diff(map[string]string{
		"ImportId": `"1"`, "InvoiceId": `"1"`, "UnitPrice": "0.99", "Quantity": "1", "Total": "0.99",
	}, got); diff != "" {
		t.Errorf("first invoice line (-want +got):\n%s", diff)
	}
}

// columnsOf returns the present values of one record.
func columnsOf(t *testing.T, m *mapping.Mapper, dir, name string, record int) map[string]string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	r := open(t, m, name, data)
	for range record + 1 {
		if !r.Next() {
			t.Fatalf("%s has no record %d", name, record+1)
		}
	}
	out := map[string]string{}
	for i, c := range r.Table().Columns {
		if v := &r.Row().Values[i]; !v.Null {
			out[c.Name] = show(c, v)
		}
	}
	return out
}

// textSchema has one table File, of which the columns are the headers, all unbounded text.
func textSchema(t testing.TB, headers []string) (*schema.Schema, string) {
	t.Helper()
	var b, m strings.Builder
	b.WriteString("schema: Any\nversion: \"1\"\ntables:\n  - name: File\n    key: ImportId\n    columns:\n      - {name: ImportId, type: text(400), required: true}\n")
	m.WriteString("version: 1\nfiles:\n  - pattern: \"*\"\n    table: File\n    only: true\n    columns:\n      ImportId: {constant: x}\n")
	for i, h := range headers {
		name := "C" + string(rune('a'+i%26)) + strings.Repeat("x", i/26)
		b.WriteString("      - {name: " + name + ", type: text}\n")
		quoted, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		m.WriteString("      " + name + ": {from: " + string(quoted) + ", trim: none}\n")
	}
	s, err := schema.Parse("any.yaml", strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return s, m.String()
}

// TestSpectrum reads the traps of csv-spectrum and compares with its answers.
func TestSpectrum(t *testing.T) {
	t.Parallel()
	dir := realData(t, "csv-spectrum")
	files, err := filepath.Glob(filepath.Join(dir, "csvs", "*.csv"))
	if err != nil || len(files) < 11 {
		t.Fatalf("%d files in %s: %v", len(files), dir, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := os.ReadFile(filepath.Join(dir, "json", strings.TrimSuffix(filepath.Base(file), ".csv")+".json"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(data, []byte("\r")) { // a copy of the data whose line ends were changed on the way
			answer = bytes.ReplaceAll(answer, []byte(`\r\n`), []byte(`\n`))
		}
		var want []map[string]string
		if err := json.Unmarshal(answer, &want); err != nil {
			t.Fatal(err)
		}
		var headers []string
		for h := range want[0] {
			headers = append(headers, h)
		}
		s, text := textSchema(t, headers)
		r := open(t, newMapper(t, s, text, mapping.Options{}), filepath.Base(file), data)
		var got []map[string]string
		for r.Next() {
			if j := r.Refused(); j != nil {
				t.Fatalf("%s: %s", file, j.Message)
			}
			row := map[string]string{}
			for i, h := range headers {
				row[h] = string(r.Row().Values[i+1].Text)
				if r.Row().Values[i+1].Null {
					row[h] = ""
				}
			}
			got = append(got, row)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
}

// TestFrictionless reads the encodings and separators of frictionless' data, and its file of 1,030 columns.
func TestFrictionless(t *testing.T) {
	t.Parallel()
	dir := realData(t, "frictionless")
	for file, want := range map[string]struct {
		dialect       string
		columns, rows int
	}{
		"separators/comma.csv":                  {`{}`, 3, 2},
		"separators/semicolon.csv":              {`{delimiter: ";"}`, 3, 2},
		"separators/tab.tsv":                    {`{delimiter: tab}`, 3, 2},
		"separators/pipes.csv":                  {`{delimiter: "|"}`, 3, 2},
		"separators/colon.csv":                  {`{delimiter: ":"}`, 3, 2},
		"separators/carets.csv":                 {`{delimiter: "^"}`, 3, 2},
		"encodings/iso8859.csv":                 {`{encoding: iso-8859-1}`, 4, 5},
		"encodings/utf8.csv":                    {`{}`, 4, 5},
		"encodings/western-macos-roman.csv":     {`{encoding: macintosh}`, 4, 5},
		"encodings/big-western-macos-roman.csv": {`{encoding: macroman}`, 1, 671},
		"1030_columns.csv":                      {`{}`, 1030, 9},
		"various-characters.csv":                {`{}`, 3, 5},
	} {
		data, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		s, text := textSchema(t, nil)
		text = strings.Replace(text, "table: File\n", "table: File\n    "+strings.Trim(want.dialect, "{}")+"\n", 1)
		r := open(t, newMapper(t, s, text, mapping.Options{}), file, data)
		rows := 0
		for r.Next() {
			if j := r.Refused(); j != nil {
				t.Errorf("%s line %d: %s", file, j.Line, j.Message)
				break
			}
			rows++
		}
		if rows != want.rows || len(r.Ignored()) != want.columns {
			t.Errorf("%s has %d columns and %d rows, want %d and %d", file, len(r.Ignored()), rows, want.columns, want.rows)
		}
	}
}
