package main

import (
	"io"

	"dropline/schema"
)

// schemaGrantsCmd writes the grants of a read-only login.
type schemaGrantsCmd struct {
	schemaChoice
	Login     string `help:"Name of the login and of its user (dropline_reader)." placeholder:"NAME"`
	Database  string `help:"Database with the tables; without, the one in which the script is run." placeholder:"NAME"`
	SQLSchema string `help:"The tables' schema in SQL Server (dbo)." name:"sql-schema" placeholder:"NAME"`
	Azure     bool   `help:"For Azure SQL Database: a user with a password of its own, and no login."`
	Output    string `help:"Write a file into this directory in place of standard output." short:"o" placeholder:"DIR"`
}

// Help is kong's long text.
func (schemaGrantsCmd) Help() string {
	return `Writes the SQL by which a database's owner makes a login for imports: it may connect, and SELECT from those tables of the
schema that are there. It can be run any number of times. The script has no password: until somebody writes one in place of
<password>, running it is a syntax error.

Examples:

  dropline schema grants --database Practice > grants.sql
  sqlcmd -S server -b -i grants.sql
  dropline schema grants --azure --login etl_reader --sql-schema export`
}

// Run carries the command out.
func (c *schemaGrantsCmd) Run(a *app) error {
	s, err := c.choose(a)
	if err != nil {
		return err
	}
	script, err := s.GrantScript(schema.GrantOptions{Login: c.Login, Database: c.Database, SQLSchema: c.SQLSchema, Azure: c.Azure})
	if err != nil {
		return usageError("name another; names are taken as they are, without brackets", "%v", err)
	}
	return a.write(c.Output, s.FileStem()+".grants.sql", func(w io.Writer) error {
		_, err := io.WriteString(w, script)
		return err
	})
}
