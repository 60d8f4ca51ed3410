package api

import (
	"encoding/hex"
	"math"
	"path"
	"time"

	"dropline/ingest"
)

const (
	loadingShare    = 80 // percent of the whole that reading the files makes up
	validatingShare = 19 // and the checks; the last one is being staged
	firstErrors     = 20 // rejects and warnings shown with a status
)

// summaryOf is an import as lists show it.
func summaryOf(imp *ingest.Import, now time.Time) ImportSummary {
	base := "/etl/imports/" + string(imp.ID)
	var expected *int64
	if imp.RowsTotal > 0 || imp.RowsTotal == 0 && imp.Database != nil && imp.Database.Plan != nil {
		expected = ptr(imp.RowsTotal)
	}
	return ImportSummary{
		RowsExpected: expected,
		RequestID:    string(imp.ID), Tenant: string(imp.Tenant), Number: imp.Seq, Schema: imp.Schema, MappingVersion: imp.MappingVersion,
		RerunOf: string(imp.RerunOf), State: string(imp.State), Percent: percentOf(imp, now), Attempt: imp.Attempt,
		RowsRead: imp.Read, RowsStaged: imp.Staged, RowsRejected: imp.Rejected, Warnings: imp.Warnings,
		BytesRead: imp.BytesRead, BytesTotal: imp.BytesTotal,
		CreatedAt: imp.CreatedAt.UTC(), StartedAt: utc(imp.StartedAt), LoadedAt: utc(imp.LoadedAt),
		FinishedAt: utc(imp.FinishedAt), PromotedAt: utc(imp.PromotedAt), RolledBackAt: utc(imp.RolledBackAt),
		Error: imp.Error, Hint: imp.Hint,
		Links: Links{
			Self: base, Status: "/etl/import-status/" + string(imp.ID), Rejects: base + "/rejects",
			RejectsCSV: base + "/rejects.csv", Rows: base + "/rows",
		},
	}
}

// statusOfImport is all there is to know about an import.
func statusOfImport(imp *ingest.Import, rejects, warnings []ingest.Reject, now time.Time) ImportStatus {
	st := ImportStatus{
		ImportSummary: summaryOf(imp, now), RerunAs: string(imp.RerunAs), Timings: timingsOf(imp, now), Database: databaseOf(imp.Database),
		Files: make([]ImportFile, 0, len(imp.Files)), Tables: make([]ImportTable, 0, len(imp.Tables)),
		Prerequisites: make([]string, 0, len(imp.Prerequisites)), Promotion: promotionOf(imp, now),
		FirstErrors: rejectsOf(rejects), FirstWarnings: rejectsOf(warnings),
	}
	for i := range imp.Files {
		file := fileOf(&imp.Files[i])
		if imp.Files[i].Drop == "" { // a relation that was refused before anything of it was read
			file.SHA256, file.ReceivedAt = "", imp.CreatedAt.UTC()
		}
		st.Files = append(st.Files, file)
	}
	for _, t := range imp.Tables {
		table := ImportTable{Name: t.Name, RowsRead: t.Read, RowsStaged: t.Staged, RowsRejected: t.Rejected}
		if t.Promoted != nil {
			table.Promoted = ptr(PromotionCounts(*t.Promoted))
		}
		st.Tables = append(st.Tables, table)
	}
	for _, id := range imp.Prerequisites {
		st.Prerequisites = append(st.Prerequisites, string(id))
	}
	return st
}

func fileOf(f *ingest.ImportFile) ImportFile {
	return ImportFile{
		Number: f.Number, Name: path.Base(f.Name()), Path: f.Name(), Container: f.Container, Member: f.Member, Output: f.Output, Relation: f.Relation, Drop: string(f.Drop), State: string(f.State),
		Duplicate: f.State == ingest.FileDuplicate, Table: f.Table,
		RowsRead: f.Read, RowsStaged: f.Staged, RowsRejected: f.Rejected, BytesRead: f.Bytes, Size: f.Size,
		SHA256: hex.EncodeToString(f.SHA256[:]), ReceivedAt: f.ReceivedAt.UTC(),
		IgnoredColumns: append([]string{}, f.Ignored...), Notes: append([]string{}, f.Notes...), Code: f.Code, Error: f.Error,
	}
}

func rejectsOf(rejects []ingest.Reject) []Reject {
	out := make([]Reject, 0, len(rejects))
	for i := range rejects {
		r := &rejects[i]
		out = append(out, Reject{
			File: r.File, Output: r.Output, Table: r.Table, Record: r.Record, Line: r.Line, Column: r.Column, Header: r.Header, Code: r.Code,
			Message: r.Message, Value: r.Value, ImportID: r.ImportID, Offset: r.Offset, Length: r.Length,
		})
	}
	return out
}

