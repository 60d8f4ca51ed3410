package mapping_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"dropline/ingest"
	"dropline/mapping"
	"dropline/schema"
)

// seen is what a reader said of one record.
type seen struct {
	Offset, Size, Line int64
	Code, Column       string
	Values             []string
}

// readAll reads to the end and checks each record against what the contract promises of it.
func readAll(t *testing.T, r *mapping.Reader) []seen {
	t.Helper()
	var out []seen
	for r.Next() {
		row := r.Row()
		if row.Record != int64(len(out)+1) {
			t.Fatalf("record %d is numbered %d", len(out)+1, row.Record)
		}
		s := seen{Offset: row.Offset, Size: int64(row.Length), Line: row.Line}
		if j := r.Refused(); j != nil {
			s.Code, s.Column = j.Code, j.Column
			if j.Message == "" || !utf8.ValidString(j.Message+j.Value) || strings.ContainsRune(j.Message+j.Value, 0) || len(j.Value) > ingest.MaxRejectValue {
				t.Fatalf("reject is no text: %+v", j)
			}
			if j.Offset != row.Offset || j.Length != int64(row.Length) || j.Line != row.Line || j.Record != row.Record {
				t.Fatalf("reject %+v is not of row %+v", j, row)
			}
			if key := &row.Values[0]; (j.ImportID == "") != key.Null || !key.Null && string(key.Text) != j.ImportID {
				t.Fatalf("reject of %q has the key %q", j.ImportID, key.Text)
			}
		} else {
			for i, c := range r.Table().Columns {
				checkValue(t, c, &row.Values[i])
				s.Values = append(s.Values, show(c, &row.Values[i]))
			}
		}
		out = append(out, s)
	}
	return out
}

var canonical = regexp.MustCompile(`^(-?[1-9][0-9]*|-?0|0)(\.[0-9]+)?$`)

// checkValue holds an accepted value against what ingest.Value promises.
func checkValue(t *testing.T, c *schema.Column, v *ingest.Value) {
	t.Helper()
	if v.Null {
		if c.Required {
			t.Fatalf("%s is required and null", c.Name)
		}
		return
	}
	text := string(v.Text)
	ok := true
	switch c.Kind {
	case schema.Text, schema.List, schema.Reference:
		ok = text != "" && utf8.ValidString(text) && !strings.ContainsRune(text, 0) && (c.Length == 0 || utf8.RuneCountInString(text) <= c.Length)
	case schema.Decimal:
		whole, fraction, _ := strings.Cut(strings.TrimPrefix(text, "-"), ".")
		ok = canonical.MatchString(text) && text != "-0" && len(fraction) <= c.Scale && (whole == "0" || len(whole) <= c.Precision-c.Scale)
	case schema.Integer:
		ok = v.Int == int64(int32(v.Int))
	case schema.Enumerate:
		ok = v.Int >= 0 && v.Int < int64(len(c.Enum.Values))
	case schema.Boolean:
		ok = v.Int == 0 || v.Int == 1
	case schema.Date:
		ok = v.Int >= -719162 && v.Int <= 2932896
	case schema.Timestamp:
		ok = v.Int >= -719162*86400_000_000 && v.Int < 2932897*86400_000_000
	case schema.BigInt:
	}
	if !ok {
		t.Fatalf("%s has the value %q, %d", c.Name, text, v.Int)
	}
}

const fuzzMapping = `
version: 1
files:
  - {pattern: "Order.csv", delimiter: ",", quote: '"', escape: doubled, header: true, skip_lines: 0}
  - pattern: "mapped.csv"
    table: Order
    delimiter: ","
    quote: '"'
    escape: doubled
    skip_lines: 0
    null: ["-"]
    columns:
      ImportId: {from: [A, B], join: "/", prefix: "x", case: lower}
      CustomerId: {from: C, default: C1}
      Quantity: {product: [A, B]}
      Price: {from: B, number: {decimal: ",", round: true}}
      Due: {from: B, format: [dd/MM/yyyy, d MMM yy]}
      State: {from: C, map: {a: Open, b: ~}, else: Closed}
  - {pattern: "wide.csv", table: Order, encoding: utf-16le, delimiter: ",", quote: '"', escape: doubled, header: true, skip_lines: 0}
  - {pattern: "western.csv", table: Order, encoding: windows-1252, delimiter: ";", quote: "'", escape: doubled, header: true, skip_lines: 0}
  - {pattern: "plain.csv", table: Customer, quote: none, delimiter: ",", escape: doubled, header: true, skip_lines: 0}
`

