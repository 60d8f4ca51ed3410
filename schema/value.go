package schema

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

var decimalForm = regexp.MustCompile(`^-?([0-9]+)(?:\.([0-9]+))?$`)

// refuses says why the text of a definition is no value of the column, or nothing if it is one. A definition's own values
// are written in one way only; what clients send is read by the mapping, which is more forgiving.
func (c *Column) refuses(text string) string {
	var err error
	switch c.Kind {
	case Text, Reference:
		if c.Enum != nil && c.Kind == Text {
			return refusesMember(c.Enum, text)
		}
		if text == "" {
			return "is empty"
		}
		if n := utf8.RuneCountInString(text); c.Length > 0 && n > c.Length {
			return fmt.Sprintf("%q has %d characters, more than %d", brief(text), n, c.Length)
		}
	case Integer:
		_, err = strconv.ParseInt(text, 10, 32)
	case BigInt:
		_, err = strconv.ParseInt(text, 10, 64)
	case Decimal:
		return c.refusesDecimal(text)
	case Boolean:
		if text != "true" && text != "false" {
			return fmt.Sprintf("%q is neither true nor false", brief(text))
		}
	case Date:
		_, err = time.Parse(time.DateOnly, text)
	case Timestamp:
		_, err = time.Parse(time.RFC3339, text)
	case Enumerate:
		return refusesMember(c.Enum, text)
	case List:
		if c.IsReferenceList() {
			return c.refusesReferences(text)
		}
		if n := utf8.RuneCountInString(text); n > c.Length {
			return fmt.Sprintf("has %d characters, more than %d", n, c.Length)
		}
		for _, member := range strings.Split(text, c.Separator) {
			if c.Enum == nil {
				break
			}
			if reason := refusesMember(c.Enum, strings.TrimSpace(member)); reason != "" {
				return reason
			}
		}
	}
	if err != nil {
		return fmt.Sprintf("%q is no %s", brief(text), c.TypeName())
	}
	return ""
}

// refusesReferences says why a text is no list of keys.
func (c *Column) refusesReferences(text string) string {
	for key := range strings.SplitSeq(text, c.Separator) {
		if n := utf8.RuneCountInString(strings.TrimSpace(key)); n == 0 || n > c.Length {
			return fmt.Sprintf("%q is no list of keys of 1 to %d characters", brief(text), c.Length)
		}
	}
	return ""
}

func (c *Column) refusesDecimal(text string) string {
	m := decimalForm.FindStringSubmatch(text)
	if m == nil {
		return fmt.Sprintf("%q is no decimal number", brief(text))
	}
	whole, fraction := strings.TrimLeft(m[1], "0"), strings.TrimRight(m[2], "0")
	if len(whole) > c.Precision-c.Scale || len(fraction) > c.Scale {
		return fmt.Sprintf("%q does not fit %s", brief(text), c.TypeName())
	}
	return ""
}

func refusesMember(e *Enum, text string) string {
	if e.Open != "" && strings.HasPrefix(text, e.Open) && len(text) > len(e.Open) {
		return ""
	}
	for _, v := range e.Values {
		if v.Name == text || e.Open == "" && strconv.Itoa(int(v.Number)) == text {
			return ""
		}
	}
	return fmt.Sprintf("%q is no value of %s", brief(text), e.Name)
}

// TypeName is the column's type as the definition writes it: "text(100)", "decimal(19,4)", "reference(Matter)".
func (c *Column) TypeName() string {
	switch c.Kind {
	case Integer:
		return "integer"
	case BigInt:
		return "bigint"
	case Decimal:
		return fmt.Sprintf("decimal(%d,%d)", c.Precision, c.Scale)
	case Boolean:
		return "boolean"
	case Date:
		return "date"
	case Timestamp:
		return "timestamp"
	case Enumerate:
		return "enum(" + c.Enum.Name + ")"
	case Reference:
		return "reference(" + c.References.Name + ")"
	case List:
		switch {
		case c.References != nil:
			return "references(" + c.References.Name + ")"
		case c.Enum == nil:
			return fmt.Sprintf("list(%d)", c.Length)
		}
		return fmt.Sprintf("list(%s,%d)", c.Enum.Name, c.Length)
	case Text:
		if c.Enum != nil {
			return "enum(" + c.Enum.Name + ")"
		}
		if c.Length > 0 {
			return fmt.Sprintf("text(%d)", c.Length)
		}
	}
	return "text"
}
