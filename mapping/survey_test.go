package mapping_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"dropline/mapping"
	"dropline/mapping/preview"
)

// readColumnAs reads a file of one column beside the keys, and returns the values as they would be staged ("!" for refused rows) and
// the notes.
func readColumnAs(t *testing.T, column string, values []string) ([]string, string) {
	t.Helper()
	var b strings.Builder
	b.WriteString("ImportId\tCustomerId\t" + column + "\n")
	for i, v := range values {
		fmt.Fprintf(&b, "%d\tC1\t%s\n", i+1, v)
	}
	m := newMapper(t, testSchema(t), "", mapping.Options{})
	r, err := m.OpenSettled(t.Context(), mapping.File{Path: "Order.csv"}, func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(b.String())), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := r.Table().Column(column)
	var out []string
	for r.Next() {
		switch v := &r.Row().Values[c.Index]; {
		case r.Refused() != nil:
			out = append(out, "!")
		case v.Null:
			out = append(out, "")
		default:
			out = append(out, preview.Text(c, v))
		}
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return out, strings.Join(r.Notes(), "\n")
}

func TestColumnsAsTheyAre(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		column       string
		values, want string // between spaces of two
		note         string
	}{
		"iso":                {"Due", "2026-11-22  2026-02-03", "2026-11-22  2026-02-03", ""},
		"day first":          {"Due", "03/04/2026  22/11/2026", "2026-04-03  2026-11-22", "the day first: 22/11/2026 in line 3"},
		"month first":        {"Due", "03/04/2026  11/22/2026", "2026-03-04  2026-11-22", "the month first: 11/22/2026 in line 3"},
		"open":               {"Due", "03/04/2026  05/05/2026", "!  2026-05-05", "03/04/2026 is open"},
		"both":               {"Due", "13/02/2026  02/13/2026  02/03/2026", "2026-02-13  2026-02-13  !", "13/02/2026 in line 2"},
		"dots":               {"Due", "3.4.2026  22.11.26", "2026-04-03  2026-11-22", "the day first"},
		"names":              {"Due", "22-Nov-2026  Nov 22, 2026  22 November 2026  1 May 26", "2026-11-22  2026-11-22  2026-11-22  2026-05-01", ""},
		"year first":         {"Due", "2026/1/5  2026.12.31", "2026-01-05  2026-12-31", ""},
		"with midnight":      {"Due", "22/11/2026 00:00:00  03/04/2026", "2026-11-22  2026-04-03", ""},
		"with time":          {"Due", "22/11/2026 10:30  03/04/2026", "!  2026-04-03", ""},
		"serial":             {"Due", "46348  45000", "2026-11-22  2023-03-15", "counted as Excel does"},
		"no serial":          {"Due", "46348  2026-01-01", "!  2026-01-01", ""},
		"times":              {"Ordered", "22/11/2026 2:30 PM  03/04/2026 11:05 am", "2026-11-22T14:30:00Z  2026-04-03T11:05:00Z", ""},
		"zones":              {"Ordered", "22/11/2026 14:30 +10:00  03/04/2026 11:05:30 UTC", "2026-11-22T04:30:00Z  2026-04-03T11:05:30Z", ""},
		"zones by name":      {"Ordered", "22/11/2026 14:30 EST  03/04/2026 11:05:30 CEST  3/4/2026 11:05 IST", "2026-11-22T19:30:00Z  2026-04-03T09:05:30Z  !", ""},
		"serial times":       {"Ordered", "46348.604166666664  46348.5", "2026-11-22T14:30:00Z  2026-11-22T12:00:00Z", ""},
		"no date":            {"Due", "22/11/2026  31/02/2026  soon", "2026-11-22  !  !", ""},
		"decimal comma":      {"Price", "1.234,5  12,50  1.234  -3,00", "1234.5  12.50  1234  -3.00", "a decimal comma"},
		"decimal point":      {"Price", "1,234.5  12.50  1,234", "1234.5  12.50  1234", ""},
		"a slip":             {"Price", strings.Repeat("1.230  ", 30) + "12,5", strings.Repeat("1.23  ", 30) + "!", "few with a comma"},
		"apostrophes":        {"Price", "1'234.50  12.5  2’000.00", "1234.50  12.5  2000.00", ""},
		"spaces":             {"Price", "1 234,50  2\u00a0000,00  3", "1234.50  2000.00  3", "a decimal comma"},
		"lakhs":              {"Counter", "12,34,567  1,23,45,678", "1234567  12345678", ""},
		"currencies":         {"Price", "EUR 12.50  12 kr  US$3  ₹5.00  (€4.20)  7 zł", "12.50  12  3  5.00  -4.20  7", ""},
		"percent":            {"Price", "50 %  12%", "0.50  0.12", ""},
		"percent of a whole": {"Quantity", "50 %  100 %", "!  1", ""},
		"scientific":         {"Price", "1.2E2  5e-1", "120  0.5", ""},
		"typographic minus":  {"Price", "−5  5-", "-5  -5", ""},
		"words":              {"Paid", "yes  No  ON  off  T  0", "true  false  true  false  true  false", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, notes := readColumnAs(t, c.column, strings.Split(c.values, "  "))
			if s := strings.Join(got, "  "); s != c.want {
				t.Errorf("%s: got %s, want %s; notes: %s", c.values, s, c.want, notes)
			}
			if !strings.Contains(notes, c.note) {
				t.Errorf("notes: %s, want %q", notes, c.note)
			}
		})
	}
}

// TestSettledLate has the value that settles the order of day and month behind the first megabyte.
func TestSettledLate(t *testing.T) {
	t.Parallel()
	const rows = 80_000
	for last, want := range map[string]string{"22/11/2026": "2026-04-03", "11/22/2026": "2026-03-04", "03/04/2026": "!"} {
		values := make([]string, rows)
		for i := range values {
			values[i] = "03/04/2026"
		}
		values[rows-1] = last
		got, notes := readColumnAs(t, "Due", values)
		if len(got) != rows || got[0] != want || got[rows-2] != want {
			t.Errorf("%s: %s, want %s; notes: %s", last, got[0], want, notes)
		}
	}
}

// TestOtherColumns lets a column that is open follow another that is not.
func TestOtherColumns(t *testing.T) {
	t.Parallel()
	m := newMapper(t, testSchema(t), "", mapping.Options{})
	r := open(t, m, "Order.csv", []byte("ImportId,CustomerId,Due,Ordered\n1,C1,03/04/2026,22/11/2026 10:00\n"))
	if !r.Next() || r.Refused() != nil || preview.Text(r.Table().Column("Due"), &r.Row().Values[r.Table().Column("Due").Index]) != "2026-04-03" {
		t.Errorf("%+v %s", r.Row(), r.Notes())
	}
}
