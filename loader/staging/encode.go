package staging

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"dropline/ingest"
	"dropline/schema"

	"github.com/zeebo/xxh3"
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

// encoder turns typed rows into PostgreSQL's binary COPY, in the order of the table's StagingColumns. It allocates nothing
// per row. It is the last one to look at a value before PostgreSQL does, which ends a COPY of millions of rows over a single
// bad one: whatever the reader's contract rules out is an error here that names the place.
type encoder struct {
	tenant  string
	file    int32
	seed    uint64 // of the digests
	table   *schema.Table
	number  int             // of the table in its schema
	columns []encodedColumn // all but the source
	buf     []byte
}

// encodedColumn is one column of the staging table.
type encodedColumn struct {
	system byte // 'i' is the row's id, 'd' its digest; 0 is the definition's
	index  int  // of the definition's column
	name   string
	kind   schema.Kind
	prefix string // of a reference's target
	comma  byte   // between the references of a list
	ids    *idCache
	seen   *referred // what the column refers to
	length int       // of a text, in characters; 0 is unbounded
	whole  int       // digits of a decimal before the point
	scale  int       // and after it
}

// references is the kind of a list of references as the encoder tells kinds apart: other lists are texts.
const references schema.Kind = 255

func newEncoder(t Target, table *schema.Table, file int, seed uint64) *encoder {
	e := &encoder{
		tenant: string(t.Tenant), file: int32(file), seed: seed, table: table, number: slices.Index(t.Schema.Tables, table),
	}
	for _, db := range table.StagingColumns() {
		c := db.Column
		switch {
		case c != nil:
		case db.Name == schema.DigestColumn:
			e.columns = append(e.columns, encodedColumn{system: 'd'})
			continue
		case db.Name == schema.SourceColumn:
			continue // comes last
		default:
			e.columns = append(e.columns, encodedColumn{system: 'i'})
			continue
		}
		column := encodedColumn{index: c.Index, name: c.Name, kind: c.Kind, length: c.Length, whole: c.Precision - c.Scale, scale: c.Scale}
		if c.References != nil {
			column.prefix, column.ids = c.References.Prefix, &idCache{}
			column.seen = &referred{ids: map[[uuidSize]byte]struct{}{}}
			if c.Kind == schema.List {
				column.kind, column.comma = references, c.Separator[0]
			}
		}
		e.columns = append(e.columns, column)
	}
	e.buf = make([]byte, 0, copyBuffer+copyBuffer/4)
	return e
}

// add appends one row.
func (e *encoder) add(row *ingest.Row) error {
	if len(row.Values) != len(e.table.Columns) {
		return fmt.Errorf("record %d of table %s has %d values, not %d", row.Record, e.table.Name, len(row.Values), len(e.table.Columns))
	}
	start, digest := len(e.buf), 0
	b := binary.BigEndian.AppendUint16(e.buf, uint16(len(e.columns)+1))
	var err error
	for i := range e.columns {
		c := &e.columns[i]
		switch c.system {
		case 'i':
			b = e.appendID(b, e.table.Prefix, row.Values[e.table.Key.Index].Text)
			continue
		case 'd':
			b = appendUUID(b, [16]byte{})
			digest = len(b) - uuidSize
			continue
		}
		if b, err = e.value(b, c, &row.Values[c.index]); err != nil {
			e.buf = e.buf[:start]
			return fmt.Errorf("record %d, column %s of table %s: %w", row.Record, c.name, e.table.Name, err)
		}
	}
	// Equal rows of the tenant have equal digests, and by the odds of 128 bits only they. All values have one form each.
	sum := xxh3.Hash128Seed(b[start:], e.seed)
	binary.BigEndian.PutUint64(b[digest:], sum.Hi)
	binary.BigEndian.PutUint64(b[digest+8:], sum.Lo)
	e.buf = e.appendSource(b, row)
	return nil
}

