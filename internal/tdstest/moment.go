package tdstest

import (
	"encoding/binary"
	"strings"
	"time"
)

var (
	dayOne  = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	year19  = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	year17  = time.Date(1753, 1, 1, 0, 0, 0, 0, time.UTC)
	lastOld = time.Date(2079, 6, 6, 23, 59, 29, 998_000_000, time.UTC)
)

const (
	day         = 24 * time.Hour
	ticksPerDay = 300 * 86400 // datetime counts 1/300 s
)

// timeSize is how many bytes a time takes.
func timeSize(scale uint8) int {
	switch {
	case scale <= 2:
		return 3
	case scale <= 4:
		return 4
	default:
		return 5
	}
}

func unitOf(scale uint8) time.Duration {
	unit := time.Second
	for range scale {
		unit /= 10
	}
	return unit
}

// clock reads the time of day off the wall.
func clock(t time.Time) time.Duration {
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute +
		time.Duration(t.Second())*time.Second + time.Duration(t.Nanosecond())
}

// daysSince counts the days on the calendar.
func daysSince(t, start time.Time) int64 {
	y, m, d := t.Date()
	return (time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() - start.Unix()) / 86400
}

// toTime gives a moment rounded to what t can hold, on the wall clock it has; only datetimeoffset keeps a zone.
func toTime(v any, t sqlType) (any, *Error) {
	m, ok := v.(time.Time)
	if s, isText := v.(string); isText {
		m, ok = parseMoment(s)
		if !ok {
			return nil, &Error{241, 1, 16, "Conversion failed when converting date and/or time from character string."}
		}
	}
	if !ok {
		return nil, cannotConvert(v, t)
	}
	if t.kind != kindDateTimeOffset {
		y, mo, d := m.Date()
		m = time.Date(y, mo, d, m.Hour(), m.Minute(), m.Second(), m.Nanosecond(), time.UTC)
	}
	outside := &Error{242, 3, 16, "The conversion of a value to data type " + t.name() + " resulted in an out-of-range value."}
	switch t.kind {
	case kindDate:
		m = m.Truncate(day)
	case kindTime:
		m = dayOne.Add(clock(m).Round(unitOf(t.scale)) % day)
	case kindDateTime:
		if m.Before(year17) {
			return nil, outside
		}
		days, ticks := ticksOf(m)
		m = year19.AddDate(0, 0, int(days)).Add(durationOf(ticks))
	case kindSmallDateTime:
		if m.Before(year19) || m.After(lastOld) {
			return nil, outside
		}
		m = m.Round(time.Minute)
	default:
		m = m.Round(unitOf(t.scale))
	}
	if m.Year() < 1 || m.Year() > 9999 {
		return nil, outside
	}
	return m, nil
}

// ticksOf is a datetime as days since 1900 and 1/300 seconds, rounded.
func ticksOf(m time.Time) (days, ticks int64) {
	days, ticks = daysSince(m, year19), (int64(clock(m))*3+5_000_000)/10_000_000
	if ticks >= ticksPerDay {
		return days + 1, 0
	}
	return days, ticks
}

// durationOf is ticks of 1/300 s to the millisecond, as SQL Server shows them: .000, .003, .007.
func durationOf(ticks int64) time.Duration {
	return time.Duration((ticks*10+1)/3) * time.Millisecond
}

// appendTime appends the bytes of a moment that toTime has rounded.
func (t sqlType) appendTime(b []byte, m time.Time) []byte {
	switch t.kind {
	case kindDateTime:
		days, ticks := ticksOf(m)
		b = binary.LittleEndian.AppendUint32(b, uint32(int32(days)))
		return binary.LittleEndian.AppendUint32(b, uint32(ticks))
	case kindSmallDateTime:
		b = binary.LittleEndian.AppendUint16(b, uint16(daysSince(m, year19)))
		return binary.LittleEndian.AppendUint16(b, uint16(clock(m)/time.Minute))
	case kindDate:
		return appendDays(b, m)
	case kindTime:
		return t.appendClock(b, m)
	case kindDateTimeOffset:
		u := m.UTC()
		b = appendDays(t.appendClock(b, u), u)
		_, offset := m.Zone()
		return binary.LittleEndian.AppendUint16(b, uint16(int16(offset/60)))
	default:
		return appendDays(t.appendClock(b, m), m)
	}
}

func (t sqlType) appendClock(b []byte, m time.Time) []byte {
	n := uint64(clock(m) / unitOf(t.scale))
	for range timeSize(t.scale) {
		b = append(b, byte(n))
		n >>= 8
	}
	return b
}

func appendDays(b []byte, m time.Time) []byte {
	n := daysSince(m, dayOne)
	return append(b, byte(n), byte(n>>8), byte(n>>16))
}

// parseMoment reads the forms SQL Server reads under any language, and a bare time.
func parseMoment(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	for _, layout := range []string{
		"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999 Z07:00", "2006-01-02 15:04:05.999999999Z07:00",
		"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04", "2006-01-02", "20060102",
		"20060102 15:04:05.999999999",
	} {
		if m, err := time.Parse(layout, s); err == nil {
			return m, true
		}
	}
	for _, layout := range []string{"15:04:05.999999999", "15:04"} {
		if m, err := time.Parse(layout, s); err == nil {
			return year19.Add(clock(m)), true
		}
	}
	return year19, s == ""
}

// momentText writes a date or time as CONVERT does: in the styles 120, 121, 126, 127, 23, 112, 114, and without one in
// the form of ISO 8601 for the new types and "Jan  2 2006  3:04PM" for datetime and smalldatetime.
func momentText(m time.Time, from sqlType, style int64) string {
	fraction := ""
	if n := fractionDigits(from); n > 0 {
		fraction = "." + strings.Repeat("0", n)
	}
	clockLayout := "15:04:05" + fraction
	zone := ""
	if from.kind == kindDateTimeOffset {
		zone = " -07:00"
	}
	switch {
	case style == 23 || from.kind == kindDate && style != 112:
		return m.Format("2006-01-02")
	case style == 112:
		return m.Format("20060102")
	case from.kind == kindTime || style == 114:
		return m.Format(clockLayout)
	case style == 120 || style == 20:
		return m.Format("2006-01-02 15:04:05" + zone)
	case style == 126 || style == 127:
		layout := "2006-01-02T" + clockLayout
		if from.kind == kindDateTime && m.Nanosecond() == 0 {
			layout = "2006-01-02T15:04:05"
		}
		if zone != "" {
			layout += "Z07:00"
		}
		return m.Format(layout)
	case style == 0 && (from.kind == kindDateTime || from.kind == kindSmallDateTime):
		return m.Format("Jan _2 2006 ") + strings.Repeat(" ", 7-len(m.Format("3:04PM"))) + m.Format("3:04PM")
	default:
		return m.Format("2006-01-02 " + clockLayout + zone)
	}
}

func fractionDigits(t sqlType) int {
	switch t.kind {
	case kindDateTime:
		return 3
	case kindTime, kindDateTime2, kindDateTimeOffset:
		return int(t.scale)
	default:
		return 0
	}
}
