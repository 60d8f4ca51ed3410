package mapping

import (
	"bytes"
	"math"
	"strconv"
)

// Serial numbers that Excel takes for days: from 1 to 9999-12-31. Those by which a column is known to be such are between 1954 and
// 2119, so that no amounts, years or keys are taken for dates.
const (
	lastSerial      = 2_958_465
	leapBug         = 60 // 29 February 1900, which Excel has and no calendar
	days1904        = 1462
	evidentSerial   = 20_000
	evidentSerials  = 80_000
	serialDayOffset = 25_569 // of 1970-01-01
)

// isEvidentSerial reports whether a number is a day as Excel counts them, as far as a single one can tell.
func isEvidentSerial(text []byte) bool {
	whole, fraction, _ := bytes.Cut(text, []byte("."))
	n, ok := plainInteger(whole)
	if !ok || len(whole) != 5 || n < evidentSerial || n > evidentSerials {
		return false
	}
	for _, c := range fraction {
		if c-'0' > 9 {
			return false
		}
	}
	return true
}

// readSerial reads a moment that is counted in days or seconds.
func (l *layout) readSerial(b []byte, m *moment) bool {
	n, err := strconv.ParseFloat(string(b), 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return false
	}
	var seconds float64 // since 1970
	switch l.serial {
	case epochFormat:
		seconds = n
		m.zoned = true
	case epochMillis:
		seconds = n / 1000
		m.zoned = true
	default:
		if l.serial == excel1904Format {
			n += days1904
		}
		if n < 1 || n >= lastSerial+1 || math.Floor(n) == leapBug {
			return false
		}
		if n < leapBug {
			n++
		}
		seconds = math.Round((n-serialDayOffset)*secondsPerDay*1000) / 1000
	}
	if seconds < float64(minSeconds) || seconds > float64(maxSeconds) {
		return false
	}
	whole := math.Floor(seconds)
	days := int64(math.Floor(whole / secondsPerDay))
	clock := int(int64(whole) - days*secondsPerDay)
	m.year, m.month, m.day = dayOfEpoch(days)
	m.hour, m.minute, m.second = clock/3600, clock/60%60, clock%60
	m.micro = int(math.Round((seconds - whole) * microsPerSec))
	if m.micro == microsPerSec {
		m.micro = microsPerSec - 1
	}
	return true
}

// dayOfEpoch is the reverse of daysSinceEpoch.
func dayOfEpoch(days int64) (year, month, day int) {
	const (
		daysTo1970 = 719468
		era        = 146097 // days of 400 years
	)
	z := days + daysTo1970
	e := z / era
	if z < 0 {
		e = (z - era + 1) / era
	}
	d := z - e*era
	y := (d - d/1460 + d/36524 - d/146096) / 365
	ofYear := d - (365*y + y/4 - y/100)
	mp := (5*ofYear + 2) / 153
	day = int(ofYear - (153*mp+2)/5 + 1)
	month = int(mp + 3)
	year = int(y + e*400)
	if month > 12 {
		month -= 12
		year++
	}
	return year, month, day
}
