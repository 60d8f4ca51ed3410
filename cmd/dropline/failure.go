package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/alecthomas/kong"

	"dropline/ingest"
)

// The exit statuses, as --help documents them.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
	exitFaults = 3   // an import was rejected, or check found faults: the command did its work
	exitSignal = 130 // ended by a signal, as shells have it for SIGINT
)

// failure is an error with the exit status it ends in and what to do about it.
type failure struct {
	message string
	hint    string
	details []string
	status  int
	cause   error
	silent  bool // everything has been said on standard output
}

// Error returns the message.
func (f *failure) Error() string { return f.message }

// Unwrap returns the cause.
func (f *failure) Unwrap() error { return f.cause }

func usageError(hint, format string, args ...any) error {
	return &failure{message: fmt.Sprintf(format, args...), hint: hint, status: exitUsage}
}

func failed(hint, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &failure{message: err.Error(), hint: hint, status: exitFailed, cause: errors.Unwrap(err)}
}

// faultsFound ends a command that did its work and whose outcome is a rejection.
func faultsFound() error {
	return &failure{message: "faults were found", status: exitFaults, silent: true}
}

// asFailure gives any error a message, a hint and a status.
func asFailure(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	var parse *kong.ParseError
	if errors.As(err, &parse) {
		hint := "dropline --help shows the commands"
		if parse.Context != nil && parse.Context.Command() != "" {
			hint = "dropline " + commandName(parse.Context) + " --help shows how it is used"
		}
		if holdsPassword(parse.Error()) { // errors end up in logs
			return &failure{
				message: "a connection string stands on the command line, where every user of this machine can read it",
				hint:    "put it into a file of mode 600, name that with --connection-string-file, and change the password", status: exitUsage,
			}
		}
		return &failure{message: parse.Error(), hint: hint, status: exitUsage}
	}
	f = &failure{message: err.Error(), status: exitFailed, cause: err}
	var known *ingest.Error
	switch {
	case errors.As(err, &known):
		f.message, f.hint = ingest.MessageOf(err), ingest.HintOf(err)
	case explainStack(err, f):
	case errors.Is(err, fs.ErrNotExist):
		f.hint = "check the path"
	case errors.Is(err, fs.ErrPermission):
		f.hint = "check who owns it and its mode"
	case errors.Is(err, context.DeadlineExceeded):
		f.hint = "try again, or allow it more time"
	}
	return f
}

// holdsPassword reports whether a text looks like a part of a connection string with a password.
func holdsPassword(text string) bool {
	lower := strings.ToLower(text)
	return strings.Contains(lower, "password=") || strings.Contains(lower, "pwd=") || strings.Contains(lower, "sqlserver://")
}

// commandName is the command without its arguments: "tenant create".
func commandName(ctx *kong.Context) string {
	var words []string
	for word := range strings.FieldsSeq(ctx.Command()) {
		if !strings.HasPrefix(word, "<") && !strings.HasPrefix(word, "[") {
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

// complain tells what went wrong, and returns the exit status.
func (a *app) complain(err error) int {
	f := asFailure(err)
	if f.silent {
		return f.status
	}
	if a.json {
		_ = json.NewEncoder(a.stderr).Encode(struct { // nobody is left to be told if this fails
			Error   string   `json:"error"`
			Hint    string   `json:"hint,omitempty"`
			Details []string `json:"details,omitempty"`
			Status  int      `json:"exitStatus"`
		}{f.message, f.hint, f.details, f.status})
		return f.status
	}
	put(a.stderr, "dropline: %s\n", f.message)
	for _, d := range f.details {
		put(a.stderr, "  %s\n", d)
	}
	if f.hint != "" {
		put(a.stderr, "hint: %s\n", f.hint)
	}
	return f.status
}
