package ingest

// Row is one typed record, as mapping yields it and loader/staging writes it. It belongs to the reader that yields it: all
// of it, byte slices included, is overwritten by the reader's next record.
type Row struct {
	Record int64   // from 1, the header not counted
	Line   int64   // from 1, where the record begins
	Offset int64   // of the record's first byte in the file as received
	Length int32   // of the record in bytes, its line end included
	Values []Value // one per column of the table, in order
}

// Value is one typed value. Which field holds it depends on the column's kind.
type Value struct {
	Null bool
	// Int is the value of Integer, BigInt, Enumerate (the number), Boolean (0 or 1), Date (days since 1970-01-01) and
	// Timestamp (microseconds since 1970-01-01 00:00 UTC).
	Int int64
	// Text is the value of Text and List (valid UTF-8 without NUL, within Length), of Decimal (canonical: an optional '-',
	// digits without leading zeros, and at most Scale digits after a '.'; "-0" does not occur), and of Reference (an
	// ImportId or a production id, valid as such). A List of references has several of those, each once, with the column's
	// Separator between them; it is Null where it has none.
	Text []byte
	// Raw is the value as received, before trimming and conversion; nil where it did not come from the file.
	Raw []byte
}

// Rows is a file's records as loader/staging consumes them.
type Rows interface {
	// Next goes to the next record. It returns false at the end of the file or after an error.
	Next() bool
	// Row returns the present record. Of a refused one, only the key and the references may be used, where they are not Null.
	Row() *Row
	// Refused returns why the present record is refused, or nil. It is overwritten by the next record; its File and
	// FileNumber are not set.
	Refused() *Reject
	// Err returns what ended the reading early: *FileRefusal, or an error of the underlying reader.
	Err() error
}
