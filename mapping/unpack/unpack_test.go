package unpack_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"dropline/ingest"
	"dropline/mapping/unpack"
)

const csv = "id,name\n1,Müller\n2,\"a, b\"\n"

// stored is a file in memory.
func stored(name string, content []byte) unpack.Stored {
	return unpack.Stored{Name: name, Size: int64(len(content)), Open: func(_ context.Context, offset int64) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content[offset:])), nil
	}}
}

func gz(t testing.TB, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	write(t, w, text)
	return b.Bytes()
}

func write(t testing.TB, w io.WriteCloser, text []byte) {
	t.Helper()
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func zst(t testing.TB, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	write(t, w, text)
	return b.Bytes()
}

func xzOf(t testing.TB, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := xz.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	write(t, w, text)
	return b.Bytes()
}

// bz2 is the CSV above as bzip2 writes it: there is no writer in Go.
func bz2() []byte {
	return []byte("BZh91AY&SY\xdf9\xae\x83\x00\x00\x05\xdf\x80\x00\x10@\x00\x00@\x04\x1a!\xdc\x80 \x001\x00\x00\x02\x00\xd0\xf5")
}

type member struct{ name, text string }

func zipOf(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, m := range members {
		w, err := z.Create(m.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, m.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// readAll opens a file and reads all that is in it, as "name: text" lines.
func readAll(t testing.TB, file unpack.Stored, o unpack.Options) (string, error) {
	t.Helper()
	p, err := unpack.New(unpack.Config{TempDir: t.TempDir()}).Open(t.Context(), file, o)
	if err != nil {
		return "", err
	}
	defer p.Close()
	members := p.Members()
	if members == nil {
		members = []unpack.Member{{}}
	}
	var out strings.Builder
	for _, m := range members {
		text, err := p.Text(t.Context(), m.Name)
		if err != nil {
			return out.String(), err
		}
		body, err := io.ReadAll(text)
		if closing := text.Close(); err == nil {
			err = closing
		}
		if m.Name != "" {
			fmt.Fprintf(&out, "%s: ", m.Name)
		}
		out.Write(body)
		if err != nil {
			return out.String(), err
		}
	}
	return out.String(), nil
}

func TestCompressed(t *testing.T) {
	t.Parallel()
	for name, content := range map[string][]byte{
		"plain": []byte(csv), "gzip": gz(t, []byte(csv)), "gzip of two": append(gz(t, []byte(csv[:10])), gz(t, []byte(csv[10:]))...),
		"zstd": zst(t, []byte(csv)), "xz": xzOf(t, []byte(csv)), "empty": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := csv
			if content == nil {
				want = ""
			}
			got, err := readAll(t, stored("a.csv", content), unpack.Options{})
			if err != nil || got != want {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

func TestArchive(t *testing.T) {
	t.Parallel()
	content := zipOf(t, member{"export/b.csv", csv}, member{"a.csv", "x\n"}, member{"__MACOSX/._a.csv", "?"}, member{".DS_Store", "?"},
		member{"folder/", ""}, member{`win\c.csv.gz`, string(gz(t, []byte("packed once\n")))})
	p, err := unpack.New(unpack.Config{}).Open(t.Context(), stored("a.zip", content), unpack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if notes := strings.Join(p.Notes(), "\n"); !strings.Contains(notes, "._a.csv") || !strings.Contains(notes, ".DS_Store") {
		t.Errorf("notes: %s", notes)
	}
	got, err := readAll(t, stored("a.zip", content), unpack.Options{})
	if want := "a.csv: x\nexport/b.csv: " + csv + "win/c.csv.gz: packed once\n"; err != nil || got != want {
		t.Errorf("%q, %v", got, err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	zeros := make([]byte, 600<<20)
	locked := zipOf(t, member{"a.csv", csv})
	for _, magic := range []string{"PK\x03\x04", "PK\x01\x02"} { // the bit that says that a member is encrypted
		at := bytes.Index(locked, []byte(magic))
		locked[at+6+2*strings.Count(magic, "\x01")] |= 1
	}
	many := make([]member, unpack.MaxMembers+1)
	for i := range many {
		many[i].name = fmt.Sprint(i)
	}
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"gzip in gzip":        {gz(t, gz(t, []byte(csv))), "packed twice"},
		"zip in gzip":         {gz(t, zipOf(t, member{"a", "b"})), "packed twice"},
		"zip in zip":          {zipOf(t, member{"inner.zip", string(zipOf(t, member{"a.csv", csv}))}), `"inner.zip" in the archive holds a ZIP archive`},
		"bomb of gzip":        {gz(t, zeros), "more than 200 times as large"},
		"bomb of zstd":        {zst(t, zeros), "more than 200 times as large"},
		"bomb of zip":         {zipOf(t, member{"a.csv", string(zeros)}), "more than 200 times as large"},
		"bomb in a member":    {zipOf(t, member{"a.csv.gz", string(gz(t, zeros))}), "more than 200 times as large"},
		"cut off gzip":        {gz(t, []byte(csv))[:20], "damaged or not whole"},
		"cut off zstd":        {zst(t, []byte(csv))[:20], "damaged or not whole"},
		"cut off xz":          {xzOf(t, []byte(csv))[:40], "damaged or not whole"},
		"cut off zip":         {zipOf(t, member{"a.csv", csv})[:60], "damaged or not whole"},
		"path out":            {zipOf(t, member{"../a.csv", csv}), "leads out of the archive"},
		"path out of a drive": {zipOf(t, member{`..\a.csv`, csv}), "leads out of the archive"},
		"absolute":            {zipOf(t, member{"/etc/passwd", csv}), "absolute"},
		"drive":               {zipOf(t, member{`C:\a.csv`, csv}), "absolute"},
		"control":             {zipOf(t, member{"a\x1b[2J.csv", csv}), "control characters"},
		"long":                {zipOf(t, member{strings.Repeat("a", 600), csv}), "longer than"},
		"same name":           {zipOf(t, member{"a.csv", csv}, member{"A.CSV", csv}), "a name of its own"},
		"no file":             {zipOf(t), "empty"},
		"locked":              {locked, "protected by a password"},
		"too many":            {zipOf(t, many...), "more than 10000"},
		"7z":                  {[]byte("7z\xbc\xaf\x27\x1c\x00\x04"), "7-Zip"},
		"rar":                 {[]byte("Rar!\x1a\x07\x01\x00"), "RAR"},
		"old excel":           {[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00\x00"), "old Excel"},
		"pdf":                 {[]byte("%PDF-1.7\n"), "PDF"},
		"tar in gzip":         {gz(t, append(append(make([]byte, 257), "ustar\x0000"...), make([]byte, 300)...)), "tar archive"},
		"ods":                 {zipOf(t, member{"mimetype", "x"}, member{"META-INF/manifest.xml", "x"}), "OpenDocument"},
		"xlsb":                {zipOf(t, member{"xl/workbook.bin", "x"}), ".xlsb"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := readAll(t, stored("a.csv", c.content), unpack.Options{})
			var refusal *ingest.FileRefusal
			if !errors.As(err, &refusal) || !strings.Contains(refusal.Message, c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestTornAnywhere cuts archives off at every byte: each is refused, or gives what the whole one does.
func TestTornAnywhere(t *testing.T) {
	t.Parallel()
	for name, whole := range map[string][]byte{
		"gzip": gz(t, []byte(csv)), "zstd": zst(t, []byte(csv)), "xz": xzOf(t, []byte(csv)), "zip": zipOf(t, member{"a.csv", csv}), "bzip2": bz2(),
	} {
		for n := 12; n < len(whole); n++ {
			_, err := readAll(t, stored(name, whole[:n]), unpack.Options{})
			var refusal *ingest.FileRefusal
			if !errors.As(err, &refusal) {
				t.Errorf("%s cut off at %d of %d: %v", name, n, len(whole), err)
			}
		}
	}
}

// TestStoreFails makes sure that an error of the store is not taken for a fault of the file.
func TestStoreFails(t *testing.T) {
	t.Parallel()
	away := ingest.Errorf(ingest.Unavailable, "test", "S3 is away")
	for name, content := range map[string][]byte{
		"plain": []byte(csv), "gzip": gz(t, bytes.Repeat([]byte("abcdefg"), 1000)), "zip": zipOf(t, member{"a.csv", csv}), "xz": xzOf(t, []byte(csv)),
	} {
		for n := range len(content) {
			file := stored(name, content)
			file.Open = func(_ context.Context, offset int64) (io.ReadCloser, error) {
				from := min(int(offset), n)
				return io.NopCloser(io.MultiReader(bytes.NewReader(content[from:n]), failing{away})), nil
			}
			if _, err := readAll(t, file, unpack.Options{}); ingest.KindOf(err) != ingest.Unavailable {
				t.Errorf("%s with %d bytes: %v", name, n, err)
			}
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// FuzzOpen makes sure that no bytes do harm.
func FuzzOpen(f *testing.F) {
	f.Add(gz(f, []byte(csv)))
	f.Add(zst(f, []byte(csv)))
	f.Add(xzOf(f, []byte(csv)))
	f.Add(bz2())
	f.Add(zipOf(f, member{"a.csv", csv}))
	f.Add(book(f, `<row r="1"><c r="A1" t="inlineStr"><is><t>x</t></is></c></row>`))
	f.Add([]byte("-----BEGIN PGP MESSAGE-----\n\nhF4D\n-----END PGP MESSAGE-----\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		_, err := readAll(t, stored("a", content), unpack.Options{})
		var refusal *ingest.FileRefusal
		if err != nil && !errors.As(err, &refusal) {
			t.Errorf("%v", err)
		}
	})
}
