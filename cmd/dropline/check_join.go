package main

import (
	"bufio"
	"cmp"
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
	column int32  // index within the record's table, of a unique value its first column's; -1
	name   string // what must match: the table that is meant and the value
	self   string // the key of the record itself, as name would have it; empty without one, and of a key itself
	value  string // that is referred to or repeated; empty of a key, whose name has it
}

type markKind uint8

const (
	markKey        markKind = iota // the record's own key
	markRefusedKey                 // the same of a record that is refused
	markUnique                     // values that must not be repeated
	markReference
)

// join gathers marks on disk, cut by what must match, so that each part can be looked at by itself.
type join struct {
	dir   string
	seed  maphash.Seed
	files [joinParts]*os.File
	out   [joinParts]*bufio.Writer
	buf   []byte
	total int64
}

func newJoin() (*join, error) {
	dir, err := os.MkdirTemp("", "dropline-check-")
	if err != nil {
		return nil, err
	}
	return &join{dir: dir, seed: maphash.MakeSeed()}, nil
}

// close removes what is on disk.
func (j *join) close() error {
	var errs []error
	for _, f := range j.files {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(append(errs, os.RemoveAll(j.dir))...)
}

func (j *join) add(m *mark) error {
	part := maphash.String(j.seed, m.name) % joinParts
	if j.files[part] == nil {
		f, err := os.CreateTemp(j.dir, "part-")
		if err != nil {
			return err
		}
		j.files[part], j.out[part] = f, bufio.NewWriterSize(f, joinBuffer)
	}
	j.total++
	b := append(j.buf[:0], byte(m.kind))
	for _, n := range []int64{int64(m.place.file), m.place.record, m.line, m.offset, int64(m.length), int64(m.column)} {
		b = binary.AppendVarint(b, n)
	}
	for _, s := range []string{m.name, m.self, m.value} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	j.buf = b
	_, err := j.out[part].Write(b)
	return err
}

// parts calls each with the marks of one part, sorted by what must match and then by place.
func (j *join) parts(each func([]mark) error) error {
	for part := range joinParts {
		marks, err := j.load(part)
		if err != nil {
			return err
		}
		slices.SortFunc(marks, func(a, b mark) int {
			return cmp.Or(strings.Compare(a.name, b.name), cmp.Compare(a.kind, b.kind), a.place.compare(b.place))
		})
		if err := each(marks); err != nil {
			return err
		}
	}
	return nil
}

func (j *join) load(part int) ([]mark, error) {
	f := j.files[part]
	if f == nil {
		return nil, nil
	}
	if err := j.out[part].Flush(); err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	r := bufio.NewReaderSize(f, 256<<10)
	var marks []mark
	for {
		m, err := readMark(r)
		if errors.Is(err, io.EOF) {
			return marks, nil
		}
		if err != nil {
			return nil, err
		}
		marks = append(marks, m)
	}
}

func readMark(r *bufio.Reader) (mark, error) {
	kind, err := r.ReadByte()
	if err != nil {
		return mark{}, err
	}
	m := mark{kind: markKind(kind)}
	var n [6]int64
	for i := range n {
		v, err := binary.ReadVarint(r)
		if err != nil {
			return mark{}, errors.Join(io.ErrUnexpectedEOF, err)
		}
		n[i] = v
	}
	m.place = place{int32(n[0]), n[1]}
	m.line, m.offset, m.length, m.column = n[2], n[3], int32(n[4]), int32(n[5])
	for _, s := range []*string{&m.name, &m.self, &m.value} {
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

// groups calls each with the marks of one name.
func groups(marks []mark, each func([]mark) error) error {
	for start := 0; start < len(marks); {
		end := start + 1
		for end < len(marks) && marks[end].name == marks[start].name {
			end++
		}
		if err := each(marks[start:end]); err != nil {
			return err
		}
		start = end
	}
	return nil
}
