package tdstest

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokEnd    tokenKind = iota
	tokWord             // a name or a keyword, bare
	tokName             // a name in brackets or double quotes
	tokText             // 'text'
	tokWide             // N'text'
	tokNumber           // 12, 12.5, 1e3
	tokHex              // 0x…
	tokParam            // @name
	tokGlobal           // @@NAME
	tokSymbol
)

type tok struct {
	kind tokenKind
	text string
}

// is compares with a keyword or a symbol.
func (t tok) is(text string) bool {
	return (t.kind == tokWord || t.kind == tokSymbol) && strings.EqualFold(t.text, text)
}

// maxTokens bounds a batch, and with it how long a chain of operators can be.
const maxTokens = 50_000

// lex cuts a batch into tokens.
func lex(s string) ([]tok, *Error) {
	var out []tok
	for i := 0; i < len(s); {
		rest := s[i:]
		n, t, err := lexOne(rest)
		if err != nil {
			return nil, err
		}
		if len(out) == maxTokens {
			return nil, &Error{191, 1, 15, "Some part of your SQL statement is nested too deeply. Rewrite the query or break it up into smaller queries."}
		}
		if n > 0 && t.kind != tokEnd {
			out = append(out, t)
		}
		i += n
	}
	return append(out, tok{}), nil
}

// lexOne reads one token or a stretch of what is none (kind tokEnd).
func lexOne(s string) (int, tok, *Error) {
	r, size := utf8.DecodeRuneInString(s)
	switch {
	case unicode.IsSpace(r):
		return size, tok{}, nil
	case strings.HasPrefix(s, "--"):
		if end := strings.IndexByte(s, '\n'); end >= 0 {
			return end + 1, tok{}, nil
		}
		return len(s), tok{}, nil
	case strings.HasPrefix(s, "/*"):
		end := strings.Index(s, "*/")
		if end < 0 {
			return 0, tok{}, &Error{113, 1, 15, "Missing end comment mark '*/'."}
		}
		return end + 2, tok{}, nil
	case r == '\'':
		return lexQuoted(s, 1, '\'', tokText)
	case (r == 'N' || r == 'n') && strings.HasPrefix(s[1:], "'"):
		return lexQuoted(s, 2, '\'', tokWide)
	case r == '[':
		return lexQuoted(s, 1, ']', tokName)
	case r == '"':
		return lexQuoted(s, 1, '"', tokName)
	case strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0X"):
		n := 2
		for n < len(s) && strings.IndexByte("0123456789abcdefABCDEF", s[n]) >= 0 {
			n++
		}
		return n, tok{tokHex, s[2:n]}, nil
	case r >= '0' && r <= '9' || r == '.' && len(s) > 1 && s[1] >= '0' && s[1] <= '9':
		n := numberLength(s)
		return n, tok{tokNumber, s[:n]}, nil
	case strings.HasPrefix(s, "@@"):
		n := 2 + wordLength(s[2:])
		return n, tok{tokGlobal, s[:n]}, nil
	case r == '@':
		n := 1 + wordLength(s[1:])
		return n, tok{tokParam, s[:n]}, nil
	case isWordRune(r):
		n := wordLength(s)
		return n, tok{tokWord, s[:n]}, nil
	}
	for _, symbol := range []string{"<>", "<=", ">=", "!=", "!<", "!>"} {
		if strings.HasPrefix(s, symbol) {
			return 2, tok{tokSymbol, symbol}, nil
		}
	}
	return size, tok{tokSymbol, s[:size]}, nil
}

// lexQuoted reads up to the closing quote; two of them are one.
func lexQuoted(s string, from int, quote byte, kind tokenKind) (int, tok, *Error) {
	var b strings.Builder
	for i := from; i < len(s); i++ {
		if s[i] != quote {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == quote {
			b.WriteByte(quote)
			i++
			continue
		}
		return i + 1, tok{kind, b.String()}, nil
	}
	return 0, tok{}, &Error{105, 1, 15, "Unclosed quotation mark after the character string '" + b.String() + "'."}
}

func isWordRune(r rune) bool {
	return r == '_' || r == '#' || r == '$' || r == '@' || unicode.IsLetter(r) || unicode.IsDigit(r)
}

func wordLength(s string) int {
	for i, r := range s {
		if !isWordRune(r) {
			return i
		}
	}
	return len(s)
}

func numberLength(s string) int {
	n := 0
	for n < len(s) {
		c := s[n]
		switch {
		case c >= '0' && c <= '9' || c == '.':
		case (c == 'e' || c == 'E') && n+1 < len(s) && strings.IndexByte("0123456789+-", s[n+1]) >= 0:
			n++
		default:
			return n
		}
		n++
	}
	return n
}
