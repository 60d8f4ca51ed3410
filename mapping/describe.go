package mapping

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"dropline/ingest"
	"dropline/schema"
)

// describe says for people what is wrong with text as a value of the column and what to do about it.
func describe(g *target, code string, text []byte) string {
	c, value := g.column, quoteValue(text)
	switch code {
	case ingest.CodeRequired:
		return fmt.Sprintf("%s is required and absent", c.Name)
	case ingest.CodeInvalidText:
		return describeInvalidText(g, text)
	case ingest.CodeTooLong:
		if c.IsReferenceList() {
			return fmt.Sprintf("%s lists an id of more than %d characters, or more than %d ids", value, g.length, maxItems)
		}
		return fmt.Sprintf("%s has %d characters, more than %d", value, utf8.RuneCount(text), g.length)
	case ingest.CodeNotNumber:
		return describeNotNumber(g, value)
	case ingest.CodeOutOfRange:
		return describeOutOfRange(g, value)
	case ingest.CodePrecision:
		return describePrecision(g, value)
	case ingest.CodeNotDate, ingest.CodeNotTimestamp:
		return describeNotMoment(g, text)
	case ingest.CodeNotBoolean:
		return value + " is neither true nor false: write true, false, yes, no, 1 or 0, or translate it with map in the mapping"
	case ingest.CodeNotMember:
		return describeNotMember(g, value)
	case ingest.CodeInvalidRef:
		return describeInvalidRef(g, value)
	}
	return value + " is refused"
}

// quoteValue shows a value in a message: between quotes, without control characters, shortened.
func quoteValue(text []byte) string {
	const most = 240 // bytes, from which brief takes what it shows
	return strconv.Quote(brief(strings.ToValidUTF8(string(text[:min(len(text), most)]), "\uFFFD")))
}

func describeInvalidText(g *target, text []byte) string {
	if g.relation {
		return "has a NUL character, or what is no text at all: replace it in a query of the mapping's database"
	}
	for _, b := range text {
		if b == 0 {
			return "has a NUL character, which no text may have: export the file again, as UTF-8"
		}
	}
	return "is not text in the file's encoding: export the file as UTF-8, or set its encoding in the mapping"
}

func describeNotNumber(g *target, value string) string {
	form := "1234.50"
	if g.column.Kind != schema.Decimal {
		form = "1234"
	}
	hint := "write it like " + form + ", or describe how the file writes numbers with number in the mapping"
	own := g.relation && g.number.decimal == defaultNumber.decimal && g.number.group == defaultNumber.group // but for rounding
	if g.number != &defaultNumber && !own {
		says := "the mapping says"
		if g.number.found {
			says = "the other numbers of the column show"
		}
		hint = fmt.Sprintf("%s that the decimal separator is %q", says, string(g.number.decimal))
		if g.number.group != 0 {
			hint += fmt.Sprintf(" and that %q sets off groups of three digits", string(g.number.group))
		}
	}
	return value + " is not a number: " + hint
}

func describeOutOfRange(g *target, value string) string {
	switch g.column.Kind {
	case schema.Integer:
		return value + " is out of range: -2147483648 to 2147483647"
	case schema.BigInt:
		return value + " is out of range: -9223372036854775808 to 9223372036854775807"
	case schema.Decimal:
		return fmt.Sprintf("%s is out of range: %s holds %d digits before the point", value, g.column.Name, g.whole)
	default:
	}
	return value + " is out of range: years are 1 to 9999"
}

func describePrecision(g *target, value string) string {
	switch g.column.Kind {
	case schema.Integer, schema.BigInt:
		return value + " is not a whole number"
	case schema.Timestamp:
		return value + " is finer than a microsecond: round it, or drop the rest with a format in the mapping that ends in .SSSSSS"
	default:
	}
	return fmt.Sprintf("%s has more than %d digits after the point: round it, or let the mapping do so with number: {round: true}",
		value, g.column.Scale)
}

