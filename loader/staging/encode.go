package staging

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"

	"dropline/ingest"
	"dropline/schema"
)

const (
	// copyBuffer is how many bytes of encoded rows are gathered before PostgreSQL gets them: large enough that the cost of
	// handing over does not count, small enough for the processor's cache.
	copyBuffer = 256 << 10
	// epochDays and epochMicros lie between ingest's epoch, 1970-01-01, and PostgreSQL's, 2000-01-01.
	epochDays   = 10957
	epochMicros = epochDays * dayMicros
	dayMicros   = 86400 * 1_000_000
	// minDay and maxDay are the first and last day of the years 1 to 9999, counted from 1970-01-01.
	minDay = -719162
	maxDay = 2932896

	nullLength = 0xFFFFFFFF // the length of an absent value
)

// The frame of a binary COPY: signature, flags and length of the header's extension, then rows, then the trailer.
var (
	copyHeader  = []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	copyTrailer = []byte{0xff, 0xff}
)

// encoder turns typed rows into PostgreSQL's binary COPY, in the order of stagingColumns. It allocates nothing per row.
// It is the last one to look at a value before PostgreSQL does, which ends a COPY of millions of rows over a single
// bad one: whatever the reader's contract rules out is an error here that names the place.
type encoder struct {
	tenant  string
	file    int32
	table   *schema.Table
	columns []encodedColumn
	refs    []int // indexes of reference columns
	fields  uint16
	buf     []byte
}

type encodedColumn struct {
	name   string
	kind   schema.Kind
	prefix string // of a reference's target
	ids    *idCache
	length int // of a text, in characters; 0 is unbounded
	whole  int // digits of a decimal before the point
	scale  int // and after it
}

func newEncoder(tenant ingest.TenantID, table *schema.Table, file int) *encoder {
	e := &encoder{tenant: string(tenant), file: int32(file), table: table}
	for i, c := range table.Columns {
		column := encodedColumn{name: c.Name, kind: c.Kind, length: c.Length, whole: c.Precision - c.Scale, scale: c.Scale}
		if c.Kind == schema.Reference {
			column.prefix, column.ids = c.References.Prefix, &idCache{}
			e.refs = append(e.refs, i)
		}
		e.columns = append(e.columns, column)
	}
	e.fields = uint16(len(stagingColumns(table)))
	e.buf = make([]byte, 0, copyBuffer+copyBuffer/4)
	return e
}

// add appends one row.
func (e *encoder) add(row *ingest.Row) error {
	if len(row.Values) != len(e.columns) {
		return fmt.Errorf("record %d of table %s has %d values, not %d", row.Record, e.table.Name, len(row.Values), len(e.columns))
	}
	start := len(e.buf)
	b := binary.BigEndian.AppendUint16(e.buf, e.fields)
	b = e.appendID(b, e.table.Prefix, row.Values[e.table.Key.Index].Text)
	var err error
	for i := range row.Values {
		if b, err = e.value(b, &e.columns[i], &row.Values[i]); err != nil {
			e.buf = e.buf[:start]
			return fmt.Errorf("record %d, column %s of table %s: %w", row.Record, e.columns[i].name, e.table.Name, err)
		}
	}
	e.buf = e.appendSource(b, row)
	return nil
}

func (e *encoder) value(b []byte, c *encodedColumn, v *ingest.Value) ([]byte, error) {
	if v.Null {
		return binary.BigEndian.AppendUint32(b, nullLength), nil
	}
	switch c.kind {
	case schema.Text, schema.List:
		switch {
		case bytes.IndexByte(v.Text, 0) >= 0 || !utf8.Valid(v.Text):
			return b, errNotText
		case c.length > 0 && len(v.Text) > c.length && utf8.RuneCount(v.Text) > c.length:
			return b, errTooLong
		}
		return appendBytes(b, v.Text), nil
	case schema.Reference:
		if schema.IsObjectID(c.prefix, v.Text) {
			return appendBytes(b, v.Text), nil
		}
		return e.appendReference(b, c, v.Text), nil
	case schema.Decimal:
		return appendNumeric(b, v.Text, c.whole, c.scale)
	case schema.Integer:
		if v.Int != int64(int32(v.Int)) {
			return b, errOutOfRange
		}
		return appendInt32(b, int32(v.Int)), nil
	case schema.BigInt:
		return appendInt64(b, v.Int), nil
	case schema.Enumerate:
		if v.Int != int64(int16(v.Int)) {
			return b, errOutOfRange
		}
		b = binary.BigEndian.AppendUint32(b, 2)
		return binary.BigEndian.AppendUint16(b, uint16(int16(v.Int))), nil
	case schema.Boolean:
		b = binary.BigEndian.AppendUint32(b, 1)
		return append(b, byte(v.Int&1)), nil
	case schema.Date:
		if v.Int < minDay || v.Int > maxDay {
			return b, errOutOfRange
		}
		return appendInt32(b, int32(v.Int-epochDays)), nil
	case schema.Timestamp:
		if v.Int < minDay*dayMicros || v.Int >= (maxDay+1)*dayMicros {
			return b, errOutOfRange
		}
		return appendInt64(b, v.Int-epochMicros), nil
	}
	return b, fmt.Errorf("columns of kind %d are unknown to the encoder", c.kind)
}

var (
	errNotText    = errors.New("the text is not UTF-8, or holds a NUL character")
	errTooLong    = errors.New("the text is longer than its column")
	errOutOfRange = errors.New("the value is out of its column's range")
)

// appendID appends a production id computed from an import id.
func (e *encoder) appendID(b []byte, prefix string, importID []byte) []byte {
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	b = schema.AppendObjectID(b, e.tenant, prefix, importID)
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b
}

// idCache remembers the production ids of the values that a reference column has had lately: work items come in runs of the
// same matter and employee, and computing an id costs ten times what finding it does. It is direct-mapped: a value's place
// holds the last value that fell there.
type idCache [idCacheSize]struct{ key, id []byte }

const idCacheSize = 1 << 10 // places; some 100 KiB a column when full

// appendReference appends the production id of a referenced import id.
func (e *encoder) appendReference(b []byte, c *encodedColumn, importID []byte) []byte {
	hash := uint32(2166136261) // FNV-1a: the keys are short
	for _, ch := range importID {
		hash = (hash ^ uint32(ch)) * 16777619
	}
	place := &c.ids[(hash^hash>>16)%idCacheSize]
	if place.id == nil || !bytes.Equal(place.key, importID) {
		place.key = append(place.key[:0], importID...)
		place.id = schema.AppendObjectID(place.id[:0], e.tenant, c.prefix, importID)
	}
	return appendBytes(b, place.id)
}

func appendBytes(b, value []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(value)))
	return append(b, value...)
}

func appendInt32(b []byte, v int32) []byte {
	b = binary.BigEndian.AppendUint32(b, 4)
	return binary.BigEndian.AppendUint32(b, uint32(v))
}

func appendInt64(b []byte, v int64) []byte {
	b = binary.BigEndian.AppendUint32(b, 8)
	return binary.BigEndian.AppendUint64(b, uint64(v))
}
