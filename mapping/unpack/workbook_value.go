package unpack

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"
)

// cellFormat says what a cell's number is.
type cellFormat uint8

const (
	formatNumber cellFormat = iota
	formatDate              // of a day, and a time of day where the number has one
	formatTime              // of a time of day
)

// stylesXML is what is read of xl/styles.xml.
type stylesXML struct {
	Formats []struct {
		ID   int    `xml:"numFmtId,attr"`
		Code string `xml:"formatCode,attr"`
	} `xml:"numFmts>numFmt"`
	Cells []struct {
		Format int `xml:"numFmtId,attr"`
	} `xml:"cellXfs>xf"`
}

// readStyles finds which styles show numbers as dates.
func (b *workbook) readStyles() error {
	if b.files["xl/styles.xml"] == nil {
		return nil
	}
	var styles stylesXML
	if err := b.decode("xl/styles.xml", &styles); err != nil {
		return err
	}
	custom := map[int]cellFormat{}
	for _, f := range styles.Formats {
		custom[f.ID] = formatOf(f.Code)
	}
	for _, c := range styles.Cells {
		format, known := custom[c.Format]
		if !known {
			format = builtinFormat(c.Format)
		}
		b.formats = append(b.formats, format)
	}
	return nil
}

// builtinFormat is what a format means that is not written down in workbooks (ECMA-376, part 1, section 18.8.30). Those of elapsed
// time are numbers of days.
func builtinFormat(id int) cellFormat {
	switch {
	case id >= 14 && id <= 17, id == 22, id >= 27 && id <= 31, id == 36, id >= 50 && id <= 54, id >= 57 && id <= 58:
		return formatDate
	case id >= 18 && id <= 21, id >= 32 && id <= 35, id >= 55 && id <= 56:
		return formatTime
	}
	return formatNumber
}

// formatOf tells by a format's code what it shows: the first section decides. Elapsed time, [h]:mm, is a number of days.
func formatOf(code string) cellFormat {
	var plain strings.Builder
	for i := 0; i < len(code); i++ {
		switch c := code[i]; c {
		case '"':
			end := strings.IndexByte(code[i+1:], '"')
			if end < 0 {
				return formatNumber
			}
			i += end + 1
		case '\\', '_', '*':
			i++
		case '[':
			end := strings.IndexByte(code[i:], ']')
			if end < 0 {
				return formatNumber
			}
			if inside := strings.ToLower(code[i+1 : i+end]); strings.Trim(inside, "hms") == "" {
				return formatNumber
			}
			i += end
		case ';':
			i = len(code)
		default:
			plain.WriteByte(c)
		}
	}
	text := strings.ToLower(plain.String())
	if text == "general" || text == "@" || strings.ContainsAny(text, "0#?") && !strings.ContainsAny(text, "ydh") {
		return formatNumber
	}
	switch {
	case strings.ContainsAny(text, "yd"):
		return formatDate
	case strings.ContainsAny(text, "hs"):
		return formatTime
	case strings.Contains(text, "m"):
		return formatDate // a month
	}
	return formatNumber
}

// appendNumber writes a cell's number: as a date where its format says so, else exactly as people see it, without an exponent.
func appendNumber(out, text []byte, format cellFormat, from base1904) []byte {
	if format != formatNumber {
		if serial, err := strconv.ParseFloat(string(text), 64); err == nil {
			if dated, ok := appendMoment(out, serial, format, from); ok {
				return dated
			}
		}
	}
	if isPlainNumber(text) {
		return append(out, text...)
	}
	n, err := strconv.ParseFloat(string(text), 64)
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
		return append(out, text...)
	}
	// Excel shows and means 15 digits; the file has 17, as 0.30000000000000004.
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(n, 'g', excelDigits, 64), 64)
	if err != nil {
		return append(out, text...)
	}
	return strconv.AppendFloat(out, rounded, 'f', -1, 64)
}

const excelDigits = 15

// isPlainNumber reports whether a number is written without an exponent and with no more digits than Excel means.
func isPlainNumber(text []byte) bool {
	digits := 0
	for _, c := range bytes.TrimPrefix(text, []byte("-")) {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c != '.':
			return false
		}
	}
	return digits > 0 && digits <= excelDigits
}

const (
	secondsPerDay = 86_400
	leapBug       = 60        // the day 29 February 1900, which Excel has and no calendar
	lastSerial    = 2_958_465 // 9999-12-31
	days1904      = 1462      // between the two ways of counting
)

// appendMoment writes the day and time that a serial number stands for. False where it stands for none.
func appendMoment(out []byte, serial float64, format cellFormat, from base1904) ([]byte, bool) {
	if from {
		serial += days1904
	}
	millis := math.Round(serial * secondsPerDay * 1000)
	day := math.Floor(millis / (secondsPerDay * 1000))
	within := time.Duration(millis-day*secondsPerDay*1000) * time.Millisecond
	if serial < 0 || day > lastSerial || day == leapBug && !bool(from) {
		return out, false
	}
	clock := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(day)).Add(within)
	if day < leapBug && !bool(from) {
		clock = clock.AddDate(0, 0, 1)
	}
	layout := "15:04:05"
	if within%time.Second != 0 {
		layout += ".000"
	}
	if format == formatTime && day == 0 {
		return clock.AppendFormat(out, layout), true
	}
	if within == 0 {
		return clock.AppendFormat(out, time.DateOnly), true
	}
	return clock.AppendFormat(out, time.DateOnly+"T"+layout), true
}
