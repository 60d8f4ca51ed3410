package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
)

const (
	// uploadMemory bounds the bytes that all uploads of the process hold on their way to S3: a few at full speed, the
	// others wait for each other.
	uploadMemory = 192 << 20
	// memoryLimit makes the garbage collector work harder before the process grows beyond what it can need: the uploads'
	// bytes, those that SFTP puts in order, and half as much again for all else. Loading alone stays far below.
	memoryLimit = uploadMemory + 128<<20 + 160<<20
	// collectAt is a heap growth at which the collector costs little and a loading process stays under 100 MB.
	collectAt = 75
)

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

// Run carries the command out.
func (c *serveCmd) Run(a *app) error {
	a.tuneMemory()
	signal.Ignore(syscall.SIGHUP) // the end of the terminal it was started from
	logger := newLogger(a.stderr, a.settings)
	for _, name := range a.settings.unknown {
		logger.Warn("not a setting, and ignored", "variable", name)
	}
	s, err := startServer(a.ctx, serverConfig{settings: a.settings, logger: logger, lookup: a.lookup, newOperator: c.NewOperator})
	if err != nil {
		return err
	}
	if err := a.announce(s); err != nil {
		return errors.Join(err, s.stop())
	}
	select {
	case <-a.ctx.Done():
		logger.Info("stopping", "because", context.Cause(a.ctx).Error())
	case <-s.failed:
	}
	return s.stop()
}

// announce says where the server is, and shows a new operator's credential.
func (a *app) announce(s *server) error {
	if a.json {
		return a.emitLine(struct {
			addresses
			Operator *operatorCredential `json:"operator,omitempty"`
		}{s.at, s.operator})
	}
	if s.operator != nil {
		a.say("operator's credential, shown this once and written to %s:", s.operatorPath)
		a.say("  DROPLINE_CLIENT_ID=%s", s.operator.ClientID)
		a.say("  DROPLINE_CLIENT_SECRET=%s", s.operator.ClientSecret)
	}
	a.say("dropline %s is ready (%s)", version, strings.Join(s.at.Roles, ", "))
	if s.at.API != "" {
		a.say("  API   %s   reference %s/docs", s.at.API, s.at.API)
	}
	if s.at.SFTP != "" {
		a.say("  SFTP  %s   host key %s", s.at.SFTP, strings.Join(s.at.Fingerprints, " "))
	}
	return nil
}

// tuneMemory keeps the process small unless the environment says otherwise.
func (a *app) tuneMemory() {
	if _, set := a.lookup("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(memoryLimit)
	}
	if _, set := a.lookup("GOGC"); !set {
		debug.SetGCPercent(collectAt)
	}
}

func newLogger(w io.Writer, s *settings) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(s.text(keyLogLevel))) // checked when the settings were loaded
	options := &slog.HandlerOptions{Level: level}
	if s.text(keyLogFormat) == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// quieter leaves out what is below a warning: the ledger's libraries tell of each step of a migration.
func quieter(l *slog.Logger) *slog.Logger { return slog.New(warnings{l.Handler()}) }

// warnings is a handler of warnings and errors only.
type warnings struct{ slog.Handler }

// Enabled is described at slog.Handler.
func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}

// WithAttrs is described at slog.Handler.
func (w warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(attrs)}
}

// WithGroup is described at slog.Handler.
func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }

// removeFile removes a file that may be gone already.
func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
