package mapping

// zoneHours are the abbreviations of time zones that stand for one offset: those to which RFC 5322, section 4.3, gives a meaning (so
// that CST is America's), and others of which the tz database has one meaning. BST, IST and their like have several and are refused.
var zoneHours = map[string]int{
	"UTC": 0, "GMT": 0, "UT": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3,
	"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10,
	"JST": 9, "AEST": 10, "AEDT": 11, "AWST": 8, "NZST": 12, "NZDT": 13,
}

// zoneNamed reads an abbreviation of a time zone. Its length is 0 where there is none that means one offset.
func zoneNamed(b []byte) (seconds, length int) {
	n := 0
	for n < len(b) && b[n] >= 'A' && b[n] <= 'Z' {
		n++
	}
	hours, ok := zoneHours[string(b[:n])]
	if !ok {
		return 0, 0
	}
	return hours * 3600, n
}
