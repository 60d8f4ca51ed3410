package ledger

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"dropline/ingest"
)

// fault is the one place where PostgreSQL's errors get their kinds. An error that has a kind keeps it.
func fault(op string, err error) error {
	if err == nil {
		return nil
	}
	var known *ingest.Error
	if errors.As(err, &known) {
		return &ingest.Error{Kind: known.Kind, Op: op, Err: err}
	}
	kind, hint := classify(err)
	return &ingest.Error{Kind: kind, Op: op, Err: plain(err), Hint: hint}
}

const unavailableHint = "the database is out of reach or restarting: try again in a moment"

func classify(err error) (ingest.Kind, string) {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return classifyCode(pg.Code)
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return ingest.NotFound, ""
	}
	var network net.Error
	var connect *pgconn.ConnectError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return ingest.Unavailable, ""
	case errors.As(err, &connect), errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, net.ErrClosed), pgconn.SafeToRetry(err), strings.HasSuffix(err.Error(), "conn closed"),
		strings.HasSuffix(err.Error(), "closed pool"): // neither of the last two has a type
		return ingest.Unavailable, unavailableHint
	}
	return ingest.Internal, ""
}

func classifyCode(code string) (ingest.Kind, string) {
	switch code {
	case "DL404":
		return ingest.NotFound, ""
	case "DL409":
		return ingest.Conflict, ""
	case "23505": // unique_violation
		return ingest.Conflict, ""
	case "53100": // disk_full
		return ingest.Exhausted, "the database's disk is full: make room, then try again"
	case "53300", "57P01", "57P02", "57P03", "55P03": // too_many_connections, shutdowns, starting up, lock_not_available
		return ingest.Unavailable, unavailableHint
	case "40001", "40P01": // still so after all tries
		return ingest.Unavailable, "others are changing the same thing: try again in a moment"
	case "25006": // read_only_sql_transaction: a standby
		return ingest.Unavailable, "this database is a standby: name the primary"
	case "3F000", "42P01", "42883": // schema, table or function missing
		return ingest.Unavailable, "the ledger's tables are not there yet: migrate the database"
	}
	if strings.HasPrefix(code, "08") { // connection exceptions
		return ingest.Unavailable, unavailableHint
	}
	return ingest.Internal, ""
}

// plain keeps of an error from one of our own functions only what it says; its position in SQL is of no use to anybody.
func plain(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && strings.HasPrefix(pg.Code, "DL") {
		return errors.New(pg.Message)
	}
	return err
}

// victim reports whether PostgreSQL ended a transaction in favour of another, so that it may succeed when tried again.
func victim(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}
