package unpack

import (
	"archive/zip"
	"bufio"
	"compress/bzip2"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/charmap"

	"dropline/ingest"
)

// maxDirectory is how many bytes of an archive are read to know what is in it: ten thousand members with long names take half.
// What is in memory of it is up to seven times as large.
const maxDirectory = 8 << 20

// readerAt is what archives are read from.
type readerAt interface {
	io.ReaderAt
	io.Closer
	failed() error // of the store, not of the file
}

// archive is a ZIP archive.
type archive struct {
	p       *Package
	at      readerAt
	files   map[string]*zip.File
	members []Member
}

// openZIP lists an archive, or opens it as the workbook that it is.
func (p *Package) openZIP(ctx context.Context, at readerAt, size int64) error {
	directory := &limited{readerAt: at, left: maxDirectory}
	z, err := zip.NewReader(directory, size)
	directory.left = -1
	if err != nil {
		_ = at.Close() // nothing depends on it
		switch {
		case at.failed() != nil:
			return at.failed()
		case errors.Is(err, errDirectory):
			return refused("the archive has more than %d files: send them in several archives", MaxMembers)
		}
		return damaged("the archive", err)
	}
	z.RegisterDecompressor(zip.Deflate, func(r io.Reader) io.ReadCloser { return flate.NewReader(r) })
	z.RegisterDecompressor(methodBzip2, func(r io.Reader) io.ReadCloser { return io.NopCloser(bzip2.NewReader(r)) })
	z.RegisterDecompressor(zstd.ZipMethodWinZip, zstd.ZipDecompressor(zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true)))
	if name := bookName(z); name != "" {
		err = p.openBook(ctx, z, at)
	} else {
		p.archive = &archive{p: p, at: at, files: map[string]*zip.File{}}
		err = p.archive.list(z)
	}
	if err != nil {
		_ = at.Close() // nothing depends on it
	}
	return err
}

// Methods of compression in an archive, by the numbers of its specification (APPNOTE.TXT, section 4.4.5).
const (
	methodDeflate64 = 9
	methodBzip2     = 12
	methodAES       = 99
)

// limited reads as much of an archive as its directory may take.
type limited struct {
	readerAt
	left int64 // below zero: any
}

var errDirectory = errors.New("the directory is too long")

// ReadAt implements io.ReaderAt.
func (l *limited) ReadAt(p []byte, off int64) (int, error) {
	if l.left >= 0 {
		if l.left -= int64(len(p)); l.left < 0 {
			l.left = 0
			return 0, errDirectory
		}
	}
	return l.readerAt.ReadAt(p, off)
}

