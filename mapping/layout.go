package mapping

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"dropline/ingest"
)

// layout is a date format of a mapping, such as "dd/MM/yyyy HH:mm", read once and then followed without allocating.
type layout struct {
	source string
	steps  []layoutStep
	serial string // a format that counts days or seconds; "" for others
}

// layoutStep is one part of a format.
type layoutStep struct {
	part     byte   // y M d H h m s S a X, or 0 for literal text
	least    int    // digits
	most     int    // digits
	literal  string // part 0
	fullName bool   // MMMM
}

// layoutParts are the parts a format may have: how many letters in a row, and how many digits each then takes.
var layoutParts = map[string]layoutStep{
	"yyyy": {part: 'y', least: 4, most: 4},
	"yy":   {part: 'y', least: 2, most: 2},
	"M":    {part: 'M', least: 1, most: 2},
	"MM":   {part: 'M', least: 2, most: 2},
	"MMM":  {part: 'N'},
	"MMMM": {part: 'N', fullName: true},
	"d":    {part: 'd', least: 1, most: 2},
	"dd":   {part: 'd', least: 2, most: 2},
	"H":    {part: 'H', least: 1, most: 2},
	"HH":   {part: 'H', least: 2, most: 2},
	"h":    {part: 'h', least: 1, most: 2},
	"hh":   {part: 'h', least: 2, most: 2},
	"m":    {part: 'm', least: 1, most: 2},
	"mm":   {part: 'm', least: 2, most: 2},
	"s":    {part: 's', least: 1, most: 2},
	"ss":   {part: 's', least: 2, most: 2},
	"a":    {part: 'a'},
	"X":    {part: 'X'},
	"z":    {part: 'z'},
	"XXX":  {part: 'X'},
}

const layoutHelp = "yyyy yy MMMM MMM MM M dd d HH H hh h mm m ss s S a XXX z, and other letters between apostrophes; or excel, excel1904, epoch, epochms"

// parseLayout reads a format. Letters stand for parts, everything else for itself; letters that stand for themselves are
// put between apostrophes, and two apostrophes are one.
func parseLayout(source string) (*layout, error) {
	l := &layout{source: source}
	switch source {
	case excelFormat, excel1904Format, epochFormat, epochMillis:
		l.serial = source
		return l, nil
	}
	seen := map[byte]bool{}
	for i := 0; i < len(source); {
		c := source[i]
		switch {
		case c == '\'':
			text, n, ok := quotedLiteral(source[i:])
			if !ok {
				return nil, fmt.Errorf("format %q has an apostrophe without its partner", source)
			}
			l.literal(text)
			i += n
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
			n := 1
			for i+n < len(source) && source[i+n] == c {
				n++
			}
			step, ok := layoutParts[source[i:i+n]]
			if c == 'S' {
				step, ok = layoutStep{part: 'S', least: 1, most: maxFraction}, true
			}
			if !ok {
				return nil, fmt.Errorf("format %q has %q, which is none of %s", source, source[i:i+n], layoutHelp)
			}
			part := step.part
			if part == 'N' {
				part = 'M'
			}
			if seen[part] {
				return nil, fmt.Errorf("format %q has %q twice", source, string(part))
			}
			seen[part] = true
			l.steps = append(l.steps, step)
			i += n
		default:
			_, n := utf8.DecodeRuneInString(source[i:])
			l.literal(source[i : i+n])
			i += n
		}
	}
	return l, l.check(seen)
}

const maxFraction = 12 // digits of a second's fraction; those beyond the sixth are dropped

func (l *layout) check(seen map[byte]bool) error {
	clock := seen['m'] || seen['s'] || seen['S'] || seen['a'] || seen['X'] || seen['z']
	switch {
	case !seen['y'] || !seen['M'] || !seen['d']:
		return fmt.Errorf("format %q needs a year, a month and a day, such as dd/MM/yyyy", l.source)
	case seen['H'] && seen['h']:
		return fmt.Errorf("format %q has both H and h", l.source)
	case seen['h'] != seen['a']:
		return fmt.Errorf("format %q needs h and a together: hours to 12 with AM or PM", l.source)
	case clock && !seen['H'] && !seen['h']:
		return fmt.Errorf("format %q has parts of a time but no hour", l.source)
	}
	return nil
}

func (l *layout) literal(text string) {
	if n := len(l.steps); n > 0 && l.steps[n-1].part == 0 {
		l.steps[n-1].literal += text
		return
	}
	l.steps = append(l.steps, layoutStep{literal: text})
}

