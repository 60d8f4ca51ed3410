package mssql

import (
	"regexp"
	"strings"
)

// pair is one key of a connection string with its value, in the order written.
type pair struct {
	key   string // as written, less spaces at its ends
	value string
}

// split takes a connection string apart, whichever of the forms it has. Where a form gives the first of repeated keys
// precedence, or forbids them, that is done here; in what it returns the last one counts.
func split(text string) ([]pair, error) {
	lower := strings.ToLower(text)
	switch {
	case strings.HasPrefix(lower, "jdbc:"):
		return splitJDBC(text[len("jdbc:"):])
	case strings.HasPrefix(lower, "odbc:"):
		return splitODBC(text[len("odbc:"):])
	case jdbcLike().MatchString(text):
		return splitJDBC(text)
	case strings.Contains(firstPart(lower), "://"):
		return splitURL(text)
	}
	pairs, err := splitADO(text)
	if driverKey().MatchString(text) && (err != nil || has(pairs, "driver")) {
		// A key named Driver within a quoted password does not make a string ODBC's, hence the first try.
		return splitODBC(text)
	}
	return pairs, err
}

// jdbcLike tells strings such as Prisma's: a URL as far as the port, then keys after semicolons.
func jdbcLike() *regexp.Regexp { return regexp.MustCompile(`(?i)^sqlserver://[^;@/?]*;\s*[a-z]+\s*=`) }

func driverKey() *regexp.Regexp { return regexp.MustCompile(`(?i)(^|;)\s*driver\s*=`) }

// firstPart is text up to its first = or ;, where the scheme of a URL would be.
func firstPart(text string) string {
	if i := strings.IndexAny(text, "=;"); i >= 0 {
		return text[:i]
	}
	return text
}

func has(pairs []pair, key string) bool {
	for _, p := range pairs {
		if normal(p.key) == key {
			return true
		}
	}
	return false
}

// splitADO follows DbConnectionStringBuilder: values may be quoted with ' or ", doubled within; == in a key is one =.
func splitADO(text string) ([]pair, error) {
	var pairs []pair
	for rest := text; ; {
		rest = strings.TrimLeft(rest, " \t;")
		if rest == "" {
			return pairs, nil
		}
		key, after, err := cutKey(rest)
		if err != nil {
			return nil, err
		}
		value, next, err := adoValue(key, after)
		if err != nil {
			return nil, err
		}
		pairs, rest = append(pairs, pair{key, value}), next
	}
}

// cutKey cuts the key from the head of text.
func cutKey(text string) (key, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '=' && strings.HasPrefix(text[i:], "=="):
			b.WriteByte('=')
			i++
		case text[i] == '=':
			key = strings.TrimSpace(b.String())
			if key == "" {
				return "", "", fault("", "there is a value without a key before it")
			}
			return key, text[i+1:], nil
		case text[i] == ';':
			// What stands here may be the tail of a password that should have been quoted: it is not repeated.
			return "", "", noEquals()
		default:
			b.WriteByte(text[i])
		}
	}
	return "", "", noEquals()
}

func noEquals() error {
	return fault("", `a part of it has no "="; put a value that has a semicolon in it into double quotes, or into braces for ODBC`)
}

func adoValue(key, text string) (value, rest string, err error) {
	text = strings.TrimLeft(text, " \t")
	if text == "" || text[0] != '"' && text[0] != '\'' {
		value, rest, _ = strings.Cut(text, ";")
		return strings.TrimRight(value, " \t"), rest, nil
	}
	return quoted(key, text, text[0])
}

// quoted cuts a value that ends with the byte end, doubled where it stands for itself, from the head of text.
func quoted(key, text string, end byte) (value, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		if text[i] != end {
			b.WriteByte(text[i])
			continue
		}
		if i+1 < len(text) && text[i+1] == end {
			b.WriteByte(end)
			i++
			continue
		}
		after := strings.TrimLeft(text[i+1:], " \t")
		if after != "" && after[0] != ';' {
			return "", "", fault(safeKey(key), "there is more after its closing "+string(end)+"; double a "+string(end)+" that belongs to the value")
		}
		return b.String(), strings.TrimPrefix(after, ";"), nil
	}
	return "", "", fault(safeKey(key), "its closing "+string(end)+" is missing")
}

// splitODBC follows ODBC: values may be in braces, with } doubled; the first of repeated keys counts.
func splitODBC(text string) ([]pair, error) {
	pairs, err := splitBraced(text)
	for i, j := 0, len(pairs)-1; i < j; i, j = i+1, j-1 {
		pairs[i], pairs[j] = pairs[j], pairs[i]
	}
	return pairs, err
}

func splitBraced(text string) ([]pair, error) {
	var pairs []pair
	for rest := text; ; {
		rest = strings.TrimLeft(rest, " \t;")
		if rest == "" {
			return pairs, nil
		}
		end := strings.IndexAny(rest, "=;")
		if end < 0 || rest[end] == ';' {
			return nil, noEquals()
		}
		key := strings.TrimSpace(rest[:end])
		if key == "" {
			return nil, fault("", "there is a value without a key before it")
		}
		value := strings.TrimLeft(rest[end+1:], " \t")
		if !strings.HasPrefix(value, "{") {
			value, rest, _ = strings.Cut(value, ";")
			pairs = append(pairs, pair{key, strings.TrimRight(value, " \t")})
			continue
		}
		var err error
		if value, rest, err = quoted(key, value, '}'); err != nil {
			return nil, err
		}
		pairs = append(pairs, pair{key, value})
	}
}
