package tdstest

import (
	"crypto/subtle"
	"encoding/binary"
	"strconv"
	"time"
)

// What a LOGIN7 message may say: MS-TDS 2.2.6.4.
const (
	loginHeaderSize = 94
	integratedBit   = 0x80
	readOnlyBit     = 0x20
	extensionBit    = 0x10

	featureFedAuth = 0x02
	featureUTF8    = 0x0a
	featureEnd     = 0xff

	tds74 = 0x74000004
)

type login struct {
	Login
	password   string
	integrated bool
	tdsVersion uint32
	features   map[byte][]byte
	extended   bool
}

// readLogin reads a LOGIN7 message.
func readLogin(b []byte) (*login, error) {
	if len(b) < loginHeaderSize || int(binary.LittleEndian.Uint32(b)) != len(b) {
		return nil, errProtocol
	}
	bad := false
	field := func(at int) []byte {
		from, n := int(binary.LittleEndian.Uint16(b[at:])), 2*int(binary.LittleEndian.Uint16(b[at+2:]))
		if from+n > len(b) {
			bad = true
			return nil
		}
		return b[from : from+n]
	}
	l := &login{
		tdsVersion: binary.LittleEndian.Uint32(b[4:]),
		integrated: b[25]&integratedBit != 0,
		features:   map[byte][]byte{},
		Login: Login{
			PacketSize: int(binary.LittleEndian.Uint32(b[8:])), ReadOnlyIntent: b[26]&readOnlyBit != 0,
			Host: fromUTF16(field(36)), User: fromUTF16(field(40)), AppName: fromUTF16(field(48)),
			Server: fromUTF16(field(52)), Library: fromUTF16(field(60)), Database: fromUTF16(field(68)),
		},
	}
	secret := append([]byte(nil), field(44)...)
	for i, c := range secret {
		c ^= 0xa5
		secret[i] = c<<4 | c>>4
	}
	l.password = fromUTF16(secret)
	if b[27]&extensionBit != 0 {
		at := int(binary.LittleEndian.Uint16(b[56:]))
		if at+4 > len(b) {
			return nil, errProtocol
		}
		if err := l.readFeatures(b, int(binary.LittleEndian.Uint32(b[at:]))); err != nil {
			return nil, err
		}
	}
	if bad {
		return nil, errProtocol
	}
	return l, nil
}

func (l *login) readFeatures(b []byte, at int) error {
	l.extended = true
	if at < 0 || at > len(b) {
		return errProtocol
	}
	c := cursor{b: b[at:]}
	for {
		id := c.uint8()
		if c.bad {
			return errProtocol
		}
		if id == featureEnd {
			return nil
		}
		l.features[id] = c.take(int(c.uint32()))
	}
}

// login reads the login, answers it, and says whether the session may begin.
func (c *session) login() (bool, error) {
	m, err := readMessage(c.link.conn)
	if err != nil {
		return false, err
	}
	if m.kind != packetLogin {
		return false, errProtocol
	}
	l, err := readLogin(m.data)
	if err != nil {
		return false, err
	}
	l.Encrypted, l.LoginEncrypted, l.Strict = c.link.encrypted, c.link.loginEncrypted, c.link.strict
	c.reader, c.out = c.link.later, newPacketWriter(c.link.later, defaultPacketSize)
	c.out.spid = c.spid
	if wait := c.server.faults.loginDelay(); wait > 0 {
		select {
		case <-time.After(wait):
		case <-c.server.closing:
			return false, errProtocol
		}
	}
	refused := c.server.judge(l)
	l.Refused = refused != nil
	c.server.noteLogin(l.Login)
	if refused != nil {
		c.server.event("refused", c.number, refused.Error())
		c.writeError(refused)
		c.done(tokenDone, doneError, 0, 0)
		return false, c.out.end()
	}
	c.server.event("login", c.number, l.User)
	c.who = l.Login
	return true, c.welcome(l)
}

// judge gives the error with which a login is refused.
func (s *Server) judge(l *login) *Error {
	if e := s.faults.refusal(); e != nil {
		return e
	}
	if l.integrated || l.features[featureFedAuth] != nil {
		return &Error{18452, 1, 14, "Login failed. The login is from an untrusted domain and cannot be used with Integrated authentication."}
	}
	known := sameName(l.User, s.o.User)
	if subtle.ConstantTimeCompare([]byte(l.password), []byte(s.o.Password)) != 1 || !known {
		return &Error{18456, 1, 14, "Login failed for user '" + l.User + "'."}
	}
	if l.Database == "" {
		l.Database = s.o.Database
	}
	if !s.hasDatabase(l.Database) {
		return &Error{4060, 1, 11, "Cannot open database \"" + l.Database + "\" requested by the login. The login failed."}
	}
	return nil
}

func (s *Server) hasDatabase(name string) bool {
	return sameName(name, s.o.Database) || sameName(name, "master")
}

// welcome answers a login that is let in, in the order SQL Server does.
func (c *session) welcome(l *login) error {
	size := l.PacketSize
	if size == 0 {
		size = defaultPacketSize
	}
	limit := maxPacketSize
	if l.Encrypted {
		limit = maxTLSPacketSize
	}
	size = max(minPacketSize, min(size, limit))
	if size < defaultPacketSize {
		c.out.resize(size)
	}
	c.database = "master"
	c.useDatabase(l.Database)
	info := c.server.collation.bytes()
	c.token(tokenEnvChange, append(append([]byte{envCollation, 5}, info[:]...), 0))
	c.envText(envLanguage, "us_english", "")
	c.writeInfo(&Error{5703, 1, 0, "Changed language setting to us_english."})
	version := l.tdsVersion
	if !l.Strict {
		version = min(version, tds74)
	}
	c.loginAck(version)
	c.envText(envPacketSize, strconv.Itoa(size), strconv.Itoa(defaultPacketSize))
	if l.extended {
		c.out.put([]byte{tokenFeatureAck})
		if l.features[featureUTF8] != nil {
			c.out.put([]byte{featureUTF8, 1, 0, 0, 0, 1})
		}
		c.out.put([]byte{featureEnd})
	}
	c.done(tokenDone, 0, 0, 0)
	err := c.out.end()
	c.out.resize(size)
	return err
}
