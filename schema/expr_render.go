package schema

import (
	"fmt"
	"strings"
)

// Postgres is the expression in PostgreSQL's SQL. Columns are qualified by alias unless it is empty.
func (e *Expr) Postgres(alias string) string {
	w := &sqlWriter{qualifier: ""}
	if alias != "" {
		w.qualifier = QuoteIdent(alias) + "."
	}
	return w.postgres(e.root, false)
}

// TSQL is the expression in SQL Server's SQL, with unqualified columns by their published names.
func (e *Expr) TSQL() string {
	w := &sqlWriter{tsql: true}
	if e.root.typ.kind == typeBool {
		return w.condition(e.root)
	}
	return w.value(e.root)
}

// sqlWriter renders a checked tree. Everything but a leaf is put in parentheses: precedence is the tree's, and no two signs
// can meet to begin a comment.
type sqlWriter struct {
	qualifier string
	tsql      bool
}

// postgres renders n. Within arithmetic, integers are made numeric: a product of two integers must not overflow in the
// middle of a load, and a quotient must not be cut to a whole number.
func (w *sqlWriter) postgres(n *node, arithmetic bool) string {
	inner := func(arg *node) string { return w.postgres(arg, arithmetic) }
	number := func(arg *node) string { return w.postgres(arg, true) }
	switch n.op {
	case opNull:
		return "null"
	case opBool:
		return n.text
	case opNumber:
		if arithmetic && n.number == "" {
			return n.text + "::numeric"
		}
		return orText(n.number, n.text)
	case opText:
		return w.postgresText(n)
	case opColumn:
		return w.postgresColumn(n, arithmetic)
	case opNegate:
		return "(-" + number(n.args[0]) + ")"
	case opAbs:
		return "abs(" + number(n.args[0]) + ")"
	case opRound:
		return "round(" + number(n.args[0]) + ", " + n.args[1].text + ")"
	case opArithmetic:
		return w.arithmetic(n, number)
	case opCoalesce:
		return "coalesce(" + joined(n.args, inner) + ")"
	case opCase:
		return w.caseWhen(n, func(arg *node) string { return w.postgres(arg, false) }, inner)
	default:
		plain := func(arg *node) string { return w.postgres(arg, false) }
		return w.predicate(n, plain, plain)
	}
}

func (w *sqlWriter) postgresColumn(n *node, arithmetic bool) string {
	name := w.qualifier + QuoteIdent(n.column.SQLName)
	if n.asID {
		name = w.qualifier + QuoteIdent("id")
	}
	if arithmetic && (n.column.Kind == Integer || n.column.Kind == BigInt) {
		name += "::numeric"
	}
	return name
}

func (w *sqlWriter) postgresText(n *node) string {
	switch n.typ.kind {
	case typeEnum:
		return n.number
	case typeDate:
		return "date '" + n.text + "'"
	case typeTimestamp:
		return "timestamptz '" + n.text + "Z'"
	default:
		quoted := "'" + strings.ReplaceAll(n.text, "'", "''") + "'"
		if strings.Contains(quoted, `\`) { // safe whatever standard_conforming_strings says
			quoted = "E" + strings.ReplaceAll(quoted, `\`, `\\`)
		}
		return quoted + "::text"
	}
}

// value renders n in T-SQL where a value is due: there, a condition is none.
func (w *sqlWriter) value(n *node) string {
	switch n.op {
	case opNull:
		return "NULL"
	case opBool:
		if n.text == "true" {
			return "CAST(1 AS bit)"
		}
		return "CAST(0 AS bit)"
	case opNumber:
		return orText(n.number, n.text)
	case opText:
		return w.tsqlText(n)
	case opColumn:
		return bracket(n.column.Name)
	case opNegate:
		return "(-" + w.value(n.args[0]) + ")"
	case opAbs:
		return "ABS(" + w.value(n.args[0]) + ")"
	case opRound:
		return "ROUND(" + w.value(n.args[0]) + ", " + n.args[1].text + ")"
	case opArithmetic:
		return w.arithmetic(n, w.value)
	case opCoalesce:
		return "COALESCE(" + joined(n.args, w.value) + ")"
	case opCase:
		return w.caseWhen(n, w.condition, w.value)
	default:
		return w.condition(n)
	}
}

// condition renders n in T-SQL where a condition is due: there, a bit is none.
func (w *sqlWriter) condition(n *node) string {
	switch n.op {
	case opColumn, opBool, opCoalesce, opCase:
		return "(" + w.value(n) + " = 1)"
	default:
		return w.predicate(n, w.condition, w.value)
	}
}

func (w *sqlWriter) tsqlText(n *node) string {
	switch n.typ.kind {
	case typeEnum:
		return n.number
	case typeDate:
		return "CONVERT(date, '" + n.text + "', 23)"
	case typeTimestamp:
		return "CONVERT(datetime2(6), '" + n.text + "', 126)"
	default:
		return "N'" + strings.ReplaceAll(n.text, "'", "''") + "'"
	}
}

func (w *sqlWriter) arithmetic(n *node, number func(*node) string) string {
	left, right := number(n.args[0]), number(n.args[1])
	sure := n.args[1].op == opNumber && strings.Trim(n.args[1].text, "0.") != "" // a divisor that cannot be zero
	switch {
	case n.text != "/":
	case sure && w.tsql:
		left = "CAST(" + left + " AS decimal(38, 10))"
	case sure:
	case w.tsql: // of two integers, too, the quotient is a fraction
		left, right = "CAST("+left+" AS decimal(38, 10))", "NULLIF("+right+", 0)"
	default:
		right = "nullif(" + right + ", 0)"
	}
	return "(" + left + " " + n.text + " " + right + ")"
}

// predicate renders what the two dialects have in common.
func (w *sqlWriter) predicate(n *node, condition, value func(*node) string) string {
	switch n.op {
	case opNot:
		return "(not " + condition(n.args[0]) + ")"
	case opAnd, opOr:
		return "(" + condition(n.args[0]) + " " + n.text + " " + condition(n.args[1]) + ")"
	case opCompare:
		return "(" + value(n.args[0]) + " " + n.text + " " + value(n.args[1]) + ")"
	case opIsNull:
		if n.negated {
			return "(" + value(n.args[0]) + " is not null)"
		}
		return "(" + value(n.args[0]) + " is null)"
	case opIn:
		operator := " in ("
		if n.negated {
			operator = " not in ("
		}
		return "(" + value(n.args[0]) + operator + joined(n.args[1:], value) + "))"
	default:
		panic(fmt.Sprintf("schema: operation %d is no predicate", n.op)) // unreachable: the writers know all others
	}
}

func (w *sqlWriter) caseWhen(n *node, condition, value func(*node) string) string {
	var b strings.Builder
	b.WriteString("(case")
	for i := 0; i+1 < len(n.args); i += 2 {
		b.WriteString(" when " + condition(n.args[i]) + " then " + value(n.args[i+1]))
	}
	if len(n.args)%2 == 1 {
		b.WriteString(" else " + value(n.args[len(n.args)-1]))
	}
	b.WriteString(" end)")
	return b.String()
}

func joined(args []*node, render func(*node) string) string {
	parts := make([]string, len(args))
	for i, arg := range args {
		parts[i] = render(arg)
	}
	return strings.Join(parts, ", ")
}

func orText(first, second string) string {
	if first != "" {
		return first
	}
	return second
}

// bracket quotes a SQL Server identifier.
func bracket(s string) string { return "[" + strings.ReplaceAll(s, "]", "]]") + "]" }
