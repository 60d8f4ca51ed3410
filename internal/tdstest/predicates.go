package tdstest

import "errors"

// in is IN with a list or a subquery, with three values.
func (s *scope) in(n inNode) (*expr, *Error) {
	left, err := s.bind(n.expr)
	if err != nil {
		return nil, err
	}
	if n.sub != nil {
		return s.inSubquery(left, n)
	}
	var out *expr
	for _, item := range n.list {
		right, err := s.bind(item)
		if err != nil {
			return nil, err
		}
		equal, err := comparison("=", left, right)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = equal
		} else {
			out = logic(false, out, equal)
		}
	}
	if n.not {
		return strict(bitType, []*expr{out}, func(v []any) (any, *Error) { return v[0] == false, nil }), nil
	}
	return out, nil
}

func (s *scope) inSubquery(left *expr, n inNode) (*expr, *Error) {
	sub, err := s.plan(n.sub)
	if err != nil {
		return nil, err
	}
	if len(sub.cols) != 1 {
		return nil, &Error{116, 1, 16, "Only one expression can be specified in the select list when the subquery is not introduced with EXISTS."}
	}
	return &expr{
		typ: bitType, nullable: true, column: -1,
		eval: func(en *env) (any, *Error) {
			v, err := left.eval(en)
			if err != nil {
				return nil, err
			}
			found, null, rows := false, v == nil, false
			err = sub.each(en, func(row []any) (bool, error) {
				rows = true
				if row[0] == nil || v == nil {
					null = true
					return true, nil
				}
				c, ok := compare(v, row[0])
				found = ok && c == 0
				return !found, nil
			})
			switch {
			case err != nil:
				return nil, err
			case found:
				return !n.not, nil
			case null && rows:
				return nil, nil
			default:
				return n.not, nil
			}
		},
	}, nil
}

// each runs a subquery for the row of the query around it.
func (p *plan) each(outer *env, row func([]any) (bool, error)) *Error {
	err := p.run(outer, row)
	var e *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return e
	default:
		return &Error{Number: attentionNumber, Class: 11, Message: err.Error()}
	}
}

// attentionNumber marks, inside the server, a statement that an attention has ended within a subquery.
const attentionNumber = -1

func (s *scope) subquery(n subqueryNode) (*expr, *Error) {
	sub, err := s.plan(n.sel)
	if err != nil {
		return nil, err
	}
	if n.exists {
		return &expr{
			typ: bitType, column: -1,
			eval: func(en *env) (any, *Error) {
				found := false
				err := sub.each(en, func([]any) (bool, error) {
					found = true
					return false, nil
				})
				return found, err
			},
		}, nil
	}
	if len(sub.cols) != 1 {
		return nil, &Error{116, 1, 16, "Only one expression can be specified in the select list when the subquery is not introduced with EXISTS."}
	}
	return &expr{
		typ: sub.cols[0].typ, nullable: true, column: -1,
		eval: func(en *env) (any, *Error) {
			var v any
			rows := 0
			err := sub.each(en, func(row []any) (bool, error) {
				v = row[0]
				rows++
				return rows < 2, nil
			})
			if err == nil && rows > 1 {
				err = &Error{512, 1, 16, "Subquery returned more than 1 value. This is not permitted when the subquery follows =, !=, <, <= , >, >= or when the subquery is used as an expression."}
			}
			return v, err
		},
	}, nil
}

func (s *scope) like(n likeNode) (*expr, *Error) {
	nodes := []node{n.expr, n.pattern}
	if n.escape != nil {
		nodes = append(nodes, n.escape)
	}
	args, err := s.bindAll(nodes)
	if err != nil {
		return nil, err
	}
	return strict(bitType, args, func(v []any) (any, *Error) {
		var escape rune
		if len(v) == 3 {
			if r := []rune(plainText(v[2])); len(r) == 1 {
				escape = r[0]
			}
		}
		return like([]rune(plainText(v[0])), []rune(plainText(v[1])), escape) != n.not, nil
	}), nil
}

// caseOf is CASE in both forms. Its type is that of its first result which is not a bare NULL.
func (s *scope) caseOf(n caseNode) (*expr, *Error) {
	var conditions, results []*expr
	for _, when := range n.when {
		condition := when[0]
		if n.subject != nil {
			condition = binaryNode{"=", n.subject, when[0]}
		}
		c, err := s.bind(condition)
		if err != nil {
			return nil, err
		}
		r, err := s.bind(when[1])
		if err != nil {
			return nil, err
		}
		conditions, results = append(conditions, c), append(results, r)
	}
	other := constant(nil, intType)
	if n.other != nil {
		var err *Error
		if other, err = s.bind(n.other); err != nil {
			return nil, err
		}
	}
	t := commonType(append(results, other))
	return &expr{
		typ: t, nullable: true, column: -1,
		eval: func(en *env) (any, *Error) {
			chosen := other
			for i, c := range conditions {
				yes, err := truth(c, en)
				if err != nil {
					return nil, err
				}
				if yes {
					chosen = results[i]
					break
				}
			}
			v, err := chosen.eval(en)
			if err != nil {
				return nil, err
			}
			return convert(v, t)
		},
	}, nil
}

// commonType is the type of several expressions: numbers add up, else the longest of the first's kind.
func commonType(list []*expr) sqlType {
	var t sqlType
	first := true
	for _, e := range list {
		if v, err := steadyValue(e); e.steady && err == nil && v == nil {
			continue
		}
		switch {
		case first:
			t, first = e.typ, false
		case t.isText() && e.typ.isText():
			if e.typ.isWide() && t.isNarrow() {
				t.kind = kindNVarChar
			}
			if e.typ.length < 0 || t.length < 0 {
				t.length = -1
			} else {
				t.length = max(t.length, e.typ.length)
			}
			if t.kind == kindChar {
				t.kind = kindVarChar
			}
		case t.kind != e.typ.kind && (t.isInteger() || t.isDecimal() || t.kind == kindBit) && !e.typ.isText():
			t = sumType(t, e.typ, "+")
		case t.isText() && !e.typ.isText():
			t = e.typ
		}
	}
	if first {
		return intType
	}
	return t
}

func steadyValue(e *expr) (any, *Error) {
	if !e.steady {
		return nil, nil
	}
	return e.eval(&env{})
}
