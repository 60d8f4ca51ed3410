package loader

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"sync"
	"time"

	"dropline/ingest"
	"dropline/ingest/ledger"
	"dropline/loader/staging"

	"github.com/jackc/pgx/v5"
)

// Names of an import's reports, below its key in the bucket and in /reports.
const (
	rejectsName = "rejects.csv"
	receiptName = "receipt.json"
)

// RejectsHeader is the header of the rejects file.
func RejectsHeader() []string {
	return []string{
		"file", "table", "record", "line", "column", "header", "code", "message", "value", "importId", "offset", "length", "output",
	}
}

func reportKey(imp ingest.Import, name string) string {
	return ingest.ReportPrefix + string(imp.Tenant) + "/" + string(imp.ID) + "/" + name
}

// rejectsFile writes an import's rejects to the bucket as they come, and keeps the first for the ledger. Nothing is
// written while there are none.
type rejectsFile struct {
	mu     sync.Mutex // parts of a database are read side by side
	bucket ingest.Bucket
	key    string
	object ingest.ObjectWriter
	csv    *csv.Writer
	sample []ingest.Reject
	record []string
}

func newRejectsFile(bucket ingest.Bucket, imp ingest.Import) *rejectsFile {
	return &rejectsFile{bucket: bucket, key: reportKey(imp, rejectsName)}
}

func (f *rejectsFile) add(ctx context.Context, r ingest.Reject) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.object == nil {
		object, err := f.bucket.Create(ctx, f.key)
		if err != nil {
			return err
		}
		f.object, f.csv = object, csv.NewWriter(object)
		if err := f.csv.Write(RejectsHeader()); err != nil {
			return err
		}
	}
	if len(f.sample) < ingest.MaxSampleReject {
		f.sample = append(f.sample, r)
	}
	f.record = append(
		f.record[:0], r.File, r.Table, strconv.FormatInt(r.Record, 10), strconv.FormatInt(r.Line, 10), r.Column,
		r.Header, r.Code, r.Message, r.Value, r.ImportID, strconv.FormatInt(r.Offset, 10), strconv.FormatInt(r.Length, 10),
		strconv.Itoa(r.Output),
	)
	return f.csv.Write(f.record)
}

// commit makes the file durable. It reports false when there are no rejects.
func (f *rejectsFile) commit(ctx context.Context) (ledger.Report, bool, error) {
	if f.object == nil {
		return ledger.Report{}, false, nil
	}
	f.csv.Flush()
	if err := f.csv.Error(); err != nil {
		return ledger.Report{}, false, err
	}
	if _, err := f.object.Commit(ctx, nil); err != nil {
		return ledger.Report{}, false, err
	}
	return ledger.Report{Name: rejectsName, Key: f.key, Size: f.object.Size()}, true, nil
}

// discard gives up what was not committed.
func (f *rejectsFile) discard(ctx context.Context) {
	if f.object != nil {
		ctx, cancel := recordContext(ctx)
		defer cancel()
		_ = f.object.Abort(ctx) // the sweep ends it if this does not
	}
}

// finish writes the reports and records the outcome, if the rows are still there then.
func (r *run) finish(ctx context.Context, checked staging.CheckResult) error {
	out := r.outcome(checked)
	rejects, any, err := r.rejects.commit(ctx)
	if err != nil {
		return err
	}
	if any {
		out.Reports = append(out.Reports, rejects)
	}
	receipt, err := r.writeReceipt(ctx, out)
	if err != nil {
		return err
	}
	out.Reports = append(out.Reports, receipt)
	var imp ingest.Import
	err = r.l.cfg.Store.Seal(ctx, r.target, func(ctx context.Context, tx pgx.Tx) error {
		var err error
		imp, err = r.l.cfg.Ledger.RecordFinished(ctx, tx, r.imp.ID, r.imp.Attempt, out)
		return err
	})
	if err != nil {
		return err
	}
	r.l.cfg.Logger.InfoContext(
		ctx, "import ended", "import", imp.ID, "tenant", imp.Tenant, "state", imp.State, "read", out.Read,
		"staged", out.Staged, "rejected", out.Rejected, "took", r.l.cfg.Clock().Sub(r.started),
	)
	return nil
}

