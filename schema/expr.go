package schema

import (
	"fmt"
	"unicode/utf8"
)

// Expr is an expression of a check, parsed and type-checked against a table. The language is a small part of SQL: numbers,
// 'text', true, false and null; columns by their published names; + - * /, comparisons, and, or, not, is [not] null,
// [not] in (...), coalesce(), abs(), round(x, digits) and case when … then … else … end. Enumerations are compared with
// the names or numbers of their values, dates with 'YYYY-MM-DD', timestamps with RFC 3339.
//
// It is rendered to SQL, and evaluated here to the same result. Null means unknown, as in SQL: a condition that is not false
// holds. Division by zero yields null.
type Expr struct {
	Source string // the text of the definition

	root  *node
	table *Table
}

// The bounds of an expression. A check is read by people; one that meets these is none.
const (
	maxExprBytes = 4000
	maxExprDepth = 100
	maxExprItems = 200 // of an in list, a coalesce or a case
	maxDigits    = 38  // of a number, as in the decimals of SQL Server
)

// ExprError is a fault in an expression.
type ExprError struct {
	Position int // of the character, from 1
	Reason   string
}

// Error says where and what.
func (e *ExprError) Error() string { return fmt.Sprintf("at character %d: %s", e.Position, e.Reason) }

// ParseCondition reads an expression that is true, false or null for a row of t. An error is an *ExprError.
func ParseCondition(source string, t *Table) (*Expr, error) { return parseExpr(source, t, boolType) }

// ParseNumber reads an expression that is a number or null for a row of t. An error is an *ExprError.
func ParseNumber(source string, t *Table) (*Expr, error) { return parseExpr(source, t, numberType) }

func parseExpr(source string, t *Table, want valueType) (*Expr, error) {
	p := &exprParser{source: source}
	root, err := p.parse()
	if err == nil {
		c := &exprChecker{table: t}
		if err = c.check(root); err == nil {
			err = c.required(root, want)
		}
	}
	if err != nil {
		err.Position = utf8.RuneCountInString(source[:min(err.Position, len(source))]) + 1
		return nil, err
	}
	root.prepare()
	return &Expr{Source: source, root: root, table: t}, nil
}

// Columns are the columns that the expression reads, in the order in which they first appear.
func (e *Expr) Columns() []*Column {
	var out []*Column
	var walk func(*node)
	walk = func(n *node) {
		if n.column != nil && !containsColumn(out, n.column) {
			out = append(out, n.column)
		}
		for _, arg := range n.args {
			walk(arg)
		}
	}
	walk(e.root)
	return out
}

// String is the expression as the definition has it.
func (e *Expr) String() string { return e.Source }

// operation is what a node of the tree does with its arguments.
type operation uint8

const (
	opNull operation = iota
	opBool
	opNumber
	opText
	opColumn
	opNegate
	opNot
	opArithmetic
	opCompare
	opAnd
	opOr
	opIsNull
	opIn
	opCoalesce
	opAbs
	opRound
	opCase // when, then, when, then, …, and else if the number is odd
)

// node is an expression's syntax tree. Positions are byte offsets.
type node struct {
	op       operation
	position int
	depth    int
	text     string // the operator, the literal's text or the column's name
	negated  bool   // is not null, not in
	args     []*node
	typ      valueType
	column   *Column
	asID     bool   // the key stands for the production id, because it is compared with a reference
	number   string // the number of an enumeration's value
	amount   Number // of a literal number
	constant Cell   // of a literal text, or of an enumeration's value
}

func newNode(op operation, position int, text string, args ...*node) *node {
	n := &node{op: op, position: position, text: text, args: args, depth: 1}
	for _, arg := range args {
		n.depth = max(n.depth, arg.depth+1)
	}
	return n
}

func exprFault(position int, format string, args ...any) *ExprError {
	return &ExprError{Position: position, Reason: fmt.Sprintf(format, args...)}
}
