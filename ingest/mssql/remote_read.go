package mssql

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"strconv"

	"dropline/ingest"
)

// Read is Client.Read. Where the process ended, or the context did, what was written is to be dropped: Last is "" then, whatever
// the part. Rows that come without word of what became of them are an error.
func (r *Remote) Read(ctx context.Context, p Part, w io.Writer, progress func(rows int64)) (PartResult, error) {
	if err := p.validate(); err != nil {
		return PartResult{}, ingest.E(ingest.Internal, "mssql.Read", err)
	}
	to, err := r.reach(ctx)
	if err != nil {
		return PartResult{}, err
	}
	r.mu.Lock()
	to.read = true
	r.mu.Unlock()
	body, err := to.post(ctx, pathRead, readOrder{p, progress != nil})
	if err != nil {
		return PartResult{}, r.ended(ctx, to, err)
	}
	defer body.Close() //nolint:errcheck // unless it was read to its end, closing it is what stops the reading
	in := &receiver{from: bufio.NewReaderSize(body, writeSize), to: w, progress: progress}
	a, err := in.all()
	switch {
	case in.refused != nil:
		return PartResult{}, in.refused
	case err == nil && (!r.take(to, a.State) || !a.Result.usable()):
		err = errUnusable
	}
	if err != nil {
		return PartResult{}, r.ended(ctx, to, err)
	}
	if a.Error != nil && ctx.Err() != nil {
		return notedPart(a.Result), Translate(ctx.Err(), r.conn)
	}
	return notedPart(a.Result), a.Error.here()
}

// receiver takes in the frames of a read.
type receiver struct {
	from     *bufio.Reader
	to       io.Writer
	progress func(rows int64)
	refused  error // of to
	buffer   [writeSize]byte
}

// all hands the rows on, and returns what became of the read. Errors are of the process.
func (in *receiver) all() (answer[PartResult], error) {
	for {
		var head [frameHead]byte
		if _, err := io.ReadFull(in.from, head[:]); err != nil {
			return answer[PartResult]{}, unexpected(err)
		}
		n := int(binary.BigEndian.Uint32(head[1:]))
		switch head[0] {
		case frameRows:
			if err := in.rows(n); err != nil {
				return answer[PartResult]{}, err
			}
		case frameCount:
			if err := in.count(n); err != nil {
				return answer[PartResult]{}, err
			}
		case frameEnd:
			return in.end(n)
		default:
			return answer[PartResult]{}, errUnusable
		}
	}
}

// rows hands n bytes on. However many are stated, what they take is the buffer.
func (in *receiver) rows(n int) error {
	for n > 0 {
		part := in.buffer[:min(n, len(in.buffer))]
		if _, err := io.ReadFull(in.from, part); err != nil {
			return unexpected(err)
		}
		if _, in.refused = in.to.Write(part); in.refused != nil {
			return in.refused
		}
		n -= len(part)
	}
	return nil
}

func (in *receiver) count(n int) error {
	const digits = 20
	if n > digits {
		return errUnusable
	}
	if _, err := io.ReadFull(in.from, in.buffer[:n]); err != nil {
		return unexpected(err)
	}
	rows, err := strconv.ParseInt(string(in.buffer[:n]), 10, 64)
	if err != nil || rows < 0 {
		return errUnusable
	}
	if in.progress != nil {
		in.progress(rows)
	}
	return nil
}

// end takes the last frame, after which nothing may come: the connection is then good for another read.
func (in *receiver) end(n int) (answer[PartResult], error) {
	if n > mostAnswer {
		return answer[PartResult]{}, errUnusable
	}
	var raw bytes.Buffer // which grows with what comes, not with what is stated
	if _, err := io.CopyN(&raw, in.from, int64(n)); err != nil {
		return answer[PartResult]{}, unexpected(err)
	}
	if _, err := in.from.ReadByte(); err != io.EOF { //nolint:errorlint // as bufio hands it on
		return answer[PartResult]{}, errUnusable
	}
	return decodeAnswer[PartResult](&raw)
}

// unexpected is an end before the end.
func unexpected(err error) error {
	if err == io.EOF { //nolint:errorlint // as io.ReadFull has it
		return io.ErrUnexpectedEOF
	}
	return err
}
