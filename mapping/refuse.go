package mapping

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"dropline/ingest"
)

// fault takes in that a value is refused.
func (r *Reader) fault(in *input, code string, raw, text []byte) {
	if code != ingest.CodeRequired {
		if _, ok := textLength(text); !ok {
			code = ingest.CodeInvalidText // whatever else it is
		}
	}
	r.faultWith(in, code, describe(&in.target, code, text), raw)
}

// faultWith is fault with a message of its own.
func (r *Reader) faultWith(in *input, code, message string, raw []byte) {
	if r.refused {
		r.others = append(r.others, in.column.Name+": "+message)
		return
	}
	r.start(code, message)
	r.reject.Column, r.reject.Header = in.column.Name, in.header
	r.reject.Value = printable(raw, ingest.MaxRejectValue)
}

// start begins the reject of the present record.
func (r *Reader) start(code, message string) {
	r.refused = true
	r.others = r.others[:0]
	r.reject = ingest.Reject{
		Table: r.table.Name, Record: r.row.Record, Line: r.row.Line, Code: code, Message: message,
		Offset: r.row.Offset, Length: r.scan.size,
	}
}

// finishReject names what else is wrong, and the record's key where it is valid.
func (r *Reader) finishReject() {
	const most = 10
	if n := len(r.others); n > most {
		r.others = append(r.others[:most], fmt.Sprintf("and %d more", n-most))
	}
	if len(r.others) > 0 {
		r.reject.Message += "; also " + strings.Join(r.others, "; ")
	}
	if key := &r.row.Values[r.table.Key.Index]; !key.Null {
		r.reject.ImportID = string(key.Text)
	}
}

// refuseRecord refuses what could not be split into fields.
func (r *Reader) refuseRecord(o outcome) {
	r.clear()
	s, text := r.scan, r.scan.bytes()
	switch o {
	case scannedUnclosed:
		r.start(ingest.CodeQuote, fmt.Sprintf("the quote in line %d is not closed where its field ends: double it if it belongs to the text, or remove it",
			s.line+max(s.lines-1, 0)))
	case scannedTooLong:
		text = s.head
		why := "is a line end or a closing quote missing?"
		if s.exact {
			why = "let a query of the mapping's database shorten its long texts, or leave them out"
		}
		r.start(ingest.CodeRecordTooLong, fmt.Sprintf("the record has %d bytes, more than %d: %s", s.size, s.limit, why))
	default:
		r.start(ingest.CodeQuote, "a quote is in the wrong place: put the whole field between quotes and double those within, or remove it")
	}
	if r.charset != nil {
		text = r.charset.decode(nil, text)
	}
	r.reject.Value = printable(bytes.TrimRight(text, "\r\n"), ingest.MaxRejectValue)
}

// refuseCount refuses a record of too few or too many fields. Its first field can still be told, and with it the key where
// it stands first.
func (r *Reader) refuseCount() {
	r.clear()
	s := r.scan
	hint := "a separator is missing, or a line end is within a field that is not between quotes; where fields at the end may be missing, set " +
		"ragged: fill in the mapping"
	switch {
	case s.count > r.plan.width:
		hint = "put fields with a separator in them between quotes"
	case s.count == 1 && s.fields[0].quoted:
		hint = "put each field between quotes, not the whole record"
	}
	fields := "fields"
	if s.count == 1 {
		fields = "field"
	}
	r.start(ingest.CodeFieldCount, fmt.Sprintf("the record has %d %s, the header has %d: %s", s.count, fields, r.plan.width, hint))
	text := bytes.TrimRight(s.bytes(), "\r\n")
	if r.charset != nil {
		text = r.charset.decode(nil, text)
	}
	r.reject.Value = printable(text, ingest.MaxRejectValue)
	in := &r.plan.inputs[r.table.Key.Index]
	if in.plain && in.fields[0] == 0 && 2*s.count > r.plan.width { // and not a fragment of another record
		v := &r.row.Values[r.table.Key.Index]
		raw := r.text(s.bytes(), &s.fields[0], &r.convert.arena)
		key := trimSpace(raw)
		if len(key) > 0 && r.convert.convert(&in.target, key, v) == "" {
			v.Null, v.Raw = false, raw
		}
	}
	r.finishReject()
}

// clear empties the row.
func (r *Reader) clear() {
	copy(r.row.Values, r.blank)
}

// printable is text as it may be stored and shown: valid UTF-8 without NUL, at most so many bytes, cut at a character.
func printable(text []byte, most int) string {
	if len(text) > most {
		text = text[:most]
		for i := 1; i < utf8.UTFMax && i < len(text); i++ { // a character that was cut in two
			if c := text[len(text)-i]; utf8.RuneStart(c) {
				if !utf8.FullRune(text[len(text)-i:]) {
					text = text[:len(text)-i]
				}
				break
			}
		}
	}
	if n, ok := textLength(text); ok && n >= 0 {
		return string(text)
	}
	s := strings.ToValidUTF8(string(text), "\uFFFD")
	s = strings.ReplaceAll(s, "\x00", "\u2400")
	for len(s) > most { // a replacement is longer than what it stands for
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}
