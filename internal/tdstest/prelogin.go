package tdstest

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"net"
)

// The values of ENCRYPTION in a pre-login message: MS-TDS 2.2.6.5.
const (
	encryptOff          = 0
	encryptOn           = 1
	encryptNotSupported = 2
	encryptRequired     = 3

	optionVersion    = 0
	optionEncryption = 1
	optionInstance   = 2
	optionMARS       = 4
	optionEnd        = 0xff
)

// negotiate is the table of MS-TDS 2.2.6.5: what the server answers, and whether they can go on.
func negotiate(server Encryption, client byte) (answer byte, ok bool) {
	client &= 0x0f
	switch {
	case server == NotSupported:
		return encryptNotSupported, client == encryptOff || client == encryptNotSupported
	case server == Off && client == encryptNotSupported:
		return encryptNotSupported, true
	case server == Off && client == encryptOff:
		return encryptOff, true
	case client == encryptOn && server != Required:
		return encryptOn, true
	default:
		return encryptRequired, client != encryptNotSupported
	}
}

// link is a connection after the pre-login: what reads and writes, and what does once the login has been read.
type link struct {
	conn, later    net.Conn
	encrypted      bool // everything
	loginEncrypted bool
	strict         bool
}

// bufferedConn reads what has been looked at already.
type bufferedConn struct {
	net.Conn
	r *bufio.Reader
}

func (c *bufferedConn) Read(b []byte) (int, error) { return c.r.Read(b) }

// prelogin negotiates encryption. A client that starts with a TLS record speaks TDS 8.
func (s *Server) prelogin(raw net.Conn, spid uint16) (*link, error) {
	conn := &bufferedConn{Conn: raw, r: bufio.NewReaderSize(raw, 32<<10)}
	first, err := conn.r.Peek(1)
	if err != nil {
		return nil, err
	}
	l := &link{conn: conn, later: conn}
	if first[0] == 0x16 && s.o.Encryption != NotSupported {
		t := tls.Server(conn, strictTLS(s.certificate))
		if err := t.HandshakeContext(context.Background()); err != nil {
			return nil, err
		}
		l = &link{conn: t, later: t, encrypted: true, loginEncrypted: true, strict: true}
	}
	m, err := readMessage(l.conn)
	if err != nil {
		return nil, err
	}
	if m.kind != packetPrelogin {
		return nil, errProtocol
	}
	options, err := readPrelogin(m.data)
	if err != nil {
		return nil, err
	}
	wanted := byte(encryptOff)
	if v := options[optionEncryption]; len(v) == 1 {
		wanted = v[0]
	}
	answer, ok := negotiate(s.o.Encryption, wanted)
	if l.strict {
		answer, ok = encryptOn, true
	}
	w := newPacketWriter(l.conn, defaultPacketSize)
	w.spid = spid
	w.put(preloginAnswer(answer, s.instanceMatches(options[optionInstance])))
	if err := w.end(); err != nil {
		return nil, err
	}
	if !ok {
		return nil, errProtocol
	}
	if l.strict || answer == encryptNotSupported {
		return l, nil
	}
	l.conn, err = wrappedHandshake(conn, wrappedTLS(s.certificate))
	l.loginEncrypted = true
	if answer != encryptOff {
		l.later, l.encrypted = l.conn, true
	}
	return l, err
}

// readPrelogin reads the options of a pre-login message, which lie at offsets in it.
func readPrelogin(b []byte) (map[byte][]byte, error) {
	options := map[byte][]byte{}
	for at := 0; ; at += 5 {
		if at < len(b) && b[at] == optionEnd {
			return options, nil
		}
		if at+5 > len(b) {
			return nil, errProtocol
		}
		from := int(binary.BigEndian.Uint16(b[at+1:]))
		to := from + int(binary.BigEndian.Uint16(b[at+3:]))
		if to > len(b) {
			return nil, errProtocol
		}
		options[b[at]] = b[from:to]
	}
}

// preloginAnswer says version 16.0.1000 (SQL Server 2022), the encryption, whether the instance is another, and no MARS.
func preloginAnswer(encryption, instance byte) []byte {
	values := []struct {
		option byte
		value  []byte
	}{
		{optionVersion, []byte{versionMajor, versionMinor, versionBuild >> 8, versionBuild & 0xff, 0, 0}},
		{optionEncryption, []byte{encryption}},
		{optionInstance, []byte{instance}},
		{optionMARS, []byte{0}},
	}
	offset := 5*len(values) + 1
	var head, body []byte
	for _, v := range values {
		head = append(head, v.option)
		head = binary.BigEndian.AppendUint16(head, uint16(offset+len(body)))
		head = binary.BigEndian.AppendUint16(head, uint16(len(v.value)))
		body = append(body, v.value...)
	}
	return append(append(head, optionEnd), body...)
}

// instanceMatches is 0 where the client asked for no instance or for this one.
func (s *Server) instanceMatches(asked []byte) byte {
	name := string(asked)
	for len(name) > 0 && name[len(name)-1] == 0 {
		name = name[:len(name)-1]
	}
	if name == "" || sameName(name, s.o.Instance) || sameName(name, "MSSQLServer") {
		return 0
	}
	return 1
}
