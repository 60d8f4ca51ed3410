package schema

import (
	"encoding/json"
	"io"
)

// The JSON form of a schema. Its names are stable: what reads it need not be of the same version.
type (
	jsonSchema struct {
		ID          string        `json:"id"`                 // "efimis-1.0"
		Name        string        `json:"name"`               // "Efimis"
		Version     string        `json:"version"`            // "1.0"
		Title       string        `json:"title"`              // for people
		Description string        `json:"description"`        // for people
		Manifest    *jsonManifest `json:"manifest,omitempty"` // of deliveries that say what their files are
		Enums       []jsonEnum    `json:"enums"`              // in the definition's order
		Tables      []jsonTable   `json:"tables"`             // parents before children
	}
	jsonManifest struct {
		File    string   `json:"file"`    // "manifest.csv"
		Name    string   `json:"name"`    // of the standard, before ".version"
		Version string   `json:"version"` // of the standard
		Delta   []string `json:"delta"`   // columns that rows of a delta must have
	}
	jsonEnum struct {
		Name        string      `json:"name"`
		Open        string      `json:"open,omitempty"` // what further values begin with; then names are stored, not numbers
		Description string      `json:"description"`
		Values      []jsonValue `json:"values"`
	}
	jsonValue struct {
		Number      int16  `json:"number"` // what is stored
		Name        string `json:"name"`   // what files may hold instead
		Description string `json:"description"`
	}
	jsonTable struct {
		Name        string       `json:"name"`        // as published, and in SQL Server
		SQLName     string       `json:"sqlName"`     // in PostgreSQL
		Prefix      string       `json:"prefix"`      // of production ids
		Group       string       `json:"group"`       // heading in the reference
		Description string       `json:"description"` //
		Key         string       `json:"key"`         // name of the key column
		File        string       `json:"file,omitempty"`
		FileNames   []string     `json:"fileNames"` // normalised: lower case, letters and digits only
		Columns     []jsonColumn `json:"columns"`   // the key first
		Unique      [][]string   `json:"unique"`    // sets of columns, compared where all are given
		Checks      []jsonCheck  `json:"checks"`    //
		Seeds       [][]*string  `json:"seeds"`     // in the order of columns
	}
	jsonColumn struct {
		Name        string   `json:"name"`                 // as published
		SQLName     string   `json:"sqlName"`              // in PostgreSQL
		Type        string   `json:"type"`                 // "text", "decimal", "reference", …
		Length      int      `json:"length,omitempty"`     // characters; absent if unbounded
		Precision   int      `json:"precision,omitempty"`  // of decimals
		Scale       *int     `json:"scale,omitempty"`      // of decimals
		Required    bool     `json:"required"`             //
		Enum        string   `json:"enum,omitempty"`       // of enum and list
		References  string   `json:"references,omitempty"` // the table referred to
		SameAs      string   `json:"sameAs,omitempty"`     // the column whose value it takes where a file has none for it
		Deletes     string   `json:"deletes,omitempty"`    // the value of rows that are to be deleted
		Description string   `json:"description"`
		Example     string   `json:"example,omitempty"`
		Headers     []string `json:"headers"` // normalised, as fileNames
	}
	jsonCheck struct {
		Name     string `json:"name"`             // the reject's code
		Kind     string `json:"kind"`             // "row", "sum" or "running"
		Severity string `json:"severity"`         // "error" or "warning"
		Column   string `json:"column,omitempty"` // to which a reject is attributed
		Message  string `json:"message"`
		Rule     string `json:"rule"` // what is compared, in words
	}
)

// WriteJSON writes the schema as an indented JSON object.
func (s *Schema) WriteJSON(w io.Writer) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// MarshalJSON is the schema as JSON, with what refers to other parts by name.
func (s *Schema) MarshalJSON() ([]byte, error) {
	out := jsonSchema{
		ID: s.ID(), Name: s.Name, Version: s.Version, Title: s.Title, Description: s.Description,
		Enums: []jsonEnum{}, Tables: []jsonTable{},
	}
	if m := s.Manifest; m != nil {
		out.Manifest = &jsonManifest{m.File, m.Name, m.Version, m.Delta}
	}
	for _, e := range s.Enums {
		values := make([]jsonValue, len(e.Values))
		for i, v := range e.Values {
			values[i] = jsonValue{v.Number, v.Name, v.Description}
		}
		out.Enums = append(out.Enums, jsonEnum{e.Name, e.Open, e.Description, values})
	}
	for _, t := range s.Tables {
		out.Tables = append(out.Tables, t.json())
	}
	return json.Marshal(out)
}

// MarshalJSON is the table as it stands in the schema's JSON.
func (t *Table) MarshalJSON() ([]byte, error) { return json.Marshal(t.json()) }

func (t *Table) json() jsonTable {
	out := jsonTable{
		Name: t.Name, SQLName: t.SQLName, Prefix: t.Prefix, Group: t.Group, Description: t.Description, Key: t.Key.Name, File: t.File,
		FileNames: t.MatchNames(), Unique: [][]string{}, Checks: []jsonCheck{}, Seeds: [][]*string{},
	}
	for _, c := range t.Columns {
		out.Columns = append(out.Columns, c.json())
	}
	for _, set := range t.Unique {
		out.Unique = append(out.Unique, columnNames(set))
	}
	for _, c := range t.Checks {
		out.Checks = append(out.Checks, jsonCheck{c.Name, c.Kind.String(), c.Severity.String(), c.Column, c.Message, c.Rule()})
	}
	for _, seed := range t.Seeds {
		out.Seeds = append(out.Seeds, seed)
	}
	return out
}

func (c *Column) json() jsonColumn {
	out := jsonColumn{
		Name: c.Name, SQLName: c.SQLName, Type: c.Kind.String(), Length: c.Length, Required: c.Required,
		Description: c.Description, Example: c.Example, Headers: c.MatchNames(),
	}
	if c.Kind == Decimal {
		scale := c.Scale
		out.Precision, out.Scale = c.Precision, &scale
	}
	if c.Enum != nil {
		out.Enum = c.Enum.Name
	}
	if c.SameAs != nil {
		out.SameAs = c.SameAs.Name
	}
	out.Deletes = c.Deletes
	if c.References != nil {
		out.References = c.References.Name
	}
	return out
}
