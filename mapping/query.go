package mapping

import (
	"errors"
	"fmt"
	"strings"
)

// maxQueryBytes bounds a query of a mapping.
const maxQueryBytes = 16 << 10

// checkQuery holds a client's query to what can be put where a table stands: one SELECT, or WITH and SELECT. It returns the query
// without what may be around it: semicolons, comments and white space. The server parses it; it runs with the rights of the
// client's own login. What is checked here is that it ends where it says, so that nothing put behind it becomes part of it, and
// that no word in it begins a statement that does more than read: T-SQL needs no semicolon between two.
func checkQuery(query string) (string, error) {
	if len(query) > maxQueryBytes {
		return "", errors.New("query is larger than 16 KiB: make a view of it")
	}
	if strings.Contains(strings.ReplaceAll(query, "\r\n", ""), "\r") {
		return "", errors.New("query has a carriage return without a line feed, of which it is unclear whether it ends a comment")
	}
	first, end, depth := -1, 0, 0
	ended := false // a semicolon at which the statement ends was seen
	for i := 0; i < len(query); {
		n, kind := sqlToken(query[i:])
		switch kind {
		case tokenOpen:
			return "", errors.New("query has a text, a name or a comment that is not closed")
		case tokenBlank:
			i += n
			continue
		case tokenText:
		}
		switch c := query[i]; {
		case c == ';':
			ended = first >= 0
			i++
			continue
		case ended:
			return "", errors.New("query is more than one statement: something follows the semicolon")
		case c == '(':
			depth++
		case c == ')':
			depth--
		}
		if depth < 0 {
			return "", errors.New("query has a closing parenthesis too many")
		}
		if first < 0 {
			first = i
		}
		i += n
		end = i
	}
	if first < 0 || !beginsWith(query[first:end], "select") && !beginsWith(query[first:end], "with") {
		return "", errors.New("query must begin with SELECT or WITH")
	}
	if depth > 0 {
		return "", errors.New("query has a parenthesis that is not closed")
	}
	if word := wordThatWrites(query[first:end]); word != "" {
		return "", fmt.Errorf("query may only read, and has the word %s: put a name that is spelt so between brackets", strings.ToUpper(word))
	}
	return query[first:end], nil
}

// writing are the words that T-SQL reserves for statements that do more than read, or that say how the next ones are carried out.
const writing = " alter backup begin checkpoint commit create dbcc deallocate declare delete deny drop exec execute goto grant if " +
	"insert into kill merge raiserror reconfigure restore revert revoke rollback set setuser shutdown truncate update updatetext use " +
	"waitfor while writetext "

// wordThatWrites returns the first word of a query, outside of texts, names in quotes and comments, that has no place in a SELECT.
func wordThatWrites(query string) string {
	words := wordsOf(query)
	for i, word := range words {
		if !strings.Contains(writing, " "+word+" ") {
			continue
		}
		next := ""
		if i+1 < len(words) {
			next = words[i+1]
		}
		hint := word == "merge" && (next == "join" || next == "union") || word == "use" && (next == "hint" || next == "plan")
		if !hint {
			return word
		}
	}
	return ""
}

// wordsOf returns the words of a query that stand outside of texts, names in quotes and comments, in lower case.
func wordsOf(query string) []string {
	var words []string
	for i := 0; i < len(query); {
		n := strings.IndexFunc(query[i:], func(r rune) bool { return !isRegular(r) })
		if n < 0 {
			n = len(query) - i
		}
		if n > 0 {
			words = append(words, strings.ToLower(query[i:i+n]))
		} else {
			n, _ = sqlToken(query[i:])
		}
		i += n
	}
	return words
}

func beginsWith(query, word string) bool {
	return len(query) > len(word) && strings.EqualFold(query[:len(word)], word) && !isRegular(rune(query[len(word)]))
}

// tokenKind says what a piece of T-SQL is, as far as it matters to where a statement ends.
type tokenKind uint8

const (
	tokenText  tokenKind = iota // one character, or a whole text or name between quotes
	tokenBlank                  // white space or a comment
	tokenOpen                   // begins with what is not closed
)

// sqlToken measures the first piece of a query that is not empty.
func sqlToken(s string) (int, tokenKind) {
	switch c := s[0]; {
	case c <= ' ':
		return 1, tokenBlank
	case strings.HasPrefix(s, "--"):
		if n := strings.IndexByte(s, '\n'); n >= 0 {
			return n + 1, tokenBlank
		}
		return len(s), tokenBlank
	case strings.HasPrefix(s, "/*"):
		return blockComment(s)
	case c == '\'' || c == '"':
		return enclosed(s, c)
	case c == '[':
		return enclosed(s, ']')
	}
	return 1, tokenText
}

// enclosed measures a text or name up to the byte that closes it, which stands for itself where it is doubled.
func enclosed(s string, closing byte) (int, tokenKind) {
	for i := 1; i < len(s); i++ {
		if s[i] != closing {
			continue
		}
		if i+1 < len(s) && s[i+1] == closing {
			i++
			continue
		}
		return i + 1, tokenText
	}
	return len(s), tokenOpen
}

// blockComment measures a comment, in which T-SQL allows others.
func blockComment(s string) (int, tokenKind) {
	depth := 0
	for i := 0; i+1 < len(s); {
		switch s[i : i+2] {
		case "/*":
			depth++
			i += 2
		case "*/":
			depth--
			i += 2
			if depth == 0 {
				return i, tokenBlank
			}
		default:
			i++
		}
	}
	return len(s), tokenOpen
}
