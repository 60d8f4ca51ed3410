package api

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"dropline/ingest"
)

const (
	maxConnectionString = 8192     // bytes; the API's description counts characters
	maxSecret           = 64 << 10 // bytes of JSON that are sealed: as much as internal/seal takes
	maxToldCause        = 2000     // characters of what a client's server says
)

// keyPattern is what may follow body.connectionString in an error's location. What else a parser took for a key may be a part
// of a value, such as a password with a semicolon in it.
var keyPattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9 _.-]{0,63}$`)

// takesDatabases refuses where connection strings cannot be kept.
func (s *Server) takesDatabases() error {
	if s.cfg.Databases != nil && s.cfg.Databases.Seal != nil {
		return nil
	}
	return newProblem(http.StatusNotImplemented, "this server imports from no databases: it has no key to encrypt connection strings with",
		"ask the operator to set secrets.key_file or secrets.kms_key")
}

// connection is a connection string that was checked.
type connection struct {
	secret           ingest.DatabaseSecret
	server, database string // for people
}

// connectionOf checks a connection string and what goes with it, before anything of it is kept.
func (s *Server) connectionOf(text, authority string) (connection, error) {
	const at = "body.connectionString"
	if err := s.takesDatabases(); err != nil {
		return connection{}, err
	}
	switch {
	case strings.TrimSpace(text) == "":
		return connection{}, badRequest(at, "the connection string is empty", "send it as ADO.NET, ODBC or a URL has it")
	case len(text) > maxConnectionString:
		return connection{}, badRequest(at, "the connection string has more than 8192 bytes", "leave out what the server does not need")
	}
	c := connection{secret: ingest.DatabaseSecret{ConnectionString: text}}
	var err error
	if c.secret.CertificateAuthority, err = certificates(authority); err != nil {
		return connection{}, err
	}
	if c.server, c.database, err = s.cfg.Databases.Check(text); err != nil {
		return connection{}, connectionProblem(err, at)
	}
	return c, nil
}

func badRequest(location, message, hint string) *problemError {
	return newProblem(http.StatusBadRequest, message, hint, ProblemError{Location: location, Message: message})
}

// certificates returns the certificates of a PEM text and nothing else of it, so that what does not belong there is not kept.
func certificates(text string) (string, error) {
	const at = "body.certificateAuthority"
	if text == "" {
		return "", nil
	}
	if strings.Contains(text, "PRIVATE KEY") {
		return "", badRequest(at, "the certificate authority holds a private key", "send certificates only, and replace that key: it has left its place")
	}
	var out bytes.Buffer
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			if bytes.Contains(rest, []byte("-----BEGIN")) || out.Len() == 0 {
				return "", badRequest(at, "the certificate authority is not, or not throughout, PEM", "send the text between and with BEGIN CERTIFICATE and END CERTIFICATE")
			}
			return out.String(), nil
		}
		if block.Type != "CERTIFICATE" {
			return "", badRequest(at, "the certificate authority holds what is no certificate", "send certificates only")
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return "", badRequest(at, "the certificate authority holds a certificate that cannot be read", "export it from its store again, as PEM")
		}
		out.Write(pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes}))
	}
}

// connectionProblem answers a connection string that cannot be used, and names the key at fault where one is.
func connectionProblem(err error, at string) error {
	if kind := ingest.KindOf(err); kind != ingest.Invalid && kind != ingest.Denied {
		return err
	}
	var named interface{ ConnectionKey() string }
	if errors.As(err, &named) && keyPattern.MatchString(named.ConnectionKey()) {
		at += "." + named.ConnectionKey()
	}
	p := badRequest(at, told(err), ingest.HintOf(err))
	p.cause = err
	return p
}

// told is what an error says, of bounded length: it may quote a client's server.
func told(err error) string {
	message := []rune(ingest.MessageOf(err))
	if len(message) > maxToldCause {
		return string(message[:maxToldCause-1]) + "…"
	}
	return string(message)
}

// seal encrypts a connection for what it is stored for.
func (s *Server) seal(ctx context.Context, c *connection, tenant ingest.TenantID, id string) ([]byte, error) {
	var plain bytes.Buffer
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	if err := e.Encode(c.secret); err != nil {
		return nil, err
	}
	if plain.Len() > maxSecret {
		return nil, badRequest("body", "the connection string and its certificate authority together are too long", "send only the certificates that are needed")
	}
	sealed, err := s.cfg.Databases.Seal(ctx, plain.Bytes(), ingest.SealedFor(tenant, id))
	return sealed, ofKey("api.seal", err)
}

// unseal decrypts what was sealed.
func (s *Server) unseal(ctx context.Context, sealed []byte, tenant ingest.TenantID, id string) (ingest.DatabaseSecret, error) {
	const op = "api.unseal"
	var secret ingest.DatabaseSecret
	plain, err := s.cfg.Databases.Unseal(ctx, sealed, ingest.SealedFor(tenant, id))
	if err != nil {
		return secret, ofKey(op, err)
	}
	if err := json.Unmarshal(plain, &secret); err != nil {
		return secret, ingest.Errorf(ingest.Internal, op, "what was sealed is no connection string") // the cause might quote it
	}
	return secret, nil
}

// ofKey is an error of the key for connection strings, which is the operator's matter and no refusal of the request.
func ofKey(op string, err error) error {
	if err == nil || ingest.KindOf(err) == ingest.Unavailable {
		return err
	}
	return ingest.E(ingest.Internal, op, err)
}
