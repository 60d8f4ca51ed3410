package unpack

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"dropline/ingest"
)

// decoder opens what is compressed. Its close gives back what it holds; nil where it holds nothing.
func decoder(k kind, r *bufio.Reader) (out io.Reader, release func(), err error) {
	switch k {
	case gzipped:
		out, err = gzip.NewReader(r)
	case zstandard:
		var d *zstd.Decoder
		d, err = zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
		if err == nil {
			out, release = d, d.Close
		}
	case bzipped:
		out = bzip2.NewReader(r)
	case xzipped:
		out, err = newXZ(r)
	case plain, zipped, encrypted, foreign:
		out = r
	}
	return out, release, err
}

// newXZ reads an xz stream. Its dictionary is allocated as its header says, before there is any data, so the header is looked at
// first (the .xz file format, sections 3.1 and 5.3.1).
func newXZ(r *bufio.Reader) (io.Reader, error) {
	const streamHeader, lzma2 = 12, 0x21
	head, err := r.Peek(streamHeader + 64)
	if err != nil && len(head) < streamHeader+8 {
		return nil, io.ErrUnexpectedEOF
	}
	block := head[streamHeader:]
	at := 2 // after the block header's size and flags
	for _, sizes := range []byte{0x40, 0x80} {
		for block[1]&sizes != 0 && at < len(block) { // a number in base 128, which need not be there
			at++
			if block[at-1]&0x80 == 0 {
				break
			}
		}
	}
	if block[0] != 0 && at+3 <= len(block) && block[at] == lzma2 {
		if bits := block[at+2]; bits > 40 || dictionary(bits) > maxWindow {
			return nil, refused("the file is compressed by xz with a dictionary of more than %d MB: compress it at level 6 or below", maxWindow>>20)
		}
	}
	whole := &footed{tail: tail{r: r}}
	if whole.decoder, err = (xz.ReaderConfig{DictCap: leastWindow}).NewReader(&whole.tail); err != nil {
		return nil, err
	}
	return whole, nil
}

// footed reads an xz stream and makes sure that it ends with its footer, which the library takes on trust where a file is cut off
// between two of its parts.
type footed struct {
	tail    tail
	decoder io.Reader
}

// Read implements io.Reader.
func (f *footed) Read(p []byte) (int, error) {
	n, err := f.decoder.Read(p)
	if errors.Is(err, io.EOF) && string(f.tail.last[:]) != "YZ" {
		err = errCutOff
	}
	return n, err
}

// tail remembers the last two bytes read but for the padding of zeros that may follow a stream.
type tail struct {
	r    io.Reader
	last [2]byte
}

// Read implements io.Reader.
func (t *tail) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if ended := bytes.TrimRight(p[:n], "\x00"); len(ended) > 1 {
		copy(t.last[:], ended[len(ended)-2:])
	} else if len(ended) == 1 {
		t.last[0], t.last[1] = t.last[1], ended[0]
	}
	return n, err
}

// dictionary is the size that a byte of xz's filter properties stands for.
func dictionary(bits byte) int64 { return int64(2|bits&1) << (bits/2 + 11) }

// uncompressed opens the text within a member or file of kind k, which begins at r: what was compressed once. What is packed twice is
// refused.
func uncompressed(what, name string, k kind, r *bufio.Reader, from *source, own func() int64, budget *Budget) (io.Reader, func(), error) {
	g := &guarded{what: what, name: name, from: from, own: own, budget: budget}
	out, release, err := decoder(k, r)
	if err != nil {
		return nil, nil, g.judge(unexpected(err))
	}
	g.decoder = &noEOF{out}
	inner := bufio.NewReaderSize(g, headBytes)
	head, err := inner.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		if release != nil {
			release()
		}
		return nil, nil, err
	}
	if inside := kindOf(head); inside != plain {
		if release != nil {
			release()
		}
		return nil, nil, nested(what, inside, head)
	}
	return inner, release, nil
}

// nested refuses what is packed in something that is packed.
func nested(what string, k kind, head []byte) *ingest.FileRefusal {
	names := map[kind]string{
		gzipped: "a file compressed with gzip", zstandard: "a file compressed with zstd", bzipped: "a file compressed with bzip2",
		xzipped: "a file compressed with xz", zipped: "a ZIP archive or a workbook", encrypted: "an encrypted file",
	}
	name := names[k]
	if k == foreign {
		name = foreignName(head)
	}
	return refused("%s holds %s: what is packed twice is not read, pack it once", what, name)
}

// noEOF makes the unexpected end of compressed data one that io.ReadFull's callers can tell from the text's.
type noEOF struct{ io.Reader }

// Read implements io.Reader.
func (n *noEOF) Read(p []byte) (int, error) {
	m, err := n.Reader.Read(p)
	return m, unexpected(err)
}

var errCutOff = errors.New("it ends before its end")

func unexpected(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errCutOff
	}
	return err
}
