package mapping

import "fmt"

// ragged says what becomes of records that have other than the header's number of fields.
type ragged uint8

const (
	raggedRefuse ragged = iota
	raggedFill          // those that lack fields at their end are taken to have empty ones
	raggedFit           // and of those that have more, these are left out
)

var raggedNames = map[string]ragged{"refuse": raggedRefuse, "fill": raggedFill, "fit": raggedFit}

// levelled counts the records that were brought to the header's number of fields.
type levelled struct{ filled, cut, firstFilled, firstCut int64 }

// level brings the present record to the header's number of fields, if the mapping lets it.
func (r *Reader) level() bool {
	s, l := r.scan, &r.levelled
	if width := r.plan.width; s.count < width {
		if r.ragged == raggedRefuse {
			return false
		}
		for i := s.count; i < width; i++ {
			s.fields[i] = span{}
		}
		if l.filled++; l.filled == 1 {
			l.firstFilled = s.line
		}
	} else {
		if r.ragged != raggedFit {
			return false
		}
		if l.cut++; l.cut == 1 {
			l.firstCut = s.line
		}
	}
	s.count = r.plan.width
	return true
}

// told are the notes.
func (l *levelled) told() []string {
	var notes []string
	if l.filled > 0 {
		notes = append(notes, fmt.Sprintf("%s fields at the end, which are taken for empty (the first in line %d)",
			counted(l.filled, "record lacks", "records lack"), l.firstFilled))
	}
	if l.cut > 0 {
		notes = append(notes, fmt.Sprintf("%s more fields than the header, and those are left out (the first in line %d)",
			counted(l.cut, "record has", "records have"), l.firstCut))
	}
	return notes
}

func counted(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
