package mapping_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"dropline/mapping"
	"dropline/mapping/detect"
)

// TestLateEncoding reads files whose first megabyte is ASCII and which are in one encoding or another only further down.
func TestLateEncoding(t *testing.T) {
	t.Parallel()
	var ascii bytes.Buffer
	ascii.WriteString("id,name\n")
	for i := 0; ascii.Len() < detect.HeadBytes+100_000; i++ {
		fmt.Fprintf(&ascii, "%d,a name without any mark on its letters\n", i)
	}
	for name, w := range map[string]struct {
		tail, encoding, want, note string
		refused                    int
	}{
		"windows-1252":           {tail: "1,Caf\xe9\n2,Zo\xeb\n", want: "Zoë", note: "read as windows-1252"},
		"utf-8":                  {tail: "1,Café\n2,Zoë\n", want: "Zoë"},
		"set":                    {tail: "1,Caf\xe9\n2,\xaa\n", encoding: "iso-8859-2", want: "Ş"},
		"set, but utf-8":         {tail: "1,Café\n2,Zoë\n", encoding: "windows-1252", want: "Zoë", note: "it is in UTF-8 and read so"},
		"set to utf-8":           {tail: "1,Caf\xe9\n2,Zoë\n", encoding: "utf-8", want: "Zoë", note: "it is not", refused: 1},
		"one letter at the end":  {tail: "1,x\n2,Zo\xeb", want: "Zoë", note: "read as windows-1252"},
		"damaged among its like": {tail: strings.Repeat("1,Zoë\n", 100) + "2,Zo\xeb\n3,Zoë\n", want: "Zoë", refused: 1},
	} {
		for reading, wrap := range map[string]func(io.Reader) io.Reader{
			"at once": func(r io.Reader) io.Reader { return r }, "in halves": iotest.HalfReader, "with the end": iotest.DataErrReader,
		} {
			s, text := textSchema(t, []string{"name"})
			if w.encoding != "" {
				text = strings.Replace(text, "table: File\n", "table: File\n    encoding: "+w.encoding+"\n", 1)
			}
			data := io.MultiReader(bytes.NewReader(ascii.Bytes()), strings.NewReader(w.tail))
			r, err := newMapper(t, s, text, mapping.Options{}).Open("a.csv", wrap(data))
			if err != nil {
				t.Fatal(err)
			}
			last, refused := "", 0
			for r.Next() {
				if r.Refused() != nil {
					refused++
					continue
				}
				last = string(r.Row().Values[1].Text)
			}
			notes := strings.Join(r.Notes(), "\n")
			if r.Err() != nil || last != w.want || refused != w.refused || !strings.Contains(notes, w.note) {
				t.Errorf("%s, %s: last is %q, %d refused, notes %q, error %v; want %q, %d and %q", name, reading, last, refused, notes, r.Err(),
					w.want, w.refused, w.note)
			}
		}
	}
}

// TestLateError looks ahead into an error of the source, which must be told and lose nothing before it.
func TestLateError(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	rows := strings.Repeat("1,a name\n", detect.HeadBytes/8) + "2,Zo\xeb\n"
	s, text := textSchema(t, []string{"name"})
	source := io.MultiReader(strings.NewReader("id,name\n"+rows), iotest.ErrReader(broken))
	r, err := newMapper(t, s, text, mapping.Options{}).Open("a.csv", source)
	if err != nil {
		t.Fatal(err)
	}
	last := ""
	for r.Next() {
		last = string(r.Row().Values[1].Text)
	}
	if !errors.Is(r.Err(), broken) {
		t.Errorf("error is %v, want that of the source", r.Err())
	}
	if last != "a name" && last != "Zoë" {
		t.Errorf("last is %q", last)
	}
}
