package main

import (
	"io"
	"time"

	"dropline/api"
)

// connectionFlags name a client's database.
type connectionFlags struct {
	File      string `name:"connection-string-file" help:"File with the connection string; - is standard input." placeholder:"FILE" required:""`
	Authority string `name:"certificate-authority" help:"File (PEM) with private authorities, one of which signed the server's certificate." placeholder:"FILE"`
	Isolation string `help:"How it is read: auto, snapshot or read_committed." enum:"auto,snapshot,read_committed," default:"" placeholder:"auto"`
	Tenant    string `help:"For whom; needed with the operator's credential." placeholder:"TENANT"`
}

// request reads what the flags name.
func (c *connectionFlags) request(a *app) (api.ImportRequest, error) {
	body := api.ImportRequest{Isolation: c.Isolation}
	var err error
	if body.ConnectionString, err = a.connectionFile(c.File); err != nil {
		return body, err
	}
	body.CertificateAuthority, err = a.authorityFile(c.Authority)
	return body, err
}

// followFlags say what becomes of work that was begun.
type followFlags struct {
	Wait    bool          `help:"Wait until it is staged, rejected, failed or cancelled, and show its receipt." xor:"follow"`
	Watch   bool          `help:"Follow it as dropline status --watch does." short:"w" xor:"follow"`
	Timeout time.Duration `help:"With --wait or --watch: give up after so long." placeholder:"DURATION"`
}

// follow tells of an import that was begun, and goes along with it as was asked for.
func (c *followFlags) follow(a *app, cl *client, started api.Started) error {
	switch {
	case c.Watch:
		a.say("%s", started.RequestID)
		s, err := a.watch(cl, started.RequestID, c.Timeout)
		if err != nil {
			return err
		}
		return outcome(s)
	case c.Wait:
		quiet := *a // with --json the one object at the end is the answer
		quiet.json, quiet.terminal, quiet.stdout = false, false, io.Discard
		s, err := quiet.watch(cl, started.RequestID, c.Timeout)
		if err != nil {
			return err
		}
		if err := a.emit(s, func(w io.Writer) { showReceipt(w, s) }); err != nil {
			return err
		}
		return outcome(s)
	}
	return a.emit(started, func(w io.Writer) {
		put(w, "%s\nfollow it: dropline status --watch %s\n", started.Message, started.RequestID)
	})
}

// importRunCmd imports from a database. Its name can be left out.
type importRunCmd struct {
	connectionFlags
	DryRun bool `help:"Only say what an import would find; nothing is stored."`
	followFlags
}

// Help is kong's long text.
func (importRunCmd) Help() string {
	return `Imports the tables of the ETL schema that a SQL Server database has, into staging, as files are. The server connects to it; one
that it cannot reach is read at the client's with dropline push. The word run may be left out.

` + connectionHelp + `

The server keeps it encrypted, and only until the import is staged or rejected, or a week after it failed or was cancelled, in
which it can be retried. With --wait and --watch the exit status is that of dropline status --watch: 0 staged, 3 rejected, 1
failed or cancelled.

Examples:

  dropline import --connection-string-file practice.txt --tenant acme --wait
  dropline import --connection-string-file practice.txt --tenant acme --dry-run
  pass show acme/sql | dropline import --connection-string-file - --tenant acme --isolation snapshot --watch`
}

// Run carries the command out.
func (c *importRunCmd) Run(a *app) error {
	if c.DryRun {
		if c.Wait || c.Watch {
			return usageError("leave out --wait and --watch", "a dry run begins nothing that could be followed")
		}
		return c.dryRun(a)
	}
	body, err := c.request(a)
	if err != nil {
		return err
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	var started api.Started
	if err := cl.postFor(c.Tenant, "/etl/import", body, &started); err != nil {
		return err
	}
	return c.follow(a, cl, started)
}

// importDryRunCmd says what an import would find.
type importDryRunCmd struct {
	connectionFlags
}

// Help is kong's long text.
func (importDryRunCmd) Help() string {
	return `Connects to a SQL Server database, as an import would, and says what it has of the ETL schema, what is missing, what would be
ignored and what would be refused, and what becomes of the first rows of each table. Nothing is stored. What is checked across
rows (keys, references) is seen by an import only. Exit status: 0 an import would load; 3 it would be rejected; 1 the database
cannot be read.

` + connectionHelp + `

Examples:

  dropline import dry-run --connection-string-file practice.txt --tenant acme
  dropline import dry-run --connection-string-file practice.txt --certificate-authority company-ca.pem --json`
}

// Run carries the command out.
func (c *importDryRunCmd) Run(a *app) error { return c.dryRun(a) }

func (c *connectionFlags) dryRun(a *app) error {
	body, err := c.request(a)
	if err != nil {
		return err
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	return a.dryRun(cl, c.Tenant, "/etl/import/dry-run", body)
}

// dryRun asks for a dry run and shows it.
func (a *app) dryRun(cl *client, tenant, path string, body any) error {
	var found api.DryRun
	if err := cl.postFor(tenant, path, body, &found); err != nil {
		return err
	}
	if err := a.emit(found, func(w io.Writer) { showDryRun(w, &found) }); err != nil {
		return err
	}
	if !found.Loads {
		return faultsFound()
	}
	return nil
}
