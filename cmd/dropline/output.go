package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// emit writes a command's result: as JSON where that was asked for, else as human writes it.
func (a *app) emit(v any, human func(w io.Writer)) error {
	if !a.json {
		human(a.stdout)
		return nil
	}
	return a.emitJSON(v)
}

func (a *app) emitJSON(v any) error {
	e := json.NewEncoder(a.stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// emitLine writes one JSON value per line, for results that come one by one.
func (a *app) emitLine(v any) error {
	e := json.NewEncoder(a.stdout)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// say writes a line for people; programs that asked for JSON are spared it.
func (a *app) say(format string, args ...any) {
	if !a.json {
		put(a.stdout, format+"\n", args...)
	}
}

// table writes rows in columns.
func table(w io.Writer, header []string, rows [][]string) {
	columns(w, header, rows, maxCell)
}

// wideTable is table for our own texts, which are shown whole.
func wideTable(w io.Writer, header []string, rows [][]string) { columns(w, header, rows, maxText) }

func columns(w io.Writer, header []string, rows [][]string, limit int) {
	t := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	put(t, "%s\n", strings.Join(header, "\t"))
	for _, row := range rows {
		for i := range row {
			row[i] = printable(row[i], limit)
		}
		put(t, "%s\n", strings.Join(row, "\t"))
	}
	_ = t.Flush() // writes to standard output: nobody is left to be told
}

// The width of a terminal that does not tell its own, and the least that is believed, in characters.
const (
	usualWidth = 80
	narrowest  = 20
)

// maxCell is how much of a value from a file is shown in a column.
const maxCell = 60

// maxText is how much is shown of a message.
const maxText = 2000

// printable makes text from elsewhere fit to be shown on a terminal: on one line, without control characters, of a
// bounded length.
func printable(s string, limit int) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return '⏎'
		case r == 0:
			return '␀'
		case r == '\t' || r == '\r':
			return ' '
		case !unicode.IsPrint(r) && r != ' ':
			return '�'
		}
		return r
	}, s)
	if runes := []rune(clean); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return clean
}

// put writes for people. An error means that nobody reads it any longer, and that is no failure of the command.
func put(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }

// quietly closes what was read from, whose error says nothing that the reading did not.
func quietly(end func() error) { _ = end() }

// thousands writes a number with commas.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// size writes a number of bytes for people, in powers of 1000.
func size(n int64) string {
	units := []string{"kB", "MB", "GB", "TB"}
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	f, unit := float64(n), ""
	for _, unit = range units {
		if f /= 1000; f < 999.95 {
			break
		}
	}
	return strconv.FormatFloat(f, 'f', 1, 64) + " " + unit
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + many
}

// moment writes a time for people, in their own zone.
func moment(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}
