package mssql_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/binary"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf16"

	"dropline/ingest/mssql"
)

// fake is a server that answers the packets of a sign-in with what a test gives it: to show what one may meet.
type fake struct {
	addr     netip.AddrPort
	accepted atomic.Int32
	answers  atomic.Pointer[[][]byte]
	messages chan []byte // the bodies of those received, as far as a test takes them
}

// startFake listens on ip and answers the n-th message of each connection with the n-th of answers; nil is no answer. What
// comes after the last is read and not answered.
func startFake(t *testing.T, ip string, secure *tls.Config, answers ...[]byte) *fake {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{addr: netip.MustParseAddrPort(listener.Addr().String()), messages: make(chan []byte, 16)}
	f.answers.Store(&answers)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			f.accepted.Add(1)
			if secure != nil {
				conn = tls.Server(conn, secure)
			}
			go func() {
				defer func() { _ = conn.Close() }()
				_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
				for _, answer := range *f.answers.Load() {
					body, err := readMessage(conn)
					if err != nil {
						return
					}
					select {
					case f.messages <- body:
					default:
					}
					_, _ = conn.Write(answer)
				}
				_, _ = io.Copy(io.Discard, conn)
			}()
		}
	}()
	return f
}

func readMessage(r io.Reader) ([]byte, error) {
	var body []byte
	for {
		var header [8]byte
		if _, err := io.ReadFull(r, header[:]); err != nil {
			return nil, err
		}
		part := make([]byte, max(binary.BigEndian.Uint16(header[2:]), 8)-8)
		if _, err := io.ReadFull(r, part); err != nil {
			return nil, err
		}
		if body = append(body, part...); header[1]&1 == 1 {
			return body, nil
		}
	}
}

func message(body ...[]byte) []byte {
	n := 8
	for _, b := range body {
		n += len(b)
	}
	out := []byte{4, 1, byte(n >> 8), byte(n), 0, 0, 1, 0}
	for _, b := range body {
		out = append(out, b...)
	}
	return out
}

// prelogin is an answer whose encryption option has the bytes given: 2 for none.
func prelogin(encryption ...byte) []byte {
	return message([]byte{1, 0, 6, 0, byte(len(encryption)), 0xff}, encryption)
}

func ucs2(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func counted16(s string) []byte {
	return append(binary.LittleEndian.AppendUint16(nil, uint16(len(utf16.Encode([]rune(s))))), ucs2(s)...)
}

func sized(token byte, body []byte) []byte {
	return append(binary.LittleEndian.AppendUint16([]byte{token}, uint16(len(body))), body...)
}

func loginAck() []byte {
	return sized(0xad, append([]byte{1, 0x74, 0, 0, 4, 4}, append(ucs2("fake"), 16, 0, 0, 0)...))
}

func done(status byte) []byte { return append([]byte{0xfd, status}, make([]byte, 11)...) }

func routing(host string, port uint16) []byte {
	body := binary.LittleEndian.AppendUint16([]byte{0}, port)
	body = append(body, counted16(host)...)
	body = append(binary.LittleEndian.AppendUint16(nil, uint16(len(body))), body...)
	return sized(0xe3, append([]byte{20}, append(body, 0, 0)...))
}

func serverError(number int32, class byte, text string) []byte {
	body := binary.LittleEndian.AppendUint32(nil, uint32(number))
	body = append(body, 1, class)
	body = append(body, counted16(text)...)
	return sized(0xaa, append(body, 0, 0, 0, 0, 0, 0))
}

func fedAuthInfo(sts, spn string) []byte {
	a, b := ucs2(sts), ucs2(spn)
	le := binary.LittleEndian
	body := le.AppendUint32(nil, 2)
	body = le.AppendUint32(le.AppendUint32(append(body, 1), uint32(len(a))), 22)
	body = le.AppendUint32(le.AppendUint32(append(body, 2), uint32(len(b))), uint32(22+len(a)))
	body = append(append(body, a...), b...)
	return append(le.AppendUint32([]byte{0xee}, uint32(len(body))), body...)
}

// certificate makes an authority and a server's certificate of it.
func certificate(t *testing.T, change func(*x509.Certificate)) (*tls.Config, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "db.example"}, DNSNames: []string{"db.example"},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(leaf)
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"tds/8.0"}}
	return cfg, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER})
}

// names is a resolver that knows a few names, and how often it was asked.
type names struct {
	known map[string][]string
	asked atomic.Int32
}

func (n *names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	n.asked.Add(1)
	list, ok := n.known[host]
	if !ok {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	var addrs []netip.Addr
	for _, s := range list {
		addrs = append(addrs, netip.MustParseAddr(s))
	}
	return addrs, nil
}

// LookupSRV says that the Kerberos server of any realm is kdc.example, at the port noted under the name kdc-port.
func (n *names) LookupSRV(_ context.Context, _, _, _ string) (string, []*net.SRV, error) {
	port, err := strconv.ParseUint(n.known["kdc-port"][0], 10, 16)
	return "", []*net.SRV{{Target: "kdc.example.", Port: uint16(port)}}, err
}

// connect signs in with a string to which %p is the port, and returns the error.
func connect(t *testing.T, cfg mssql.Config, text string, port uint16) error {
	t.Helper()
	conn, err := mssql.Parse(strings.ReplaceAll(text, "%p", strconv.Itoa(int(port))), false)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 10 * time.Second
	}
	connector, err := cfg.Connector(conn)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer func() { _ = db.Close() }()
	c, err := db.Conn(t.Context())
	if err != nil {
		return err
	}
	return c.Close()
}

func allow(t *testing.T, list string) mssql.Policy {
	t.Helper()
	p, err := mssql.ParsePolicy(list)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
