package mapping

import (
	"fmt"
	"reflect"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"github.com/shopspring/decimal"
)

// Bounds of an expression's decimals: far more digits than any column holds, and few enough to compute with at once.
const (
	maxDecimalDigits = 200
	divisionDigits   = 30 // after the point, of a quotient
)

// decimalType is CEL's type of exact decimals: its own numbers with a point are binary, which money is not.
var decimalType = cel.ObjectType("dropline.Decimal", traits.AdderType, traits.SubtractorType, traits.MultiplierType, traits.DividerType,
	traits.NegatorType, traits.ComparerType)

// decimalValue is an exact decimal.
type decimalValue struct{ decimal.Decimal }

func decimalOf(v ref.Val) (decimalValue, bool) {
	switch v := v.(type) {
	case decimalValue:
		return v, true
	case types.Int:
		return decimalValue{decimal.NewFromInt(int64(v))}, true
	}
	return decimalValue{}, false
}

// parsed is a text as a decimal, in the forms that files may have by default.
func parsedDecimal(text string) ref.Val {
	n, _, ok := parseNumber(trimSpace([]byte(text)), &defaultNumber, nil)
	if !ok || len(n.digits) > maxDecimalDigits {
		return types.NewErr("%q is not a number", brief(text))
	}
	d, err := decimal.NewFromString(string(n.appendTo(nil)))
	if err != nil {
		return types.NewErr("%q is not a number", brief(text))
	}
	return decimalValue{d}
}

func bounded(d decimal.Decimal) ref.Val {
	if d.NumDigits() > maxDecimalDigits || d.Exponent() < -maxDecimalDigits || d.Exponent() > maxDecimalDigits {
		return types.NewErr("a number has more than %d digits", maxDecimalDigits)
	}
	return decimalValue{d}
}

// Add implements traits.Adder.
func (d decimalValue) Add(other ref.Val) ref.Val {
	o, ok := decimalOf(other)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	return bounded(d.Decimal.Add(o.Decimal))
}

// Subtract implements traits.Subtractor.
func (d decimalValue) Subtract(other ref.Val) ref.Val {
	o, ok := decimalOf(other)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	return bounded(d.Sub(o.Decimal))
}

// Multiply implements traits.Multiplier.
func (d decimalValue) Multiply(other ref.Val) ref.Val {
	o, ok := decimalOf(other)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	return bounded(d.Mul(o.Decimal))
}

// Divide implements traits.Divider.
func (d decimalValue) Divide(other ref.Val) ref.Val {
	o, ok := decimalOf(other)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	if o.IsZero() {
		return types.NewErr("it divides by zero")
	}
	return bounded(d.DivRound(o.Decimal, divisionDigits))
}

// Negate implements traits.Negater.
func (d decimalValue) Negate() ref.Val { return decimalValue{d.Neg()} }

// Compare implements traits.Comparer.
func (d decimalValue) Compare(other ref.Val) ref.Val {
	o, ok := decimalOf(other)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	return types.Int(d.Cmp(o.Decimal))
}

// Equal implements ref.Val.
func (d decimalValue) Equal(other ref.Val) ref.Val {
	o, ok := decimalOf(other)
	return types.Bool(ok && d.Decimal.Equal(o.Decimal))
}

// ConvertToNative implements ref.Val.
func (d decimalValue) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("a decimal cannot become a %s", t)
}

// ConvertToType implements ref.Val.
func (d decimalValue) ConvertToType(t ref.Type) ref.Val {
	if t.TypeName() == "string" {
		return types.String(d.String())
	}
	return types.NewErr("a decimal cannot become a %s", t.TypeName())
}

// Type implements ref.Val.
func (d decimalValue) Type() ref.Type { return decimalType }

// Value implements ref.Val.
func (d decimalValue) Value() any { return d.Decimal }

// String is the number without an exponent and without zeros at its end.
func (d decimalValue) String() string {
	text := d.Decimal.String()
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// decimalFunctions are what expressions may do with decimals.
func decimalFunctions() []cel.EnvOption {
	options := []cel.EnvOption{
		cel.Function("decimal",
			cel.Overload("decimal_string", []*cel.Type{cel.StringType}, decimalType, cel.UnaryBinding(func(v ref.Val) ref.Val { return parsedDecimal(string(v.(types.String))) })),
			cel.Overload("decimal_int", []*cel.Type{cel.IntType}, decimalType, cel.UnaryBinding(func(v ref.Val) ref.Val {
				return decimalValue{decimal.NewFromInt(int64(v.(types.Int)))}
			}))),
		cel.Function("round", cel.Overload("round_decimal_int", []*cel.Type{decimalType, cel.IntType}, decimalType, cel.BinaryBinding(func(v, places ref.Val) ref.Val {
			n := places.(types.Int)
			if n < 0 || n > divisionDigits {
				return types.NewErr("a number is rounded to 0 to %d digits", divisionDigits)
			}
			return decimalValue{v.(decimalValue).Round(int32(n))}
		}))),
		cel.Function("abs", cel.Overload("abs_decimal", []*cel.Type{decimalType}, decimalType, cel.UnaryBinding(func(v ref.Val) ref.Val {
			return decimalValue{v.(decimalValue).Abs()}
		}))),
		cel.Function("text", cel.Overload("text_decimal", []*cel.Type{decimalType}, cel.StringType, cel.UnaryBinding(func(v ref.Val) ref.Val {
			return types.String(v.(decimalValue).String())
		})), cel.Overload("text_int", []*cel.Type{cel.IntType}, cel.StringType, cel.UnaryBinding(func(v ref.Val) ref.Val {
			return types.String(fmt.Sprint(v.Value()))
		}))),
	}
	for name, operator := range map[string]string{"add": operators.Add, "subtract": operators.Subtract, "multiply": operators.Multiply, "divide": operators.Divide} {
		options = append(options, cel.Function(operator,
			cel.Overload(name+"_decimal", []*cel.Type{decimalType, decimalType}, decimalType),
			cel.Overload(name+"_decimal_int", []*cel.Type{decimalType, cel.IntType}, decimalType)))
	}
	for name, operator := range map[string]string{
		"less": operators.Less, "less_equals": operators.LessEquals, "greater": operators.Greater, "greater_equals": operators.GreaterEquals,
	} {
		options = append(options, cel.Function(operator, cel.Overload(name+"_decimal", []*cel.Type{decimalType, decimalType}, cel.BoolType),
			cel.Overload(name+"_decimal_int", []*cel.Type{decimalType, cel.IntType}, cel.BoolType)))
	}
	return append(options, cel.Function(operators.Negate, cel.Overload("negate_decimal", []*cel.Type{decimalType}, decimalType)))
}
