package detect

import "bytes"

// maxPreamble is how many records above the header are recognised as no part of the table.
const maxPreamble = 30

// findHeader finds the line of the header, or that there is none.
func (d *Dialect) findHeader(t *table, set Setting) {
	if set.Header != nil {
		d.Header = *set.Header
	}
	first := 0
	if set.SkipLines == nil {
		first = d.firstOfTable(t, set)
		above := d.SkipLines
		for i := range t.records[:first] {
			d.SkipLines += t.records[i].newlines
			if !t.records[i].blank {
				above += t.records[i].newlines
			}
		}
		if above > 0 {
			d.note("%d %s above the table left out", above, plural(above, "line is", "lines are"))
		}
	}
	if set.Header == nil && !hasHeader(t.records[first:], set) {
		d.Header = false
		d.note("the file has no header: its first line looks like the others")
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// firstOfTable is the first record that is part of the table: what comes before it has another number of cells, as titles and dates
// of a report have.
func (d *Dialect) firstOfTable(t *table, set Setting) int {
	named := t.named(set)
	if named >= 0 {
		return named
	}
	if d.Columns < 2 {
		return 0
	}
	for i := range min(len(t.records), maxPreamble) {
		r := &t.records[i]
		if r.blank || len(r.cells) < 2 {
			continue
		}
		// A header may lack the last cell, or have one more, where the rows end in a delimiter.
		if n := len(r.cells); n >= d.Columns-1 && n <= d.Columns+1 && filled(r) > 1 && followed(t.records[i+1:], d.Columns) {
			if n != d.Columns && i+1 < len(t.records) && len(t.records[i+1].cells) == d.Columns && filled(r)*2 < d.Columns {
				continue
			}
			return i
		}
		if filled(r)*2 > d.Columns && len(r.cells) > d.Columns/2 {
			return i // a header that does not fit its rows is one all the same
		}
	}
	return 0
}

// followed reports whether the next record, if there is one, is of the table.
func followed(records []record, columns int) bool {
	for i := range records {
		if records[i].blank {
			continue
		}
		return len(records[i].cells)*2 > columns
	}
	return true
}

// named is the first record of which most cells are names of columns; -1 where none is.
func (t *table) named(set Setting) int {
	if set.IsName == nil {
		return -1
	}
	for i := range min(len(t.records), maxPreamble+1) {
		r := &t.records[i]
		names := 0
		for _, c := range r.cells {
			if c = bytes.TrimSpace(c); len(c) > 0 && set.IsName(c) {
				names++
			}
		}
		if names > 1 && names*2 >= filled(r) || names == 1 && filled(r) == 1 && i == 0 {
			return i
		}
	}
	return -1
}

func filled(r *record) int {
	n := 0
	for _, c := range r.cells {
		if len(bytes.TrimSpace(c)) > 0 {
			n++
		}
	}
	return n
}

// hasHeader reports whether the first record is a header. It is none only where that is evident: no cell of it is a name, and each
// column whose values are numbers, dates or addresses has such a value there too.
func hasHeader(records []record, set Setting) bool {
	if len(records) < 3 {
		return true // too little to tell
	}
	head := &records[0]
	typed := 0
	seen := map[string]bool{}
	for column, cell := range head.cells {
		cell = bytes.TrimSpace(cell)
		if set.IsName != nil && len(cell) > 0 && set.IsName(cell) {
			return true
		}
		if len(cell) > 0 && seen[string(cell)] && kindOf(cell) == cellNumber {
			typed++ // names are not repeated, values are
		}
		seen[string(cell)] = true
		k, agree := usualKind(records[1:], column)
		if k != cellNumber && k != cellMoment || !agree {
			continue
		}
		if len(cell) == 0 {
			continue
		}
		if kindOf(cell) != k {
			return true
		}
		typed++
	}
	return typed == 0 || onlyYears(head)
}

// onlyYears tells a header of years, as cross tables have: their cells grow by one.
func onlyYears(r *record) bool {
	last, grow := 0, 0
	for _, c := range r.cells {
		n := 0
		for _, b := range bytes.TrimSpace(c) {
			if b < '0' || b > '9' {
				n = 0
				break
			}
			n = n*10 + int(b-'0')
		}
		if last > 0 && n == last+1 {
			grow++
		}
		last = n
	}
	return grow > 1 && grow >= len(r.cells)/2
}

// usualKind is the kind of most of a column's values, and whether nearly all have it.
func usualKind(records []record, column int) (cellKind, bool) {
	var counts [cellWord + 1]int
	all := 0
	for i := range records {
		if column >= len(records[i].cells) {
			continue
		}
		if k := kindOf(records[i].cells[column]); k != cellEmpty {
			counts[k]++
			all++
		}
	}
	best := cellText
	for k, n := range counts {
		if n > counts[best] {
			best = cellKind(k)
		}
	}
	return best, all > 1 && counts[best]*10 >= all*9
}
