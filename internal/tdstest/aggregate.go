package tdstest

import (
	"math/big"
)

var aggregateNames = words("count count_big min max sum avg")

// aggregate is one aggregate of a query; its sum is in adder.
type aggregate struct {
	name     string
	arg      *expr // nil for *
	distinct bool
	typ      sqlType
}

type adder struct {
	n    int64
	best any
	sum  *big.Rat
	seen map[string]bool
}

func (s *scope) aggregate(n callNode) (*expr, *Error) {
	if s.aggregates == nil {
		return nil, &Error{147, 1, 15, "An aggregate may not appear in the WHERE clause unless it is in a subquery contained in a HAVING clause or a select list."}
	}
	a := &aggregate{name: n.name, distinct: n.distinct, typ: intType}
	if !n.star {
		if len(n.args) != 1 {
			return nil, &Error{174, 1, 15, "The " + n.name + " function requires 1 argument(s)."}
		}
		inner := *s
		inner.aggregates = nil
		var err *Error
		if a.arg, err = inner.bind(n.args[0]); err != nil {
			return nil, err
		}
	} else if n.name != "count" && n.name != "count_big" {
		return nil, &Error{102, 1, 15, "Incorrect syntax near '*'."}
	}
	switch n.name {
	case "count":
	case "count_big":
		a.typ = bigIntType
	case "min", "max":
		a.typ = a.arg.typ
		if a.typ.kind == kindBit || a.typ.isLOB() || a.typ.kind == kindXML {
			return nil, &Error{8117, 1, 16, "Operand data type " + a.typ.name() + " is invalid for " + n.name + " operator."}
		}
		if a.typ.kind == kindRowversion {
			a.typ = binary8
		}
	default:
		t, ok := totalType(a.arg.typ)
		if !ok {
			return nil, &Error{8117, 1, 16, "Operand data type " + a.arg.typ.name() + " is invalid for " + n.name + " operator."}
		}
		a.typ = t
	}
	at := len(*s.aggregates)
	*s.aggregates = append(*s.aggregates, a)
	return &expr{
		typ: a.typ, nullable: n.name != "count" && n.name != "count_big", column: -1,
		eval: func(en *env) (any, *Error) { return en.aggs[at], nil },
	}, nil
}

// totalType is the type of SUM and AVG.
func totalType(t sqlType) (sqlType, bool) {
	switch {
	case t.kind == kindBigInt:
		return bigIntType, true
	case t.isInteger():
		return intType, true
	case t.kind == kindMoney || t.kind == kindSmallMoney:
		return sqlType{kind: kindMoney, length: 8, prec: 19, scale: 4}, true
	case t.isDecimal():
		return sqlType{kind: kindDecimal, length: 17, prec: 38, scale: t.scale}, true
	case t.kind == kindFloat || t.kind == kindReal:
		return sqlType{kind: kindFloat, length: 8, prec: 53}, true
	default:
		return sqlType{}, false
	}
}

// add takes one row into account.
func (a *aggregate) add(to *adder, en *env) *Error {
	if a.arg == nil {
		to.n++
		return nil
	}
	v, err := a.arg.eval(en)
	if err != nil || v == nil {
		return err
	}
	if a.distinct {
		if to.seen == nil {
			to.seen = map[string]bool{}
		}
		key := groupKey([]any{v})
		if to.seen[key] {
			return nil
		}
		to.seen[key] = true
	}
	to.n++
	switch a.name {
	case "min", "max":
		if to.best == nil {
			to.best = v
			return nil
		}
		c, ok := compare(v, to.best)
		if ok && (c < 0) == (a.name == "min") && c != 0 {
			to.best = v
		}
	case "sum", "avg":
		r, ok := number(v)
		if !ok {
			return cannotConvert(v, a.typ)
		}
		if to.sum == nil {
			to.sum = new(big.Rat)
		}
		to.sum.Add(to.sum, r)
	}
	return nil
}

// result is the aggregate's value over the rows added.
func (a *aggregate) result(of *adder) (any, *Error) {
	switch a.name {
	case "count", "count_big":
		return of.n, nil
	case "min", "max":
		return of.best, nil
	}
	if of.sum == nil {
		return nil, nil
	}
	r := of.sum
	if a.name == "avg" {
		r = new(big.Rat).Quo(r, new(big.Rat).SetInt64(of.n))
	}
	if a.typ.isInteger() {
		whole := new(big.Int).Quo(r.Num(), r.Denom())
		if !whole.IsInt64() {
			return nil, overflow(a.typ)
		}
		return toInteger(whole.Int64(), a.typ)
	}
	return fromRat(r, a.typ)
}
