package tdstest

import (
	"strings"
)

// parser reads a batch. Depth bounds how deep expressions and subqueries go.
type parser struct {
	tokens []tok
	at     int
	depth  int
	db     *collation
}

const maxDepth = 100

// parseBatch reads all statements of a batch before any of them runs, as SQL Server does.
func parseBatch(text string, db *collation) ([]statement, *Error) {
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens, db: db}
	var out []statement
	for {
		for p.accept(";") {
		}
		if p.peek().kind == tokEnd {
			return out, nil
		}
		s, err := p.statement()
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
}

func (p *parser) peek() tok { return p.tokens[p.at] }

func (p *parser) peekAt(n int) tok { return p.tokens[min(p.at+n, len(p.tokens)-1)] }

func (p *parser) next() tok {
	t := p.tokens[p.at]
	if t.kind != tokEnd {
		p.at++
	}
	return t
}

// accept takes the words or symbols where they are all there.
func (p *parser) accept(words ...string) bool {
	for i, w := range words {
		if !p.peekAt(i).is(w) {
			return false
		}
	}
	p.at += len(words)
	return true
}

func (p *parser) expect(word string) *Error {
	if p.accept(word) {
		return nil
	}
	return p.unexpected()
}

// unexpected is the error for the token that is next.
func (p *parser) unexpected() *Error {
	t := p.peek()
	switch {
	case t.kind == tokEnd:
		return &Error{102, 1, 15, "Incorrect syntax near the end of the batch."}
	case t.kind == tokWord && reserved[strings.ToLower(t.text)]:
		return &Error{156, 1, 15, "Incorrect syntax near the keyword '" + t.text + "'."}
	default:
		return &Error{102, 1, 15, "Incorrect syntax near '" + t.text + "'."}
	}
}

// reserved are the words that are no names without brackets.
var reserved = words(`select from where and or not in is null like between case when then else end as on inner left right
	outer full cross join group by having order asc desc top distinct union all exists with option set use begin commit
	rollback tran transaction into insert update delete create alter drop truncate exec execute values for`)

