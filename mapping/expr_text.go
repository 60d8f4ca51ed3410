package mapping

import (
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// textFunctions are what expressions may do with texts, beside CEL's own contains, startsWith, endsWith, matches and size. What they
// make is bounded: CEL's libraries would let a short expression fill the memory.
func textFunctions() []cel.EnvOption {
	s := cel.StringType
	text := func(name string, f func(string) string) cel.EnvOption {
		return cel.Function(name, cel.MemberOverload("string_"+name, []*cel.Type{s}, s, cel.UnaryBinding(func(v ref.Val) ref.Val {
			return types.String(f(string(v.(types.String))))
		})))
	}
	return []cel.EnvOption{
		text("upper", strings.ToUpper), text("lower", strings.ToLower), text("trim", strings.TrimSpace),
		cel.Function("replace", cel.MemberOverload("string_replace", []*cel.Type{s, s, s}, s, cel.FunctionBinding(func(args ...ref.Val) ref.Val {
			in, from, to := string(args[0].(types.String)), string(args[1].(types.String)), string(args[2].(types.String))
			if n := strings.Count(in, from); len(in)+n*len(to) > maxExpressionText {
				return types.NewErr("a text becomes longer than %d bytes", maxExpressionText)
			}
			return types.String(strings.ReplaceAll(in, from, to))
		}))),
		cel.Function("before", cel.MemberOverload("string_before", []*cel.Type{s, s}, s, cel.BinaryBinding(func(v, mark ref.Val) ref.Val {
			before, _, _ := strings.Cut(string(v.(types.String)), string(mark.(types.String)))
			return types.String(before)
		}))),
		cel.Function("after", cel.MemberOverload("string_after", []*cel.Type{s, s}, s, cel.BinaryBinding(func(v, mark ref.Val) ref.Val {
			_, after, _ := strings.Cut(string(v.(types.String)), string(mark.(types.String)))
			return types.String(after)
		}))),
		cel.Function("substring", cel.MemberOverload("string_substring", []*cel.Type{s, cel.IntType, cel.IntType}, s, cel.FunctionBinding(substring))),
		cel.Function("coalesce", cel.Overload("coalesce_2", []*cel.Type{s, s}, s, cel.BinaryBinding(func(a, b ref.Val) ref.Val {
			return firstOf(a, b)
		})), cel.Overload("coalesce_3", []*cel.Type{s, s, s}, s, cel.FunctionBinding(firstOf)),
			cel.Overload("coalesce_4", []*cel.Type{s, s, s, s}, s, cel.FunctionBinding(firstOf))),
	}
}

// substring is the part of a text from one character up to another, counted from 0; beyond its end there is nothing.
func substring(args ...ref.Val) ref.Val {
	text, from, to := string(args[0].(types.String)), int64(args[1].(types.Int)), int64(args[2].(types.Int))
	start, end, n := len(text), len(text), int64(0)
	for i := range text {
		if n == from {
			start = i
		}
		if n == to {
			end = i
			break
		}
		n++
	}
	if from < 0 || to < from || !utf8.ValidString(text) {
		return types.NewErr("substring(%d, %d) is no part of a text", from, to)
	}
	return types.String(text[min(start, end):end])
}

// firstOf is the first text that is not empty.
func firstOf(args ...ref.Val) ref.Val {
	for _, a := range args {
		if a.(types.String) != "" {
			return a
		}
	}
	return types.String("")
}