// receipt is what a client finds in /reports: totals per file and table. The rejects are beside it.
type receipt struct {
	RequestID ingest.ImportID `json:"requestId"`
	State     ingest.State    `json:"state"`
	Error     string          `json:"error,omitempty"`
	Hint      string          `json:"hint,omitempty"`
	Received  time.Time       `json:"received"`
	Finished  time.Time       `json:"finished"`
	Mapping   int             `json:"mappingVersion"`
	counts
	Warnings int64          `json:"warnings"`
	Database *receiptSource `json:"database,omitempty"`
	Files    []receiptFile  `json:"files"`
	Tables   []receiptTable `json:"tables"`
}

type counts struct {
	Read     int64 `json:"rowsRead"`
	Staged   int64 `json:"rowsStaged"`
	Rejected int64 `json:"rowsRejected"`
}

type receiptFile struct {
	Path   string           `json:"path"`
	From   string           `json:"relation,omitempty"` // of a database
	Output int              `json:"output,omitempty"`   // which of the tables that are made of it
	SHA256 string           `json:"sha256,omitempty"`
	State  ingest.FileState `json:"state"`
	Table  string           `json:"table,omitempty"`
	counts
	Ignored []string `json:"ignoredColumns,omitempty"`
	Notes   []string `json:"notes,omitempty"`
	Code    string   `json:"code,omitempty"`
	Error   string   `json:"error,omitempty"`
}

// sumOf is a file's SHA-256 in hex; empty where there was nothing to hash.
func sumOf(f *ingest.ImportFile) string {
	if f.SHA256 == [sha256.Size]byte{} {
		return ""
	}
	return hex.EncodeToString(f.SHA256[:])
}

// receiptSource is the database that was imported.
type receiptSource struct {
	Server        string          `json:"server"`
	Database      string          `json:"database"`
	Version       string          `json:"version,omitempty"`
	Isolation     string          `json:"isolation"`
	IsolationNote string          `json:"isolationNote,omitempty"`
	Snapshots     int             `json:"snapshots,omitempty"`
	IncrementalOf ingest.ImportID `json:"incrementalOf,omitempty"`
	Missing       []string        `json:"missingTables,omitempty"`
	Ignored       []string        `json:"ignoredTables,omitempty"`
	Notes         []string        `json:"notes,omitempty"`
}

func receiptSourceOf(d *ingest.Database) *receiptSource {
	if d == nil || d.Plan == nil {
		return nil
	}
	return &receiptSource{
		Server: d.Server, Database: d.Name, Version: d.Plan.Version, Isolation: d.Plan.Isolation, IsolationNote: d.Plan.IsolationNote,
		Snapshots: d.Snapshots, IncrementalOf: d.BaseID, Missing: d.Plan.Missing, Ignored: d.Plan.Ignored, Notes: d.Plan.Notes,
	}
}

type receiptTable struct {
	Table string `json:"table"`
	counts
}

func (r *run) writeReceipt(ctx context.Context, out ledger.Outcome) (ledger.Report, error) {
	doc := receipt{
		RequestID: r.imp.ID, State: out.State, Error: out.Error, Hint: out.Hint, Received: r.imp.CreatedAt,
		Finished: r.l.cfg.Clock().UTC(), Mapping: r.imp.MappingVersion,
		counts: counts{out.Read, out.Staged, out.Rejected}, Warnings: out.WarningCount, Database: receiptSourceOf(r.imp.Database),
	}
	for _, f := range out.Files {
		doc.Files = append(doc.Files, receiptFile{
			Path: f.Name(), From: f.Relation, Output: f.Output, SHA256: sumOf(&f), State: f.State, Table: f.Table,
			counts:  counts{f.Read, f.Staged, f.Rejected},
			Ignored: f.Ignored, Notes: f.Notes, Code: f.Code, Error: f.Error,
		})
	}
	for _, t := range out.Tables {
		doc.Tables = append(doc.Tables, receiptTable{t.Name, counts{t.Read, t.Staged, t.Rejected}})
	}
	body, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return ledger.Report{}, err
	}
	return r.writeReport(ctx, receiptName, append(body, '\n'))
}
