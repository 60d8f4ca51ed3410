package main

import (
	"io"

	"dropline/api"
)

// importRerunCmd loads an import's files again.
type importRerunCmd struct {
	namedImport
	MappingVersion *int `help:"Under this version of the mapping in place of the latest; 0 is none." placeholder:"N"`
}

// Help is kong's long text.
func (importRerunCmd) Help() string {
	return `Makes a new import of an import's stored files, under the latest version of the tenant's mapping: nothing has to be sent
again. The old import stays on record, and each shows the other. One that is staged or unmapped is cancelled by it, since it
would be promoted first; what is in production stays there until the new one is promoted. An import that read a database is
not run again: import from the database instead.

Examples:

  dropline import rerun latest --tenant acme
  dropline import rerun import_0123456789abcdef0123456789abcdef --mapping-version 3`
}

// Run carries the command out.
func (c *importRerunCmd) Run(a *app) error {
	cl, id, err := c.find(a)
	if err != nil {
		return err
	}
	var started api.Started
	if err := cl.post(pathf("/etl/imports/%s/rerun", id), api.RerunRequest{MappingVersion: c.MappingVersion}, &started); err != nil {
		return err
	}
	return a.emit(started, func(w io.Writer) {
		put(w, "%s (%s)\n", started.Message, started.RequestID)
		put(w, "next: dropline status %s --watch\n", started.RequestID)
	})
}

// importProposalCmd shows what was proposed for an import.
type importProposalCmd struct {
	importChoice
}

// Help is kong's long text.
func (importProposalCmd) Help() string {
	return `Writes the mapping that was proposed for an import whose files were not understood to standard output, with a confidence and
a reason for each line; what it leaves open goes to standard error. Try it with dropline mapping preview, correct it, and store
it with dropline mapping put: then the import goes on by itself.

Examples:

  dropline import proposal latest --tenant acme > acme.yaml
  dropline import proposal latest --json | jq '.lines[] | select(.confidence < 0.9)'`
}

// Run carries the command out.
func (c *importProposalCmd) Run(a *app) error {
	cl, id, err := c.find(a)
	if err != nil {
		return err
	}
	var p api.Proposal
	if err := cl.get(pathf("/etl/imports/%s/proposal", id), nil, &p); err != nil {
		return err
	}
	return a.emit(p, func(w io.Writer) {
		_, _ = io.WriteString(w, p.Mapping)
		for _, q := range p.Open {
			where := q.File
			for _, part := range []string{q.Table, q.Column, q.Header} {
				if part != "" {
					where += ", " + part
				}
			}
			a.say("open: %s: %s", printable(where, maxText), printable(q.Text, maxText))
		}
	})
}
