package ingest

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The three folders of a tenant's tree.
const (
	Inbox   = "/inbox"
	Archive = "/archive"
	Reports = "/reports"
)

// Limits of a path: those of common file systems, so that a client can keep what it gets.
const (
	MaxNameBytes = 255
	MaxPathBytes = 1024
)

// CleanPath returns the canonical form of a path that a client sent: absolute, cleaned, without a way out of the root.
// What is not in one of the three folders counts as in the inbox: "Matters.csv" and "/Matters.csv" are
// "/inbox/Matters.csv". The root itself is "/". It refuses names that are too long, not UTF-8, or hold control characters.
func CleanPath(p string) (string, error) {
	const op = "ingest.CleanPath"
	if len(p) > MaxPathBytes {
		return "", Errorf(Invalid, op, "the path is longer than %d bytes", MaxPathBytes)
	}
	if !utf8.ValidString(p) {
		return "", Errorf(Invalid, op, "the path is not UTF-8")
	}
	for _, r := range p {
		if unicode.IsControl(r) { // C1 as well: some terminals obey U+009B as they do ESC [
			return "", Errorf(Invalid, op, "the path holds a control character")
		}
	}
	p = path.Clean("/" + p)
	for part := range strings.SplitSeq(p, "/") {
		if len(part) > MaxNameBytes {
			return "", Errorf(Invalid, op, "a name in the path is longer than %d bytes", MaxNameBytes)
		}
	}
	if p == "/" || within(p, Inbox) || within(p, Archive) || within(p, Reports) {
		return p, nil
	}
	return Inbox + p, nil
}

// InInbox reports whether the canonical path p names something below the inbox.
func InInbox(p string) bool { return strings.HasPrefix(p, Inbox+"/") }

func within(p, folder string) bool { return p == folder || strings.HasPrefix(p, folder+"/") }

// TemporaryName reports whether a file's name is one that clients use while they upload: it counts only once renamed.
func TemporaryName(p string) bool {
	name := strings.ToLower(path.Base(p))
	if strings.HasPrefix(name, ".") { // covers lftp's ".in.X"
		return true
	}
	for _, suffix := range []string{".filepart", ".part", ".partial", ".tmp", ".temp", ".crdownload", ".uploading"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}
