package mapping

import (
	"bytes"
	"fmt"
	"strings"
)

// Records that are no rows: a header that comes again, as in exports that were put one behind the other, and what stands below a
// table. They are left out and told of; what is not evidently such is read as a row, and refused where it does not fit.

const (
	// footerBytes is how near the end of the file something must be to be taken for a footer.
	footerBytes = 4 << 10
	// maxAsides is how many lines that were left out are named.
	maxAsides = 5
)

// asides counts what was left out.
type asides struct {
	header  []byte // as it was written, without its line end
	headers int64
	keep    bool // nothing is left out: the mapping says so
	footers []string
	more    int // footers that are not named
}

// isAside reports whether the present record is no row, and takes note of it. For nearly every record it looks at its length and its
// first byte only.
func (r *Reader) isAside() bool {
	b := r.scan.bytes()
	if r.scan.exact || r.asides.keep || len(b) == 0 {
		return false // of a database: all it gives are rows
	}
	a := &r.asides
	if n := len(b) - len(a.header); n >= 0 && n <= 5 && len(a.header) > 0 && bytes.Equal(withoutEnds(b), a.header) {
		a.headers++
		return true
	}
	if !mayBeginFooter(b) && r.scan.count == r.plan.width || r.plan.width < 2 {
		return false
	}
	kind := r.footer()
	if kind == "" || !r.isNearEnd() {
		return false
	}
	if len(a.footers) == maxAsides {
		a.more++
		return true
	}
	a.footers = append(a.footers, fmt.Sprintf("line %d is %s and left out: %q", r.scan.line, kind, printable(bytes.TrimSpace(r.scan.bytes()), 100)))
	return true
}

// withoutEnds is a record without its line end and without the byte order mark of a file that was put behind another.
func withoutEnds(b []byte) []byte {
	return bytes.TrimPrefix(bytes.TrimRight(b, "\r\n"), []byte("\uFEFF"))
}

// mayBeginFooter tells by its first byte a record that may be a total or a note.
func mayBeginFooter(b []byte) bool {
	switch c := b[0]; c {
	case 'T', 't', 'G', 'g', 'S', 's', '"', '\'', ',', ';', '\t', '|', unitSeparator, ' ', '(', '-', '=', '*':
		return true
	}
	return false
}

// footer says what of a table's foot the present record is: a total, or a note of one cell. Empty: neither.
func (r *Reader) footer() string {
	s := r.scan
	text := s.bytes()
	var first []byte
	numbers, empty, others, at := 0, 0, 0, 0
	for i, f := range s.fields[:min(s.count, len(s.fields))] {
		cell := bytes.TrimSpace(text[f.start:f.end])
		switch {
		case len(cell) == 0:
			empty++
		case first == nil:
			first, at = cell, i
		case isFigure(cell):
			numbers++
		default:
			others++
		}
	}
	if first == nil || others > 0 || len(first) > 200 {
		return ""
	}
	word := strings.ToLower(strings.Trim(string(first), " .:*-=#\"'"))
	switch word {
	case "total", "totals", "grand total", "sub total", "subtotal", "sum", "summe", "gesamt", "gesamtsumme", "totale", "totaal", "summa", "sums":
		if numbers > 0 && (empty > 0 || s.count < r.plan.width) {
			return "a total"
		}
	}
	if numbers > 0 && !strings.HasPrefix(word, "total") && !strings.HasPrefix(word, "grand total") || numbers > 1 {
		return ""
	}
	if s.count > 1 && s.count == r.plan.width && (empty == 0 || at > 0) {
		return "" // a note stands at the left
	}
	if isNote(word, string(first)) {
		return "a note below the table"
	}
	return ""
}

// isFigure tells a number as totals have it.
func isFigure(cell []byte) bool {
	digits := 0
	for _, c := range cell {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c >= 0x80 || strings.IndexByte(" .,-+()%$'", c) >= 0: // a currency's sign may be any character
		default:
			return false
		}
	}
	return digits > 0
}

// isNote tells what programs write below a table: how many rows it has, when and by whom it was made, and that it ends.
func isNote(word, whole string) bool {
	for _, begin := range []string{
		"end of ", "eof", "generated ", "report generated", "printed ", "report printed", "exported ", "created ", "page ", "total rows", "total records",
		"total number of", "record count", "row count", "number of ", "rows: ", "records: ", "trailer", "copyright", "©", "confidential", "total count",
	} {
		if strings.HasPrefix(word, begin) || word == strings.TrimSpace(begin) {
			return true
		}
	}
	if word == "" || word == "end" || word == "end of file" {
		return len(whole) > 2 // a line of dashes or stars
	}
	for _, end := range []string{"row(s) affected", "rows affected", "rows selected", "row(s)", "rows", "records", "rows)", "records)", "rows in set", "rows affected)", "row(s) affected)"} {
		if before, ok := strings.CutSuffix(word, end); ok && isFigure([]byte(strings.Trim(before, "( "))) {
			return true
		}
	}
	return false
}

// isNearEnd reports whether hardly anything follows the present record.
func (r *Reader) isNearEnd() bool {
	s := r.scan
	for {
		if s.end-s.start-s.length > footerBytes {
			return false
		}
		if s.eof || !s.more() {
			return s.eof
		}
	}
}

// told are the notes on what was left out.
func (a *asides) told() []string {
	var notes []string
	switch {
	case a.headers == 1:
		notes = append(notes, "the header comes again once and is left out")
	case a.headers > 1:
		notes = append(notes, fmt.Sprintf("the header comes again %d times and is left out", a.headers))
	}
	notes = append(notes, a.footers...)
	if a.more > 0 {
		notes = append(notes, counted(int64(a.more), "more line below the table is left out", "more lines below the table are left out"))
	}
	return notes
}
