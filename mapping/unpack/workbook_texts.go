package unpack

import (
	"bufio"
	"errors"
	"io"
)

const (
	// heldTexts is how many bytes of a workbook's shared texts are kept in memory; more are put on disk.
	heldTexts = 32 << 20
	// maxTexts bounds their number: four bytes each are kept of where they are.
	maxTexts = 16 << 20
)

// texts are a workbook's shared texts.
type texts struct {
	ends  []uint32 // of each, in held or in the spool, which MaxSpool keeps below 4 GiB
	held  []byte
	spool *spool
}

// readTexts reads the shared texts, once.
func (b *workbook) readTexts() (err error) {
	if b.texts != nil {
		return nil
	}
	t := &texts{}
	b.texts = t
	if b.files["xl/sharedstrings.xml"] == nil {
		return nil
	}
	body, err := b.part("xl/sharedStrings.xml")
	if err != nil {
		return err
	}
	defer body.Close() //nolint:errcheck // it was only read
	var to io.Writer
	var buffered *bufio.Writer
	err = eachText(newMarkup(body), func(text []byte) error {
		if len(t.ends) == maxTexts {
			return refused("the workbook has more than %d different texts: send CSV", maxTexts)
		}
		end := uint32(len(text))
		if n := len(t.ends); n > 0 {
			end += t.ends[n-1]
		}
		t.ends = append(t.ends, end)
		if to == nil && end > heldTexts {
			if t.spool, err = newSpool(b.p.unpacker.cfg.TempDir); err != nil {
				return err
			}
			buffered = bufio.NewWriterSize(t.spool, readBuffer)
			to = buffered
			if _, err := to.Write(t.held); err != nil {
				return err
			}
			t.held = nil
		}
		if to != nil {
			_, err := to.Write(text)
			return err
		}
		t.held = append(t.held, text...)
		return nil
	})
	if err == nil && buffered != nil {
		err = buffered.Flush()
	}
	return b.judge("xl/sharedStrings.xml", err)
}

// eachText calls yield with each shared text.
func eachText(m *markup, yield func([]byte) error) error {
	aloud := false
	for {
		err := m.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case m.is("si") && !m.end:
			m.text, aloud = m.text[:0], false
			if m.empty {
				if err := yield(nil); err != nil {
					return err
				}
			}
		case m.is("si"):
			if err := yield(unescape(m.text)); err != nil {
				return err
			}
		case m.is("rPh"):
			aloud = !m.end && !m.empty
		case m.is("t") && !m.end && !m.empty && !aloud:
			if err := m.textTo(); err != nil {
				return err
			}
		}
	}
}

// append appends the text of that number.
func (t *texts) append(out []byte, n int) ([]byte, error) {
	if n < 0 || n >= len(t.ends) {
		return out, errMarkup
	}
	start := uint32(0)
	if n > 0 {
		start = t.ends[n-1]
	}
	end := t.ends[n]
	if t.spool == nil {
		return append(out, t.held[start:end]...), nil
	}
	from := len(out)
	out = append(out, make([]byte, end-start)...)
	if _, err := t.spool.ReadAt(out[from:], int64(start)); err != nil {
		return out, err
	}
	return out, nil
}

func (t *texts) close() {
	if t.spool != nil {
		_ = t.spool.Close() // it was only read
	}
}
