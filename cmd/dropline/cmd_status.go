package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"dropline/api"
)

// pollEvery is how often a watched import is asked about: often enough for a bar to move, rarely enough to cost nothing.
const pollEvery = 300 * time.Millisecond

// watchPatience is how long a server that has answered may be away: longer than a restart takes.
const watchPatience = 3 * time.Minute

// statusCmd shows how far an import is.
type statusCmd struct {
	importChoice
	Watch   bool          `help:"Follow it until it is staged, rejected, failed, cancelled, promoted or rolled back." short:"w"`
	Timeout time.Duration `help:"With --watch: give up after so long." placeholder:"DURATION"`
}

// Help is kong's long text.
func (statusCmd) Help() string {
	return `Shows in a line how far an import and its promotion are. With --watch it is followed: with a progress bar on a terminal,
else with a line whenever something changed (with --json: a JSON object per line). Exit status then: 0 staged, promoted or
rolled back; 3 rejected; 1 failed or cancelled. Files that have arrived and are in no import yet, as the tenant's quiet period
is not over, are waited for: latest is then the import that they become. A server that is started again meanwhile is waited for too.

Examples:

  dropline status
  dropline status --watch import_0123456789abcdef0123456789abcdef
  dropline status latest --tenant acme --watch --timeout 10m && dropline promote latest --tenant acme`
}

// Run carries the command out.
func (c *statusCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	if c.Watch {
		return c.follow(a, cl)
	}
	id, err := c.resolve(cl)
	if err != nil {
		return err
	}
	s, err := cl.status(id)
	if err != nil {
		return err
	}
	var arriving int64
	if c.ID == latest && !a.json {
		if arriving, err = c.arriving(cl); err != nil {
			return err
		}
	}
	return a.emit(s, func(w io.Writer) {
		put(w, "%s\n", statusLine(s))
		showDatabase(w, s.Database)
		if arriving > 0 {
			put(w, "since then %s\n", arrivingText(arriving))
		}
	})
}

// follow waits until the import rests.
func (c *statusCmd) follow(a *app, cl *client) error {
	began := time.Now()
	id, err := c.await(a, cl, c.Timeout)
	if err != nil {
		return err
	}
	timeout := c.Timeout
	if timeout > 0 {
		timeout = max(timeout-time.Since(began), time.Nanosecond) // 0 would be without end
	}
	s, err := a.watch(cl, id, timeout)
	if err != nil {
		return err
	}
	return outcome(s)
}

// outcome turns the state in which an import rests into the exit status.
func outcome(s api.ImportStatus) error {
	switch s.State {
	case "rejected":
		return faultsFound()
	case "unmapped":
		return &failure{message: "unmapped: " + s.Error, hint: s.Hint, status: exitFaults}
	case "failed", "cancelled":
		return &failure{message: s.State + ": " + s.Error, hint: s.Hint, status: exitFailed, silent: s.Error == ""}
	}
	return nil
}

// resting reports whether nothing happens to an import unless somebody asks.
func resting(state string) bool {
	switch state {
	case "queued", "loading", "validating", "promoting", "rolling_back":
		return false
	}
	return true
}

// watch follows an import until it rests.
func (a *app) watch(cl *client, id string, timeout time.Duration) (api.ImportStatus, error) {
	var deadline <-chan time.Time
	if timeout > 0 {
		timer := time.NewTimer(timeout)
		defer timer.Stop()
		deadline = timer.C
	}
	show := a.progress()
	defer show.end()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var s api.ImportStatus
	var patient patience
	for {
		now, err := cl.status(id)
		if !patient.bears(err) {
			return s, err
		}
		if err == nil {
			s = now
			if err := show.update(s); err != nil || resting(s.State) {
				return s, err
			}
		}
		select {
		case <-tick.C:
		case <-deadline:
			return s, failed("it goes on by itself; look again with dropline status", "%s is still %s after %s", id, s.State, timeout)
		case <-a.ctx.Done():
			return s, a.ctx.Err()
		}
	}
}

// patience bears what passes by itself, once the server has answered: it may be starting again.
type patience struct {
	answered bool
	since    time.Time // of the trouble
}

// bears reports whether whoever follows something goes on after err.
func (p *patience) bears(err error) bool {
	if err == nil {
		p.answered, p.since = true, time.Time{}
		return true
	}
	if !p.answered || !errors.Is(err, errNoServer) && !hasStatus(err, http.StatusServiceUnavailable) {
		return false
	}
	if p.since.IsZero() {
		p.since = time.Now()
	}
	return time.Since(p.since) < watchPatience
}

// progress shows a watched import.
type progress struct {
	a    *app
	last string
	open bool // a bar stands on an unfinished line
}

func (a *app) progress() *progress { return &progress{a: a} }

// update shows what changed.
func (p *progress) update(s api.ImportStatus) error {
	switch {
	case p.a.json:
		// Times grow with every look; they alone are no news.
		if news := fmt.Sprint(s.State, s.Percent, s.RowsRead, s.RowsStaged, s.RowsRejected); news != p.last {
			p.last = news
			return p.a.emitLine(s.ImportSummary)
		}
	case p.a.terminal:
		put(p.a.stdout, "\r%s\x1b[K", bar(s, p.a.width))
		p.open = true
	default:
		if news := fmt.Sprint(s.State, s.Percent/10); news != p.last {
			p.last = news
			put(p.a.stdout, "%s\n", statusLine(s))
		}
	}
	return nil
}

func (p *progress) end() {
	if p.open {
		put(p.a.stdout, "\n")
		p.open = false
	}
}

// statusLine is an import in a line.
func statusLine(s api.ImportStatus) string {
	line := fmt.Sprintf("%s  %s  %d %%  read %s, staged %s, refused %s", s.RequestID, s.State, s.Percent,
		thousands(s.RowsRead), thousands(s.RowsStaged), thousands(s.RowsRejected))
	if s.Error != "" {
		line += "  " + printable(s.Error, maxText)
	}
	return line
}

// barWidth is the length of the bar itself.
const barWidth = 24

// bar is an import in a line of a terminal.
func bar(s api.ImportStatus, width int) string {
	full := s.Percent * barWidth / 100
	line := fmt.Sprintf("%-10s [%s%s] %3d %%  %s", s.State, strings.Repeat("#", full), strings.Repeat(".", barWidth-full), s.Percent, amount(s))
	if s.RowsRejected > 0 {
		line += ", " + thousands(s.RowsRejected) + " refused"
	}
	return printable(line, max(width-1, 20))
}

// amount is how much was read: of files by bytes, of a database by rows.
func amount(s api.ImportStatus) string {
	switch {
	case s.RowsExpected != nil:
		return thousands(s.RowsRead) + " of " + plural(*s.RowsExpected, "row", "rows")
	case s.Database != nil:
		return plural(s.RowsRead, "row", "rows")
	}
	return size(s.BytesRead) + " of " + size(s.BytesTotal) + "  " + plural(s.RowsRead, "row", "rows")
}

// showOutcome writes what a promotion or rollback came to.
func showOutcome(w io.Writer, s api.ImportStatus) {
	put(w, "%s is %s\n", s.RequestID, s.State)
	if s.Error != "" {
		put(w, "  error: %s\n", printable(s.Error, maxText))
	}
	if s.Hint != "" {
		put(w, "  hint: %s\n", printable(s.Hint, maxText))
	}
	showTables(w, s)
}
