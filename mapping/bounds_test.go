package mapping_test

import (
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"dropline/ingest"
	"dropline/mapping"
	"dropline/schema"
)

// repeated yields a byte n times, and then text.
type repeated struct {
	b    byte
	n    int64
	rest io.Reader
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.n == 0 {
		return r.rest.Read(p)
	}
	n := int(min(int64(len(p)), r.n))
	for i := range p[:n] {
		p[i] = r.b
	}
	r.n -= int64(n)
	return n, nil
}

// TestGiantLine reads on after a line of a gigabyte, in the memory of the longest record that is allowed.
func TestGiantLine(t *testing.T) {
	const giant = 1 << 30
	for name, start := range map[string]string{"bare": "2,", "quoted": "2,\""} {
		m := newMapper(t, testSchema(t), "", mapping.Options{})
		source := io.MultiReader(strings.NewReader("ImportId,Name\n1,a\n"+start),
			&repeated{b: 'x', n: giant, rest: strings.NewReader("\n3,b\n")})
		r, err := m.Open("Customer.csv", source)
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		codes := ""
		for r.Next() {
			if j := r.Refused(); j != nil {
				codes += j.Code + " "
				if want := int64(giant + len(start) + 1); j.Length != want || j.Line != 3 || j.Offset != 18 || len(j.Value) != ingest.MaxRejectValue {
					t.Errorf("%s: reject of line %d at %d+%d, want 3 at 18+%d", name, j.Line, j.Offset, j.Length, want)
				}
				continue
			}
			codes += string(r.Row().Values[0].Text) + " "
		}
		runtime.ReadMemStats(&after)
		if codes != "1 record_too_long 3 " || r.Err() != nil || r.Row().Line != 4 {
			t.Errorf("%s: got %q, line %d, %v", name, codes, r.Row().Line, r.Err())
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 3*mapping.DefaultMaxRecordBytes {
			t.Errorf("%s: allocated %d bytes in all", name, used)
		}
	}
}

func TestHeaderBounds(t *testing.T) {
	t.Parallel()
	m := newMapper(t, testSchema(t), "", mapping.Options{})
	for name, header := range map[string]string{
		"too many columns": "ImportId,Name" + strings.Repeat(",a", 5000),
		"too long":         "ImportId,Name," + strings.Repeat("a", 1<<20),
	} {
		_, err := m.Open("Customer.csv", strings.NewReader(header+"\n"))
		var refusal *ingest.FileRefusal
		if !errors.As(err, &refusal) || refusal.Code != ingest.CodeUnreadable {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := open(t, m, "Customer.csv", []byte("ImportId,Name"+strings.Repeat(",a", 4998)+"\n1,b"+strings.Repeat(",", 100_000)+"\n"))
	if !r.Next() || r.Refused() != nil {
		t.Errorf("5,000 columns and a record with empty fields beyond: %v", r.Refused())
	}
}

// TestSourceFails ends with the source's error, and never yields the record that it cut off.
func TestSourceFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	m := newMapper(t, testSchema(t), "", mapping.Options{})
	for text, records := range map[string]int{
		"ImportId,Name\n1,a\n2,b": 1, "ImportId,Name\n1,\"a": 0, "ImportId,Name\n1,a\n": 1, "ImportId,Name\n1,\"a\"": 0,
	} {
		r, err := m.Open("Customer.csv", io.MultiReader(strings.NewReader(text), failing{broken}))
		if err != nil {
			if !errors.Is(err, broken) {
				t.Errorf("%q: %v", text, err)
			}
			continue
		}
		n := 0
		for r.Next() {
			n++
		}
		if n != records || !errors.Is(r.Err(), broken) {
			t.Errorf("%q: %d records and %v, want %d and %v", text, n, r.Err(), records, broken)
		}
	}
	_, err := m.Open("Customer.csv", failing{broken})
	if !errors.Is(err, broken) {
		t.Errorf("got %v at once, want %v", err, broken)
	}
	var refusal *ingest.FileRefusal
	if errors.As(err, &refusal) {
		t.Errorf("the source's error is taken for the file's: %v", refusal)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestNoAllocations reads rows of every kind without allocating for one of them.
func TestNoAllocations(t *testing.T) {
	data := []byte("ImportId,CustomerId,State,Quantity,Counter,Price,Ordered,Due,Paid,Note\n" +
		strings.Repeat("W1,customer_0123456789ABCDEF0123456789abcdef,in progress,\"1,234\",5,($12.50),2026-11-22 10:00:00,2026-11-22,yes,\"a \"\"b\"\" c\"\n", 5000))
	m := newMapper(t, testSchema(t), "", mapping.Options{})
	allocs := testing.AllocsPerRun(3, func() {
		r := open(t, m, "Order.csv", data)
		for r.Next() {
			if j := r.Refused(); j != nil {
				t.Fatal(j.Message)
			}
		}
	})
	if allocs > 1000 { // finding out how the file is written takes some
		t.Errorf("%v allocations for 5,000 rows", allocs)
	}
}

func TestParseBounds(t *testing.T) {
	t.Parallel()
	s := testSchema(t)
	for name, text := range map[string]string{
		"larger than 256 KiB":     "# " + strings.Repeat("x", 256<<10),
		"is empty":                "",
		"anchors and aliases":     "a: &a [1]\nb: *a",
		"second document":         "version: 1\n---\nversion: 1",
		"nested more than":        strings.Repeat("[", 40) + strings.Repeat("]", 40),
		"more than 50000 values":  "[" + strings.Repeat("1,", 60_000) + "1]",
		"tags such as":            "version: !!binary aGk=",
		"not YAML":                "a: [",
		"too many faults to list": "version: 1\nfiles:\n" + strings.Repeat("  - {x: 1}\n", 60),
	} {
		_, err := mapping.Parse("m.yaml", []byte(text), s)
		var faults schema.Faults
		if !errors.As(err, &faults) || !strings.Contains(err.Error(), name) || !strings.HasPrefix(err.Error(), "m.yaml") {
			t.Errorf("want %q, got %v", name, err)
		}
	}
}

// TestFaultyYAMLCostsLittle: clients send mappings, and the line of a fault is found by parsing beginnings of the text again.
func TestFaultyYAMLCostsLittle(t *testing.T) {
	def := testSchema(t)
	lines := strings.Repeat("- {a: b, c: [d, e, f], gg: h1}\n", 990)
	parse := func(text string) (err error) {
		_, err = mapping.Parse("m.yaml", []byte(text), def)
		return err
	}
	once := testing.AllocsPerRun(1, func() { _ = parse(lines) })
	faulty := testing.AllocsPerRun(1, func() {
		if err := parse(lines + "\tx: [\n"); err == nil || !strings.HasPrefix(err.Error(), "m.yaml:991: not YAML") {
			t.Errorf("got %v", err)
		}
	})
	if faulty > 50*once {
		t.Errorf("a fault in the last of 991 lines costs as much as parsing them %.0f times", faulty/once)
	}
}

// TestOtherSchema refuses a mapping that was read under another schema.
func TestOtherSchema(t *testing.T) {
	t.Parallel()
	m, err := mapping.Parse("m.yaml", []byte(fuzzMapping), testSchema(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mapping.New(schema.Efimis10(), m, mapping.Options{}); err == nil {
		t.Error("a mapping for one schema is taken for another")
	}
	if _, err := mapping.New(testSchema(t), nil, mapping.Options{MaxRecordBytes: -1}); err == nil {
		t.Error("a negative limit is taken")
	}
}

// TestLongTextsOfARelation sees that what a text too long has in its lines is not read as rows.
func TestLongTextsOfARelation(t *testing.T) {
	t.Parallel()
	const limit = 64 << 10
	s := testSchema(t)
	m := newMapper(t, s, "", mapping.Options{MaxRecordBytes: limit})
	for name, c := range map[string]struct{ first, line string }{
		"lines":      {"one\n", "9,no row\n"},
		"no lines":   {"one", "x"},
		"quotes":     {"\"\"one\"\"\n", "8,\"\"quoted\"\",\n9,no row\n"},
		"only lines": {"\n", "\n"},
		"odd quotes": {"one", "\"\"\n9,no row\n"},
	} {
		for _, size := range []int{limit - 40, limit, limit + 1, 3 * limit} {
			text := c.first + strings.Repeat(c.line, size/len(c.line)+1)
			record := "2,\"" + text + "\"\n"
			r, err := m.OpenRelation("dbo.Customer", s.Table("Customer"), strings.NewReader("ImportId,Name\n1,a\n"+record+"3,b\n"))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for r.Next() {
				j := r.Refused()
				if j == nil {
					got = append(got, string(r.Row().Values[0].Text))
					continue
				}
				got = append(got, j.Code)
				long := j.Code == ingest.CodeRecordTooLong
				if j.Line != 3 || j.Length != int64(len(record)) || long && !strings.Contains(j.Message, "query") || long != (len(record) > limit) {
					t.Errorf("%s of %d: line %d, %d bytes of %d: %s", name, size, j.Line, j.Length, len(record), j.Message)
				}
			}
			if len(got) != 3 || got[0] != "1" || got[2] != "3" || r.Err() != nil {
				t.Errorf("%s of %d: %.100q, %v", name, size, got, r.Err())
			} else if want := int64(4 + strings.Count(text, "\n")); r.Row().Line != want {
				t.Errorf("%s of %d: the last is in line %d, not %d", name, size, r.Row().Line, want)
			}
		}
	}
}
