package main

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"strings"

	"dropline/ingest"
	"dropline/schema"
)

// wholeParts is how many parts the rows of one check on wholes are cut into.
const wholeParts = 64

// whole is a declared check on several rows together: a sum or a running sum, with the table that declares it.
type whole struct {
	table   *schema.Table
	check   *schema.Check
	join    *join // by what the rows have in common
	unsure  bool  // production may have rows that count, too
	foreign bool  // rows name what they belong to by production ids
}

// parts is the table whose rows make up the whole.
func (w *whole) parts() *schema.Table { return w.table.PartsOf(w.check) }

// openWholes makes ready the checks on wholes for which there are files.
func (c *checker) openWholes() error {
	for _, t := range c.schema.Tables {
		for _, check := range t.Checks {
			w := &whole{table: t, check: check}
			parts := w.parts()
			if check.Kind == schema.RowCheck || !c.given[t] && !c.given[parts] {
				continue
			}
			for _, needed := range []*schema.Table{t, parts} {
				if !c.given[needed] && check.Severity == schema.Error {
					c.notes = append(c.notes, fmt.Sprintf("%s was not looked at: no file of %s is given", check.Name, needed.Name))
				}
			}
			if !c.given[t] || !c.given[parts] {
				continue
			}
			related := check.By.References
			w.unsure = !c.references || related != nil && !c.given[related] || len(parts.Seeds) > 0
			var err error
			if w.join, err = newJoin(wholeParts); err != nil {
				return err
			}
			c.wholes = append(c.wholes, w)
		}
	}
	return nil
}

// markWholes adds what a record is to the checks on wholes.
func (c *checker) markWholes(m mark, t *schema.Table, row *ingest.Row) error {
	for _, w := range c.wholes {
		if w.check.Kind == schema.SumCheck && w.table == t {
			m.kind, m.name = markWhole, string(row.Values[t.Key.Index].Text)
			m.column, m.value = columnOf(t, w.check.Column, row)
			m.amount = amountOf(w.check.Expr, row)
			if err := w.join.add(&m); err != nil {
				return err
			}
		}
		if w.parts() == t {
			if err := w.markPart(m, t, row); err != nil {
				return err
			}
		}
	}
	return nil
}

// markLost notes of which wholes a refused record was to be a part: they are not empty, they have lost something.
func (c *checker) markLost(m mark, t *schema.Table, row *ingest.Row) error {
	for _, w := range c.wholes {
		if !w.check.SkipEmpty || w.parts() != t || row.Values[w.check.By.Index].Null {
			continue
		}
		m.kind, m.name = markLost, text(w.check.By, row)
		if err := w.join.add(&m); err != nil {
			return err
		}
	}
	return nil
}

func (w *whole) markPart(m mark, t *schema.Table, row *ingest.Row) error {
	check := w.check
	by := &row.Values[check.By.Index]
	if by.Null {
		return nil
	}
	m.kind, m.name = markPart, text(check.By, row)
	if check.Where != nil && check.Where.Condition(rowOf(row)) != schema.True {
		m.kind = markNoPart
	}
	m.amount = amountOf(check.Sum, row)
	if target := check.By.References; target != nil && schema.IsObjectID(target.Prefix, by.Text) {
		w.foreign = true
		if check.Kind == schema.SumCheck {
			return nil // the whole's row goes by another name
		}
	}
	if check.Kind == schema.SumCheck {
		m.column, m.value = int32(check.By.Index), received(check.By, row)
	} else {
		m.column, m.value = columnOf(t, check.Column, row)
		m.order = orderOf(check.OrderBy, row)
	}
	return w.join.add(&m)
}

func amountOf(e *schema.Expr, row *ingest.Row) string {
	if n, ok := e.Number(rowOf(row)); ok {
		return n.String()
	}
	return ""
}

// orderOf is a text that sorts as the columns do, an absent value last. It ends where the order is known to the server only:
// with a text, of whatever language, or a reference, of which production has another form.
func orderOf(columns []*schema.Column, row *ingest.Row) string {
	var b []byte
	for _, col := range columns {
		v := &row.Values[col.Index]
		switch col.Kind {
		case schema.Text, schema.Reference, schema.List:
			return string(b)
		default:
		}
		if v.Null {
			b = append(b, 1)
			continue
		}
		b = append(b, 0)
		if col.Kind == schema.Decimal {
			b = append(b, sortable(string(v.Text), col)...)
			continue
		}
		b = binary.BigEndian.AppendUint64(b, uint64(v.Int)^1<<63)
	}
	return string(b)
}

// sortable writes a decimal so that texts sort as numbers do: without a point and moved above zero.
func sortable(decimal string, col *schema.Column) string {
	whole, fraction, _ := strings.Cut(decimal, ".")
	n, _ := new(big.Int).SetString(whole+fraction+strings.Repeat("0", col.Scale-len(fraction)), 10)
	if n == nil {
		return ""
	}
	n.Add(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(col.Precision)), nil))
	return fmt.Sprintf("%0*s", col.Precision+1, n)
}
