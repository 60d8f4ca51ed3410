package sftpd

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"sync"
)

// firstBuffer is what a session reads packets into until one is larger: requests other than WRITE are small, and a server
// has many idle sessions.
const firstBuffer = 4 << 10

// maxForwarded is how many requests the RequestServer may have at a time. It keeps the answers to all of them until the first
// is sent, at up to maxData each. Clients keep 64 in flight, few of them more.
const maxForwarded = 128

// wire stands between an SSH channel and pkg/sftp's RequestServer. Read, called by that server, answers the packets that
// concern uploads itself and hands on the others whole; Write hands its answers to the channel whole.
type wire struct {
	s       *session
	channel io.ReadWriteCloser

	packet  []byte // of Read: the packet being looked at, with its length
	forward []byte // of Read: what remains to be handed on

	out     sync.Mutex // serialises packets to the channel
	partial []byte     // of Write: an answer that is not whole yet

	mu         sync.Mutex
	changed    *sync.Cond         // with mu: forwarded or committing went down, or nothing more is answered
	uploads    map[string]*upload // by handle
	handles    int
	forwarded  int            // handed on and not answered
	closed     bool           // by the RequestServer: no more is answered
	committing map[string]int // paths whose CLOSE is under way
}

func newWire(s *session, channel io.ReadWriteCloser) *wire {
	w := &wire{
		s: s, channel: channel, packet: make([]byte, firstBuffer),
		uploads: map[string]*upload{}, committing: map[string]int{},
	}
	w.changed = sync.NewCond(&w.mu)
	return w
}

// Read implements io.Reader for the RequestServer.
func (w *wire) Read(p []byte) (n int, err error) {
	for len(w.forward) == 0 {
		packet, err := w.receive()
		if err != nil {
			w.settle()
			return 0, err
		}
		if !w.take(packet) {
			w.forward = packet
		}
	}
	n = copy(p, w.forward)
	w.forward = w.forward[n:]
	return n, nil
}

// settle waits until what was handed on is answered, if it can be: on an error of Read the RequestServer gives up the answers
// that it has not sent yet, and a client may have asked for all it wants and closed its side.
func (w *wire) settle() {
	stop := context.AfterFunc(w.s.ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.changed.Broadcast()
	})
	defer stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.await(func() bool { return w.forwarded == 0 || w.s.ctx.Err() != nil })
}

// await waits, with mu held, until ok is true, or until the RequestServer answers no more.
func (w *wire) await(ok func() bool) {
	for !ok() && !w.closed {
		w.changed.Wait()
	}
}

// receive reads one packet. It is valid until the next call.
func (w *wire) receive() ([]byte, error) {
	if _, err := io.ReadFull(w.channel, w.packet[:packetHeader]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(w.packet)
	if n < minPacketBody || n > maxPacket {
		return nil, fmt.Errorf("a packet of %d bytes: %w", n, io.ErrUnexpectedEOF)
	}
	total := packetHeader + int(n)
	if total > len(w.packet) {
		w.packet = append(make([]byte, 0, total), w.packet[:packetHeader]...)[:total]
	}
	if _, err := io.ReadFull(w.channel, w.packet[packetHeader:total]); err != nil {
		return nil, fmt.Errorf("a packet cut short: %w", io.ErrUnexpectedEOF)
	}
	return w.packet[:total], nil
}

// take answers the packet and reports true, or reports false if it is for the RequestServer, which by then has nothing to
// overtake: not the commit of a file that the packet may be about.
func (w *wire) take(packet []byte) (taken bool) {
	kind := packet[packetHeader]
	f := fields{rest: packet[packetHeader+1:]}
	id := f.uint32()
	w.s.busy(1)
	defer w.s.busy(-1)
	defer func() {
		if v := recover(); v != nil {
			w.s.panicked("packet "+strconv.Itoa(int(kind)), v)
			w.status(id, errPanic)
			taken = true
		}
	}()
	switch kind {
	case fxpInit:
	case fxpOpen:
		path, flags := f.bytes(), f.uint32()
		if f.bad || flags&(openWrite|openAppend|openCreate|openTrunc) == 0 {
			break
		}
		w.open(id, string(path), flags)
		return true
	case fxpClose, fxpRead, fxpWrite, fxpFstat, fxpFsetstat:
		handle := f.bytes()
		if u := w.upload(handle); u != nil {
			w.onUpload(kind, id, u, string(handle), &f)
			return true
		}
		if kind == fxpWrite {
			// pkg/sftp would take it for a READ, or a READDIR, if the handle is good for that.
			w.status(id, &statusError{nil, "this handle is not open for writing"})
			return true
		}
	case fxpExtended:
		switch string(f.bytes()) {
		case "limits@openssh.com":
			w.send(limitsPacket(id, w.s.maxHandles))
			return true
		case "fsync@openssh.com":
			w.fsync(id, w.upload(f.bytes()))
			return true
		}
	default:
		if kind > fxpSymlink {
			// pkg/sftp would end the session over a type that it does not know.
			w.status(id, errUnsupported)
			return true
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.await(func() bool {
		return w.forwarded < maxForwarded &&
			(kind == fxpRead || kind == fxpReaddir || kind == fxpFstat || kind == fxpClose || len(w.committing) == 0)
	})
	w.forwarded++
	return false
}

func (w *wire) upload(handle []byte) *upload {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.uploads[string(handle)]
}

// Write implements io.Writer for the RequestServer.
func (w *wire) Write(p []byte) (int, error) {
	w.out.Lock()
	defer w.out.Unlock()
	w.partial = append(w.partial, p...)
	for len(w.partial) >= packetHeader {
		total := packetHeader + int(binary.BigEndian.Uint32(w.partial))
		if len(w.partial) < total {
			break
		}
		packet := w.partial[:total]
		if packet[packetHeader] == fxpVersion {
			packet = versionPacket()
		}
		_, err := w.channel.Write(packet)
		w.partial = append(w.partial[:0], w.partial[total:]...)
		w.mu.Lock()
		w.forwarded--
		w.changed.Broadcast()
		w.mu.Unlock()
		if err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// Close implements io.Closer for the RequestServer.
func (w *wire) Close() error {
	w.mu.Lock()
	w.closed = true
	w.changed.Broadcast()
	w.mu.Unlock()
	return w.channel.Close()
}

// send writes an answer. If that cannot be done the connection is gone, which Read will find.
func (w *wire) send(packet []byte) {
	w.out.Lock()
	defer w.out.Unlock()
	_, _ = w.channel.Write(packet)
}

// status answers with the outcome of a request.
func (w *wire) status(id uint32, err error) {
	text := ""
	if err = statusOf(err); err != nil {
		text = err.Error()
	}
	w.send(statusPacket(id, codeOf(err), text))
}

// finish ends what a connection leaves: it waits for commits that were asked for, and suspends all other uploads.
func (w *wire) finish() {
	w.mu.Lock()
	left := slices.Collect(maps.Values(w.uploads))
	clear(w.uploads)
	w.mu.Unlock()
	var all sync.WaitGroup
	for _, u := range left {
		all.Go(func() {
			_ = w.s.onUpload(u, func() error { u.suspend(); return nil }) // suspend logs what it meets
			w.s.closed(u)
		})
	}
	all.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.committing) > 0 {
		w.changed.Wait()
	}
}
