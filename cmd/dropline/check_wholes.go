package main

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"
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

// verdict is what a check says of one whole.
type verdict uint8

const (
	holds verdict = iota
	perhaps
	fails
)

// judge applies the check to the rows of one whole.
func (c *checker) judge(w *whole, group []mark) (verdict, string) {
	if w.check.Kind == schema.RunningCheck {
		return c.judgeRunning(group)
	}
	var there *mark
	var sum schema.Number
	parts, lost := false, false
	for i := range group {
		m := &group[i]
		alive := !c.refused.has(m.place)
		switch {
		case m.kind == markWhole && alive:
			there = m
		case m.kind == markPart && alive:
			n, _ := schema.ParseDecimal(m.amount) // null adds nothing
			sum, parts = sum.Plus(n), true
		case m.kind == markLost || m.kind != markWhole && !alive:
			lost = true
		}
	}
	if there == nil || there.amount == "" || w.check.SkipEmpty && !parts && !lost {
		return holds, ""
	}
	to, _ := schema.ParseDecimal(there.amount)
	order := sum.Compare(to)
	if order == 0 || w.check.Op == "<=" && order < 0 || w.check.Op == ">=" && order > 0 {
		return holds, ""
	}
	return fails, fmt.Sprintf("the sum is %s, to compare with %s", sum, there.amount)
}

// judgeRunning adds up in order. Rows that the order leaves equal go by their production ids, which are not known here: the
// check fails for certain only if it does with those first that add most.
func (c *checker) judgeRunning(group []mark) (verdict, string) {
	type step struct {
		order  string
		amount schema.Number
	}
	var steps []step
	for i := range group {
		m := &group[i]
		if n, ok := schema.ParseDecimal(m.amount); ok && m.kind == markPart && !c.refused.has(m.place) {
			steps = append(steps, step{m.order, n})
		}
	}
	for _, v := range []verdict{fails, perhaps} {
		slices.SortStableFunc(steps, func(a, b step) int {
			byAmount := b.amount.Compare(a.amount)
			if v == perhaps {
				byAmount = -byAmount
			}
			return cmp.Or(strings.Compare(a.order, b.order), byAmount)
		})
		var running, lowest schema.Number
		for _, s := range steps {
			running = running.Plus(s.amount)
			if running.Compare(lowest) < 0 {
				lowest = running
			}
		}
		if lowest.Sign() < 0 {
			return v, "falls to " + lowest.String()
		}
	}
	return holds, ""
}

// failedWholes refuses the rows of the wholes that a declared check finds false, one check after the other, and again as long
// as that leaves other wholes short.
func (c *checker) failedWholes(ctx context.Context) error {
	for before := int64(-1); before != c.total; {
		before = c.total
		for _, w := range c.wholes {
			if w.check.Severity != schema.Error || w.unsure || w.foreign {
				continue
			}
			err := w.join.groups(ctx, func(group []mark) error {
				v, detail := c.judge(w, group)
				if v != fails {
					return nil
				}
				for i := range group {
					m, rank := &group[i], int32(1)
					switch m.kind {
					case markLost:
						continue
					case markWhole:
						rank = 0
					default:
					}
					if err := c.propose(m, rank, w.check.Name, w.check.Message+" ("+detail+")"); err != nil {
						return err
					}
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
		if err := c.consequences(ctx); err != nil {
			return err
		}
	}
	return c.unsureWholes(ctx)
}

// unsureWholes notes which wholes fail by what is in the files alone, or may.
func (c *checker) unsureWholes(ctx context.Context) error {
	for _, w := range c.wholes {
		if w.check.Severity != schema.Error {
			continue
		}
		sure := !w.unsure && !w.foreign
		var count int64
		var first *mark
		err := w.join.groups(ctx, func(group []mark) error {
			v, _ := c.judge(w, group)
			if v == holds || sure && v == fails {
				return nil
			}
			count++
			for i := range group {
				if m := &group[i]; m.kind != markLost && !c.refused.has(m.place) && (first == nil || m.place.compare(first.place) < 0) {
					first = m
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if count == 0 || first == nil {
			continue
		}
		why := "it counts what is in production too, which is not known here"
		if sure {
			why = "it depends on the order that production gives to rows of the same " + w.check.OrderBy[0].Name
		}
		c.notes = append(c.notes, fmt.Sprintf("%s may refuse the rows of %s, the first in line %d of %s: %s. %s", w.check.Name,
			plural(count, w.check.By.Name, "values of "+w.check.By.Name), first.line, c.files[first.place.file].Path, why, w.check.Message))
	}
	return nil
}

// wholeWarnings counts the wholes that draw a warning.
func (c *checker) wholeWarnings(ctx context.Context) error {
	for _, w := range c.wholes {
		if w.check.Severity != schema.Warning || w.unsure || w.foreign {
			continue
		}
		err := w.join.groups(ctx, func(group []mark) error {
			if v, _ := c.judge(w, group); v != fails {
				return nil
			}
			for i := range group {
				if m := &group[i]; !c.refused.has(m.place) && (m.kind == markWhole || w.check.Kind == schema.RunningCheck) {
					c.warn(m, w.check)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
