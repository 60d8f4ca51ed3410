package tdstest

import (
	"encoding/binary"
	"fmt"
	"sort"
)

// source is one relation of a FROM. Its columns begin at offset in the joined row.
type source struct {
	alias  string
	name   []string
	cols   []resultColumn
	offset int
	def    *definition
	rows   [][]any // of a table that is not generated
	sub    *plan
}

// at makes row i of a generated table.
func (d *definition) at(i int, dst []any) error {
	clear(dst)
	d.generate(i, dst)
	if d.version >= 0 {
		dst[d.version] = binary.BigEndian.AppendUint64(nil, firstVersion+1+uint64(i))
	}
	for j := range dst {
		v, err := convert(dst[j], d.cols[j].typ)
		if err != nil {
			return fmt.Errorf("row %d of %s, %s: %w", i, d.name, d.cols[j].name, err)
		}
		dst[j] = v
	}
	return nil
}

func (s *source) count() int {
	if s.def != nil && s.def.generate != nil {
		return s.def.count
	}
	return len(s.rows)
}

// each gives the rows from low to before high. A row is good until the next.
func (s *source) each(c *session, en *env, low, high int, row func([]any) (bool, error)) error {
	if s.sub != nil {
		return s.sub.run(en, row)
	}
	var made []any
	if s.def != nil && s.def.generate != nil {
		made = make([]any, len(s.cols))
	}
	for i := low; i < high; i++ {
		if c.cancelled() {
			return errAttention
		}
		this := made
		if made == nil {
			this = s.rows[i]
		} else if err := s.def.at(i, made); err != nil {
			return err
		}
		if more, err := row(this); err != nil || !more {
			return err
		}
	}
	return nil
}

// bound is one condition on the first column of the key, by which a range of rows is found without reading the others.
type bound struct {
	op    string
	value *expr
}

// seek finds the conditions on the key among those joined by AND; all is true when there are no others.
func (s *scope) seek(where node, d *definition) (bounds []bound, all bool, err *Error) {
	switch n := where.(type) {
	case nil:
		return nil, true, nil
	case binaryNode:
		if n.op == "and" {
			left, allLeft, err := s.seek(n.left, d)
			if err != nil {
				return nil, false, err
			}
			right, allRight, err := s.seek(n.right, d)
			return append(left, right...), allLeft && allRight, err
		}
		flipped := map[string]string{"=": "=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
		if flipped[n.op] == "" {
			return nil, false, nil
		}
		left, err := s.bind(n.left)
		if err != nil {
			return nil, false, err
		}
		right, err := s.bind(n.right)
		if err != nil {
			return nil, false, err
		}
		op := n.op
		if right.column == d.key[0] && right.source != nil {
			left, right, op = right, left, flipped[op]
		}
		if left.column != d.key[0] || left.source == nil || !right.steady {
			return nil, false, nil
		}
		_, right = alike(left, right)
		return []bound{{op, right}}, true, nil
	default:
		return nil, false, nil
	}
}

// limits turns the conditions into a range of rows.
func (s *source) limits(bounds []bound) (low, high int, err error) {
	low, high = 0, s.count()
	row := make([]any, len(s.cols))
	key := s.def.key[0]
	at := func(i int) any {
		if s.def.generate == nil {
			return s.rows[i][key]
		}
		if e := s.def.at(i, row); e != nil {
			err = e
		}
		return row[key]
	}
	for _, b := range bounds {
		v, e := b.value.eval(&env{})
		if e != nil {
			return 0, 0, e
		}
		if v == nil {
			return 0, 0, nil
		}
		first := func(least int) int {
			return sort.Search(s.count(), func(i int) bool { return compareNullable(at(i), v) >= least })
		}
		switch b.op {
		case ">":
			low = max(low, first(1))
		case ">=":
			low = max(low, first(0))
		case "<":
			high = min(high, first(0))
		case "<=":
			high = min(high, first(1))
		default:
			low, high = max(low, first(0)), min(high, first(1))
		}
	}
	return low, max(low, high), err
}