// quotedLiteral reads text between apostrophes at the beginning of s.
func quotedLiteral(s string) (text string, length int, ok bool) {
	if strings.HasPrefix(s, "''") {
		return "'", 2, true
	}
	end := strings.IndexByte(s[1:], '\'')
	if end < 0 {
		return "", 0, false
	}
	return s[1 : 1+end], end + 2, true
}

// parse reads a date and time; failed is the code for what does not follow the format.
func (l *layout) parse(b []byte, m *moment, failed string) string {
	if !l.read(b, m) {
		return failed
	}
	return m.valid(failed)
}

// read reports whether text has the layout's form, whatever its parts come to.
func (l *layout) read(b []byte, m *moment) bool {
	if l.serial != "" {
		return l.readSerial(b, m)
	}
	afternoon, twelve := false, false
	for i := range l.steps {
		step := &l.steps[i]
		var v, n int
		if step.most > 0 {
			if v, n = digitRun(b, step.most); n < step.least {
				return false
			}
		}
		ok := true
		switch step.part {
		case 0:
			n, ok = len(step.literal), len(b) >= len(step.literal) && string(b[:len(step.literal)]) == step.literal
		case 'y':
			m.year = v
			if step.most == 2 {
				m.year = fullYear(v)
			}
		case 'M':
			m.month = v
		case 'N':
			m.month, n = monthNamed(b, step.fullName)
			ok = n > 0
		case 'd':
			m.day = v
		case 'H':
			m.hour = v
		case 'h':
			m.hour, twelve = v, true
			ok = v >= 1 && v <= 12
		case 'm':
			m.minute = v
		case 's':
			m.second = v
		case 'S':
			m.micro = microsOf(b[:n])
		case 'a':
			afternoon, n = halfOfDay(b)
			ok = n > 0
		case 'z':
			m.offset, n = zoneNamed(b)
			ok, m.zoned = n > 0, true
		case 'X':
			rest, good := parseOffset(b, m)
			n, ok = len(b)-len(rest), good && m.zoned
		}
		if !ok {
			return false
		}
		b = b[n:]
	}
	if len(b) > 0 {
		return false
	}
	if twelve {
		m.hour %= 12
		if afternoon {
			m.hour += 12
		}
	}
	return true
}

func digitRun(b []byte, most int) (v, n int) {
	for n < len(b) && n < most && b[n]-'0' <= 9 {
		v = v*10 + int(b[n]-'0')
		n++
	}
	return v, n
}

// fullYear takes two digits for 1969 to 2068, as POSIX does.
func fullYear(v int) int {
	if v < 69 {
		return 2000 + v
	}
	return 1900 + v
}

func microsOf(digits []byte) int {
	micro := 0
	for i := range microDigits {
		micro *= 10
		if i < len(digits) {
			micro += int(digits[i] - '0')
		}
	}
	return micro
}

var monthNames = [12]string{
	"january", "february", "march", "april", "may", "june",
	"july", "august", "september", "october", "november", "december",
}

// monthNamed reads an English month, whatever its case: in full, or its first three letters ("Sept" as well).
func monthNamed(b []byte, full bool) (month, length int) {
	for i, name := range monthNames {
		switch {
		case full && hasFold(b, name):
			return i + 1, len(name)
		case !full && name == "september" && hasFold(b, "sept"):
			return i + 1, len("sept")
		case !full && hasFold(b, name[:3]):
			return i + 1, 3
		}
	}
	return 0, 0
}

// halfOfDay reads AM or PM, with or without points, whatever the case.
func halfOfDay(b []byte) (afternoon bool, length int) {
	for _, form := range [2]string{"am", "a.m."} {
		if hasFold(b, form) {
			return false, len(form)
		}
	}
	for _, form := range [2]string{"pm", "p.m."} {
		if hasFold(b, form) {
			return true, len(form)
		}
	}
	return false, 0
}

// hasFold reports whether b begins with lower-case ASCII text, whatever its case.
func hasFold(b []byte, lower string) bool {
	if len(b) < len(lower) {
		return false
	}
	for i := range len(lower) {
		c := b[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// parseMomentBy tries formats in turn. Where none fits, the code is that of the first that fails for more than its form.
func parseMomentBy(layouts []*layout, b []byte, m *moment, failed string) string {
	worst := failed
	for _, l := range layouts {
		*m = moment{}
		code := l.parse(b, m, failed)
		if code == "" {
			return ""
		}
		if code == ingest.CodeOutOfRange {
			worst = code
		}
	}
	return worst
}
