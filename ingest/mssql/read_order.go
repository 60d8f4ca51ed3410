package mssql

import (
	"database/sql/driver"
	"fmt"
	"strconv"

	"dropline/ingest"
)

// keyOrder holds the rows of a part to what reading on after the last of them rests on: each key once, none that was read before,
// and, where the key is a number, ascending. Otherwise rows would be missed in silence, or the same ones read without end.
type keyOrder struct {
	part   *Part
	number bool
	seen   bool // a key before: the last of the part before, or of this
	last   int64
	text   string
	guid   [16]byte
	first  string // the last of the part before, of a GUID
}

func newKeyOrder(q *plan) *keyOrder {
	o := &keyOrder{part: q.part, number: isInteger(q.read[q.keyAt].base)}
	if q.part.After == "" {
		return o
	}
	o.seen, o.text, o.first = true, q.after.text, q.after.text
	if o.number {
		o.last, _ = strconv.ParseInt(q.after.text, 10, 64) // parseKey has checked it
	}
	return o
}

// see looks at the key of the next row.
func (o *keyOrder) see(v driver.Value) error {
	before := o.seen
	again := false
	switch v := v.(type) {
	case nil: // which sort before all others, so that the first part may begin with them
		if before {
			return nullKey(o.part)
		}
		return nil
	case int64:
		if o.number && before && v < o.last {
			return o.broken("the server does not keep the order that it was asked for")
		}
		again, o.last = v == o.last, v
	case string:
		again, o.text = v == o.text, v
	case []byte:
		var id [16]byte
		if copy(id[:], v) == len(id) {
			again = id == o.guid
			if o.first != "" {
				again, o.first = string(appendGUID(nil, v)) == o.first, ""
			}
			o.guid = id
		}
	}
	o.seen = true
	if before && again {
		return o.broken("the same key came twice")
	}
	return nil
}

func (o *keyOrder) broken(what string) error {
	return ingest.WithHint(
		ingest.E(ingest.Invalid, "mssql.Read", fmt.Errorf("%s cannot be read in parts by %s: %s, so that rows would be missed", o.part.String(), shown(o.part.Key), what)),
		"let the mapping's key name a column that is unique, or none")
}

func nullKey(p *Part) error {
	return ingest.WithHint(
		ingest.E(ingest.Invalid, "mssql.Read", fmt.Errorf("%s cannot be read in parts by %s: it is NULL in rows of it", p.String(), shown(p.Key))),
		"let the mapping's key name a column that is never NULL, or none")
}
