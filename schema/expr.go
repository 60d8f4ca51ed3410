package schema

// Expr is an expression of a check, parsed and type-checked against a table.
type Expr struct {
	Source string // the text of the definition
}
