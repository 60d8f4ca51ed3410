// Package detect finds out how a text file is written: its encoding, its delimiter, how it quotes and escapes, where its header is,
// and what stands above its table. It decides by the beginning of the file alone and imports nothing of ours. What it finds is told in
// notes for people; what a mapping says is not in question.
package detect

import (
	"bytes"
	"fmt"
)

// HeadBytes is how much of a file is looked at, at most.
const HeadBytes = 1 << 20

// Setting is what is known already, of a mapping. A zero field is unknown.
type Setting struct {
	Encoding  string // where neither a mark nor valid UTF-8 says otherwise
	Delimiter string
	Quote     string // one character, or "none": nothing quotes
	Escape    string // "\\", or "\"" for doubled quotes
	Header    *bool
	SkipLines *int
	// IsName reports whether a cell is the name of a column that the file may have; nil: nothing is known of names.
	IsName func(cell []byte) bool
}

// Dialect is how a text is written.
type Dialect struct {
	Delimiter string // one or several bytes
	Quote     byte   // 0: nothing quotes
	Escape    byte   // 0: a quote within quotes is doubled
	LineEnd   string // "\n", "\r\n" or "\r": the first
	SkipLines int    // above the header, or above the first record where there is none
	Header    bool
	Columns   int // of most records
	// Notes say for people what was found that is not plain (commas, double quotes, a header in the first line), and what is in doubt.
	Notes []string
}

// Look decides how the text is written that begins with head, in UTF-8 or a superset of ASCII and without a byte order mark. whole
// tells that head is all of it.
func Look(head []byte, whole bool, set Setting) Dialect {
	d := Dialect{Delimiter: ",", Quote: '"', LineEnd: "\n", Header: true}
	body := head
	if rest, delimiter := separatorLine(head); delimiter != "" && set.SkipLines == nil {
		body, d.SkipLines = rest, 1
		if set.Delimiter == "" {
			set.Delimiter = delimiter
		}
	}
	if set.SkipLines != nil {
		body, d.SkipLines = skip(head, *set.SkipLines), *set.SkipLines
	}
	s, t, sure := choose(body, whole, set)
	d.Delimiter, d.Quote, d.Escape, d.LineEnd = s.delimiter, s.quote, s.escape, firstEnd(head)
	if s.escape != 0 && t.escaped == 0 && set.Escape == "" {
		d.Escape = 0
	}
	if s.quote == 0 && t.quoted == 0 && set.Quote == "" && bytes.IndexByte(body, '"') < 0 {
		d.Quote = '"' // nothing needs it so far
	}
	d.Columns, _ = t.usual()
	d.findHeader(&t, set)
	d.tell(set, sure)
	return d
}

// separatorLine is what follows Excel's line that names the delimiter, "sep=;".
func separatorLine(head []byte) (rest []byte, delimiter string) {
	end := bytes.IndexAny(head, "\r\n")
	if end < 5 || end > 8 {
		return head, ""
	}
	line := head[:end]
	if line[0] == '"' && line[end-1] == '"' {
		line = line[1 : end-1]
	}
	if len(line) < 5 || !bytes.EqualFold(line[:4], []byte("sep=")) {
		return head, ""
	}
	return head[end+lineEnd(head[end:]):], string(line[4:])
}

func skip(text []byte, lines int) []byte {
	for range lines {
		end := bytes.IndexAny(text, "\r\n")
		if end < 0 {
			return nil
		}
		text = text[end+lineEnd(text[end:]):]
	}
	return text
}

func firstEnd(text []byte) string {
	i := bytes.IndexAny(text, "\r\n")
	if i < 0 {
		return "\n"
	}
	return string(text[i : i+lineEnd(text[i:])])
}

// tell writes the notes.
func (d *Dialect) tell(set Setting, sure bool) {
	if set.Delimiter == "" && d.Delimiter != "," && d.Columns > 1 {
		d.note("fields are separated by %s", spoken(d.Delimiter))
		if !sure {
			d.note("it is not certain what separates fields: if this is wrong, set delimiter in the mapping")
		}
	}
	if set.Quote == "" {
		switch {
		case d.Quote == 0:
			d.note("nothing quotes: quotes are part of the text")
		case d.Quote != '"':
			d.note("fields are quoted with %c", d.Quote)
		}
	}
	if set.Escape == "" && d.Escape != 0 {
		d.note("%c escapes the character after it", d.Escape)
	}
	if d.LineEnd == "\r" {
		d.note("lines end in carriage returns")
	}
}

func (d *Dialect) note(format string, args ...any) {
	d.Notes = append(d.Notes, fmt.Sprintf(format, args...))
}

// spoken is a delimiter as people call it.
func spoken(delimiter string) string {
	switch delimiter {
	case ",":
		return "commas"
	case ";":
		return "semicolons"
	case "\t":
		return "tabs"
	case "|":
		return "pipes (|)"
	case "^":
		return "carets (^)"
	case ":":
		return "colons"
	case " ":
		return "spaces"
	}
	return fmt.Sprintf("%q", delimiter)
}