// describeNotMoment says why a date or timestamp is none: the calendar's reason if there is one, and the form otherwise.
func describeNotMoment(g *target, text []byte) string {
	kind := "a date"
	if g.column.Kind == schema.Timestamp {
		kind = "a date and time"
	}
	says := quoteValue(text) + " is not " + kind
	var m moment
	rest, ok := parseDay(text, &m)
	if len(g.layouts) > 0 && !g.found && (!g.exported || !ok) {
		names := make([]string, len(g.layouts))
		for i, l := range g.layouts {
			m = moment{}
			if l.read(text, &m) {
				if reason := m.reason(); reason != "" {
					return says + ": " + reason
				}
			}
			names[i] = l.source
		}
		return says + ": the mapping says " + strings.Join(names, " or ")
	}
	if ok && (len(rest) == 0 || rest[0] == ' ' || rest[0]|0x20 == 't') {
		code := ""
		if len(rest) > 0 {
			m = moment{}
			code = parseMoment(text, &m)
		}
		if reason := m.reason(); reason != "" {
			return says + ": " + reason
		}
		if g.column.Kind == schema.Date && len(rest) > 0 && (code == "" || code == ingest.CodePrecision) {
			if g.relation {
				return says + ": it has a time of day; to drop it, read a query with CAST(… AS date), or set format: [yyyy-MM-dd HH:mm:ss, yyyy-MM-dd HH:mm:ss.S] in the mapping's database"
			}
			return says + ": it has a time of day; to drop it, set a format in the mapping such as yyyy-MM-dd HH:mm:ss"
		}
	}
	if d, is := shapeOf(string(text)); is && g.found && d.first != 0 && d.settles() == orderNone && d.first != d.second {
		return says + ": whether its day or its month comes first is open; set the column's format in the mapping, " + d.dayFirst + " or " + d.monthFirst
	}
	if g.found && g.order != orderNone && g.order < orderOpen {
		return says + ": the other dates of the column are written with " + g.order.String()
	}
	form := "2026-11-22"
	if g.column.Kind == schema.Timestamp {
		form = "2026-11-22T16:30:00"
	}
	if g.relation {
		return says + " like " + form + ": set the column's format in the mapping's database, such as dd/MM/yyyy or MM/dd/yyyy"
	}
	return says + " like " + form + ": set the file's format in the mapping, such as dd/MM/yyyy or MM/dd/yyyy"
}

// reason says which part of a moment is out of range, if one is.
func (m *moment) reason() string {
	switch {
	case m.month < 1 || m.month > 12:
		return fmt.Sprintf("there is no month %d", m.month)
	case m.day < 1:
		return "there is no day 0"
	case m.day > daysIn(m.year, m.month):
		name := monthNames[m.month-1]
		return fmt.Sprintf("%s%s %d has %d days", strings.ToUpper(name[:1]), name[1:], m.year, daysIn(m.year, m.month))
	case m.hour > 23:
		return fmt.Sprintf("there is no hour %d", m.hour)
	case m.minute > 59:
		return fmt.Sprintf("there is no minute %d", m.minute)
	case m.second > 59:
		return fmt.Sprintf("there is no second %d", m.second)
	}
	return ""
}

func describeNotMember(g *target, value string) string {
	if g.column.Enum == nil || g.column.Kind == schema.List {
		return value + " is not in the mapping's value table: add it to map, or set else or keep_unmatched"
	}
	const most = 20
	names := make([]string, 0, most)
	for _, v := range g.column.Enum.Values {
		if len(names) == most {
			names = append(names, "and others")
			break
		}
		names = append(names, v.Name)
	}
	if open := g.column.Enum.Open; open != "" {
		return fmt.Sprintf("%s is no %s: it may be %s, or a value of your own that begins with %s; other words can be translated with map in the mapping",
			value, g.column.Enum.Name, strings.Join(names, ", "), open)
	}
	return fmt.Sprintf("%s is no %s: it may be %s, or their number from 0; other words can be translated with map in the mapping",
		value, g.column.Enum.Name, strings.Join(names, ", "))
}

func describeInvalidRef(g *target, value string) string {
	switch {
	case g.isKey:
		return value + " is no id of your own: it has a control character, or the form of an id that Dropline assigns"
	case g.column.References != nil:
		return fmt.Sprintf("%s is no id of a %s: it has a control character, or is the production id of another table; one of %s begins with %s_",
			value, g.column.References.Name, g.column.References.Plural, g.column.References.Prefix)
	}
	return value + " is no id"
}
