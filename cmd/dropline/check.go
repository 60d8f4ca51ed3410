package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"dropline/ingest"
	"dropline/mapping"
	"dropline/mapping/manifest"
	"dropline/mapping/preview"
	"dropline/mapping/unpack"
	"dropline/schema"
)

// checkedFile is what check says of one file.
type checkedFile struct {
	Path    string                 `json:"path"`
	Table   string                 `json:"table,omitempty"`
	Rows    int64                  `json:"rows"`
	Refused int64                  `json:"refused"`
	Columns []mapping.ColumnSource `json:"columns"`
	Ignored []string               `json:"ignoredColumns"`
	Notes   []string               `json:"notes"`
	Warned  []checkedWarning       `json:"warnings"`
	Code    string                 `json:"code,omitempty"`
	Error   string                 `json:"error,omitempty"`
	Output  int                    `json:"output,omitempty"` // which of the tables that the mapping makes of the file; 0: the only one
	Shown   *shownRows             `json:"firstRows,omitempty"`
	Used    bool                   `json:"used,omitempty"` // read beside the rows: a manifest
	mode    manifest.Mode          // what the manifest says of it
	file    string                 // on disk
	exact   bool                   // from a workbook's sheet
	member  string                 // of an archive or workbook; "" for the file itself
	inbox   string                 // path as it would be below the inbox
	table   *schema.Table          //
}

// shownRows are the first rows of a file as they would be staged.
type shownRows struct {
	Columns []string    `json:"columns"`
	Rows    [][]*string `json:"rows"`
}

// checkedWarning is a declared check that only warns, and of how many rows of a file it does.
type checkedWarning struct {
	Code    string `json:"code"`
	Rows    int64  `json:"rows"`
	Line    int64  `json:"line"` // of the first
	Message string `json:"message"`
}

// checker reads files as an import would and keeps what is wrong with them.
type checker struct {
	schema     *schema.Schema
	mapper     *mapping.Mapper
	references bool
	limit      int // rejects that are kept; 0 is all
	rows       int // that are shown of each file
	unpacker   *unpack.Unpacker
	keyring    unpack.Keyring

	files    []*checkedFile
	lookups  []*checkedFile // of which the mapping takes lookup tables
	leftOut  []string       // files of a directory that are no data
	given    map[*schema.Table]bool
	join     *join           // keys and references
	uniques  *join           // values that must not be repeated
	failed   *join           // rows that a declared check on a row by itself finds false
	proposed *join           // rows to be refused, whose first reason is to be found
	wholes   []*whole        // declared checks on several rows together
	refused  places          // by the checks across rows, and the declared ones
	gone     map[string]bool // keys of records refused whose consequences have not been drawn yet
	seeds    map[string]bool // keys of seed rows: whether a row takes its place
	notes    []string        // on what could not be told
	rejects  []placed
	total    int64
}

// placed is a reject and where its record is.
type placed struct {
	at     place
	reject ingest.Reject
}

// run reads the files and then looks across their rows.
func (c *checker) run(ctx context.Context) error {
	c.given, c.gone, c.seeds = map[*schema.Table]bool{}, map[string]bool{}, map[string]bool{}
	for _, f := range c.files {
		c.survey(f)
	}
	defer c.closeJoins()
	if err := c.openJoins(); err != nil {
		return err
	}
	for i := range c.files {
		if err := c.read(ctx, int32(i)); err != nil {
			return err
		}
	}
	if err := c.addSeeds(); err != nil {
		return err
	}
	for _, look := range []func(context.Context) error{
		c.keys, c.uniqueValues, c.dangling, c.consequences, c.failedRows, c.consequences, c.failedWholes, c.warnings,
	} {
		if err := look(ctx); err != nil {
			return err
		}
	}
	c.cut(0)
	return nil
}

// openJoins makes the places on disk where rows are compared.
func (c *checker) openJoins() error {
	var err error
	if c.join, err = newJoin(joinParts); err != nil {
		return err
	}
	if c.uniques, err = newJoin(joinParts / 4); err != nil {
		return err
	}
	if c.failed, err = newJoin(1); err != nil {
		return err
	}
	if c.proposed, err = newJoin(joinParts / 4); err != nil {
		return err
	}
	return c.openWholes()
}

// closeJoins removes them. An error leaves temporary files in the temporary directory, which is its purpose.
func (c *checker) closeJoins() {
	for _, j := range []*join{c.join, c.uniques, c.failed, c.proposed} {
		quietly(j.close)
	}
	for _, w := range c.wholes {
		quietly(w.join.close)
	}
}

