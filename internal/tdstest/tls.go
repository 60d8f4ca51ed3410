package tdstest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"time"
)

// selfSigned makes a certificate for 127.0.0.1, ::1 and localhost, which is its own authority.
func selfSigned() (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "SSL_Self_Signed_Fallback"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(365 * 24 * time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true, IsCA: true,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// authorityPEM is the last certificate of the chain: the authority, or the certificate itself.
func authorityPEM(c *tls.Certificate) []byte {
	der := c.Certificate[len(c.Certificate)-1]
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// wrappedTLS is for TLS inside pre-login packets. SQL Server has no more than TLS 1.2 there; and tickets, which come
// after the handshake, would not know whether to be wrapped.
func wrappedTLS(c *tls.Certificate) *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{*c}, MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12,
		SessionTicketsDisabled: true, DynamicRecordSizingDisabled: true,
	}
}

func strictTLS(c *tls.Certificate) *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{*c}, MinVersion: tls.VersionTLS12, NextProtos: []string{"tds/8.0"},
		DynamicRecordSizingDisabled: true,
	}
}

// handshakeConn carries the handshake's bytes in pre-login packets, and bare bytes once the handshake is done.
type handshakeConn struct {
	net.Conn
	in   bytes.Reader
	out  []byte
	bare bool
}

func (c *handshakeConn) Read(b []byte) (int, error) {
	if err := c.flush(); err != nil {
		return 0, err
	}
	if c.bare {
		return c.Conn.Read(b)
	}
	if c.in.Len() == 0 {
		m, err := readMessage(c.Conn)
		if err != nil {
			return 0, err
		}
		if m.kind != packetPrelogin {
			return 0, errProtocol
		}
		c.in.Reset(m.data)
	}
	n, err := c.in.Read(b)
	if errors.Is(err, io.EOF) {
		return n, nil
	}
	return n, err
}

// Write keeps a flight of the handshake together until the client's next is read.
func (c *handshakeConn) Write(b []byte) (int, error) {
	if c.bare {
		return c.Conn.Write(b)
	}
	c.out = append(c.out, b...)
	return len(b), nil
}

func (c *handshakeConn) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	p := newPacketWriter(c.Conn, defaultPacketSize)
	p.kind = packetPrelogin
	p.put(c.out)
	c.out = nil
	return p.end()
}

// wrappedHandshake does the handshake in pre-login packets and gives the connection that continues in bare records.
func wrappedHandshake(conn net.Conn, config *tls.Config) (net.Conn, error) {
	h := &handshakeConn{Conn: conn}
	t := tls.Server(h, config)
	err := t.HandshakeContext(context.Background())
	if flushErr := h.flush(); err == nil {
		err = flushErr
	}
	h.bare = true
	return t, err
}
