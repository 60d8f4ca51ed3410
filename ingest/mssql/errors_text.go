package mssql

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// longestQuote bounds what is repeated of a server's words, in characters.
const longestQuote = 300

// quote returns ": " and a foreign text, cleaned and redacted, or nothing where it repeats a secret.
func quote(text string, conn *Connection) string {
	if text = redact(text, conn); text == "" {
		return ""
	}
	return ": " + clean(text, longestQuote)
}

// clean returns a foreign text as one line of at most limit characters, without those that control or hide.
func clean(text string, limit int) string {
	var b strings.Builder
	n, space := 0, true
	for _, r := range text {
		if isControl(r) || unicode.IsSpace(r) || !unicode.IsPrint(r) {
			if !space {
				b.WriteByte(' ')
				n++
			}
			space = true
			continue
		}
		if n >= limit {
			return strings.TrimSpace(b.String()) + "…"
		}
		b.WriteRune(r)
		n++
		space = false
	}
	return strings.TrimSpace(b.String())
}

// redact returns a foreign text without the user, or nothing where it has anything of the password or token in it, be it
// with other characters strewn in.
func redact(text string, conn *Connection) string {
	text = text[:min(len(text), 8<<10)]
	password, user := conn.secrets()
	if holds(text, password) || holds(unescape(text), password) || regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8}`).MatchString(text) { // a JSON web token's beginning
		return ""
	}
	names := []string{user}
	if _, name, ok := strings.Cut(user, `\`); ok {
		names = append(names, name)
	}
	if name, _, ok := strings.Cut(user, "@"); ok {
		names = append(names, name)
	}
	for _, name := range names {
		text = withoutName(text, name)
		if bare := strings.ToLower(squeeze(name)); len(bare) >= 8 && strings.Contains(strings.ToLower(squeeze(text)), bare) {
			return "" // a shorter one may well be part of a table's name
		}
	}
	return text
}

// holds tells whether text has secret in it, or eight letters and digits of it in a row.
func holds(text, secret string) bool {
	if secret == "" {
		return false
	}
	if strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
		return true
	}
	const window = 8
	hay, needle := strings.ToLower(squeeze(text)), strings.ToLower(squeeze(secret))
	if len(needle) < 4 {
		return false
	}
	for i := 0; i+min(window, len(needle)) <= len(needle); i++ {
		if strings.Contains(hay, needle[i:i+min(window, len(needle))]) {
			return true
		}
	}
	return false
}

// unescape undoes percent-encoding, as far as there is any.
func unescape(text string) string {
	return regexp.MustCompile(`%[0-9a-fA-F]{2}`).ReplaceAllStringFunc(text, func(code string) string {
		plain, err := url.PathUnescape(code)
		if err != nil {
			return code
		}
		return plain
	})
}

// squeeze returns the letters and digits of a text.
func squeeze(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, text)
}

// withoutName puts … for a name, wherever it is not part of a longer word.
func withoutName(text, name string) string {
	if name == "" {
		return text
	}
	pattern := regexp.MustCompile(`(?i)` + regexp.QuoteMeta(name))
	var b strings.Builder
	last := 0
	for _, at := range pattern.FindAllStringIndex(text, -1) {
		before, _ := utf8.DecodeLastRuneInString(text[:at[0]])
		after, _ := utf8.DecodeRuneInString(text[at[1]:])
		if isWord(before) || isWord(after) {
			continue
		}
		b.WriteString(text[last:at[0]] + "…")
		last = at[1]
	}
	return b.String() + text[last:]
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }
