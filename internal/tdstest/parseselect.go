package tdstest

// selectStatement reads a SELECT with its ORDER BY and OPTION.
func (p *parser) selectStatement() (*selectStmt, *Error) {
	if p.depth++; p.depth > maxDepth {
		return nil, &Error{191, 1, 15, "Some part of your SQL statement is nested too deeply."}
	}
	defer func() { p.depth-- }()
	s, err := p.selectCore()
	if err != nil {
		return nil, err
	}
	for last := s; p.accept("union"); last = last.union {
		if err := p.expect("all"); err != nil {
			return nil, err
		}
		if last.union, err = p.selectCore(); err != nil {
			return nil, err
		}
	}
	if p.accept("order", "by") {
		if err := p.orderBy(s); err != nil {
			return nil, err
		}
	}
	if p.accept("option") {
		return s, p.skipParentheses()
	}
	return s, nil
}

func (p *parser) selectCore() (*selectStmt, *Error) {
	if err := p.expect("select"); err != nil {
		return nil, err
	}
	s := &selectStmt{}
	s.distinct = p.accept("distinct")
	if !s.distinct {
		p.accept("all")
	}
	var err *Error
	if p.accept("top") {
		if s.top, err = p.primary(); err != nil {
			return nil, err
		}
	}
	for {
		item, err := p.selectItem()
		if err != nil {
			return nil, err
		}
		s.items = append(s.items, item)
		if !p.accept(",") {
			break
		}
	}
	if p.accept("from") {
		if err := p.from(s); err != nil {
			return nil, err
		}
	}
	if p.accept("where") {
		if s.where, err = p.expr(); err != nil {
			return nil, err
		}
	}
	if p.accept("group", "by") {
		if s.groupBy, err = p.list(); err != nil {
			return nil, err
		}
	}
	if p.accept("having") {
		s.having, err = p.expr()
	}
	return s, err
}

func (p *parser) selectItem() (selectItem, *Error) {
	if p.accept("*") {
		return selectItem{star: true}, nil
	}
	if t := p.peek(); (t.kind == tokName || t.kind == tokWord) && p.peekAt(1).is(".") && p.peekAt(2).is("*") {
		p.at += 3
		return selectItem{star: true, starOf: t.text}, nil
	}
	// alias = expression
	if t := p.peek(); (t.kind == tokName || t.kind == tokWord) && p.peekAt(1).is("=") {
		p.at += 2
		e, err := p.expr()
		return selectItem{expr: e, alias: t.text}, err
	}
	e, err := p.expr()
	if err != nil {
		return selectItem{}, err
	}
	item := selectItem{expr: e}
	if p.accept("as") {
		if t := p.peek(); t.kind == tokText || t.kind == tokWide {
			p.next()
			item.alias = t.text
			return item, nil
		}
		item.alias, err = p.name()
		return item, err
	}
	if alias, err := p.name(); err == nil {
		item.alias = alias
	}
	return item, nil
}

// from reads the tables and their joins.
func (p *parser) from(s *selectStmt) *Error {
	item, err := p.fromItem()
	if err != nil {
		return err
	}
	s.from = append(s.from, item)
	for {
		left, cross := false, false
		switch {
		case p.accept(","), p.accept("cross", "join"):
			cross = true
		case p.accept("inner", "join"), p.accept("join"):
		case p.accept("left", "join"), p.accept("left", "outer", "join"):
			left = true
		default:
			return nil
		}
		item, err := p.fromItem()
		if err != nil {
			return err
		}
		item.left = left
		if !cross {
			if err := p.expect("on"); err != nil {
				return err
			}
			if item.on, err = p.expr(); err != nil {
				return err
			}
		}
		s.from = append(s.from, item)
	}
}

func (p *parser) fromItem() (fromItem, *Error) {
	var item fromItem
	var err *Error
	if p.accept("(") {
		if item.sub, err = p.selectStatement(); err != nil {
			return item, err
		}
		if err := p.expect(")"); err != nil {
			return item, err
		}
	} else if item.name, err = p.dotted(); err != nil {
		return item, err
	}
	if p.accept("as") {
		if item.alias, err = p.name(); err != nil {
			return item, err
		}
	} else if alias, err := p.name(); err == nil {
		item.alias = alias
	}
	if item.sub != nil && item.alias == "" {
		return item, p.unexpected()
	}
	if p.accept("with") {
		return item, p.skipParentheses()
	}
	if p.peek().is("(") && item.sub == nil {
		return item, p.skipParentheses()
	}
	return item, nil
}

// skipParentheses takes the hints in parentheses.
func (p *parser) skipParentheses() *Error {
	if err := p.expect("("); err != nil {
		return err
	}
	for depth := 1; depth > 0; {
		switch t := p.next(); {
		case t.kind == tokEnd:
			return p.unexpected()
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
		}
	}
	return nil
}

func (p *parser) orderBy(s *selectStmt) *Error {
	for {
		e, err := p.expr()
		if err != nil {
			return err
		}
		item := orderItem{expr: e, desc: p.accept("desc")}
		if !item.desc {
			p.accept("asc")
		}
		s.orderBy = append(s.orderBy, item)
		if !p.accept(",") {
			break
		}
	}
	if !p.accept("offset") {
		return nil
	}
	var err *Error
	if s.offset, err = p.expr(); err != nil {
		return err
	}
	if !p.accept("rows") && !p.accept("row") {
		return p.unexpected()
	}
	if !p.accept("fetch", "next") && !p.accept("fetch", "first") {
		return nil
	}
	if s.fetch, err = p.expr(); err != nil {
		return err
	}
	if !p.accept("rows") && !p.accept("row") {
		return p.unexpected()
	}
	return p.expect("only")
}
