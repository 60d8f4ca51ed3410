package tdstest

import (
	"strconv"
	"strings"
	"time"
)

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

// floatText is the shortest text that reads back as the same number.
func floatText(f float64) string { return strconv.FormatFloat(f, 'e', 16, 64) }
