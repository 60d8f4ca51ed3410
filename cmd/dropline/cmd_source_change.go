package main

import (
	"io"
	"net/http"

	"dropline/api"
)

// sourceChangeCmd changes a source.
type sourceChangeCmd struct {
	namedSource
	Name      *string `help:"Its new name." placeholder:"NAME"`
	File      string  `name:"connection-string-file" help:"File with its new connection string; - is standard input." placeholder:"FILE"`
	Authority string  `name:"certificate-authority" help:"With a new connection string: file (PEM) with private authorities." placeholder:"FILE"`
	Isolation string  `help:"How it is read: auto, snapshot or read_committed." enum:"auto,snapshot,read_committed," default:"" placeholder:"auto"`
}

// Help is kong's long text.
func (sourceChangeCmd) Help() string {
	return `Changes what is given. A new connection string takes the place of the old one and of its certificate authorities.

` + connectionHelp + `

Examples:

  dropline source change Practice --tenant acme --connection-string-file new.txt
  dropline source change Practice --tenant acme --name "Practice, main office" --isolation snapshot`
}

// Run carries the command out.
func (c *sourceChangeCmd) Run(a *app) error {
	body := api.SourceChange{Name: c.Name}
	if c.Isolation != "" {
		body.Isolation = &c.Isolation
	}
	if c.File != "" {
		text, err := a.connectionFile(c.File)
		if err != nil {
			return err
		}
		body.ConnectionString = &text
	}
	if c.Authority != "" {
		authority, err := a.authorityFile(c.Authority)
		if err != nil {
			return err
		}
		body.CertificateAuthority = &authority
	}
	if body == (api.SourceChange{}) {
		return usageError("dropline source change --help shows what can be", "there is nothing to change")
	}
	cl, path, err := c.find(a)
	if err != nil {
		return err
	}
	var s api.Source
	if err := cl.call(request{method: http.MethodPatch, path: path, query: tenantQuery(c.Tenant), body: body}, &s); err != nil {
		return err
	}
	return a.emit(s, func(w io.Writer) {
		put(w, "changed %s\n", printable(s.Name, maxCell))
		showSource(w, &s)
	})
}

// sourceRemoveCmd forgets a source.
type sourceRemoveCmd struct {
	namedSource
}

// Help is kong's long text.
func (sourceRemoveCmd) Help() string {
	return `Forgets a stored database and its connection string. What was imported from it stays; an import that is under way fails
where it would have to connect again.

Examples:

  dropline source remove Practice --tenant acme`
}

// Run carries the command out.
func (c *sourceRemoveCmd) Run(a *app) error {
	cl, path, err := c.find(a)
	if err != nil {
		return err
	}
	if err := cl.call(request{method: http.MethodDelete, path: path, query: tenantQuery(c.Tenant)}, nil); err != nil {
		return err
	}
	return a.emit(map[string]string{"removed": c.Source}, func(w io.Writer) { put(w, "removed %s\n", printable(c.Source, maxCell)) })
}
