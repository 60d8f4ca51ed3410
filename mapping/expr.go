package mapping

import (
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"dropline/schema"
)

// Bounds of an expression. It comes from a client and runs for every row.
const (
	maxExpression = 4 << 10 // bytes of its text
	// maxExpressionCost is the most that one evaluation may take, in the units of CEL: about a step each, and a tenth for each
	// character of a text that is put together or searched.
	maxExpressionCost = 100_000
	maxExpressionText = 64 << 10 // bytes of a field that an expression reads, and of a text that a function makes
)

// Names that an expression may use beside the file's headers.
const (
	rowVariable     = "row"
	partVariable    = "part"
	indexVariable   = "index"
	headerVariable  = "header"
	lookupsVariable = "@lookups"
)

// expression is a computed column or a condition, compiled once for all files.
type expression struct {
	line    int
	text    string
	program cel.Program
	fast    fastExpression // the same without CEL, where it is of the simplest kinds; nil otherwise
	fields  []string       // headers that it names
}

// expression compiles a text of the mapping. want says which types it may have, and as what they are spoken of.
func (p *parser) expression(text string, line int, split bool, fits func(*cel.Type) bool, want string) (*expression, error) {
	if len(text) > maxExpression {
		return nil, fmt.Errorf("the expression is longer than %d bytes", maxExpression)
	}
	env, err := p.environment()
	if err != nil {
		return nil, err
	}
	parsed, issues := env.Parse(text)
	if issues.Err() != nil {
		return nil, celFault(issues)
	}
	fields, names := fieldsOf(parsed.NativeRep().Expr())
	var declared []cel.EnvOption
	for _, name := range names {
		switch name {
		case rowVariable, lookupsVariable:
			continue
		case partVariable, headerVariable, indexVariable:
			if split {
				continue
			}
		}
		declared = append(declared, cel.Variable(name, cel.StringType))
		fields = append(fields, name)
	}
	if split {
		declared = append(declared, cel.Variable(partVariable, cel.StringType), cel.Variable(headerVariable, cel.StringType), cel.Variable(indexVariable, cel.IntType))
	}
	if len(declared) > 0 {
		if env, err = env.Extend(declared...); err != nil {
			return nil, err
		}
	}
	checked, issues := env.Check(parsed)
	if issues.Err() != nil {
		return nil, celFault(issues)
	}
	if t := checked.OutputType(); !fits(t) {
		return nil, fmt.Errorf("the expression gives %s, and %s is wanted", spokenType(t), want)
	}
	program, err := env.Program(checked, cel.CostLimit(maxExpressionCost), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, err
	}
	return &expression{line: line, text: text, program: program, fast: fastOf(checked.NativeRep().Expr(), split), fields: fields}, nil
}

// environment is what every expression of the mapping may use.
func (p *parser) environment() (*cel.Env, error) {
	if p.env != nil {
		return p.env, nil
	}
	options := []cel.EnvOption{
		cel.Variable(rowVariable, cel.MapType(cel.StringType, cel.StringType)), cel.Variable(lookupsVariable, lookupsType),
		cel.ParserExpressionSizeLimit(maxExpression), cel.ParserRecursionLimit(60), cel.ClearMacros(),
		cel.Macros(cel.HasMacro, cel.AllMacro, cel.ExistsMacro),
	}
	options = append(append(options, decimalFunctions()...), textFunctions()...)
	env, err := cel.NewEnv(append(options, p.lookupFunctions()...)...)
	p.env = env
	return env, err
}

// celFault is what CEL says is wrong, in one line with the place in the expression.
func celFault(issues *cel.Issues) error {
	var faults []string
	for _, e := range issues.Errors() {
		faults = append(faults, fmt.Sprintf("column %d of the expression: %s", e.Location.Column()+1, strings.Join(strings.Fields(e.Message), " ")))
		if len(faults) == 3 {
			break
		}
	}
	return fmt.Errorf("%s", strings.Join(faults, "; "))
}

