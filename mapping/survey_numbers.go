package mapping

import (
	"unicode/utf8"
)

// number takes in a value of a column of numbers.
func (c *observed) number(text []byte, line int64) {
	if isPlainDecimal(text, maxFactorDigits, maxFactorDigits) {
		// "1.234" may be a thousand and more where a point sets off groups.
		if mayBeGrouped(text) {
			c.threes++
		} else {
			for _, b := range text {
				if b == '.' {
					c.points.add(line, text)
					break
				}
			}
		}
		c.plain++
		return
	}
	body, _, ok := stripSign(text)
	if !ok {
		c.strange++
		return
	}
	var marks []rune
	var lengths []int // of digits between the marks
	digits := 0
	for i := 0; i < len(body); {
		r, n := utf8.DecodeRune(body[i:])
		i += n
		if r >= '0' && r <= '9' {
			digits++
			continue
		}
		switch r {
		case '.', ',', '\'', '’', ' ', '\u00A0', '\u202F', '\u2009', '_':
		default:
			c.strange++ // an exponent, or no number
			return
		}
		if r == '\u00A0' || r == '\u202F' || r == '\u2009' {
			r = ' '
		}
		marks, lengths, digits = append(marks, r), append(lengths, digits), 0
	}
	lengths = append(lengths, digits)
	c.marks(marks, lengths, text, line)
}

// marks takes in the marks of a number and how many digits are before, between and after them.
func (c *observed) marks(marks []rune, lengths []int, text []byte, line int64) {
	if len(marks) == 0 {
		c.plain++
		return
	}
	last := marks[len(marks)-1]
	grouping := marks[:len(marks)-1]
	tail := lengths[len(lengths)-1]
	switch {
	case last != '.' && last != ',':
		grouping = marks // no decimal mark
	case len(marks) == 1:
		if tail == groupDigits && lengths[0] >= 1 && lengths[0] <= groupDigits {
			c.plain++ // may be either: as documented, unless others say something
			return
		}
		grouping = nil
		c.decimal(last, text, line)
	case marks[len(marks)-2] == last:
		grouping = marks // 1.234.567
		if last == '.' {
			c.commas.add(line, text)
		} else {
			c.points.add(line, text)
		}
	default:
		c.decimal(last, text, line)
	}
	for i, m := range grouping {
		c.groups[m]++
		if i > 0 && lengths[i] == 2 {
			c.pairs = true
		}
	}
}

func (c *observed) decimal(mark rune, text []byte, line int64) {
	if mark == ',' {
		c.commas.add(line, text)
	} else {
		c.points.add(line, text)
	}
}

// mayBeGrouped tells a number with one point before three digits.
func mayBeGrouped(text []byte) bool {
	n := len(text)
	if n > 0 && text[0] == '-' {
		text, n = text[1:], n-1
	}
	return n >= 5 && n <= 7 && text[n-4] == '.' && text[0] != '0'
}

// settleNumbers decides how the columns' numbers are read. A decimal comma must be evident in the column, or in another of the file
// and nothing speak against it in this one.
func (r *Reader) settleNumbers(columns []*observed) {
	points, commas := 0, 0
	for _, c := range columns {
		if isNumeric(c.in.column.Kind) {
			points += c.points.count
			commas += c.commas.count
		}
	}
	for _, c := range columns {
		if isNumeric(c.in.column.Kind) {
			r.settleNumber(c, points == 0 && commas > 0)
		}
	}
}

// fewCommas is how many times as many numbers may be such as 1.234, in which the point sets off a group where there are decimal
// commas: a single slip of a comma must not make thousands of them.
const fewCommas = 10

func (r *Reader) settleNumber(c *observed, others bool) {
	in, name := c.in, c.in.column.Name
	syntax := defaultNumber
	if in.number != nil {
		syntax = *in.number
	}
	changed := false
	switch {
	case c.commas.count > 0 && c.points.count > 0:
		r.tell("%s has numbers with a decimal comma (%s in line %d) and with a decimal point (%s in line %d): it is read with a point; set number in the mapping",
			name, c.commas.value, c.commas.line, c.points.value, c.points.line)
	case c.commas.count > 0 && c.commas.count*fewCommas < c.threes:
		r.tell("%s has numbers such as 1.234, and few with a comma (%s in line %d): it is read with a decimal point; set number in the mapping",
			name, c.commas.value, c.commas.line)
	case c.commas.count > 0:
		syntax.decimal, syntax.group, changed = ',', '.', true
		r.tell("%s is read with a decimal comma: %s in line %d", name, c.commas.value, c.commas.line)
	case others && c.plain+c.strange > 0 && c.points.count == 0:
		syntax.decimal, syntax.group, changed = ',', '.', true
		r.tell("%s is read with a decimal comma, as other numbers of the file are", name)
	}
	best, most := rune(0), 0
	for mark, n := range c.groups {
		if mark != rune(syntax.decimal) && (n > most || n == most && mark < best) {
			best, most = mark, n
		}
	}
	if best != 0 && best != syntax.group {
		syntax.group, changed = best, true
	}
	if c.pairs {
		syntax.pairs, changed = true, true
	}
	if syntax.found = changed; changed {
		in.number = &syntax
	}
}
