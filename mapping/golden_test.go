package mapping_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"dropline/ingest"
	"dropline/mapping"
	"dropline/schema"
)

var update = flag.Bool("update", false, "write what came out into testdata/*.txtar")

// testSchema is testdata/schema.yaml.
func testSchema(t testing.TB) *schema.Schema {
	t.Helper()
	f, err := os.Open("testdata/schema.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := schema.Parse("schema.yaml", f)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestFiles runs each testdata/*.txtar: an optional mapping.yaml, a file ("file NAME", "escaped NAME" with Go's escapes, or "output N
// NAME" for one of the tables that it feeds) or relation ("relation NAME TABLE"), and what must come of it. The archive's comment may set "limit: N" and "zone: NAME".
func TestFiles(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no testdata/*.txtar: %v", err)
	}
	s := testSchema(t)
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			runArchive(t, s, name)
		})
	}
}

func runArchive(t *testing.T, s *schema.Schema, name string) {
	a, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var m *mapping.Mapping
	got, out := map[string]string{}, &txtar.Archive{Comment: a.Comment}
	want := map[string]string{}
	for _, f := range a.Files {
		kind, path, isFile := strings.Cut(f.Name, " ")
		switch {
		case f.Name == "mapping.yaml":
			m, err = mapping.Parse(f.Name, f.Data, s)
			if err != nil {
				got["faults"] = err.Error() + "\n"
			}
		case isFile && kind == "file":
			readInto(t, got, s, m, options(t, string(a.Comment)), mapping.File{Path: path}, f.Data)
		case isFile && kind == "output":
			number, file, _ := strings.Cut(path, " ")
			n, err := strconv.Atoi(number)
			if err != nil {
				t.Fatal(err)
			}
			readInto(t, got, s, m, options(t, string(a.Comment)), mapping.File{Path: file, Output: n}, f.Data)
		case isFile && kind == "relation":
			relationInto(t, got, s, m, options(t, string(a.Comment)), path, f.Data)
		case isFile && kind == "escaped":
			readInto(t, got, s, m, options(t, string(a.Comment)), mapping.File{Path: path}, unescape(t, f.Data))
		default:
			want[f.Name] = string(f.Data)
			continue
		}
		out.Files = append(out.Files, f)
	}
	for _, section := range []string{"faults", "refusal", "table", "ignored", "notes", "rows", "rejects"} {
		if got[section] == "" {
			delete(got, section)
			continue
		}
		out.Files = append(out.Files, txtar.File{Name: section, Data: []byte(got[section])})
	}
	if *update {
		if err := os.WriteFile(name, txtar.Format(out), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func unescape(t *testing.T, data []byte) []byte {
	text, err := strconv.Unquote(`"` + strings.ReplaceAll(strings.ReplaceAll(string(data), "\n", ""), `"`, `\"`) + `"`)
	if err != nil {
		t.Fatalf("escaped file: %v", err)
	}
	return []byte(text)
}

func options(t *testing.T, comment string) mapping.Options {
	var o mapping.Options
	for line := range strings.Lines(comment) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		var err error
		switch key {
		case "limit":
			o.MaxRecordBytes, err = strconv.Atoi(value)
		case "zone":
			o.Location, err = time.LoadLocation(value)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return o
}

// readInto reads a file and writes down what comes of it.
func readInto(t *testing.T, got map[string]string, s *schema.Schema, m *mapping.Mapping, o mapping.Options, file mapping.File, data []byte) {
	if got["faults"] != "" {
		return
	}
	mapper, err := mapping.New(s, m, o)
	if err != nil {
		t.Fatal(err)
	}
	r, err := mapper.OpenFile(file, bytes.NewReader(data))
	writeDown(t, got, r, err, data)
}

// relationInto reads a relation, named "NAME TABLE", and writes down what comes of it.
func relationInto(t *testing.T, got map[string]string, s *schema.Schema, m *mapping.Mapping, o mapping.Options, path string, data []byte) {
	if got["faults"] != "" {
		return
	}
	mapper, err := mapping.New(s, m, o)
	if err != nil {
		t.Fatal(err)
	}
	name, table, _ := strings.Cut(path, " ")
	r, err := mapper.OpenRelation(name, s.Table(table), bytes.NewReader(data))
	writeDown(t, got, r, err, data)
}

func writeDown(t *testing.T, got map[string]string, r *mapping.Reader, err error, data []byte) {
	var refusal *ingest.FileRefusal
	if errors.As(err, &refusal) {
		got["refusal"] += fmt.Sprintf("%s %q: %s\n", refusal.Code, refusal.Columns, refusal.Message)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	for r.Next() {
		row := r.Row()
		record := data[row.Offset : row.Offset+int64(row.Length)]
		if j := r.Refused(); j != nil {
			got["rejects"] += fmt.Sprintf("%d line %d column=%q header=%q %s value=%q id=%q key=%s bytes=%d+%d\n\t%s\n", j.Record, j.Line, j.Column,
				j.Header, j.Code, short(j.Value), j.ImportID, show(r.Table().Key, &row.Values[0]), j.Offset, j.Length, j.Message)
			continue
		}
		got["rows"] += fmt.Sprintf("%d line %d %q:", row.Record, row.Line, short(string(record)))
		for i, c := range r.Table().Columns {
			if v := &row.Values[i]; !v.Null {
				got["rows"] += fmt.Sprintf(" %s=%s", c.Name, show(c, v))
			}
		}
		got["rows"] += "\n"
	}
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	got["table"] += r.Table().Name + "\n"
	got["ignored"] += lines(r.Ignored())
	got["notes"] += lines(r.Notes())
	if n := r.BytesRead(); n != int64(len(data)) {
		t.Errorf("read %d bytes of %d", n, len(data))
	}
}

func short(s string) string {
	if len(s) > 80 {
		return s[:60] + "…" + strconv.Itoa(len(s))
	}
	return s
}

func lines(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return strings.Join(list, "\n") + "\n"
}

// show writes a value as it would stand in PostgreSQL.
func show(c *schema.Column, v *ingest.Value) string {
	if v.Null {
		return "null"
	}
	switch c.Kind {
	case schema.Text, schema.List, schema.Reference:
		return strconv.Quote(string(v.Text))
	case schema.Decimal:
		return string(v.Text)
	case schema.Date:
		return time.Unix(v.Int*86400, 0).UTC().Format(time.DateOnly)
	case schema.Timestamp:
		return time.UnixMicro(v.Int).UTC().Format(time.RFC3339Nano)
	default:
		return strconv.FormatInt(v.Int, 10)
	}
}
