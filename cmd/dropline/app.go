package main

import (
	"context"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// app is one run of the program: what commands share.
type app struct {
	ctx      context.Context //nolint:containedctx // the run's own: commands are methods that kong calls without arguments
	stdin    io.Reader
	stdout   io.Writer
	stderr   io.Writer
	lookup   func(string) (string, bool)
	environ  func() []string
	terminal bool // stdout is one
	width    int  // of the terminal, in characters
	json     bool
	settings *settings
}

// cli is the command line.
type cli struct {
	JSON    bool   `help:"Write JSON for programs to standard output, and errors as JSON to standard error." name:"json"`
	Config  string `help:"Configuration file (YAML)." placeholder:"FILE"`
	DataDir string `help:"Directory of the server's data and of its operator credential." placeholder:"DIR"`

	Serve serveCmd `cmd:"" group:"server" help:"Run the server: SFTP, HTTP API and workers (Linux)."`
	Demo  demoCmd  `cmd:"" group:"server" help:"Show everything once, from an upload over SFTP to production (Linux)."`

	Tenant     tenantCmd     `cmd:"" group:"client" help:"Create, list and change tenants."`
	Credential credentialCmd `cmd:"" group:"client" help:"Add, list and revoke passwords, keys and API clients."`
	PGP        pgpCmd        `cmd:"" name:"pgp" group:"client" help:"Make and store OpenPGP keys, for files that are encrypted or signed."`
	Mapping    mappingCmd    `cmd:"" group:"client" help:"Store and show how a tenant's columns become the schema's."`
	Upload     uploadCmd     `cmd:"" group:"client" help:"Send files over HTTP."`
	Push       pushCmd       `cmd:"" group:"client" help:"Read a SQL Server database from here, and deliver it."`
	Import     importCmd     `cmd:"" group:"client" help:"Import from a database; list, show, cancel and retry imports."`
	Source     sourceCmd     `cmd:"" group:"client" help:"Store SQL Server databases and import from them."`
	Status     statusCmd     `cmd:"" group:"client" help:"Show how far an import is, and follow it."`
	Rejects    rejectsCmd    `cmd:"" group:"client" help:"Show the rows that were refused, and why."`
	Rows       rowsCmd       `cmd:"" group:"client" help:"Show the rows that were staged."`
	Promote    promoteCmd    `cmd:"" group:"client" help:"Take a staged import to production."`
	Rollback   rollbackCmd   `cmd:"" group:"client" help:"Take the last promoted import out of production again."`

	Schema schemaCmd `cmd:"" group:"files" help:"Write the schema's SQL, reference, templates or JSON."`
	Check  checkCmd  `cmd:"" group:"files" help:"Check files without a server and without a database."`
	Sample sampleCmd `cmd:"" group:"files" help:"Write a law firm's export to try things with."`

	Settings configCmd  `cmd:"" name:"config" group:"files" help:"Show the settings in force and where each comes from."`
	Version  versionCmd `cmd:"" group:"files" help:"Show the version."`
}

const description = `Dropline takes in clients' CSV exports, checks them against a published schema, and brings them to production.

Exit status: 0 done; 1 failed; 2 the command line is wrong; 3 an import was rejected, or check found faults; 130 ended by a signal.
Every command has examples: dropline COMMAND --help.`

// run parses the command line and carries it out.
func (a *app) run(ctx context.Context, args []string) error {
	var c cli
	exited := false
	parser, err := kong.New(&c,
		kong.Name("dropline"), kong.Description(description), kong.Writers(a.stdout, a.stderr),
		kong.Exit(func(int) { exited = true }), kong.Vars{"default_schema": defaultSchema()},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100, NoExpandSubcommands: true}),
		kong.ExplicitGroups([]kong.Group{
			{Key: "server", Title: "Server"},
			{Key: "client", Title: "Working with a server"},
			{Key: "files", Title: "Without a server"},
		}),
	)
	if err != nil {
		return err
	}
	// Kong prints help from a hook and then goes on as if nothing had happened, unless Exit does not return.
	if len(args) == 0 {
		args = []string{"--help"}
	}
	a.json = contains(args, "--json")
	parsed, err := parser.Parse(args)
	if exited {
		return nil
	}
	if err != nil {
		return err
	}
	a.ctx, a.json = ctx, c.JSON
	if a.settings, err = a.loadSettings(flagsOf(parsed)); err != nil {
		return err
	}
	return parsed.Run(a)
}

// flagsOf returns the flags that stand on the command line, as text.
func flagsOf(ctx *kong.Context) map[string]string {
	given := map[string]string{}
	for _, p := range ctx.Path {
		if p.Flag != nil {
			given[p.Flag.Name] = flagText(ctx.FlagValue(p.Flag))
		}
	}
	return given
}

func flagText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []string:
		return strings.Join(v, ",")
	case bool:
		if v {
			return "true"
		}
		return "false"
	}
	return ""
}

func contains(args []string, flag string) bool {
	for _, arg := range args {
		if arg == flag {
			return true
		}
	}
	return false
}