// fieldsOf lists the headers that an expression takes from row by name, and the names that are not functions'.
func fieldsOf(e ast.Expr) (fields, names []string) {
	seen := map[string]bool{}
	bound := map[string]bool{}
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.ComprehensionKind:
			bound[e.AsComprehension().IterVar()], bound[e.AsComprehension().AccuVar()] = true, true
		case ast.IdentKind:
			if name := e.AsIdent(); !seen[name] && !bound[name] {
				seen[name] = true
				names = append(names, name)
			}
		case ast.CallKind:
			if name, ok := rowField(e); ok && !seen["["+name] {
				seen["["+name] = true
				fields = append(fields, name)
			}
		case ast.SelectKind:
			s := e.AsSelect()
			if o := s.Operand(); o.Kind() == ast.IdentKind && o.AsIdent() == rowVariable && !seen["["+s.FieldName()] {
				seen["["+s.FieldName()] = true
				if !s.IsTestOnly() {
					fields = append(fields, s.FieldName())
				}
			}
		case ast.ListKind, ast.LiteralKind, ast.MapKind, ast.StructKind, ast.UnspecifiedExprKind:
		}
	}))
	return fields, names
}

// rowField is the header that row["header"] takes.
func rowField(e ast.Expr) (string, bool) {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != "_[_]" || len(e.AsCall().Args()) != 2 {
		return "", false
	}
	of, key := e.AsCall().Args()[0], e.AsCall().Args()[1]
	if of.Kind() != ast.IdentKind || of.AsIdent() != rowVariable || key.Kind() != ast.LiteralKind {
		return "", false
	}
	name, ok := key.AsLiteral().(types.String)
	return string(name), ok
}

func spokenType(t *cel.Type) string {
	switch {
	case t.IsExactType(cel.StringType):
		return "a text"
	case t.IsExactType(cel.BoolType):
		return "true or false"
	case t.IsExactType(cel.IntType), t.IsExactType(cel.UintType):
		return "a whole number"
	case t.IsExactType(cel.DoubleType):
		return "a number that is not exact (write decimal(\"1.5\") for 1.5)"
	case t.IsExactType(decimalType):
		return "a decimal"
	}
	return "a " + t.String()
}

// fitsColumn says which types of CEL a column takes, and as what they are spoken of.
func fitsColumn(c *schema.Column) (func(*cel.Type) bool, string) {
	any := func(types ...*cel.Type) func(*cel.Type) bool {
		return func(t *cel.Type) bool {
			for _, want := range append(types, cel.NullType) {
				if t.IsExactType(want) || t.IsExactType(cel.NullableType(want)) {
					return true
				}
			}
			return false
		}
	}
	switch c.Kind {
	case schema.Decimal, schema.Integer, schema.BigInt:
		return any(cel.StringType, cel.IntType, cel.UintType, decimalType), "a number, or a text that is one"
	case schema.Boolean:
		return any(cel.StringType, cel.BoolType), "true or false, or a text that says so"
	case schema.Date, schema.Timestamp:
		return any(cel.StringType), "a text that is a date"
	case schema.Text, schema.Reference, schema.List, schema.Enumerate:
		return any(cel.StringType, cel.IntType, cel.UintType, decimalType), "a text"
	}
	return any(cel.StringType), "a text"
}

// evaluate computes the expression for the record that the view shows, as text. False where it gives no value.
func (e *expression) evaluate(view *rowView) (text string, present bool, err error) {
	if e.fast != nil {
		if text, ok := e.fast.text(view); ok {
			return text, true, nil
		}
	}
	out, _, err := e.program.Eval(view)
	if view.err != nil {
		return "", false, view.err
	}
	if err != nil {
		return "", false, err
	}
	switch v := out.(type) {
	case types.String:
		return string(v), true, nil
	case types.Null:
		return "", false, nil
	case types.Bool, types.Int, types.Uint:
		return fmt.Sprint(v.Value()), true, nil
	case decimalValue:
		return v.String(), true, nil
	}
	return "", false, fmt.Errorf("the expression gives a %s", out.Type().TypeName())
}

// holds computes a condition.
func (e *expression) holds(view *rowView) (bool, error) {
	if e.fast != nil {
		if holds, ok := e.fast.bool(view); ok {
			return holds, nil
		}
	}
	out, _, err := e.program.Eval(view)
	if view.err != nil {
		return false, view.err
	}
	if err != nil {
		return false, err
	}
	return out == types.True, nil
}

var (
	_ interpreter.Activation = (*rowView)(nil)
	_ ref.Val                = (*rowView)(nil)
)

func isBool(t *cel.Type) bool { return t.IsExactType(cel.BoolType) }
