package main

// demoCmd shows everything once.
type demoCmd struct {
	Data    string `help:"Directory with your own files in place of a sample." placeholder:"DIR"`
	Mapping string `help:"Mapping file (YAML) for them." placeholder:"FILE"`
	Schema  string `help:"ETL schema." default:"${default_schema}" placeholder:"ID"`
	Verbose bool   `help:"Show the server's log too." short:"v"`
}

// Help is kong's long text.
func (demoCmd) Help() string {
	return `Shows everything once, on a server of its own: starts it, creates a tenant with a key pair and a password, makes a sample
export with a few spoiled rows, uploads it with OpenSSH's sftp, waits, shows the receipt with the refused rows, promotes, and
shows what is in production. Before each step stands the command that a person would type for it.

With --data, your own files are taken in place of a sample. Its data is in a temporary directory that is removed at the end,
unless --data-dir names one to keep; a database, bucket or data directory that is configured is not touched. Of your directory, files that are no text tables by their extension are left out. Exit status 3 if your files were rejected.

Examples:

  dropline demo
  dropline demo --data ./chinook --mapping docs/examples/chinook.yaml
  dropline demo --data-dir ./demo-data`
}
