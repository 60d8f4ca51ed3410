// Command dropline takes in clients' data: CSV exports dropped over SFTP, S3 or HTTP, checked against a published schema,
// staged in PostgreSQL, and promoted to production by one call. This package owns configuration, wiring, signals and the
// subcommands; it is the only place that reads the environment.
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the linker: -X main.version=….
var version = "dev"

func main() {
	if runChild() {
		return
	}
	os.Exit(run(os.Args[1:]))
}

// run carries out one command line and returns the exit status.
func run(args []string) int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	go func() {
		s, ok := <-signals
		if !ok {
			return
		}
		cancel(interrupted{s})
		// The first signal asks, the second ends at once: what was acknowledged is durable either way.
		<-signals
		os.Exit(exitSignal)
	}()
	a := &app{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, lookup: os.LookupEnv, environ: os.Environ,
		terminal: isTerminal(os.Stdout), width: terminalWidth(os.Stdout),
	}
	err := a.run(ctx, args)
	if err == nil {
		return exitOK
	}
	var by interrupted
	if errors.As(context.Cause(ctx), &by) && errors.Is(err, context.Canceled) {
		a.complain(&failure{message: "stopped by " + by.signal.String(), status: exitSignal})
		return exitSignal
	}
	return a.complain(err)
}

// interrupted is the cause of a context that a signal ended.
type interrupted struct{ signal os.Signal }

// Error names the signal.
func (i interrupted) Error() string { return i.signal.String() }
