package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"dropline/ingest"
	"dropline/schema"
)

// schemaCmd writes what follows from a schema definition.
type schemaCmd struct {
	List      schemaListCmd      `cmd:"" help:"List the schemas and their tables."`
	SQL       schemaSQLCmd       `cmd:"" name:"sql" help:"Write the tables' SQL, for SQL Server unless told otherwise."`
	Grants    schemaGrantsCmd    `cmd:"" help:"Write the SQL that makes a login for SQL Server which may read the tables, and nothing else."`
	Reference schemaReferenceCmd `cmd:"" help:"Write the reference: every table, column, enumeration and check."`
	Template  schemaTemplateCmd  `cmd:"" help:"Write empty CSV files with the header of each table."`
	JSON      schemaJSONCmd      `cmd:"" name:"json" help:"Write the schema as JSON."`
}

// Help is kong's long text.
func (schemaCmd) Help() string {
	return `Writes what follows from a schema definition. Without --schema it is Efimis-1.0; --definition reads one from a file,
and a faulty one is refused with file, line and reason.

Examples:

  dropline schema list
  dropline schema sql > Efimis-1.0.sql
  dropline schema grants --database Practice > grants.sql
  dropline schema reference --output reference
  dropline schema template Matter
  dropline schema json --definition our-schema.yaml`
}

// schemaChoice is the schema a command is about.
type schemaChoice struct {
	Schema     string `help:"Schema to use (efimis-1.0)." default:"${default_schema}" placeholder:"ID"`
	Definition string `help:"Read the schema's definition from this file (YAML)." placeholder:"FILE" type:"path"`
}

// choose returns the schema; definitions in the settings are known too.
func (c *schemaChoice) choose(a *app) (*schema.Schema, error) {
	if c.Definition != "" {
		return readDefinition(c.Definition)
	}
	all, err := a.catalogue()
	if err != nil {
		return nil, err
	}
	if s, ok := all.Lookup(c.Schema); ok {
		return s, nil
	}
	var known []string
	for _, s := range all.All() {
		known = append(known, s.ID())
	}
	return nil, usageError("there are: "+strings.Join(known, ", "), "there is no schema %q", c.Schema)
}

func readDefinition(path string) (*schema.Schema, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer quietly(f.Close)
	s, err := schema.Parse(path, f)
	if err != nil {
		return nil, definitionFailure(err)
	}
	return s, nil
}

// definitionFailure lists the faults of a definition, one a line.
func definitionFailure(err error) error {
	f := &failure{message: "the schema definition is faulty", hint: "correct the lines named", status: exitFaults, cause: err}
	var faults schema.Faults
	if !errors.As(err, &faults) {
		f.message, f.hint = err.Error(), "see a definition that is right: dropline schema json"
		return f
	}
	for _, fault := range faults {
		f.details = append(f.details, fault.String())
	}
	return f
}

// catalogue holds the built-in schemas and those of the settings.
func (a *app) catalogue() (*schema.Catalogue, error) {
	all := schema.NewCatalogue()
	for _, path := range a.settings.list(keySchemas) {
		if _, err := all.LoadFile(path); err != nil {
			return nil, definitionFailure(err)
		}
	}
	return all, nil
}

// write puts what fill writes on standard output or into a file of that name in the output directory.
func (a *app) write(output, name string, fill func(io.Writer) error) error {
	if output == "" {
		var b bytes.Buffer // so that an error leaves no half of it behind a pipe
		if err := fill(&b); err != nil {
			return err
		}
		_, err := b.WriteTo(a.stdout)
		return err
	}
	if err := os.MkdirAll(output, 0o777); err != nil {
		return err
	}
	path := filepath.Join(output, name)
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := errors.Join(fill(f), f.Close()); err != nil {
		return err
	}
	if a.json {
		return a.emitLine(map[string]string{"file": path})
	}
	a.say("wrote %s", path)
	return nil
}

