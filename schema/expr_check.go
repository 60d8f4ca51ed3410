package schema

import (
	"strconv"
	"time"
)

// typeKind is the kind of value that an expression has.
type typeKind uint8

const (
	typeNull    typeKind = iota // of the literal null, until its surroundings say more
	typeLiteral                 // of a quoted text, which may yet become a date or an enumeration's value
	typeBool
	typeNumber
	typeText
	typeDate
	typeTimestamp
	typeEnum
	typeReference
)

type valueType struct {
	kind  typeKind
	enum  *Enum
	table *Table
}

var (
	boolType   = valueType{kind: typeBool}
	numberType = valueType{kind: typeNumber}
)

// String is the type as messages name it.
func (v valueType) String() string {
	switch v.kind {
	case typeNull:
		return "null"
	case typeBool:
		return "a condition"
	case typeNumber:
		return "a number"
	case typeDate:
		return "a date"
	case typeTimestamp:
		return "a timestamp"
	case typeEnum:
		return "a value of " + v.enum.Name
	case typeReference:
		return "a reference to " + v.table.Name
	case typeText, typeLiteral:
	}
	return "a text"
}

// exprChecker finds the type of every node, from the leaves up, and resolves columns and enumerations' values.
type exprChecker struct{ table *Table }

func (c *exprChecker) check(n *node) *ExprError {
	for _, arg := range n.args {
		if err := c.check(arg); err != nil {
			return err
		}
	}
	switch n.op {
	case opNull:
		n.typ = valueType{kind: typeNull}
	case opBool:
		n.typ = boolType
	case opNumber:
		n.typ = numberType
	case opText:
		n.typ = valueType{kind: typeLiteral}
	case opColumn:
		return c.column(n)
	case opNegate, opArithmetic, opAbs, opRound:
		n.typ = numberType
		return c.all(n.args, numberType)
	case opNot, opAnd, opOr:
		n.typ = boolType
		return c.all(n.args, boolType)
	case opCompare:
		return c.compare(n)
	case opIsNull:
		n.typ = boolType
		return c.plain(n.args[0])
	case opIn:
		n.typ = boolType
		_, err := c.unify(n.args, "in")
		return err
	case opCoalesce:
		return c.choice(n, n.args)
	case opCase:
		var arms []*node
		for i, arg := range n.args {
			if i%2 == 1 || i == len(n.args)-1 {
				arms = append(arms, arg)
			} else if err := c.required(arg, boolType); err != nil {
				return err
			}
		}
		return c.choice(n, arms)
	}
	return nil
}

func (c *exprChecker) column(n *node) *ExprError {
	n.column = c.table.Column(n.text)
	if n.column == nil {
		return exprFault(n.position, "table %s has no column %s", c.table.Name, brief(n.text))
	}
	if n.column.IsReferenceList() {
		return exprFault(n.position, "%s has several values, and cannot be in an expression", n.column.Name)
	}
	switch n.column.Kind {
	case Integer, BigInt, Decimal:
		n.typ = numberType
	case Boolean:
		n.typ = boolType
	case Date:
		n.typ = valueType{kind: typeDate}
	case Timestamp:
		n.typ = valueType{kind: typeTimestamp}
	case Enumerate:
		n.typ = valueType{kind: typeEnum, enum: n.column.Enum}
	case Reference:
		n.typ = valueType{kind: typeReference, table: n.column.References}
	case Text, List:
		n.typ = valueType{kind: typeText}
	}
	return nil
}

func (c *exprChecker) all(args []*node, want valueType) *ExprError {
	for _, arg := range args {
		if err := c.required(arg, want); err != nil {
			return err
		}
	}
	return nil
}

// required is coerce where a bare null would make no sense.
func (c *exprChecker) required(n *node, want valueType) *ExprError {
	if n.typ.kind == typeNull {
		return exprFault(n.position, "null where %s should be", want)
	}
	return c.coerce(n, want)
}

func (c *exprChecker) compare(n *node) *ExprError {
	n.typ = boolType
	typ, err := c.unify(n.args, n.text)
	if err != nil || n.text == "=" || n.text == "<>" {
		return err
	}
	switch typ.kind {
	case typeNumber, typeDate, typeTimestamp:
		return nil
	default:
		return exprFault(n.position, "%s has no order: only = and <> compare it", typ)
	}
}

