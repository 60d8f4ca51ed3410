package detect

import "bytes"

// style is one way in which a text may be written.
type style struct {
	delimiter string
	quote     byte // 0: nothing quotes
	escape    byte // 0: quotes are doubled
}

// table is the beginning of a text, split as a style has it. Cells are parts of the text.
type table struct {
	records []record
	faults  int // quotes in the wrong place
	opened  int // of them, those with which a field begins
	quoted  int // fields between quotes
	room    [][]byte
	escaped int // quotes within that are escaped by the style's escape character
}

// record is one record of a text.
type record struct {
	cells    [][]byte
	start    int // of its first byte
	newlines int // lines that it has
	quoted   bool
	blank    bool
}

// maxCells bounds the cells of a record that are looked at; more are counted.
const maxCells = 5000

// split splits the text. What is not whole at its end is left out, unless the text is all there is.
func split(text []byte, s style, whole bool, most int) table {
	var t table
	at := 0
	for at < len(text) && len(t.records) < most {
		r, next, ended := t.record(text, at, s)
		if !ended && !whole {
			break
		}
		if n := len(t.room) + len(r.cells); n <= cap(t.room) {
			t.room = t.room[:n] // where the record's cells are, unless they were too many
		}
		r.cells = r.cells[:len(r.cells):len(r.cells)]
		t.records = append(t.records, r)
		at = next
	}
	return t
}

// record splits the record at start. ended tells that its line end is there.
func (t *table) record(text []byte, start int, s style) (r record, next int, ended bool) {
	r.start = start
	first := s.delimiter[0]
	field, i := start, start
	for {
		if s.quote != 0 && i < len(text) && text[i] == s.quote && len(bytes.TrimLeft(text[field:i], " ")) == 0 {
			open := i
			end, lines, ok := t.quotedEnd(text, i, s)
			if !ok {
				t.faults++
				t.opened++
				field, i = i, i+1
				for i < len(text) && text[i] != first && text[i] != '\n' && text[i] != '\r' {
					i++ // the rest is read as if the quote were text
				}
				if i == len(text) || text[i] != first {
					return t.last(r, text, field, i)
				}
				continue
			}
			r.quoted = true
			t.quoted++
			r.newlines += lines
			r.add(t, text[i+1:end])
			i = end + 1
			for i < len(text) && text[i] != first && (text[i] == ' ' || text[i] == '\t') {
				i++
			}
			switch {
			case i == len(text):
				return r, i, false
			case bytes.HasPrefix(text[i:], []byte(s.delimiter)):
				i += len(s.delimiter)
				field = i
				continue
			case text[i] == '\n' || text[i] == '\r':
				r.newlines++
				return r, i + lineEnd(text[i:]), true
			}
			t.faults++ // text after the closing quote
			t.opened++
			r.cells = r.cells[:len(r.cells)-1]
			field = open
		}
		j := i
		for j < len(text) && text[j] != first && text[j] != '\n' && text[j] != '\r' && (s.escape == 0 || text[j] != s.escape) {
			if s.quote != 0 && text[j] == s.quote && j > field {
				t.faults++
			}
			j++
		}
		switch {
		case j == len(text), text[j] == '\n', text[j] == '\r':
			return t.last(r, text, field, j)
		case s.escape != 0 && text[j] == s.escape && s.escape != first:
			if j+1 < len(text) && (text[j+1] == s.quote && s.quote != 0 || bytes.HasPrefix(text[j+1:], []byte(s.delimiter))) {
				t.escaped++
			}
			i = min(j+2, len(text))
		case bytes.HasPrefix(text[j:], []byte(s.delimiter)):
			r.add(t, text[field:j])
			i = j + len(s.delimiter)
			field = i
		default:
			i = j + 1
		}
	}
}

// last adds the field that ends with the record, before the line end or the end of the text at i.
func (t *table) last(r record, text []byte, field, i int) (record, int, bool) {
	r.add(t, text[field:i])
	r.blank = r.isBlank()
	if i == len(text) {
		return r, i, false
	}
	r.newlines++
	return r, i + lineEnd(text[i:]), true
}

// quotedEnd finds the quote that closes the field whose opening quote is at open.
func (t *table) quotedEnd(text []byte, open int, s style) (end, lines int, ok bool) {
	for i := open + 1; i < len(text); i++ {
		switch c := text[i]; {
		case s.escape != 0 && c == s.escape && i+1 < len(text):
			if text[i+1] == s.quote {
				t.escaped++
			}
			i++
		case c == s.quote:
			if i+1 < len(text) && text[i+1] == s.quote && s.escape == 0 {
				i++
				continue
			}
			return i, lines, true
		case c == '\n':
			lines++
		}
	}
	return 0, 0, false
}

func (r *record) add(t *table, cell []byte) {
	if len(r.cells) == maxCells {
		return
	}
	if r.cells == nil && cap(t.room)-len(t.room) < 64 {
		t.room = make([][]byte, 0, 4096)
	}
	if r.cells == nil {
		r.cells = t.room[len(t.room):]
	}
	r.cells = append(r.cells, cell)
}

func (r *record) isBlank() bool { return len(r.cells) == 1 && len(bytes.TrimSpace(r.cells[0])) == 0 }

func lineEnd(b []byte) int {
	if len(b) > 1 && b[0] == '\r' && b[1] == '\n' {
		return 2
	}
	return 1
}
