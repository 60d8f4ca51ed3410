package schema

import (
	"bytes"
	"strconv"
	"time"
)

// Cell is a value as an expression reads it: a number that is not decimal, a date (days since 1970), a timestamp
// (microseconds since 1970), an enumeration's number and a boolean (0 or 1) in Int, all else in Text. A reference and the
// key are as the file gives them: ids of the client's own, or production ids.
type Cell struct {
	Null bool
	Int  int64
	Text []byte
}

// RowOf is a row: its value in each column of the expression's table.
type RowOf func(*Column) Cell

// Truth is what becomes of a condition: as in SQL, it may be neither true nor false.
type Truth uint8

// The truths.
const (
	Unknown Truth = iota
	False
	True
)

func truthOf(b bool) Truth {
	if b {
		return True
	}
	return False
}

// Condition evaluates a condition on a row. It says what Postgres' SQL would, but where a production id is compared with an
// id of the client's own: whether they are one row's is not known without a tenant.
func (e *Expr) Condition(row RowOf) Truth { return row.truth(e.root) }

// Number evaluates a number on a row. It is false if the number is null.
func (e *Expr) Number(row RowOf) (Number, bool) { return row.number(e.root) }

func (row RowOf) truth(n *node) Truth {
	switch n.op {
	case opBool:
		return truthOf(n.text == "true")
	case opColumn:
		c := row(n.column)
		if c.Null {
			return Unknown
		}
		return truthOf(c.Int != 0)
	case opNot:
		switch row.truth(n.args[0]) {
		case True:
			return False
		case False:
			return True
		default:
			return Unknown
		}
	case opAnd:
		return both(row.truth(n.args[0]), row.truth(n.args[1]), False)
	case opOr:
		return both(row.truth(n.args[0]), row.truth(n.args[1]), True)
	case opCompare:
		return row.compare(n)
	case opIsNull:
		return truthOf(row.isNull(n.args[0]) != n.negated)
	case opIn:
		return row.in(n)
	case opCoalesce:
		for _, arg := range n.args {
			if t := row.truth(arg); t != Unknown {
				return t
			}
		}
	case opCase:
		if arm := row.arm(n); arm != nil {
			return row.truth(arm)
		}
	default: // null; nothing else is a condition
	}
	return Unknown
}

// both joins two truths, of which one that is decisive decides.
func both(a, b, decisive Truth) Truth {
	switch {
	case a == decisive || b == decisive:
		return decisive
	case a == Unknown || b == Unknown:
		return Unknown
	}
	return a
}

// arm is the result of a case that applies, or nil.
func (row RowOf) arm(n *node) *node {
	i := 0
	for ; i+1 < len(n.args); i += 2 {
		if row.truth(n.args[i]) == True {
			return n.args[i+1]
		}
	}
	if i < len(n.args) {
		return n.args[i]
	}
	return nil
}

func (row RowOf) number(n *node) (Number, bool) {
	switch n.op {
	case opNumber:
		return n.amount, true
	case opColumn:
		return row.numberIn(n.column)
	case opNegate:
		v, ok := row.number(n.args[0])
		return v.Negated(), ok
	case opAbs:
		v, ok := row.number(n.args[0])
		return v.absolute(), ok
	case opRound:
		v, ok := row.number(n.args[0])
		digits, err := strconv.Atoi(n.args[1].text)
		return v.rounded(digits), ok && err == nil
	case opArithmetic:
		return row.arithmetic(n)
	case opCoalesce:
		for _, arg := range n.args {
			if v, ok := row.number(arg); ok {
				return v, true
			}
		}
	case opCase:
		if arm := row.arm(n); arm != nil {
			return row.number(arm)
		}
	default: // null; nothing else is a number
	}
	return Number{}, false
}

func (row RowOf) numberIn(c *Column) (Number, bool) {
	v := row(c)
	switch {
	case v.Null:
		return Number{}, false
	case c.Kind != Decimal:
		return NumberOf(v.Int), true
	}
	n, ok := ParseDecimal(string(v.Text))
	return n.withScale(c.Scale), ok
}

func (row RowOf) arithmetic(n *node) (Number, bool) {
	a, ok1 := row.number(n.args[0])
	b, ok2 := row.number(n.args[1])
	if !ok1 || !ok2 {
		return Number{}, false
	}
	switch n.text {
	case "+":
		return a.Plus(b), true
	case "-":
		return a.Plus(b.Negated()), true
	case "*":
		return a.times(b), true
	}
	if b.Sign() == 0 {
		return Number{}, false
	}
	return a.by(b), true
}

