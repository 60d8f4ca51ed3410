package ingest

import (
	"context"
	"errors"
	"fmt"
)

// Kind says what sort of fault an Error is. Each edge translates a kind once: to an SFTP status, an HTTP problem, or a job's
// retry or discard.
type Kind uint8

const (
	// Internal is a fault of Dropline's own; its text is for the log, not for clients.
	Internal Kind = iota
	// Invalid is a request or a file that cannot be honoured as it stands.
	Invalid
	// Denied is a missing or insufficient credential, or an operation that nobody may do.
	Denied
	// NotFound is a thing that does not exist, or that belongs to another tenant.
	NotFound
	// Conflict is a request that the present state does not allow.
	Conflict
	// Exhausted is a quota, a size limit or a full disk.
	Exhausted
	// Unavailable is PostgreSQL or S3 out of reach: worth trying again.
	Unavailable
)

// String returns the kind's name in lower case.
func (k Kind) String() string {
	switch k {
	case Invalid:
		return "invalid"
	case Denied:
		return "denied"
	case NotFound:
		return "not found"
	case Conflict:
		return "conflict"
	case Exhausted:
		return "exhausted"
	case Unavailable:
		return "unavailable"
	case Internal:
	}
	return "internal"
}

// Error is Dropline's error. Op names what was being done ("ledger.Register"); it is for the log. Err says what happened and
// Hint what to do about it; both are written for people and hold no secret.
type Error struct {
	Kind Kind
	Op   string
	Err  error
	Hint string
}

// Error returns the operation and the cause.
func (e *Error) Error() string {
	if e.Op == "" {
		return e.Err.Error()
	}
	return e.Op + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// E wraps err with a kind and an operation. It returns nil for a nil err.
func E(kind Kind, op string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: kind, Op: op, Err: err}
}

// Errorf makes an Error from a format, which may use %w.
func Errorf(kind Kind, op, format string, args ...any) error {
	return &Error{Kind: kind, Op: op, Err: fmt.Errorf(format, args...)}
}

// WithHint adds to err what its reader can do about it. It returns nil for a nil err.
func WithHint(err error, hint string) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: KindOf(err), Err: err, Hint: hint}
}

// KindOf returns the kind of the outermost Error in err's chain. An ended context is Unavailable, any other error Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return Unavailable
	}
	return Internal
}

// HintOf returns the outermost hint in err's chain, or "".
func HintOf(err error) string {
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return ""
		}
		if e.Hint != "" {
			return e.Hint
		}
		err = e.Err
	}
	return ""
}

// MessageOf returns err's text without the operations, as a person should read it: the text of the innermost error that
// is not an Error.
func MessageOf(err error) string {
	for {
		var e *Error
		if !errors.As(err, &e) {
			return err.Error()
		}
		err = e.Err
	}
}
