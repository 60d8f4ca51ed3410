package schema

import "strings"

// exprParser is a recursive descent over an expression's tokens, one ahead. Weakest first: or, and, not, comparison,
// sum, product, sign.
type exprParser struct {
	source string
	offset int
	now    token
	level  int
}

func (p *exprParser) parse() (*node, *ExprError) {
	if len(p.source) > maxExprBytes {
		return nil, exprFault(0, "an expression may have at most %d bytes", maxExprBytes)
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.now.kind != tokenEnd {
		return nil, p.unexpected("the end")
	}
	return n, nil
}

func (p *exprParser) advance() *ExprError {
	var err *ExprError
	p.now, err = p.next()
	return err
}

func (p *exprParser) is(kind tokenKind, texts ...string) bool {
	return p.now.kind == kind && contains(texts, p.now.text)
}

func (p *exprParser) unexpected(wanted string) *ExprError {
	if p.now.kind == tokenEnd {
		return exprFault(p.now.position, "the expression ends where %s should be", wanted)
	}
	return exprFault(p.now.position, "%q where %s should be", brief(p.now.text), wanted)
}

func (p *exprParser) expect(kind tokenKind, text string) *ExprError {
	if !p.is(kind, text) {
		return p.unexpected(text)
	}
	return p.advance()
}

// deeper bounds both the recursion and the tree.
func (p *exprParser) deeper(n *node) (*node, *ExprError) {
	if n.depth > maxExprDepth {
		return nil, exprFault(n.position, "is nested more than %d deep", maxExprDepth)
	}
	return n, nil
}

// chain reads operands joined by operators of one rank, from the left.
func (p *exprParser) chain(operand func() (*node, *ExprError), op operation, kind tokenKind, texts ...string) (*node, *ExprError) {
	left, err := operand()
	for err == nil && p.is(kind, texts...) {
		operator := p.now
		if err = p.advance(); err != nil {
			break
		}
		var right *node
		if right, err = operand(); err != nil {
			break
		}
		left, err = p.deeper(newNode(op, operator.position, operator.text, left, right))
	}
	return left, err
}

func (p *exprParser) or() (*node, *ExprError) {
	p.level++
	defer func() { p.level-- }()
	if p.level > maxExprDepth {
		return nil, exprFault(p.now.position, "is nested more than %d deep", maxExprDepth)
	}
	return p.chain(p.and, opOr, tokenKeyword, "or")
}

func (p *exprParser) and() (*node, *ExprError) {
	return p.chain(p.not, opAnd, tokenKeyword, "and")
}

func (p *exprParser) not() (*node, *ExprError) {
	if !p.is(tokenKeyword, "not") {
		return p.comparison()
	}
	return p.prefix(opNot, p.not)
}

// prefix reads an operator before its operand.
func (p *exprParser) prefix(op operation, operand func() (*node, *ExprError)) (*node, *ExprError) {
	p.level++
	defer func() { p.level-- }()
	operator := p.now
	if p.level > maxExprDepth {
		return nil, exprFault(operator.position, "is nested more than %d deep", maxExprDepth)
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	arg, err := operand()
	if err != nil {
		return nil, err
	}
	return p.deeper(newNode(op, operator.position, operator.text, arg))
}

func (p *exprParser) comparison() (*node, *ExprError) {
	left, err := p.sum()
	if err != nil {
		return nil, err
	}
	operator := p.now
	switch {
	case p.is(tokenSymbol, "=", "<>", "<", "<=", ">", ">="):
		if err := p.advance(); err != nil {
			return nil, err
		}
		right, err := p.sum()
		if err != nil {
			return nil, err
		}
		return p.deeper(newNode(opCompare, operator.position, operator.text, left, right))
	case p.is(tokenKeyword, "is"):
		return p.isNull(left)
	case p.is(tokenKeyword, "in"):
		return p.in(left, false)
	case p.is(tokenKeyword, "not"):
		if err := p.advance(); err != nil {
			return nil, err
		}
		if !p.is(tokenKeyword, "in") {
			return nil, p.unexpected("in")
		}
		return p.in(left, true)
	}
	return left, nil
}

func (p *exprParser) isNull(left *node) (*node, *ExprError) {
	n := newNode(opIsNull, p.now.position, "is", left)
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.is(tokenKeyword, "not") {
		n.negated = true
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	if err := p.expect(tokenKeyword, "null"); err != nil {
		return nil, err
	}
	return p.deeper(n)
}

func (p *exprParser) in(left *node, negated bool) (*node, *ExprError) {
	position := p.now.position
	if err := p.advance(); err != nil {
		return nil, err
	}
	items, err := p.arguments()
	if err != nil {
		return nil, err
	}
	n := newNode(opIn, position, "in", append([]*node{left}, items...)...)
	n.negated = negated
	return p.deeper(n)
}

// arguments reads a list in parentheses.
func (p *exprParser) arguments() ([]*node, *ExprError) {
	if err := p.expect(tokenSymbol, "("); err != nil {
		return nil, err
	}
	var args []*node
	for {
		arg, err := p.or()
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
		if len(args) > maxExprItems {
			return nil, exprFault(p.now.position, "a list may have at most %d items", maxExprItems)
		}
		if !p.is(tokenSymbol, ",") {
			return args, p.expect(tokenSymbol, ")")
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
}

func (p *exprParser) sum() (*node, *ExprError) {
	return p.chain(p.product, opArithmetic, tokenSymbol, "+", "-")
}

func (p *exprParser) product() (*node, *ExprError) {
	return p.chain(p.sign, opArithmetic, tokenSymbol, "*", "/")
}

func (p *exprParser) sign() (*node, *ExprError) {
	if !p.is(tokenSymbol, "-") {
		return p.primary()
	}
	return p.prefix(opNegate, p.sign)
}

func (p *exprParser) primary() (*node, *ExprError) {
	t := p.now
	literals := map[tokenKind]operation{tokenNumber: opNumber, tokenText: opText, tokenName: opColumn}
	op, simple := literals[t.kind]
	switch {
	case simple:
	case p.is(tokenKeyword, "true", "false"):
		op = opBool
	case p.is(tokenKeyword, "null"):
		op = opNull
	case p.is(tokenKeyword, "case"):
		return p.caseWhen()
	case p.is(tokenKeyword, "coalesce", "abs", "round"):
		return p.call()
	case p.is(tokenSymbol, "("):
		if err := p.advance(); err != nil {
			return nil, err
		}
		n, err := p.or()
		if err != nil {
			return nil, err
		}
		return n, p.expect(tokenSymbol, ")")
	default:
		return nil, p.unexpected("a value")
	}
	return newNode(op, t.position, t.text), p.advance()
}

func (p *exprParser) call() (*node, *ExprError) {
	name := p.now
	if err := p.advance(); err != nil {
		return nil, err
	}
	args, err := p.arguments()
	if err != nil {
		return nil, err
	}
	op := map[string]operation{"coalesce": opCoalesce, "abs": opAbs, "round": opRound}[name.text]
	switch {
	case op == opCoalesce && len(args) < 2, op == opRound && len(args) != 2:
		return nil, exprFault(name.position, "%s needs two arguments", name.text)
	case op == opAbs && len(args) != 1:
		return nil, exprFault(name.position, "abs needs one argument")
	case op == opRound && (args[1].op != opNumber || len(args[1].text) != 1 || strings.TrimLeft(args[1].text, "012345678") != ""):
		return nil, exprFault(args[1].position, "round needs a number of digits from 0 to 8")
	}
	return p.deeper(newNode(op, name.position, name.text, args...))
}

func (p *exprParser) caseWhen() (*node, *ExprError) {
	position := p.now.position
	if err := p.advance(); err != nil {
		return nil, err
	}
	var args []*node
	for len(args) == 0 || p.is(tokenKeyword, "when") {
		for _, keyword := range []string{"when", "then"} {
			if err := p.expect(tokenKeyword, keyword); err != nil {
				return nil, err
			}
			arg, err := p.or()
			if err != nil {
				return nil, err
			}
			args = append(args, arg)
		}
		if len(args) > maxExprItems {
			return nil, exprFault(position, "a case may have at most %d arms", maxExprItems/2)
		}
	}
	if p.is(tokenKeyword, "else") {
		if err := p.advance(); err != nil {
			return nil, err
		}
		arg, err := p.or()
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
	}
	if err := p.expect(tokenKeyword, "end"); err != nil {
		return nil, err
	}
	return p.deeper(newNode(opCase, position, "case", args...))
}
