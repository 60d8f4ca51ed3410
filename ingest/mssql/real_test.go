package mssql_test

import (
	"context"
	"encoding/csv"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"dropline/ingest/mssql"
	"dropline/internal/tdstest"
)

// What is read of a database that is there already.
const (
	mostAsItIs = 40     // relations
	rowsAsItIs = 20_000 // of each, at most about
)

// TestServerAsItIs reads what a server has, whatever that is: it needs no right but to select, and nothing of a catalogue.
func TestServerAsItIs(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, way func(site) site) {
		t.Run("tdstest", func(t *testing.T) {
			t.Parallel()
			for _, o := range []tdstest.Options{{}, {ZeroPartitions: true, HideNullability: true}, {NoCatalog: true}} {
				o.Tables = practice()
				if n := readAll(t, way(siteOf(tdstest.Start(t, o)))); n != 4 {
					t.Errorf("%d relations were read", n)
				}
			}
		})
		if text := os.Getenv(realServer); text != "" {
			t.Run("real", func(t *testing.T) {
				t.Parallel()
				t.Logf("%d relations were read", readAll(t, way(site{connection: text})))
			})
		}
	})
}

// readAll reads what a survey lists, in several ways that must come to the same. It returns how many relations that were.
func readAll(t *testing.T, at site) (n int) {
	t.Helper()
	c := at.open(t, mssql.Options{})
	survey, err := c.Survey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if level, note := c.Isolation(); level == "" || note == "" || survey.Database == "" {
		t.Errorf("%q, %q, database %q", level, note, survey.Database)
	}
	for i := range survey.Relations {
		r := &survey.Relations[i]
		if r.Denied || n == mostAsItIs || strings.HasPrefix(r.Schema, ownSchema) {
			continue
		}
		n++
		p := mssql.Part{Schema: r.Schema, Name: r.Name}
		if r.Rows < 0 || r.Rows > rowsAsItIs {
			p.Limit = rowsAsItIs
		}
		whole := records(t, c, p, columnNames(r.Columns))
		first := columnNames(r.Columns[:1])
		p.Columns = first
		if narrow := records(t, c, p, first); len(narrow) != len(whole) {
			t.Errorf("%s has %d rows, and %d where one column is read", r, len(whole), len(narrow))
		}
		if r.Key != "" && p.Limit == 0 {
			p.Columns, p.Key, p.Limit = nil, r.Key, int64(len(whole)/3+1)
			if parts := inParts(t, c, p, r); !slices.Equal(sorted(parts), sorted(whole)) {
				t.Errorf("%s is %d rows in parts by %s, and other %d as a whole", r, len(parts), r.Key, len(whole))
			}
		}
		if found, ok, err := c.Find(t.Context(), r.Schema, r.Name); err != nil || !ok || len(found.Columns) != len(r.Columns) {
			t.Errorf("%s is found with %d columns, %v, %v; listed with %d", r, len(found.Columns), ok, err, len(r.Columns))
		}
	}
	if _, ok, err := c.Find(t.Context(), "", "there is no such table"); err != nil || ok {
		t.Errorf("what is not there: %v, %v", ok, err)
	}
	return n
}

func columnNames(columns []mssql.Column) []string {
	list := make([]string, len(columns))
	for i := range columns {
		list[i] = columns[i].Name
	}
	return list
}

// records reads a part and takes it apart again. The header must be these names, and each row a record.
func records(t *testing.T, c reader, p mssql.Part, header []string) []string {
	t.Helper()
	list, _ := recordsOf(t, c, p, header)
	return list
}

func recordsOf(t *testing.T, c reader, p mssql.Part, header []string) ([]string, mssql.PartResult) {
	t.Helper()
	text, res := read(t, c, p)
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", p.String(), err)
	}
	for i, name := range header { // a CSV reader takes line breaks of both kinds for one
		header[i] = strings.ReplaceAll(name, "\r\n", "\n")
	}
	if !slices.Equal(lines[0], header) || !slices.Equal(columnNames(res.Columns), header) {
		t.Fatalf("%s: the header is %q, of %q", p.String(), lines[0], header)
	}
	if int64(len(lines)-1) != res.Rows {
		t.Errorf("%s: %d records of %d rows", p.String(), len(lines)-1, res.Rows)
	}
	list := make([]string, 0, len(lines)-1)
	for _, line := range lines[1:] {
		list = append(list, strings.Join(line, "\x00"))
	}
	return list, res
}

func inParts(t *testing.T, c reader, p mssql.Part, r *mssql.Relation) (list []string) {
	t.Helper()
	for n := 0; ; n++ {
		rows, res := recordsOf(t, c, p, columnNames(r.Columns))
		list = append(list, rows...)
		if !res.More {
			return list
		}
		if p.After = res.Last; n > 10 {
			t.Fatalf("%s has no end", r)
		}
	}
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

func TestServerAWriterThatFails(t *testing.T) {
	b := keyed("Source", "int", 200, func(i int) any { return i })
	onEachServer(t, []table{b}, func(t *testing.T, at site) {
		c := at.open(t, mssql.Options{})
		p := mssql.Part{Schema: at.schema, Name: "Source"}
		full := errors.New("the disk is full")
		if _, err := c.Read(t.Context(), p, failing{full}, nil); !errors.Is(err, full) || mssql.IsLost(err) {
			t.Errorf("%v", err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.Read(ended, p, &strings.Builder{}, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if _, res := read(t, c, p); res.Rows != 200 {
			t.Errorf("%d rows", res.Rows)
		}
	})
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
