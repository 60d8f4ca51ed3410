package sftpd

import (
	"strings"

	"dropline/ingest"
)

// splitWords takes a command line apart as a POSIX shell would: blanks, quotes, backslashes, and variables, all of which are
// empty here. It refuses what only a shell could do.
func splitWords(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	begun := false
	end := func() {
		if begun {
			words = append(words, word.String())
			word.Reset()
			begun = false
		}
	}
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n':
			end()
			continue
		case c == '\'':
			n := strings.IndexByte(line[i+1:], '\'')
			if n < 0 {
				return nil, unclosed(c)
			}
			word.WriteString(line[i+1 : i+1+n])
			i += n + 1
		case c == '"':
			n, err := quoted(&word, line[i+1:])
			if err != nil {
				return nil, err
			}
			i += n
		case c == '\\':
			if i++; i < len(line) && line[i] != '\n' {
				word.WriteByte(line[i])
			}
		case c == '$':
			n, err := variable(line[i+1:])
			if err != nil {
				return nil, err
			}
			i += n
		case strings.IndexByte("|&;<>()`*?[", c) >= 0:
			return nil, noShellError(c)
		default:
			word.WriteByte(c)
		}
		begun = true
	}
	end()
	return words, nil
}

// quoted appends what stands before the closing double quote, and returns how much of rest that was, the quote included.
func quoted(word *strings.Builder, rest string) (int, error) {
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '"':
			return i + 1, nil
		case c == '\\' && i+1 < len(rest) && strings.IndexByte("$`\"\\\n", rest[i+1]) >= 0:
			if i++; rest[i] != '\n' {
				word.WriteByte(rest[i])
			}
		case c == '$':
			n, err := variable(rest[i+1:])
			if err != nil {
				return 0, err
			}
			i += n
		case c == '`':
			return 0, noShellError(c)
		default:
			word.WriteByte(c)
		}
	}
	return 0, unclosed('"')
}

// variable returns the length of a variable's name, which follows the dollar sign.
func variable(rest string) (int, error) {
	if strings.HasPrefix(rest, "(") {
		return 0, noShellError('(')
	}
	if strings.HasPrefix(rest, "{") {
		n := strings.IndexByte(rest, '}')
		if n < 0 {
			return 0, unclosed('{')
		}
		return n + 1, nil
	}
	n := 0
	for n < len(rest) && (rest[n] == '_' || rest[n] >= '0' && rest[n] <= '9' || rest[n]|0x20 >= 'a' && rest[n]|0x20 <= 'z') {
		n++
	}
	return n, nil
}

func noShellError(c byte) error {
	return ingest.Errorf(ingest.Invalid, "", "%q: there is no shell here; use sftp", c)
}

func unclosed(c byte) error { return ingest.Errorf(ingest.Invalid, "", "%q is never closed", c) }
