package main

// serveCmd runs the server.
type serveCmd struct {
	Roles       string `help:"What this process does: sftp, api, worker, with commas." placeholder:"ROLES"`
	SFTPListen  string `help:"Address of the SFTP server (127.0.0.1:2022)." name:"sftp-listen" placeholder:"HOST:PORT"`
	APIListen   string `help:"Address of the HTTP API (127.0.0.1:8022)." name:"api-listen" placeholder:"HOST:PORT"`
	SFTPAddress string `help:"Address that clients are told for SFTP, where it is another." name:"sftp-address" placeholder:"HOST:PORT"`
	APIURL      string `help:"URL under which clients reach the API, where it is another." name:"api-url" placeholder:"URL"`
	Workers     string `help:"Imports loaded at a time (2)." placeholder:"N"`
	Schemas     string `help:"Files with further schema definitions, with commas." placeholder:"FILE,…"`
	LogLevel    string `help:"debug, info, warn or error (info)." placeholder:"LEVEL"`
	LogFormat   string `help:"text or json (text)." placeholder:"FORMAT"`
	NewOperator bool   `help:"Make another operator credential and write it to operator.json, should the first be lost."`
}

// Help is kong's long text.
func (serveCmd) Help() string {
	return `Runs the server until SIGTERM or SIGINT: uploads in flight are finished or kept to be resumed, imports go on at the next
start. A second signal ends it at once, which loses nothing that was acknowledged.

With no configuration it starts a private PostgreSQL and an S3 server on loopback, keeps all data under the data directory
(/var/lib/dropline for root, else ~/.local/share/dropline), and listens on loopback only. With DROPLINE_DATABASE_URL it
uses that PostgreSQL (15 or later); with DROPLINE_BUCKET or AWS_ENDPOINT_URL it uses that S3 bucket, with the usual AWS_…
variables, profiles or instance roles. Several processes with the same two may share the roles among them.

At the first start a credential for the operator is written to operator.json in the data directory (mode 0600) and shown
once. The client commands find it there. Where it listens is in server.json while it runs.

The API speaks HTTP: put a proxy that speaks TLS in front of it before it leaves the machine, and tell --api-url. /healthz,
/readyz and /metrics (Prometheus) need no token: they name no tenant, but a proxy need not pass them on.

Examples:

  dropline serve
  dropline serve --data-dir ./data --api-listen 127.0.0.1:9000
  dropline serve --roles sftp --sftp-listen 0.0.0.0:22 --sftp-address sftp.example.org:22
  DROPLINE_DATABASE_URL=postgres://dropline@db/dropline DROPLINE_BUCKET=drops AWS_REGION=ap-southeast-2 dropline serve --roles api,worker`
}
