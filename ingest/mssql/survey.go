package mssql

// Survey is what a database has, as far as the login can see it.
type Survey struct {
	Server, Database, Version string
	Isolation                 string   // "snapshot", "read committed snapshot" or "read committed"
	IsolationNote             string   // why, for the receipt
	Notes                     []string // which catalogue views were missing, and such
	Relations                 []Relation
}

// Relation is a table or a view.
type Relation struct {
	Schema, Name string
	Kind         string // "table" or "view"
	Columns      []Column
	Key          string // the column by which it can be read in parts, or ""
	Rows         int64  // -1: unknown
	Denied       bool   // the login may not select from it; its columns are unknown
}

// String returns the relation's name with its schema, as it may be shown.
func (r *Relation) String() string { return r.Schema + "." + r.Name }

// Column is a column of a relation or a query.
type Column struct {
	Name       string
	Type       string // "decimal(19,4)", as far as known
	Nullable   bool   // true when unknown
	Rowversion bool
	Computed   bool
}