// schemaListCmd lists schemas.
type schemaListCmd struct {
	Definition string `help:"Also list the schema defined in this file." placeholder:"FILE" type:"path"`
}

// Help is kong's long text.
func (schemaListCmd) Help() string {
	return `Lists the schemas that are known, with their tables, columns and checks counted.

Examples:

  dropline schema list
  dropline schema list --json`
}

// Run carries the command out.
func (c *schemaListCmd) Run(a *app) error {
	all, err := a.catalogue()
	if err != nil {
		return err
	}
	if c.Definition != "" {
		if _, err := all.LoadFile(c.Definition); err != nil {
			return definitionFailure(err)
		}
	}
	type tableInfo struct {
		Name     string   `json:"name"`
		Group    string   `json:"group"`
		Columns  int      `json:"columns"`
		Required []string `json:"required"`
		Checks   int      `json:"checks"`
		Seeds    int      `json:"seedRows"`
	}
	type schemaInfo struct {
		ID     string      `json:"id"`
		Title  string      `json:"title"`
		Tables []tableInfo `json:"tables"`
	}
	var out []schemaInfo
	for _, s := range all.All() {
		info := schemaInfo{ID: s.ID(), Title: s.Title}
		for _, t := range s.Tables {
			ti := tableInfo{t.Name, t.Group, len(t.Columns), nil, len(t.Checks), len(t.Seeds)}
			for _, col := range t.Columns {
				if col.Required {
					ti.Required = append(ti.Required, col.Name)
				}
			}
			info.Tables = append(info.Tables, ti)
		}
		out = append(out, info)
	}
	return a.emit(out, func(w io.Writer) {
		for _, s := range out {
			put(w, "%s  %s\n", s.ID, s.Title)
			var rows [][]string
			for _, t := range s.Tables {
				rows = append(rows, []string{"  " + t.Name, t.Group, fmt.Sprint(t.Columns), fmt.Sprint(t.Checks), fmt.Sprint(t.Seeds), strings.Join(t.Required, " ")})
			}
			wideTable(w, []string{"  TABLE", "GROUP", "COLUMNS", "CHECKS", "SEED ROWS", "REQUIRED"}, rows)
		}
	})
}

// schemaSQLCmd writes DDL.
type schemaSQLCmd struct {
	schemaChoice
	Postgres bool   `help:"PostgreSQL, as staging and production have it, in place of SQL Server." xor:"dialect"`
	Output   string `help:"Write a file into this directory in place of standard output." short:"o" placeholder:"DIR"`
}

// Help is kong's long text.
func (schemaSQLCmd) Help() string {
	return `Writes the SQL that makes the empty tables. For SQL Server 2016 and later it can be run any number of times: what is
there already is left alone. For PostgreSQL it is for reading: the server makes its tables itself.

Examples:

  dropline schema sql > Efimis-1.0.sql
  sqlcmd -S server -d database -i Efimis-1.0.sql
  dropline schema sql --postgres --output ddl`
}

// Run carries the command out.
func (c *schemaSQLCmd) Run(a *app) error {
	s, err := c.choose(a)
	if err != nil {
		return err
	}
	if c.Postgres {
		return a.write(c.Output, s.FileStem()+".postgres.sql", func(w io.Writer) error {
			return s.WritePostgresDDL(w, "staging_tenant", "production_tenant")
		})
	}
	return a.write(c.Output, s.FileStem()+".sql", s.WriteTSQL)
}

// schemaReferenceCmd writes the reference.
type schemaReferenceCmd struct {
	schemaChoice
	Table    string `arg:"" optional:"" help:"Only this table."`
	Markdown bool   `help:"Markdown in place of HTML."`
	Output   string `help:"Write an index and a page per table into this directory." short:"o" placeholder:"DIR"`
}

