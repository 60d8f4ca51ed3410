package mapping

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"dropline/ingest"
)

// maxIdentifier is the most characters that a name may have on SQL Server.
const maxIdentifier = 128

// parseSQLName splits [schema.]name. Each part may be between brackets or quotes, and must be where it has more than letters,
// digits and _ @ # $.
func parseSQLName(text string) (schemaName, name string, err error) {
	var parts []string
	rest := strings.TrimSpace(text)
	for {
		part, after, ok := cutIdentifier(rest)
		if !ok || !isIdentifier(part) {
			return "", "", errors.New("is not [schema.]name: put a name that has more than letters, digits and _ between brackets, such as [my schema].[my view]")
		}
		parts = append(parts, part)
		if after == "" {
			break
		}
		if after[0] != '.' {
			return "", "", errors.New("is not [schema.]name: something follows the name")
		}
		rest = strings.TrimLeft(after[1:], " ")
	}
	switch len(parts) {
	case 1:
		return "", parts[0], nil
	case 2:
		return parts[0], parts[1], nil
	}
	return "", "", errors.New("is not [schema.]name: what is in another database can be read by a query or a view")
}

// cutIdentifier takes one identifier off the beginning. Spaces around it do not matter.
func cutIdentifier(s string) (part, after string, ok bool) {
	if s == "" {
		return "", "", false
	}
	closing := byte('"')
	switch s[0] {
	case '[':
		closing = ']'
	case '"':
	default:
		end := strings.IndexFunc(s, func(r rune) bool { return !isRegular(r) })
		if end < 0 {
			end = len(s)
		}
		return s[:end], strings.TrimLeft(s[end:], " "), end > 0
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != closing {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == closing {
			b.WriteByte(closing)
			i++
			continue
		}
		return b.String(), strings.TrimLeft(s[i+1:], " "), true
	}
	return "", "", false
}

func isRegular(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '@' || r == '#' || r == '$'
}

// isIdentifier reports whether a name is one that can be shown and given back: of at most 128 characters, and visible.
func isIdentifier(s string) bool {
	if strings.TrimSpace(s) == "" || !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxIdentifier {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// sqlName writes [schema.]name such that parseSQLName gives back the same parts: with brackets around those that need them.
func sqlName(schemaName, name string) string {
	if schemaName == "" {
		return bracketed(name)
	}
	return bracketed(schemaName) + "." + bracketed(name)
}

func bracketed(name string) string {
	if name != "" && strings.IndexFunc(name, func(r rune) bool { return !isRegular(r) }) < 0 {
		return name
	}
	return "[" + strings.ReplaceAll(name, "]", "]]") + "]"
}

// shown is what a server calls something, for use in a message: shortened, without what is not visible.
func shown(name string) string {
	const most = 1000 // bytes, from which brief takes what it shows
	return brief(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, ingest.CutText(name, most)))
}
