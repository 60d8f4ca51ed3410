package detect

import (
	"bytes"
)

const (
	// scoredBytes is how much of the text each style is tried on.
	scoredBytes   = 96 << 10
	scoredRecords = 400
	// margin is by how much better than the plain style another must be, so that what is plain stays so.
	margin = 1.05
	// certain is the share of records with as many cells as most have from which a style is taken for granted.
	certain = 0.999
)

// delimiters that are looked for, the usual ones first: of equals the first counts. A space is not among them, since it is in every
// text: see spaced.
func delimiters() []string {
	return []string{",", ";", "\t", "|", "^", ":", "~", "||", "~|~", "|~|", "::", ";;", "^^", "~~", "~^~", "^|^", "#|#", "@@", "$$", ", ", "; ", "\x1f", "\x01", "§", "¦"}
}

// styles are what is tried where nothing is set.
func styles(set Setting) []style {
	quotes := []style{{quote: '"'}, {quote: '"', escape: '\\'}, {quote: '\''}, {quote: '\'', escape: '\\'}, {}, {escape: '\\'}}
	var out []style
	for _, d := range delimiters() {
		if set.Delimiter != "" {
			d = set.Delimiter
		}
		for _, s := range quotes {
			switch {
			case set.Quote == "none" && s.quote != 0, set.Quote != "" && set.Quote != "none" && s.quote == 0:
				continue
			case set.Escape == `\` && s.escape == 0, set.Escape == `"` && s.escape != 0:
				continue
			}
			if len(set.Quote) == 1 {
				if s.quote != '"' {
					continue
				}
				s.quote = set.Quote[0]
			}
			s.delimiter = d
			out = append(out, s)
		}
		if set.Delimiter != "" {
			break
		}
	}
	return out
}

// choose finds the style of the text. sure tells that nothing else comes near.
func choose(text []byte, whole bool, set Setting) (best style, found table, sure bool) {
	if len(text) > scoredBytes {
		text, whole = text[:scoredBytes], false
	}
	all := styles(set)
	tried := map[style]bool{}
	quotes := map[string]bool{} // by delimiter: fields are between double quotes, or begin with one
	var bestScore, second float64
	for i, s := range all {
		if tried[s] || i > 0 && !worthTrying(text, s) {
			continue
		}
		tried[s] = true
		if quotes[s.delimiter] && s.quote != '"' {
			continue
		}
		t := split(text, s, whole, scoredRecords)
		score := t.score(s)
		switch {
		case s.quote == '"' && s.escape == 0:
			quotes[s.delimiter] = t.quoted > 0 || t.opened > 0
		case s.quote == '\'' && (t.quoted < 3 || t.quoted < len(t.records)/2 || t.faults > 0):
			continue
		case s.escape != 0 && t.escaped == 0 && i > 0, s.quote == 0 && set.Quote == "" && len(t.records) < 4:
			continue // there is nothing that shows it
		}
		if i == 0 {
			if most, share := t.usual(); most > 1 && share >= certain && t.faults == 0 && set.Delimiter == "" && !t.suspect() {
				return s, t, true // it is as RFC 4180 has it
			}
			score *= margin
		}
		switch {
		case score > bestScore*1.000001:
			second, bestScore, best, found = bestScore, score, s, t
		case score > second && s.delimiter != best.delimiter:
			second = score
		}
	}
	if set.Delimiter == "" && found.records != nil && best.delimiter != all[0].delimiter && !found.holds() {
		found.records = nil // it is in some lines only: they are text
	}
	if found.records == nil {
		best = all[0]
		found = split(text, best, whole, scoredRecords)
	}
	if set.Delimiter == "" {
		if s, t, ok := spaced(text, whole, set, &found); ok {
			return s, t, true
		}
	}
	if doubled := best; set.Delimiter == "" && len(best.delimiter) == 1 {
		doubled.delimiter += best.delimiter
		if t := split(text, doubled, whole, scoredRecords); found.alternates() && t.holds() {
			best, found = doubled, t
		}
	}
	return best, found, second < bestScore*0.8
}

