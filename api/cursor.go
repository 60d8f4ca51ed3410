package api

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
)

// maxCursor bounds what is decoded; the longest cursor holds an entity tag.
const maxCursor = 512

// encodeCursor makes the opaque text by which a client asks for the next page. Kind keeps one list's cursor from being
// taken for another's.
func encodeCursor(kind, position string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(kind + ":" + position))
}

// decodeCursor returns the position in a cursor of that kind; "" for no cursor.
func decodeCursor(kind, cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	if len(cursor) > maxCursor {
		return "", badCursor()
	}
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return "", badCursor()
	}
	position, ok := strings.CutPrefix(string(text), kind+":")
	if !ok || !visibleASCII(position) {
		return "", badCursor()
	}
	return position, nil
}

// decodeNumber is decodeCursor for a position that is a number over 0; 0 for no cursor.
func decodeNumber(kind, cursor string) (int64, error) {
	position, err := decodeCursor(kind, cursor)
	if err != nil || position == "" {
		return 0, err
	}
	n, err := strconv.ParseInt(position, 10, 64)
	if err != nil || n <= 0 {
		return 0, badCursor()
	}
	return n, nil
}

func badCursor() error {
	return newProblem(http.StatusUnprocessableEntity, "the cursor is not one of this list", "leave cursor out to start at the beginning",
		ProblemError{Location: "query.cursor", Message: "must be the nextCursor of the page before"})
}
