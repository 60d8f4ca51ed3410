package mapping

import (
	"slices"

	"dropline/ingest"
)

func (c *converter) date(g *target, text []byte, v *ingest.Value) string {
	const failed = ingest.CodeNotDate
	var m moment
	if g.found {
		switch code := c.foundMoment(g, text, &m, failed); {
		case code == ingest.CodePrecision:
			return failed
		case code != "":
			return code
		case !m.midnight():
			return failed // nobody has said that its time of day may be dropped
		}
		v.Int = m.days()
		return ""
	}
	if len(g.layouts) > 0 {
		if g.exported && c.ownDate(g, text, v) {
			return ""
		}
		// A format that names the time of day says that the file has it: it is dropped.
		if code := parseMomentBy(g.layouts, text, &m, failed); code != "" {
			return code
		}
		v.Int = m.days()
		return ""
	}
	rest, ok := parseDay(text, &m)
	switch {
	case !ok:
		return failed
	case len(rest) > 0:
		m = moment{}
		switch code := parseMoment(text, &m); {
		case code == ingest.CodeOutOfRange:
			return code
		case code != "" || !m.midnight():
			return failed
		}
	}
	if code := m.valid(failed); code != "" {
		return code
	}
	v.Int = m.days()
	return ""
}

func (c *converter) timestamp(g *target, text []byte, v *ingest.Value) string {
	var m moment
	var code string
	if g.found {
		if code = c.foundMoment(g, text, &m, ingest.CodeNotTimestamp); code == "" {
			v.Int, code = m.micros(&c.zone)
		}
		return code
	}
	if len(g.layouts) == 0 || g.exported {
		code = parseMoment(text, &m)
		if g.relation && code == ingest.CodePrecision {
			code = "" // datetime2 has ten millionths of a second unless its declaration says otherwise: they are dropped
		}
	}
	if len(g.layouts) > 0 && (!g.exported || code == ingest.CodeNotTimestamp) {
		code = parseMomentBy(g.layouts, text, &m, ingest.CodeNotTimestamp)
	}
	if code == "" {
		v.Int, code = m.micros(&c.zone)
	}
	return code
}

// ownDate reads a date of a relation, for whose exports the mapping has formats, in the default forms. If a format has a time
// of day, as a database's types may have where a date is meant, it is dropped as it is from the export.
func (c *converter) ownDate(g *target, text []byte, v *ingest.Value) bool {
	own := *g
	own.layouts = nil
	if c.date(&own, text, v) == "" {
		return true
	}
	var m moment
	if !slices.ContainsFunc(g.layouts, (*layout).hasClock) {
		return false
	}
	if code := parseMoment(text, &m); code != "" && code != ingest.CodePrecision {
		return false
	}
	v.Int = m.days()
	return true
}

// hasClock reports whether the format has a time of day.
func (l *layout) hasClock() bool {
	return slices.ContainsFunc(l.steps, func(s layoutStep) bool { return s.part == 'H' || s.part == 'h' })
}
