package api

import (
	"encoding/json"
	"time"
)

// Headers of the API that are not standard ones.
const (
	HeaderIdempotencyKey = "Idempotency-Key"      // request: 1 to 255 visible ASCII characters
	HeaderReplayed       = "Idempotency-Replayed" // response: "true" where a stored answer was given again
	HeaderRequestID      = "X-Request-Id"         // response: names the request in the server's log
)

// PromoteRequest asks for a staged import to be promoted.
type PromoteRequest struct {
	RequestID string `json:"requestId" doc:"The import to promote" example:"import_0123456789abcdef0123456789abcdef" minLength:"1" maxLength:"64"`
	Override  string `json:"override,omitempty" doc:"Why a rejected import shall be promoted all the same, without its refused rows. It is recorded. Needed for an import in state rejected, and for no other." example:"The three refused rows are known test data" maxLength:"1000"`
}

// Started is the answer to a request whose work has been recorded and goes on by itself.
type Started struct {
	Message   string `json:"message" example:"Promotion to production started."`
	RequestID string `json:"requestId" doc:"The import; GET /etl/import-status/{requestId} shows how it goes on" example:"import_0123456789abcdef0123456789abcdef"`
}

// RerunRequest says under which mapping an import's files are loaded again.
type RerunRequest struct {
	MappingVersion *int `json:"mappingVersion,omitempty" minimum:"0" doc:"Version of the tenant's mapping; the latest by default, 0 for the schema's own names"`
}

// Proposal is a mapping that was proposed for the files of an import.
type Proposal struct {
	Mapping string             `json:"mapping" doc:"The mapping file in YAML, with each line's confidence and reason"`
	Clear   bool               `json:"clear" doc:"It leaves nothing open"`
	Lines   []ProposalLine     `json:"lines" nullable:"false"`
	Open    []ProposalQuestion `json:"open" nullable:"false" doc:"What is to be decided"`
}

// ProposalLine is one line of a proposed mapping.
type ProposalLine struct {
	File       string  `json:"file" example:"Kunden.csv"`
	Table      string  `json:"table" example:"Contact"`
	Column     string  `json:"column,omitempty" doc:"Absent: the line says of which table the file is" example:"LastName"`
	From       string  `json:"from,omitempty" doc:"The header, or what else the column is made of" example:"Nachname"`
	Confidence float64 `json:"confidence" minimum:"0" maximum:"1"`
	Reason     string  `json:"reason"`
}

// ProposalQuestion is what a proposal leaves open.
type ProposalQuestion struct {
	File   string `json:"file"`
	Table  string `json:"table,omitempty"`
	Column string `json:"column,omitempty"`
	Header string `json:"header,omitempty"`
	Text   string `json:"text"`
}

// PreviewRequest asks what would become of stored files under a mapping.
type PreviewRequest struct {
	Mapping        string   `json:"mapping,omitempty" doc:"A mapping file in YAML; without it the stored one is used"`
	MappingVersion *int     `json:"mappingVersion,omitempty" minimum:"0" doc:"Version of the tenant's mapping; the latest by default, 0 for the schema's own names"`
	RequestID      string   `json:"requestId,omitempty" doc:"The import whose files are tried" example:"import_0123456789abcdef0123456789abcdef"`
	Drops          []string `json:"drops,omitempty" nullable:"false" maxItems:"50" doc:"Instead: received files"`
	Rows           int      `json:"rows,omitempty" minimum:"0" maximum:"100" doc:"Shown of each table; default 10"`
}

// Preview is what would become of files under a mapping.
type Preview struct {
	Tables []PreviewTable `json:"tables" nullable:"false" doc:"What each file gives each table"`
	Notes  []string       `json:"notes" nullable:"false"`
}

// PreviewTable is what a file gives one table.
type PreviewTable struct {
	File           string          `json:"file" doc:"Below the inbox; of what is in an archive or workbook, below that" example:"Kunden.csv"`
	Output         int             `json:"output,omitempty" doc:"Which of the tables that the mapping makes of the file, from 1; absent where it is one"`
	Table          string          `json:"table,omitempty" example:"Contact"`
	Columns        []string        `json:"columns" nullable:"false" doc:"Those that have values in the rows shown"`
	Rows           [][]*string     `json:"rows" nullable:"false" doc:"The first, as they would be staged; null is no value"`
	RowsRead       int64           `json:"rowsRead"`
	RowsRejected   int64           `json:"rowsRejected" doc:"By mapping; keys and references are not looked at"`
	Whole          bool            `json:"whole" doc:"The file was read to its end; else the counts are of its beginning"`
	FirstErrors    []Reject        `json:"firstErrors" nullable:"false" doc:"The first 20 refused rows"`
	Sources        []PreviewSource `json:"sources" nullable:"false" doc:"Where each column's values come from"`
	IgnoredColumns []string        `json:"ignoredColumns" nullable:"false" doc:"Headers that belong to no column"`
	Notes          []string        `json:"notes" nullable:"false"`
	Code           string          `json:"code,omitempty" doc:"Why the file would be refused as a whole" example:"missing_column"`
	Error          string          `json:"error,omitempty" doc:"The same for people"`
}

