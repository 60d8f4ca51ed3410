// Package schema owns the ETL schema as data: its tables, columns, types, keys, references, enumerations, checks and seed
// rows, read from one definition file per version, and everything that is derived from them: DDL for SQL Server and
// PostgreSQL, reference pages, CSV templates and JSON. It is pure: it reads no database and no network.
package schema

import "strings"

// Schema is one version of an ETL schema. It is immutable once read and safe for concurrent use.
type Schema struct {
	Name        string // "Efimis"
	Version     string // "1.0"
	Title       string
	Description string
	Enums       []*Enum  // in the order of the definition
	Tables      []*Table // parents before children wherever references allow it
	Manifest    *Manifest
}

// Manifest is how a delivery says what each of its files is: absent, the whole of a table (bulk) or what has changed (delta).
// A schema without one has none such.
type Manifest struct {
	File    string   // the name of the file that says so, "manifest.csv"
	Name    string   // of the standard: its properties are "manifest.version", Name + ".version" and "file." + a table's file
	Format  string   // what manifest.version says
	Version string   // what the standard's version says, or begins with, followed by a point
	Delta   []string // columns that rows of a delta must have, and rows of a bulk file should not
}

// ID names the schema where a tenant chooses one: the name in lower case, a hyphen and the version, "efimis-1.0".
func (s *Schema) ID() string { return strings.ToLower(s.Name) + "-" + s.Version }

// FileStem is the stem of downloadable files: "Efimis-1.0".
func (s *Schema) FileStem() string { return s.Name + "-" + s.Version }

