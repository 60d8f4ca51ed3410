package sftpd

import "encoding/binary"

// Packet types of SFTP version 3 that the wire knows.
const (
	fxpInit          = 1
	fxpVersion       = 2
	fxpOpen          = 3
	fxpClose         = 4
	fxpRead          = 5
	fxpWrite         = 6
	fxpFstat         = 8
	fxpFsetstat      = 10
	fxpReaddir       = 12
	fxpSymlink       = 20
	fxpStatus        = 101
	fxpHandle        = 102
	fxpData          = 103
	fxpAttrs         = 105
	fxpExtended      = 200
	fxpExtendedReply = 201
)

// Flags of OPEN.
const (
	openRead   = 0x01
	openWrite  = 0x02
	openAppend = 0x04
	openCreate = 0x08
	openTrunc  = 0x10
	openExcl   = 0x20
)

// Flags of attributes.
const (
	attrSize        = 0x01
	attrOwner       = 0x02
	attrPermissions = 0x04
	attrTimes       = 0x08
)

// Bounds of packets, those of OpenSSH's server and of pkg/sftp.
const (
	maxPacket     = 256 << 10 // bytes after the length
	maxData       = maxPacket - 1024
	packetHeader  = 4
	minPacketBody = 1 + 4 // type and request id
	sftpVersion   = 3
)

// fields reads a packet's fields in order. After the first that is not there ok is false and all others are zero.
type fields struct {
	rest []byte
	bad  bool
}

func (f *fields) uint32() uint32 {
	if f.bad || len(f.rest) < 4 {
		f.bad = true
		return 0
	}
	v := binary.BigEndian.Uint32(f.rest)
	f.rest = f.rest[4:]
	return v
}

func (f *fields) uint64() uint64 {
	if f.bad || len(f.rest) < 8 {
		f.bad = true
		return 0
	}
	v := binary.BigEndian.Uint64(f.rest)
	f.rest = f.rest[8:]
	return v
}

// bytes returns a string field. It shares the packet's memory.
func (f *fields) bytes() []byte {
	n := f.uint32()
	if f.bad || uint64(n) > uint64(len(f.rest)) {
		f.bad = true
		return nil
	}
	v := f.rest[:n]
	f.rest = f.rest[n:]
	return v
}

// attributes are those that FSETSTAT can set and that mean something here.
type attributes struct {
	flags uint32
	size  uint64
	mtime uint32
}

func (f *fields) attributes() attributes {
	a := attributes{flags: f.uint32()}
	if a.flags&attrSize != 0 {
		a.size = f.uint64()
	}
	if a.flags&attrOwner != 0 {
		f.uint32()
		f.uint32()
	}
	if a.flags&attrPermissions != 0 {
		f.uint32()
	}
	if a.flags&attrTimes != 0 {
		f.uint32()
		a.mtime = f.uint32()
	}
	return a
}

// answer starts a packet of the type for the request; seal finishes it.
func answer(kind byte, id uint32) []byte {
	b := make([]byte, 0, 64)
	b = append(b, 0, 0, 0, 0, kind)
	return binary.BigEndian.AppendUint32(b, id)
}

func seal(b []byte) []byte {
	binary.BigEndian.PutUint32(b, uint32(len(b)-packetHeader))
	return b
}

func appendString(b []byte, s string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
	return append(b, s...)
}

func statusPacket(id, code uint32, text string) []byte {
	b := binary.BigEndian.AppendUint32(answer(fxpStatus, id), code)
	return seal(appendString(appendString(b, text), "en"))
}

// versionPacket announces what this server speaks. hardlink@openssh.com, which pkg/sftp would announce, is left out.
func versionPacket() []byte {
	b := append([]byte{0, 0, 0, 0, fxpVersion}, 0, 0, 0, sftpVersion)
	for _, ext := range [][2]string{
		{"posix-rename@openssh.com", "1"},
		{"statvfs@openssh.com", "2"},
		{"fsync@openssh.com", "1"},
		{"limits@openssh.com", "1"},
	} {
		b = appendString(appendString(b, ext[0]), ext[1])
	}
	return seal(b)
}

// limitsPacket answers limits@openssh.com. With it OpenSSH sends 255 KiB in a packet instead of 32, which halves the cost.
func limitsPacket(id uint32, maxHandles int) []byte {
	b := answer(fxpExtendedReply, id)
	for _, v := range []uint64{maxPacket, maxData, maxData, uint64(maxHandles)} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return seal(b)
}
