package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"dropline/ingest"
	"dropline/mapping"
	"dropline/schema"
)

// checkedFile is what check says of one file.
type checkedFile struct {
	Path    string                 `json:"path"`
	Table   string                 `json:"table,omitempty"`
	Rows    int64                  `json:"rows"`
	Refused int64                  `json:"refused"`
	Columns []mapping.ColumnSource `json:"columns"`
	Ignored []string               `json:"ignoredColumns"`
	Notes   []string               `json:"notes"`
	Code    string                 `json:"code,omitempty"`
	Error   string                 `json:"error,omitempty"`
	inbox   string                 // path as it would be below the inbox
	table   *schema.Table          //
}

// checker reads files as an import would and keeps what is wrong with them.
type checker struct {
	schema     *schema.Schema
	mapper     *mapping.Mapper
	references bool
	limit      int // rejects that are kept; 0 is all

	files   []*checkedFile
	leftOut []string // files of a directory that are no data
	given   map[*schema.Table]bool
	join    *join
	refused map[place]bool // by the checks across rows
	rejects []placed
	total   int64
}

// placed is a reject and where its record is.
type placed struct {
	at     place
	reject ingest.Reject
}

// run reads the files and then looks across their rows.
func (c *checker) run(ctx context.Context) error {
	c.given, c.refused = map[*schema.Table]bool{}, map[place]bool{}
	var err error
	if c.join, err = newJoin(); err != nil {
		return err
	}
	defer quietly(c.join.close) // temporary files: an error leaves them in the temporary directory, which is its purpose
	for _, f := range c.files {
		if err := c.survey(f); err != nil {
			return err
		}
	}
	for i := range c.files {
		if err := c.read(ctx, int32(i)); err != nil {
			return err
		}
	}
	if err := c.addSeeds(); err != nil {
		return err
	}
	if err := c.across(ctx); err != nil {
		return err
	}
	c.cut(0)
	return nil
}

// keep remembers a refused record.
func (c *checker) keep(at place, r ingest.Reject) {
	c.total++
	f := c.files[at.file]
	f.Refused++
	r.File = f.Path
	if f.table != nil {
		r.Table = f.table.Name
	}
	c.rejects = append(c.rejects, placed{at, r})
	if c.limit > 0 && len(c.rejects) >= 4*c.limit+1000 {
		c.cut(c.limit)
	}
}

// cut sorts the rejects and drops those beyond the limit.
func (c *checker) cut(limit int) {
	slices.SortStableFunc(c.rejects, func(a, b placed) int { return a.at.compare(b.at) })
	if limit == 0 {
		limit = c.limit
	}
	if limit > 0 && len(c.rejects) > limit {
		c.rejects = c.rejects[:limit]
	}
}

// survey notes to which table a file belongs, so that references to tables of which there is no file are left alone.
func (c *checker) survey(f *checkedFile) error {
	in, err := os.Open(f.Path)
	if err != nil {
		return err
	}
	defer quietly(in.Close)
	if rows, err := c.mapper.Open(f.inbox, in); err == nil { // an error comes again when the file is read
		c.given[rows.Table()] = true
	}
	return nil
}

// read reads one file. A file that is refused as a whole is no error.
func (c *checker) read(ctx context.Context, index int32) error {
	f := c.files[index]
	in, err := os.Open(f.Path)
	if err != nil {
		return err
	}
	defer quietly(in.Close)
	rows, err := c.mapper.Open(f.inbox, in)
	if err != nil {
		return f.refuse(err)
	}
	f.table, f.Table = rows.Table(), rows.Table().Name
	f.Columns, f.Ignored = rows.Explain().Columns, append(f.Ignored, rows.Ignored()...)
	for rows.Next() {
		f.Rows++
		if f.Rows%10000 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		at := place{index, f.Rows}
		reject := rows.Refused()
		if reject != nil {
			c.keep(at, *reject)
		}
		if err := c.mark(at, f.table, rows.Row(), reject != nil); err != nil {
			return err
		}
	}
	f.Notes = append(f.Notes, rows.Notes()...)
	return f.refuse(rows.Err())
}

