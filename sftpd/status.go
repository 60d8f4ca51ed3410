package sftpd

import (
	"errors"
	"strconv"

	"dropline/ingest"

	"github.com/pkg/sftp"
)

// Status codes of SFTP version 3, as the wire writes them.
const (
	statusOK               = 0
	statusEOF              = 1
	statusNoSuchFile       = 2
	statusPermissionDenied = 3
	statusFailure          = 4
	statusBadMessage       = 5
	statusUnsupported      = 8
)

// errUnsupported is an operation that this server does not have.
var errUnsupported = &statusError{code: sftp.ErrSSHFxOpUnsupported, text: "operation unsupported"}

// errPanic is what a client is told of a panic, which has been logged.
var errPanic = &statusError{code: sftp.ErrSSHFxFailure, text: internalError}

// internalError is all that a client is told of a fault of ours.
const internalError = "internal error; it has been logged"

// statusError is an error as a client sees it. pkg/sftp takes the code from the chain and the message from Error.
type statusError struct {
	code error // one of sftp.ErrSSHFx…
	text string
}

func (e *statusError) Error() string { return e.text }
func (e *statusError) Unwrap() error { return e.code }

// statusOf is the one table from an error's kind to an SFTP status. Version 3 has no codes for a full disk or a name that is
// taken: those are Failure, whose text lftp, WinSCP and FileZilla show. OpenSSH shows no text but that of the code: for it
// the reason goes to the channel's standard error as well (see notes).
func statusOf(err error) error {
	if err == nil {
		return nil
	}
	if s, ok := errors.AsType[*statusError](err); ok {
		return s
	}
	text := ingest.MessageOf(err)
	if hint := ingest.HintOf(err); hint != "" {
		text += "; " + hint
	}
	switch ingest.KindOf(err) {
	case ingest.NotFound:
		return &statusError{sftp.ErrSSHFxNoSuchFile, "no such file or folder"}
	case ingest.Denied:
		return &statusError{sftp.ErrSSHFxPermissionDenied, text}
	case ingest.Invalid, ingest.Conflict, ingest.Exhausted:
		return &statusError{sftp.ErrSSHFxFailure, text}
	case ingest.Unavailable:
		return &statusError{sftp.ErrSSHFxFailure, "the service cannot be reached at the moment; try again later"}
	case ingest.Internal:
	}
	return &statusError{sftp.ErrSSHFxFailure, internalError}
}

// codeOf returns the number of a status made by statusOf.
func codeOf(err error) uint32 {
	switch {
	case err == nil:
		return statusOK
	case errors.Is(err, sftp.ErrSSHFxNoSuchFile):
		return statusNoSuchFile
	case errors.Is(err, sftp.ErrSSHFxPermissionDenied):
		return statusPermissionDenied
	case errors.Is(err, sftp.ErrSSHFxBadMessage):
		return statusBadMessage
	case errors.Is(err, sftp.ErrSSHFxOpUnsupported):
		return statusUnsupported
	}
	return statusFailure
}

// maxLoggedName bounds what a stranger can put into one attribute of a log line.
const maxLoggedName = 256

// printable returns a name that a client chose, escaped so that it can neither break a log line nor steer a terminal.
func printable(name string) string {
	if len(name) > maxLoggedName {
		name = name[:maxLoggedName]
	}
	for _, r := range name {
		if r < 0x20 || r > 0x7e {
			return strconv.QuoteToASCII(name)
		}
	}
	return name
}
