package loader

import (
	"context"
	"errors"
	"fmt"

	"dropline/ingest"
	"dropline/ingest/ledger"
	"dropline/loader/staging"
)

// giveUp records why the attempt ended, as far as the import is still this attempt's to speak for.
func (r *run) giveUp(ctx context.Context, cause error, last bool) error {
	stopped := ctx.Err() != nil
	ctx, cancel := recordContext(ctx)
	defer cancel()
	led, kind := r.l.cfg.Ledger, ingest.KindOf(cause)
	switch {
	case stopped:
		return errors.Join(errStopped, led.Release(ctx, r.imp.ID, r.imp.Attempt))
	case kind == ingest.Conflict:
		return r.abandon(ctx, cause)
	case kind == ingest.Invalid || last && kind != ingest.Unavailable: // an outage may last as long as it likes
		message, hint := ingest.MessageOf(cause), ingest.HintOf(cause)
		if kind == ingest.Internal {
			r.l.cfg.Logger.ErrorContext(ctx, "an import failed", "import", r.imp.ID, "err", cause)
			message, hint = "a fault in Dropline ended the import", "tell the operator the import's id; retry takes it up again"
		}
		return led.Fail(ctx, r.imp.ID, r.imp.Attempt, message, hint)
	}
	// Worth another try: the note is a courtesy, and may fail for the very reason that the attempt did.
	note := led.NoteTrouble(ctx, r.imp.ID, r.imp.Attempt, "waiting to try again: "+publicReason(kind))
	return errors.Join(cause, note)
}

// abandon drops the tables of an import that was cancelled. One that another worker has taken over is left to it.
func (r *run) abandon(ctx context.Context, cause error) error {
	imp, err := r.l.cfg.Ledger.Import(ctx, r.imp.Tenant, r.imp.ID)
	if err == nil && imp.State == ingest.Cancelled && r.target.Schema != nil {
		err = r.l.cfg.Store.Drop(ctx, r.target)
	}
	return errors.Join(cause, err)
}

func publicReason(kind ingest.Kind) string {
	switch kind {
	case ingest.Unavailable:
		return "PostgreSQL or S3 is out of reach"
	case ingest.Exhausted:
		return "there is no room left in PostgreSQL or S3"
	case ingest.Internal, ingest.Invalid, ingest.Denied, ingest.NotFound, ingest.Conflict:
	}
	return "the last attempt failed"
}

// outcome decides between staged and rejected, and says why.
func (r *run) outcome(checked staging.CheckResult) ledger.Outcome {
	out := ledger.Outcome{State: ingest.Staged, Files: r.imp.Files, Prerequisites: checked.Prerequisites}
	refused, listed := 0, 0
	r.restBytes()
	for i := range out.Files {
		f := &out.Files[i]
		if f.State == ingest.FileRefused {
			refused++
		}
		if f.State != ingest.FileUnpacked {
			listed++
		}
		n := checked.RejectedByFile[f.Number]
		f.Staged -= n
		f.Rejected += n
		out.Read += f.Read
		out.Staged += f.Staged
		out.Rejected += f.Rejected
		out.BytesRead += f.Bytes
	}
	out.Tables, out.Marks = tablesOf(out.Files), r.marks()
	out.Rejects, out.Warnings, out.WarningCount = r.rejects.sample, r.warnings, r.warned
	switch {
	case refused > 0:
		out.State = ingest.Rejected
		out.Error = fmt.Sprintf("%d of %d files were refused", refused, listed)
		out.Hint = "mend the files that the receipt names, or store a mapping for them, and send them again"
		if r.imp.Database != nil {
			out.Error = fmt.Sprintf("%d of the database's relations were refused", refused)
			out.Hint = "mend the tables that the receipt names, or name the ones to be read in the mapping's database, and import again"
		}
	case overLimit(out.Rejected, out.Read, r.limit):
		out.State = ingest.Rejected
		out.Error = fmt.Sprintf("%d of %d rows were refused, over the limit of %.6g %%", out.Rejected, out.Read, r.limit*100)
		out.Hint = "mend the rows that the rejects name and send the files again, or promote with an override"
		if r.imp.Database != nil {
			out.Hint = "mend the rows that the rejects name and import again, or promote with an override"
		}
	}
	return out
}

// overLimit reports whether more rows were refused than the limit allows; exactly as many as it allows are not too many. As
// floats are a little off (0.29 × 100 is under 29), the bound is raised by far less than a row.
func overLimit(rejected, read int64, limit float64) bool {
	const off = 1e-12
	return float64(rejected) > limit*float64(read)*(1+off)
}

// tablesOf adds up files by table, in the order in which the tables first occur.
func tablesOf(files []ingest.ImportFile) []ingest.ImportTable {
	var tables []ingest.ImportTable
	at := map[string]int{}
	for _, f := range files {
		if f.Table == "" || f.State != ingest.FileLoaded {
			continue
		}
		i, ok := at[f.Table]
		if !ok {
			i = len(tables)
			at[f.Table] = i
			tables = append(tables, ingest.ImportTable{Name: f.Table})
		}
		tables[i].Read += f.Read
		tables[i].Staged += f.Staged
		tables[i].Rejected += f.Rejected
	}
	return tables
}