func FuzzReader(f *testing.F) {
	seeds := []string{
		"ImportId,CustomerId,Price\n1,C1,2.5\n", "ImportId,CustomerId\r\n1,\"C\r\n1\"\r\n\r\n2,C2\r\n", "ImportId,CustomerId\r1,C\r2,D",
		"ImportId,CustomerId\n1,\"x\n2,y\n3,\"z\"\n", "A,B,C\n1,2,a\n-,-,b\n", "ImportId,CustomerId\n\"a\"b,c\n\n,,,\n a , \"b\" ,\n\x1a",
		"\xff\xfeI\x00m\x00p\x00", "ImportId;CustomerId\n1;'\xe4'\n", "ImportId,Name\n\"a\",\"b\n", "ImportId,CustomerId,Ordered,Due,Paid,State,Counter\n1,2,2026-11-22T10:00:00+10,2026-02-29,y,open,1e3\n",
		"ImportId,CustomerId\n1,2\r3,4\n" + strings.Repeat("x", 100) + "\n5,6\n",
	}
	for _, s := range seeds {
		for kind := range 5 {
			f.Add([]byte(s), byte(kind), byte(60))
		}
	}
	s := testSchema(f)
	m, err := mapping.Parse("mapping.yaml", []byte(fuzzMapping), s)
	if err != nil {
		f.Fatal(err)
	}
	names := []string{"Order.csv", "mapped.csv", "wide.csv", "western.csv", "plain.csv"}
	f.Fuzz(func(t *testing.T, data []byte, kind, limit byte) {
		name := names[int(kind)%len(names)]
		mapper, err := mapping.New(s, m, mapping.Options{MaxRecordBytes: int(limit) + 1})
		if err != nil {
			t.Fatal(err)
		}
		r, err := mapper.Open(name, bytes.NewReader(data))
		if err != nil {
			var refusal *ingest.FileRefusal
			if !errors.As(err, &refusal) || refusal.Message == "" {
				t.Fatal(err)
			}
			return
		}
		all := readAll(t, r)
		if r.Err() != nil || r.BytesRead() != int64(len(data)) {
			t.Fatalf("read %d of %d bytes: %v", r.BytesRead(), len(data), r.Err())
		}
		slow, err := mapper.Open(name, iotest.OneByteReader(bytes.NewReader(data)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(all, readAll(t, slow)); diff != "" {
			t.Fatalf("read byte by byte (-whole +bytes):\n%s", diff)
		}
		checkPlaces(t, mapper, name, data, all)
	})
}

// checkPlaces checks that records lie one after another with nothing but blank lines between them, and that each, given
// back after the file's header, is the same record.
func checkPlaces(t *testing.T, m *mapping.Mapper, name string, data []byte, all []seen) {
	t.Helper()
	if len(all) == 0 {
		return
	}
	end := all[0].Offset
	header := data[:end]
	for i, s := range all {
		if s.Offset < end || s.Offset+s.Size > int64(len(data)) || s.Size == 0 {
			t.Fatalf("record %d is at %d+%d of %d, the last ended at %d", i+1, s.Offset, s.Size, len(data), end)
		}
		if gap := bytes.Trim(data[end:s.Offset], "\x00\x1a\r\n\t "); isASCII(gap) && len(bytes.TrimSpace(gap)) > 0 {
			t.Fatalf("between records %d and %d is %q", i, i+1, gap)
		}
		end = s.Offset + s.Size
		again, err := m.Open(name, bytes.NewReader(append(bytes.Clone(header), data[s.Offset:end]...)))
		if err != nil {
			t.Fatal(err)
		}
		alone := readAll(t, again)
		if len(alone) == 0 {
			t.Fatalf("record %d, %q, is none when alone", i+1, data[s.Offset:end])
		}
		if diff := cmp.Diff(s.Values, alone[0].Values); diff != "" || alone[0].Code != s.Code || alone[0].Size != s.Size {
			t.Fatalf("record %d, %q, is %+v when alone, not %+v", i+1, data[s.Offset:end], alone[0], s)
		}
	}
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

const mostFields = 6

// plainMappers read files without a header of up to mostFields fields as they are.
func plainMappers(t testing.TB) []*mapping.Mapper {
	var out []*mapping.Mapper
	for width := range mostFields {
		var headers []string
		for i := range width + 1 {
			headers = append(headers, fmt.Sprint(i+1))
		}
		s, text := textSchema(t, headers)
		text = strings.Replace(text, "    only: true\n", "    only: true\n    header: false\n    delimiter: \",\"\n    quote: '\"'\n    escape: doubled\n    skip_lines: 0\n    leave_out: false\n", 1)
		out = append(out, newMapper(t, s, text, mapping.Options{}))
	}
	return out
}

// FuzzAgainstEncodingCSV reads what encoding/csv takes for well-formed and compares the fields.
func FuzzAgainstEncodingCSV(f *testing.F) {
	for _, s := range []string{
		"a,b\n1,2\n", "\"a\"\"b\",\"c\nd\"\r\n\r\ne,\n", "a\n\"\"\nb", "\"a,\",b\n,\n", "one,\"two\r\nthree\",\"\"\"\"\nx,y,z", " a , b\n c,d ",
	} {
		f.Add([]byte(s))
	}
	mappers := plainMappers(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		r := csv.NewReader(bytes.NewReader(data))
		want, err := r.ReadAll()
		stray := bytes.Count(data, []byte("\r")) != bytes.Count(data, []byte("\r\n"))
		if err != nil || len(want) == 0 || len(want[0]) > mostFields || stray || bytes.HasPrefix(data, []byte("\ufeff")) || bytes.ContainsAny(data, "\x00") || !utf8.Valid(data) {
			return
		}
		got, err := mappers[len(want[0])-1].Open("x.csv", bytes.NewReader(data))
		if err != nil {
			var refusal *ingest.FileRefusal
			if errors.As(err, &refusal) && refusal.Code == ingest.CodeUnreadable && len(data) > 2 {
				return // it begins like a ZIP file, or UTF-16
			}
			t.Fatal(err)
		}
		for i, record := range want {
			if !got.Next() {
				t.Fatalf("record %d of %d is missing: %v", i+1, len(want), got.Err())
			}
			if j := got.Refused(); j != nil {
				t.Fatalf("record %d, %q: %s", i+1, record, j.Message)
			}
			for k, field := range record {
				text := strings.ReplaceAll(string(got.Row().Values[k+1].Text), "\r\n", "\n")
				if got.Row().Values[k+1].Null {
					text = ""
				}
				if text != field {
					t.Fatalf("record %d field %d is %q, want %q", i+1, k+1, text, field)
				}
			}
		}
		if got.Next() {
			t.Fatalf("there is a record after the %d", len(want))
		}
	})
}

func FuzzParse(f *testing.F) {
	s := testSchema(f)
	f.Add([]byte(fuzzMapping))
	f.Add([]byte("version: 1\nfiles:\n- {pattern: a, table: Order, columns: {ImportId: {constant: 1}, CustomerId: {from: [1], map: {~: x}}}}"))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte(relationMapping))
	f.Add([]byte(withSkips))
	f.Add([]byte("version: 1\ndatabase:\n- {view: '[a]]].\"b\"', table: Order, key: k}\n- {query: 'with x as (select 1) select * from x;--', name: q, table: Customer}\n- skip: 'a . [b]'"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := mapping.Parse("m.yaml", text, s)
		if err != nil {
			var faults schema.Faults
			if !errors.As(err, &faults) || len(faults) == 0 {
				t.Fatalf("no list of faults: %v", err)
			}
			return
		}
		mapper, err := mapping.New(s, m, mapping.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a", "Order.csv", "mapped.csv"} {
			r, err := mapper.Open(name, strings.NewReader("ImportId,CustomerId,A,B,C\n1,2,3,4,5\n\"x\",,,,\n"))
			var refusal *ingest.FileRefusal
			switch {
			case err == nil:
				readAll(t, r)
			case !errors.As(err, &refusal) && !errors.Is(err, io.EOF):
				t.Fatal(err)
			}
		}
		readEntries(t, mapper)
	})
}
