package mssql

import (
	"bytes"
	"database/sql/driver"
	"strconv"
	"time"
)

// result is what was read and handed on: all of it, or what came before an error.
func (r *reading) result(q *plan) PartResult {
	res := PartResult{Rows: r.written, Columns: exported(r.columns)}
	if r.sinceAt >= 0 {
		res.MaxSince = r.since.encode(q.read[r.sinceAt].base)
	}
	if r.written == 0 {
		return res
	}
	if r.keyAt >= 0 {
		res.Last = encodeKey(q.read[r.keyAt].base, r.writtenKey)
	}
	// More rows than the limit came from a server that does not know TOP, and sent all.
	res.More = q.limit > 0 && r.written == q.limit
	return res
}

// encodeKey is a row's key for Part.After.
func encodeKey(base string, v driver.Value) string {
	switch v := v.(type) {
	case int64:
		return key{base, strconv.FormatInt(v, 10)}.String()
	case string:
		return key{base, v}.String()
	case []byte:
		if len(v) == 16 {
			return key{base, string(appendGUID(nil, v))}.String()
		}
	}
	return ""
}

// greatest finds the greatest value of a column.
type greatest struct {
	seen  bool
	bytes []byte
	time  time.Time
	int   int64
}

func (g *greatest) see(v driver.Value) {
	switch v := v.(type) {
	case []byte:
		if !g.seen || bytes.Compare(v, g.bytes) > 0 {
			g.bytes = append(g.bytes[:0], v...)
		}
	case time.Time:
		if !g.seen || v.After(g.time) {
			g.time = v
		}
	case int64:
		if !g.seen || v > g.int {
			g.int = v
		}
	default:
		return
	}
	g.seen = true
}

// encode is the value for Part.Since.
func (g *greatest) encode(base string) string {
	switch {
	case !g.seen:
		return ""
	case g.bytes != nil:
		return string(appendBytes(nil, g.bytes, kindBinary))
	case !g.time.IsZero():
		return string(appendTime(nil, g.time, valueKindOf(base), 'T'))
	}
	return strconv.FormatInt(g.int, 10)
}
