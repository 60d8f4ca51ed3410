package tdstest

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"sort"
	"strings"
	"sync"
)

// definition is a table as the server holds it: without its rows, and never changed.
type definition struct {
	schema, name string
	id           int64
	view         bool
	cols         []resultColumn
	key          []int
	nonclustered bool
	generate     func(i int, dst []any)
	count        int
	cache        *rowCache
	version      int // the rowversion column, or -1
	catalogue    bool
	build        func(*session, *state) [][]any // a catalogue view's rows
}

// state is all rows at one moment. It is never changed: a change makes another.
type state struct{ rows map[*definition][][]any }

type store struct {
	mu      sync.Mutex
	tables  []*definition
	schemas []string
	current *state
	version uint64
}

const (
	firstObject  = 901578250
	firstVersion = 2000
)

func newStore(o *Options, db *collation) (*store, error) {
	s := &store{current: &state{rows: map[*definition][][]any{}}, version: firstVersion, schemas: []string{"dbo"}}
	for i := range o.Tables {
		d, err := s.define(&o.Tables[i], o, db)
		if err != nil {
			return nil, err
		}
		s.tables = append(s.tables, d)
		if d.generate != nil {
			if d.version >= 0 {
				s.version = max(s.version, firstVersion+uint64(d.count))
			}
			continue
		}
		rows, err := s.canonical(d, o.Tables[i].Rows, nil)
		if err != nil {
			return nil, err
		}
		s.current.rows[d] = rows
	}
	return s, nil
}

func (s *store) define(t *Table, o *Options, db *collation) (*definition, error) {
	d := &definition{
		schema: t.Schema, name: t.Name, view: t.View, nonclustered: t.Nonclustered, generate: t.Generate, count: t.Count,
		id: firstObject + 16*int64(len(s.tables)), version: -1,
	}
	if d.schema == "" {
		d.schema = "dbo"
	}
	if !slices.ContainsFunc(s.schemas, func(n string) bool { return sameName(n, d.schema) }) {
		s.schemas = append(s.schemas, d.schema)
	}
	for _, other := range s.tables {
		if sameName(other.name, d.name) && sameName(other.schema, d.schema) {
			return nil, fmt.Errorf("the table %s.%s is there twice", d.schema, d.name)
		}
	}
	if t.Cached && t.Generate != nil {
		d.cache = &rowCache{}
	}
	for i, c := range t.Columns {
		typ, err := parseType(c.Type, db)
		if err != nil {
			return nil, fmt.Errorf("the column %s.%s: %w", t.Name, c.Name, err)
		}
		if typ.kind == kindRowversion {
			d.version = i
		}
		d.cols = append(d.cols, resultColumn{
			name: c.Name, typ: typ, nullable: !c.NotNull && typ.kind != kindRowversion || o.HideNullability,
			notNull: c.NotNull || typ.kind == kindRowversion, computed: c.Computed, identity: c.Identity, base: true,
			table: []string{d.schema, d.name},
		})
	}
	for _, name := range t.PrimaryKey {
		at := slices.IndexFunc(d.cols, func(c resultColumn) bool { return sameName(c.name, name) })
		if at < 0 {
			return nil, fmt.Errorf("the primary key of %s names %q, which is no column of it", t.Name, name)
		}
		d.key = append(d.key, at)
	}
	return d, nil
}

// canonical converts rows to the types of their columns and sorts them by the key. A row that is as in before keeps
// its rowversion.
func (s *store) canonical(d *definition, rows, before [][]any) ([][]any, error) {
	old := map[string][]any{}
	for _, r := range before {
		old[d.rowKey(r)] = r
	}
	out := make([][]any, len(rows))
	for i, row := range rows {
		made, err := d.row(row)
		if err != nil {
			return nil, fmt.Errorf("row %d of %s.%s: %w", i, d.schema, d.name, err)
		}
		if d.version >= 0 {
			made[d.version] = nil
			if was, ok := old[d.rowKey(made)]; ok && d.sameBut(was, made) {
				made[d.version] = was[d.version]
			} else {
				s.version++
				made[d.version] = binary.BigEndian.AppendUint64(nil, s.version)
			}
		}
		out[i] = made
	}
	if len(d.key) > 0 {
		sort.SliceStable(out, func(i, j int) bool { return d.compareKeys(out[i], out[j]) < 0 })
	}
	return out, nil
}

// row converts one row.
func (d *definition) row(row []any) ([]any, error) {
	if len(row) != len(d.cols) {
		return nil, fmt.Errorf("%d values for %d columns", len(row), len(d.cols))
	}
	made := make([]any, len(row))
	for i, v := range row {
		x, err := convert(v, d.cols[i].typ)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.cols[i].name, err)
		}
		if x == nil && d.cols[i].notNull && i != d.version {
			return nil, fmt.Errorf("%s is NULL but may not be", d.cols[i].name)
		}
		made[i] = x
	}
	return made, nil
}

// rowKey tells rows apart: by the primary key, or by everything but the rowversion.
func (d *definition) rowKey(row []any) string {
	key := make([]any, 0, len(row))
	for _, i := range d.key {
		key = append(key, row[i])
	}
	for i, v := range row {
		if len(d.key) == 0 && i != d.version {
			key = append(key, v)
		}
	}
	return groupKey(key)
}

func (d *definition) sameBut(a, b []any) bool {
	for i := range a {
		if i != d.version && !reflect.DeepEqual(a[i], b[i]) {
			return false
		}
	}
	return true
}

func (d *definition) compareKeys(a, b []any) int {
	for _, i := range d.key {
		if c := compareNullable(a[i], b[i]); c != 0 {
			return c
		}
	}
	return 0
}

func groupKey(v []any) string {
	var b strings.Builder
	for _, x := range v {
		switch y := x.(type) {
		case string:
			b.WriteString(strings.ToUpper(strings.TrimRight(y, " ")))
		default:
			fmt.Fprintf(&b, "%T%v", x, x)
		}
		b.WriteByte(0)
	}
	return b.String()
}

func (s *store) now() *state {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

func (s *store) lastVersion() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return binary.BigEndian.AppendUint64(nil, s.version)
}

// change replaces a table's rows.
func (s *store) change(d *definition, change func([][]any) [][]any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d.generate != nil {
		return fmt.Errorf("the rows of %s.%s are generated", d.schema, d.name)
	}
	before := s.current.rows[d]
	given := make([][]any, len(before))
	for i, row := range before {
		given[i] = public(row)
	}
	rows, err := s.canonical(d, change(given), before)
	if err != nil {
		return err
	}
	next := &state{rows: make(map[*definition][][]any, len(s.current.rows))}
	for k, v := range s.current.rows {
		next.rows[k] = v
	}
	next.rows[d] = rows
	s.current = next
	return nil
}

// public is a row as tests write it.
func public(row []any) []any {
	out := make([]any, len(row))
	for i, v := range row {
		switch x := v.(type) {
		case decimalText:
			out[i] = string(x)
		case guidText:
			out[i] = string(x)
		default:
			out[i] = v
		}
	}
	return out
}