// keep remembers a refused record.
func (c *checker) keep(at place, r ingest.Reject) {
	c.total++
	f := c.files[at.file]
	f.Refused++
	r.File = f.Path
	if f.table != nil {
		r.Table = f.table.Name
	}
	c.rejects = append(c.rejects, placed{at, r})
	if c.limit > 0 && len(c.rejects) >= 4*c.limit+1000 {
		c.cut(c.limit)
	}
}

// cut sorts the rejects and drops those beyond the limit.
func (c *checker) cut(limit int) {
	slices.SortStableFunc(c.rejects, func(a, b placed) int { return a.at.compare(b.at) })
	if limit == 0 {
		limit = c.limit
	}
	if limit > 0 && len(c.rejects) > limit {
		c.rejects = c.rejects[:limit]
	}
}

// survey notes to which table a file belongs, so that references to tables of which there is no file are left alone.
func (c *checker) survey(f *checkedFile) {
	if f.Code != "" || f.Used {
		return
	}
	if table, refusal := c.mapper.TableOf(f.what(false)); refusal == nil { // a refusal comes again when the file is read
		c.given[table] = true
	}
}

// read reads one file. A file that is refused as a whole is no error.
func (c *checker) read(ctx context.Context, index int32) error {
	f := c.files[index]
	if f.Code != "" || f.Used {
		return nil // it could not be unpacked, or has been read
	}
	opened, err := c.open(ctx, f)
	if err != nil {
		return f.refuse(err)
	}
	defer quietly(opened.Close)
	rows, notes := c.held(f, opened)
	first := preview.NewRows(opened.Table(), c.rows)
	f.table, f.Table = opened.Table(), opened.Table().Name
	f.Columns, f.Ignored = opened.Explain().Columns, append(f.Ignored, opened.Ignored()...)
	for rows.Next() {
		f.Rows++
		if f.Rows%10000 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		at := place{index, f.Rows}
		reject := rows.Refused()
		if reject != nil {
			reject.Output = f.Output
			c.keep(at, *reject)
		} else {
			first.Add(rows.Row())
		}
		if err := c.mark(at, f.table, rows.Row(), reject != nil); err != nil {
			return err
		}
	}
	f.Notes = append(f.Notes, notes()...)
	if columns, shown := first.Shown(); len(shown) > 0 {
		f.Shown = &shownRows{columns, shown}
	}
	return f.refuse(rows.Err())
}

// refuse notes why a file as a whole is refused; another error is returned.
func (f *checkedFile) refuse(err error) error {
	if err == nil {
		return nil
	}
	var refusal *ingest.FileRefusal
	if !errors.As(err, &refusal) {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	f.Code, f.Error = refusal.Code, refusal.Message
	return nil
}

// mark adds what other records may have to do with: a record's key, its unique values, its references, and what the declared
// checks say of it.
func (c *checker) mark(at place, t *schema.Table, row *ingest.Row, refused bool) error {
	m := mark{place: at, line: row.Line, offset: row.Offset, length: row.Length, column: int32(t.Key.Index)}
	if key := row.Values[t.Key.Index]; !key.Null {
		m.kind, m.name = markKey, keyName(t, key.Text)
		switch {
		case refused:
			m.kind = markRefusedKey
		case goes(t, row):
			m.kind = markGoneKey
		}
		if err := c.join.add(&m); err != nil {
			return err
		}
		m.self = m.name
	}
	if refused {
		return c.markLost(m, t, row)
	}
	for i, unique := range t.Unique {
		if name, ok := uniqueName(t, i, unique, row); ok {
			m.kind, m.name, m.rule = markUnique, name, int32(i)
			m.column, m.value = int32(unique[0].Index), received(unique[0], row)
			if err := c.uniques.add(&m); err != nil {
				return err
			}
		}
	}
	if err := c.markReferences(m, t, row); err != nil {
		return err
	}
	if err := c.markFailed(m, t, row); err != nil {
		return err
	}
	return c.markWholes(m, t, row)
}

func (c *checker) markReferences(m mark, t *schema.Table, row *ingest.Row) error {
	if !c.references || goes(t, row) {
		return nil
	}
	for _, col := range t.Columns {
		v := &row.Values[col.Index]
		if col.References == nil || v.Null || !c.given[col.References] {
			continue
		}
		m.kind, m.column, m.rule, m.value = markReference, int32(col.Index), 0, string(v.Text)
		ids := v.Text
		for more := true; more; m.rule++ {
			id := ids
			if more = col.Kind == schema.List; more {
				m.value = received(col, row)
				id, ids, more = bytes.Cut(ids, []byte(col.Separator))
			}
			if schema.IsObjectID(col.References.Prefix, id) {
				continue
			}
			m.name = keyName(col.References, id)
			if err := c.join.add(&m); err != nil {
				return err
			}
		}
	}
	return nil
}
