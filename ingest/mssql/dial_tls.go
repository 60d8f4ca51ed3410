package mssql

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"dropline/ingest"
)

const longestPEM = 1 << 20

// trust is which certificates will do.
type trust struct {
	roots  *x509.CertPool
	pinned []byte // the one certificate that will do, DER; or nil
	any    bool
	host   string // the name it must be for; "": the host dialled
	min    uint16
	now    func() time.Time
}

func (c Config) trustOf(f *fields) (*trust, error) {
	t := &trust{any: f.trust || f.encrypt == encryptSignIn, host: f.hostInCert, min: f.tlsMin, now: c.Clock}
	if t.min == 0 {
		t.min = tls.VersionTLS12
	}
	if f.certFile != "" {
		cert, err := readCertificate("servercertificate", f.certFile)
		if err != nil {
			return nil, err
		}
		t.pinned = cert.Raw
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a machine without any: then it is the private ones that count
	}
	if len(c.RootCAs) > longestPEM || len(bytes.TrimSpace(c.RootCAs)) > 0 && !pool.AppendCertsFromPEM(c.RootCAs) {
		return nil, ingest.WithHint(ingest.Errorf(ingest.Invalid, "mssql.Connector", "the certificate authority given has no certificate that can be read"),
			"give certificateAuthority as PEM: -----BEGIN CERTIFICATE----- and so on, up to 1 MiB")
	}
	if f.caFile != "" {
		cert, err := readCertificate("certificate", f.caFile)
		if err != nil {
			return nil, err
		}
		pool.AddCert(cert)
	}
	t.roots = pool
	return t, nil
}

// readCertificate reads a file, PEM or DER, that a key of a local string names.
func readCertificate(key, path string) (*x509.Certificate, error) {
	wrong := func(reason string) error { return ingest.E(ingest.Invalid, "mssql.Connector", fault(key, reason)) }
	data, err := os.ReadFile(path)
	if err != nil || len(data) > longestPEM {
		return nil, wrong("the file cannot be read")
	}
	if block, _ := pem.Decode(data); block != nil {
		data = block.Bytes
	}
	cert, err := x509.ParseCertificate(data)
	if err != nil {
		return nil, wrong("the file has no certificate, neither as PEM nor as DER")
	}
	return cert, nil
}

// config returns a TLS configuration for one attempt. The driver turns the error of a handshake into text; so certificates are
// verified here, where what was wrong can be kept.
func (t *trust) config(a *attempt) *tls.Config {
	var suites []uint16 // nil: Go's choice
	if t.min < tls.VersionTLS12 {
		// Who allows old versions has a server that knows no better ciphers either.
		for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
			suites = append(suites, suite.ID)
		}
	}
	return &tls.Config{
		CipherSuites:                suites,
		ServerName:                  a.fields.host,
		MinVersion:                  t.min,
		InsecureSkipVerify:          true, // verified by VerifyConnection
		DynamicRecordSizingDisabled: true, // SQL Server wants a TDS packet in one record
		VerifyConnection: func(cs tls.ConnectionState) error {
			err := t.verify(cs, a.lastHost())
			a.keep(err)
			return err
		},
	}
}

// verify does what crypto/tls would. The host is the one dialled last, which a redirect may have changed: ConnectionState has
// no name where that is an address.
func (t *trust) verify(cs tls.ConnectionState, host string) error {
	if len(cs.PeerCertificates) == 0 {
		return &certificateError{errors.New("the server sent no certificate")}
	}
	leaf := cs.PeerCertificates[0]
	if t.pinned != nil {
		if !bytes.Equal(leaf.Raw, t.pinned) {
			return &certificateError{errors.New("the server's certificate is not the one given")}
		}
		return nil
	}
	if t.any {
		return nil
	}
	if t.host != "" {
		host = t.host
	}
	options := x509.VerifyOptions{Roots: t.roots, Intermediates: x509.NewCertPool(), CurrentTime: t.now()}
	for _, cert := range cs.PeerCertificates[1:] {
		options.Intermediates.AddCert(cert)
	}
	if _, err := leaf.Verify(options); err != nil {
		return &certificateError{err}
	}
	if err := leaf.VerifyHostname(host); err != nil && !commonName(leaf, host) {
		return &certificateError{err}
	}
	return nil
}

// commonName tells whether a certificate without alternative names, as SQL Server's guides have long made them, is for a
// host by its subject. SqlClient takes them too.
func commonName(cert *x509.Certificate, host string) bool {
	if len(cert.DNSNames)+len(cert.IPAddresses)+len(cert.EmailAddresses)+len(cert.URIs) > 0 {
		return false
	}
	return cert.Subject.CommonName != "" && strings.EqualFold(cert.Subject.CommonName, strings.TrimSuffix(host, "."))
}

// certificateError is a certificate that will not do.
type certificateError struct{ err error }

func (e *certificateError) Error() string { return fmt.Sprintf("certificate: %v", e.err) }

func (e *certificateError) Unwrap() error { return e.err }