// isNull reports whether a value of any type is null.
func (row RowOf) isNull(n *node) bool {
	switch n.typ.kind {
	case typeNull:
		return true
	case typeBool:
		return row.truth(n) == Unknown
	case typeNumber:
		_, ok := row.number(n)
		return !ok
	default:
		return row.cell(n).Null
	}
}

// compare compares two values of one type.
func (row RowOf) compare(n *node) Truth {
	order, equal := row.order(n.args[0], n.args[1])
	if equal == Unknown {
		return Unknown
	}
	switch n.text {
	case "=":
		return equal
	case "<>":
		return truthOf(equal == False)
	case "<":
		return truthOf(order < 0)
	case "<=":
		return truthOf(order <= 0)
	case ">":
		return truthOf(order > 0)
	}
	return truthOf(order >= 0)
}

// order compares two values: which is greater, where their type has an order, and whether they are equal.
func (row RowOf) order(a, b *node) (int, Truth) {
	switch a.typ.kind {
	case typeNumber:
		x, ok1 := row.number(a)
		y, ok2 := row.number(b)
		if !ok1 || !ok2 {
			return 0, Unknown
		}
		c := x.Compare(y)
		return c, truthOf(c == 0)
	case typeBool:
		x, y := row.truth(a), row.truth(b)
		if x == Unknown || y == Unknown {
			return 0, Unknown
		}
		return 0, truthOf(x == y)
	default:
	}
	x, y := row.cell(a), row.cell(b)
	switch {
	case x.Null || y.Null:
		return 0, Unknown
	case a.typ.kind == typeText || a.typ.kind == typeLiteral:
		return 0, truthOf(bytes.Equal(x.Text, y.Text))
	case a.typ.kind == typeReference:
		if IsObjectID(a.typ.table.Prefix, x.Text) != IsObjectID(a.typ.table.Prefix, y.Text) {
			return 0, Unknown
		}
		return 0, truthOf(bytes.Equal(x.Text, y.Text))
	case x.Int < y.Int:
		return -1, False
	case x.Int > y.Int:
		return 1, False
	}
	return 0, True
}

func (row RowOf) in(n *node) Truth {
	found := False
	for _, item := range n.args[1:] {
		_, equal := row.order(n.args[0], item)
		found = both(found, equal, True)
	}
	if !n.negated || found == Unknown {
		return found
	}
	return truthOf(found == False)
}

// cell evaluates what is neither a condition nor a number: a text, a date, a timestamp, an enumeration's value, a reference.
func (row RowOf) cell(n *node) Cell {
	switch n.op {
	case opColumn:
		return row(n.column)
	case opText, opNumber:
		return n.constant
	case opCoalesce:
		for _, arg := range n.args {
			if c := row.cell(arg); !c.Null {
				return c
			}
		}
	case opCase:
		if arm := row.arm(n); arm != nil {
			return row.cell(arm)
		}
	default: // null
	}
	return Cell{Null: true}
}

// prepare reads the literals of a checked tree, once for all rows.
func (n *node) prepare() {
	switch {
	case n.op == opText, n.op == opNumber && n.typ.kind == typeEnum:
		n.constant = literalCell(n)
	case n.op == opNumber:
		n.amount, _ = ParseDecimal(n.text)
	}
	for _, arg := range n.args {
		arg.prepare()
	}
}

// literalCell is a literal of the type that its surroundings gave it. That it can be read was checked with the expression.
func literalCell(n *node) Cell {
	layout := time.DateOnly
	switch n.typ.kind {
	case typeEnum:
		number, err := strconv.Atoi(n.number)
		return Cell{Null: err != nil, Int: int64(number)}
	case typeDate, typeTimestamp:
		if n.typ.kind == typeTimestamp {
			layout = literalTimestamp
		}
		at, err := time.Parse(layout, n.text)
		if n.typ.kind == typeDate {
			return Cell{Null: err != nil, Int: at.Unix() / (24 * 60 * 60)}
		}
		return Cell{Null: err != nil, Int: at.UnixMicro()}
	default:
		return Cell{Text: []byte(n.text)}
	}
}
