package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dropline/ingest"
	"dropline/schema"
)

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

// seedName is uniqueName of a seed row. It is false for values that are no texts.
func seedName(t *schema.Table, number int, columns []*schema.Column, seed schema.Seed) (string, bool) {
	name := t.SQLName + "\x01" + strconv.Itoa(number)
	for _, col := range columns {
		if seed[col.Index] == nil || col.Kind != schema.Text {
			return "", false
		}
		name += "\x00" + *seed[col.Index]
	}
	return name, true
}

// received is a value as the file gives it, or as the mapping does where the file does not.
func received(c *schema.Column, row *ingest.Row) string {
	v := &row.Values[c.Index]
	switch {
	case v.Raw != nil:
		return strings.ToValidUTF8(string(v.Raw[:min(len(v.Raw), ingest.MaxRejectValue)]), "")
	case v.Null:
		return ""
	}
	return text(c, row)
}

// seedFile stands for the rows that every tenant's production starts with.
const seedFile = -1

// addSeeds makes the schema's seed rows known, as every tenant's production has them.
func (c *checker) addSeeds() error {
	for _, t := range c.schema.Tables {
		for i, seed := range t.Seeds {
			key := seed[t.Key.Index]
			if key == nil {
				continue
			}
			m := mark{kind: markKey, place: place{seedFile, int64(i)}, name: keyName(t, []byte(*key))}
			c.seeds[m.name] = false
			if err := c.join.add(&m); err != nil {
				return err
			}
			m.kind, m.self = markUnique, m.name
			for number, unique := range t.Unique {
				var ok bool
				if m.name, ok = seedName(t, number, unique, seed); ok {
					if err := c.uniques.add(&m); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// keys refuses every record of a key that several have.
func (c *checker) keys(ctx context.Context) error {
	return c.join.groups(ctx, func(group []mark) error {
		var same []*mark
		for i := range group {
			if m := &group[i]; m.place.file != seedFile && m.kind != markReference {
				same = append(same, m)
			}
		}
		if _, seed := c.seeds[group[0].name]; seed && len(same) == 1 && same[0].kind == markKey {
			c.seeds[group[0].name] = true
		}
		slices.SortFunc(same, func(a, b *mark) int { return a.place.compare(b.place) })
		for i, m := range same {
			if len(same) < 2 || m.kind == markRefusedKey {
				continue
			}
			other := same[max(i-1, 0)]
			if i == 0 {
				other = same[1]
			}
			where := "the same file"
			if other.place.file != m.place.file {
				where = c.files[other.place.file].Path
			}
			_, id, _ := strings.Cut(m.name, "\x00")
			c.refuse(m, ingest.CodeDuplicateKey, fmt.Sprintf("%s %s occurs more than once, also in line %d of %s: all of these records are refused. Send it once.",
				c.tableOf(m).Key.Name, id, other.line, where))
		}
		return nil
	})
}

// uniqueValues refuses every record of unique values that several have, one set of columns after the other.
func (c *checker) uniqueValues(ctx context.Context) error {
	sets := 0
	for _, t := range c.schema.Tables {
		sets = max(sets, len(t.Unique))
	}
	for set := range sets {
		err := c.uniques.groups(ctx, func(group []mark) error {
			if group[0].rule == int32(set) {
				c.repeatedValues(group)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) repeatedValues(group []mark) {
	group = slices.DeleteFunc(group, func(m mark) bool { // a seed row's values are free once a row takes its place
		return m.place.file == seedFile && c.seeds[m.self] || m.place.file != seedFile && c.refused.has(m.place)
	})
	for i := range group {
		m := &group[i]
		if len(group) < 2 || m.place.file == seedFile {
			continue
		}
		t := c.tableOf(m)
		var names []string
		for _, col := range t.Unique[m.rule] {
			names = append(names, col.Name)
		}
		c.refuse(m, ingest.CodeDuplicateValue, fmt.Sprintf(
			"%s must be unique, and another %s has the same: change one of them, or send that one changed as well.", strings.Join(names, ", "), t.Name))
	}
}

// dangling refuses the references to which there is no key, or one of a record that could not be read. Records that were
// refused since still count here: consequences deals with them.
func (c *checker) dangling(ctx context.Context) error {
	err := c.join.groups(ctx, func(group []mark) error {
		unreadable := false
		for i := range group {
			if group[i].kind == markKey {
				return nil
			}
			unreadable = unreadable || group[i].kind == markRefusedKey
		}
		for i := range group {
			m := &group[i]
			if m.kind != markReference {
				continue
			}
			col := c.column(m)
			code, message := ingest.CodeParentRejected, parentMessage(m, col)
			if !unreadable {
				code, message = ingest.CodeMissingRef, fmt.Sprintf(
					"%s names a %s that is in none of the files given: unless it was loaded before, send it too, or correct the reference.",
					col.Name, referred(m, col))
			}
			if err := c.propose(m, rankOf(m), code, message); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.settle(ctx)
}

// consequences follows what was refused to the rows that need it, and so on.
func (c *checker) consequences(ctx context.Context) error {
	for len(c.gone) > 0 {
		gone := c.gone
		c.gone = map[string]bool{}
		for name := range gone {
			if _, seed := c.seeds[name]; seed { // production has it
				delete(gone, name)
			}
		}
		err := c.join.each(ctx, func(m *mark) error {
			if m.kind == markReference && gone[m.name] {
				return c.propose(m, rankOf(m), ingest.CodeParentRejected, parentMessage(m, c.column(m)))
			}
			return nil
		})
		if err == nil {
			err = c.settle(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func parentMessage(m *mark, col *schema.Column) string {
	return fmt.Sprintf("%s names a %s that is refused itself: when that is mended, send both.", col.Name, referred(m, col))
}

// referred is what a reference refers to, and of a list which of them.
func referred(m *mark, col *schema.Column) string {
	if col.Kind != schema.List {
		return col.References.Name
	}
	_, id, _ := strings.Cut(m.name, "\x00")
	return fmt.Sprintf("%s (%s)", col.References.Name, id)
}

// rankOf orders the references of a record: by their columns, and within a list as they are listed.
func rankOf(m *mark) int32 {
	const most = 1000 // references that a list may have are fewer
	return m.column*most + m.rule
}

// propose notes that a record is to be refused, unless there is a reason that counts before this one.
func (c *checker) propose(m *mark, rank int32, code, message string) error {
	if c.refused.has(m.place) {
		return nil
	}
	p := *m
	p.name, p.rule, p.amount, p.order = fmt.Sprint(m.place.file, " ", m.place.record), rank, code, message
	return c.proposed.add(&p)
}

// settle refuses the records proposed, each for its first reason.
func (c *checker) settle(ctx context.Context) error {
	err := c.proposed.groups(ctx, func(group []mark) error {
		first := slices.MinFunc(group, func(a, b mark) int { return cmp.Compare(a.rule, b.rule) })
		c.refuse(&first, first.amount, first.order)
		return nil
	})
	if err != nil {
		return err
	}
	return c.proposed.reset()
}

func (c *checker) tableOf(m *mark) *schema.Table { return c.files[m.place.file].table }

// column is the column that a mark is about, or nil.
func (c *checker) column(m *mark) *schema.Column {
	if m.column < 0 {
		return nil
	}
	return c.tableOf(m).Columns[m.column]
}

// refuse keeps a reject for a record that none was kept for yet. Its key no longer counts.
func (c *checker) refuse(m *mark, code, message string) {
	if !c.refused.add(m.place) {
		return
	}
	self, value := m.self, m.value
	if m.kind == markKey || m.kind == markGoneKey {
		self = m.name
		_, value, _ = strings.Cut(self, "\x00")
	}
	c.gone[self] = true
	_, id, _ := strings.Cut(self, "\x00")
	column := ""
	if col := c.column(m); col != nil {
		column = col.Name
	}
	c.keep(m.place, ingest.Reject{
		Record: m.place.record, Line: m.line, Column: column, Code: code, Message: message,
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
