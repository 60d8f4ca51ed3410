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
