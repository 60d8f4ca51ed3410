package schema

import (
	"strings"
	"unicode/utf8"
)

// tokenKind tells the tokens of an expression apart.
type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenNumber
	tokenText
	tokenName    // a column, as written
	tokenKeyword // in lower case
	tokenSymbol
)

type token struct {
	kind     tokenKind
	text     string
	position int
}

// keywords are recognised in any case. A column that is named like one is written in double quotes.
var keywords = []string{
	"and", "or", "not", "is", "null", "in", "case", "when", "then", "else", "end", "true", "false", "coalesce", "abs", "round",
}

// next reads the token at the parser's offset.
func (p *exprParser) next() (token, *ExprError) {
	s := p.source
	for p.offset < len(s) && strings.IndexByte(" \t\r\n", s[p.offset]) >= 0 {
		p.offset++
	}
	start := p.offset
	if start == len(s) {
		return token{kind: tokenEnd, position: start}, nil
	}
	switch c := s[start]; {
	case isDigit(c):
		return p.number()
	case c == '\'':
		return p.quoted('\'', tokenText)
	case c == '"':
		return p.quoted('"', tokenName)
	case isUpper(c) || isLower(c):
		for p.offset < len(s) && (isUpper(s[p.offset]) || isLower(s[p.offset]) || isDigit(s[p.offset]) || s[p.offset] == '_') {
			p.offset++
		}
		word := s[start:p.offset]
		if lower := strings.ToLower(word); contains(keywords, lower) {
			return token{tokenKeyword, lower, start}, nil
		}
		return token{tokenName, word, start}, nil
	}
	for _, symbol := range []string{"<=", ">=", "<>", "!=", "=", "<", ">", "+", "-", "*", "/", "(", ")", ","} {
		if strings.HasPrefix(s[start:], symbol) {
			p.offset += len(symbol)
			if symbol == "!=" {
				symbol = "<>"
			}
			return token{tokenSymbol, symbol, start}, nil
		}
	}
	r, _ := utf8.DecodeRuneInString(s[start:])
	return token{}, exprFault(start, "%q has no meaning here", r)
}

func (p *exprParser) number() (token, *ExprError) {
	s, start := p.source, p.offset
	digits := func() int {
		from := p.offset
		for p.offset < len(s) && isDigit(s[p.offset]) {
			p.offset++
		}
		return p.offset - from
	}
	count := digits()
	if p.offset < len(s) && s[p.offset] == '.' {
		p.offset++
		fraction := digits()
		if fraction == 0 {
			return token{}, exprFault(start, "a number needs digits after its point")
		}
		count += fraction
	}
	if count > maxDigits {
		return token{}, exprFault(start, "a number may have at most %d digits", maxDigits)
	}
	if p.offset < len(s) && (isUpper(s[p.offset]) || isLower(s[p.offset]) || s[p.offset] == '_') {
		return token{}, exprFault(start, "a number ends in a letter")
	}
	return token{tokenNumber, s[start:p.offset], start}, nil
}

// quoted reads up to the closing quote; a quote within is doubled.
func (p *exprParser) quoted(quote byte, kind tokenKind) (token, *ExprError) {
	s, start := p.source, p.offset
	var b strings.Builder
	for p.offset++; p.offset < len(s); p.offset++ {
		c := s[p.offset]
		switch {
		case c != quote:
			if c < ' ' || c == 0x7f {
				return token{}, exprFault(p.offset, "a control character within quotes")
			}
			b.WriteByte(c)
		case p.offset+1 < len(s) && s[p.offset+1] == quote:
			b.WriteByte(quote)
			p.offset++
		default:
			p.offset++
			if !utf8.ValidString(b.String()) {
				return token{}, exprFault(start, "a text that is not UTF-8")
			}
			return token{kind, b.String(), start}, nil
		}
	}
	return token{}, exprFault(start, "the quote is never closed")
}