// list checks what is in the archive, and lists it in the order of names: that of the archive is the accident of a program.
func (a *archive) list(z *zip.Reader) error {
	if len(z.File) > MaxMembers {
		return refused("the archive has %d files, more than %d: send them in several archives", len(z.File), MaxMembers)
	}
	var packed, total uint64
	var skipped []string
	folded := map[string]string{}
	for _, f := range z.File {
		name, fault := memberName(f)
		if fault != "" {
			return refused("the archive has a file %s: %s", quoted(f.Name), fault)
		}
		if strings.HasSuffix(f.Name, "/") || strings.HasSuffix(f.Name, `\`) {
			continue
		}
		if litter(name) {
			skipped = append(skipped, name)
			continue
		}
		if fault := method(f); fault != "" {
			return refused("%s in the archive is %s", quoted(name), fault)
		}
		if other, there := folded[strings.ToLower(name)]; there {
			return refused("the archive has %s and %s: give each file a name of its own", quoted(other), quoted(name))
		}
		folded[strings.ToLower(name)] = name
		packed += f.CompressedSize64
		total += f.UncompressedSize64
		if packed > uint64(a.p.stored.sizeOf(a.at)) || total > 1<<62 {
			return refused("the files of the archive overlap: it was not made by a usual program")
		}
		a.files[name] = f
		a.members = append(a.members, Member{Name: name, Size: int64(f.UncompressedSize64)})
	}
	if over := int64(total) - MaxExpansion*a.p.stored.Size; over > FreeExpansion {
		return tooLarge("the archive")
	}
	if len(a.members) == 0 {
		return &ingest.FileRefusal{Code: ingest.CodeEmptyFile, Message: "the archive is empty: there is no file in it"}
	}
	sort.Slice(a.members, func(i, j int) bool { return a.members[i].Name < a.members[j].Name })
	if len(skipped) > 0 {
		a.p.note(fmt.Sprintf("not read, as systems and editors leave such files: %s", someOf(skipped)))
	}
	return nil
}

// sizeOf is how long what an archive is read from is: the stored file, or what was decrypted of it.
func (s Stored) sizeOf(at readerAt) int64 {
	if spool, ok := at.(*spool); ok {
		return spool.size
	}
	return s.Size
}

// memberName is a member's path, cleaned, or why it is refused. What is not marked as UTF-8 and is none is of code page 437.
func memberName(f *zip.File) (name, fault string) {
	name = f.Name
	if !utf8.ValidString(name) {
		text, err := charmap.CodePage437.NewDecoder().String(name)
		if err != nil {
			return "", "its name cannot be read"
		}
		name = text
	}
	name = strings.ReplaceAll(name, `\`, "/")
	switch {
	case len(name) > maxName:
		return "", fmt.Sprintf("its path is longer than %d bytes", maxName)
	case strings.HasPrefix(name, "/") || len(name) > 1 && name[1] == ':':
		return "", "its path is absolute"
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError }):
		return "", "its name has control characters"
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return "", "its path leads out of the archive"
		}
	}
	if clean := path.Clean(name); clean != "." {
		return clean, ""
	}
	return "", "it has no name"
}

// litter tells files that systems and editors leave behind.
func litter(name string) bool {
	base := strings.ToLower(path.Base(name))
	return strings.HasPrefix(base, ".") || strings.HasPrefix(name, "__MACOSX/") || strings.HasPrefix(base, "~$") ||
		base == "thumbs.db" || base == "desktop.ini"
}

// method says why a member cannot be unpacked; empty where it can.
func method(f *zip.File) string {
	switch {
	case f.Flags&1 != 0 || f.Method == methodAES:
		return "protected by a password: send the archive without one, over SFTP or HTTPS, or encrypted with OpenPGP"
	case f.Method == zip.Store, f.Method == zip.Deflate, f.Method == methodBzip2, f.Method == zstd.ZipMethodWinZip:
		return ""
	case f.Method == methodDeflate64:
		return "compressed with Deflate64, as Windows does with files over 2 GB: send it as .gz or .zst, or make the archive with another program"
	}
	return fmt.Sprintf("compressed with method %d: make the archive with the usual one, Deflate", f.Method)
}

// text opens a member.
func (a *archive) text(member string) (*Text, error) {
	f := a.files[member]
	if f == nil {
		return nil, ingest.Errorf(ingest.Internal, "unpack.Text", "the archive has no file %q any more", member)
	}
	what := quoted(member) + " in the archive"
	body, err := f.Open()
	if err != nil {
		return nil, a.judge(what, err)
	}
	var before int64
	r, _ := a.at.(*ranges)
	if r != nil {
		before = r.read()
	}
	release := func() { _ = body.Close() } // it was only read
	in := bufio.NewReaderSize(&judged{body, func(err error) error { return a.judge(what, err) }}, readBuffer)
	head, err := in.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		release()
		return nil, err
	}
	k := kindOf(head)
	if k == zipped || k == encrypted || k == foreign {
		release()
		return nil, nested(what, k, head)
	}
	own := func() int64 { return MaxExpansion * int64(f.CompressedSize64) }
	name := a.p.stored.Name + "/" + member
	var out io.Reader = &guarded{what: what, name: name, decoder: in, own: own, budget: a.p.options.Budget}
	var give func()
	if k != plain {
		if out, give, err = uncompressed(what, name, k, in, nil, own, a.p.options.Budget); err != nil {
			release()
			return nil, err
		}
	}
	t := newText(out, nil, give, release)
	if r != nil {
		t.count = func() int64 { return r.read() - before }
	}
	return t, nil
}

// judge says whose fault an error is.
func (a *archive) judge(what string, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	if failed := a.at.failed(); failed != nil {
		return failed
	}
	return damaged(what, unexpected(err))
}

func (a *archive) close() { _ = a.at.Close() } // it was only read

// judged reads, and says whose fault an error is.
type judged struct {
	io.Reader
	judge func(error) error
}

// Read implements io.Reader.
func (j *judged) Read(p []byte) (int, error) {
	n, err := j.Reader.Read(p)
	return n, j.judge(err)
}

// quoted is a name as it is told to people.
func quoted(name string) string {
	return `"` + ingest.CutText(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return '?'
		}
		return r
	}, name), 100) + `"`
}

// someOf lists the first few names.
func someOf(names []string) string {
	const most = 5
	if n := len(names); n > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), n-most)
	}
	return strings.Join(names, ", ")
}
