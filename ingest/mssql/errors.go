package mssql

import (
	"context"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"

	"dropline/ingest"

	mssqldb "github.com/microsoft/go-mssqldb"
)

// finding is what an error comes down to.
type finding struct {
	kind  ingest.Kind
	text  string
	hint  string
	cause error // context.Canceled or context.DeadlineExceeded, for callers to see; or nil
}

// plainError is a text of ours. Of the error that it stands for it keeps nothing: drivers and servers put into theirs what they
// like.
type plainError struct {
	text  string
	cause error
}

func (e *plainError) Error() string { return e.text }

func (e *plainError) Unwrap() error { return e.cause }

const (
	hintAgain = "try again later; if it stays so, ask who runs the server"
	hintReach = "check server name and port, that the server listens on TCP/IP, and that its firewall lets this service's addresses in; " +
		"for a server that cannot be reached from outside, run dropline push beside it"
	hintWhole = "try again; the parts that were read whole need not be read again"
)

// Translate turns any error of the driver, the network, TLS or a context into an ingest.Error with a text for people. Neither the
// password nor a token nor the user is in it, whatever the server says; of the server's own words there are at most 300
// characters, without control characters. conn may be nil. An ingest.Error is returned as it is, nil as nil.
func Translate(err error, conn *Connection) error {
	if err == nil {
		return nil
	}
	if done, ok := err.(*ingest.Error); ok { //nolint:errorlint // one within another error is not what is returned
		return done
	}
	f := examine(err, conn)
	return &ingest.Error{Kind: f.kind, Op: "mssql", Err: &plainError{f.text, f.cause}, Hint: f.hint}
}

// IsLost tells whether err, translated or not, is of a connection that was lost, or of a state of the server's that passes: worth
// connecting anew and reading the part again. An end that the caller asked for is not.
func IsLost(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	var done *ingest.Error
	if errors.As(err, &done) {
		return done.Kind == ingest.Unavailable
	}
	return examine(err, nil).kind == ingest.Unavailable
}

// examine looks for the most telling error in err's chain.
func examine(err error, conn *Connection) finding {
	at := serverName(conn)
	var policy *policyError
	var cert *certificateError
	var said mssqldb.Error
	switch {
	case errors.As(err, &policy):
		return finding{kind: ingest.Denied, text: policy.Error(), hint: allowHint}
	case errors.Is(err, context.Canceled):
		return finding{ingest.Unavailable, "reading from " + at + " was stopped", "", context.Canceled}
	case errors.Is(err, errConnectTimeout):
		return finding{ingest.Unavailable, at + " did not let us sign in within the time allowed", hintReach, context.DeadlineExceeded}
	case errors.As(err, &cert):
		return examineCertificate(cert, at)
	case errors.As(err, &said):
		return examineServer(said, at, conn)
	}
	if f, ok := examineHandshake(err, at); ok {
		return f
	}
	if f, ok := examineStream(err, at, conn); ok {
		return f
	}
	if f, ok := examineEntra(err); ok {
		return f
	}
	if f, ok := examineNetwork(err, at); ok {
		return f
	}
	if f, ok := examineDriver(err, at); ok {
		return f
	}
	return finding{kind: ingest.Internal, text: "reading from " + at + " met an error that is not known" + quote(err.Error(), conn)}
}

// examineStream looks into what ended the driver's reading of an answer, which errors.As does not.
func examineStream(err error, at string, conn *Connection) (finding, bool) {
	var stream mssqldb.StreamError
	if !errors.As(err, &stream) || stream.InnerError == nil {
		return finding{}, false
	}
	if strings.Contains(stream.Error(), "cancellation confirmation") { // whoever cancelled knows it; the deadline is the driver's own
		return finding{kind: ingest.Unavailable, text: "the connection to " + at + " was lost", hint: hintWhole}, true
	}
	f := examine(stream.InnerError, conn)
	return f, f.kind != ingest.Internal
}

func serverName(conn *Connection) string {
	if name := conn.Server(); name != "" {
		return "the server " + name
	}
	return "the server"
}

func examineCertificate(err *certificateError, at string) finding {
	f := finding{kind: ingest.Invalid, hint: "let the server's certificate be renewed, or set TrustServerCertificate=True to accept any"}
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &authority):
		f.text = at + " has a certificate of an authority that is not known"
		f.hint = "give the private authority's certificate as certificateAuthority (on the command line: --certificate-authority FILE), or set TrustServerCertificate=True to accept any"
	case errors.As(err, &host):
		f.text = at + " has a certificate for another name"
		f.hint = "connect under the certificate's name, or say that name with HostNameInCertificate=…, or set TrustServerCertificate=True to accept any"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		f.text = at + " has a certificate that has expired or is not valid yet"
	case strings.Contains(err.Error(), "not the one given"):
		f.text = at + " has another certificate than that of the key ServerCertificate"
		f.hint = "let the key ServerCertificate name the server's present certificate"
	default:
		f.text = at + " has a certificate that cannot be verified"
	}
	return f
}

// examineHandshake is a connection that ended while TLS was set up. The driver makes a text of that, but for Encrypt=Strict.
func examineHandshake(err error, at string) (finding, bool) {
	text := err.Error()
	if !strings.Contains(text, "TLS Handshake failed") && !strings.Contains(text, "handshake packet") {
		return finding{}, false
	}
	for _, end := range []string{"EOF", "reset by peer", "forcibly closed", "timeout"} {
		if strings.Contains(text, end) {
			return finding{
				kind: ingest.Unavailable, text: at + " broke off while TLS was being set up",
				hint: "check Encrypt: Strict is for servers of 2022 and later; else try again later, and if it stays so, ask who runs the server",
			}, true
		}
	}
	return finding{}, false
}