// spaced tries spaces, where nothing else makes a table of the text. They are in every text, so that little is left to accident: several
// columns, and every record has as many.
func spaced(text []byte, whole bool, set Setting, otherwise *table) (style, table, bool) {
	const fewest = 4 // columns, and records
	if usual, share := otherwise.usual(); usual > 1 && share >= certain {
		return style{}, table{}, false
	}
	set.Delimiter = " "
	s, t, _ := choose(text, whole, set)
	usual, share := t.usual()
	return s, t, usual >= fewest && share >= certain && len(t.records) >= fewest && t.faults == 0
}

// holds reports whether most records have as many cells, and several, from the first that has so many on.
func (t *table) holds() bool {
	const most = 0.7
	usual, _ := t.usual()
	if usual < 2 {
		return false
	}
	same, all := 0, 0
	for i := range t.records {
		r := &t.records[i]
		if len(r.cells) == usual {
			same++
		}
		if same > 0 && !r.blank {
			all++
		}
	}
	return float64(same) >= most*float64(all)
}

// alternates reports whether every other cell is empty, as when a delimiter of two characters is taken for one.
func (t *table) alternates() bool {
	usual, _ := t.usual()
	if usual < 3 || usual%2 == 0 {
		return false
	}
	full, all := 0, 0
	for i := range t.records {
		r := &t.records[i]
		if len(r.cells) != usual {
			continue
		}
		for j := 1; j < usual; j += 2 {
			if all++; len(r.cells[j]) > 0 {
				full++
			}
		}
	}
	return full*100 <= all
}

// worthTrying tells styles of which the text has nothing.
func worthTrying(text []byte, s style) bool {
	if !bytes.Contains(text, []byte(s.delimiter)) {
		return false
	}
	switch {
	case s.escape != 0 && bytes.IndexByte(text, s.escape) < 0:
		return false
	case s.quote == '"' && s.escape == 0:
		return true // whether there are any or not
	case s.quote == 0:
		return s.escape != 0 || bytes.IndexByte(text, '"') >= 0
	}
	return bytes.IndexByte(text, s.quote) >= 0
}

// usual is how many cells most records have, and the share of records that do. Records of one cell are preamble, notes and blank
// lines where others have more.
func (t *table) usual() (cells int, share float64) {
	counts := map[int]int{}
	all := 0
	for i := range t.records {
		if !t.records[i].blank {
			counts[len(t.records[i].cells)]++
			all++
		}
	}
	for n, c := range counts {
		if c > counts[cells] || c == counts[cells] && n > cells {
			cells = n
		}
	}
	if all == 0 {
		return 0, 0
	}
	return cells, float64(counts[cells]) / float64(all)
}

// suspect tells a table that is even by accident: another delimiter is within its cells, the same number of times in each record.
func (t *table) suspect() bool {
	if len(t.records) < 2 {
		return false
	}
	cells, _ := t.usual()
	for _, d := range []string{";", "\t", "|"} {
		want := -1
		for i := range t.records {
			r := &t.records[i]
			if r.blank || len(r.cells) != cells {
				continue
			}
			n := 0
			for _, c := range r.cells {
				n += bytes.Count(c, []byte(d))
			}
			if r.quoted || n == 0 || want >= 0 && n != want {
				want = 0
				break
			}
			want = n
		}
		if want >= cells-1 && want > 0 {
			return true
		}
	}
	return false
}

// score is higher the more the records are alike (as many cells each, and many of them) and the more of the cells are values of a
// known kind. The measure is that of van den Burg, Nazábal and Sutton, "Wrangling messy CSV files by detecting row and type
// patterns" (2019), less what quotes in the wrong place take away.
func (t *table) score(s style) float64 {
	lengths := map[int]int{}
	records, known, cells := 0, 0, 0
	for i := range t.records {
		r := &t.records[i]
		if r.blank {
			continue
		}
		records++
		lengths[len(r.cells)]++
		for _, c := range r.cells {
			cells++
			if isKnown(c) {
				known++
			}
		}
	}
	if records == 0 {
		return 0
	}
	pattern := 0.0
	for n, times := range lengths {
		alike := float64(times) / float64(records)
		pattern += alike * alike * max(float64(n)-1, 0.001) / float64(n)
	}
	score := pattern * (0.1 + 0.9*float64(known)/float64(cells))
	score /= 1 + 4*float64(t.faults)/float64(records)
	if s.quote == 0 {
		score *= 0.97 // of equals, the one that quotes
	}
	if s.escape != 0 && t.escaped == 0 {
		score *= 0.9
	}
	return score
}