// PreviewSource says where a column's values come from.
type PreviewSource struct {
	Column  string   `json:"column" example:"LastName"`
	How     string   `json:"how" doc:"A header of its own name, or what the mapping says" example:"mapping"`
	Headers []string `json:"headers" nullable:"false" doc:"As the file calls them"`
	Value   string   `json:"value,omitempty" doc:"Of a constant or a default"`
}

// ImportSummary is an import as lists show it.
type ImportSummary struct {
	RequestID      string `json:"requestId" doc:"The import's id" example:"import_0123456789abcdef0123456789abcdef"`
	Tenant         string `json:"tenant" example:"acme"`
	Number         int64  `json:"number" doc:"Grows with each import. In SQL its staged rows are the views staging_<tenant>.<table>_<number>" example:"12"`
	Schema         string `json:"schema" doc:"The ETL schema it is loaded under" example:"efimis-1.0"`
	MappingVersion int    `json:"mappingVersion" doc:"Version of the tenant's mapping that it uses; 0 is the schema's own names"`
	State          string `json:"state" enum:"queued,loading,unmapped,validating,staged,rejected,promoting,promoted,rolling_back,rolled_back,failed,cancelled"`
	RerunOf        string `json:"rerunOf,omitempty" doc:"The import whose files it loads again" example:"import_0123456789abcdef0123456789abcdef"`
	Percent        int    `json:"percent" minimum:"0" maximum:"100" doc:"Of loading and validating: up to 80 while files are read, by bytes, or a database, by rows; then up to 99 while rows are checked; 100 once staged or rejected. It starts over only when attempt grows."`
	Attempt        int    `json:"attempt" doc:"1 with the first worker that takes the import up; grows with each that takes it up again"`
	RowsRead       int64  `json:"rowsRead" doc:"Records read; once checked it is rowsStaged + rowsRejected"`
	RowsStaged     int64  `json:"rowsStaged"`
	RowsRejected   int64  `json:"rowsRejected"`
	Warnings       int64  `json:"warnings" doc:"Rows accepted with a warning"`
	RowsExpected   *int64 `json:"rowsExpected,omitempty" doc:"Of an import from a database, as that says; absent where it does not, and for files"`
	BytesRead      int64  `json:"bytesRead"`
	BytesTotal     int64  `json:"bytesTotal" doc:"Of all its files"`

	CreatedAt    time.Time  `json:"createdAt"`
	StartedAt    *time.Time `json:"startedAt,omitempty" doc:"First taken up by a worker"`
	LoadedAt     *time.Time `json:"loadedAt,omitempty" doc:"Last row read into staging"`
	FinishedAt   *time.Time `json:"finishedAt,omitempty" doc:"Staged, rejected, unmapped, failed or cancelled"`
	PromotedAt   *time.Time `json:"promotedAt,omitempty"`
	RolledBackAt *time.Time `json:"rolledBackAt,omitempty"`

	Error string `json:"error,omitempty" doc:"Why it failed or was rejected, or why its last promotion did not go through"`
	Hint  string `json:"hint,omitempty" doc:"What to do about it"`
	Links Links  `json:"links"`
}

// ImportStatus is all there is to know about an import and its promotion.
type ImportStatus struct {
	ImportSummary
	RerunAs       string          `json:"rerunAs,omitempty" doc:"The import that loads its files again"`
	Timings       Timings         `json:"timings"`
	Database      *ImportDatabase `json:"database,omitempty" doc:"What is read of a client's database; absent for an import of files"`
	Files         []ImportFile    `json:"files" nullable:"false"`
	Tables        []ImportTable   `json:"tables" nullable:"false"`
	Prerequisites []string        `json:"prerequisites" nullable:"false" doc:"Earlier staged imports whose rows this one's refer to: they are promoted first"`
	Promotion     *Promotion      `json:"promotion,omitempty" doc:"The last one asked for; absent before"`
	FirstErrors   []Reject        `json:"firstErrors" nullable:"false" doc:"The first 20 refused rows; GET links.rejects has all"`
	FirstWarnings []Reject        `json:"firstWarnings" nullable:"false" doc:"The first 20 rows that were accepted with a warning"`
}

// Timings are durations in seconds, to the millisecond. One that has not begun is absent; one under way grows.
type Timings struct {
	Queued     *float64 `json:"queued,omitempty" doc:"Seconds from createdAt until a worker first took it up"`
	Loading    *float64 `json:"loading,omitempty" doc:"Seconds from then until the last row was read"`
	Validating *float64 `json:"validating,omitempty" doc:"Seconds from then until it was staged or rejected"`
	Total      *float64 `json:"total,omitempty" doc:"Seconds from createdAt until it was staged, rejected, failed or cancelled"`
}

