package mapping

import (
	"bytes"
	"errors"
	"io"

	"dropline/ingest"
	"dropline/mapping/detect"
	"dropline/schema"
)

// look finds out how the file is written, as far as the mapping does not say, and sets up the scanner. It reads at most
// detect.HeadBytes before.
func (r *Reader) look(rule *rule, exact bool) (*dialect, error) {
	d := defaultDialect()
	if rule != nil {
		d = rule.dialect
	}
	if exact {
		d.encoding, d.delimiter, d.quote, d.escape = defaultDialect().encoding, ",", '"', 0
		d.given.encoding, d.given.delimiter, d.given.quote, d.given.escape = true, true, true, true
	}
	head, whole, err := readHead(r.bytes)
	if err != nil {
		return nil, err
	}
	if kind := notText(head); kind != "" && !exact {
		return nil, unreadable("the file is %s, not CSV: send it as CSV", kind)
	}
	found := r.lookEncoding(&d, head, whole)
	source := io.MultiReader(bytes.NewReader(head[found.Mark:]), r.bytes)
	text := head[found.Mark:]
	var size func([]byte) int64
	switch e := d.encoding; {
	case e.utf16:
		source, size = &utf16Source{source: source, big: e.big}, utf16Size
	case e.several != nil:
		source, size = newSeveralSource(source, e.several), severalSize(e.several)
	case found.ASCII && !whole && !exact:
		source = r.decideLate(source, &d)
	}
	if size != nil {
		if text, whole, err = readHead(source); err != nil {
			return nil, err
		}
		source = io.MultiReader(bytes.NewReader(text), source)
	}
	r.lookDialect(&d, rule, text, whole)
	r.head, r.whole = text, whole
	r.charset = d.encoding.charset
	delimiter := d.delimiter[0]
	if len(d.delimiter) > 1 || d.escape != 0 {
		source = &translator{source: source, delimiter: []byte(d.delimiter), quote: d.quote, escape: d.escape}
		delimiter, r.escape = unitSeparator, d.escape
	}
	limit := r.mapper.options.MaxRecordBytes
	if d.header {
		limit = maxHeaderBytes
	}
	r.scan = newScanner(source, delimiter, d.quote, limit, maxColumns+1)
	r.scan.sizeOf, r.scan.offset = size, int64(found.Mark)
	for range d.skipLines {
		r.scan.skipLine()
	}
	return &d, nil
}

// readHead reads what a file is judged by; whole tells that there is no more. What came with an error of the source is not used.
func readHead(r io.Reader) (head []byte, whole bool, err error) {
	head = make([]byte, 0, firstBuffer)
	for empty := 0; len(head) < detect.HeadBytes; {
		if len(head) == cap(head) {
			head = append(head, 0)[:len(head)]
		}
		n, err := r.Read(head[len(head):min(cap(head), detect.HeadBytes)])
		head = head[:len(head)+n]
		if errors.Is(err, io.EOF) {
			return head, true, nil
		}
		if err != nil {
			return nil, false, err
		}
		if n > 0 {
			empty = 0
		} else if empty++; empty == emptyReads {
			return nil, false, io.ErrNoProgress
		}
	}
	return head, false, nil
}

func (r *Reader) lookEncoding(d *dialect, head []byte, whole bool) detect.Encoding {
	set := ""
	if d.given.encoding {
		set = d.encoding.name
	}
	found := detect.LookEncoding(head, whole, set)
	if found.Name != set {
		d.encoding, _ = encodingNamed(found.Name)
	}
	r.notes = append(r.notes, found.Notes...)
	return found
}

// lookDialect fills in what the mapping does not say of how the file is written.
func (r *Reader) lookDialect(d *dialect, rule *rule, text []byte, whole bool) {
	g := d.given
	if g.delimiter && g.quote && g.escape && g.header && g.skipLines {
		return
	}
	set := detect.Setting{IsName: r.isName(rule)}
	if g.delimiter {
		set.Delimiter = d.delimiter
	}
	if g.quote {
		if set.Quote = "none"; d.quote != '\n' {
			set.Quote = string(d.quote)
		}
	}
	if g.escape {
		if set.Escape = `"`; d.escape != 0 {
			set.Escape = string(d.escape)
		}
	}
	if g.skipLines {
		set.SkipLines = &d.skipLines
	}
	if g.header || rule != nil && len(rule.columns) > 0 {
		set.Header = &d.header
	}
	found := detect.Look(text, whole, set)
	d.delimiter, d.header, d.skipLines = found.Delimiter, found.Header, found.SkipLines
	if !g.quote {
		if d.quote = found.Quote; d.quote == 0 {
			d.quote = '\n'
		}
	}
	if !g.escape {
		d.escape = found.Escape
	}
	r.notes = append(r.notes, found.Notes...)
}

// isName tells the names of columns that the file may have: those of its table, and those that the mapping takes from it.
func (r *Reader) isName(rule *rule) func([]byte) bool {
	if r.table == nil {
		return r.names
	}
	names := map[string]bool{}
	for _, c := range r.table.Columns {
		for _, name := range c.MatchNames() {
			names[name] = true
		}
	}
	if rule != nil {
		for _, c := range rule.columns {
			for _, h := range c.headers {
				names[schema.NormalizeName(h)] = true
			}
		}
	}
	delete(names, "")
	return func(cell []byte) bool {
		const longest = 200
		return len(cell) <= longest && names[schema.NormalizeName(string(cell))]
	}
}

// noHeader refuses a file whose first line is no header, where no mapping says what its fields are.
func noHeader() *ingest.FileRefusal {
	return &ingest.FileRefusal{
		Code: ingest.CodeMissingColumn,
		Message: "the file has no header: its first line has values as the others do. Send it with a line of names, or say in the mapping " +
			"what its fields are, with header: false and their numbers",
	}
}