// examineEntra is signing in with Microsoft Entra, Kerberos or Windows.
func examineEntra(err error) (finding, bool) {
	var refused *entraError
	switch {
	case errors.As(err, &refused):
		return finding{
			kind: ingest.Denied, text: refused.Error(),
			hint: "look the number up at login.microsoftonline.com/error; a user for whom a second factor is asked cannot be used here, an application can",
		}, true
	case errors.Is(err, errEntraFederated):
		return finding{kind: ingest.Denied, text: errEntraFederated.Error(), hint: "use an application's id and secret: Authentication=ActiveDirectoryServicePrincipal"}, true
	case errors.Is(err, errEntraServer):
		return finding{kind: ingest.Denied, text: errEntraServer.Error(), hint: "check that the server is the one that is meant"}, true
	case errors.Is(err, errEntraAway):
		return finding{kind: ingest.Unavailable, text: errEntraAway.Error(), hint: hintAgain}, true
	case errors.Is(err, errOwn):
		return finding{
			kind: ingest.Denied, text: errOwn.Error(),
			hint: "start it as a user of the domain, or of that machine, who has a login in SQL Server; or use a SQL Server login",
		}, true
	case errors.Is(err, errKerberos):
		return finding{
			kind: ingest.Denied, text: errKerberos.Error(),
			hint: "check user, password and realm, and that the DNS names the realm's Kerberos servers to this service; or use a SQL Server login",
		}, true
	}
	return finding{}, false
}

// examineNetwork is what keeps bytes from coming.
func examineNetwork(err error, at string) (finding, bool) {
	var name *net.DNSError
	var op *net.OpError
	var timeout net.Error
	errors.As(err, &op)
	switch {
	case errors.Is(err, errBrowser):
		return finding{
			kind: ingest.Unavailable, text: "SQL Server Browser, UDP port 1434 of " + at + ", does not say on which port the instance listens",
			hint: "give the port instead of the instance: Server=host,port",
		}, true
	case errors.As(err, &name) && name.IsNotFound:
		return finding{kind: ingest.Unavailable, text: "the name of " + at + " does not resolve", hint: hintReach}, true
	case errors.As(err, &name):
		return finding{kind: ingest.Unavailable, text: "the name of " + at + " cannot be resolved at present", hint: hintAgain}, true
	case errors.Is(err, errnoRefused):
		return finding{kind: ingest.Unavailable, text: at + " refuses connections: nothing listens on that port", hint: hintReach}, true
	case errors.Is(err, errTooManyDials):
		return finding{kind: ingest.Unavailable, text: at + " sends us on to other servers without end", hint: hintAgain}, true
	case op != nil && op.Op == "dial":
		return finding{kind: ingest.Unavailable, text: at + " cannot be reached", hint: hintReach}, true
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		f := finding{kind: ingest.Unavailable, text: at + " kept silent for too long", hint: hintWhole}
		if errors.Is(err, context.DeadlineExceeded) {
			f.cause = context.DeadlineExceeded
		}
		return f, true
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.Is(err, driver.ErrBadConn),
		errors.Is(err, sql.ErrConnDone), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		op != nil && op.Op != "remote error" && op.Op != "local error": // which are TLS's
		return finding{kind: ingest.Unavailable, text: "the connection to " + at + " was lost", hint: hintWhole}, true
	}
	return finding{}, false
}

// examineDriver knows the driver's own errors, which have no types.
func examineDriver(err error, at string) (finding, bool) {
	text := err.Error()
	in := func(parts ...string) bool {
		for _, part := range parts {
			if strings.Contains(text, part) {
				return true
			}
		}
		return false
	}
	switch {
	case in("server does not support encryption", "encrypt negotiation failed"):
		return finding{
			kind: ingest.Invalid, text: at + " has no TLS",
			hint: "let TLS be set up on it; or set Encrypt=False, and everything that is read goes over the network in clear",
		}, true
	case in("protocol version", "selected unsupported"):
		return finding{
			kind: ingest.Invalid, text: at + " speaks only versions of TLS that are no longer safe",
			hint: "let it be updated; or allow them with tlsmin=1.0",
		}, true
	case in("TLS Handshake failed", "handshake packet", "remote error: tls", "tls: "):
		return finding{
			kind: ingest.Invalid, text: at + " and this service find no TLS in common",
			hint: "check Encrypt: Strict is for servers of 2022 and later; let the server's TLS be looked at",
		}, true
	case in("no instance matching", "invalid tcp port returned"):
		return finding{
			kind: ingest.Invalid, text: "SQL Server Browser of " + at + " knows no instance of that name with TCP/IP",
			hint: "check the instance's name, or give its port: Server=host,port",
		}, true
	case in("federated authentication is not supported"):
		return finding{kind: ingest.Invalid, text: at + " does not know Microsoft Entra", hint: "use a SQL Server login instead of Authentication=…"}, true
	case in("EOF", "connection reset", "broken pipe", "transaction was aborted by the server"):
		return finding{kind: ingest.Unavailable, text: "the connection to " + at + " was lost", hint: hintWhole}, true
	}
	var stream mssqldb.StreamError
	var slip runtime.Error // of the driver's, at bytes that it did not expect
	if errors.Is(err, errNonsense) || errors.As(err, &slip) || errors.As(err, &stream) || in("unexpected packet", "invalid packet size", "unknown token", "prelogin", "ivalid size", "nvalid size") {
		return finding{
			kind: ingest.Invalid, text: at + " answers what SQL Server would not",
			hint: "check server name and port; if a SQL Server is there, tell us its version",
		}, true
	}
	return finding{}, false
}
