package main

import (
	"errors"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"dropline/ingest"
	"dropline/ingest/mssql"
	"dropline/internal/push"
	"dropline/loader"
)

// pushCmd reads a database here and delivers it.
type pushCmd struct {
	File      string `name:"connection-string-file" help:"File with the connection string; - is standard input." placeholder:"FILE" required:""`
	Authority string `name:"certificate-authority" help:"Certificates (PEM) of a private authority that signed the database server's." placeholder:"FILE"`

	URL    string `name:"url" help:"Server to deliver to over HTTPS, with DROPLINE_CLIENT_ID and DROPLINE_CLIENT_SECRET." placeholder:"URL"`
	Tenant string `help:"For whom; needed with the operator's credential." placeholder:"TENANT"`

	SFTP         string `name:"sftp" help:"Server to deliver to over SFTP, in place of HTTPS." placeholder:"HOST:PORT"`
	SFTPUser     string `name:"sftp-user" help:"The tenant, as SFTP's user." placeholder:"TENANT"`
	KeyFile      string `help:"Private key for SFTP; a passphrase is in DROPLINE_SFTP_PASSPHRASE." placeholder:"FILE"`
	PasswordFile string `help:"File with the password for SFTP; else it is in DROPLINE_SFTP_PASSWORD." placeholder:"FILE"`
	HostKey      string `help:"Fingerprint of the SFTP server's host key." placeholder:"SHA256:…"`
	KnownHosts   string `help:"File with the SFTP server's host key, as OpenSSH has it." placeholder:"FILE"`

	schemaChoice
	Mapping   string `help:"Mapping file (YAML) that says what is read; over HTTPS the tenant's own is known." placeholder:"FILE"`
	Isolation string `help:"auto, snapshot or read_committed." enum:"auto,snapshot,read_committed" default:"auto" placeholder:"LEVEL"`
	Sessions  int    `help:"Connections to the database at a time, 1 to 32; under a snapshot there is one." default:"3" placeholder:"N"`
	PartRows  int64  `help:"Rows of a part of a large table." default:"500000" placeholder:"N"`

	State   string `help:"File that remembers what was delivered; without, one below the user's state directory." placeholder:"FILE"`
	Changes bool   `help:"Read only what has changed since it was last imported, where the tables allow it."`
	Restart bool   `help:"Forget what earlier runs delivered, and begin anew."`
	Watch   bool   `help:"Follow the import until it is staged (HTTPS)." short:"w"`
	DryRun  bool   `help:"Say what would be read and what would be refused; deliver nothing."`
}

// Help is kong's long text.
func (pushCmd) Help() string {
	return `Reads a SQL Server database from here, where it can be reached, and delivers its tables over HTTPS or SFTP as one batch, from
which the server makes one import. Nothing is written to this machine but a state file, which holds no data and no secret: a
run that was interrupted goes on where it stopped, and --changes reads on from what has been imported. Schedule it with cron
or Windows' Task Scheduler; two runs at once are kept from each other. docs/push.md describes it for the database's administrator.

Exit status: 0 delivered, or nothing was new; 3 a table cannot be read as it is, and nothing was delivered, or with --watch
the import was rejected; 1 failed: run it again.

Examples:

  dropline push --connection-string-file practice.txt --url https://dropline.example.com
  dropline push --connection-string-file practice.txt --sftp sftp.example.com:22 --sftp-user acme --key-file id_ed25519 \
    --host-key SHA256:W6iZ… --changes
  dropline push --connection-string-file practice.txt --dry-run`
}

// Run carries the command out.
func (c *pushCmd) Run(a *app) error {
	cfg, cl, err := c.config(a)
	if err != nil {
		return err
	}
	if c.DryRun {
		found, err := push.DryRun(a.ctx, cfg)
		if err != nil {
			return err
		}
		return c.showFound(a, found)
	}
	bar := a.pushBar()
	cfg.Say, cfg.Progress = bar.say, bar.update
	result, err := push.Run(a.ctx, cfg)
	bar.end()
	var refused *push.Refused
	switch {
	case errors.As(err, &refused):
		return refusedTables(refused.Relations)
	case err != nil && a.ctx.Err() != nil:
		return a.ctx.Err()
	case err != nil:
		return err
	}
	if !c.Watch || result.RequestID == "" {
		return a.emit(result, func(w io.Writer) { showPushed(w, result) })
	}
	if err := c.emitBefore(a, result); err != nil {
		return err
	}
	s, err := a.watch(cl, result.RequestID, 0)
	if err != nil {
		return err
	}
	return outcome(s)
}

// emitBefore writes the result before the import is followed, on a line where lines of JSON follow.
func (*pushCmd) emitBefore(a *app, result *push.Result) error {
	if a.json {
		return a.emitLine(result)
	}
	showPushed(a.stdout, result)
	return nil
}

