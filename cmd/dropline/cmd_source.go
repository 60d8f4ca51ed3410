package main

import (
	"io"

	"dropline/api"
	"dropline/ingest"
)

// sourceCmd is about stored databases.
type sourceCmd struct {
	Add    sourceAddCmd    `cmd:"" help:"Store a database to import from."`
	List   sourceListCmd   `cmd:"" help:"List stored databases."`
	Show   sourceShowCmd   `cmd:"" help:"Show a stored database."`
	Change sourceChangeCmd `cmd:"" help:"Change a stored database's name, connection string or isolation."`
	Remove sourceRemoveCmd `cmd:"" help:"Forget a stored database and its connection string."`
	Import sourceImportCmd `cmd:"" help:"Import what has changed in a stored database."`
	DryRun sourceDryRunCmd `cmd:"" help:"Say what an import from a stored database would find."`
}

// Help is kong's long text.
func (sourceCmd) Help() string {
	return `A source is a SQL Server database that is stored to be imported from again. Its connection string is kept encrypted and never
shown. It is named by its name or its id.

Examples:

  dropline source add Practice --connection-string-file practice.txt --tenant acme
  dropline source import Practice --tenant acme --watch
  dropline source list --tenant acme`
}

// namedSource names a source.
type namedSource struct {
	Source string `arg:"" help:"The source: its name or its id."`
	Tenant string `help:"Whose; needed with the operator's credential." placeholder:"TENANT"`
}

// find returns the path of the source that is meant, and a client that asks about it.
func (c *namedSource) find(a *app) (*client, string, error) {
	cl, err := a.client()
	if err != nil {
		return nil, "", err
	}
	id := c.Source
	if !ingest.SourceID(id).Valid() {
		if id, err = c.idOf(cl); err != nil {
			return nil, "", err
		}
	}
	return cl, pathf("/etl/sources/%s", id), nil
}

func (c *namedSource) idOf(cl *client) (string, error) {
	var list api.SourceList
	if err := cl.get("/etl/sources", tenantQuery(c.Tenant), &list); err != nil {
		return "", err
	}
	for i := range list.Items {
		if list.Items[i].Name == c.Source {
			return list.Items[i].ID, nil
		}
	}
	return "", failed("dropline source list shows their names", "there is no source %q", c.Source)
}

// sourceAddCmd stores a database.
type sourceAddCmd struct {
	Name string `arg:"" help:"What it is called; unique within the tenant."`
	connectionFlags
}

// Help is kong's long text.
func (sourceAddCmd) Help() string {
	return `Stores a SQL Server database under a name. Nothing is connected to: dropline source dry-run tries it.

` + connectionHelp + `

Examples:

  dropline source add Practice --connection-string-file practice.txt --tenant acme
  dropline source add Practice --connection-string-file practice.txt --certificate-authority company-ca.pem --isolation snapshot`
}

// Run carries the command out.
func (c *sourceAddCmd) Run(a *app) error {
	request, err := c.request(a)
	if err != nil {
		return err
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	body := api.SourceCreate{
		Name: c.Name, ConnectionString: request.ConnectionString, CertificateAuthority: request.CertificateAuthority, Isolation: request.Isolation,
	}
	var s api.Source
	if err := cl.postFor(c.Tenant, "/etl/sources", body, &s); err != nil {
		return err
	}
	return a.emit(s, func(w io.Writer) {
		put(w, "stored %s as %s\n", printable(s.Name, maxCell), s.ID)
		showSource(w, &s)
	})
}

// sourceListCmd lists sources.
type sourceListCmd struct {
	Tenant string `help:"Whose; needed with the operator's credential." placeholder:"TENANT"`
}

// Help is kong's long text.
func (sourceListCmd) Help() string {
	return `Lists the stored databases of a tenant in the order of their names.

Examples:

  dropline source list --tenant acme`
}

// Run carries the command out.
func (c *sourceListCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	var list api.SourceList
	if err := cl.get("/etl/sources", tenantQuery(c.Tenant), &list); err != nil {
		return err
	}
	return a.emit(list.Items, func(w io.Writer) {
		rows := make([][]string, 0, len(list.Items))
		for i := range list.Items {
			s := &list.Items[i]
			rows = append(rows, []string{s.Name, s.ID, s.Server, s.Database, s.Isolation, s.LastImport})
		}
		table(w, []string{"NAME", "SOURCE", "SERVER", "DATABASE", "ISOLATION", "LAST IMPORT"}, rows)
	})
}

// sourceShowCmd shows a source.
type sourceShowCmd struct {
	namedSource
}

// Help is kong's long text.
func (sourceShowCmd) Help() string {
	return `Shows a stored database, without its connection string.

Examples:

  dropline source show Practice --tenant acme --json`
}

// Run carries the command out.
func (c *sourceShowCmd) Run(a *app) error {
	cl, path, err := c.find(a)
	if err != nil {
		return err
	}
	var s api.Source
	if err := cl.get(path, tenantQuery(c.Tenant), &s); err != nil {
		return err
	}
	return a.emit(s, func(w io.Writer) {
		put(w, "%s  %s  tenant %s\n", printable(s.Name, maxCell), s.ID, s.Tenant)
		showSource(w, &s)
	})
}

func showSource(w io.Writer, s *api.Source) {
	put(w, "  database     %s on %s\n", printable(s.Database, maxCell), printable(s.Server, maxCell))
	put(w, "  isolation    %s\n", s.Isolation)
	put(w, "  created      %s by %s\n", moment(&s.CreatedAt), printable(s.CreatedBy, maxCell))
	if !s.ChangedAt.Equal(s.CreatedAt) {
		put(w, "  changed      %s\n", moment(&s.ChangedAt))
	}
	if s.LastImport != "" {
		put(w, "  last import  %s\n", s.LastImport)
	}
}

// sourceImportCmd imports from a source.
type sourceImportCmd struct {
	namedSource
	Full bool `help:"Read everything, not what has changed since the last import."`
	followFlags
}

// Help is kong's long text.
func (sourceImportCmd) Help() string {
	return `Imports from a stored database: of tables with a row version or a column of the last change, the rows that changed since its
last import that is staged or promoted; all rows of the others. Rows deleted there are seen by neither.

Examples:

  dropline source import Practice --tenant acme --watch
  dropline source import Practice --tenant acme --full --wait`
}

// Run carries the command out.
func (c *sourceImportCmd) Run(a *app) error {
	cl, path, err := c.find(a)
	if err != nil {
		return err
	}
	var started api.Started
	if err := cl.postFor(c.Tenant, path+"/import", api.SourceImport{Full: c.Full}, &started); err != nil {
		return err
	}
	return c.follow(a, cl, started)
}

// sourceDryRunCmd says what an import from a source would find.
type sourceDryRunCmd struct {
	namedSource
}

// Help is kong's long text.
func (sourceDryRunCmd) Help() string {
	return `Connects to a stored database and says what an import would find, as dropline import dry-run does. Nothing is stored. Exit
status: 0 an import would load; 3 it would be rejected; 1 the database cannot be read.

Examples:

  dropline source dry-run Practice --tenant acme`
}

// Run carries the command out.
func (c *sourceDryRunCmd) Run(a *app) error {
	cl, path, err := c.find(a)
	if err != nil {
		return err
	}
	return a.dryRun(cl, c.Tenant, path+"/dry-run", nil)
}
