package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"io"
	"os"
	"slices"
	"strings"
)

const (
	// joinParts is how many parts the keys and references of all files are cut into. One part at a time is in memory: of a
	// billion of them, some hundred megabytes.
	joinParts = 256
	// joinBuffer is held for each part while files are read: 4 MB in all.
	joinBuffer = 16 << 10
)

// place is where a record is.
type place struct {
	file   int32 // index of the file
	record int64
}

func (p place) compare(q place) int {
	return cmp.Or(cmp.Compare(p.file, q.file), cmp.Compare(p.record, q.record))
}

// mark is one key, unique value or reference of a record.
type mark struct {
	kind   markKind
	place  place
	line   int64
	offset int64
	length int32
	column int32  // index within the record's table, of a unique value its first column's; -1 for none
	rule   int32  // which set of unique columns, which check, which reference of a list
	name   string // what must match: the table that is meant and the value
	self   string // the key of the record itself, as name would have it; empty without one, and of a key itself
	value  string // as received; empty of a key, whose name has it
	amount string // of a whole what its parts must make, of a part what it adds; empty is null
	order  string // of the parts of a running sum
}

type markKind uint8

const (
	markKey        markKind = iota // the record's own key
	markRefusedKey                 // the same of a record that is refused
	markGoneKey                    // the same of a record that says that it is to be deleted
	markUnique                     // values that must not be repeated
	markReference
	markFailed // a declared check finds the record false
	markWarned // the same of one that only warns
	markWhole  // what the parts of a sum are compared with
	markPart   // what adds to a sum
	markNoPart // a part that the check does not count
	markLost   // a part that was refused when it was read
)

// join gathers marks on disk, cut by what must match, so that each part can be looked at by itself.
type join struct {
	dir   string
	seed  maphash.Seed
	files []*os.File
	out   []*bufio.Writer
	buf   []byte
}

func newJoin(parts int) (*join, error) {
	dir, err := os.MkdirTemp("", "dropline-check-")
	if err != nil {
		return nil, err
	}
	return &join{dir: dir, seed: maphash.MakeSeed(), files: make([]*os.File, parts), out: make([]*bufio.Writer, parts)}, nil
}

// close removes what is on disk.
func (j *join) close() error {
	if j == nil {
		return nil
	}
	var errs []error
	for _, f := range j.files {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(append(errs, os.RemoveAll(j.dir))...)
}

func (j *join) add(m *mark) error {
	part := maphash.String(j.seed, m.name) % uint64(len(j.files))
	if j.files[part] == nil {
		f, err := os.CreateTemp(j.dir, "part-")
		if err != nil {
			return err
		}
		j.files[part], j.out[part] = f, bufio.NewWriterSize(f, joinBuffer)
	}
	b := append(j.buf[:0], byte(m.kind))
	for _, n := range []int64{int64(m.place.file), m.place.record, m.line, m.offset, int64(m.length), int64(m.column), int64(m.rule)} {
		b = binary.AppendVarint(b, n)
	}
	for _, s := range []string{m.name, m.self, m.value, m.amount, m.order} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	j.buf = b
	_, err := j.out[part].Write(b)
	return err
}

// reset forgets all marks.
func (j *join) reset() error {
	for part, f := range j.files {
		if f == nil {
			continue
		}
		if err := f.Truncate(0); err != nil {
			return err
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		j.out[part].Reset(f)
	}
	return nil
}

// groups calls visit with the marks of one name after the other, in order of kind and place. One part is in memory at a time.
func (j *join) groups(ctx context.Context, visit func([]mark) error) error {
	for part := range j.files {
		var marks []mark
		err := j.stream(ctx, part, func(m *mark) error {
			marks = append(marks, *m)
			return nil
		})
		if err != nil {
			return err
		}
		slices.SortFunc(marks, func(a, b mark) int {
			return cmp.Or(strings.Compare(a.name, b.name), cmp.Compare(a.kind, b.kind), a.place.compare(b.place))
		})
		for start := 0; start < len(marks); {
			end := start + 1
			for end < len(marks) && marks[end].name == marks[start].name {
				end++
			}
			if err := visit(marks[start:end]); err != nil {
				return err
			}
			start = end
		}
	}
	return nil
}

// each calls visit with every mark, in no order.
func (j *join) each(ctx context.Context, visit func(*mark) error) error {
	for part := range j.files {
		if err := j.stream(ctx, part, visit); err != nil {
			return err
		}
	}
	return nil
}

// stream reads one part.
func (j *join) stream(ctx context.Context, part int, visit func(*mark) error) error {
	f := j.files[part]
	if f == nil {
		return nil
	}
	if err := j.out[part].Flush(); err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	r := bufio.NewReaderSize(f, 256<<10)
	for n := 1; ; n++ {
		m, err := readMark(r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && n%10000 == 0 {
			err = ctx.Err()
		}
		if err == nil {
			err = visit(&m)
		}
		if err != nil {
			return err
		}
	}
}

func readMark(r *bufio.Reader) (mark, error) {
	kind, err := r.ReadByte()
	if err != nil {
		return mark{}, err
	}
	m := mark{kind: markKind(kind)}
	var n [7]int64
	for i := range n {
		v, err := binary.ReadVarint(r)
		if err != nil {
			return mark{}, errors.Join(io.ErrUnexpectedEOF, err)
		}
		n[i] = v
	}
	m.place = place{int32(n[0]), n[1]}
	m.line, m.offset, m.length, m.column, m.rule = n[2], n[3], int32(n[4]), int32(n[5]), int32(n[6])
	for _, s := range []*string{&m.name, &m.self, &m.value, &m.amount, &m.order} {
		size, err := binary.ReadUvarint(r)
		if err != nil {
			return mark{}, errors.Join(io.ErrUnexpectedEOF, err)
		}
		b := make([]byte, size)
		if _, err := io.ReadFull(r, b); err != nil {
			return mark{}, err
		}
		*s = string(b)
	}
	return m, nil
}

// places is a set of records: a bit for each.
type places struct{ files [][]uint64 }

const wordBits = 64

func (s *places) has(p place) bool {
	word := int(p.record / wordBits)
	return int(p.file) < len(s.files) && word < len(s.files[p.file]) && s.files[p.file][word]>>(p.record%wordBits)&1 != 0
}

// add reports whether the record was not in the set yet.
func (s *places) add(p place) bool {
	if s.has(p) {
		return false
	}
	for len(s.files) <= int(p.file) {
		s.files = append(s.files, nil)
	}
	words := s.files[p.file]
	for word := int(p.record / wordBits); len(words) <= word; {
		words = append(words, 0)
	}
	words[p.record/wordBits] |= 1 << (p.record % wordBits)
	s.files[p.file] = words
	return true
}
