package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"dropline/schema"
)

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
