package main

import (
	"io"
	"net/url"
	"strconv"
	"strings"

	"dropline/api"
	"dropline/ingest"
)

// importCmd is about imports.
type importCmd struct {
	Run      importRunCmd      `cmd:"" default:"withargs" help:"Import from a SQL Server database; the word run may be left out."`
	DryRun   importDryRunCmd   `cmd:"" help:"Say what an import from a SQL Server database would find."`
	List     importListCmd     `cmd:"" help:"List imports, newest first."`
	Show     importShowCmd     `cmd:"" help:"Show an import's receipt: files, tables, first refused rows."`
	Proposal importProposalCmd `cmd:"" help:"Show the mapping that was proposed for an unmapped import."`
	Rerun    importRerunCmd    `cmd:"" help:"Load an import's stored files again under a newer mapping, as a new import."`
	Cancel   importCancelCmd   `cmd:"" help:"Stop an import that is queued or being loaded, or give an unmapped or staged one up."`
	Retry    importRetryCmd    `cmd:"" help:"Load a failed, cancelled or unmapped import again, under the same id."`
}

// Help is kong's long text.
func (importCmd) Help() string {
	return `An import is one loading into staging, of a batch of files or of a client's database. Its id is the API's requestId. "latest"
stands for the newest one, of all tenants or of --tenant. With --connection-string-file one is begun that reads a SQL Server
database: dropline import run --help says more.

Examples:

  dropline import --connection-string-file practice.txt --tenant acme --wait
  dropline import dry-run --connection-string-file practice.txt --tenant acme
  dropline import list --tenant acme --state staged
  dropline import show latest
  dropline import retry import_0123456789abcdef0123456789abcdef
  dropline import rerun latest --tenant acme`
}

// status fetches what there is to know about an import.
func (c *client) status(id string) (api.ImportStatus, error) {
	var s api.ImportStatus
	return s, c.get(pathf("/etl/import-status/%s", id), nil, &s)
}

// importListCmd lists imports.
type importListCmd struct {
	Tenant string   `help:"Only this tenant's." placeholder:"TENANT"`
	State  []string `help:"Only in this state; may be repeated." placeholder:"STATE"`
	Limit  int      `help:"At most so many." default:"50"`
}

// Help is kong's long text.
func (importListCmd) Help() string {
	return `Lists imports, newest first. States: queued, loading, unmapped, validating, staged, rejected, promoting, promoted,
rolling_back, rolled_back, failed, cancelled.

Examples:

  dropline import list
  dropline import list --tenant acme --state rejected --state failed
  dropline import list --json --limit 1000`
}