// unify finds the one type of nodes that are compared.
func (c *exprChecker) unify(args []*node, operator string) (valueType, *ExprError) {
	for _, arg := range args {
		if arg.typ.kind == typeNull {
			return valueType{}, exprFault(arg.position, "null with %s is never true: use is null", operator)
		}
	}
	typ := common(args)
	for _, arg := range args {
		if err := c.coerce(arg, typ); err != nil {
			return typ, err
		}
		if err := c.plain(arg); err != nil {
			return typ, err
		}
	}
	return typ, nil
}

// choice gives coalesce and case the one type of their results.
func (c *exprChecker) choice(n *node, results []*node) *ExprError {
	n.typ = common(results)
	if n.typ.kind == typeNull {
		return exprFault(n.position, "%s is always null", n.text)
	}
	for _, result := range results {
		if n.typ.kind != typeLiteral {
			if err := c.coerce(result, n.typ); err != nil {
				return err
			}
		}
		if err := c.plain(result); err != nil {
			return err
		}
	}
	return nil
}

// common is the most definite type among the nodes. A reference wins over a
// text, which may be the key and meant as an id, and an enumeration over a number, which may be meant as its value's.
func common(args []*node) valueType {
	var best valueType
	for _, arg := range args {
		first := best.kind <= typeLiteral && arg.typ.kind > best.kind
		stronger := arg.typ.kind == typeReference && best.kind == typeText || arg.typ.kind == typeEnum && best.kind == typeNumber
		if first || stronger {
			best = arg.typ
		}
	}
	return best
}

// plain refuses a comparison as a value. In T-SQL one would have to be written out twice, and so on with each nesting.
func (c *exprChecker) plain(n *node) *ExprError {
	if n.typ.kind != typeBool || n.op == opColumn || n.op == opBool || n.op == opCoalesce || n.op == opCase {
		return nil
	}
	return exprFault(n.position, "a comparison cannot be used as a value here: join conditions with and, or, not")
}

// coerce makes n a value of the type wanted, or says why it is none.
func (c *exprChecker) coerce(n *node, want valueType) *ExprError {
	if want.kind == typeLiteral {
		want.kind = typeText
	}
	switch {
	case n.typ == want:
		return nil
	case n.typ.kind == typeNull:
		n.typ = want
		return nil
	case n.typ.kind == typeLiteral && n.op == opText:
		return c.literal(n, want)
	case n.typ.kind == typeLiteral:
		n.typ = want
		for i, arg := range n.args {
			if n.op == opCoalesce || i%2 == 1 || i == len(n.args)-1 {
				if err := c.coerce(arg, want); err != nil {
					return err
				}
			}
		}
		return nil
	case want.kind == typeEnum && n.op == opNumber:
		number, err := strconv.Atoi(n.text)
		if err != nil || number >= len(want.enum.Values) {
			return exprFault(n.position, "%s has no value with the number %s", want.enum.Name, n.text)
		}
		n.typ, n.number = want, strconv.Itoa(number)
		return nil
	case want.kind == typeReference && want.table == c.table && n.op == opColumn && n.column == c.table.Key:
		n.typ, n.asID = want, true
		return nil
	}
	return exprFault(n.position, "%s where %s should be", n.typ, want)
}

// literal turns a quoted text into what it is compared with.
func (c *exprChecker) literal(n *node, want valueType) *ExprError {
	switch want.kind {
	case typeText:
	case typeEnum:
		for _, v := range want.enum.Values {
			if v.Name == n.text {
				n.number = strconv.Itoa(int(v.Number))
			}
		}
		if n.number == "" {
			return exprFault(n.position, "%s has no value %q", want.enum.Name, brief(n.text))
		}
	case typeDate:
		if _, err := time.Parse(time.DateOnly, n.text); err != nil || n.text < "0001-01-01" {
			return exprFault(n.position, "%q is no date: write YYYY-MM-DD", brief(n.text))
		}
	case typeTimestamp:
		at, err := time.Parse(time.RFC3339, n.text)
		if err != nil || at.UTC().Year() < 1 || at.UTC().Year() > 9999 {
			return exprFault(n.position, "%q is no timestamp: write it as 2025-07-01T09:30:00Z", brief(n.text))
		}
		n.text = at.UTC().Format(literalTimestamp)
	default:
		return exprFault(n.position, "a text where %s should be", want)
	}
	n.typ = want
	return nil
}

// literalTimestamp is how a checked tree keeps a timestamp, in UTC.
const literalTimestamp = "2006-01-02T15:04:05.000000"
