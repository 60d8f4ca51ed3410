package mssql_test

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"dropline/ingest/mssql"
	"dropline/internal/tdstest"
)

// create makes and fills the tables in a schema of their own on a real server.
func (at site) create(t *testing.T, tables []table) {
	t.Helper()
	connector, _ := at.connector(t)
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	try := func(text string) error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_, err := db.ExecContext(ctx, text)
		return err
	}
	exec := func(text string) {
		if err := try(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	if err := try("CREATE SCHEMA " + mssql.Bracketed(at.schema)); err != nil {
		t.Skipf("the server of %s lets nothing be made: %v", realServer, err)
	}
	t.Cleanup(func() { exec("DROP SCHEMA " + mssql.Bracketed(at.schema)) })
	for _, b := range tables {
		if b.optional {
			if b = at.possible(t, b, try); len(b.columns) == 0 {
				continue
			}
		}
		name := mssql.Bracketed(at.schema) + "." + mssql.Bracketed(b.name)
		if b.view != "" {
			exec("CREATE VIEW " + name + " AS " + strings.ReplaceAll(b.view, "{schema}", mssql.Bracketed(at.schema)))
			t.Cleanup(func() { exec("DROP VIEW " + name) })
			continue
		}
		exec("CREATE TABLE " + name + " (" + b.definition() + ")")
		t.Cleanup(func() { exec("DROP TABLE " + name) })
		for _, row := range b.rows {
			names, values := b.insert(row)
			exec("INSERT INTO " + name + " (" + names + ") VALUES (" + values + ")")
		}
	}
}

// possible is a table without the columns that the server cannot make, or not take the values of.
func (at site) possible(t *testing.T, b table, try func(string) error) table {
	t.Helper()
	name := mssql.Bracketed(at.schema) + ".[one column]"
	kept := b
	kept.columns, kept.rows = nil, make([][]any, len(b.rows))
	for i, c := range b.columns {
		one := table{columns: []tdstest.Column{c}, computed: b.computed}
		if c.Computed { // it is made of others
			one.columns = append(one.columns, b.columns[0])
		}
		err := try("CREATE TABLE " + name + " (" + one.definition() + ")")
		for _, row := range b.rows {
			if names, values := one.insert([]any{row[i], row[0]}); err == nil && names != "" {
				err = try("INSERT INTO " + name + " (" + names + ") VALUES (" + values + ")")
			}
		}
		_ = try("DROP TABLE " + name)
		if err != nil {
			t.Logf("without %s: %v", c.Type, err)
			at.lacks[c.Name] = true
			continue
		}
		kept.columns = append(kept.columns, c)
		for n, row := range b.rows {
			kept.rows[n] = append(kept.rows[n], row[i])
		}
	}
	return kept
}

func (b table) definition() string {
	var parts []string
	for _, c := range b.columns {
		text := mssql.Bracketed(c.Name) + " "
		switch {
		case c.Computed:
			text += "AS " + b.computed[c.Name]
		case c.NotNull:
			text += c.Type + " NOT NULL"
		case c.Type == "rowversion":
			text += c.Type
		default:
			text += c.Type + " NULL"
		}
		parts = append(parts, text)
	}
	if len(b.primaryKey) > 0 {
		var names []string
		for _, k := range b.primaryKey {
			names = append(names, mssql.Bracketed(k))
		}
		parts = append(parts, "PRIMARY KEY CLUSTERED ("+strings.Join(names, ", ")+")")
	}
	return strings.Join(parts, ", ")
}

// insert lists the columns that are given values, and the values.
func (b table) insert(row []any) (names, values string) {
	var n, v []string
	for i, c := range b.columns {
		if c.Computed || c.Type == "rowversion" {
			continue
		}
		n, v = append(n, mssql.Bracketed(c.Name)), append(v, literal(c.Type, row[i]))
	}
	return strings.Join(n, ", "), strings.Join(v, ", ")
}

// literal writes a value of a test in T-SQL.
func literal(kind string, v any) string {
	base, _, _ := strings.Cut(strings.ToLower(kind), "(")
	switch v := v.(type) {
	case nil:
		return "NULL"
	case string:
		if base == "decimal" || base == "numeric" || base == "money" || base == "smallmoney" {
			return v
		}
		return "N'" + strings.ReplaceAll(v, "'", "''") + "'"
	case bool:
		if v {
			return "1"
		}
		return "0"
	case float64:
		return strconv.FormatFloat(v, 'E', -1, 64)
	case []byte:
		return "0x" + hex.EncodeToString(v)
	case tdstest.Variant:
		return "CAST(" + literal(v.Type, v.Value) + " AS " + v.Type + ")"
	case time.Time:
		layout := map[string]string{
			"date": "2006-01-02", "time": "15:04:05.0000000", "datetime": "2006-01-02T15:04:05.000",
			"smalldatetime": "2006-01-02T15:04:05", "datetimeoffset": "2006-01-02T15:04:05.0000000-07:00",
		}[base]
		if layout == "" {
			layout = "2006-01-02T15:04:05.0000000"
		}
		return "'" + v.Format(layout) + "'"
	}
	return fmt.Sprint(v)
}
