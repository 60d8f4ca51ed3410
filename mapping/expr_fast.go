package mapping

import (
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// fastExpression computes the simplest expressions, which are most of those that are written, without CEL: fields put together with
// texts, and fields compared with texts. ok is false where CEL must be asked.
type fastExpression interface {
	text(v *rowView) (s string, ok bool)
	bool(v *rowView) (holds, ok bool)
}

// fastOf is the expression in that form, or nil where it has anything else in it.
func fastOf(e ast.Expr, split bool) fastExpression {
	switch e.Kind() {
	case ast.LiteralKind:
		if s, ok := e.AsLiteral().(types.String); ok {
			return fastText(s)
		}
	case ast.IdentKind:
		name := e.AsIdent()
		if name == rowVariable || name == lookupsVariable || split && (name == partVariable || name == indexVariable || name == headerVariable) {
			return nil
		}
		return &fastField{name: name}
	case ast.CallKind:
		return fastCall(e, split)
	case ast.SelectKind, ast.ComprehensionKind, ast.ListKind, ast.MapKind, ast.StructKind, ast.UnspecifiedExprKind:
	}
	return nil
}

func fastCall(e ast.Expr, split bool) fastExpression {
	if name, ok := rowField(e); ok {
		return &fastField{name: name}
	}
	args := e.AsCall().Args()
	name := e.AsCall().FunctionName()
	if name == operators.In && len(args) == 2 && args[1].Kind() == ast.ListKind {
		return fastMember(args[0], args[1].AsList().Elements(), split)
	}
	var parts []fastExpression
	for _, a := range args {
		f := fastOf(a, split)
		if f == nil {
			return nil
		}
		parts = append(parts, f)
	}
	switch name {
	case operators.Add, operators.Equals, operators.NotEquals, operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot:
		return &fastOperator{name, parts}
	}
	return nil
}

func fastMember(of ast.Expr, list []ast.Expr, split bool) fastExpression {
	m := &fastIn{of: fastOf(of, split)}
	if m.of == nil {
		return nil
	}
	for _, e := range list {
		s, ok := fastOf(e, split).(fastText)
		if !ok {
			return nil
		}
		m.members = append(m.members, string(s))
	}
	return m
}

type fastText string

func (t fastText) text(*rowView) (string, bool) { return string(t), true }
func (t fastText) bool(*rowView) (bool, bool)   { return false, false }

// fastField is a field by its header. Where in the file that is, is found out once for each.
type fastField struct{ name string }

func (f *fastField) text(v *rowView) (string, bool) {
	field, known := v.places[f]
	if !known {
		var ok bool
		if field, ok = v.find(f.name); !ok {
			field = -1
		}
		v.places[f] = field
	}
	if field < 0 {
		return "", true
	}
	s := v.text(field)
	return s, v.err == nil
}

func (f *fastField) bool(*rowView) (bool, bool) { return false, false }

type fastIn struct {
	of      fastExpression
	members []string
}

func (i *fastIn) text(*rowView) (string, bool) { return "", false }

func (i *fastIn) bool(v *rowView) (bool, bool) {
	s, ok := i.of.text(v)
	return ok && slices.Contains(i.members, s), ok
}

type fastOperator struct {
	name  string
	parts []fastExpression
}

func (o *fastOperator) text(v *rowView) (string, bool) {
	if o.name != operators.Add {
		return "", false
	}
	a, ok := o.parts[0].text(v)
	if !ok {
		return "", false
	}
	b, ok := o.parts[1].text(v)
	return a + b, ok && len(a)+len(b) <= maxExpressionText
}

func (o *fastOperator) bool(v *rowView) (bool, bool) {
	switch o.name {
	case operators.Equals, operators.NotEquals:
		a, first := o.parts[0].text(v)
		b, second := o.parts[1].text(v)
		return (a == b) == (o.name == operators.Equals), first && second
	case operators.LogicalNot:
		a, ok := o.parts[0].bool(v)
		return !a, ok
	case operators.LogicalAnd, operators.LogicalOr:
		a, ok := o.parts[0].bool(v)
		if !ok || a == (o.name == operators.LogicalOr) {
			return a, ok
		}
		return o.parts[1].bool(v)
	}
	return false, false
}
