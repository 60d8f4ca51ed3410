package mapping

import (
	"bytes"
	"slices"

	"dropline/ingest"
)

// withoutZeros takes a point and the zeros after it off a number: a whole one in a database's column of decimals or money.
func withoutZeros(text []byte) []byte {
	whole, zeros, ok := bytes.Cut(text, []byte("."))
	if !ok || len(whole) == 0 || len(zeros) == 0 || len(bytes.Trim(zeros, "0")) > 0 {
		return text
	}
	return whole
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
