package tdstest

// describe is sp_describe_first_result_set: the columns a query would give, without running it.
func (c *session) describe(params []param) error {
	text, _ := params[0].value.(string)
	c.server.noteQuery(c.number, text)
	statements, bad := parseBatch(text, c.server.collation)
	if bad != nil {
		return c.failProc(bad)
	}
	var rows [][]any
	for _, s := range statements {
		sel, ok := s.(*selectStmt)
		if !ok {
			continue
		}
		p, bad := (&scope{session: c}).plan(sel)
		if bad != nil {
			return c.failProc(bad)
		}
		for i := range p.cols {
			rows = append(rows, describedRow(i, &p.cols[i]))
		}
		break
	}
	cols := []resultColumn{
		{name: "is_hidden", typ: bitType},
		{name: "column_ordinal", typ: intType},
		{name: "name", typ: textType(128), nullable: true},
		{name: "is_nullable", typ: bitType},
		{name: "system_type_id", typ: intType},
		{name: "system_type_name", typ: textType(256), nullable: true},
		{name: "max_length", typ: smallIntType},
		{name: "precision", typ: intType},
		{name: "scale", typ: intType},
		{name: "collation_name", typ: textType(128), nullable: true},
	}
	c.columns(cols)
	e := &emitter{c: c, cols: cols}
	for _, row := range rows {
		if _, err := e.row(row); err != nil {
			return err
		}
	}
	c.done(tokenDoneInProc, doneMore|doneCount, commandSelect, e.rows)
	return c.finishProc(nil)
}

func describedRow(i int, col *resultColumn) []any {
	var name any
	if col.name != "" {
		name = col.name
	}
	return []any{
		false, int64(i + 1), name, col.nullable, facts[col.typ.kind].id, col.typ.String(), col.typ.maxLength(), col.typ.precision(),
		int64(col.typ.scale), col.collationName(),
	}
}

// failProc ends a procedure with an error.
func (c *session) failProc(e *Error) error {
	if err := c.fail(e, tokenDoneInProc, true); err != nil {
		return err
	}
	c.returnStatus(1)
	c.done(tokenDoneProc, doneError, 0, 0)
	return nil
}

// String writes a type as T-SQL does.
func (t sqlType) String() string {
	f := facts[t.kind]
	switch {
	case f.hasLength && t.length < 0:
		return f.name + "(max)"
	case f.hasLength:
		return f.name + "(" + plainText(int64(t.length)) + ")"
	case f.hasPS:
		return f.name + "(" + plainText(int64(t.prec)) + "," + plainText(int64(t.scale)) + ")"
	case f.hasScale:
		return f.name + "(" + plainText(int64(t.scale)) + ")"
	default:
		return f.name
	}
}
