package ingest

import "unicode/utf8"

// Codes of rejects and of refused files. A declared check's code is the check's name.
const (
	// On one value.
	CodeRequired       = "required"        // a required value is absent
	CodeNotNumber      = "not_a_number"    // a decimal or integer was expected
	CodeOutOfRange     = "out_of_range"    // more digits than the column holds, or a year outside 1 to 9999
	CodePrecision      = "precision"       // more digits after the point than the column holds
	CodeNotDate        = "not_a_date"      // includes 30 February
	CodeNotTimestamp   = "not_a_timestamp" //
	CodeNotBoolean     = "not_a_boolean"   //
	CodeNotMember      = "not_a_member"    // of the enumeration
	CodeTooLong        = "too_long"        // more characters than the column holds
	CodeInvalidText    = "invalid_text"    // not in the file's encoding, or a NUL character
	CodeInvalidRef     = "invalid_id"      // a reference or key that is no id: of another table's prefix, say
	CodeFieldCount     = "field_count"     // more or fewer fields than the header
	CodeComputed       = "computed"        // an expression of the mapping cannot be computed for it
	CodeQuote          = "quote"           // a quote in the wrong place, or never closed
	CodeRecordTooLong  = "record_too_long" // over the limit of a record
	CodeDuplicateKey   = "duplicate_key"   // several rows of the import have this key: all are refused
	CodeDuplicateValue = "duplicate_value" // of a unique column other than the key
	CodeMissingRef     = "reference"       // names nothing in the import, in production or in an earlier staged import
	CodeParentRejected = "parent_rejected" // names a row that was refused itself

	// On a file as a whole.
	CodeUnknownTable    = "unknown_table"
	CodeEmptyFile       = "empty_file"
	CodeMissingColumn   = "missing_column"
	CodeDuplicateColumn = "duplicate_column"
	CodeUnreadable      = "unreadable"
	CodeManifest        = "manifest" // the delivery is not what its manifest says
)

// Reject is one refused record. Data, never a Go error. A record with several faults is one reject: Column, Code and Value
// are of the first, and Message names the others too.
type Reject struct {
	File       string `json:"file"`             // path as delivered
	FileNumber int    `json:"-"`                // ImportFile.Number
	Output     int    `json:"output,omitempty"` // which of the tables that are made of the file, from 1; 0 where it is one
	Table      string `json:"table"`            // published name
	Record     int64  `json:"record"`           // from 1, the header not counted
	Line       int64  `json:"line"`             // of the file, from 1, where the record begins; the header is usually line 1
	Column     string `json:"column"`           // published name, or "" where the record as a whole is refused
	Header     string `json:"header"`           // as the file calls the column; "" where it does not come from the file
	Code       string `json:"code"`
	Message    string `json:"message"`  // for people: what is wrong and what to do
	Value      string `json:"value"`    // as received, cut to MaxRejectValue bytes
	ImportID   string `json:"importId"` // the record's key where it has a valid one
	Offset     int64  `json:"offset"`   // byte range of the record in the file as received, so that it can be given back
	Length     int64  `json:"length"`
}

// Limits of what is kept of rejects.
const (
	MaxRejectValue  = 1000 // bytes of Value, cut at a character; a longer one is in the file at Offset
	MaxSampleReject = 1000 // rejects of an import that the ledger keeps; all of them are in the rejects file
)

// FileRefusal is why a file as a whole is refused. It is an error so that a reader can return it; it ends in
// ImportFile.Code and Error, not in a job's failure.
type FileRefusal struct {
	Code    string
	Message string   // for people
	Columns []string // for CodeMissingColumn: all of them
}

// Error returns the message.
func (r *FileRefusal) Error() string { return r.Message }

// CutText is valid UTF-8 cut to at most so many bytes, at a character.
func CutText(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}
