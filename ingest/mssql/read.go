package mssql

// Part is what one Read reads: a relation or a range of it, or a query.
type Part struct {
	Schema, Name string
	Query        string   // instead of schema and name
	Columns      []string // to be read, in order; empty: all
	Key          string   // the relation's key, where it is read in parts
	After        string   // encoded key of the last row before, PartResult.Last; "" from the start
	Limit        int64    // rows at most; 0: all in one
	SinceColumn  string   // incremental: a rowversion, a date and time, or an integer
	Since, Until string   // rows with SinceColumn > Since and <= Until, as MaxSince and HighMark encode them; "": no bound
	Expected     int64    // rows, where known
}

// PartResult is what a Read read.
type PartResult struct {
	Rows     int64
	Last     string   // encoded key of the last row; opaque
	More     bool     // the limit was reached: read on after Last
	Columns  []Column // as written
	MaxSince string   // the greatest value of SinceColumn, encoded; "" if there was none
	Notes    []string // what was done otherwise than asked for
}
