package mssql

import (
	"errors"
	"strconv"
	"strings"
)

// plan is how a part is asked for. It begins with what is best for SQL Server, and plainer makes do with less.
type plan struct {
	part  *Part
	text  string // of a query
	from  string // a relation's name, or the query in parentheses; "" for the query as it is
	quote func(string) string
	bound string // of incremental reading; "": none

	written, read  []column // those that are read begin with those that are written
	keyAt, sinceAt int      // where they stand in what is read; -1: nowhere
	after          key
	keyed          bool
	chosen         bool // not all columns of the relation are read
	limit          int64
	literal        bool // the key stands in the statement, and not beside it
	plainTop       bool // TOP 5 for TOP (5)
	casts          bool // texts in UTF-8 are turned to UTF-16 by the server: the driver would take them for code page 1252
	bases          bool // the base type of each sql_variant is read beside it
	notes          []string
}

// checkKey sees whether the column can be a key after all.
func (q *plan) checkKey() error {
	if !isKeyType(&q.read[q.keyAt]) {
		if q.part.After != "" {
			return errors.New("cannot be read in parts by a column of type " + q.read[q.keyAt].base)
		}
		q.whole("its key is of type " + q.read[q.keyAt].base)
		return nil
	}
	if q.part.After == "" {
		return nil
	}
	k, err := parseKey(q.part.After)
	if err != nil {
		return err
	}
	q.after = k
	return nil
}

// whole gives up reading in parts.
func (q *plan) whole(why string) {
	q.keyed, q.limit = false, 0
	q.notes = append(q.notes, q.part.String()+" is read in one, not in parts: "+why)
}

// boundOf is the condition of incremental reading; "" if there is none.
func (q *plan) boundOf() (string, error) {
	c := &q.read[q.sinceAt]
	if q.part.Since == "" || beforeAll(c.base, q.part.Since) {
		return "", checkSinceType(c.base)
	}
	literal, err := sinceLiteral(c.base, q.part.Since)
	if err != nil {
		return "", err
	}
	bound := q.quote(c.Name) + " > " + literal
	if !c.Rowversion { // a row of which nobody says when it changed may have
		bound = "(" + bound + " OR " + q.quote(c.Name) + " IS NULL)"
	}
	return bound, checkSinceType(c.base)
}

// statement writes the SQL.
func (q *plan) statement() (text string, args []any) {
	if q.from == "" {
		return q.text, nil
	}
	var b strings.Builder
	b.WriteString("SELECT ")
	if q.limit > 0 {
		n := strconv.FormatInt(q.limit, 10)
		if !q.plainTop {
			n = "(" + n + ")"
		}
		b.WriteString("TOP " + n + " ")
	}
	b.WriteString(q.list())
	b.WriteString(" FROM " + q.from)
	var where []string
	if q.keyed && q.part.After != "" {
		value := q.after.literal()
		if !q.literal {
			var arg any
			value, arg = q.after.parameter()
			args = append(args, arg)
		}
		where = append(where, q.quote(q.read[q.keyAt].Name)+" > "+value)
	}
	if q.bound != "" {
		where = append(where, q.bound)
	}
	if len(where) > 0 {
		b.WriteString(" WHERE " + strings.Join(where, " AND "))
	}
	if q.keyed {
		b.WriteString(" ORDER BY " + q.quote(q.read[q.keyAt].Name))
	}
	return b.String(), args
}

// list is what is selected.
func (q *plan) list() string {
	if !q.chosen && !q.special() {
		return "*"
	}
	items := make([]string, 0, len(q.read))
	for i := range q.read {
		c := &q.read[i]
		name := q.quote(c.Name)
		if q.casts && c.utf8 {
			name = "CAST(" + name + " AS " + q.wide(c) + ") AS " + name
		}
		items = append(items, name)
	}
	if q.bases {
		for i := range q.written {
			if c := &q.written[i]; c.kind == kindVariant {
				items = append(items, "CAST(SQL_VARIANT_PROPERTY("+q.quote(c.Name)+", 'BaseType') AS nvarchar(128))")
			}
		}
	}
	return strings.Join(items, ", ")
}

// special tells whether a column is read otherwise than by its name.
func (q *plan) special() bool {
	for i := range q.read {
		if c := &q.read[i]; q.casts && c.utf8 || q.bases && c.kind == kindVariant {
			return true
		}
	}
	return false
}

// wide is the UTF-16 type that holds a varchar's text: one of its units is at least a byte in UTF-8.
func (q *plan) wide(c *column) string {
	_, size, _ := strings.Cut(strings.TrimSuffix(c.Type, ")"), "(")
	if n, err := strconv.Atoi(size); err == nil && n <= 4000 {
		return "nvarchar(" + size + ")"
	}
	return "nvarchar(max)"
}

// errUTF8 is a query with texts that the driver would garble.
var errUTF8 = errors.New("it has texts under a collation of UTF-8")

// wrap puts a query into parentheses, so that the server turns its texts to UTF-16. Its columns are known by now.
func (q *plan) wrap(quote func(string) string) {
	q.from, q.quote, q.chosen, q.casts = "(\n"+q.text+"\n) AS q", quote, true, true
	q.keyAt, q.sinceAt = -1, -1
}

// plainer takes away one thing that a server may not know. It reports false where nothing is left to take.
func (q *plan) plainer() bool {
	switch {
	case q.from == "" || q.text != "":
		return false
	case q.special() && q.bases:
		q.bases = false
	case q.special() && q.casts:
		q.casts = false
		q.notes = append(q.notes, "the server does not turn texts of "+q.part.String()+" from UTF-8: those beyond ASCII are garbled")
	case q.keyed && q.part.After != "" && !q.literal:
		q.literal = true
	case q.limit > 0 && !q.plainTop:
		q.plainTop = true
	case q.limit > 0 && q.part.After == "":
		q.whole("the server refuses to read it in parts")
	default:
		return false
	}
	return true
}
