package unpack

import (
	"bytes"
	"errors"
	"io"
	"strconv"
)

// A sheet's size, by Excel's specification. Cells outside of it do not exist.
const (
	maxSheetRows    = 1 << 20
	maxSheetColumns = 1 << 14
	sheetChunk      = 64 << 10 // of CSV that is made at a time
)

// sheetText is a sheet as CSV: lines are the sheet's rows, so that a line's number is the row's wherever no cell before it has a line
// end. Rows without content are blank lines.
type sheetText struct {
	book *workbook
	name string
	m    *markup
	out  []byte
	at   int
	err  error

	row, written int // of the sheet, from 1
	width        int // of the first row that has something in it
	fields       []field
	arena        []byte
}

// field is a cell's text in the arena; start and end are equal where it has none.
type field struct{ start, end int }

func newSheetText(b *workbook, s sheet, r io.Reader) *sheetText {
	return &sheetText{book: b, name: s.file.Name, m: newMarkup(r)}
}

// Read implements io.Reader.
func (s *sheetText) Read(p []byte) (int, error) {
	for s.at == len(s.out) {
		if s.err != nil {
			return 0, s.err
		}
		s.out, s.at = s.out[:0], 0
		for len(s.out) < sheetChunk && s.err == nil {
			s.err = s.book.judge(s.name, s.nextRow())
		}
	}
	n := copy(p, s.out[s.at:])
	s.at += n
	return n, nil
}

// nextRow reads the next row that has something in it and writes it. io.EOF at the end.
func (s *sheetText) nextRow() error {
	for {
		if err := s.m.next(); err != nil {
			return err
		}
		if s.m.end && s.m.is("sheetData") {
			return io.EOF
		}
		if !s.m.is("row") || s.m.end {
			continue
		}
		s.row++
		if r := s.m.attribute("r"); r != nil {
			n, err := strconv.Atoi(string(r))
			if err != nil || n < s.row || n > maxSheetRows {
				return errMarkup
			}
			s.row = n
		}
		if s.row > maxSheetRows {
			return errMarkup
		}
		if s.m.empty {
			continue
		}
		if err := s.readRow(); err != nil {
			return err
		}
		if s.hasContent() {
			s.write()
			return nil
		}
	}
}

func (s *sheetText) hasContent() bool {
	for _, f := range s.fields {
		if len(bytes.TrimSpace(s.arena[f.start:f.end])) > 0 {
			return true
		}
	}
	return false
}

// readRow reads the cells of a row.
func (s *sheetText) readRow() error {
	s.fields, s.arena = s.fields[:0], s.arena[:0]
	for {
		if err := s.m.next(); err != nil {
			return noEnd(err)
		}
		switch {
		case s.m.is("row"):
			return nil
		case s.m.is("c") && !s.m.end:
			if err := s.readCell(); err != nil {
				return err
			}
		}
	}
}

// column is the place of a cell, from 0, by the letters of its reference.
func column(reference []byte) int {
	n := 0
	for _, c := range reference {
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		if c < 'A' || c > 'Z' {
			break
		}
		if n = n*26 + int(c-'A') + 1; n > maxSheetColumns {
			return -1
		}
	}
	return n - 1
}

func (s *sheetText) readCell() error {
	at := len(s.fields)
	if r := s.m.attribute("r"); r != nil {
		n := column(r)
		if n < at {
			return errMarkup
		}
		at = n
	}
	if at >= maxSheetColumns {
		return errMarkup
	}
	var cell struct {
		kind  byte
		style int
	}
	if t := s.m.attribute("t"); len(t) > 0 {
		cell.kind = t[0]
		if string(t) == "str" || string(t) == "inlineStr" {
			cell.kind = 'i'
		}
	}
	cell.style, _ = strconv.Atoi(string(s.m.attribute("s")))
	start := len(s.arena)
	for len(s.fields) < at {
		s.fields = append(s.fields, field{start, start})
	}
	s.m.text = s.m.text[:0]
	if !s.m.empty {
		if err := s.cellText(); err != nil {
			return err
		}
	}
	if len(s.m.text) > 0 {
		if err := s.convert(cell.kind, cell.style); err != nil {
			return err
		}
	}
	s.fields = append(s.fields, field{start, len(s.arena)})
	return nil
}

// cellText reads a cell's value: that of <v>, or the runs of inline text. What is read aloud (<rPh>) is not shown, nor are formulas.
func (s *sheetText) cellText() error {
	aloud := false
	for {
		if err := s.m.next(); err != nil {
			return noEnd(err)
		}
		switch {
		case s.m.is("c") && s.m.end:
			return nil
		case s.m.is("rPh"):
			aloud = !s.m.end && !s.m.empty
		case (s.m.is("v") || s.m.is("t") && !aloud) && !s.m.end && !s.m.empty:
			if err := s.m.textTo(); err != nil {
				return err
			}
		}
	}
}

// convert appends the cell's value as text.
func (s *sheetText) convert(kind byte, style int) error {
	text := unescape(s.m.text)
	switch kind {
	case 's':
		n, err := strconv.Atoi(string(bytes.TrimSpace(text)))
		if err != nil {
			return errMarkup
		}
		s.arena, err = s.book.texts.append(s.arena, n)
		return err
	case 'b':
		value := "FALSE"
		if string(text) == "1" || string(text) == "true" {
			value = "TRUE"
		}
		s.arena = append(s.arena, value...)
	case 0, 'n':
		format := formatNumber
		if style >= 0 && style < len(s.book.formats) {
			format = s.book.formats[style]
		}
		s.arena = appendNumber(s.arena, bytes.TrimSpace(text), format, s.book.from)
	default: // text, an error's name, or a date in ISO 8601
		s.arena = append(s.arena, text...)
	}
	return nil
}

// write writes the row as CSV, and a blank line for each row that was left out before it. It is as wide as the first, or as it is.
func (s *sheetText) write() {
	for s.written++; s.written < s.row; s.written++ {
		s.out = append(s.out, '\n')
	}
	last := len(s.fields)
	for last > 0 && s.fields[last-1].start == s.fields[last-1].end {
		last--
	}
	if s.width == 0 {
		s.width = last
	}
	for i := range max(last, s.width) {
		if i > 0 {
			s.out = append(s.out, ',')
		}
		if i < last {
			f := s.fields[i]
			s.out = appendField(s.out, s.arena[f.start:f.end])
		}
	}
	s.out = append(s.out, '\n')
}

// appendField writes a field as RFC 4180 has it.
func appendField(out, text []byte) []byte {
	if len(text) > 0 && !bytes.ContainsAny(text, ",\"\r\n") && text[0] != ' ' && text[len(text)-1] != ' ' {
		return append(out, text...)
	}
	if len(text) == 0 {
		return out
	}
	out = append(out, '"')
	for _, c := range text {
		if c == '"' {
			out = append(out, '"')
		}
		out = append(out, c)
	}
	return append(out, '"')
}

// isFilled reports whether a sheet has anything in it.
func (b *workbook) isFilled(s sheet) (bool, error) {
	body, err := b.open(s.file)
	if err != nil {
		return false, err
	}
	defer body.Close() //nolint:errcheck // it was only read
	m := newMarkup(body)
	for {
		err := m.next()
		switch {
		case errors.Is(err, io.EOF):
			return false, nil
		case err != nil:
			return false, b.judge(s.file.Name, err)
		case m.is("sheetData") && m.end:
			return false, nil
		case (m.is("v") || m.is("t")) && !m.end && !m.empty:
			return true, nil
		}
	}
}
