package staging

import (
	"encoding/binary"
	"errors"
	"fmt"

	"dropline/ingest"
	"dropline/schema"
)

// The source column of a staging table tells where a row came from, packed into one value.
//
// It holds the file's number and the record's, of fixed width so that the order of the bytes is the order of the records;
// then as varints how far the line is ahead of the record, the offset and the length. What a reference looked like in the
// file is not in it: that would be a tenth of the row, and the few who ask can look it up there.
const sourceColumn = schema.SourceColumn

const (
	sourceFile   = 3 // bytes of the file's number
	sourceRecord = 6 // bytes of the record's: more records than an object store's largest object has bytes
)

// fileIn and recordIn render, in SQL, the numbers of the file and of the record in a source.
func fileIn(source string) string {
	return fmt.Sprintf("('x00' || encode(substr(%s, 1, %d), 'hex'))::bit(32)::int", source, sourceFile)
}

func recordIn(source string) string {
	return fmt.Sprintf("('x0000' || encode(substr(%s, %d, %d), 'hex'))::bit(64)::bigint", source, sourceFile+1, sourceRecord)
}

// appendSource appends a row's source with its length before it.
func (e *encoder) appendSource(b []byte, row *ingest.Row) []byte {
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	b = appendPlace(b, e.file, row.Record, row.Line)
	b = binary.AppendUvarint(b, uint64(row.Offset))
	b = binary.AppendUvarint(b, uint64(row.Length))
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b
}

func appendPlace(b []byte, file int32, record, line int64) []byte {
	b = append(b, byte(file>>16), byte(file>>8), byte(file),
		byte(record>>40), byte(record>>32), byte(record>>24), byte(record>>16), byte(record>>8), byte(record))
	return binary.AppendUvarint(b, uint64(line-record))
}

// source is where a row came from.
type source struct {
	File           int
	Record, Line   int64
	Offset, Length int64
}

var errSource = errors.New("a staged row's source is damaged")

// parseSource reads what appendSource wrote. Of a rejected key's source there is only the place.
func parseSource(b []byte) (source, error) {
	if len(b) < sourceFile+sourceRecord {
		return source{}, errSource
	}
	s := source{File: int(b[0])<<16 | int(b[1])<<8 | int(b[2])}
	for _, c := range b[sourceFile : sourceFile+sourceRecord] {
		s.Record = s.Record<<8 | int64(c)
	}
	b = b[sourceFile+sourceRecord:]
	for _, field := range []*int64{&s.Line, &s.Offset, &s.Length} {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			if len(b) == 0 && field != &s.Line {
				s.Line += s.Record
				return s, nil
			}
			return source{}, errSource
		}
		*field, b = int64(v), b[n:]
	}
	s.Line += s.Record
	return s, nil
}