// refuse notes why a file as a whole is refused; another error is returned.
func (f *checkedFile) refuse(err error) error {
	if err == nil {
		return nil
	}
	var refusal *ingest.FileRefusal
	if !errors.As(err, &refusal) {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	f.Code, f.Error = refusal.Code, refusal.Message
	return nil
}

// mark adds a record's key, unique values and references to the join.
func (c *checker) mark(at place, t *schema.Table, row *ingest.Row, refused bool) error {
	m := mark{place: at, line: row.Line, offset: row.Offset, length: row.Length, column: int32(t.Key.Index)}
	if key := row.Values[t.Key.Index]; !key.Null {
		m.kind, m.name = markKey, keyName(t, key.Text)
		if refused {
			m.kind = markRefusedKey
		}
		if err := c.join.add(&m); err != nil {
			return err
		}
		m.self = m.name
	}
	if refused {
		return nil
	}
	for i, unique := range t.Unique {
		if name, ok := uniqueName(t, i, unique, row); ok {
			m.kind, m.name, m.column, m.value = markUnique, name, int32(unique[0].Index), text(unique[len(unique)-1], row)
			if err := c.join.add(&m); err != nil {
				return err
			}
		}
	}
	if !c.references {
		return nil
	}
	for _, col := range t.Columns {
		v := &row.Values[col.Index]
		if col.References == nil || v.Null || !c.given[col.References] || schema.IsObjectID(col.References.Prefix, v.Text) {
			continue
		}
		m.kind, m.name, m.column, m.value = markReference, keyName(col.References, v.Text), int32(col.Index), string(v.Text)
		if err := c.join.add(&m); err != nil {
			return err
		}
	}
	return nil
}

// keyName is what a key and the references to it have in common.
func keyName(t *schema.Table, id []byte) string { return t.SQLName + "\x00" + string(id) }

// uniqueName is what rows with the same values have in common. Rows without one of the values differ from all others.
func uniqueName(t *schema.Table, number int, columns []*schema.Column, row *ingest.Row) (string, bool) {
	var b strings.Builder
	b.WriteString(t.SQLName + "\x01" + strconv.Itoa(number))
	for _, col := range columns {
		if row.Values[col.Index].Null {
			return "", false
		}
		b.WriteString("\x00" + text(col, row))
	}
	return b.String(), true
}

// text is a value as text.
func text(c *schema.Column, row *ingest.Row) string {
	v := &row.Values[c.Index]
	switch c.Kind {
	case schema.Text, schema.Decimal, schema.Reference, schema.List:
		return string(v.Text)
	case schema.Integer, schema.BigInt, schema.Boolean, schema.Date, schema.Timestamp, schema.Enumerate:
	}
	return strconv.FormatInt(v.Int, 10)
}

// seedFile stands for the rows that every tenant's production starts with.
const seedFile = -1

// addSeeds makes the schema's seed rows known, as every tenant's production has them.
func (c *checker) addSeeds() error {
	for _, t := range c.schema.Tables {
		for i, seed := range t.Seeds {
			if key := seed[t.Key.Index]; key != nil {
				m := mark{kind: markKey, place: place{seedFile, int64(i)}, name: keyName(t, []byte(*key))}
				if err := c.join.add(&m); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// across finds repeated keys and values and references to nothing, and then follows what was refused to the rows that
// need it.
func (c *checker) across(ctx context.Context) error {
	gone := map[string]bool{} // keys of records that this pass refused
	err := c.join.parts(func(marks []mark) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return groups(marks, func(group []mark) error {
			c.repeated(group, gone)
			return nil
		})
	})
	if err != nil {
		return err
	}
	err = c.join.parts(func(marks []mark) error {
		return groups(marks, func(group []mark) error {
			c.dangling(group, gone)
			return nil
		})
	})
	for err == nil && len(gone) > 0 {
		next := map[string]bool{}
		err = c.join.parts(func(marks []mark) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			for i := range marks {
				if m := &marks[i]; m.kind == markReference && gone[m.name] {
					c.refuse(m, next, ingest.CodeParentRejected, c.parentMessage(m))
				}
			}
			return nil
		})
		gone = next
	}
	return err
}

// repeated refuses every record of a key or of unique values that several have.
func (c *checker) repeated(group []mark, gone map[string]bool) {
	for _, kind := range []markKind{markKey, markUnique} {
		var same []*mark
		for i := range group {
			m := &group[i]
			if m.place.file != seedFile && (m.kind == kind || (kind == markKey && m.kind == markRefusedKey)) {
				same = append(same, m)
			}
		}
		if len(same) < 2 {
			continue
		}
		for i, m := range same {
			if m.kind == markRefusedKey {
				continue
			}
			other := same[0]
			if i == 0 {
				other = same[1]
			}
			code, what := ingest.CodeDuplicateKey, "key"
			if kind == markUnique {
				code, what = ingest.CodeDuplicateValue, "value"
			}
			c.refuse(m, gone, code, fmt.Sprintf("the same %s is in line %d of %s too: all rows that have it are refused",
				what, other.line, c.files[other.place.file].Path))
		}
	}
}

// dangling refuses the references of a group to which there is no key, or a refused one only.
func (c *checker) dangling(group []mark, gone map[string]bool) {
	there, refused := false, false
	for i := range group {
		m := &group[i]
		there = there || (m.kind == markKey && (m.place.file == seedFile || !c.refused[m.place]))
		refused = refused || m.kind == markRefusedKey || (m.kind == markKey && m.place.file != seedFile && c.refused[m.place])
	}
	if there {
		return
	}
	for i := range group {
		m := &group[i]
		if m.kind != markReference {
			continue
		}
		target := c.column(m).References
		switch {
		case refused:
			c.refuse(m, gone, ingest.CodeParentRejected, c.parentMessage(m))
		default:
			c.refuse(m, gone, ingest.CodeMissingRef, fmt.Sprintf("there is no %s %q in the files given", target.Name, m.value))
		}
	}
}

func (c *checker) parentMessage(m *mark) string {
	return fmt.Sprintf("the %s %q to which it refers is refused itself", c.column(m).References.Name, m.value)
}

func (c *checker) column(m *mark) *schema.Column {
	return c.files[m.place.file].table.Columns[m.column]
}

// refuse keeps a reject for a record that none was kept for yet. Its key no longer counts.
func (c *checker) refuse(m *mark, gone map[string]bool, code, message string) {
	if c.refused[m.place] {
		return
	}
	c.refused[m.place] = true
	self, value := m.self, m.value
	if m.kind == markKey {
		self = m.name
		_, value, _ = strings.Cut(self, "\x00")
	}
	if self != "" {
		gone[self] = true
	}
	_, id, _ := strings.Cut(self, "\x00")
	c.keep(m.place, ingest.Reject{
		Record: m.place.record, Line: m.line, Column: c.column(m).Name, Code: code, Message: message,
		Value: value, ImportID: id, Offset: m.offset, Length: int64(m.length),
	})
}

// unchecked names the tables that rows refer to and of which no file was given.
func (c *checker) unchecked() []string {
	var names []string
	for t := range c.given {
		for _, col := range t.Columns {
			if target := col.References; target != nil && !c.given[target] && c.references && !slices.Contains(names, target.Name) {
				names = append(names, target.Name)
			}
		}
	}
	slices.Sort(names)
	return names
}