// ImportFile is one file of an import.
type ImportFile struct {
	Number         int       `json:"number" doc:"From 1, in the order of arrival; what is unpacked comes after what was delivered"`
	Name           string    `json:"name" example:"Matters.csv"`
	Path           string    `json:"path" doc:"As delivered; of what is in an archive or workbook, below that" example:"/inbox/daily/Matters.csv"`
	Container      int       `json:"container,omitempty" doc:"Number of the file that it was unpacked from, or one of whose tables it is; absent of what was delivered"`
	Member         string    `json:"member,omitempty" doc:"Its name in that: a path in an archive, a sheet of a workbook" example:"daily/Matters.csv"`
	Output         int       `json:"output,omitempty" doc:"Which of the tables that the mapping makes of it, from 1; absent where it is one"`
	Relation       string    `json:"relation,omitempty" doc:"Of a database: what was read" example:"dbo.Matter"`
	Drop           string    `json:"drop" doc:"Empty for a relation of a database that was refused before it was read" example:"drop_0123456789abcdef0123456789abcdef"`
	State          string    `json:"state" enum:"waiting,loading,loaded,refused,duplicate,unpacked,used"`
	Duplicate      bool      `json:"duplicate" doc:"Delivered again after this import had it; not loaded again"`
	Table          string    `json:"table,omitempty" doc:"Absent while unknown" example:"Matter"`
	RowsRead       int64     `json:"rowsRead"`
	RowsStaged     int64     `json:"rowsStaged"`
	RowsRejected   int64     `json:"rowsRejected"`
	BytesRead      int64     `json:"bytesRead"`
	Size           int64     `json:"size" doc:"Bytes"`
	SHA256         string    `json:"sha256" doc:"Lower-case hex; empty where drop is"`
	ReceivedAt     time.Time `json:"receivedAt"`
	IgnoredColumns []string  `json:"ignoredColumns" nullable:"false" doc:"Headers that match no column of the table"`
	Notes          []string  `json:"notes" nullable:"false" doc:"Warnings on the file as a whole"`
	Code           string    `json:"code,omitempty" doc:"Why the file was refused as a whole" example:"missing_column"`
	Error          string    `json:"error,omitempty" doc:"The same for people"`
}

// ImportTable is what an import holds for one table.
type ImportTable struct {
	Name         string           `json:"name" example:"Matter"`
	RowsRead     int64            `json:"rowsRead"`
	RowsStaged   int64            `json:"rowsStaged"`
	RowsRejected int64            `json:"rowsRejected"`
	Promoted     *PromotionCounts `json:"promoted,omitempty" doc:"Absent before the import was promoted"`
}

// PromotionCounts says what a promotion did to production, in rows.
type PromotionCounts struct {
	Inserted  int64 `json:"inserted"`
	Updated   int64 `json:"updated"`
	Unchanged int64 `json:"unchanged" doc:"Already there as they are; not written"`
	Deleted   int64 `json:"deleted"`
}

// Promotion is the passage of an import's staged rows to production. Its counts per table are in the import's tables.
type Promotion struct {
	State       string          `json:"state" enum:"requested,running,promoted,failed,rolling_back,rolled_back"`
	RequestedAt time.Time       `json:"requestedAt"`
	RequestedBy string          `json:"requestedBy,omitempty"`
	StartedAt   *time.Time      `json:"startedAt,omitempty"`
	FinishedAt  *time.Time      `json:"finishedAt,omitempty"`
	Seconds     *float64        `json:"seconds,omitempty" doc:"From startedAt until it finished, or until now"`
	Override    string          `json:"override,omitempty" doc:"The reason given for promoting a rejected import"`
	Counts      PromotionCounts `json:"counts"`
}

// Links are paths of the API that go on from an import.
type Links struct {
	Self       string `json:"self" example:"/etl/imports/import_0123456789abcdef0123456789abcdef"`
	Status     string `json:"status" example:"/etl/import-status/import_0123456789abcdef0123456789abcdef"`
	Rejects    string `json:"rejects" example:"/etl/imports/import_0123456789abcdef0123456789abcdef/rejects"`
	RejectsCSV string `json:"rejectsCsv" example:"/etl/imports/import_0123456789abcdef0123456789abcdef/rejects.csv"`
	Rows       string `json:"rows" doc:"Give it ?table=" example:"/etl/imports/import_0123456789abcdef0123456789abcdef/rows"`
}

// ImportPage is one page of imports, newest first.
type ImportPage struct {
	Items      []ImportSummary `json:"items" nullable:"false"`
	NextCursor string          `json:"nextCursor,omitempty" doc:"Give it as cursor for the next page; absent at the end"`
}