func (e *encoder) value(b []byte, c *encodedColumn, v *ingest.Value) ([]byte, error) {
	if v.Null {
		return binary.BigEndian.AppendUint32(b, nullLength), nil
	}
	switch c.kind {
	case schema.Text, schema.List:
		if !isPlain(v.Text) && (bytes.IndexByte(v.Text, 0) >= 0 || !utf8.Valid(v.Text)) {
			return b, errNotText
		}
		if c.length > 0 && len(v.Text) > c.length && utf8.RuneCount(v.Text) > c.length {
			return b, errTooLong
		}
		return appendBytes(b, v.Text), nil
	case references:
		return e.references(b, c, v.Text), nil
	case schema.Reference:
		return e.reference(b, c, v.Text), nil
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
		return appendInt16(b, int16(v.Int)), nil
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

// isPlain reports whether a text is ASCII without NUL, as nearly all are.
func isPlain(b []byte) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; len(b) >= 8; b = b[8:] {
		if v := binary.LittleEndian.Uint64(b); (v|(v-ones))&highs != 0 {
			return false
		}
	}
	for _, c := range b {
		if c-1 >= utf8.RuneSelf-1 {
			return false
		}
	}
	return true
}

var (
	errNotText    = errors.New("the text is not UTF-8, or holds a NUL character")
	errTooLong    = errors.New("the text is longer than its column")
	errOutOfRange = errors.New("the value is out of its column's range")
)

// appendID appends the digits of a production id computed from an import id.
func (e *encoder) appendID(b []byte, prefix string, importID []byte) []byte {
	return appendUUID(b, schema.ObjectDigits(e.tenant, prefix, importID))
}

const uuidSize = 16

func appendUUID(b []byte, u [uuidSize]byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uuidSize)
	return append(b, u[:]...)
}

// reference appends the digits of the production id that a reference stands for.
func (e *encoder) reference(b []byte, c *encodedColumn, text []byte) []byte {
	if digits, is := schema.ParseObjectID(c.prefix, text); is {
		c.seen.add(digits)
		return appendUUID(b, digits)
	}
	return e.appendReference(b, c, text)
}

// uuidOID is PostgreSQL's number for the type of a list's elements.
const uuidOID = 2950

// references appends a list of references as an array of one dimension, whose elements count from 1.
func (e *encoder) references(b []byte, c *encodedColumn, list []byte) []byte {
	start := len(b)
	for range 6 { // the length in bytes, dimensions, whether there are nulls, the elements' type, how many there are, the first's number
		b = append(b, 0, 0, 0, 0)
	}
	n := uint32(0)
	for more := len(list) > 0; more; n++ {
		var item []byte
		item, list, more = bytes.Cut(list, []byte{c.comma})
		b = e.reference(b, c, item)
	}
	for i, word := range []uint32{uint32(len(b) - start - 4), 1, 0, uuidOID, n, 1} {
		binary.BigEndian.PutUint32(b[start+4*i:], word)
	}
	return b
}

// idCache remembers the production ids of the values that a reference column has had lately: work items come in runs of the
// same matter and employee, and computing an id costs ten times what finding it does. It is direct-mapped: a value's place
// holds the last value that fell there.
type idCache [idCacheSize]struct {
	key []byte // nil: nothing yet
	id  [uuidSize]byte
}

const idCacheSize = 1 << 10 // places; some 100 KiB a column when full

// appendReference appends the digits of the production id of a referenced import id.
func (e *encoder) appendReference(b []byte, c *encodedColumn, importID []byte) []byte {
	hash := uint32(2166136261) // FNV-1a: the keys are short
	for _, ch := range importID {
		hash = (hash ^ uint32(ch)) * 16777619
	}
	place := &c.ids[(hash^hash>>16)%idCacheSize]
	if place.key == nil || !bytes.Equal(place.key, importID) {
		place.key = append(place.key[:0], importID...)
		place.id = schema.ObjectDigits(e.tenant, c.prefix, importID)
		c.seen.add(place.id) // what is found in its place has been added before
	}
	return appendUUID(b, place.id)
}

func appendBytes(b, value []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(value)))
	return append(b, value...)
}

func appendInt16(b []byte, v int16) []byte {
	b = binary.BigEndian.AppendUint32(b, 2)
	return binary.BigEndian.AppendUint16(b, uint16(v))
}

func appendInt32(b []byte, v int32) []byte {
	b = binary.BigEndian.AppendUint32(b, 4)
	return binary.BigEndian.AppendUint32(b, uint32(v))
}

func appendInt64(b []byte, v int64) []byte {
	b = binary.BigEndian.AppendUint32(b, 8)
	return binary.BigEndian.AppendUint64(b, uint64(v))
}
