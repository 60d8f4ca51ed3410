package mssql

import "time"

const (
	secondsPerDay = 86400
	daysToEpoch   = 719468 // from 0000-03-01 to 1970-01-01
	daysPerEra    = 146097 // 400 years
)

// appendTime appends a date, a time of day, or both with sep between. The wall clock's, whatever zone the driver put to it; a
// datetimeoffset has its own.
func appendTime(buf []byte, t time.Time, k valueKind, sep byte) []byte {
	offset := 0
	if t.Location() != time.UTC {
		_, offset = t.Zone()
	}
	seconds := t.Unix() + int64(offset)
	days := seconds / secondsPerDay
	clock := int(seconds - days*secondsPerDay)
	if clock < 0 {
		clock += secondsPerDay
		days--
	}
	if k != kindTime {
		buf = appendDay(buf, days)
		if k == kindDate {
			return buf
		}
		buf = append(buf, sep)
	}
	buf = appendPair(buf, clock/3600)
	buf = append(buf, ':')
	buf = appendPair(buf, clock/60%60)
	buf = append(buf, ':')
	buf = appendPair(buf, clock%60)
	if nanos := t.Nanosecond(); nanos != 0 {
		buf = appendFraction(buf, nanos)
	}
	if k == kindOffset {
		buf = appendOffset(buf, offset/60)
	}
	return buf
}

// appendDay appends the date of so many days after 1970-01-01, in years from 1 on.
func appendDay(buf []byte, days int64) []byte {
	z := days + daysToEpoch
	era := z / daysPerEra
	if z < 0 {
		era = (z - daysPerEra + 1) / daysPerEra
	}
	day := int(z - era*daysPerEra)
	year := (day - day/1460 + day/36524 - day/146096) / 365 // of the era, beginning in March
	day -= 365*year + year/4 - year/100
	month := (5*day + 2) / 153 // from March
	day -= (153*month + 2) / 5
	month += 3
	if month > 12 {
		month -= 12
		year++
	}
	year += int(era) * 400
	buf = appendPair(buf, year/100%100)
	buf = appendPair(buf, year%100)
	buf = append(buf, '-')
	buf = appendPair(buf, month)
	buf = append(buf, '-')
	return appendPair(buf, day+1)
}

func appendPair(buf []byte, n int) []byte { return append(buf, byte('0'+n/10), byte('0'+n%10)) }

// appendFraction appends a fraction of a second without the zeros at its end.
func appendFraction(buf []byte, nanos int) []byte {
	var digits [10]byte
	digits[0] = '.'
	for i := 9; i > 0; i-- {
		digits[i] = byte('0' + nanos%10)
		nanos /= 10
	}
	n := len(digits)
	for digits[n-1] == '0' {
		n--
	}
	return append(buf, digits[:n]...)
}

func appendOffset(buf []byte, minutes int) []byte {
	sign := byte('+')
	if minutes < 0 {
		sign, minutes = '-', -minutes
	}
	buf = append(buf, sign)
	buf = appendPair(buf, minutes/60)
	buf = append(buf, ':')
	return appendPair(buf, minutes%60)
}
