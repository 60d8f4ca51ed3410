package preview

import (
	"strconv"
	"time"

	"dropline/ingest"
	"dropline/schema"
)

// maxShown is how many bytes are shown of a value: a text may have megabytes.
const maxShown = 500

// Rows are the first rows of a table as they would be staged, as text.
type Rows struct {
	table *schema.Table
	most  int
	rows  [][]*string
	used  []bool // by column: a row has a value
}

// NewRows returns none, of which there may be so many.
func NewRows(t *schema.Table, most int) *Rows {
	return &Rows{table: t, most: most, used: make([]bool, len(t.Columns))}
}

// Add takes in a row that was not refused, if there is room.
func (r *Rows) Add(row *ingest.Row) {
	if len(r.rows) >= r.most {
		return
	}
	out := make([]*string, len(r.table.Columns))
	for i, c := range r.table.Columns {
		if v := &row.Values[i]; !v.Null {
			text := Text(c, v)
			out[i], r.used[i] = &text, true
		}
	}
	r.rows = append(r.rows, out)
}

// Shown returns the columns that have values, and the rows with those.
func (r *Rows) Shown() (columns []string, rows [][]*string) {
	for i, c := range r.table.Columns {
		if r.used[i] {
			columns = append(columns, c.Name)
		}
	}
	for _, row := range r.rows {
		short := make([]*string, 0, len(columns))
		for i, v := range row {
			if r.used[i] {
				short = append(short, v)
			}
		}
		rows = append(rows, short)
	}
	return columns, rows
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
