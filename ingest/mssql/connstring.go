package mssql

import (
	"errors"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"dropline/ingest"
)

// MaxConnectionString bounds a connection string, in bytes.
const MaxConnectionString = 8 << 10

// Connection is a connection string, read and vetted. It is immutable, and none of its text forms shows more than server
// and database.
type Connection struct {
	f *fields // behind a pointer, so that a copy printed with %+v shows an address
}

// fields is what a connection string says, once vetted.
type fields struct {
	host     string
	instance string
	port     uint16 // 0: 1433, or what SQL Browser says of the instance
	failover endpoint
	database string

	signIn   signIn
	user     string // of NTLM: domain\user; of Entra: user name, or the application's id
	password string // of Entra: the application's secret, or the access token
	tenant   string // of Entra: from "application@tenant"
	client   string // of Entra with a password: the application's id
	realm    string // of Kerberos
	spn      string

	encrypt    encryption
	trust      bool   // any certificate will do
	hostInCert string // "": the host dialled
	certFile   string // local only: the server's certificate itself
	caFile     string // local only: of an authority
	tlsMin     uint16

	timeout     time.Duration // 0: not said
	multiSubnet bool
	packetSize  uint16 // 0: not said
	workstation string
	krb5Files   map[string]string // local only: parameters of the driver's Kerberos
	local       bool
}

type endpoint struct {
	host     string
	instance string
	port     uint16
}

type encryption uint8

const (
	encryptRequired  encryption = iota
	encryptSignIn               // only signing in is encrypted, and the certificate not looked at
	encryptNever                // not even signing in
	encryptFromStart            // TDS 8: TLS before anything else
)

// ConnectionStringError names the key of a connection string that is at fault. It never holds a value that may be secret.
type ConnectionStringError struct {
	Key    string // in lower case; "" where no one key is at fault
	Reason string
	shown  string // the key as the string spells it, or as it is usually spelt where the string has not got it
}

// Error returns key and reason.
func (e *ConnectionStringError) Error() string {
	if e.Key == "" {
		return "connection string: " + e.Reason
	}
	return "connection string: " + strconv.Quote(e.ConnectionKey()) + ": " + e.Reason
}

// ConnectionKey returns the key as its sender knows it, or "".
func (e *ConnectionStringError) ConnectionKey() string {
	if e.shown != "" {
		return e.shown
	}
	return e.Key
}

// spell finds out how the string spells the key.
func (e *ConnectionStringError) spell(text string) {
	if e.Key == "" {
		return
	}
	pairs, _ := split(text) //nolint:errcheck // what cannot be taken apart has no spelling
	for _, p := range pairs {
		if normal(p.key) == normal(e.Key) {
			e.shown = p.key
		}
	}
	if e.shown != "" {
		return
	}
	words := strings.Fields(e.Key)
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	e.shown = strings.Join(words, " ")
}

// fault makes a ConnectionStringError.
func fault(key, reason string) error { return &ConnectionStringError{Key: key, Reason: reason} }

// Parse reads a connection string as ADO.NET, OLE DB, ODBC, JDBC or a URL has it, of at most MaxConnectionString bytes. With
// local it runs at the client's own site, where the string may name files and the identity of the process may be used. The
// error is Invalid and wraps a *ConnectionStringError.
func Parse(text string, local bool) (*Connection, error) {
	f, err := parse(text, local)
	if err != nil {
		var c *ConnectionStringError
		if errors.As(err, &c) && len(text) <= MaxConnectionString {
			c.spell(strings.TrimSpace(text))
		}
		return nil, ingest.WithHint(ingest.E(ingest.Invalid, "mssql.Parse", err), hintFor(err))
	}
	return &Connection{f: f}, nil
}

func hintFor(err error) string {
	var c *ConnectionStringError
	if errors.As(err, &c) && c.Key != "" {
		return "correct " + strconv.Quote(c.ConnectionKey()) + " in the connection string and send it again"
	}
	return "send a connection string such as Server=host,1433;Database=name;User Id=login;Password=…"
}

func parse(text string, local bool) (*fields, error) {
	if err := vetText(text); err != nil {
		return nil, err
	}
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, fault("", "it is empty")
	}
	pairs, err := split(text)
	if err != nil {
		return nil, err
	}
	if len(pairs) > 200 {
		return nil, fault("", "it has more than 200 keys")
	}
	given, err := sortKeys(pairs, local)
	if err != nil {
		return nil, err
	}
	return build(given, local)
}

// vetText refuses what no connection string has, before anything looks at it.
func vetText(text string) error {
	if len(text) > MaxConnectionString {
		return fault("", "it is longer than "+strconv.Itoa(MaxConnectionString)+" bytes")
	}
	if !utf8.ValidString(text) {
		return fault("", "it is not UTF-8")
	}
	for _, r := range strings.TrimSpace(text) {
		if isControl(r) {
			return fault("", "it has a control character in it; a line break, perhaps")
		}
	}
	return nil
}

// Server returns the host with instance or port, for people.
func (c *Connection) Server() string {
	if c == nil || c.f == nil {
		return ""
	}
	switch {
	case c.f.port != 0:
		return net.JoinHostPort(c.f.host, strconv.Itoa(int(c.f.port)))
	case c.f.instance != "":
		return c.f.host + `\` + c.f.instance
	}
	return net.JoinHostPort(c.f.host, strconv.Itoa(defaultPort))
}

// Database returns the database's name.
func (c *Connection) Database() string {
	if c == nil || c.f == nil {
		return ""
	}
	return c.f.database
}

// User returns who signs in, or "" for an identity that the string does not name.
func (c *Connection) User() string {
	if c == nil || c.f == nil {
		return ""
	}
	return c.f.user
}

// String returns server and database, and no secret.
func (c *Connection) String() string { return c.Server() + "/" + c.Database() }

// GoString returns what String does.
func (c *Connection) GoString() string { return c.String() }

// LogValue returns what String does.
func (c *Connection) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText returns what String does; so does encoding/json.
func (c *Connection) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// secrets returns what must be in no message: the password or token, and the user.
func (c *Connection) secrets() (password, user string) {
	if c == nil || c.f == nil {
		return "", ""
	}
	return c.f.password, c.f.user
}
