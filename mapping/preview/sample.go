package preview

import (
	"slices"
	"strconv"
	"time"

	"dropline/ingest"
	"dropline/schema"
)

// maxShown is how many bytes are shown of a value: a text may have megabytes.
const maxShown = 500

// Sample is the first rows of a table as people read them.
type Sample struct {
	Table *schema.Table
	Most  int // rows
	rows  [][]*string
}

// Add takes in a row, unless there are enough.
func (s *Sample) Add(row *ingest.Row) {
	if len(s.rows) >= s.Most {
		return
	}
	shown := make([]*string, len(row.Values))
	for i := range row.Values {
		if v := &row.Values[i]; !v.Null {
			text := Text(s.Table.Columns[i], v)
			shown[i] = &text
		}
	}
	s.rows = append(s.rows, shown)
}

// Show returns the columns of which a row has a value, the key's first of all being always one of them, and the rows.
func (s *Sample) Show() ([]string, [][]*string) {
	if len(s.rows) == 0 {
		return nil, nil
	}
	var names []string
	var kept []int
	for i, c := range s.Table.Columns {
		if c == s.Table.Key || slices.ContainsFunc(s.rows, func(row []*string) bool { return row[i] != nil }) {
			names, kept = append(names, c.Name), append(kept, i)
		}
	}
	rows := make([][]*string, len(s.rows))
	for r, row := range s.rows {
		rows[r] = make([]*string, len(kept))
		for k, i := range kept {
			rows[r][k] = row[i]
		}
	}
	return names, rows
}

// Text is a value as it would be staged: an enumeration's member by its name, a date as 2026-11-22, a timestamp in UTC, a reference
// as it was received. It is cut to 500 bytes.
func Text(c *schema.Column, v *ingest.Value) string {
	switch c.Kind {
	case schema.Integer, schema.BigInt:
		return strconv.FormatInt(v.Int, 10)
	case schema.Enumerate:
		if c.Enum != nil {
			for _, member := range c.Enum.Values {
				if int64(member.Number) == v.Int {
					return member.Name
				}
			}
		}
		return strconv.FormatInt(v.Int, 10)
	case schema.Boolean:
		return strconv.FormatBool(v.Int != 0)
	case schema.Date:
		return time.Unix(0, 0).UTC().AddDate(0, 0, int(v.Int)).Format(time.DateOnly)
	case schema.Timestamp:
		return time.UnixMicro(v.Int).UTC().Format("2006-01-02T15:04:05.999999Z07:00")
	case schema.Text, schema.List, schema.Decimal, schema.Reference:
	}
	return ingest.CutText(string(v.Text), maxShown)
}