// Reject is one refused record, or one that was accepted with a warning.
type Reject struct {
	File     string `json:"file" doc:"Path as delivered" example:"/inbox/Matters.csv"`
	Output   int    `json:"output,omitempty" doc:"Which of the tables that the mapping makes of the file, from 1; absent where it is one"`
	Table    string `json:"table" example:"Matter"`
	Record   int64  `json:"record" doc:"From 1, the header not counted"`
	Line     int64  `json:"line" doc:"Of the file, from 1, where the record begins"`
	Column   string `json:"column" doc:"Published name; empty where the record as a whole is refused" example:"OpenDate"`
	Header   string `json:"header" doc:"As the file calls the column" example:"Open Date"`
	Code     string `json:"code" example:"not_a_date"`
	Message  string `json:"message" doc:"What is wrong and what to do"`
	Value    string `json:"value" doc:"As received, cut to 1000 bytes" example:"30/02/2026"`
	ImportID string `json:"importId" doc:"The record's key where it has a valid one"`
	Offset   int64  `json:"offset" doc:"Where the record begins in the file as received, in bytes"`
	Length   int64  `json:"length" doc:"Of the record, in bytes"`
}

// RejectPage is one page of an import's rejects, in the order in which they were found.
type RejectPage struct {
	Items      []Reject `json:"items" nullable:"false"`
	Total      int64    `json:"total" doc:"All rejects of the import"`
	NextCursor string   `json:"nextCursor,omitempty" doc:"Give it as cursor for the next page; absent at the end"`
}

// RowPage is one page of an import's staged rows. Each row is an object with the table's published column names.
type RowPage struct {
	Table      string            `json:"table" example:"Matter"`
	Items      []json.RawMessage `json:"items" nullable:"false" doc:"One object per row: the table's columns by their published names, and the file, record and line it came from"`
	NextCursor string            `json:"nextCursor,omitempty" doc:"Give it as cursor for the next page; absent at the end"`
}

// Drop is one delivered file.
type Drop struct {
	ID          string    `json:"id" doc:"Empty while the file waits for its batch" example:"drop_0123456789abcdef0123456789abcdef"`
	Tenant      string    `json:"tenant" example:"acme"`
	Path        string    `json:"path" example:"/inbox/daily/Matters.csv"`
	Size        int64     `json:"size" doc:"Bytes"`
	SHA256      string    `json:"sha256" doc:"Lower-case hex"`
	Via         string    `json:"via" enum:"sftp,http,bucket,sqlserver"`
	By          string    `json:"by,omitempty" doc:"Label or id of the credential"`
	State       string    `json:"state" enum:"pending,imported,duplicate,superseded,withdrawn,held" doc:"held: waits for its batch to be delivered"`
	DuplicateOf string    `json:"duplicateOf,omitempty" doc:"The drop with the same bytes, in state duplicate"`
	RequestID   string    `json:"requestId,omitempty" doc:"The import it belongs to, once there is one"`
	ReceivedAt  time.Time `json:"receivedAt"`
}

// DropPage is one page of drops, newest first.
type DropPage struct {
	Items      []Drop `json:"items" nullable:"false"`
	NextCursor string `json:"nextCursor,omitempty" doc:"Give it as cursor for the next page; absent at the end"`
}

// Problem is the body of every error answer (RFC 9457, application/problem+json), except those of /oauth2/token.
type Problem struct {
	Type     string         `json:"type" doc:"Names the kind of problem" example:"urn:dropline:problem:conflict"`
	Title    string         `json:"title" doc:"The same for all problems of the type" example:"Conflict"`
	Status   int            `json:"status" doc:"The HTTP status" example:"409"`
	Detail   string         `json:"detail" doc:"What happened" example:"the import is loading, not staged"`
	Instance string         `json:"instance,omitempty" doc:"Path of the request" example:"/etl/promote-to-production"`
	Hint     string         `json:"hint,omitempty" doc:"What to do about it" example:"wait until it is staged"`
	Errors   []ProblemError `json:"errors,omitempty" nullable:"false" doc:"The single faults, where there are several or they have a place"`
}

// ProblemError is one fault in a request.
type ProblemError struct {
	Location string `json:"location,omitempty" doc:"Where: body.requestId, query.limit, or file:line of a mapping" example:"body.requestId"`
	Message  string `json:"message" example:"expected string"`
}

// SuggestRequest names stored files for which a mapping is to be drafted: of an import, or drops.
type SuggestRequest struct {
	RequestID string   `json:"requestId,omitempty" doc:"An import of files" example:"import_0123456789abcdef0123456789abcdef"`
	Drops     []string `json:"drops,omitempty" doc:"Ids of drops, at most 50"`
}