// Table returns the table of that published name, or nil. The case of name matters.
func (s *Schema) Table(name string) *Table {
	for _, t := range s.Tables {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// Table is one table of the schema.
type Table struct {
	Name        string // published name in PascalCase, "WorkItem"; also the SQL Server table
	SQLName     string // PostgreSQL name, "work_item"; at most 40 bytes
	Plural      string // "WorkItems", for file names
	Prefix      string // of production ids, "work_item"
	Description string
	Group       string    // heading in the reference: "Reference data", "Money"
	Columns     []*Column // the key first
	Key         *Column   // the object's identity within its tenant: ImportId in Efimis. Required, unique, text
	Unique      [][]*Column
	Checks      []*Check
	File        string   // stem of the name under which files are exchanged, "academicSessions"; empty: Name
	Aliases     []string // further names a file may carry: "timesheet", "time_entries"; singular and plural of Name are implied
	Synonyms    []string // what other systems call such a thing: for proposals, and not enough to load a file by
	Seeds       []Seed   // rows that every new tenant's production starts with

	schema *Schema // to which it belongs, for titles and links
}

// Column returns the column of that published name, or nil. The case of name matters.
func (t *Table) Column(name string) *Column {
	for _, c := range t.Columns {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Kind is the type of a column's values.
type Kind uint8

// The kinds. Their PostgreSQL and SQL Server types are in ddl_postgres.go and ddl_mssql.go.
const (
	Text      Kind = iota // up to Length characters; 0 is unbounded. With an Enum, one of its names or what it is open to
	Integer               // 32 bits, signed
	BigInt                // 64 bits, signed
	Decimal               // Precision digits, Scale of them after the point
	Boolean               //
	Date                  // a day of the proleptic Gregorian calendar, 0001-01-01 to 9999-12-31
	Timestamp             // an instant, microseconds, stored in UTC, years 1 to 9999
	Enumerate             // one of Enum's numbers, stored as smallint
	Reference             // the ImportId or production id of a row of References; stored as production id
	List                  // several values in one text, set apart by Separator. With References, stored as an array of production ids
)

// Column is one column of a table.
type Column struct {
	Name        string // published name in PascalCase, "EntryDate"
	SQLName     string // PostgreSQL name, "entry_date"
	Description string
	Example     string
	Kind        Kind
	Length      int // characters, for Text, List and Reference
	Precision   int // digits, for Decimal: 1 to 38
	Scale       int // digits after the point, for Decimal: 0 to Precision
	Required    bool
	Enum        *Enum    // for Enumerate and for Text that is of an open one (and for the values of a List, informative)
	References  *Table   // for Reference, and for a List of references
	Separator   string   // for List: one byte
	SameAs      *Column  // whose value the column takes where a file has none for it
	Extra       bool     // taken where a file has it, and not in the template
	Deletes     string   // the value with which a row says that it is to be deleted; empty: none does
	Aliases     []string // further headers a file may carry
	Synonyms    []string // what other systems call it: for proposals, and not enough to load a file by
	Modified    bool     // a Timestamp: when the row was changed last, by which a database is read incrementally
	Index       int      // position in Table.Columns
}

// Modified returns the table's column that says when a row was changed last, or nil.
func (t *Table) Modified() *Column {
	for _, c := range t.Columns {
		if c.Modified {
			return c
		}
	}
	return nil
}

// DeletedBy returns the column by which rows say that they are to be deleted, or nil.
func (t *Table) DeletedBy() *Column {
	for _, c := range t.Columns {
		if c.Deletes != "" {
			return c
		}
	}
	return nil
}

// IsReferenceList reports whether the column holds several references.
func (c *Column) IsReferenceList() bool { return c.Kind == List && c.References != nil }

// Enum is an enumeration. Its numbers start at 0 and are what is stored, unless it is open: then names are.
type Enum struct {
	Name        string
	Open        string // what values of the sender's own begin with, "ext:"; empty: there are none
	Description string
	Values      []EnumValue
}

// EnumValue is one member of an enumeration.
type EnumValue struct {
	Name        string
	Number      int16
	Description string
}

// Severity says what a failed check does.
type Severity uint8

const (
	// Error refuses the row, or with a check on a whole, all rows of the whole.
	Error Severity = iota
	// Warning is reported and refuses nothing.
	Warning
)

// CheckKind is the shape of a check.
type CheckKind uint8

const (
	// RowCheck holds for each row by itself: Expr must not be false.
	RowCheck CheckKind = iota
	// SumCheck compares, for each row of the check's table (the whole), the sum of Child's Sum expression over the rows
	// whose By references the row, with the row's Expr: Op is "=", "<=" or ">=". The rows counted are those of the import
	// together with those already in production that it does not replace. A row without children is compared with 0
	// unless SkipEmpty. An example: the lines of an invoice add up to its Total.
	SumCheck
	// RunningCheck keeps, for each value of By, the running sum of the Sum expression in the order of OrderBy, then of
	// Id, over the import and production together, from falling below zero. It refuses every imported row of a value of
	// By in which that happens. An example: the trust ledger of a matter.
	RunningCheck
)

// Check is a rule on a table, declared in the definition and run as SQL over staging and production.
type Check struct {
	Name      string // unique within the schema; the reject's code, in snake_case: "ledger_entry_balances"
	Kind      CheckKind
	Severity  Severity
	Message   string // for people: what is wrong and what to do
	Column    string // the column to which the reject is attributed; may be empty
	Expr      *Expr  // RowCheck: the condition. SumCheck: what the sum is compared with
	Op        string // SumCheck only
	Child     *Table // SumCheck only: the table whose rows are summed
	Sum       *Expr  // SumCheck: over Child's columns. RunningCheck: over the table's columns
	By        *Column
	OrderBy   []*Column // RunningCheck only
	Where     *Expr     // optional: which rows of Child (SumCheck) or of the table (RunningCheck) count
	SkipEmpty bool
}

// PartsOf is the table whose rows are added up by a check of the table's on wholes.
func (t *Table) PartsOf(check *Check) *Table {
	if check.Kind == SumCheck {
		return check.Child
	}
	return t
}

// Seed is one seed row: the table's columns in order, as CSV text; nil means absent.
type Seed []*string
