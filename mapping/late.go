package mapping

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/bits"
	"unicode/utf8"

	"dropline/mapping/detect"
)

// lateSource settles the encoding of a text whose beginning is ASCII, which says nothing of it, once the first byte comes that is not:
// by that byte and what follows it, as far as detect.HeadBytes. What was read before means the same in every encoding in question, so
// that nothing is read again.
type lateSource struct {
	source io.Reader
	decide func(text []byte, whole bool)
	done   bool
	err    error // of the source, met when looking ahead
}

// Read reads as the source does.
func (l *lateSource) Read(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	n, err := l.source.Read(p)
	if l.done || n < 0 || n > len(p) {
		return n, err
	}
	at := firstHigh(p[:n])
	if at == n {
		return n, err
	}
	l.done = true
	if err != nil { // there is nothing to look ahead to
		l.decide(p[at:n], true)
		return n, err
	}
	ahead, whole, err := readHead(io.MultiReader(bytes.NewReader(bytes.Clone(p[at:n])), l.source))
	if err != nil {
		l.decide(p[at:n], false)
		l.err = err
		return n, nil
	}
	l.decide(ahead, whole)
	l.source = io.MultiReader(bytes.NewReader(ahead[n-at:]), l.source)
	return n, nil
}

// firstHigh is where the first byte is that is not ASCII; the length where there is none.
func firstHigh(b []byte) int {
	const high, word = 0x8080808080808080, 8
	i := 0
	for ; i+word <= len(b); i += word {
		if x := binary.LittleEndian.Uint64(b[i:]) & high; x != 0 {
			return i + bits.TrailingZeros64(x)/word
		}
	}
	for i < len(b) && b[i] < utf8.RuneSelf {
		i++
	}
	return i
}

// decideLate lets the encoding be settled by what follows the beginning, which is ASCII alone.
func (r *Reader) decideLate(source io.Reader, d *dialect) io.Reader {
	set := ""
	if d.given.encoding {
		set = d.encoding.name
	}
	return &lateSource{source: source, decide: func(text []byte, whole bool) {
		found := detect.LookEncoding(text, whole, set)
		if e, ok := encodingNamed(found.Name); ok && !e.utf16 && e.several == nil {
			r.charset = e.charset
			r.late = found.Notes
		}
	}}
}
