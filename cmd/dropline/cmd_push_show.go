package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"dropline/ingest"
	"dropline/internal/push"
)

// pushBar shows how far a push is, to people only: on standard error, and in place where that is a terminal.
type pushBar struct {
	mu       sync.Mutex
	w        io.Writer
	terminal bool
	width    int
	silent   bool
	last     time.Time
	open     bool // a line stands unfinished
}

func (a *app) pushBar() *pushBar {
	b := &pushBar{w: a.stderr, silent: a.json, width: 80}
	if f, ok := a.stderr.(*os.File); ok && isTerminal(f) {
		b.terminal, b.width = true, terminalWidth(f)
	}
	return b
}

// say writes a remark. Whoever reads a log later wants them too; a program that asked for JSON has them in the result.
func (b *pushBar) say(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.silent {
		return
	}
	b.wipe()
	put(b.w, "%s\n", printable(text, maxText))
}

// update shows progress, ten times a second at most.
func (b *pushBar) update(p push.Progress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.terminal || b.silent || time.Since(b.last) < 100*time.Millisecond {
		return
	}
	b.last = time.Now()
	line := fmt.Sprintf("%s rows", thousands(p.Total))
	if p.Expected > 0 {
		line += fmt.Sprintf(" of %s, %d %%", thousands(p.Expected), min(100*p.Total/p.Expected, 100))
	}
	line += "  " + p.Relation
	put(b.w, "\r%s\x1b[K", printable(line, max(b.width-1, 20)))
	b.open = true
}

func (b *pushBar) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wipe()
}

func (b *pushBar) wipe() {
	if b.open {
		put(b.w, "\r\x1b[K")
		b.open = false
	}
}

// foundRelation is what a dry run tells of a relation.
type foundRelation struct {
	Name     string          `json:"name"`
	Table    string          `json:"table"`
	Rows     int64           `json:"rowsExpected"` // -1 where not known
	Columns  []string        `json:"columns"`
	Ignored  []string        `json:"ignoredColumns,omitempty"`
	Read     int64           `json:"rowsTried"`
	Rejected int64           `json:"rowsRefused"`
	First    []ingest.Reject `json:"firstErrors,omitempty"`
}

// showFound writes what a dry run found.
func (*pushCmd) showFound(a *app, found *ingest.DryRun) error {
	relations := make([]foundRelation, 0, len(found.Plan.Relations))
	for _, r := range found.Plan.Relations {
		f := foundRelation{Name: r.Name, Table: r.Table, Rows: r.Rows, Columns: r.Columns, Ignored: r.Ignored}
		for _, s := range found.Samples {
			if s.Relation == r.Name {
				f.Read, f.Rejected, f.First = s.Read, s.Rejected, s.Rejects
			}
		}
		relations = append(relations, f)
	}
	plan := &found.Plan
	err := a.emit(struct {
		Server        string                   `json:"server"`
		Database      string                   `json:"database"`
		Version       string                   `json:"version,omitempty"`
		Isolation     string                   `json:"isolation"`
		IsolationNote string                   `json:"isolationNote,omitempty"`
		Relations     []foundRelation          `json:"relations"`
		Refused       []ingest.RefusedRelation `json:"refused,omitempty"`
		Missing       []string                 `json:"missing,omitempty"`
		Ignored       []string                 `json:"ignored,omitempty"`
		Notes         []string                 `json:"notes,omitempty"`
	}{
		found.Server, found.Database, plan.Version, plan.Isolation, plan.IsolationNote, relations, plan.Refused, plan.Missing, plan.Ignored,
		plan.Notes,
	}, func(w io.Writer) { showFoundText(w, found, relations) })
	if err == nil && len(plan.Refused) > 0 {
		err = faultsFound()
	}
	return err
}

func showFoundText(w io.Writer, found *ingest.DryRun, relations []foundRelation) {
	plan := &found.Plan
	put(w, "%s on %s, read under %s", printable(found.Database, maxText), printable(found.Server, maxText), plan.Isolation)
	if plan.IsolationNote != "" {
		put(w, " (%s)", printable(plan.IsolationNote, maxText))
	}
	put(w, "\n\n")
	rows := make([][]string, 0, len(relations))
	for _, r := range relations {
		expected := "?"
		if r.Rows >= 0 {
			expected = thousands(r.Rows)
		}
		rows = append(rows, []string{
			r.Name, r.Table, expected, strconv.FormatInt(r.Read, 10), strconv.FormatInt(r.Rejected, 10), strings.Join(r.Ignored, ", "),
		})
	}
	table(w, []string{"RELATION", "TABLE", "ROWS", "TRIED", "REFUSED", "IGNORED COLUMNS"}, rows)
	for _, r := range plan.Refused {
		put(w, "cannot be read: %s: %s (%s)\n", printable(r.Name, maxText), printable(r.Message, maxText), r.Code)
	}
	for _, r := range relations {
		for _, e := range r.First {
			put(w, "%s: line %d, %s: %s (%s): %s\n", printable(r.Name, maxCell), e.Line, printable(e.Column, maxCell), printable(e.Message, maxText),
				e.Code, printable(e.Value, maxCell))
		}
	}
	if len(plan.Missing) > 0 {
		put(w, "not in the database: %s\n", printable(strings.Join(plan.Missing, ", "), maxText))
	}
	if len(plan.Ignored) > 0 {
		put(w, "of no table of the schema: %s\n", printable(strings.Join(plan.Ignored, ", "), maxText))
	}
	for _, note := range plan.Notes {
		put(w, "note: %s\n", printable(note, maxText))
	}
}
