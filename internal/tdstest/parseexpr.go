package tdstest

import (
	"encoding/hex"
	"strconv"
	"strings"
)

// expr reads an expression or a condition, from OR down.
func (p *parser) expr() (node, *Error) {
	if p.depth++; p.depth > maxDepth {
		return nil, &Error{191, 1, 15, "Some part of your SQL statement is nested too deeply."}
	}
	defer func() { p.depth-- }()
	left, err := p.conjunction()
	for err == nil && p.accept("or") {
		var right node
		right, err = p.conjunction()
		left = binaryNode{"or", left, right}
	}
	return left, err
}

func (p *parser) conjunction() (node, *Error) {
	left, err := p.negation()
	for err == nil && p.accept("and") {
		var right node
		right, err = p.negation()
		left = binaryNode{"and", left, right}
	}
	return left, err
}

func (p *parser) negation() (node, *Error) {
	if p.accept("not") {
		if p.depth++; p.depth > maxDepth {
			return nil, p.unexpected()
		}
		defer func() { p.depth-- }()
		e, err := p.negation()
		return unaryNode{"not", e}, err
	}
	return p.predicate()
}

// predicate reads a comparison, IN, LIKE, BETWEEN, IS NULL, or a bare expression.
func (p *parser) predicate() (node, *Error) {
	left, err := p.sum()
	if err != nil {
		return nil, err
	}
	for _, op := range []string{"=", "<>", "!=", "<=", ">=", "<", ">", "!<", "!>"} {
		if p.accept(op) {
			right, err := p.sum()
			switch op {
			case "!=":
				op = "<>"
			case "!<":
				op = ">="
			case "!>":
				op = "<="
			}
			return binaryNode{op, left, right}, err
		}
	}
	if p.accept("is") {
		not := p.accept("not")
		return nullNode{left, not}, p.expect("null")
	}
	not := p.accept("not")
	switch {
	case p.accept("in"):
		return p.inList(left, not)
	case p.accept("like"):
		n := likeNode{expr: left, not: not}
		if n.pattern, err = p.sum(); err == nil && p.accept("escape") {
			n.escape, err = p.sum()
		}
		return n, err
	case p.accept("between"):
		low, err := p.sum()
		if err != nil {
			return nil, err
		}
		if err := p.expect("and"); err != nil {
			return nil, err
		}
		high, err := p.sum()
		var n node = binaryNode{"and", binaryNode{">=", left, low}, binaryNode{"<=", left, high}}
		if not {
			n = unaryNode{"not", n}
		}
		return n, err
	case not:
		return nil, p.unexpected()
	}
	return left, nil
}

func (p *parser) inList(left node, not bool) (node, *Error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	n := inNode{expr: left, not: not}
	var err *Error
	if p.peek().is("select") {
		n.sub, err = p.selectStatement()
	} else {
		n.list, err = p.list()
	}
	if err != nil {
		return nil, err
	}
	return n, p.expect(")")
}

func (p *parser) list() ([]node, *Error) {
	var out []node
	for {
		e, err := p.expr()
		if err != nil {
			return nil, err
		}
		if out = append(out, e); !p.accept(",") {
			return out, nil
		}
	}
}

func (p *parser) sum() (node, *Error) { return p.leftward([]string{"+", "-"}, p.product) }

func (p *parser) product() (node, *Error) { return p.leftward([]string{"*", "/", "%"}, p.primary) }

func (p *parser) leftward(ops []string, operand func() (node, *Error)) (node, *Error) {
	left, err := operand()
	for err == nil {
		op := ""
		for _, o := range ops {
			if p.accept(o) {
				op = o
				break
			}
		}
		if op == "" {
			return left, nil
		}
		var right node
		right, err = operand()
		left = binaryNode{op, left, right}
	}
	return left, err
}

// primary reads what stands between operators.
func (p *parser) primary() (node, *Error) {
	e, err := p.bare()
	if err == nil && p.accept("collate") {
		if _, cerr := collationNamed(p.next().text); cerr != nil && !strings.EqualFold(p.tokens[p.at-1].text, "database_default") {
			return nil, &Error{448, 3, 16, "Invalid collation '" + p.tokens[p.at-1].text + "'."}
		}
	}
	return e, err
}

func (p *parser) bare() (node, *Error) {
	if p.depth++; p.depth > maxDepth {
		return nil, &Error{191, 1, 15, "Some part of your SQL statement is nested too deeply."}
	}
	defer func() { p.depth-- }()
	t := p.peek()
	switch {
	case t.kind == tokText:
		p.next()
		return literal{t.text, sqlType{kind: kindVarChar, length: max(1, len(t.text)), collation: p.db}}, nil
	case t.kind == tokWide:
		p.next()
		return literal{t.text, sqlType{kind: kindNVarChar, length: max(1, len(appendUTF16(nil, t.text))/2), collation: p.db}}, nil
	case t.kind == tokNumber:
		p.next()
		return numberLiteral(t.text)
	case t.kind == tokHex:
		p.next()
		text := t.text
		if len(text)%2 == 1 {
			text = "0" + text
		}
		b, err := hex.DecodeString(text)
		if err != nil {
			return nil, p.unexpected()
		}
		return literal{b, sqlType{kind: kindVarBinary, length: max(1, len(b))}}, nil
	case t.kind == tokParam:
		p.next()
		return paramRef{strings.ToLower(t.text)}, nil
	case t.kind == tokGlobal:
		p.next()
		return globalRef{strings.ToLower(t.text)}, nil
	case p.accept("-"):
		e, err := p.bare()
		return unaryNode{"-", e}, err
	case p.accept("+"):
		return p.bare()
	case p.accept("null"):
		return literal{nil, intType}, nil
	case p.accept("("):
		return p.parenthesis()
	case p.accept("exists"):
		if err := p.expect("("); err != nil {
			return nil, err
		}
		sel, err := p.selectStatement()
		if err != nil {
			return nil, err
		}
		return subqueryNode{sel, true}, p.expect(")")
	case p.accept("case"):
		return p.caseOf()
	case t.kind == tokWord && p.peekAt(1).is("("):
		p.at += 2
		return p.call(strings.ToLower(t.text))
	}
	parts, err := p.dotted()
	if err == nil && p.accept("(") {
		return p.call(strings.ToLower(parts[len(parts)-1]))
	}
	return columnRef{parts}, err
}

func (p *parser) parenthesis() (node, *Error) {
	if p.peek().is("select") {
		sel, err := p.selectStatement()
		if err != nil {
			return nil, err
		}
		return subqueryNode{sel, false}, p.expect(")")
	}
	e, err := p.expr()
	if err != nil {
		return nil, err
	}
	return e, p.expect(")")
}

func numberLiteral(text string) (node, *Error) {
	if strings.ContainsAny(text, "eE") {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, overflow(sqlType{kind: kindFloat})
		}
		return literal{f, sqlType{kind: kindFloat, length: 8, prec: 53}}, nil
	}
	if n, err := strconv.ParseInt(text, 10, 32); err == nil {
		return literal{n, intType}, nil
	}
	scale := 0
	if i := strings.IndexByte(text, '.'); i >= 0 {
		scale = len(text) - i - 1
	}
	d, ok := parseDecimal(text, 38, uint8(min(scale, 38)))
	if !ok {
		return nil, &Error{1007, 1, 15, "The number '" + text + "' is out of the range for numeric representation (maximum precision 38)."}
	}
	return literal{d, decimalType(d)}, nil
}
