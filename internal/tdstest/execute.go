package tdstest

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// errFailed says that a statement inside a procedure has failed and its error has been sent.
var errFailed = errors.New("a statement of the procedure has failed")

// run runs the statements of a text. In a procedure each ends with DONEINPROC, else with DONE.
func (c *session) run(text string, params map[string]param, inProc bool) error {
	c.server.noteQuery(c.number, text)
	statements, bad := parseBatch(text, c.server.collation)
	if bad != nil {
		return c.failIn(bad, inProc)
	}
	if len(statements) == 0 && !inProc {
		c.done(tokenDone, 0, 0, 0)
	}
	for i, s := range statements {
		err := c.statement(s, params, &resultEnd{inProc: inProc, more: inProc || i < len(statements)-1})
		if e, ok := asError(err); ok {
			if e.Number == attentionNumber {
				return errAttention
			}
			return c.failIn(e, inProc)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *session) failIn(e *Error, inProc bool) error {
	if !inProc {
		return c.fail(e, tokenDone, false)
	}
	if err := c.fail(e, tokenDoneInProc, true); err != nil {
		return err
	}
	return errFailed
}

// resultEnd is how a statement's end is written.
type resultEnd struct{ inProc, more bool }

func (r *resultEnd) write(c *session, status, command uint16, rows uint64) {
	if r.more {
		status |= doneMore
	}
	id := byte(tokenDone)
	if r.inProc {
		id = tokenDoneInProc
	}
	c.done(id, status, command, rows)
}

// statement runs one statement.
func (c *session) statement(s statement, params map[string]param, end *resultEnd) error {
	command := uint16(commandSet)
	switch s := s.(type) {
	case *selectStmt:
		return c.query(s, params, end)
	case isolationStmt:
		c.isolation = s.level
	case useStmt:
		if !c.server.hasDatabase(s.database) {
			return &Error{911, 1, 16, "Database '" + s.database + "' does not exist. Make sure that the name is entered correctly."}
		}
		c.useDatabase(s.database)
		command = commandUse
	case tranStmt:
		if s.kind != envBegin && c.tran == 0 {
			return noTransaction(s.kind == envCommit)
		}
		switch s.kind {
		case envBegin:
			command = commandBegin
			c.begin(keepIsolation)
		case envCommit:
			command = commandCommit
			c.endTransaction(envCommit)
		default:
			command = commandRollback
			c.endTransaction(envRollback)
		}
	case printStmt:
		e, err := (&scope{session: c, params: params}).bind(s.text)
		if err != nil {
			return err
		}
		v, err := e.eval(&env{})
		if err != nil {
			return err
		}
		c.writeInfo(&Error{0, 1, 0, plainText(v)})
	case waitStmt:
		if err := c.waitDelay(s.delay); err != nil {
			return err
		}
	case raiseStmt:
		if s.err.Class > 10 {
			return s.err
		}
		c.writeInfo(s.err)
	}
	end.write(c, 0, command, 0)
	return nil
}

// waitDelay is WAITFOR DELAY 'hh:mm:ss.mmm'.
func (c *session) waitDelay(text string) error {
	m, ok := parseMoment(text)
	if !ok {
		return &Error{148, 1, 15, "Incorrect time syntax in time string '" + text + "' used with WAITFOR."}
	}
	return c.wait(clock(m), false)
}

// wait waits until the time is over, the client cancels, the connection is lost or the server ends.
func (c *session) wait(d time.Duration, deaf bool) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	poke := c.poke
	if deaf {
		poke = nil
	}
	select {
	case <-timer.C:
		return nil
	case <-poke:
		return errAttention
	case <-c.gone:
		return errGone
	case <-c.server.closing:
		return errGone
	}
}

// query runs a SELECT and sends its result.
func (c *session) query(s *selectStmt, params map[string]param, end *resultEnd) error {
	p, bad := (&scope{session: c, params: params}).plan(s)
	if bad != nil {
		return bad
	}
	e := &emitter{c: c, cols: append([]resultColumn(nil), p.cols...)}
	if err := e.declare(p); err != nil {
		return err
	}
	for i := range p.sources {
		if d := p.sources[i].def; d != nil && c.server.faults.concerns(d) {
			e.watch = d
		}
	}
	c.columns(e.cols)
	if order := p.outputOrder(); len(order) > 0 {
		c.order(order)
	}
	err := e.stream(p)
	if err != nil {
		return err
	}
	end.write(c, doneCount, commandSelect, e.rows)
	return nil
}

// stream sends the rows, out of the cache where that has them.
func (e *emitter) stream(p *plan) error {
	places, ok := p.cacheable()
	if !ok || e.target != nil {
		return p.run(nil, e.row)
	}
	src := &p.sources[0]
	skip, limit, err := p.limit(nil)
	if err != nil {
		return err
	}
	low, high := 0, src.count()
	if len(p.bounds) > 0 {
		if low, high, err = src.limits(p.bounds); err != nil {
			return err
		}
	}
	low = min(low+int(skip), high)
	if limit >= 0 && limit < int64(high-low) {
		high = low + int(limit)
	}
	rows, err := src.def.encoded(fmt.Sprint(places), e.cols, places)
	if err != nil {
		return err
	}
	return e.replay(rows, low, high)
}

// cacheable gives the places of the columns where a query is nothing but columns of a cached table in its order.
func (p *plan) cacheable() ([]int, bool) {
	if len(p.sources) != 1 || p.sources[0].def == nil || p.sources[0].def.cache == nil || !p.covered || p.grouped ||
		p.distinct || p.union != nil || len(p.order) > 0 && !p.sorted {
		return nil, false
	}
	places := make([]int, len(p.items))
	for i, e := range p.items {
		if e.source == nil {
			return nil, false
		}
		places[i] = e.column
	}
	return places, true
}

// outputOrder is for the ORDER token: the output columns by which the result is sorted, from 1.
func (p *plan) outputOrder() []int {
	var out []int
	for _, o := range p.order {
		if o.output < 0 {
			return out
		}
		out = append(out, o.output+1)
	}
	return out
}

// declare puts the wrong types of the faults into the result's columns.
func (e *emitter) declare(p *plan) error {
	wrong := e.c.server.faults.wrongTypes()
	if len(wrong) == 0 {
		return nil
	}
	for i, item := range p.items {
		if item.source == nil || len(item.source.table) != 2 {
			continue
		}
		for name, text := range wrong {
			table, column, _ := cutLast(name)
			if !sameName(column, item.source.name) || !namesTable(table, item.source.table[0], item.source.table[1]) {
				continue
			}
			t, err := parseType(text, e.c.server.collation)
			if err != nil {
				return &Error{2715, 3, 16, err.Error()}
			}
			if e.target == nil {
				e.target = make([]sqlType, len(e.cols))
				for j := range e.cols {
					e.target[j] = e.cols[j].typ
				}
			}
			e.target[i], e.cols[i].typ = t, t
		}
	}
	return nil
}

func cutLast(name string) (before, after string, ok bool) {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return "", name, false
	}
	return name[:i], name[i+1:], true
}

// namesTable says whether a name ("name", "schema.name", "schema.*") means a table.
func namesTable(name, schema, table string) bool {
	before, after, ok := cutLast(name)
	return (!ok || sameName(before, schema)) && (sameName(after, table) || ok && after == "*")
}
