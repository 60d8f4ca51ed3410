package mapping

import (
	"slices"

	"dropline/ingest"
	"dropline/schema"
)

// date takes in a value of a column of dates.
func (c *observed) date(r *Reader, text []byte, line int64) {
	if r.isDefaultMoment(c.in, text) {
		c.plain++
		return
	}
	if isEvidentSerial(text) {
		c.serials++
		return
	}
	d, ok := shapeOf(string(text))
	if !ok {
		c.strange++
		return
	}
	c.form(&d)
	switch o := d.settles(); {
	case o != orderNone:
		e := c.first[o]
		e.add(line, text)
		c.first[o] = e
	case d.first != 0 && d.first != d.second:
		if c.ambiguous++; c.ambiguous == 1 {
			c.example = printable(text, 40)
		}
	}
}

// form adds a value's format to those of the column.
func (c *observed) form(d *dated) {
	c.days = addLayout(c.days, d.dayFirst)
	month := d.monthFirst
	if month == "" {
		month = d.dayFirst
	}
	c.months = addLayout(c.months, month)
}

func addLayout(list []*layout, format string) []*layout {
	if len(list) >= maxFormats || slices.ContainsFunc(list, func(l *layout) bool { return l.source == format }) {
		return list
	}
	l, err := parseLayout(format)
	if err != nil {
		return list
	}
	return append(list, l)
}

// isDefaultMoment reports whether a value is a date or time in the default forms.
func (r *Reader) isDefaultMoment(in *input, text []byte) bool {
	var v ingest.Value
	plain := in.target
	plain.layouts, plain.order = nil, orderNone
	if in.column.Kind == schema.Date {
		return r.convert.date(&plain, text, &v) != ingest.CodeNotDate
	}
	return r.convert.timestamp(&plain, text, &v) != ingest.CodeNotTimestamp
}

// settleDates decides how the columns' dates are read. What one column leaves open another of the same file may settle: one program has
// written them all.
func (r *Reader) settleDates(columns []*observed, known *Known) {
	all := map[dayOrder]int{}
	for _, c := range columns {
		for o := range c.first {
			all[o]++
		}
	}
	if known != nil {
		for _, o := range known.Orders {
			all[o]++
		}
	}
	for _, c := range columns {
		in := c.in
		if isNumeric(in.column.Kind) {
			continue
		}
		name := in.column.Name
		switch {
		case c.serials > 0 && c.plain == 0 && len(c.days) == 0 && c.strange == 0:
			in.layouts, in.found = addLayout(nil, excelFormat), true
			r.tell("%s is read as days counted as Excel does", name)
		case len(c.days) == 0:
			continue // in the default forms, or in none that is known: what is wrong is told row by row
		default:
			r.settleOrder(c, all, known)
		}
		in.plain = in.plain && in.rule == nil
	}
}

func (r *Reader) settleOrder(c *observed, all map[dayOrder]int, known *Known) {
	in, name := c.in, c.in.column.Name
	in.found = true
	// Values in the default forms are read as such wherever they are.
	in.layouts, in.others = c.days, c.months
	early, late := c.first[dayFirst], c.first[monthFirst]
	switch {
	case early.count > 0 && late.count > 0:
		in.order = orderMixed
		r.tell("%s has dates with the day first (%s in line %d) and with the month first (%s in line %d): those that may be either are refused; set format in the mapping",
			name, early.value, early.line, late.value, late.line)
	case early.count > 0:
		in.order = dayFirst
		r.tell("%s is read with the day first: %s in line %d can be nothing else", name, early.value, early.line)
	case late.count > 0:
		in.order, in.layouts = monthFirst, c.months
		r.tell("%s is read with the month first: %s in line %d can be nothing else", name, late.value, late.line)
	case c.ambiguous == 0:
		return
	case known != nil && known.Orders[name] != orderNone:
		in.order = known.Orders[name]
		if in.order == monthFirst {
			in.layouts = c.months
		}
		r.tell("%s is read with %s: a date in line %d can be nothing else", name, in.order, known.Lines[name])
	case all[dayFirst] > 0 && all[monthFirst] == 0:
		in.order = dayFirst
		r.tell("%s is read with the day first, as other dates of the file are: %s by itself may be either", name, c.example)
	case all[monthFirst] > 0 && all[dayFirst] == 0:
		in.order, in.layouts = monthFirst, c.months
		r.tell("%s is read with the month first, as other dates of the file are: %s by itself may be either", name, c.example)
	default:
		in.order = orderOpen
		r.open = append(r.open, in)
		r.tell("%s: whether the day or the month comes first in %s is open, and such dates are refused: set format: %s or %s in the mapping",
			name, c.example, c.days[0].source, c.months[0].source)
	}
}

// either reads a date of which the order of day and month is open: where it can be but one, or is the same either way.
func (c *converter) either(g *target, text []byte, m *moment, failed string) string {
	var other moment
	first := parseMomentBy(g.layouts, text, m, failed)
	second := parseMomentBy(g.others, text, &other, failed)
	switch {
	case first == "" && second == "":
		if *m == other {
			return ""
		}
		return failed
	case first == "":
		c.settled, c.order = g, dayFirst
		return ""
	case second == "":
		*m = other
		c.settled, c.order = g, monthFirst
		return ""
	}
	return first
}

// adapt finds the format of a value that none of those fits that the beginning of the file has.
func (c *converter) adapt(g *target, text []byte) bool {
	if len(g.layouts) >= maxFormats {
		return false
	}
	d, ok := shapeOf(string(text))
	if !ok {
		return false
	}
	before := len(g.layouts)
	month := d.monthFirst
	if month == "" {
		month = d.dayFirst
	}
	switch {
	case g.order == monthFirst:
		g.layouts = addLayout(g.layouts, month)
	case d.monthFirst != "" && g.order == orderNone:
		return false // that no date of the beginning had
	default:
		g.layouts = addLayout(g.layouts, d.dayFirst)
	}
	if g.order >= orderOpen {
		g.others = addLayout(g.others, month)
	}
	return len(g.layouts) > before
}

// foundMoment reads a date or time in the formats that were found in the file, or in the default forms.
func (c *converter) foundMoment(g *target, text []byte, m *moment, failed string) string {
	read := func() string {
		if g.order >= orderOpen {
			return c.either(g, text, m, failed)
		}
		return parseMomentBy(g.layouts, text, m, failed)
	}
	if _, ok := parseDay(text, m); ok { // year, month, day: the default forms go before
		*m = moment{}
		code := parseMoment(text, m)
		if code == ingest.CodeNotTimestamp {
			code = failed
		}
		if code != failed {
			return code
		}
	}
	*m = moment{}
	code := read()
	if code == failed && c.adapt(g, text) {
		code = read()
	}
	return code
}
