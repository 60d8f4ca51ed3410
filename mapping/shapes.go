package mapping

import (
	"strings"
)

// dayOrder says whether the day or the month comes first in a column's dates such as 03/04/2026.
type dayOrder uint8

const (
	orderNone  dayOrder = iota // there is no such question
	dayFirst                   // 22/11/2026
	monthFirst                 // 11/22/2026
	orderOpen                  // nothing has settled it so far: what could be either is refused
	orderMixed                 // there are dates of both kinds: likewise
)

func (o dayOrder) String() string {
	switch o {
	case dayFirst:
		return "the day first"
	case monthFirst:
		return "the month first"
	case orderNone, orderOpen, orderMixed:
	}
	return "open"
}

// dated is what a value that is a date looks like: the format for it, with the day before the month and with the month before the day
// where both may be.
type dated struct {
	dayFirst, monthFirst string
	first, second        int // the two numbers that may be either; 0 where the form is settled
}

// settles is the order that the value itself settles, if it does.
func (d *dated) settles() dayOrder {
	switch {
	case d.first == 0:
		return orderNone
	case d.first > 12 && d.second <= 12:
		return dayFirst
	case d.second > 12 && d.first <= 12:
		return monthFirst
	}
	return orderNone
}

// shapeOf finds the format of a value that is a date, and perhaps a time of day, in any of the usual forms. False for anything else,
// and for what has a form of which the year's place is not certain.
func shapeOf(text string) (dated, bool) {
	s := shaper{rest: text}
	parts, marks, ok := s.day()
	if !ok {
		return dated{}, false
	}
	clock, ok := s.clock()
	if !ok {
		return dated{}, false
	}
	return s.order(parts, marks, clock)
}

// datePart is a number, or a month's name, of a date.
type datePart struct {
	value, width int
	name         string // MMM or MMMM
}

// shaper takes a date apart.
type shaper struct{ rest string }

// day takes the three parts of a day off, and what is between them.
func (s *shaper) day() (parts [3]datePart, marks [2]string, ok bool) {
	for i := range parts {
		if i > 0 {
			n := 0
			for n < len(s.rest) && strings.IndexByte("/-. ,", s.rest[n]) >= 0 {
				n++
			}
			if n == 0 || n > 2 {
				return parts, marks, false
			}
			marks[i-1], s.rest = s.rest[:n], s.rest[n:]
		}
		if parts[i], ok = s.part(); !ok {
			return parts, marks, false
		}
	}
	return parts, marks, true
}

func (s *shaper) part() (datePart, bool) {
	v, n := digitRun([]byte(s.rest), 4)
	if n > 0 {
		s.rest = s.rest[n:]
		return datePart{value: v, width: n}, true
	}
	for _, form := range []struct {
		name string
		full bool
	}{{"MMMM", true}, {"MMM", false}} {
		month, length := monthNamed([]byte(s.rest), form.full)
		if length > 0 && (length == len(s.rest) || !isLetter(s.rest[length])) {
			s.rest = s.rest[length:]
			return datePart{value: month, name: form.name}, true
		}
	}
	return datePart{}, false
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// clock takes a time of day and a zone off, and returns the format of both; empty where there is none.
func (s *shaper) clock() (string, bool) {
	if s.rest == "" {
		return "", true
	}
	var b strings.Builder
	switch c := s.rest[0]; {
	case c == 'T' || c == 't':
		b.WriteString("'" + s.rest[:1] + "'")
		s.rest = s.rest[1:]
	case c == ' ':
		n := len(s.rest) - len(strings.TrimLeft(s.rest, " "))
		b.WriteString(s.rest[:n])
		s.rest = s.rest[n:]
	case c == ',' && strings.HasPrefix(s.rest, ", "):
		b.WriteString(", ")
		s.rest = s.rest[2:]
	default:
		return "", false
	}
	hour := b.Len()
	_, n := digitRun([]byte(s.rest), 2)
	if n == 0 {
		return "", false
	}
	s.rest = s.rest[n:]
	for _, part := range []string{"mm", "ss"} {
		if s.rest == "" || s.rest[0] != ':' {
			break
		}
		if _, n := digitRun([]byte(s.rest[1:]), 2); n != 2 {
			return "", false
		}
		b.WriteString(":" + part)
		s.rest = s.rest[3:]
	}
	if len(s.rest) > 1 && (s.rest[0] == '.' || s.rest[0] == ',') {
		if _, n := digitRun([]byte(s.rest[1:]), maxFraction); n > 0 {
			b.WriteString(s.rest[:1] + "S")
			s.rest = s.rest[1+n:]
		}
	}
	format := b.String()
	half := strings.TrimLeft(s.rest, " ")
	if _, n := halfOfDay([]byte(half)); n > 0 {
		format = format[:hour] + "h" + format[hour:] + s.rest[:len(s.rest)-len(half)] + "a"
		s.rest = half[n:]
	} else {
		format = format[:hour] + "H" + format[hour:]
	}
	return s.zone(format)
}

// zone takes a zone off: an offset, or a name that means one everywhere.
func (s *shaper) zone(format string) (string, bool) {
	zone := strings.TrimLeft(s.rest, " ")
	gap := s.rest[:len(s.rest)-len(zone)]
	if zone == "" {
		return format, gap == ""
	}
	if _, n := zoneNamed([]byte(zone)); n > 0 && n == len(zone) {
		return format + gap + "z", true
	}
	var m moment
	rest, ok := parseOffset([]byte(zone), &m)
	return format + gap + "XXX", ok && m.zoned && len(rest) == 0
}

// order puts the parts of a day in order.
func (s *shaper) order(p [3]datePart, marks [2]string, clock string) (dated, bool) {
	build := func(parts ...string) string {
		return parts[0] + marks[0] + parts[1] + marks[1] + parts[2] + clock
	}
	year := func(p datePart) string {
		if p.width == 4 {
			return "yyyy"
		}
		return "yy"
	}
	isYear := func(p datePart) bool { return p.name == "" && (p.width == 4 || p.width == 2) }
	isDay := func(p datePart) bool { return p.name == "" && p.width <= 2 && p.value >= 1 && p.value <= 31 }
	switch {
	case p[1].name != "" && isDay(p[0]) && isYear(p[2]) && p[0].width <= 2:
		return dated{dayFirst: build("d", p[1].name, year(p[2]))}, true
	case p[0].name != "" && isDay(p[1]) && isYear(p[2]):
		return dated{dayFirst: build(p[0].name, "d", year(p[2]))}, true
	case p[1].name != "" && p[0].width == 4 && isDay(p[2]):
		return dated{dayFirst: build("yyyy", p[1].name, "d")}, true
	case p[0].name != "" || p[1].name != "" || p[2].name != "":
		return dated{}, false
	case p[0].width == 4 && isDay(p[2]) && p[1].width <= 2:
		return dated{dayFirst: build("yyyy", "M", "d")}, true
	case p[2].width == 4 && isDay(p[0]) && isDay(p[1]),
		p[2].width == 2 && isDay(p[0]) && isDay(p[1]):
		return dated{
			dayFirst: build("d", "M", year(p[2])), monthFirst: build("M", "d", year(p[2])), first: p[0].value, second: p[1].value,
		}, true
	}
	return dated{}, false
}

// excelFormat and its like are formats that are no pictures of dates: the number of days since a beginning, or of seconds.
const (
	excelFormat     = "excel"
	excel1904Format = "excel1904"
	epochFormat     = "epoch"
	epochMillis     = "epochms"
)
