package schema

// parentsFirst orders tables so that a table comes after those it refers to. Where references form a cycle, the tables
// of the cycle stay together and required references count before optional ones. Ties keep the definition's order.
func parentsFirst(tables []*Table) []*Table {
	o := &ordering{index: map[*Table]int{}, low: map[*Table]int{}, open: map[*Table]bool{}, position: map[*Table]int{}}
	for i, t := range tables {
		o.position[t] = i
	}
	for _, t := range tables {
		if _, seen := o.index[t]; !seen {
			o.visit(t)
		}
	}
	return o.out
}

// ordering is Tarjan's search for strongly connected components. It finds a component only after every component that
// can be reached from it, which is the order wanted: the parents' first.
type ordering struct {
	index, low map[*Table]int
	open       map[*Table]bool
	position   map[*Table]int
	stack, out []*Table
}

func (o *ordering) visit(t *Table) {
	o.index[t], o.low[t] = len(o.index), len(o.index)
	o.stack = append(o.stack, t)
	o.open[t] = true
	for _, c := range t.Columns {
		parent := c.References
		if parent == nil {
			continue
		}
		if _, seen := o.index[parent]; !seen {
			o.visit(parent)
			o.low[t] = min(o.low[t], o.low[parent])
		} else if o.open[parent] {
			o.low[t] = min(o.low[t], o.index[parent])
		}
	}
	if o.low[t] != o.index[t] {
		return
	}
	var cycle []*Table
	for {
		last := o.stack[len(o.stack)-1]
		o.stack = o.stack[:len(o.stack)-1]
		o.open[last] = false
		cycle = append(cycle, last)
		if last == t {
			break
		}
	}
	o.place(cycle)
}

// place puts the tables of one cycle out: each time the one with the fewest required, then the fewest optional,
// references to those that wait, and of equals the one declared first.
func (o *ordering) place(cycle []*Table) {
	waiting := map[*Table]bool{}
	for _, t := range cycle {
		waiting[t] = true
	}
	for len(waiting) > 0 {
		var best *Table
		var bestCost [3]int
		for t := range waiting {
			cost := [3]int{0, 0, o.position[t]}
			for _, c := range t.Columns {
				switch {
				case c.References == nil || c.References == t || !waiting[c.References]:
				case c.Required:
					cost[0]++
				default:
					cost[1]++
				}
			}
			if best == nil || less(cost, bestCost) {
				best, bestCost = t, cost
			}
		}
		delete(waiting, best)
		o.out = append(o.out, best)
	}
}

func less(a, b [3]int) bool {
	for i := range a {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}