// Run carries the command out.
func (c *importListCmd) Run(a *app) error {
	if c.Limit < 1 {
		return usageError("such as --limit 50", "the limit must be above 0")
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	query := url.Values{}
	if c.Tenant != "" {
		query.Set("tenant", c.Tenant)
	}
	if len(c.State) > 0 {
		query["state"] = c.State
	}
	all := []api.ImportSummary{}
	err = pages(func(cursor string) (string, bool, error) {
		var page api.ImportPage
		err := cl.get("/etl/imports", withCursor(query, cursor, min(pageSize, c.Limit-len(all))), &page)
		all = append(all, page.Items...)
		return page.NextCursor, len(all) < c.Limit, err
	})
	if err != nil {
		return err
	}
	return a.emit(all, func(w io.Writer) {
		rows := make([][]string, 0, len(all))
		for _, i := range all {
			rows = append(rows, []string{
				i.RequestID, i.Tenant, i.State, strconv.Itoa(i.Percent) + " %", thousands(i.RowsStaged), thousands(i.RowsRejected), moment(&i.CreatedAt),
			})
		}
		table(w, []string{"IMPORT", "TENANT", "STATE", "DONE", "STAGED", "REFUSED", "CREATED"}, rows)
	})
}

// importShowCmd shows an import.
type importShowCmd struct {
	importChoice
}

// Help is kong's long text.
func (importShowCmd) Help() string {
	return `Shows an import's receipt: state, totals, what became of each file and table, the first refused rows, and its promotion.

Examples:

  dropline import show latest
  dropline import show import_0123456789abcdef0123456789abcdef --json`
}

// Run carries the command out.
func (c *importShowCmd) Run(a *app) error {
	cl, id, err := c.find(a)
	if err != nil {
		return err
	}
	s, err := cl.status(id)
	if err != nil {
		return err
	}
	return a.emit(s, func(w io.Writer) { showReceipt(w, s) })
}

// showReceipt writes an import for people.
func showReceipt(w io.Writer, s api.ImportStatus) {
	put(w, "%s  tenant %s  %s\n", s.RequestID, s.Tenant, strings.ToUpper(strings.ReplaceAll(s.State, "_", " ")))
	put(w, "  read %s, staged %s, refused %s", plural(s.RowsRead, "row", "rows"), thousands(s.RowsStaged), thousands(s.RowsRejected))
	if s.Warnings > 0 {
		put(w, ", %s", plural(s.Warnings, "warning", "warnings"))
	}
	put(w, "; %s in %s\n", size(s.BytesTotal), plural(int64(len(s.Files)), "file", "files"))
	if t := s.Timings; t.Total != nil {
		put(w, "  took %.2f s", *t.Total)
		for _, part := range []struct {
			name string
			s    *float64
		}{{"queued", t.Queued}, {"loading", t.Loading}, {"validating", t.Validating}} {
			if part.s != nil {
				put(w, ", %s %.2f s", part.name, *part.s)
			}
		}
		put(w, "\n")
	}
	showDatabase(w, s.Database)
	if s.RerunOf != "" {
		put(w, "  loads the files of %s again\n", s.RerunOf)
	}
	if s.RerunAs != "" {
		put(w, "  its files are loaded again by %s\n", s.RerunAs)
	}
	if s.Error != "" {
		put(w, "  error: %s\n", printable(s.Error, maxText))
	}
	if s.Hint != "" {
		put(w, "  hint: %s\n", printable(s.Hint, maxText))
	}
	if len(s.Prerequisites) > 0 {
		put(w, "  its rows refer to those of, and are promoted after: %s\n", strings.Join(s.Prerequisites, ", "))
	}
	showFiles(w, s.Files)
	showTables(w, s)
	showRejects(w, s.FirstErrors, s.RowsRejected, "refused rows")
	if int64(len(s.FirstErrors)) < s.RowsRejected {
		put(w, "  all of them: dropline rejects %s --limit 0, or --csv\n", s.RequestID)
	}
	showRejects(w, s.FirstWarnings, s.Warnings, "warnings")
}

func showFiles(w io.Writer, files []api.ImportFile) {
	if len(files) == 0 {
		return
	}
	rows := make([][]string, 0, len(files))
	for _, f := range files {
		rows = append(rows, []string{"  " + f.Name, f.Table, f.State, thousands(f.RowsRead), thousands(f.RowsStaged), thousands(f.RowsRejected), size(f.Size)})
	}
	put(w, "\n")
	table(w, []string{"  FILE", "TABLE", "STATE", "READ", "STAGED", "REFUSED", "SIZE"}, rows)
	for _, f := range files {
		if f.Error != "" {
			put(w, "  %s: %s (%s)\n", printable(f.Name, maxCell), printable(f.Error, maxText), f.Code)
		}
		if len(f.IgnoredColumns) > 0 {
			put(w, "  %s: ignored columns: %s\n", printable(f.Name, maxCell), printable(strings.Join(f.IgnoredColumns, ", "), maxText))
		}
		for _, note := range f.Notes {
			put(w, "  %s: %s\n", printable(f.Name, maxCell), printable(note, maxText))
		}
	}
}

// showTables shows the promotion's counts, once there are any; before, the files say it all.
func showTables(w io.Writer, s api.ImportStatus) {
	if s.Promotion == nil {
		return
	}
	p := s.Promotion
	put(w, "\n  promotion: %s", p.State)
	if p.Seconds != nil {
		put(w, " after %.2f s", *p.Seconds)
	}
	put(w, "; %s inserted, %s updated, %s unchanged, %s deleted\n", thousands(p.Counts.Inserted),
		thousands(p.Counts.Updated), thousands(p.Counts.Unchanged), thousands(p.Counts.Deleted))
	if p.Override != "" {
		put(w, "  although rejected, because: %s\n", printable(p.Override, maxText))
	}
	var rows [][]string
	for _, t := range s.Tables {
		if c := t.Promoted; c != nil {
			rows = append(rows, []string{"  " + t.Name, thousands(c.Inserted), thousands(c.Updated), thousands(c.Unchanged), thousands(c.Deleted)})
		}
	}
	if len(rows) > 0 {
		table(w, []string{"  TABLE", "INSERTED", "UPDATED", "UNCHANGED", "DELETED"}, rows)
	}
}

func showRejects(w io.Writer, rejects []api.Reject, total int64, what string) {
	if len(rejects) == 0 {
		return
	}
	put(w, "\n  %s (%d of %s):\n", what, len(rejects), thousands(total))
	rows := make([][]string, 0, len(rejects))
	for _, r := range rejects {
		rows = append(rows, []string{"  " + strings.TrimPrefix(strings.TrimPrefix(r.File, "/inbox/"), ingest.DatabaseRoot+"/"), strconv.FormatInt(r.Line, 10), r.Column, r.Code, printable(r.Value, 24), printable(r.Message, 120)})
	}
	wideTable(w, []string{"  FILE", "LINE", "COLUMN", "CODE", "VALUE", "MESSAGE"}, rows)
}

// importCancelCmd cancels an import.
type importCancelCmd struct {
	namedImport
}

// Help is kong's long text.
func (importCancelCmd) Help() string {
	return `Stops an import that is queued, loading or validating, or gives up an unmapped or a staged one, as where what its rows refer to was
rolled back, and it is in the way of those after it. Nothing of it stays in staging; retry takes it up again.

Examples:

  dropline import cancel import_0123456789abcdef0123456789abcdef`
}

// Run carries the command out.
func (c *importCancelCmd) Run(a *app) error { return a.importVerb(&c.namedImport, "cancel") }

// importRetryCmd retries an import.
type importRetryCmd struct {
	namedImport
}

// Help is kong's long text.
func (importRetryCmd) Help() string {
	return `Loads a failed, cancelled or unmapped import again, from the same files and under the same id.

Examples:

  dropline import retry latest --tenant acme`
}

// Run carries the command out.
func (c *importRetryCmd) Run(a *app) error { return a.importVerb(&c.namedImport, "retry") }

// importVerb asks for something to be done to an import.
func (a *app) importVerb(c *namedImport, verb string) error {
	cl, id, err := c.find(a)
	if err != nil {
		return err
	}
	var started api.Started
	if err := cl.post(pathf("/etl/imports/%s/%s", id, verb), nil, &started); err != nil {
		return err
	}
	return a.emit(started, func(w io.Writer) { put(w, "%s (%s)\n", started.Message, started.RequestID) })
}
