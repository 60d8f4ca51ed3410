package sample

import (
	"bytes"
	"strconv"
)

// record is one row in the making: its values one behind the other, without quotes.
type record struct {
	buf      []byte
	ends     []int  // where each value ends in buf
	check    []bool // whether the value may need quotes
	raw      int    // column that is written as it is, for a misplaced quote; -1
	extra    string // a field too many
	newlines int64  // within the record as last written
	scratch  []byte
}

func newRecord(columns int) *record {
	return &record{ends: make([]int, 0, columns), check: make([]bool, 0, columns)}
}

func (r *record) begin() {
	r.buf, r.ends, r.check = r.buf[:0], r.ends[:0], r.check[:0]
	r.raw, r.extra = -1, ""
}

func (r *record) done(check bool) {
	r.ends = append(r.ends, len(r.buf))
	r.check = append(r.check, check)
}

// text adds a value of several pieces, which may hold anything.
func (r *record) text(pieces ...string) {
	for _, s := range pieces {
		r.buf = append(r.buf, s...)
	}
	r.done(true)
}

// word adds a value that needs no quotes.
func (r *record) word(s string) {
	r.buf = append(r.buf, s...)
	r.done(false)
}

func (r *record) none() { r.done(false) }

// id adds the ImportId of row i of the table.
func (r *record) id(t table, i int64) {
	r.buf = appendID(r.buf, t, i)
	r.done(false)
}

// numbered adds a prefix and a number of at least width digits.
func (r *record) numbered(prefix string, n int64, width int) {
	r.buf = append(r.buf, prefix...)
	r.buf = appendPadded(r.buf, n, width)
	r.done(false)
}

func (r *record) integer(n int64) {
	r.buf = strconv.AppendInt(r.buf, n, 10)
	r.done(false)
}

// cents adds an amount given in hundredths.
func (r *record) cents(n int64) {
	r.buf = appendCents(r.buf, n)
	r.done(false)
}

// tenths adds a number given in tenths.
func (r *record) tenths(n int64) {
	r.buf = strconv.AppendInt(r.buf, n/10, 10)
	r.buf = append(r.buf, '.', byte('0'+n%10))
	r.done(false)
}

func (r *record) yes(b bool) {
	if b {
		r.word("true")
	} else {
		r.word("false")
	}
}

// date adds a day, counted from 1970-01-01.
func (r *record) date(day int64) {
	r.buf = appendDate(r.buf, day)
	r.done(false)
}

// stamp adds an instant in UTC.
func (r *record) stamp(day, second int64) {
	r.buf = appendDate(r.buf, day)
	r.buf = append(r.buf, 'T')
	r.buf = appendPadded(r.buf, second/3600, 2)
	r.buf = append(r.buf, ':')
	r.buf = appendPadded(r.buf, second/60%60, 2)
	r.buf = append(r.buf, ':')
	r.buf = appendPadded(r.buf, second%60, 2)
	r.buf = append(r.buf, 'Z')
	r.done(false)
}

// value returns the value of a column.
func (r *record) value(column int) []byte {
	start := 0
	if column > 0 {
		start = r.ends[column-1]
	}
	return r.buf[start:r.ends[column]]
}

// replace puts another value in a column.
func (r *record) replace(column int, value string) {
	start := 0
	if column > 0 {
		start = r.ends[column-1]
	}
	end := r.ends[column]
	r.scratch = append(r.scratch[:0], r.buf[end:]...)
	r.buf = append(append(r.buf[:start], value...), r.scratch...)
	for i, shift := column, len(value)-(end-start); i < len(r.ends); i++ {
		r.ends[i] += shift
	}
	r.check[column] = true
}

// appendCSV writes the record as RFC 4180 has it, with LF line ends, and counts the line ends within its values.
func (r *record) appendCSV(out []byte) []byte {
	r.newlines = 0
	start := 0
	for i, end := range r.ends {
		if i > 0 {
			out = append(out, ',')
		}
		value := r.buf[start:end]
		start = end
		if !r.check[i] || i == r.raw || !needsQuotes(value) {
			out = append(out, value...)
			continue
		}
		r.newlines += int64(bytes.Count(value, []byte{'\n'}))
		out = append(out, '"')
		for {
			at := bytes.IndexByte(value, '"')
			if at < 0 {
				break
			}
			out = append(append(out, value[:at+1]...), '"')
			value = value[at+1:]
		}
		out = append(append(out, value...), '"')
	}
	if r.extra != "" {
		out = append(append(out, ','), r.extra...)
	}
	return append(out, '\n')
}

func needsQuotes(value []byte) bool {
	for _, c := range value {
		if c == ',' || c == '"' || c == '\n' || c == '\r' {
			return true
		}
	}
	return false
}

// appendPadded writes n, which is not negative, with leading zeros up to width digits.
func appendPadded(b []byte, n int64, width int) []byte {
	for range width - digits(n) {
		b = append(b, '0')
	}
	return strconv.AppendInt(b, n, 10)
}

func digits(n int64) int {
	d := 1
	for n >= 10 {
		n /= 10
		d++
	}
	return d
}

func appendCents(b []byte, n int64) []byte {
	if n < 0 {
		b = append(b, '-')
		n = -n
	}
	b = strconv.AppendInt(b, n/100, 10)
	return append(b, '.', byte('0'+n/10%10), byte('0'+n%10))
}

// appendDate writes a day as yyyy-mm-dd (Howard Hinnant's civil_from_days, for years 1970 and later).
func appendDate(b []byte, day int64) []byte {
	z := day + 719468
	era := z / 146097
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d := doy - (153*mp+2)/5 + 1
	m, y := mp+3, yoe+era*400
	if m > 12 {
		m, y = m-12, y+1
	}
	return append(b,
		byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10), '-',
		byte('0'+m/10), byte('0'+m%10), '-', byte('0'+d/10), byte('0'+d%10))
}
