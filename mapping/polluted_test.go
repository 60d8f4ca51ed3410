package mapping_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dropline/mapping"
)

// written is a way to write a table as text.
type written struct {
	delimiter, quote, escape, end string
	all                           bool // quote every field
}

func (w written) field(text string) string {
	needs := w.all || strings.ContainsAny(text, w.delimiter+w.quote+"\r\n")
	if w.quote == "" || !needs {
		return text
	}
	return w.quote + strings.ReplaceAll(text, w.quote, w.escape+w.quote) + w.quote
}

func (w written) text(records [][]string) string {
	var b strings.Builder
	for _, r := range records {
		for i, f := range r {
			if i > 0 {
				b.WriteString(w.delimiter)
			}
			b.WriteString(w.field(f))
		}
		b.WriteString(w.end)
	}
	return b.String()
}

// pollutedTable is a table of sales with what makes trouble in it.
func pollutedTable(rows int) [][]string {
	out := [][]string{{"DATE", "TIME", "Qty", "PRODUCTID", "Price", "ProductType", "ProductDescription", "URL", "Comments"}}
	for i := range rows {
		comment := ""
		if i%7 == 0 {
			comment = fmt.Sprintf("first, \"%d\" quoted, and a comma", i)
		}
		out = append(out, []string{
			fmt.Sprintf("%02d/%02d/2018", i%12+1, i%28+1), fmt.Sprintf("%02d:%02d AM", i%12, i%60), fmt.Sprint(i%9 + 1), fmt.Sprintf("PB4C10%05d", i*37),
			fmt.Sprintf("\u20ac %d.%02d", i*13, i%100), []string{"Board", "Cutter", "Plastic Bowl"}[i%3], fmt.Sprintf("A %q thing, number %d", "nice", i),
			fmt.Sprintf("http://shop.example/p?id=%d&a=b,c", i), comment,
		})
	}
	return out
}

// TestPolluted reads one table in the ways in which the world writes tables; each must give the same cells.
func TestPolluted(t *testing.T) {
	t.Parallel()
	table := pollutedTable(84)
	plain := written{",", `"`, `"`, "\r\n", false}
	with := func(change func(*written)) string {
		w := plain
		change(&w)
		return w.text(table)
	}
	body := plain.text(table)
	lines := strings.SplitAfter(body, "\r\n")
	for name, text := range map[string]string{
		"plain":                  body,
		"lf":                     with(func(w *written) { w.end = "\n" }),
		"cr":                     with(func(w *written) { w.end = "\r" }),
		"no last line end":       strings.TrimSuffix(body, "\r\n"),
		"two last line ends":     body + "\r\n",
		"blank lines at the end": body + "\r\n\r\n\r\n",
		"semicolon":              with(func(w *written) { w.delimiter = ";" }),
		"tab":                    with(func(w *written) { w.delimiter = "\t" }),
		"space":                  with(func(w *written) { w.delimiter = " " }),
		"comma and space":        with(func(w *written) { w.delimiter = ", " }),
		"semicolon and space":    with(func(w *written) { w.delimiter = "; " }),
		"pipe":                   with(func(w *written) { w.delimiter = "|" }),
		"two characters":         with(func(w *written) { w.delimiter = "||" }),
		"all quoted":             with(func(w *written) { w.all = true }),
		"single quotes":          with(func(w *written) { w.quote, w.escape = "'", "'" }),
		"backslash":              with(func(w *written) { w.escape = `\` }),
		"semicolon, backslash":   with(func(w *written) { w.escape, w.delimiter = `\`, ";" }),
		"preamble":               "Sales of the year\r\nmade by hand\r\n\r\n" + body,
		"preamble with commas":   "Sales of the year,,,,,,,,\r\nmade by hand,,,,,,,,\r\n,,,,,,,,\r\n" + body,
		"blank lines above":      "\r\n\r\n" + body,
		"repeated header":        strings.Join(lines[:40], "") + lines[0] + strings.Join(lines[40:], ""),
		"spaces around":          strings.ReplaceAll(body, ",Board,", ", Board ,"),
		"sep line":               "sep=,\r\n" + body,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkPolluted(t, table, text)
		})
	}
}

// TestPollutedSmall reads tables of hardly any rows.
func TestPollutedSmall(t *testing.T) {
	t.Parallel()
	for _, rows := range []int{0, 1, 2, 3} {
		table := pollutedTable(rows)
		for _, w := range []written{
			{",", `"`, `"`, "\r\n", false},
			{";", `"`, `"`, "\n", false},
			{"\t", `"`, `"`, "\r", false},
			{"|", `"`, `"`, "\n", true},
			{";", `"`, `"`, "\n", true},
			{"||", `"`, `"`, "\n", false},
			{",", `"`, `\`, "\n", true},
			{", ", `"`, `"`, "\n", false},
		} {
			t.Run(fmt.Sprintf("%d rows, %+v", rows, w), func(t *testing.T) {
				t.Parallel()
				checkPolluted(t, table, w.text(table))
			})
		}
	}
}

func checkPolluted(t *testing.T, table [][]string, text string) {
	t.Helper()
	s, m := textSchema(t, table[0])
	r, err := newMapper(t, s, m, mapping.Options{}).Open("sales.csv", bytes.NewReader([]byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	got := [][]string{table[0]}
	for r.Next() {
		if j := r.Refused(); j != nil {
			t.Errorf("line %d: %s: %s", j.Line, j.Column, j.Message)
			continue
		}
		var row []string
		for i := range table[0] {
			cell := strings.TrimSpace(string(r.Row().Values[i+1].Text))
			if r.Row().Values[i+1].Null {
				cell = ""
			}
			row = append(row, cell)
		}
		got = append(got, row)
	}
	if r.Err() != nil {
		t.Error(r.Err())
	}
	if diff := cmp.Diff(table, got); diff != "" {
		t.Errorf("%d rows; notes %q (-want +got):\n%.600s", len(got)-1, r.Notes(), diff)
	}
}
