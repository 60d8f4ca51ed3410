package main

import (
	"io"
	"strings"
	"time"

	"dropline/api"
)

// promoteCmd promotes an import.
type promoteCmd struct {
	namedImport
	Override *string       `help:"Promote a rejected import all the same, without its refused rows, for this reason, which is recorded." placeholder:"REASON"`
	Wait     bool          `help:"Wait until it is done and show what it changed."`
	Timeout  time.Duration `help:"With --wait: give up waiting after so long." placeholder:"DURATION"`
}

// Help is kong's long text.
func (promoteCmd) Help() string {
	return `Takes a staged import to production in one transaction: rows are inserted or updated by ImportId, unchanged ones are not
written. The oldest goes first; if another is in the way, it is named. dropline rollback takes it back.

Examples:

  dropline promote import_0123456789abcdef0123456789abcdef --wait
  dropline promote latest --tenant acme --override "the refused rows are test data" --wait`
}

// Run carries the command out.
func (c *promoteCmd) Run(a *app) error {
	body := api.PromoteRequest{}
	if c.Override != nil {
		if body.Override = strings.TrimSpace(*c.Override); body.Override == "" {
			return usageError(`such as --override "the refused rows are test data"`, "--override needs a reason, which is recorded")
		}
	}
	cl, id, err := c.find(a)
	if err != nil {
		return err
	}
	var started api.Started
	body.RequestID = id
	if err := cl.post("/etl/promote-to-production", body, &started); err != nil {
		return err
	}
	return a.started(cl, started, c.Wait, c.Timeout, "promoted")
}

// started reports work that was recorded, and waits for it where that was asked.
func (a *app) started(cl *client, started api.Started, wait bool, timeout time.Duration, want string) error {
	if !wait {
		return a.emit(started, func(w io.Writer) {
			put(w, "%s\nfollow it: dropline status --watch %s\n", started.Message, started.RequestID)
		})
	}
	quiet := *a // with --json the one object at the end is the answer
	if a.json {
		quiet.json, quiet.terminal, quiet.stdout = false, false, io.Discard
	}
	s, err := quiet.watch(cl, started.RequestID, timeout)
	if err != nil {
		return err
	}
	if err := a.emit(s, func(w io.Writer) { showOutcome(w, s) }); err != nil {
		return err
	}
	if s.State != want {
		return &failure{message: "it is " + s.State, status: exitFailed, silent: true}
	}
	return nil
}

// rollbackCmd rolls an import back.
type rollbackCmd struct {
	ID      string        `arg:"" help:"The import; it must be the last one that was promoted."`
	Wait    bool          `help:"Wait until it is done."`
	Timeout time.Duration `help:"With --wait: give up waiting after so long." placeholder:"DURATION"`
}

// Help is kong's long text.
func (rollbackCmd) Help() string {
	return `Takes the last promoted import of a tenant out of production: afterwards it holds exactly what it held before. Possible
for a week unless the server is set otherwise; the last one promoted goes first.

Examples:

  dropline rollback import_0123456789abcdef0123456789abcdef --wait`
}

// Run carries the command out.
func (c *rollbackCmd) Run(a *app) error {
	if c.ID == latest { // the newest import is not always the last one promoted: what is undone is named
		return usageError("dropline import list --state promoted shows the ids", "rollback takes an import's id, not latest")
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	var started api.Started
	if err := cl.post(pathf("/etl/imports/%s/rollback", c.ID), nil, &started); err != nil {
		return err
	}
	return a.started(cl, started, c.Wait, c.Timeout, "rolled_back")
}