func words(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

var writing = words("insert update delete create alter drop truncate merge grant revoke backup restore bulk dbcc kill")

func (p *parser) statement() (statement, *Error) {
	t := p.peek()
	switch {
	case t.is("select") || t.is("("):
		return p.selectStatement()
	case p.accept("set", "transaction", "isolation", "level"):
		return p.isolationLevel()
	case p.accept("set"):
		return p.skipSet()
	case p.accept("use"):
		name, err := p.name()
		return useStmt{name}, err
	case p.accept("begin", "tran"), p.accept("begin", "transaction"):
		p.tranName()
		return tranStmt{envBegin}, nil
	case p.accept("commit"):
		p.tranName()
		return tranStmt{envCommit}, nil
	case p.accept("rollback"):
		p.tranName()
		return tranStmt{envRollback}, nil
	case p.accept("print"):
		e, err := p.expr()
		return printStmt{e}, err
	case p.accept("waitfor", "delay"):
		if t := p.next(); t.kind == tokText || t.kind == tokWide {
			return waitStmt{t.text}, nil
		}
		p.at--
		return nil, p.unexpected()
	case p.accept("raiserror"), p.accept("throw"):
		return p.raise()
	case t.kind == tokWord && writing[strings.ToLower(t.text)]:
		return nil, &Error{262, 1, 14, strings.ToUpper(t.text) + " permission denied in the database: the test server only reads."}
	default:
		return nil, p.unexpected()
	}
}

// tranName takes the rest of BEGIN, COMMIT and ROLLBACK.
func (p *parser) tranName() {
	if !p.accept("tran") && !p.accept("transaction") {
		p.accept("work")
	}
	if t := p.peek(); t.kind == tokName || t.kind == tokWord && !reserved[strings.ToLower(t.text)] {
		p.next()
	}
}

func (p *parser) isolationLevel() (statement, *Error) {
	for level := readUncommitted; level <= snapshotIsolation; level++ {
		if p.accept(strings.Fields(level.name())...) {
			return isolationStmt{level}, nil
		}
	}
	return nil, p.unexpected()
}

// skipSet takes a SET statement's options: NOCOUNT ON, LOCK_TIMEOUT 5000, DEADLOCK_PRIORITY LOW and their like.
func (p *parser) skipSet() (statement, *Error) {
	if t := p.peek(); t.kind != tokWord {
		return nil, p.unexpected()
	}
	p.next()
	for {
		t := p.peek()
		done := t.kind == tokEnd || t.is(";")
		for _, w := range []string{"select", "set", "use", "begin", "commit", "rollback", "print", "waitfor"} {
			done = done || t.is(w)
		}
		if done {
			return setStmt{}, nil
		}
		p.next()
	}
}

// raise reads RAISERROR('text', class, state) and THROW number, 'text', state.
func (p *parser) raise() (statement, *Error) {
	e := &Error{Number: 50000, Class: 16, State: 1}
	throw := p.tokens[p.at-1].is("throw")
	p.accept("(")
	var numbers []int64
	for t := p.peek(); t.kind != tokEnd && !t.is(";") && !t.is(")"); t = p.peek() {
		if t.kind == tokText || t.kind == tokWide {
			e.Message = t.text
		}
		if t.kind == tokNumber {
			n, err := toInteger(t.text, intType)
			if err != nil {
				return nil, err
			}
			numbers = append(numbers, n.(int64))
		}
		p.next()
	}
	p.accept(")")
	if len(numbers) < 2 {
		return nil, p.unexpected()
	}
	e.State = uint8(numbers[1])
	if throw {
		e.Number = int32(numbers[0])
		return raiseStmt{e}, nil
	}
	e.Class = uint8(numbers[0])
	logged, err := p.raiseOptions()
	if err == nil && e.Class > 18 && !logged {
		err = &Error{2754, 1, 16, "Error severity levels greater than 18 can only be specified by members of the sysadmin role, using the WITH LOG option."}
	}
	return raiseStmt{e}, err
}

// raiseOptions reads WITH LOG, NOWAIT, SETERROR.
func (p *parser) raiseOptions() (logged bool, err *Error) {
	if !p.accept("with") {
		return false, nil
	}
	for {
		switch {
		case p.accept("log"):
			logged = true
		case p.accept("nowait"), p.accept("seterror"):
		default:
			return false, p.unexpected()
		}
		if !p.accept(",") {
			return logged, nil
		}
	}
}

// name reads one name.
func (p *parser) name() (string, *Error) {
	t := p.peek()
	if t.kind == tokName || t.kind == tokWord && !reserved[strings.ToLower(t.text)] {
		p.next()
		return t.text, nil
	}
	return "", p.unexpected()
}

// dotted reads a name of several parts; the parts between may be empty, as in db..table.
func (p *parser) dotted() ([]string, *Error) {
	first, err := p.name()
	if err != nil {
		return nil, err
	}
	parts := []string{first}
	for p.accept(".") {
		if p.peek().is(".") {
			parts = append(parts, "")
			continue
		}
		part, err := p.name()
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	if len(parts) > 4 {
		return nil, &Error{117, 1, 15, "The object name contains more than the maximum number of prefixes. The maximum is 3."}
	}
	return parts, nil
}

// typeName reads a type with its length and its collation.
func (p *parser) typeName() (sqlType, *Error) {
	t := p.next()
	if t.kind != tokWord && t.kind != tokName {
		return sqlType{}, &Error{102, 1, 15, "Incorrect syntax near '" + t.text + "'."}
	}
	var args []string
	if p.accept("(") {
		for {
			args = append(args, p.next().text)
			if p.accept(")") {
				break
			}
			if err := p.expect(","); err != nil {
				return sqlType{}, err
			}
		}
	}
	typ, err := makeType(t.text, args, p.db)
	if err == nil && p.accept("collate") {
		c, cerr := collationNamed(p.next().text)
		if cerr != nil || !typ.isText() {
			return sqlType{}, &Error{448, 3, 16, "Invalid collation."}
		}
		typ.collation = c
	}
	return typ, err
}
