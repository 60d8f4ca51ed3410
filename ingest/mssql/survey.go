package mssql

import (
	"context"
	"fmt"
	"sort"
	"time"
)

// Bounds of what is taken in of a server's answers.
const (
	mostRelations = 5000
	mostColumns   = 4096
	mostCatalogue = 128 << 20 // bytes of a catalogue view: as of half a million columns
	mostNotes     = 100
)

// Survey is what a database has, as far as the login can see it.
type Survey struct {
	Server, Database, Version string
	Isolation                 string   // "snapshot", "read committed snapshot" or "read committed"
	IsolationNote             string   // why, for the receipt
	Notes                     []string // which catalogue views were missing, and such
	Relations                 []Relation
}

// Relation is a table or a view.
type Relation struct {
	Schema, Name string
	Kind         string // "table" or "view"
	Columns      []Column
	Key          string // the column by which it can be read in parts, or ""
	Rows         int64  // -1: unknown
	Denied       bool   // the login may not select from it; its columns are unknown
}

// String returns the relation's name with its schema, as it may be shown: without control characters, at most 128 characters
// of each.
func (r *Relation) String() string { return shownName(r.Schema, r.Name) }

// Column is a column of a relation or a query. Names are as the server has them: show them with care.
type Column struct {
	Name       string
	Type       string // "decimal(19,4)", as far as known
	Nullable   bool   // true when unknown
	Rowversion bool
	Computed   bool
}

func shownName(schema, name string) string {
	if schema == "" {
		return shown(name)
	}
	return shown(schema) + "." + shown(name)
}

// notes collects remarks, up to a bound.
type notes struct {
	list []string
	more int
}

func (n *notes) add(format string, args ...any) {
	if len(n.list) >= mostNotes {
		n.more++
		return
	}
	n.list = append(n.list, fmt.Sprintf(format, args...))
}

func (n *notes) all() []string {
	if n.more > 0 {
		return append(n.list, fmt.Sprintf("and %d more remarks", n.more))
	}
	return n.list
}

// Survey lists the relations that the login can see, ordered by name, with columns, keys and numbers of rows. What the server
// does not tell is left out, and noted. Its errors are Translate's, of a connection that was lost or a context that ended.
func (c *Client) Survey(ctx context.Context) (*Survey, error) {
	s, err := c.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer c.release(s)
	out := &Survey{Database: shown(c.databaseName(ctx, s))}
	if c.conn != nil {
		out.Server = shown(c.conn.Server())
	}
	if v, err := s.scalar(ctx, c.options.QueryTimeout, "SELECT @@VERSION"); err == nil {
		text, _ := v.(string)
		out.Version = shown(text)
	}
	var n notes
	q := &querier{client: c, session: s, notes: &n}
	cat, err := q.catalogue(ctx)
	if err != nil {
		return nil, Translate(err, c.conn)
	}
	sort.Slice(cat.relations, func(i, j int) bool {
		a, b := cat.relations[i], cat.relations[j]
		return a.Schema < b.Schema || a.Schema == b.Schema && a.Name < b.Name
	})
	if len(cat.relations) > mostRelations {
		n.add("only the first %d of %d tables and views are looked at", mostRelations, len(cat.relations))
		cat.relations = cat.relations[:mostRelations]
	}
	count := counter{client: c, until: c.options.Clock().Add(countPatience * c.options.QueryTimeout)}
	for _, r := range cat.relations {
		keep, err := q.look(ctx, cat, r, &count)
		if err != nil {
			return nil, Translate(err, c.conn)
		}
		if keep {
			out.Relations = append(out.Relations, r.Relation)
		}
	}
	if count.given > 0 {
		n.add("the rows of %d tables and views are not counted: it takes too long, or costs the connection", count.given)
	}
	out.Notes = n.all()
	out.Isolation, out.IsolationNote = c.Isolation()
	return out, nil
}

// look finds a relation's columns, key and number of rows. It returns an error only where the session is lost, and false for
// what is listed but cannot be read.
func (q *querier) look(ctx context.Context, cat *catalogue, r *listed, count *counter) (bool, error) {
	c, s := q.client, q.session
	r.Rows = -1
	if c.options.Wanted != nil && !c.options.Wanted(r.Schema, r.Name) {
		return true, nil
	}
	columns, err := c.probe(ctx, s, r.Schema, r.Name)
	chosen := number(err) == numDeniedColumn
	if chosen {
		columns, err = c.probeEach(ctx, s, r, cat.names(r), q.notes)
	}
	switch {
	case s.lost(ctx, err):
		return false, q.survive(ctx, r.String(), err)
	case isDenied(err):
		r.Denied = true
		return true, nil
	case err != nil:
		q.notes.add("%s is listed but cannot be read: %s", r.String(), c.reason(err))
		return false, nil
	}
	cat.enrich(r, columns)
	c.remember(r.Schema, r.Name, known{columns, chosen})
	r.Columns = exported(columns)
	r.Key = cat.key(r, columns)
	if r.Rows = cat.rows(r); r.Rows <= 0 {
		if r.Rows, err = count.rows(ctx, s, r.Schema, r.Name); err != nil {
			count.until = time.Time{} // the next would cost a connection too
			err = q.survive(ctx, "the number of rows of "+r.String(), err)
		}
	}
	return true, err
}

// Find looks for a relation by its name, where no catalogue can be read. schema may be "". What cannot be read for another
// reason than a missing right counts as not there. Errors are of connections and contexts.
func (c *Client) Find(ctx context.Context, schema, name string) (Relation, bool, error) {
	s, err := c.acquire(ctx)
	if err != nil {
		return Relation{}, false, err
	}
	defer c.release(s)
	r := Relation{Schema: schema, Name: name, Kind: "table", Rows: -1}
	columns, err := c.probe(ctx, s, schema, name)
	switch {
	case s.lost(ctx, err):
		return Relation{}, false, Translate(err, c.conn)
	case isDenied(err):
		r.Denied = true
		return r, true, nil
	case err != nil:
		return Relation{}, false, nil
	}
	c.remember(schema, name, known{columns: columns})
	r.Columns = exported(columns)
	count := counter{client: c, until: c.options.Clock().Add(c.options.QueryTimeout)}
	if r.Rows, err = count.rows(ctx, s, schema, name); err != nil {
		return Relation{}, false, Translate(err, c.conn)
	}
	return r, true, nil
}
