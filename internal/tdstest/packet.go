package tdstest

import (
	"encoding/binary"
	"errors"
	"io"
)

// The types of packets: MS-TDS 2.2.3.1.1.
const (
	packetBatch     = 1
	packetRPC       = 3
	packetReply     = 4
	packetAttention = 6
	packetTran      = 14
	packetLogin     = 16
	packetPrelogin  = 18

	statusEOM       = 0x01
	statusIgnore    = 0x02
	statusReset     = 0x08
	statusResetKeep = 0x10

	headerSize        = 8
	defaultPacketSize = 4096
	minPacketSize     = 512
	maxPacketSize     = 32767
	maxTLSPacketSize  = 16383

	// maxMessageSize bounds what a client may send at once, in bytes.
	maxMessageSize = 16 << 20
)

var errProtocol = errors.New("the client's packets are not TDS")

// message is what a client sends: packets of one type up to the end of the message.
type message struct {
	kind    byte
	reset   bool
	ignored bool
	data    []byte
}

// readMessage reads one message of at most maxMessageSize bytes.
func readMessage(r io.Reader) (message, error) {
	var m message
	var header [headerSize]byte
	for first := true; ; first = false {
		if _, err := io.ReadFull(r, header[:]); err != nil {
			return m, err
		}
		size := int(binary.BigEndian.Uint16(header[2:])) - headerSize
		if size < 0 || !first && header[0] != m.kind {
			return m, errProtocol
		}
		m.kind = header[0]
		if header[1]&(statusReset|statusResetKeep) != 0 {
			m.reset = true
		}
		at := len(m.data)
		if at+size > maxMessageSize {
			return m, errProtocol
		}
		m.data = append(m.data, make([]byte, size)...)
		if _, err := io.ReadFull(r, m.data[at:]); err != nil {
			return m, err
		}
		if header[1]&statusEOM != 0 {
			m.ignored = header[1]&statusIgnore != 0
			return m, nil
		}
	}
}

// packetWriter cuts a message into packets. Packets that are full are written several at a time; what there is goes out
// at flush and at end.
type packetWriter struct {
	w     io.Writer
	buf   []byte // packets; the last, from start, is being filled
	start int
	kind  byte
	seq   byte
	spid  uint16
	size  int
	err   error
}

// batchSize is how many bytes of packets are written at once.
const batchSize = 64 << 10

func newPacketWriter(w io.Writer, size int) *packetWriter {
	p := &packetWriter{w: w, kind: packetReply, seq: 1}
	p.resize(size)
	return p
}

// resize is for between messages.
func (p *packetWriter) resize(size int) {
	p.size, p.start = size, 0
	p.buf = make([]byte, headerSize, batchSize+maxPacketSize)
}

// put adds bytes to the message. The first error stays: flush and end give it, and failed tells of it.
func (p *packetWriter) put(b []byte) {
	for len(b) > 0 && p.err == nil {
		room := p.size - (len(p.buf) - p.start)
		if room == 0 {
			p.seal(0)
			if p.start >= batchSize {
				p.send()
			}
			continue
		}
		room = min(room, len(b))
		p.buf = append(p.buf, b[:room]...)
		b = b[room:]
	}
}

// failed is true once the client cannot be written to.
func (p *packetWriter) failed() bool { return p.err != nil }

// flush sends what there is, as a packet that does not end the message.
func (p *packetWriter) flush() error {
	if len(p.buf)-p.start > headerSize {
		p.seal(0)
	}
	p.send()
	return p.err
}

// end sends the last packet of the message.
func (p *packetWriter) end() error {
	p.seal(statusEOM)
	p.send()
	p.seq = 1
	return p.err
}

// seal completes the packet being filled and begins another.
func (p *packetWriter) seal(status byte) {
	header := p.buf[p.start:]
	header[0], header[1] = p.kind, status
	binary.BigEndian.PutUint16(header[2:], uint16(len(header)))
	binary.BigEndian.PutUint16(header[4:], p.spid)
	header[6], header[7] = p.seq, 0
	p.seq++
	p.start = len(p.buf)
	p.buf = append(p.buf, make([]byte, headerSize)...)
}

func (p *packetWriter) send() {
	if p.err == nil && p.start > 0 {
		_, p.err = p.w.Write(p.buf[:p.start])
	}
	p.buf = append(p.buf[:0], p.buf[p.start:]...)
	p.start = 0
}

// cursor reads the fields of a message; the first that is not there makes it bad, and everything after it zero.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) take(n int) []byte {
	if c.bad || n < 0 || n > len(c.b) {
		c.bad = true
		return nil
	}
	b := c.b[:n]
	c.b = c.b[n:]
	return b
}

func (c *cursor) uint8() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) uint16() uint16 {
	if b := c.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) uint32() uint32 {
	if b := c.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) uint64() uint64 {
	if b := c.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// text reads n UTF-16 units.
func (c *cursor) text(n int) string { return fromUTF16(c.take(2 * n)) }

// headers skips ALL_HEADERS.
func (c *cursor) headers() {
	if n := c.uint32(); n >= 4 {
		c.take(int(n) - 4)
	} else {
		c.bad = true
	}
}
