package main

import (
	"cmp"
	"context"
	"slices"

	"dropline/ingest"
	"dropline/schema"
)

// rowOf is a record as the checks' expressions read it.
func rowOf(row *ingest.Row) schema.RowOf {
	return func(c *schema.Column) schema.Cell {
		v := &row.Values[c.Index]
		return schema.Cell{Null: v.Null, Int: v.Int, Text: v.Text}
	}
}

// columnOf is the index of the column to which a check's rejects are attributed, or -1, and its value as received.
func columnOf(t *schema.Table, name string, row *ingest.Row) (int32, string) {
	col := t.Column(name)
	if col == nil {
		return -1, ""
	}
	return int32(col.Index), received(col, row)
}

// markFailed notes which of the declared checks on a row by itself find the record false: all that warn, and the first of the
// others. Whether the record is refused for another reason is not known yet.
func (c *checker) markFailed(m mark, t *schema.Table, row *ingest.Row) error {
	failed := false
	for i, check := range t.Checks {
		isError := check.Severity == schema.Error
		if check.Kind != schema.RowCheck || isError && failed || check.Expr.Condition(rowOf(row)) != schema.False {
			continue
		}
		failed = failed || isError
		m.kind, m.rule = markWarned, int32(i)
		if isError {
			m.kind = markFailed
		}
		m.column, m.value = columnOf(t, check.Column, row)
		if err := c.failed.add(&m); err != nil {
			return err
		}
	}
	return nil
}

// failedRows refuses the records that a declared check on a row by itself finds false.
func (c *checker) failedRows(ctx context.Context) error {
	return c.failed.each(ctx, func(m *mark) error {
		if m.kind == markFailed {
			check := c.tableOf(m).Checks[m.rule]
			c.refuse(m, check.Name, check.Message)
		}
		return nil
	})
}

// warnings counts the records that are not refused and draw a warning.
func (c *checker) warnings(ctx context.Context) error {
	err := c.failed.each(ctx, func(m *mark) error {
		if m.kind == markWarned && !c.refused.has(m.place) {
			c.warn(m, c.tableOf(m).Checks[m.rule])
		}
		return nil
	})
	if err == nil {
		err = c.wholeWarnings(ctx)
	}
	for _, f := range c.files {
		slices.SortFunc(f.Warned, func(a, b checkedWarning) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Code, b.Code)) })
	}
	return err
}

func (c *checker) warn(m *mark, check *schema.Check) {
	f := c.files[m.place.file]
	i := slices.IndexFunc(f.Warned, func(w checkedWarning) bool { return w.Code == check.Name })
	if i < 0 {
		i = len(f.Warned)
		f.Warned = append(f.Warned, checkedWarning{Code: check.Name, Line: m.line, Message: check.Message})
	}
	w := &f.Warned[i]
	w.Rows++
	w.Line = min(w.Line, m.line)
}