// config is what the flags and settings say.
func (c *pushCmd) config(a *app) (push.Config, *client, error) {
	cfg := push.Config{Isolation: c.Isolation, Changes: c.Changes, Restart: c.Restart}
	cfg.Databases = loader.Databases{Sessions: c.Sessions, PartRows: c.PartRows}
	if c.Sessions < 1 || c.Sessions > 32 || c.PartRows < 1 {
		return cfg, nil, usageError("such as --sessions 3 --part-rows 500000", "the number of sessions or rows is out of range")
	}
	if c.URL != "" && c.SFTP != "" {
		return cfg, nil, usageError("leave one out", "both --url and --sftp are given")
	}
	if c.Watch && c.SFTP != "" {
		return cfg, nil, usageError("look into /reports, or push over HTTPS", "over SFTP an import cannot be followed")
	}
	text, err := a.connectionFile(c.File)
	if err != nil {
		return cfg, nil, err
	}
	cfg.Secret.ConnectionString = text
	conn, err := mssql.Parse(text, true)
	if err != nil {
		return cfg, nil, err
	}
	if cfg.Secret.CertificateAuthority, err = a.authorityFile(c.Authority); err != nil {
		return cfg, nil, err
	}
	if cfg.Schema, err = c.choose(a); err != nil {
		return cfg, nil, err
	}
	if c.Mapping != "" {
		if _, err := readMapping(c.Mapping, cfg.Schema); err != nil {
			return cfg, nil, err
		}
		if cfg.Mapping, err = readBounded(c.Mapping, maxMappingFile); err != nil {
			return cfg, nil, err
		}
	}
	var cl *client
	place := "sftp://" + c.SFTPUser + "@" + c.SFTP
	if c.SFTP != "" {
		cfg.SFTP, err = c.sftp(a)
	} else if cl, err = a.pushClient(); err == nil {
		cfg.HTTPS = &push.HTTPS{
			URL: cl.base, ClientID: cl.id, ClientSecret: cl.secret, Tenant: c.Tenant, Client: cl.http, UserAgent: "dropline/" + version,
		}
		place = cl.base + "/" + c.Tenant
	}
	if cfg.State = c.State; cfg.State == "" {
		cfg.State = filepath.Join(a.stateDir(), "push", push.StateName(conn.Server(), conn.Database(), place))
	}
	return cfg, cl, err
}

// pushClient is the client of the server that a push goes to. At a client's site there is no server's data directory to speak of.
func (a *app) pushClient() (*client, error) {
	cl, err := a.client()
	var f *failure
	if err != nil && errors.As(err, &f) && a.settings.text(keyClientID) == "" {
		f.message = "it is not said where to deliver, or as whom"
		f.hint = "over HTTPS: --url https://… with DROPLINE_CLIENT_ID and DROPLINE_CLIENT_SECRET in the environment; over SFTP: --sftp HOST:PORT --sftp-user TENANT --key-file FILE --host-key SHA256:…"
	}
	return cl, err
}

func refusedTables(list []ingest.RefusedRelation) error {
	f := &failure{
		message: "nothing was delivered: " + plural(int64(len(list)), "table", "tables") + " cannot be read as they are", status: exitFaults,
		hint: "see to them, or leave them out in the mapping's database, and run it again",
	}
	for _, r := range list {
		f.details = append(f.details, printable(r.Name, maxText)+": "+printable(r.Message, maxText)+" ("+r.Code+")")
	}
	return f
}

// showPushed writes a push for people.
func showPushed(w io.Writer, r *push.Result) {
	rows := make([][]string, 0, len(r.Relations))
	for _, rel := range r.Relations {
		what := "all"
		if rel.Since != "" {
			to, _, _ := strings.Cut(rel.Since, ".") // the seconds are enough for people
			what = "since " + to
		}
		rows = append(rows, []string{rel.Name, rel.Table, what, thousands(rel.Rows), strconv.Itoa(rel.Files), size(rel.Bytes)})
	}
	table(w, []string{"RELATION", "TABLE", "READ", "ROWS", "FILES", "SENT"}, rows)
	if len(r.Missing) > 0 {
		put(w, "not in the database: %s\n", printable(strings.Join(r.Missing, ", "), maxText))
	}
	for _, note := range r.Notes {
		put(w, "note: %s\n", printable(note, maxText))
	}
	put(w, "%s, %s in %s, read under %s", plural(r.Rows, "row", "rows"), size(r.Bytes), plural(int64(r.Files), "file", "files"),
		printable(r.Isolation, maxCell))
	if r.IsolationNote != "" {
		put(w, " (%s)", printable(r.IsolationNote, maxText))
	}
	put(w, "\n")
	switch {
	case r.Files == 0:
		put(w, "nothing has changed: nothing was delivered\n")
	case r.NothingNew:
		put(w, "nothing new: every file equals what was delivered before\n")
	case r.RequestID != "":
		put(w, "delivered to %s: %s\n", r.Destination, r.RequestID)
	default:
		put(w, "delivered to %s; the server makes an import of it when its quiet period is over\n", r.Destination)
	}
}
