package ledger

import (
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// collect reads all rows with a function that reads one, and closes them. It takes Query's error with its rows.
func collect[T any](rows pgx.Rows, err error, scan func(pgx.Row) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (T, error) { return scan(row) })
}

// utc puts the times, which PostgreSQL's driver gives in the machine's zone, into UTC.
func utc(times ...*time.Time) {
	for _, t := range times {
		if t != nil {
			*t = t.UTC()
		}
	}
}

// text makes a string fit for a column of type text, which takes neither NUL nor what is not UTF-8. Messages may quote what
// a client sent.
func text(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

func texts(list []string) []string {
	if list == nil {
		return nil
	}
	clean := make([]string, len(list))
	for i, s := range list {
		clean[i] = text(s)
	}
	return clean
}

func states[S ~string](list []S) []string {
	names := make([]string, len(list))
	for i, s := range list {
		names[i] = string(s)
	}
	return names
}
