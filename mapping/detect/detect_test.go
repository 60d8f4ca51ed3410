package detect_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"dropline/mapping/detect"
)

// written is a table as a program writes it.
type written struct {
	delimiter, quote, escape, end string
	always                        bool // every field is quoted
}

func (w *written) field(v string) string {
	if w.quote == "" {
		return v
	}
	if !w.always && !strings.ContainsAny(v, w.delimiter+w.quote+"\r\n") {
		return v
	}
	if w.escape != "" {
		v = strings.ReplaceAll(strings.ReplaceAll(v, w.escape, w.escape+w.escape), w.quote, w.escape+w.quote)
	} else {
		v = strings.ReplaceAll(v, w.quote, w.quote+w.quote)
	}
	return w.quote + v + w.quote
}

func (w *written) row(values []string) string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = w.field(v)
	}
	return strings.Join(out, w.delimiter) + w.end
}

// madeUp is a table of so many columns: keys, names, texts, amounts, dates and addresses.
func madeUp(r *rand.Rand, plain bool) (rows [][]string) {
	kinds := []func(i int) string{
		func(i int) string { return fmt.Sprintf("C-%04d", i) },
		func(int) string {
			return []string{"Ann Smith", "Bob", "O'Brien", "Maria de la Cruz", "Weiß"}[r.IntN(5)]
		},
		func(int) string {
			if plain {
				return []string{"Sale of land", "A will", "", "Advice"}[r.IntN(4)]
			}
			return []string{"Sale, of land; urgent", "He said \"no\"", "", "Call: 5|6", "two\nlines"}[r.IntN(5)]
		},
		func(int) string { return fmt.Sprintf("%d.%02d", r.IntN(10000), r.IntN(100)) },
		func(int) string { return fmt.Sprintf("20%02d-%02d-%02d", r.IntN(27), 1+r.IntN(12), 1+r.IntN(28)) },
		func(int) string { return fmt.Sprintf("a%d@example.com", r.IntN(100)) },
		func(int) string { return []string{"true", "false"}[r.IntN(2)] },
	}
	names := []string{"Customer No", "Name", "Notes", "Amount", "Opened", "E-mail", "Active"}
	width := 2 + r.IntN(6)
	at := r.Perm(len(kinds))[:width]
	header := make([]string, width)
	for i, k := range at {
		header[i] = names[k]
	}
	rows = append(rows, header)
	for i := range 5 + r.IntN(60) {
		row := make([]string, width)
		for j, k := range at {
			row[j] = kinds[k](i)
		}
		rows = append(rows, row)
	}
	return rows
}

// TestLook writes tables in all the usual dialects and asks how they are written.
func TestLook(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	type count struct{ right, all int }
	counts := map[string]*count{}
	var wrong []string
	for range 4000 {
		w := written{end: []string{"\n", "\r\n"}[r.IntN(2)], quote: "\"", always: r.IntN(3) == 0}
		w.delimiter = []string{",", ";", "\t", "|", "^", "||", "~|~"}[r.IntN(7)]
		if r.IntN(5) == 0 {
			w.escape = "\\"
		}
		rows := madeUp(r, false)
		var b strings.Builder
		kind, above := "clean", 0
		if r.IntN(3) == 0 {
			kind = "with a title"
			b.WriteString("Report of clients" + w.end + "Generated on 2026-11-22" + w.end)
			if above = 2; r.IntN(2) == 0 {
				b.WriteString(w.end)
				above++
			}
		}
		for _, row := range rows {
			b.WriteString(w.row(row))
		}
		if r.IntN(4) == 0 {
			b.WriteString("(42 rows affected)" + w.end)
		}
		d := detect.Look([]byte(b.String()), true, detect.Setting{})
		c := counts[kind]
		if c == nil {
			c = &count{}
			counts[kind] = c
		}
		c.all++
		skipped := d.SkipLines
		if above == 3 && skipped == 2 {
			skipped = 3 // a blank line before the header is skipped either way
		}
		if d.Delimiter == w.delimiter && d.Header && skipped == above && (d.Quote == '"' || !strings.Contains(b.String(), "\"")) {
			c.right++
		} else if len(wrong) < 5 {
			wrong = append(wrong, fmt.Sprintf("%+v: %+v\n%.300s", w, d, b.String()))
		}
	}
	for kind, c := range counts {
		share := float64(c.right) / float64(c.all)
		t.Logf("%s: %.2f %%", kind, share*100)
		if want := map[string]float64{"clean": 0.99, "with a title": 0.95}[kind]; share < want {
			t.Errorf("%s: %.1f %% of %d are right, want %.0f %%:\n%s", kind, share*100, c.all, want*100, strings.Join(wrong, "\n---\n"))
		}
	}
}

