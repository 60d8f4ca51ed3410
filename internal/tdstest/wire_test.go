package tdstest_test

import (
	"encoding/binary"
	"encoding/hex"
	"io"
	"net"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"dropline/internal/tdstest"
)

// rawClient speaks TDS byte by byte, to see what the driver does not show.
type rawClient struct {
	t    *testing.T
	conn net.Conn
}

func utf16Bytes(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// dialRaw connects without TLS and logs in.
func dialRaw(t *testing.T, s *tdstest.Server) *rawClient {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(within(t), "tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	c := &rawClient{t, conn}
	c.send(0x12, 1, unhex(t, "00 000b 0006 01 0011 0001 ff 0e00000000 00 02"))
	if answer := c.read(); answer[0] != 0x00 || answer[len(answer)-3] != 0x02 {
		t.Fatalf("pre-login: %x", answer)
	}
	c.send(0x10, 1, login7("reader", "secret-of-test", "practice"))
	if answer := c.read(); !strings.Contains(string(answer), string(utf16Bytes("Microsoft SQL Server"))) {
		t.Fatalf("login: %x", answer)
	}
	return c
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// login7 is a LOGIN7 message with a user, a password and a database.
func login7(user, password, database string) []byte {
	b := make([]byte, 94)
	binary.LittleEndian.PutUint32(b[4:], 0x74000004)
	binary.LittleEndian.PutUint32(b[8:], 4096)
	secret := utf16Bytes(password)
	for i, x := range secret {
		secret[i] = (x<<4 | x>>4) ^ 0xa5
	}
	for at, value := range map[int][]byte{40: utf16Bytes(user), 44: secret, 68: utf16Bytes(database)} {
		binary.LittleEndian.PutUint16(b[at:], uint16(len(b)))
		binary.LittleEndian.PutUint16(b[at+2:], uint16(len(value)/2))
		b = append(b, value...)
	}
	binary.LittleEndian.PutUint32(b, uint32(len(b)))
	return b
}

func (c *rawClient) send(kind, status byte, data []byte) {
	c.t.Helper()
	header := []byte{kind, status, 0, 0, 0, 0, 1, 0}
	binary.BigEndian.PutUint16(header[2:], uint16(len(data)+8))
	if _, err := c.conn.Write(append(header, data...)); err != nil {
		c.t.Fatal(err)
	}
}

// batch sends a text with the header of a transaction that is none.
func (c *rawClient) batch(status byte, text string) {
	c.t.Helper()
	c.send(0x01, status, append(unhex(c.t, "16000000 12000000 0200 0000000000000000 01000000"), utf16Bytes(text)...))
}

// read reads one message.
func (c *rawClient) read() []byte {
	c.t.Helper()
	var out []byte
	for {
		header := make([]byte, 8)
		if _, err := io.ReadFull(c.conn, header); err != nil {
			c.t.Fatal(err)
		}
		body := make([]byte, int(binary.BigEndian.Uint16(header[2:]))-8)
		if _, err := io.ReadFull(c.conn, body); err != nil {
			c.t.Fatal(err)
		}
		if header[0] != 0x04 {
			c.t.Fatalf("a packet of type %d", header[0])
		}
		if out = append(out, body...); header[1]&1 != 0 {
			return out
		}
	}
}

// TestWire compares answers with what MS-TDS says they are, byte by byte.
func TestWire(t *testing.T) {
	t.Parallel()
	table := tdstest.Table{
		Name: "t", Columns: []tdstest.Column{
			{Name: "i", Type: "int", NotNull: true, Identity: true},
			{Name: "n", Type: "int"},
			{Name: "v", Type: "nvarchar(max)"},
			{Name: "r", Type: "rowversion"},
		},
		Rows: [][]any{{7, nil, nil, nil}, {8, 9, "ab", nil}},
	}
	s := tdstest.Start(t, tdstest.Options{Encryption: tdstest.NotSupported, Tables: []tdstest.Table{table}})
	c := dialRaw(t, s)
	for _, x := range []struct{ query, want string }{
		// The example of MS-TDS 4.4.
		{"select 'foo' as 'bar'", `81 0100 00000000 2000 a7 0300 0904d00034 03 620061007200 d1 0300 666f6f
			fd 1000 c100 0100000000000000`},
		{"SELECT * FROM t", `81 0400
			00000000 1000 38 01 6900
			00000000 0900 26 04 01 6e00
			00000000 0900 e7 ffff 0904d00034 01 7600
			50000000 0000 ad 0800 01 7200
			d2 06 07000000 0800 00000000000007d1
			d1 08000000 04 09000000 0400000000000000 04000000 61006200 00000000 0800 00000000000007d2
			fd 1000 c100 0200000000000000`},
		{"SELECT 1 AS a; SELECT CAST(NULL AS bit) AS b", `81 0100 00000000 2000 38 01 6100 d1 01000000 fd 1100 c100 0100000000000000
			81 0100 00000000 2100 68 01 01 6200 d1 00 fd 1000 c100 0100000000000000`},
		{"BEGIN TRAN", "e3 0b00 08 08 0100000000000000 00 fd 0400 d400 0000000000000000"},
		{"ROLLBACK", "e3 0b00 0a 00 08 0100000000000000 fd 0000 d200 0000000000000000"},
	} {
		c.batch(1, x.query)
		if got := c.read(); string(got) != string(unhex(t, x.want)) {
			t.Errorf("%s\n got %x\nwant %x", x.query, got, unhex(t, x.want))
		}
	}
}

// TestOutOfBand sends attentions when nothing runs and when something does, and gives up a request half sent.
func TestOutOfBand(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{Encryption: tdstest.NotSupported, Tables: []tdstest.Table{numbers(1_000_000)}})
	c := dialRaw(t, s)
	acknowledged := string(unhex(t, "fd 2000 0000 0000000000000000"))
	c.send(0x06, 1, nil)
	if got := c.read(); string(got) != acknowledged {
		t.Errorf("idle: %x", got)
	}
	c.batch(1, "WAITFOR DELAY '00:05:00'")
	c.send(0x06, 1, nil)
	if got := c.read(); string(got) != string(unhex(t, "fd 0000 0000 0000000000000000")) {
		t.Errorf("the response cut off: %x", got)
	}
	if got := c.read(); string(got) != acknowledged {
		t.Errorf("waiting: %x", got)
	}
	c.batch(0, "SELECT * FROM nothing")
	c.send(0x01, 3, nil)
	if got := c.read(); string(got) != string(unhex(t, "fd 0200 0000 0000000000000000")) {
		t.Errorf("given up: %x", got)
	}
	c.batch(1, "SELECT 1 AS a")
	if got := c.read(); len(got) == 0 || got[0] != 0x81 {
		t.Errorf("after it: %x", got)
	}
}
