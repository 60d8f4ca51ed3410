// Package sampledb owns the database of the law firm of package sample: its tables as Efimis-1.0.sql makes them, filled with
// the rows of the export, for a test server to serve.
package sampledb

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"dropline/internal/sample"
	"dropline/internal/tdstest"
	"dropline/schema"
)

// Tables returns the tables of an export, and the empty ones of the schema. All rows are held in memory.
func Tables(ctx context.Context, s *schema.Schema, cfg sample.Config) ([]tdstest.Table, error) {
	export, err := sample.New(cfg)
	if err != nil {
		return nil, err
	}
	var tables []tdstest.Table
	for _, t := range s.Tables {
		table := Table(t)
		if slices.ContainsFunc(export.Tables(), func(w sample.Table) bool { return w.Name == t.Name }) {
			var file bytes.Buffer
			if err := export.WriteTable(ctx, t.Name, &file, nil); err != nil {
				return nil, err
			}
			if table.Rows, err = rowsOf(t, &file); err != nil {
				return nil, fmt.Errorf("%s: %w", t.Name, err)
			}
		}
		tables = append(tables, table)
	}
	return tables, nil
}

// Table returns a table without rows, as the schema's SQL script makes it.
func Table(t *schema.Table) tdstest.Table {
	table := tdstest.Table{Schema: "dbo", Name: t.Name, PrimaryKey: []string{t.Key.Name}}
	for _, c := range t.Columns {
		table.Columns = append(table.Columns, tdstest.Column{Name: c.Name, Type: c.MSSQLType(), NotNull: c.Required})
	}
	return table
}

func rowsOf(t *schema.Table, file io.Reader) ([][]any, error) {
	records := csv.NewReader(file)
	header, err := records.Read()
	if err != nil {
		return nil, err
	}
	at := make([]int, len(t.Columns)) // in the file, of each column; -1: not there
	for i, c := range t.Columns {
		at[i] = slices.Index(header, c.Name)
	}
	var rows [][]any
	for {
		record, err := records.Read()
		if err == io.EOF { //nolint:errorlint // csv returns it as it is
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		row := make([]any, len(t.Columns))
		for i, c := range t.Columns {
			if at[i] < 0 || record[at[i]] == "" {
				continue
			}
			if row[i], err = Value(c, record[at[i]]); err != nil {
				return nil, fmt.Errorf("%s: %w", c.Name, err)
			}
		}
		rows = append(rows, row)
	}
}

// Value is a value of an export as the column of a database holds it.
func Value(c *schema.Column, text string) (any, error) {
	switch c.Kind {
	case schema.Integer, schema.BigInt:
		return strconv.ParseInt(text, 10, 64)
	case schema.Boolean:
		return strconv.ParseBool(text)
	case schema.Date:
		return time.Parse(time.DateOnly, text)
	case schema.Timestamp:
		return time.Parse(time.RFC3339, text)
	case schema.Enumerate:
		for _, v := range c.Enum.Values {
			if strings.EqualFold(v.Name, text) {
				return int64(v.Number), nil
			}
		}
		return strconv.ParseInt(text, 10, 64)
	case schema.Text, schema.List, schema.Reference, schema.Decimal:
	}
	return text, nil
}