func TestLookAtOddOnes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want detect.Dialect
	}{
		"plain":              {"a,b\n1,2\n3,4\n", detect.Dialect{Delimiter: ",", Quote: '"', Header: true}},
		"one column":         {"name\nsmith; ann\njones; bob\nbrown\n", detect.Dialect{Delimiter: ",", Quote: '"', Header: true}},
		"much free text":     {"id,text\n1,a; b; c\n2,\"d; e, f\"\n3,g\n", detect.Dialect{Delimiter: ",", Quote: '"', Header: true}},
		"single quotes":      {"a;b\n'x;y';1\n'z';2\n'w';3\n", detect.Dialect{Delimiter: ";", Quote: '\'', Header: true}},
		"nothing quotes":     {"size,what\n5,pipe 5\" wide\n6,pipe 6\" wide\n7,a 3\" nail\n", detect.Dialect{Delimiter: ",", Header: true}},
		"backslash":          {"a,b\n\"he said \\\"no\\\", twice\",1\n\"x\",2\n\"y\",3\n", detect.Dialect{Delimiter: ",", Quote: '"', Escape: '\\', Header: true}},
		"excel's line":       {"sep=;\na;b\n1;2\n", detect.Dialect{Delimiter: ";", Quote: '"', SkipLines: 1, Header: true}},
		"no header":          {"1,2026-01-01,5.5\n2,2026-01-02,6.5\n3,2026-01-03,7.5\n4,2026-01-04,8.5\n", detect.Dialect{Delimiter: ",", Quote: '"'}},
		"years for a header": {"code,2019,2020,2021\na,1,2,3\nb,4,5,6\nc,7,8,9\n", detect.Dialect{Delimiter: ",", Quote: '"', Header: true}},
		"empty":              {"", detect.Dialect{Delimiter: ",", Quote: '"', Header: true}},
	} {
		d := detect.Look([]byte(c.text), true, detect.Setting{})
		if d.Delimiter != c.want.Delimiter || d.Quote != c.want.Quote || d.Escape != c.want.Escape || d.SkipLines != c.want.SkipLines || d.Header != c.want.Header {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestLookEncoding(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, set, want string }{
		"ascii":       {"abc", "", "utf-8"},
		"utf-8":       {"Müller", "", "utf-8"},
		"cut off":     {"Müller Weiß\xc3", "", "utf-8"},
		"mark":        {"\xef\xbb\xbfabc", "shift-jis", "utf-8"},
		"utf-16":      {"\xff\xfea\x00", "", "utf-16le"},
		"unmarked":    {"a\x00b\x00c\x00d\x00e\x00", "", "utf-16le"},
		"western":     {"M\xfcller", "", "windows-1252"},
		"as is said":  {"M\x9fller", "macintosh", "macintosh"},
		"utf-8 first": {"Müller, Größe", "macintosh", "utf-8"},
	} {
		if e := detect.LookEncoding([]byte(c.text), name != "cut off", c.set); e.Name != c.want {
			t.Errorf("%s: %+v, want %s", name, e, c.want)
		}
	}
	if e := detect.LookEncoding([]byte("\x93\xfa\x96{\x8c\xea\x82\xcc\x83e\x83L\x83X\x83g"), true, ""); !strings.Contains(e.Notes[0], "Shift-JIS") {
		t.Errorf("no hint: %v", e.Notes)
	}
}

// FuzzLook makes sure that no text does harm, and that what is found can be.
func FuzzLook(f *testing.F) {
	f.Add([]byte("a,b\n1,2\n"), true)
	f.Add([]byte("\"a\\\"b\";'c'\r\r\n||"), false)
	f.Fuzz(func(t *testing.T, text []byte, whole bool) {
		d := detect.Look(text, whole, detect.Setting{})
		if d.Delimiter == "" || d.SkipLines < 0 || d.SkipLines > strings.Count(string(text), "\n")+strings.Count(string(text), "\r") {
			t.Errorf("%+v", d)
		}
		detect.LookEncoding(text, whole, "")
	})
}

func BenchmarkLook(b *testing.B) {
	row := "C-0001,Ann Smith,\"Sale, of land\",1234.50,2026-11-22,true\n"
	text := []byte("a,b,c,d,e,f\n" + strings.Repeat(row, detect.HeadBytes/len(row)))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		detect.Look(text, false, detect.Setting{})
	}
}
