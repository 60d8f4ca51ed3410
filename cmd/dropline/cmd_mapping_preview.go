package main

import (
	"io"
	"net/http"
	"strconv"
	"strings"

	"dropline/api"
	"dropline/mapping"
)

// mappingPreviewCmd tries a mapping on stored files.
type mappingPreviewCmd struct {
	Tenant  string   `arg:"" help:"The tenant."`
	Mapping string   `help:"Mapping file (YAML) in place of a stored one." placeholder:"FILE"`
	Version *int     `help:"This stored version in place of the latest; 0 is none." placeholder:"N"`
	Import  string   `help:"Try it on the files of this import, or latest." placeholder:"IMPORT"`
	Drop    []string `help:"Try it on this received file; may be repeated." placeholder:"DROP"`
	Rows    int      `help:"Show the first rows of each table." default:"5"`
}

// Help is kong's long text.
func (mappingPreviewCmd) Help() string {
	return `Says what would become of stored files under a mapping, and stores nothing: of each table where the columns come from, the
first rows as they would be staged, what would be refused, and counts. Of each file the server reads the first 8 MB of text. For
files on your own machine, and for keys and references, there is dropline check --mapping.

Examples:

  dropline mapping preview acme --mapping acme.yaml --import latest
  dropline mapping preview acme --version 3 --drop drop_0123456789abcdef0123456789abcdef`
}

// Run carries the command out.
func (m *mappingPreviewCmd) Run(a *app) error {
	asked := api.PreviewRequest{MappingVersion: m.Version, Drops: m.Drop, Rows: m.Rows}
	switch {
	case (m.Import == "") == (len(m.Drop) == 0):
		return usageError("such as --import latest", "name either an import or drops")
	case m.Mapping != "" && m.Version != nil:
		return usageError("leave one of them out", "--mapping and --version exclude each other")
	case m.Rows < 1:
		return usageError("such as --rows 5", "the number of rows must be above 0")
	}
	if m.Mapping != "" {
		raw, err := readBounded(m.Mapping, maxMappingFile)
		if err != nil {
			return err
		}
		asked.Mapping = string(raw)
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	if m.Import != "" {
		if asked.RequestID, err = (&importChoice{ID: m.Import, Tenant: m.Tenant}).resolve(cl); err != nil {
			return err
		}
	}
	var found api.Preview
	r := request{method: http.MethodPost, path: "/etl/mappings/preview", query: tenantQuery(m.Tenant), body: asked}
	if err := cl.call(r, &found); err != nil {
		return inFile(err, m.Mapping)
	}
	return a.emit(found, func(w io.Writer) { showPreview(w, &found) })
}

func showPreview(w io.Writer, p *api.Preview) {
	for i := range p.Tables {
		showPreviewTable(w, &p.Tables[i])
	}
	for _, note := range p.Notes {
		put(w, "note: %s\n", printable(note, maxText))
	}
}

func showPreviewTable(w io.Writer, t *api.PreviewTable) {
	if t.Error != "" {
		put(w, "%s: refused as a whole: %s (%s)\n", printable(t.File, maxText), printable(t.Error, maxText), t.Code)
		return
	}
	part := ""
	if !t.Whole {
		part = " of its beginning"
	}
	put(w, "%s: table %s, %s%s, %s refused\n", printable(t.File, maxText), t.Table, plural(t.RowsRead, "row", "rows"), part, thousands(t.RowsRejected))
	columns := make([]mapping.ColumnSource, 0, len(t.Sources))
	for _, s := range t.Sources {
		columns = append(columns, mapping.ColumnSource{Column: s.Column, How: mapping.How(s.How), Headers: s.Headers, Value: s.Value})
	}
	showColumns(w, columns)
	if len(t.IgnoredColumns) > 0 {
		put(w, "  ignored: %s\n", printable(strings.Join(t.IgnoredColumns, ", "), maxText))
	}
	for _, note := range t.Notes {
		put(w, "  note: %s\n", printable(note, maxText))
	}
	if len(t.Rows) > 0 {
		showRows(w, &shownRows{t.Columns, t.Rows})
	}
	if len(t.FirstErrors) == 0 {
		return
	}
	rows := make([][]string, 0, len(t.FirstErrors))
	for _, r := range t.FirstErrors {
		rows = append(rows, []string{"  " + strconv.FormatInt(r.Line, 10), r.Column, r.Code, printable(r.Value, 24), printable(r.Message, 120)})
	}
	wideTable(w, []string{"  LINE", "COLUMN", "CODE", "VALUE", "MESSAGE"}, rows)
}
