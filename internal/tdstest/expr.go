package tdstest

import "strings"

// expr is an expression that is bound to its columns.
type expr struct {
	typ      sqlType
	nullable bool
	// column is the place in the row of a plain column, -1 for anything else; steady is set where no column is used.
	column int
	steady bool
	eval   func(*env) (any, *Error)
	// source is what a plain column is, for the result's metadata.
	source *resultColumn
}

// env is what an expression is evaluated in.
type env struct {
	row   []any
	aggs  []any
	outer *env
}

// scope is what names mean.
type scope struct {
	session *session
	params  map[string]param
	sources []source
	outer   *scope
	// aggregates is where aggregates are collected; nil where there may be none.
	aggregates *[]*aggregate
}

func constant(v any, t sqlType) *expr {
	return &expr{typ: t, nullable: v == nil, column: -1, steady: true, eval: func(*env) (any, *Error) { return v, nil }}
}

// bind binds an expression.
func (s *scope) bind(n node) (*expr, *Error) {
	switch n := n.(type) {
	case literal:
		return constant(n.value, n.typ), nil
	case columnRef:
		return s.column(n.parts, 0)
	case paramRef:
		p, ok := s.params[n.name]
		if !ok {
			return nil, &Error{137, 2, 15, "Must declare the scalar variable \"" + n.name + "\"."}
		}
		e := constant(p.value, p.typ)
		e.nullable = true
		return e, nil
	case globalRef:
		return s.global(n.name)
	case callNode:
		if _, ok := aggregateNames[n.name]; ok {
			return s.aggregate(n)
		}
		return s.call(n)
	case castNode:
		return s.cast(n)
	case binaryNode:
		return s.binary(n)
	case unaryNode:
		return s.unary(n)
	case inNode:
		return s.in(n)
	case nullNode:
		e, err := s.bind(n.expr)
		if err != nil {
			return nil, err
		}
		return derived(bitType, []*expr{e}, func(v []any) (any, *Error) { return (v[0] == nil) != n.not, nil }), nil
	case likeNode:
		return s.like(n)
	case caseNode:
		return s.caseOf(n)
	case subqueryNode:
		return s.subquery(n)
	default:
		return nil, &Error{102, 1, 15, "Incorrect syntax."}
	}
}

var bitType = sqlType{kind: kindBit, length: 1, prec: 1}

// derived is an expression made of others, all of which are evaluated.
func derived(t sqlType, args []*expr, f func(v []any) (any, *Error)) *expr {
	e := &expr{typ: t, nullable: true, column: -1, steady: true}
	for _, a := range args {
		e.steady = e.steady && a.steady
	}
	e.eval = func(en *env) (any, *Error) {
		v := make([]any, len(args))
		for i, a := range args {
			var err *Error
			if v[i], err = a.eval(en); err != nil {
				return nil, err
			}
		}
		return f(v)
	}
	return e
}

// strict is derived, and NULL where an argument is.
func strict(t sqlType, args []*expr, f func(v []any) (any, *Error)) *expr {
	e := derived(t, args, func(v []any) (any, *Error) {
		for _, x := range v {
			if x == nil {
				return nil, nil
			}
		}
		return f(v)
	})
	e.nullable = false
	for _, a := range args {
		e.nullable = e.nullable || a.nullable
	}
	return e
}

// column finds a column by its name, in this scope and those around it.
func (s *scope) column(parts []string, up int) (*expr, *Error) {
	if s == nil {
		name := strings.Join(parts, ".")
		if len(parts) > 1 {
			return nil, &Error{4104, 1, 16, "The multi-part identifier \"" + name + "\" could not be bound."}
		}
		return nil, &Error{207, 1, 16, "Invalid column name '" + name + "'."}
	}
	var found *expr
	name := parts[len(parts)-1]
	for i := range s.sources {
		src := &s.sources[i]
		if !src.named(parts[:len(parts)-1]) {
			continue
		}
		for j := range src.cols {
			if !sameName(src.cols[j].name, name) {
				continue
			}
			if found != nil {
				return nil, &Error{209, 1, 16, "Ambiguous column name '" + name + "'."}
			}
			found = columnExpr(&src.cols[j], src.offset+j, up)
		}
	}
	if found == nil {
		return s.outer.column(parts, up+1)
	}
	return found, nil
}

func columnExpr(col *resultColumn, at, up int) *expr {
	e := &expr{typ: col.typ, nullable: col.nullable, column: at, source: col}
	e.eval = func(en *env) (any, *Error) { return en.row[at], nil }
	if up > 0 {
		e.column, e.source = -1, nil
		e.eval = func(en *env) (any, *Error) {
			for range up {
				en = en.outer
			}
			return en.row[at], nil
		}
	}
	return e
}

// named says whether a column's prefix means this source: its alias, or else the end of its name.
func (s *source) named(prefix []string) bool {
	if len(prefix) == 0 {
		return true
	}
	if s.alias != "" {
		return len(prefix) == 1 && sameName(prefix[0], s.alias)
	}
	for i := range prefix {
		at := len(s.name) - len(prefix) + i
		if at < 0 || prefix[i] != "" && s.name[at] != "" && !sameName(prefix[i], s.name[at]) {
			return false
		}
	}
	return true
}

func (s *scope) bindAll(nodes []node) ([]*expr, *Error) {
	out := make([]*expr, len(nodes))
	for i, n := range nodes {
		var err *Error
		if out[i], err = s.bind(n); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// truth evaluates a condition: NULL is not true.
func truth(e *expr, en *env) (bool, *Error) {
	v, err := e.eval(en)
	if err != nil {
		return false, err
	}
	b, _ := v.(bool)
	return b, nil
}
