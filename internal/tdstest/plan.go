package tdstest

import "strings"

// plan is a SELECT that is bound and can be run.
type plan struct {
	session *session
	sources []source
	on      []*expr
	left    []bool
	width   int

	where      *expr
	bounds     []bound
	covered    bool // the bounds are all of WHERE
	sorted     bool // the rows come in the order asked for
	group      []*expr
	grouped    bool
	aggregates []*aggregate
	having     *expr

	items    []*expr
	cols     []resultColumn
	distinct bool
	order    []orderKey
	top      *expr
	offset   *expr
	fetch    *expr
	union    *plan
}

type orderKey struct {
	expr   *expr // nil where it is an output column
	output int
	desc   bool
}

// plan binds a SELECT inside the scope s, whose columns it may use.
func (s *scope) plan(sel *selectStmt) (*plan, *Error) {
	p := &plan{session: s.session, distinct: sel.distinct, grouped: len(sel.groupBy) > 0 || sel.having != nil}
	inner := &scope{session: s.session, params: s.params, outer: s}
	if err := p.bindFrom(inner, sel); err != nil {
		return nil, err
	}
	var err *Error
	if sel.where != nil {
		if p.where, err = inner.bind(sel.where); err != nil {
			return nil, err
		}
	}
	if p.group, err = inner.bindAll(sel.groupBy); err != nil {
		return nil, err
	}
	inner.aggregates = &p.aggregates
	if err := p.bindItems(inner, sel); err != nil {
		return nil, err
	}
	if sel.having != nil {
		if p.having, err = inner.bind(sel.having); err != nil {
			return nil, err
		}
	}
	if err := p.bindOrder(inner, sel); err != nil {
		return nil, err
	}
	p.grouped = p.grouped || len(p.aggregates) > 0
	if err := p.bindLimits(s, sel); err != nil {
		return nil, err
	}
	if sel.union != nil {
		if p.union, err = s.plan(sel.union); err != nil {
			return nil, err
		}
		if len(p.union.cols) != len(p.cols) {
			return nil, &Error{205, 1, 16, "All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of expressions in their target lists."}
		}
	}
	inner.aggregates = nil
	return p, p.bindSeek(inner, sel)
}

func (p *plan) bindFrom(inner *scope, sel *selectStmt) *Error {
	for _, item := range sel.from {
		src, err := inner.open(item)
		if err != nil {
			return err
		}
		src.offset = p.width
		p.width += len(src.cols)
		if item.left {
			src.cols = append([]resultColumn(nil), src.cols...)
			for i := range src.cols {
				src.cols[i].nullable = true
			}
		}
		inner.sources = append(inner.sources, *src)
		var on *expr
		if item.on != nil {
			if on, err = inner.bind(item.on); err != nil {
				return err
			}
		}
		p.on, p.left = append(p.on, on), append(p.left, item.left)
	}
	p.sources = inner.sources
	return nil
}

// open finds the relation of a FROM item.
func (s *scope) open(item fromItem) (*source, *Error) {
	if item.sub != nil {
		sub, err := s.outer.plan(item.sub)
		if err != nil {
			return nil, err
		}
		for _, c := range sub.cols {
			if c.name == "" {
				return nil, &Error{8155, 2, 16, "No column name was specified for a column of '" + item.alias + "'."}
			}
		}
		return &source{alias: item.alias, cols: sub.cols, sub: sub}, nil
	}
	c := s.session
	def, err := c.server.lookup(item.name, c.database)
	if err != nil {
		return nil, err
	}
	if def == nil {
		return nil, &Error{208, 1, 16, "Invalid object name '" + strings.Join(item.name, ".") + "'."}
	}
	if c.server.denied(def.schema, def.name) {
		return nil, &Error{229, 5, 14, "The SELECT permission was denied on the object '" + def.name + "', database '" + c.database + "', schema '" + def.schema + "'."}
	}
	src := &source{alias: item.alias, name: []string{def.schema, def.name}, cols: def.cols, def: def}
	if def.catalogue {
		src.rows = def.build(c, c.server.store.now())
		return src, nil
	}
	view, err := c.view()
	if err != nil {
		return nil, err
	}
	src.rows = view.rows[def]
	return src, nil
}

func (p *plan) bindItems(inner *scope, sel *selectStmt) *Error {
	for _, item := range sel.items {
		if !item.star {
			e, err := inner.bind(item.expr)
			if err != nil {
				return err
			}
			p.add(e, item)
			continue
		}
		found := false
		for i := range p.sources {
			src := &p.sources[i]
			if item.starOf != "" && !src.named([]string{item.starOf}) {
				continue
			}
			found = true
			for j := range src.cols {
				p.add(columnExpr(&src.cols[j], src.offset+j, 0), selectItem{alias: src.cols[j].name})
			}
		}
		if !found {
			return &Error{107, 1, 15, "The column prefix '" + item.starOf + "' does not match with a table name or alias name used in the query."}
		}
	}
	return nil
}

// add adds an output column.
func (p *plan) add(e *expr, item selectItem) {
	col := resultColumn{name: item.alias, typ: e.typ, nullable: e.nullable}
	if e.source != nil {
		col = *e.source
		if item.alias != "" {
			col.name = item.alias
		}
	}
	p.items, p.cols = append(p.items, e), append(p.cols, col)
}

func (p *plan) bindOrder(inner *scope, sel *selectStmt) *Error {
	for _, o := range sel.orderBy {
		key := orderKey{output: -1, desc: o.desc}
		switch n := o.expr.(type) {
		case literal:
			at, ok := n.value.(int64)
			if !ok || at < 1 || int(at) > len(p.items) {
				return &Error{108, 1, 16, "The ORDER BY position number is out of range of the number of items in the select list."}
			}
			key.output = int(at) - 1
		case columnRef:
			for i := range p.cols {
				if len(n.parts) == 1 && sameName(p.cols[i].name, n.parts[0]) {
					key.output = i
					break
				}
			}
		}
		if key.output < 0 {
			var err *Error
			if key.expr, err = inner.bind(o.expr); err != nil {
				return err
			}
			for i, e := range p.items {
				if e.source != nil && e.column == key.expr.column {
					key.output = i
				}
			}
		}
		p.order = append(p.order, key)
	}
	return nil
}

func (p *plan) bindLimits(s *scope, sel *selectStmt) *Error {
	for _, l := range []struct {
		from node
		to   **expr
	}{{sel.top, &p.top}, {sel.offset, &p.offset}, {sel.fetch, &p.fetch}} {
		if l.from == nil {
			continue
		}
		e, err := (&scope{session: s.session, params: s.params}).bind(l.from)
		if err != nil {
			return err
		}
		*l.to = e
	}
	return nil
}

// bindSeek sees whether the rows of a single table can be found by its key and need no sorting.
func (p *plan) bindSeek(inner *scope, sel *selectStmt) *Error {
	if len(p.sources) != 1 || p.sources[0].def == nil || p.sources[0].def.catalogue || len(p.sources[0].def.key) == 0 {
		p.covered = p.where == nil
		return nil
	}
	d := p.sources[0].def
	var err *Error
	if p.bounds, p.covered, err = inner.seek(sel.where, d); err != nil {
		return err
	}
	p.sorted = !p.grouped && len(p.order) <= len(d.key)
	for i, key := range p.order {
		e := key.expr
		if e == nil {
			e = p.items[key.output]
		}
		p.sorted = p.sorted && !key.desc && i < len(d.key) && e.source != nil && e.column == d.key[i]
	}
	return nil
}
