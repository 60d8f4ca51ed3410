package tdstest

import (
	"slices"
)

// run gives the rows of a plan, inside the row of the query around it. A row is good until the next.
func (p *plan) run(outer *env, out func([]any) (bool, error)) error {
	if p.union != nil {
		return p.runUnion(outer, out)
	}
	skip, limit, err := p.limit(outer)
	if err != nil {
		return err
	}
	if limit == 0 {
		return nil
	}
	if p.grouped || p.distinct || len(p.order) > 0 && !p.sorted {
		return p.runBuffered(outer, skip, limit, out)
	}
	row := make([]any, len(p.items))
	return p.scan(outer, func(en *env) (bool, error) {
		if skip > 0 {
			skip--
			return true, nil
		}
		for i, e := range p.items {
			v, err := e.eval(en)
			if err != nil {
				return false, err
			}
			row[i] = v
		}
		if more, err := out(row); err != nil || !more {
			return false, err
		}
		limit--
		return limit != 0, nil
	})
}

// runUnion is UNION ALL: one after the other, each value as the first's type; an ORDER BY is by output columns.
func (p *plan) runUnion(outer *env, out func([]any) (bool, error)) error {
	first, order := *p, p.order
	first.union, first.order = nil, nil
	var rows []keyed
	stopped := false
	collect := func(row []any) (bool, error) {
		made := make([]any, len(row))
		for i, v := range row {
			x, err := convert(v, p.cols[i].typ)
			if err != nil {
				return false, err
			}
			made[i] = x
		}
		if len(order) > 0 {
			rows = append(rows, keyed{out: made})
			return true, nil
		}
		more, err := out(made)
		stopped = !more
		return more, err
	}
	if err := first.run(outer, collect); err != nil || stopped {
		return err
	}
	if err := p.union.run(outer, collect); err != nil {
		return err
	}
	sortRows(rows, order)
	for _, r := range rows {
		if more, err := out(r.out); err != nil || !more {
			return err
		}
	}
	return nil
}

// limit evaluates TOP, OFFSET and FETCH; -1 is no limit.
func (p *plan) limit(outer *env) (skip, limit int64, err error) {
	limit = -1
	for _, e := range []*expr{p.top, p.offset, p.fetch} {
		if e == nil {
			continue
		}
		v, bad := e.eval(&env{outer: outer})
		if bad != nil {
			return 0, 0, bad
		}
		n, bad := convert(v, bigIntType)
		if bad != nil {
			return 0, 0, bad
		}
		count, ok := n.(int64)
		if !ok || count < 0 {
			return 0, 0, &Error{1060, 1, 15, "The number of rows provided for a TOP or FETCH clauses row count parameter must be an integer."}
		}
		if e == p.offset {
			skip = count
		} else {
			limit = count
		}
	}
	return skip, limit, nil
}

// scan gives the joined rows that WHERE lets through.
func (p *plan) scan(outer *env, row func(*env) (bool, error)) error {
	en := &env{row: make([]any, p.width), outer: outer}
	held := make([][][]any, len(p.sources))
	return p.join(0, en, held, func() (bool, error) {
		if p.where != nil && !p.covered {
			if ok, err := truth(p.where, en); err != nil {
				return false, err
			} else if !ok {
				return true, nil
			}
		}
		return row(en)
	})
}

// join goes through the rows of source i for each row of those before it. What comes after the first source is held.
func (p *plan) join(i int, en *env, held [][][]any, row func() (bool, error)) error {
	_, err := p.joinMore(i, en, held, row)
	return err
}

func (p *plan) joinMore(i int, en *env, held [][][]any, row func() (bool, error)) (bool, error) {
	if i == len(p.sources) {
		return row()
	}
	src := &p.sources[i]
	matched, more := false, true
	one := func(this []any) (bool, error) {
		copy(en.row[src.offset:], this)
		if p.on[i] != nil {
			if ok, err := truth(p.on[i], en); err != nil {
				return false, err
			} else if !ok {
				return true, nil
			}
		}
		matched = true
		var err error
		more, err = p.joinMore(i+1, en, held, row)
		return more, err
	}
	if err := p.rowsOf(i, en, held, one); err != nil || !more {
		return false, err
	}
	if !matched && p.left[i] {
		clear(en.row[src.offset : src.offset+len(src.cols)])
		return p.joinMore(i+1, en, held, row)
	}
	return true, nil
}

func (p *plan) rowsOf(i int, en *env, held [][][]any, one func([]any) (bool, error)) error {
	src := &p.sources[i]
	low, high := 0, src.count()
	if len(p.bounds) > 0 {
		var err error
		if low, high, err = src.limits(p.bounds); err != nil {
			return err
		}
	}
	if i == 0 || src.sub == nil {
		return src.each(p.session, en.outer, low, high, one)
	}
	if held[i] == nil {
		held[i] = [][]any{}
		err := src.each(p.session, en.outer, low, high, func(row []any) (bool, error) {
			held[i] = append(held[i], slices.Clone(row))
			return true, nil
		})
		if err != nil {
			return err
		}
	}
	for _, row := range held[i] {
		if more, err := one(row); err != nil || !more {
			return err
		}
	}
	return nil
}
