package tdstest

import "slices"

type keyed struct {
	out  []any
	keys []any
}

type group struct {
	first  []any
	adders []adder
}

// runBuffered is for what needs all rows before the first: GROUP BY, DISTINCT, ORDER BY.
func (p *plan) runBuffered(outer *env, skip, limit int64, out func([]any) (bool, error)) error {
	var rows []keyed
	seen := map[string]bool{}
	keep := func(en *env) (bool, error) {
		k := keyed{out: make([]any, len(p.items)), keys: make([]any, len(p.order))}
		for i, e := range p.items {
			v, err := e.eval(en)
			if err != nil {
				return false, err
			}
			k.out[i] = v
		}
		for i, o := range p.order {
			if o.output < 0 {
				v, err := o.expr.eval(en)
				if err != nil {
					return false, err
				}
				k.keys[i] = v
			}
		}
		if p.distinct {
			key := groupKey(k.out)
			if seen[key] {
				return true, nil
			}
			seen[key] = true
		}
		rows = append(rows, k)
		return true, nil
	}
	var err error
	if p.grouped {
		err = p.groups(outer, keep)
	} else {
		err = p.scan(outer, keep)
	}
	if err != nil {
		return err
	}
	sortRows(rows, p.order)
	rows = rows[min(skip, int64(len(rows))):]
	if limit >= 0 {
		rows = rows[:min(limit, int64(len(rows)))]
	}
	for _, r := range rows {
		if more, err := out(r.out); err != nil || !more {
			return err
		}
	}
	return nil
}

func sortRows(rows []keyed, order []orderKey) {
	slices.SortStableFunc(rows, func(a, b keyed) int {
		for i, o := range order {
			x, y := a.keys, b.keys
			at := i
			if o.output >= 0 {
				x, y, at = a.out, b.out, o.output
			}
			c := compareNullable(x[at], y[at])
			if o.desc {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
}

// groups gives a row for each group, in the order in which they appear.
func (p *plan) groups(outer *env, row func(*env) (bool, error)) error {
	all := map[string]*group{}
	var order []*group
	add := func(key string, first []any) *group {
		g := &group{first: slices.Clone(first), adders: make([]adder, len(p.aggregates))}
		all[key] = g
		order = append(order, g)
		return g
	}
	if len(p.group) == 0 {
		add("", make([]any, p.width))
	}
	if p.countsAll() {
		order[0].adders[0].n = int64(p.sources[0].count())
	} else if err := p.scan(outer, func(en *env) (bool, error) {
		key := ""
		if len(p.group) > 0 {
			values := make([]any, len(p.group))
			for i, e := range p.group {
				v, err := e.eval(en)
				if err != nil {
					return false, err
				}
				values[i] = v
			}
			key = groupKey(values)
		}
		g := all[key]
		if g == nil {
			g = add(key, en.row)
		}
		for i, a := range p.aggregates {
			if err := a.add(&g.adders[i], en); err != nil {
				return false, err
			}
		}
		return true, nil
	}); err != nil {
		return err
	}
	return p.finishGroups(outer, order, row)
}

// countsAll is COUNT(*) of a whole table, which needs no scan.
func (p *plan) countsAll() bool {
	return len(p.group) == 0 && p.where == nil && len(p.sources) == 1 && p.sources[0].sub == nil &&
		len(p.aggregates) == 1 && p.aggregates[0].arg == nil
}

func (p *plan) finishGroups(outer *env, groups []*group, row func(*env) (bool, error)) error {
	for _, g := range groups {
		en := &env{row: g.first, outer: outer, aggs: make([]any, len(p.aggregates))}
		for i, a := range p.aggregates {
			v, err := a.result(&g.adders[i])
			if err != nil {
				return err
			}
			en.aggs[i] = v
		}
		if p.having != nil {
			if ok, err := truth(p.having, en); err != nil {
				return err
			} else if !ok {
				continue
			}
		}
		if more, err := row(en); err != nil || !more {
			return err
		}
	}
	return nil
}
