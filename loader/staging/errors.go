package staging

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"

	"dropline/ingest"

	"github.com/jackc/pgx/v5/pgconn"
)

// classify gives an error of PostgreSQL its kind, and leaves those that have one.
func classify(op string, err error) error {
	var known *ingest.Error
	var refusal *ingest.FileRefusal
	if err == nil || errors.As(err, &known) || errors.As(err, &refusal) {
		return err
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		var connect *pgconn.ConnectError
		if errors.As(err, &connect) || pgconn.SafeToRetry(err) || errors.Is(err, context.Canceled) ||
			errors.Is(err, context.DeadlineExceeded) || isNetwork(err) {
			return ingest.E(ingest.Unavailable, op, err)
		}
		return ingest.E(ingest.Internal, op, err)
	}
	switch {
	case pg.Code == "55P03":
		return ingest.WithHint(ingest.Errorf(ingest.Unavailable, op, "other work on the same tenant holds its tables: %w", err),
			"it is tried again when that has ended")
	case pg.Code[:2] == "53":
		return ingest.WithHint(ingest.E(ingest.Exhausted, op, err), "PostgreSQL has run out of disk, memory or connections: make room")
	case pg.Code[:2] == "08", pg.Code[:3] == "57P", pg.Code[:2] == "40":
		return ingest.E(ingest.Unavailable, op, err)
	}
	return ingest.E(ingest.Internal, op, err)
}

// isNetwork reports whether err means that the connection to PostgreSQL was lost.
func isNetwork(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed)
}
