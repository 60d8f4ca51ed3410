package tdstest

import (
	"errors"
	"sync"
)

// resultColumn is a column of a table or of a result.
type resultColumn struct {
	name     string
	typ      sqlType
	nullable bool
	// notNull is what is true of the rows, whatever the metadata says.
	notNull, computed, identity bool
	// base is set where it is a table's column and not an expression; table is the schema and the name of that table.
	base  bool
	table []string
}

// The bits of Flags in COLMETADATA: MS-TDS 2.2.7.4.
const (
	flagNullable      = 0x0001
	flagUpdatableMay  = 0x0008
	flagIdentity      = 0x0010
	flagComputed      = 0x0020
	nbcRowsLeastNulls = 2
)

func (r *resultColumn) flags() uint16 {
	var f uint16
	if r.nullable {
		f |= flagNullable
	}
	switch {
	case r.identity:
		f |= flagIdentity
	case !r.base || r.computed:
		f |= flagComputed
	case r.typ.kind != kindRowversion:
		f |= flagUpdatableMay
	}
	return f
}

// appendRow appends ROW, or NBCROW where the row has NULLs enough that it is the shorter.
func appendRow(b []byte, cols []resultColumn, row []any) []byte {
	nulls := 0
	for _, v := range row {
		if v == nil {
			nulls++
		}
	}
	bitmap := nulls >= max(nbcRowsLeastNulls, (len(cols)+7)/8)
	if !bitmap {
		b = append(b, tokenRow)
	} else {
		b = append(b, tokenNBCRow)
		at := len(b)
		b = append(b, make([]byte, (len(cols)+7)/8)...)
		for i, v := range row {
			if v == nil {
				b[at+i/8] |= 1 << (i % 8)
			}
		}
	}
	for i, v := range row {
		if v == nil && bitmap {
			continue
		}
		b = cols[i].typ.appendValue(b, v, cols[i].nullable)
	}
	return b
}

// emitter sends the rows of one result.
type emitter struct {
	c      *session
	cols   []resultColumn
	target []sqlType // what DeclareWrongType converts to, else nil
	watch  *definition
	buf    []byte
	rows   uint64
}

// row sends one row. It is an error when the client has cancelled or is gone, or when a fault happens.
func (e *emitter) row(row []any) (bool, error) {
	for i, t := range e.target {
		v, err := convert(row[i], t)
		if err != nil {
			return false, err
		}
		row[i] = v
	}
	e.buf = appendRow(e.buf[:0], e.cols, row)
	return true, e.send(e.buf)
}

func (e *emitter) send(row []byte) error {
	e.c.out.put(row)
	e.rows++
	switch {
	case e.c.out.failed():
		return errGone
	case e.c.cancelled():
		return errAttention
	case e.watch != nil:
		return e.c.meetFaults(e.watch)
	default:
		return nil
	}
}

// cacheChunk is how many rows lie in one block of a cache.
const cacheChunk = 4096

// rowCache keeps the encoded rows of a generated table by the columns selected.
type rowCache struct {
	mu    sync.Mutex
	bySet map[string]*encodedRows
}

type encodedRows struct {
	blocks [][]byte
	ends   [][]uint32 // where each row of a block ends
}

// encoded gives the rows of these columns, encoding them the first time.
func (d *definition) encoded(key string, cols []resultColumn, places []int) (*encodedRows, error) {
	d.cache.mu.Lock()
	defer d.cache.mu.Unlock()
	if rows := d.cache.bySet[key]; rows != nil {
		return rows, nil
	}
	out := &encodedRows{}
	whole, row := make([]any, len(d.cols)), make([]any, len(places))
	for from := 0; from < d.count; from += cacheChunk {
		var block []byte
		var ends []uint32
		for i := from; i < min(from+cacheChunk, d.count); i++ {
			if err := d.at(i, whole); err != nil {
				return nil, err
			}
			for j, place := range places {
				row[j] = whole[place]
			}
			block = appendRow(block, cols, row)
			ends = append(ends, uint32(len(block)))
		}
		out.blocks = append(out.blocks, append(make([]byte, 0, len(block)), block...))
		out.ends = append(out.ends, ends)
	}
	if d.cache.bySet == nil {
		d.cache.bySet = map[string]*encodedRows{}
	}
	d.cache.bySet[key] = out
	return out, nil
}

// replay sends the rows from low to before high out of the cache.
func (e *emitter) replay(rows *encodedRows, low, high int) error {
	for i := low; i < high; {
		block, ends := rows.blocks[i/cacheChunk], rows.ends[i/cacheChunk]
		at := i % cacheChunk
		from := uint32(0)
		if at > 0 {
			from = ends[at-1]
		}
		n := min(len(ends)-at, high-i)
		if e.watch == nil {
			n = min(n, 256)
			e.rows += uint64(n - 1)
		} else {
			n = 1
		}
		if err := e.send(block[from:ends[at+n-1]]); err != nil {
			return err
		}
		i += n
	}
	return nil
}

// asError gives the SQL error in err.
func asError(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}
