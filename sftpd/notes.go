package sftpd

import (
	"io"
	"strings"
	"sync"
	"time"
)

// Bounds of what is told on standard error, so that a client that does not read it costs nothing.
const (
	maxNotes     = 32 // waiting to be read by the client
	maxNoteBytes = 512
	noteWait     = 100 * time.Millisecond // for a note to be sent before the status that it explains
)

// notes writes short lines to a channel's standard error without waiting long for the client.
type notes struct {
	mu      sync.Mutex
	lines   chan note // nil once closed
	last    string
	stalled bool
}

type note struct {
	text string
	sent chan struct{}
}

func newNotes(to io.Writer) *notes {
	n := &notes{lines: make(chan note, maxNotes)}
	go write(to, n.lines)
	return n
}

func write(to io.Writer, lines <-chan note) {
	for line := range lines {
		_, _ = io.WriteString(to, line.text) // the client may be gone, which others find
		close(line.sent)
	}
}

// say sends a line, unless it repeats the last one or too many wait. It returns once the line is sent or soon.
func (n *notes) say(text string) {
	text = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	text = text[:min(len(text), maxNoteBytes)]
	n.mu.Lock()
	defer n.mu.Unlock()
	if text == n.last || n.lines == nil {
		return
	}
	n.last = text
	line := note{"dropline: " + text + "\r\n", make(chan struct{})}
	select {
	case n.lines <- line:
	default:
		return
	}
	if n.stalled {
		return
	}
	select {
	case <-line.sent:
	case <-time.After(noteWait):
		n.stalled = true
	}
}

func (n *notes) close() {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lines != nil {
		close(n.lines)
		n.lines = nil
	}
}
