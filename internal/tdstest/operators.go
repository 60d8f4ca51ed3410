package tdstest

import (
	"math/big"
)

func (s *scope) binary(n binaryNode) (*expr, *Error) {
	left, err := s.bind(n.left)
	if err != nil {
		return nil, err
	}
	right, err := s.bind(n.right)
	if err != nil {
		return nil, err
	}
	switch n.op {
	case "and", "or":
		return logic(n.op == "and", left, right), nil
	case "=", "<>", "<", ">", "<=", ">=":
		return comparison(n.op, left, right)
	default:
		return arithmetic(n.op, left, right)
	}
}

// logic is AND and OR with three values; the right side is not evaluated where the left decides.
func logic(and bool, left, right *expr) *expr {
	return &expr{
		typ: bitType, nullable: true, column: -1, steady: left.steady && right.steady,
		eval: func(en *env) (any, *Error) {
			l, err := left.eval(en)
			if err != nil {
				return nil, err
			}
			if b, ok := l.(bool); ok && b != and {
				return !and, nil
			}
			r, err := right.eval(en)
			if err != nil {
				return nil, err
			}
			if b, ok := r.(bool); ok && b != and {
				return !and, nil
			}
			if l == nil || r == nil {
				return nil, nil
			}
			return and, nil
		},
	}
}

// alike converts the text of two sides where the other is none, as SQL Server's precedence of types has it.
func alike(left, right *expr) (*expr, *expr) {
	switch {
	case left.typ.kind == kindVariant || right.typ.kind == kindVariant:
	case left.typ.isText() && !right.typ.isText():
		left = converted(left, right.typ)
	case right.typ.isText() && !left.typ.isText():
		right = converted(right, left.typ)
	}
	return left, right
}

func converted(e *expr, t sqlType) *expr {
	if t.kind == kindDecimal || t.kind == kindNumeric {
		t.prec, t.scale = 38, 10
	}
	return strict(t, []*expr{e}, func(v []any) (any, *Error) { return convert(v[0], t) })
}

func comparison(op string, left, right *expr) (*expr, *Error) {
	l, r := alike(left, right)
	for _, e := range []*expr{l, r} {
		if e.typ.isLOB() || e.typ.kind == kindXML {
			return nil, &Error{402, 1, 16, "The data types " + l.typ.name() + " and " + r.typ.name() + " are incompatible in the comparison operator."}
		}
	}
	return strict(bitType, []*expr{l, r}, func(v []any) (any, *Error) {
		c, ok := compare(v[0], v[1])
		if !ok {
			return nil, &Error{206, 2, 16, "Operand type clash: " + l.typ.name() + " is incompatible with " + r.typ.name()}
		}
		return holds(op, c), nil
	}), nil
}

func holds(op string, c int) bool {
	switch op {
	case "=":
		return c == 0
	case "<>":
		return c != 0
	case "<":
		return c < 0
	case ">":
		return c > 0
	case "<=":
		return c <= 0
	default:
		return c >= 0
	}
}

// arithmetic is + - * / %; the results' types are simple: int or bigint, float, else numeric(38, s).
func arithmetic(op string, left, right *expr) (*expr, *Error) {
	if op == "+" && left.typ.isText() && right.typ.isText() {
		t := sqlType{kind: kindVarChar, length: -1, collation: left.typ.collation}
		if left.typ.isWide() || right.typ.isWide() {
			t.kind = kindNVarChar
		}
		if a, b := left.typ.length, right.typ.length; a > 0 && b > 0 && a+b <= 4000 {
			t.length = a + b
		}
		return strict(t, []*expr{left, right}, func(v []any) (any, *Error) { return v[0].(string) + v[1].(string), nil }), nil
	}
	left, right = alike(left, right)
	t := sumType(left.typ, right.typ, op)
	return strict(t, []*expr{left, right}, func(v []any) (any, *Error) {
		x, okX := number(plainBinary(v[0]))
		y, okY := number(plainBinary(v[1]))
		if !okX || !okY {
			return nil, &Error{8117, 1, 16, "Operand data type is invalid for operator " + op + "."}
		}
		r, err := calculate(op, x, y, t)
		if err != nil {
			return nil, err
		}
		return fromRat(r, t)
	}), nil
}

// plainBinary takes binary for the integer it is in arithmetic.
func plainBinary(v any) any {
	if b, ok := v.([]byte); ok {
		if n, err := toInteger(b, sqlType{kind: kindBigInt}); err == nil {
			return n
		}
	}
	return v
}

func calculate(op string, x, y *big.Rat, t sqlType) (*big.Rat, *Error) {
	r := new(big.Rat)
	switch {
	case op == "+":
		return r.Add(x, y), nil
	case op == "-":
		return r.Sub(x, y), nil
	case op == "*":
		return r.Mul(x, y), nil
	case y.Sign() == 0:
		return nil, &Error{8134, 1, 16, "Divide by zero error encountered."}
	}
	q := new(big.Rat).Quo(x, y)
	whole := new(big.Int).Quo(q.Num(), q.Denom())
	switch {
	case op == "%":
		return r.Sub(x, r.Mul(y, new(big.Rat).SetInt(whole))), nil
	case t.isInteger():
		return r.SetInt(whole), nil
	default:
		return q, nil
	}
}

// fromRat makes a value of a numeric type of a rational.
func fromRat(r *big.Rat, t sqlType) (any, *Error) {
	if t.kind == kindFloat {
		f, _ := r.Float64()
		return f, nil
	}
	d, ok := ratDecimal(r, 38, t.scale)
	if !ok {
		return nil, overflow(t)
	}
	return convert(d, t)
}

func sumType(a, b sqlType, op string) sqlType {
	switch {
	case a.kind == kindFloat || b.kind == kindFloat || a.kind == kindReal || b.kind == kindReal:
		return sqlType{kind: kindFloat, length: 8, prec: 53}
	case a.isDecimal() || b.isDecimal():
		scale := max(a.scale, b.scale)
		switch op {
		case "*":
			scale = min(a.scale+b.scale, 38)
		case "/":
			scale = max(scale, 6)
		}
		return sqlType{kind: kindNumeric, length: 17, prec: 38, scale: scale}
	case a.kind == kindBigInt || b.kind == kindBigInt || a.isBinary() || b.isBinary():
		return sqlType{kind: kindBigInt, length: 8, prec: 19}
	default:
		return intType
	}
}

func (s *scope) unary(n unaryNode) (*expr, *Error) {
	if n.op == "-" {
		return s.binary(binaryNode{"-", literal{int64(0), intType}, n.expr})
	}
	e, err := s.bind(n.expr)
	if err != nil {
		return nil, err
	}
	return strict(bitType, []*expr{e}, func(v []any) (any, *Error) {
		b, _ := v[0].(bool)
		return !b, nil
	}), nil
}
