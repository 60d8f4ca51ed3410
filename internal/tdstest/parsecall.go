package tdstest

import "strings"

// call reads a function's arguments after the parenthesis.
func (p *parser) call(name string) (node, *Error) {
	switch name {
	case "cast", "try_cast":
		e, err := p.expr()
		if err != nil {
			return nil, err
		}
		if err := p.expect("as"); err != nil {
			return nil, err
		}
		t, err := p.typeName()
		if err != nil {
			return nil, err
		}
		return castNode{expr: e, typ: castLength(t, p), try: name == "try_cast"}, p.expect(")")
	case "convert", "try_convert":
		return p.convertCall(name == "try_convert")
	}
	c := callNode{name: name}
	if p.accept(")") {
		return c, nil
	}
	if p.accept("*") {
		c.star = true
		return c, p.expect(")")
	}
	if c.distinct = p.accept("distinct"); !c.distinct {
		p.accept("all")
	}
	var err *Error
	if c.args, err = p.list(); err != nil {
		return nil, err
	}
	return c, p.expect(")")
}

func (p *parser) convertCall(try bool) (node, *Error) {
	t, err := p.typeName()
	if err != nil {
		return nil, err
	}
	c := castNode{typ: castLength(t, p), try: try}
	if err := p.expect(","); err != nil {
		return nil, err
	}
	if c.expr, err = p.expr(); err != nil {
		return nil, err
	}
	if p.accept(",") {
		if c.style, err = p.expr(); err != nil {
			return nil, err
		}
	}
	return c, p.expect(")")
}

// castLength is 30 in CAST and CONVERT where a type that has a length comes without.
func castLength(t sqlType, p *parser) sqlType {
	previous := p.tokens[p.at-1]
	if facts[t.kind].hasLength && !t.sysname && strings.EqualFold(previous.text, t.name()) {
		t.length = 30
	}
	return t
}

func (p *parser) caseOf() (node, *Error) {
	var c caseNode
	var err *Error
	if !p.peek().is("when") {
		if c.subject, err = p.expr(); err != nil {
			return nil, err
		}
	}
	for p.accept("when") {
		var when [2]node
		if when[0], err = p.expr(); err != nil {
			return nil, err
		}
		if err := p.expect("then"); err != nil {
			return nil, err
		}
		if when[1], err = p.expr(); err != nil {
			return nil, err
		}
		c.when = append(c.when, when)
	}
	if p.accept("else") {
		if c.other, err = p.expr(); err != nil {
			return nil, err
		}
	}
	if len(c.when) == 0 {
		return nil, p.unexpected()
	}
	return c, p.expect("end")
}