// percentOf never falls while an attempt lasts: bytes only grow, and nothing tells how far the checks are, so that they
// approach their end in proportion to the time that loading took.
func percentOf(imp *ingest.Import, now time.Time) int {
	switch imp.State {
	case ingest.Queued, ingest.Unmapped:
		return 0
	case ingest.Loading:
		return loadedPercent(imp)
	case ingest.Validating:
		return validatedPercent(imp, now)
	case ingest.Failed, ingest.Cancelled:
		if imp.LoadedAt != nil && imp.FinishedAt != nil {
			return validatedPercent(imp, *imp.FinishedAt)
		}
		return loadedPercent(imp)
	case ingest.Staged, ingest.Rejected, ingest.Promoting, ingest.Promoted, ingest.RollingBack, ingest.RolledBack:
	}
	return 100
}

// unknownRows is how many rows of a database that does not say how many it has take the percentage near its end.
const unknownRows = 1_000_000

func loadedPercent(imp *ingest.Import) int {
	switch {
	case imp.RowsTotal > 0:
		return int(loadingShare * min(1, float64(imp.Read)/float64(imp.RowsTotal)))
	case imp.RowsTotal < 0:
		return int(loadingShare * (1 - math.Exp(-float64(imp.Read)/unknownRows)))
	}
	if imp.BytesTotal <= 0 || imp.BytesRead <= 0 {
		return 0
	}
	return int(loadingShare * min(1, float64(imp.BytesRead)/float64(imp.BytesTotal)))
}

func validatedPercent(imp *ingest.Import, now time.Time) int {
	if imp.LoadedAt == nil || imp.StartedAt == nil {
		return loadingShare
	}
	took := max(imp.LoadedAt.Sub(*imp.StartedAt), time.Second)
	since := max(now.Sub(*imp.LoadedAt), 0)
	return loadingShare + int(validatingShare*(1-math.Exp(-since.Seconds()/took.Seconds())))
}

// timingsOf measures the stretches of an import up to its end, or to now where it is under way.
func timingsOf(imp *ingest.Import, now time.Time) Timings {
	var t Timings
	end := now
	if imp.FinishedAt != nil {
		end = *imp.FinishedAt
	}
	t.Total = seconds(imp.CreatedAt, end)
	if imp.StartedAt == nil {
		t.Queued = seconds(imp.CreatedAt, end)
		return t
	}
	t.Queued = seconds(imp.CreatedAt, *imp.StartedAt)
	if imp.State == ingest.Queued {
		return t
	}
	if imp.LoadedAt == nil {
		t.Loading = seconds(*imp.StartedAt, end)
		return t
	}
	t.Loading = seconds(*imp.StartedAt, *imp.LoadedAt)
	t.Validating = seconds(*imp.LoadedAt, end)
	return t
}

func promotionOf(imp *ingest.Import, now time.Time) *Promotion {
	p := imp.Promotion
	if p == nil {
		return nil
	}
	out := &Promotion{
		State: promotionState(imp), RequestedAt: p.RequestedAt.UTC(), RequestedBy: p.RequestedBy,
		StartedAt: utc(p.StartedAt), FinishedAt: utc(p.FinishedAt), Override: p.Override, Counts: PromotionCounts(p.Counts),
	}
	switch {
	case p.StartedAt != nil && p.FinishedAt != nil:
		out.Seconds = seconds(*p.StartedAt, *p.FinishedAt)
	case p.StartedAt != nil && imp.State == ingest.Promoting:
		out.Seconds = seconds(*p.StartedAt, now)
	}
	return out
}

func promotionState(imp *ingest.Import) string {
	switch imp.State {
	case ingest.Promoting:
		if imp.Promotion.StartedAt == nil {
			return "requested"
		}
		return "running"
	case ingest.Promoted:
		return "promoted"
	case ingest.RollingBack:
		return "rolling_back"
	case ingest.RolledBack:
		return "rolled_back"
	case ingest.Queued, ingest.Loading, ingest.Unmapped, ingest.Validating, ingest.Staged, ingest.Rejected, ingest.Failed, ingest.Cancelled:
	}
	return "failed"
}

// seconds is the time between two instants to the millisecond, never below 0: clocks of different machines differ.
func seconds(from, to time.Time) *float64 {
	return ptr(float64(max(to.Sub(from), 0).Round(time.Millisecond).Milliseconds()) / 1000)
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	return ptr(t.UTC())
}
