package mapping

import (
	"time"

	"dropline/ingest"
)

// moment is a date and time of day as a file writes it.
type moment struct {
	year, month, day     int
	hour, minute, second int
	micro                int
	zoned                bool
	offset               int // seconds east of UTC, where zoned
}

const (
	secondsPerDay = 86400
	microsPerSec  = 1_000_000
	minYear       = 1
	maxYear       = 9999
)

// The first and the last instant of the years 1 to 9999, in seconds since 1970.
var (
	minSeconds = daysSinceEpoch(minYear, 1, 1) * secondsPerDay
	maxSeconds = daysSinceEpoch(maxYear+1, 1, 1)*secondsPerDay - 1
)

// daysSinceEpoch counts the days from 1970-01-01 in the proleptic Gregorian calendar, of years from 1 on. Years begin in
// March here, so that the leap day is a year's last.
func daysSinceEpoch(year, month, day int) int64 {
	y, m := uint32(year), uint32(month)
	if m <= 2 {
		y--
		m += 12
	}
	const daysTo1970 = 719468 // from 0000-03-01
	return int64(365*y+y/4-y/100+y/400+(153*(m-3)+2)/5+uint32(day)) - 1 - daysTo1970
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// valid checks the ranges of a moment whose parts were read as digits; failed is the code that its kind of column gives.
func (m *moment) valid(failed string) string {
	switch {
	case m.month < 1 || m.month > 12 || m.day < 1 || m.day > daysIn(m.year, m.month):
		return failed
	case m.hour > 23 || m.minute > 59 || m.second > 59:
		return failed
	case m.year < minYear || m.year > maxYear:
		return ingest.CodeOutOfRange
	}
	return ""
}

func (m *moment) midnight() bool { return m.hour|m.minute|m.second|m.micro == 0 }

func (m *moment) days() int64 { return daysSinceEpoch(m.year, m.month, m.day) }

// micros returns the instant, in microseconds since 1970, taking a time without a zone to be in z.
func (m *moment) micros(z *zone) (int64, string) {
	local := m.days()*secondsPerDay + int64(m.hour*3600+m.minute*60+m.second)
	seconds := local - int64(m.offset)
	if !m.zoned {
		seconds = z.toUTC(local, m)
	}
	if seconds < minSeconds || seconds > maxSeconds {
		return 0, ingest.CodeOutOfRange
	}
	return seconds*microsPerSec + int64(m.micro), ""
}

// zone turns local times to UTC. It remembers the stretch between two changes of the clock in which the last time fell, as
// the next is mostly in the same.
type zone struct {
	location   *time.Location
	from, till int64 // local seconds for which offset holds
	offset     int64
}

// toUTC follows time.Date where the clock changes: a time that occurs twice is taken for the first of the two or, as the
// zone has it, the second, and one that is left out for the same distance past the change.
func (z *zone) toUTC(local int64, m *moment) int64 {
	if local >= z.from && local < z.till {
		return local - z.offset
	}
	t := time.Date(m.year, time.Month(m.month), m.day, m.hour, m.minute, m.second, 0, z.location)
	_, offset := t.Zone()
	start, end := t.ZoneBounds()
	// A day's margin keeps the remembered stretch clear of the hours around the change.
	z.offset, z.from, z.till = int64(offset), minSeconds, maxSeconds
	if !start.IsZero() {
		z.from = start.Unix() + int64(offset) + secondsPerDay
	}
	if !end.IsZero() {
		z.till = end.Unix() + int64(offset) - secondsPerDay
	}
	return t.Unix()
}

// twoDigits reads two digits.
func twoDigits(b []byte) (int, bool) {
	if len(b) < 2 || b[0]-'0' > 9 || b[1]-'0' > 9 {
		return 0, false
	}
	return int(b[0]-'0')*10 + int(b[1]-'0'), true
}

// parseDay reads yyyy-MM-dd, yyyy/MM/dd or yyyyMMdd and returns what follows.
func parseDay(b []byte, m *moment) ([]byte, bool) {
	century, ok1 := twoDigits(b)
	if !ok1 || len(b) < 8 {
		return nil, false
	}
	year, ok2 := twoDigits(b[2:])
	m.year = century*100 + year
	month, day, width := b[4:], b[6:], 8
	if s := b[4]; s == '-' || s == '/' {
		if len(b) < 10 || b[7] != s {
			return nil, false
		}
		month, day, width = b[5:], b[8:], 10
	}
	var ok3, ok4 bool
	m.month, ok3 = twoDigits(month)
	m.day, ok4 = twoDigits(day)
	return b[width:], ok2 && ok3 && ok4
}

// parseMoment reads ISO 8601: a day, and after a T or a space a time of day to the microsecond, with or without a zone.
func parseMoment(b []byte, m *moment) string {
	const failed = ingest.CodeNotTimestamp
	rest, ok := parseDay(b, m)
	if !ok {
		return failed
	}
	if len(rest) > 0 {
		if rest[0] != 'T' && rest[0] != 't' && rest[0] != ' ' {
			return failed
		}
		var lost bool
		if rest, lost, ok = parseClock(rest[1:], m); !ok {
			return failed
		}
		if rest, ok = parseOffset(rest, m); !ok || len(rest) > 0 {
			return failed
		}
		if code := m.valid(failed); code != "" {
			return code
		}
		if lost {
			return ingest.CodePrecision
		}
		return ""
	}
	return m.valid(failed)
}

// parseClock reads HH:mm, or HH:mm:ss with or without a fraction; lost says that it is finer than a microsecond.
func parseClock(b []byte, m *moment) (rest []byte, lost, ok bool) {
	var ok1, ok2, ok3 bool
	m.hour, ok1 = twoDigits(b)
	if !ok1 || len(b) < 5 || b[2] != ':' {
		return nil, false, false
	}
	m.minute, ok2 = twoDigits(b[3:])
	b = b[5:]
	if len(b) == 0 || b[0] != ':' {
		return b, false, ok2
	}
	m.second, ok3 = twoDigits(b[1:])
	if !ok2 || !ok3 {
		return nil, false, false
	}
	return parseFraction(b[3:], m)
}

const microDigits = 6

// parseFraction reads a fraction of a second after a point or comma; lost says that it is finer than a microsecond.
func parseFraction(b []byte, m *moment) (rest []byte, lost, ok bool) {
	if len(b) == 0 || b[0] != '.' && b[0] != ',' {
		return b, false, true
	}
	i := 1
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		switch {
		case i <= microDigits:
			m.micro = m.micro*10 + int(b[i]-'0')
		case b[i] != '0':
			lost = true
		}
	}
	if i == 1 {
		return nil, false, false
	}
	for n := i; n <= microDigits; n++ {
		m.micro *= 10
	}
	return b[i:], lost, true
}

const maxOffsetHours = 15 // as PostgreSQL allows; the world uses 14

// parseOffset reads Z, +hh, +hhmm or +hh:mm, after a space if there is one; nothing is no zone.
func parseOffset(b []byte, m *moment) ([]byte, bool) {
	if len(b) > 1 && b[0] == ' ' {
		b = b[1:]
	}
	if len(b) == 0 {
		return b, true
	}
	if b[0] == 'Z' || b[0] == 'z' {
		m.zoned = true
		return b[1:], true
	}
	if b[0] != '+' && b[0] != '-' {
		return b, false
	}
	west := b[0] == '-'
	hours, ok := twoDigits(b[1:])
	if !ok || hours > maxOffsetHours {
		return nil, false
	}
	b = b[3:]
	digits := b
	if len(b) > 0 && b[0] == ':' {
		digits = b[1:]
	}
	minutes := 0
	if len(digits) >= 2 {
		if minutes, ok = twoDigits(digits); ok {
			b = digits[2:]
		}
	}
	if minutes > 59 {
		return nil, false
	}
	m.zoned, m.offset = true, hours*3600+minutes*60
	if west {
		m.offset = -m.offset
	}
	return b, true
}
