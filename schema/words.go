package schema

import (
	"fmt"
	"strings"
)

// String is the severity as the definition writes it.
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// String is the kind as the JSON writes it.
func (k CheckKind) String() string {
	switch k {
	case SumCheck:
		return "sum"
	case RunningCheck:
		return "running"
	case RowCheck:
	}
	return "row"
}

// String is the kind as the definition writes it.
func (k Kind) String() string {
	names := [...]string{"text", "integer", "bigint", "decimal", "boolean", "date", "timestamp", "enum", "reference", "list"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// Rule says in words what a check compares.
func (c *Check) Rule() string {
	where := ""
	if c.Where != nil {
		where = " where " + oneLine(c.Where.Source)
	}
	switch c.Kind {
	case SumCheck:
		operators := map[string]string{"=": "equals", "<=": "is at most", ">=": "is at least"}
		empty := ""
		if c.SkipEmpty {
			empty = ", if there are any"
		}
		return fmt.Sprintf(
			"The sum of %s over the %s rows whose %s is this row%s%s, %s %s",
			oneLine(c.Sum.Source), c.Child.Name, c.By.Name, where, empty, operators[c.Op], oneLine(c.Expr.Source),
		)
	case RunningCheck:
		return fmt.Sprintf(
			"For each %s, the running sum of %s in the order of %s%s never falls below zero",
			c.By.Name, oneLine(c.Sum.Source), strings.Join(columnNames(c.OrderBy), ", "), where,
		)
	case RowCheck:
	}
	return oneLine(c.Expr.Source)
}

// Accepts says in words what a column's values may be.
func (c *Column) Accepts() string {
	switch c.Kind {
	case Integer:
		return "whole number"
	case BigInt:
		return "whole number of 64 bits"
	case Decimal:
		return fmt.Sprintf("decimal, %d digits, %d after the point", c.Precision, c.Scale)
	case Boolean:
		return "true or false"
	case Date:
		return "date"
	case Timestamp:
		return "date and time"
	case Enumerate:
		return "name or number of " + c.Enum.Name
	case Reference:
		return fmt.Sprintf("%s of %s, or its production id (%s_ and 32 hex digits)", c.References.Key.Name, c.References.Name, c.References.Prefix)
	case List:
		switch {
		case c.References != nil:
			return fmt.Sprintf("several of %s of %s, or their production ids, separated by commas", c.References.Key.Name, c.References.Name)
		case c.Enum == nil:
			return fmt.Sprintf("several values, separated by commas, up to %d characters", c.Length)
		}
		return fmt.Sprintf("several of %s, separated by semicolons, up to %d characters; accepted with a warning", c.Enum.Name, c.Length)
	case Text:
		if c.Enum != nil {
			return fmt.Sprintf("name of %s, or what begins with %s", c.Enum.Name, c.Enum.Open)
		}
		if c.Length > 0 {
			return fmt.Sprintf("text, up to %d characters", c.Length)
		}
	}
	return "text of any length"
}
