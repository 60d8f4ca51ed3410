package ingest

import "time"

// Import is one loading of a batch of drops into staging, and its promotion.
type Import struct {
	ID             ImportID
	Seq            int64 // grows with each import; names its staging tables and orders a tenant's imports
	Tenant         TenantID
	Schema         string // id of the ETL schema it is loaded under
	MappingVersion int    // 0: the schema's own names
	TimeZone       string // of the tenant when the present attempt began; "" before the first
	State          State
	RerunOf        ImportID // the import whose files this one loads again; "" for one of files as they came
	RerunAs        ImportID // the import that loads this one's files again; "" for none, and in lists
	Attempt        int      // 1 with the first worker that takes it up; grows with each that takes it up again

	CreatedAt    time.Time
	StartedAt    *time.Time // first taken up by a worker
	LoadedAt     *time.Time // last row copied
	FinishedAt   *time.Time // staged, rejected, failed or cancelled
	PromotedAt   *time.Time
	RolledBackAt *time.Time

	BytesTotal int64 // of all files
	BytesRead  int64
	Read       int64 // records; Read = Staged + Rejected once validated
	Staged     int64
	Rejected   int64
	Warnings   int64

	Files         []ImportFile
	Tables        []ImportTable
	RowsTotal     int64      // as a database says before it is read; -1 where it does not, 0 for files
	Database      *Database  // that it reads; nil for an import of files, and in lists
	Prerequisites []ImportID // earlier staged imports whose rows this one's refer to

	Error     string     // for people: why it failed or was rejected, or why its last promotion did not go through
	Hint      string     // what to do about it
	Promotion *Promotion // the last one asked for; nil before
}

// Promotion is the passage of an import's staged rows to production.
type Promotion struct {
	RequestedAt time.Time
	RequestedBy string
	StartedAt   *time.Time
	FinishedAt  *time.Time
	Override    string // the reason given for promoting a rejected import
	Counts      PromotionCounts
}

// PromotionCounts says what a promotion did to production.
type PromotionCounts struct {
	Inserted, Updated, Unchanged, Deleted int64
}

// Add adds other to c.
func (c *PromotionCounts) Add(other PromotionCounts) {
	c.Inserted += other.Inserted
	c.Updated += other.Updated
	c.Unchanged += other.Unchanged
	c.Deleted += other.Deleted
}

// FileState says how far a file of an import is.
type FileState string

// The states of a file.
const (
	FileWaiting   FileState = "waiting"
	FileLoading   FileState = "loading"
	FileLoaded    FileState = "loaded"
	FileRefused   FileState = "refused"   // as a whole: unknown table, missing column, unreadable
	FileDuplicate FileState = "duplicate" // delivered again after this import had it; not loaded again
	FileUnpacked  FileState = "unpacked"  // what it holds, or the tables it feeds, are listed as files of their own
	FileUsed      FileState = "used"      // read beside the rows: a lookup table of the mapping, a manifest
)

// ImportFile is one file of an import.
type ImportFile struct {
	Number     int // from 1, in the order of arrival; stored with each staged row
	Drop       DropID
	Path       string // as delivered, "/inbox/daily/Matters.csv"
	Key        string
	Size       int64
	SHA256     [32]byte
	ReceivedAt time.Time

	// Of what is in an archive or workbook, or feeds several tables: Container is the Number of the file that it was unpacked from, 0
	// for one that was delivered as it is. Member is its name within, and Output which of the tables it is read for, from 1; 0
	// where it feeds one.
	Container int
	Member    string
	Output    int

	State    FileState
	Relation string // of a database: what was read; empty for a delivered file
	Table    string // published name; empty while unknown
	Bytes    int64  // read so far
	Read     int64
	Staged   int64
	Rejected int64
	Ignored  []string // headers that match no column
	Notes    []string // warnings on the whole file, for people
	Code     string   // why it was refused: a reject code
	Error    string   // for people
}

// Name is the path by which people know the file: a member's is below its archive's.
func (f *ImportFile) Name() string {
	if f.Member == "" {
		return f.Path
	}
	return f.Path + "/" + f.Member
}

// ImportTable is what an import holds for one table.
type ImportTable struct {
	Name     string // published name
	Read     int64
	Staged   int64
	Rejected int64
	Promoted *PromotionCounts // nil before it was promoted
}

// Progress is what a worker reports while it loads.
type Progress struct {
	BytesRead, Read, Staged, Rejected int64
	Files                             []ImportFile // those that changed
}

// ImportFilter selects imports. Its zero value selects all of them, newest first.
type ImportFilter struct {
	Tenant TenantID // empty: every tenant's
	States []State
	Before int64 // only imports with a smaller Seq; 0: from the newest
	Limit  int   // 1 to MaxPage; 0: DefaultPage
}

// Page sizes of lists.
const (
	DefaultPage = 50
	MaxPage     = 500
)
