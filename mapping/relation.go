package mapping

import (
	"io"

	"dropline/ingest"
	"dropline/schema"
)

// Relation is what is read of a client's database as if it were a file: a table, a view, or a query of the mapping.
type Relation struct {
	// Name is what receipts call it, and what the Mapper's methods know it by: an entry's own name, or the SQL name such as
	// "dbo.Matter", with brackets around what needs them. No two relations of a Choice have the same.
	Name string
	// Schema and View name a table or view, unquoted and exactly as the server has them once chosen. Schema is empty where an
	// entry leaves it out, until it is chosen. Both are empty for a query.
	Schema, View string
	// Query is one SELECT, or WITH and SELECT, without a semicolon or comment at its end; empty for a table or view.
	Query string
	Table *schema.Table // the table of the ETL schema that its rows are of
	// Key and Modified are columns of the relation as the mapping writes them, or empty.
	Key, Modified string
	Line          int // of the mapping, where the entry begins; 0 for a relation that was found by its name
}

// Candidate is a table or view that a database has.
type Candidate struct {
	Schema, Name string
	View         bool
}

// RefusedRelation is why something of a database is not read although it might have been meant to be.
type RefusedRelation struct {
	Name, Code, Message string
}

// Choice says which relations of a database are read, and what becomes of the others.
type Choice struct {
	Read    []Relation        // the mapping's entries in its order, then those found by name in the schema's order
	Refused []RefusedRelation // wrong or ambiguous; nothing of their tables is read
	Ignored []string          // names that are no table of the schema
	Notes   []string          // remarks that refuse nothing
	Missing []string          // tables of the schema that the database has not
}

// DatabaseEntries returns what the mapping says is to be read of a database, in its order; none without a mapping.
func (m *Mapper) DatabaseEntries() []Relation { return nil }

// Choose decides which relations of a database are read.
func (m *Mapper) Choose(found []Candidate) Choice { return Choice{} }

// Columns says which columns of a relation are needed, one for each of the header's, so that the others need not be read. Those
// that feed nothing are ignored. The error is a *ingest.FileRefusal where a required column is missing or one is there twice.
func (m *Mapper) Columns(relation string, table *schema.Table, header []string) (use []bool, ignored []string, err error) {
	return nil, nil, nil
}

// OpenRelation begins to read a relation's rows, written as CSV in the default dialect.
func (m *Mapper) OpenRelation(relation string, table *schema.Table, r io.Reader) (*Reader, error) {
	return nil, nil
}

// ExplainRelation says how a relation with that header would be read, or why it would be refused.
func (m *Mapper) ExplainRelation(relation string, table *schema.Table, header []string) (*Explanation, *ingest.FileRefusal) {
	return nil, nil
}
