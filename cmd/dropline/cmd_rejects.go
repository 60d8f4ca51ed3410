package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"

	"dropline/api"
)

// rejectsCmd shows refused rows.
type rejectsCmd struct {
	importChoice
	CSV   bool `help:"All of them as CSV, as the file in /reports has it." name:"csv"`
	Limit int  `help:"At most so many; 0 is all." default:"50"`
}

// Help is kong's long text.
func (rejectsCmd) Help() string {
	return `Shows the rows of an import that were refused: file, line, column, a code, a message and the value as received.

Examples:

  dropline rejects latest
  dropline rejects import_0123456789abcdef0123456789abcdef --csv > refused.csv
  dropline rejects latest --limit 0 --json`
}

// Run carries the command out.
func (c *rejectsCmd) Run(a *app) error {
	if c.Limit < 0 {
		return usageError("such as --limit 50; 0 is all", "the limit is negative")
	}
	cl, id, err := c.find(a)
	if err != nil {
		return err
	}
	if c.CSV {
		return a.rejectsCSV(cl, id)
	}
	all, total := []api.Reject{}, int64(0)
	err = pages(func(cursor string) (string, bool, error) {
		limit := pageSize
		if c.Limit > 0 {
			limit = min(limit, c.Limit-len(all))
		}
		var page api.RejectPage
		err := cl.get(pathf("/etl/imports/%s/rejects", id), withCursor(nil, cursor, limit), &page)
		all, total = append(all, page.Items...), page.Total
		return page.NextCursor, c.Limit == 0 || len(all) < c.Limit, err
	})
	if err != nil {
		return err
	}
	return a.emit(struct {
		RequestID string       `json:"requestId"`
		Total     int64        `json:"total"`
		Items     []api.Reject `json:"items"`
	}{id, total, all}, func(w io.Writer) {
		if total == 0 {
			put(w, "no row of %s was refused\n", id)
			return
		}
		showRejects(w, all, total, "refused rows")
		if int64(len(all)) < total {
			put(w, "  all of them: dropline rejects %s --limit 0, or --csv\n", id)
		}
	})
}

// rejectsCSV streams the rejects file.
func (a *app) rejectsCSV(cl *client, id string) error {
	resp, err := cl.send(request{method: http.MethodGet, path: pathf("/etl/imports/%s/rejects.csv", id), accept: "text/csv"})
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(a.stdout, resp.Body); err != nil {
		return failed("try again", "the list of refused rows broke off: %w", err)
	}
	return nil
}

// rowsCmd shows staged rows.
type rowsCmd struct {
	ID    string `arg:"" help:"The import, or latest."`
	Table string `arg:"" help:"Table, by its published name."`

	Tenant string `help:"With latest: of this tenant." placeholder:"TENANT"`
	Limit  int    `help:"At most so many; 0 is all." default:"20"`
}

// Help is kong's long text.
func (rowsCmd) Help() string {
	return `Shows the rows of a table that an import has staged, with the file and line each came from, before they are promoted.
With --json: one object per line.

Examples:

  dropline rows latest Matter --tenant acme
  dropline rows import_0123456789abcdef0123456789abcdef WorkItem --limit 0 --json > rows.jsonl`
}

// Run carries the command out.
func (c *rowsCmd) Run(a *app) error {
	if c.Limit < 0 {
		return usageError("such as --limit 20; 0 is all", "the limit is negative")
	}
	choice := importChoice{ID: c.ID, Tenant: c.Tenant}
	cl, id, err := choice.find(a)
	if err != nil {
		return err
	}
	n := 0
	return pages(func(cursor string) (string, bool, error) {
		limit := pageSize
		if c.Limit > 0 {
			limit = min(limit, c.Limit-n)
		}
		var page api.RowPage
		if err := cl.get(pathf("/etl/imports/%s/rows", id), withCursor(url.Values{"table": {c.Table}}, cursor, limit), &page); err != nil {
			return "", false, err
		}
		for _, row := range page.Items {
			if err := a.showRow(row); err != nil {
				return "", false, err
			}
		}
		if n += len(page.Items); n == 0 {
			a.say("no row of %s is staged in %s", c.Table, id)
		}
		return page.NextCursor, c.Limit == 0 || n < c.Limit, nil
	})
}

// showRow writes a row: as it is, or its values that are not empty.
func (a *app) showRow(row json.RawMessage) error {
	if a.json {
		return a.emitLine(row)
	}
	d := json.NewDecoder(strings.NewReader(string(row)))
	d.UseNumber()
	var values map[string]any
	if err := d.Decode(&values); err != nil {
		return failed("", "a row cannot be read: %w", err)
	}
	names := make([]string, 0, len(values))
	for name, v := range values {
		if v != nil {
			names = append(names, name)
		}
	}
	sort.Slice(names, func(i, j int) bool {
		if (names[i] == "ImportId") != (names[j] == "ImportId") {
			return names[i] == "ImportId"
		}
		return names[i] < names[j]
	})
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = name + "=" + strconv.Quote(printable(fmt.Sprint(values[name]), maxCell))
	}
	put(a.stdout, "%s\n", strings.Join(parts, " "))
	return nil
}