// Help is kong's long text.
func (schemaReferenceCmd) Help() string {
	return `Writes the reference of a schema: what each table and column means, its type, whether it is required, what it refers
to, the numbers of enumerations, the checks, and the names that files and headers may carry. Pages need no network.
Without --output all of it goes to standard output as one page.

Examples:

  dropline schema reference --output reference
  dropline schema reference WorkItem --markdown
  dropline schema reference > Efimis-1.0.html`
}

// Run carries the command out.
func (c *schemaReferenceCmd) Run(a *app) error {
	s, err := c.choose(a)
	if err != nil {
		return err
	}
	extension, whole, index := ".html", s.WriteReferenceHTML, s.WriteIndexHTML
	page := (*schema.Table).WriteReferenceHTML
	if c.Markdown {
		extension, whole, index = ".md", s.WriteReferenceMarkdown, s.WriteIndexMarkdown
		page = (*schema.Table).WriteReferenceMarkdown
	}
	if c.Table != "" {
		t, err := tableOf(s, c.Table)
		if err != nil {
			return err
		}
		return a.write(c.Output, t.Name+extension, func(w io.Writer) error { return page(t, w) })
	}
	if c.Output == "" {
		return a.write("", "", whole)
	}
	if err := a.write(c.Output, "index"+extension, index); err != nil {
		return err
	}
	for _, t := range s.Tables {
		if err := a.write(c.Output, t.Name+extension, func(w io.Writer) error { return page(t, w) }); err != nil {
			return err
		}
	}
	return nil
}

// schemaTemplateCmd writes CSV templates.
type schemaTemplateCmd struct {
	schemaChoice
	Tables []string `arg:"" optional:"" help:"Tables; all of them if none is named." name:"table"`
	Output string   `help:"Write a file per table into this directory." short:"o" placeholder:"DIR"`
}

// Help is kong's long text.
func (schemaTemplateCmd) Help() string {
	return `Writes an empty CSV file per table: the header with every column, in order. A single table goes to standard output
unless --output is given.

Examples:

  dropline schema template Matter > Matter.csv
  dropline schema template --output templates`
}

// Run carries the command out.
func (c *schemaTemplateCmd) Run(a *app) error {
	s, err := c.choose(a)
	if err != nil {
		return err
	}
	tables := s.Tables
	if len(c.Tables) > 0 {
		tables = nil
		for _, name := range c.Tables {
			t, err := tableOf(s, name)
			if err != nil {
				return err
			}
			tables = append(tables, t)
		}
	}
	if len(tables) > 1 && c.Output == "" {
		return usageError("such as --output templates", "several templates need a directory to be written to")
	}
	for _, t := range tables {
		if err := a.write(c.Output, t.TemplateName(), t.WriteTemplate); err != nil {
			return err
		}
	}
	return nil
}

// schemaJSONCmd writes the schema as JSON.
type schemaJSONCmd struct {
	schemaChoice
	Output string `help:"Write a file into this directory in place of standard output." short:"o" placeholder:"DIR"`
}

// Help is kong's long text.
func (schemaJSONCmd) Help() string {
	return `Writes the whole schema as JSON, for programs.

Examples:

  dropline schema json | jq '.tables[].name'
  dropline schema json --definition our-schema.yaml --output .`
}

// Run carries the command out.
func (c *schemaJSONCmd) Run(a *app) error {
	s, err := c.choose(a)
	if err != nil {
		return err
	}
	return a.write(c.Output, s.FileStem()+".json", s.WriteJSON)
}

// tableOf finds a table by its published name or that of its files, whatever the case.
func tableOf(s *schema.Schema, name string) (*schema.Table, error) {
	for _, t := range s.Tables {
		if strings.EqualFold(t.Name, name) || t.File != "" && strings.EqualFold(t.File, name) {
			return t, nil
		}
	}
	return nil, usageError("dropline schema list names the tables", "schema %s has no table %q", s.ID(), name)
}

// defaultSchema is what --schema is unless given.
func defaultSchema() string { return ingest.DefaultSchema }
